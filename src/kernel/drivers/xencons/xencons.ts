/**
 * Xen's virtual console as a terminal and as a console for printk (linux-2.6.18-xen: drivers/xen/console/console.c). dom0's goes by hypercalls
 * to the hypervisor's serial line, a domU's by a ring that xenconsoled reads.
 */

import { makedev } from '#abi/posix/stat.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { coreOf } from '../../core.ts'
import { Errno } from '../../errno.ts'
import { askSysrq } from '../../init/sysrq.ts'
import type { Kernel } from '../../kernel.ts'
import type { Sleeping } from '../../sched/wait.ts'
import { ttysOf } from '../../tty/core.ts'
import type { TtyDriver, TtyLine, TtyPort } from '../../tty/driver.ts'
import { stdTermios } from '../../tty/termios.ts'
import { type ConsoleBackend, hypercallBackend, ringBackend } from './backend.ts'
import { bufferBytes, type XenconsMode, xenconsMode } from './words.ts'

const XVC_MAJOR = 204
const XVC_MINOR = 191
const XVC_NAME_MAX = 1
const TTY_MAJOR = 4
const TTYS_MINOR = 64
/** Of tty1 to tty63: all but the console's own swallow what is written to them. */
const MAX_NR_CONSOLES = 63

/** Output on its way, xencons_wbuf, and the console's one line. */
class XenconsPort implements TtyPort {
  readonly #backend: ConsoleBackend
  readonly #line: TtyLine
  readonly #buffer: Uint8Array
  #length = 0
  #from = 0

  constructor(backend: ConsoleBackend, line: TtyLine, bytes: number) {
    this.#backend = backend
    this.#line = line
    this.#buffer = new Uint8Array(bytes)
  }

  writeRoom(): number {
    return this.#line.stopped ? 0 : this.#buffer.length - this.#length
  }

  charsInBuffer(): number {
    return this.#length
  }

  write(bytes: Uint8Array): number {
    // Nothing waits: straight through, without a copy.
    let sent = 0
    if (this.#length === 0 && !this.#line.stopped) sent = this.#backend.send(bytes)
    let at = sent
    for (; at < bytes.length && this.#length < this.#buffer.length; at++) {
      this.#buffer[(this.#from + this.#length) % this.#buffer.length] = bytes[at]!
      this.#length++
    }
    if (at > sent) this.flush()
    return at
  }

  /** __xencons_tx_flush. */
  flush(): void {
    let sentAny = false
    while (this.#length > 0 && !this.#line.stopped) {
      const end = Math.min(this.#from + this.#length, this.#buffer.length)
      const sent = this.#backend.send(this.#buffer.subarray(this.#from, end))
      if (sent === 0) break
      this.#from = (this.#from + sent) % this.#buffer.length
      this.#length -= sent
      sentAny = true
    }
    if (sentAny) this.#line.wakeWriters()
  }

  flushBuffer(): void {
    this.#length = 0
    this.#from = 0
  }

  start(): void {
    this.flush()
  }

  sendXchar(byte: number): void {
    this.#backend.send(Uint8Array.of(byte))
  }
}

/** A tty that the console is not: it must be there for start scripts. */
const dummyPort: TtyPort = {
  writeRoom: () => 4096,
  charsInBuffer: () => 0,
  write: (bytes) => bytes.length,
}

export interface Xencons {
  readonly mode: XenconsMode
  readonly backend: ConsoleBackend
  readonly device: number
}

function deviceOf({ name, index }: XenconsMode): number {
  if (name === 'xvc') return makedev(XVC_MAJOR, XVC_MINOR + index)
  return makedev(TTY_MAJOR, name === 'ttyS' ? TTYS_MINOR + index : index)
}

/** What xenConsoleInit has made of it. Undefined: `xencons=off`, or no backend. */
export const xencons = (kernel: Kernel): Xencons | undefined => ttysOf(kernel).xencons

/** xen_console_init: printk's way out, long before there are terminals. */
export function xenConsoleInit(kernel: Kernel): void {
  const ttys = ttysOf(kernel)
  ttys.xencons ??= makeConsole(kernel)
}

function makeConsole(kernel: Kernel): Xencons | undefined {
  const mode = xenconsMode(kernel)
  if (!mode) return undefined
  const backend = kernel.dom0 ? hypercallBackend(kernel) : ringBackend(kernel)
  if (!backend) return undefined
  const device = deviceOf(mode)
  kernel.log.registerConsole({
    name: mode.name,
    index: mode.index,
    device,
    enabled: true,
    // The log is in UTF-16 units; nothing but ASCII is printed.
    write: (text) => backend.print(bytesOfString(text)),
  })
  return { mode, backend, device }
}

/** xencons_init: the terminal. */
export function* xenconsInit(kernel: Kernel, console: Xencons): Sleeping<void> {
  const { mode, backend } = console
  const state: { port: XenconsPort | undefined; line: TtyLine | undefined } = { port: undefined, line: undefined }
  const own = mode.name === 'tty' ? mode.index - 1 : 0
  const bytes = bufferBytes(kernel)
  const driver: TtyDriver = {
    driverName: undefined,
    name: mode.name,
    kind: 'serial',
    initTermios: stdTermios(),
    resetTermios: true,
    ...(mode.name === 'xvc'
      ? { major: XVC_MAJOR, minorStart: XVC_MINOR + mode.index, count: XVC_NAME_MAX, nameBase: mode.index }
      : mode.name === 'ttyS'
        ? { major: TTY_MAJOR, minorStart: TTYS_MINOR + mode.index, count: 1, nameBase: mode.index }
        : { major: TTY_MAJOR, minorStart: 1, count: MAX_NR_CONSOLES, nameBase: 1 }),
    port(index, line) {
      if (index !== own) return dummyPort
      state.line = line
      state.port = new XenconsPort(backend, line, bytes)
      return state.port
    },
  }
  try {
    ttysOf(kernel).register(driver)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    kernel.log.printk(`<4>WARNING: Failed to register Xen virtual console driver as '${mode.name}${mode.index}'\n`)
    return
  }
  const withoutSysrq = sysrqFilter(kernel)
  backend.listen(
    (received) => state.line?.receive(withoutSysrq(received)),
    () => state.port?.flush(),
  )
  kernel.log.printk(`Xen virtual console successfully installed as ${mode.name}${mode.index}\n`)
}

const CTRL_O = 0x0f
const SYSRQ_TIMEOUT_NS = 2_000_000_000

/** xencons_rx: ^O and a key within two seconds are for the kernel itself; ^O twice is one. */
function sysrqFilter(kernel: Kernel): (bytes: Uint8Array) => Uint8Array {
  const core = coreOf(kernel)
  let requestedNs: number | undefined
  return (bytes) => {
    if (!core.sysrqEnabled || (requestedNs === undefined && !bytes.includes(CTRL_O))) return bytes
    const kept: number[] = []
    for (const byte of bytes) {
      const since = requestedNs
      requestedNs = undefined
      if (byte === CTRL_O && since === undefined) requestedNs = core.time.nowNs()
      else if (byte !== CTRL_O && since !== undefined && core.time.nowNs() < since + SYSRQ_TIMEOUT_NS)
        askSysrq(core, String.fromCharCode(byte))
      else kept.push(byte)
    }
    return Uint8Array.from(kept)
  }
}
