/** ttyS0 to ttyS3 (Linux 2.6.18: drivers/serial/8250.c): the ports of a PC, as far as the hypervisor leaves them to this domain. */

import { COM1_BASE, COM1_IRQ, COM2_BASE, COM2_IRQ } from '#abi/pc/uart16550.ts'
import { ENODEV } from '#abi/posix/errno.ts'
import { makedev } from '#abi/posix/stat.ts'
import { B9600, CREAD, CS7, CS8, HUPCL, PARENB, PARODD } from '#abi/posix/termios.ts'
import { Errno, fail } from '../../errno.ts'
import type { ConsoleInit, Initcall, Kernel } from '../../kernel.ts'
import { ttysOf } from '../../tty/core.ts'
import type { TtyDriver } from '../../tty/driver.ts'
import { baudCode, stdTermios } from '../../tty/termios.ts'
import { SerialPort } from './port.ts'
import { Uart } from './uart.ts'

const TTY_MAJOR = 4
const TTYS_MINOR = 64

/** SERIAL_PORT_DFNS of a PC: line 0 to 3. */
const PORTS: readonly (readonly [base: number, irq: number])[] = [
  [COM1_BASE, COM1_IRQ],
  [COM2_BASE, COM2_IRQ],
  [0x3e8, COM1_IRQ],
  [0x2e8, COM2_IRQ],
]

interface ConsoleOptions {
  readonly index: number
  readonly baud: number
  readonly cflag: number
}

/** `console=ttyS1,115200n8`, the last of them. */
function consoleOptions(cmdline: string): ConsoleOptions | undefined {
  const match = [...cmdline.matchAll(/(?:^|\s)console=ttyS(\d)(?:,(\d+)([noe])?([78])?r?)?(?=\s|$)/g)].at(-1)
  if (!match) return undefined
  const baud = match[2] ? Number(match[2]) : 9600
  const parity = match[3] === 'o' ? PARENB | PARODD : match[3] === 'e' ? PARENB : 0
  const cflag = (baudCode(baud) ?? B9600) | (match[4] === '7' ? CS7 : CS8) | parity | CREAD | HUPCL
  return { index: Number(match[1]), baud, cflag }
}

const uartOf = ({ vcpu }: Kernel, index: number): Uart | undefined => {
  const port = PORTS[index]
  return port && new Uart(vcpu.io, port[0], port[1])
}

/** serial8250_console_init: the log goes there if it is asked for. */
export const serialConsoleInit: ConsoleInit = (kernel) => {
  const ttys = ttysOf(kernel)
  const options = consoleOptions(kernel.cmdline)
  if (!options || ttys.serialConsole !== undefined || !kernel.dom0) return
  const uart = uartOf(kernel, options.index)
  if (!uart?.probe()) return
  ttys.serialConsole = options.index
  uart.setLine(options.cflag, options.baud)
  kernel.log.registerConsole({
    name: 'ttyS',
    index: options.index,
    device: makedev(TTY_MAJOR, TTYS_MINOR + options.index),
    write: (text) => uart.print(text),
  })
}

/** serial8250_init. */
export const serial8250Init: Initcall = function* serial8250Init(kernel) {
  if (!kernel.dom0) return
  const ttys = ttysOf(kernel)
  const options = ttys.serialConsole === undefined ? undefined : consoleOptions(kernel.cmdline)
  const { log } = kernel
  log.printk(`<6>Serial: 8250/16550 driver $Revision: 1.90 $ ${PORTS.length} ports, IRQ sharing disabled\n`)
  const uarts = new Map<number, Uart>()
  const driver: TtyDriver = {
    driverName: 'serial',
    name: 'ttyS',
    kind: 'serial',
    major: TTY_MAJOR,
    minorStart: TTYS_MINOR,
    count: PORTS.length,
    nameBase: 0,
    initTermios: stdTermios(options?.cflag ?? B9600 | CS8 | CREAD | HUPCL),
    port(index, line) {
      const uart = uarts.get(index) ?? fail(ENODEV)
      return new SerialPort(kernel, uart, line, options?.index === index)
    },
  }
  try {
    ttys.register(driver)
  } catch (error) {
    // Xen's own console has the numbers: xencons=ttyS.
    if (error instanceof Errno) return
    throw error
  }
  for (const index of PORTS.keys()) {
    const uart = uartOf(kernel, index)!
    if (!uart.probe()) continue
    uarts.set(index, uart)
    if (options?.index === index) uart.setLine(options.cflag, options.baud)
    const address = uart.base.toString(16)
    log.printk(`<6>serial8250: ttyS${index} at I/O 0x${address} (irq = ${uart.irq}) is a ${uart.kind}\n`)
  }
}
