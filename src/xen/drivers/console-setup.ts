/** The console at boot (xen/drivers/char/console.c): which lines and screens it is on, and to whom it goes when boot ends. */
import { PAGE_SHIFT, PAGE_SIZE } from '#abi/xen/types.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { TAINT_SYNC_CONSOLE } from '../common/kernel.ts'
import {
  banner,
  fullVersion,
  XEN_CHANGESET,
  XEN_COMPILE_BY,
  XEN_COMPILE_DATE,
  XEN_COMPILE_DOMAIN,
  XEN_COMPILER,
} from '../compile.ts'
import type { Steps } from '../steps.ts'
import { printk, type Xen } from '../xen.ts'
import { loglvlText } from './console.ts'
import { Ns16550, parseUart } from './ns16550.ts'
import { NO_HANDLE, parseSerialHandle } from './serial.ts'

/** console_init_postirq of 3.4: as large as asked for, rounded down to a power of two. */
export function growConsoleRing({ console, heap, options }: Xen): void {
  const order = 31 - Math.clz32(options.conringSize) - PAGE_SHIFT
  const size = PAGE_SIZE * 2 ** order
  if (size < console.ring.length) return
  if (heap.allocXenHeapPages(order) === undefined) {
    console.printk(`Unable to allocate console ring of ${size} bytes.\n`)
    return
  }
  console.growRing(size)
  console.printk(`Allocated console ring of ${size} bytes.\n`)
}

/** ns16550_init, serial_init_preirq and init_console. */
export function initConsole(xen: Xen): void {
  const { options, serial, console, metal } = xen
  console.thresholds = options.loglvl
  console.guestThresholds = options.guestLoglvl
  console.conswitch = options.conswitch
  console.toRing = options.consoleToRing
  console.timestamps = options.consoleTimestamps
  serial.txBytes = options.serialTxBytes
  const outputs = options.console.split(',')
  for (const port of [0, 1] as const) {
    const name = port === 0 ? 'com1' : 'com2'
    const isConsole = outputs.some((output) => output.startsWith(name))
    const config = parseUart(port, port === 0 ? options.com1 : options.com2, isConsole)
    if (typeof config === 'string') printk(xen, `ERROR: ${config}\n`)
    else if (config) serial.register(port, new Ns16550(metal.io, config))
  }
  serial.initPreIrq()
  for (const [i, output] of outputs.entries()) {
    if (output.startsWith('com')) {
      const handle = parseSerialHandle(output)
      // The parser is handed the rest of the list, and so names it.
      if (handle === undefined)
        printk(xen, `ERROR: bad serial-interface specification '${outputs.slice(i).join(',')}'\n`)
      console.handle = handle ?? NO_HANDLE
    } else if (output.startsWith('vga')) {
      xen.vga.keep = options.vga.split(',').some((word) => word.startsWith('keep'))
      xen.vga.init(metal.mem, metal.io)
    }
  }
  serial.setRxHandler(console.handle, (byte) => console.serialRx(byte))
  console.putText(banner(xen.build))
  printk(
    xen,
    `Xen version ${fullVersion(xen.build)} (${XEN_COMPILE_BY}@${XEN_COMPILE_DOMAIN}) ` +
      `(${XEN_COMPILER}) ${XEN_COMPILE_DATE}\n`,
  )
  printk(xen, `Latest ChangeSet: ${XEN_CHANGESET}\n`)
  metal.probe({ kind: 'serial-input', owner: 'xen' })
  if (!options.syncConsole) return
  serial.startSync(console.handle)
  xen.tainted |= TAINT_SYNC_CONSOLE
  printk(xen, 'Console output is synchronous.\n')
}

/** console_endboot. */
export function* endBoot(xen: Xen, pcpu: Pcpu): Steps {
  const { console, options, vga } = xen
  printk(xen, `Std. Loglevel: ${loglvlText(console.thresholds)}\n`)
  printk(xen, `Guest Loglevel: ${loglvlText(console.guestThresholds)}\n`)
  if (options.syncConsole) {
    for (const line of SYNC_WARNING) printk(xen, `${line}\n`)
    for (let i = 3; i > 0; i--) {
      printk(xen, `${i}... `)
      yield* pcpu.delay(1000)
    }
    printk(xen, '\n')
  }
  if (vga.active) {
    printk(xen, `Xen is ${vga.keep ? 'keeping' : 'relinquishing'} VGA console.\n`)
    vga.active = vga.keep
  }
  // ns16550_endboot: dom0 finds no UART where Xen's is.
  for (const { uart } of xen.serial.ports)
    if (uart) xen.domains.get(0)!.ioportCaps.remove(uart.config.ioBase, uart.config.ioBase + 7)
  // conswitch=?x: input stays Xen's, but the message on how to switch is still wanted.
  if (options.conswitch[1] === 'x') console.xenRx = !console.xenRx
  console.switchSerialInput()
}

const SYNC_WARNING: readonly string[] = [
  '**********************************************',
  '******* WARNING: CONSOLE OUTPUT IS SYNCHRONOUS',
  '******* This option is intended to aid debugging of Xen by ensuring',
  '******* that all output is synchronously delivered on the serial line.',
  '******* However it can introduce SIGNIFICANT latencies and affect',
  '******* timekeeping. It is NOT recommended for production use!',
  '**********************************************',
]
