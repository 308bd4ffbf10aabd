/**
 * One terminal (Linux 2.6.18: drivers/char/tty_io.c, struct tty_struct): its settings, its discipline, its driver's port, and who has it open.
 * It lives as long as its driver does; ptys are made afresh.
 */
import { EIO, ENOMEM } from '#abi/posix/errno.ts'
import { SIGCONT, SIGHUP } from '#abi/posix/signal.ts'
import { makedev } from '#abi/posix/stat.ts'
import { Errno, fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { ReceiveError, TtyDriver, TtyLine, TtyPort } from './driver.ts'
import { type LdiscHost, NTty } from './n-tty.ts'
import type { OpenTty } from './open-tty.ts'
import { copyTermios, type Termios } from './termios.ts'
import type { Tty } from './types.ts'

/** Input that the discipline has no room for waits here; more is lost (tty_buffer.c). */
const FLIP_BYTES_MAX = 65536
/** What an open terminal costs: its struct, the discipline's buffer, the flip buffer. */
const TTY_BYTES = 3 * 4096

export class TtyDevice implements Tty, TtyLine, LdiscHost {
  readonly kernel: Kernel
  readonly driver: TtyDriver
  readonly index: number
  readonly name: string
  readonly dev: number
  pgrp = 0
  session = 0
  termios: Termios
  rows: number
  columns: number
  /** TIOCEXCL. */
  exclusive = false
  /** ^S or TCOOFF. */
  stopped = false
  /** The other side of a pty has gone. */
  otherClosed = false
  /** A pty's other end. */
  link: TtyDevice | undefined
  readonly opens = new Set<OpenTty>()
  readonly readQueue = new WaitQueue()
  readonly writeQueue = new WaitQueue()
  readonly #writerQueue = new WaitQueue()
  #writing = false
  readonly ldisc: NTty
  readonly #flip: Uint8Array[] = []
  #flipBytes = 0
  #port: TtyPort | undefined
  #charged = false
  /** The driver's port is being opened: a carrier is awaited. */
  #opening = 0

  constructor(kernel: Kernel, driver: TtyDriver, index: number) {
    this.kernel = kernel
    this.driver = driver
    this.index = index
    // pts's own directory: tty_name() joins the driver's name, `pts/`, and the number.
    this.name = driver.name + String(driver.nameBase + index)
    this.dev = makedev(driver.major, driver.minorStart + index)
    this.termios = copyTermios(driver.initTermios)
    this.rows = driver.rows ?? 0
    this.columns = driver.columns ?? 0
    this.ldisc = new NTty(this)
  }

  get port(): TtyPort {
    this.#port ??= this.driver.port(this.index, this)
    return this.#port
  }

  // --- Open and close ---

  /** tty_open and release_dev. Fails as the driver does. */
  *open(open: OpenTty, nonblock: boolean): Sleeping<void> {
    const { port } = this
    if (!this.#charged) {
      try {
        this.kernel.pages.charge('slab', TTY_BYTES)
      } catch (error) {
        throw error instanceof Errno ? new Errno(ENOMEM) : error
      }
      this.#charged = true
    }
    const first = this.opens.size === 0
    this.opens.add(open)
    if (!port.open) return
    this.#opening++
    try {
      yield* port.open(first, nonblock)
    } catch (error) {
      this.#opening--
      yield* this.close(open)
      throw error
    }
    this.#opening--
  }

  /** One open file less. */
  *close(open: OpenTty): Sleeping<void> {
    if (!this.opens.delete(open)) return
    if (this.opens.size > 0 || this.#opening > 0) return
    yield* this.#lastClose()
  }

  *#lastClose(): Sleeping<void> {
    // What was written is to go out; but not if the line is held, or gone.
    if (this.#port?.close) yield* this.#port.close()
    if (this.opens.size > 0) return
    if (this.session !== 0) this.clearSession()
    this.exclusive = false
    this.stopped = false
    this.ldisc.flushInput()
    this.#flip.length = 0
    this.#flipBytes = 0
    if (this.driver.resetTermios) {
      this.termios = copyTermios(this.driver.initTermios)
      this.ldisc.settingsChanged()
    }
    if (this.#charged) this.kernel.pages.uncharge('slab', TTY_BYTES)
    this.#charged = false
  }

  /** Nobody's controlling terminal any more. */
  clearSession(): void {
    for (const task of this.kernel.sched.tasks) {
      if (task.session.tty === this) task.session.tty = undefined
    }
    this.session = 0
    this.pgrp = 0
  }

  // --- TtyLine: from the driver ---

  receive(bytes: Uint8Array): void {
    let from = 0
    if (this.#flipBytes === 0) {
      from = this.ldisc.receive(bytes, 0)
      if (from >= bytes.length) return
    }
    const rest = bytes.slice(from, from + FLIP_BYTES_MAX - this.#flipBytes)
    if (rest.length === 0) return
    this.#flip.push(rest)
    this.#flipBytes += rest.length
  }

  /** Room has been made in the discipline. */
  #refill(): void {
    while (this.#flip.length > 0) {
      const bytes = this.#flip[0]!
      const taken = this.ldisc.receive(bytes, 0)
      this.#flipBytes -= taken
      if (taken < bytes.length) {
        if (taken > 0) this.#flip.splice(0, 1, bytes.subarray(taken))
        return
      }
      this.#flip.shift()
    }
  }

  receiveError(kind: ReceiveError, byte: number): void {
    if (kind === 'overrun') this.kernel.log.printk(`<4>${this.name}: 1 input overrun(s)\n`)
    else this.ldisc.receiveError(kind, byte)
  }

  wakeWriters(): void {
    this.writeQueue.wakeUp()
  }

  lineHangup(): void {
    this.vhangup()
  }

  // --- LdiscHost ---

  signal(signo: number): void {
    if (this.pgrp > 0) this.kernel.sched.killPgrp(this.pgrp, signo)
  }

  start(): void {
    if (!this.stopped) return
    this.stopped = false
    this.#port?.start?.()
    this.wakeWriters()
  }

  stop(): void {
    if (this.stopped) return
    this.stopped = true
    this.#port?.stop?.()
  }

  wakeReaders(): void {
    this.readQueue.wakeUp()
  }

  flushOutput(): void {
    this.port.flushBuffer?.()
    this.wakeWriters()
  }

  // --- For readers and writers ---

  /** At most `count` bytes of what is available. */
  take(count: number): Uint8Array {
    const bytes = this.ldisc.take(count)
    if (this.#flip.length > 0) this.#refill()
    this.ldisc.unthrottle()
    return bytes
  }

  flushInput(): void {
    this.ldisc.flushInput()
    this.#flip.length = 0
    this.#flipBytes = 0
  }

  /** One writer at a time: what is written together stays together. False: a signal came first. */
  *beginWrite(): Sleeping<boolean> {
    while (this.#writing) if ((yield* this.kernel.sched.sleepOn(this.#writerQueue)) === 'signal') return false
    this.#writing = true
    return true
  }

  get writing(): boolean {
    return this.#writing
  }

  endWrite(): void {
    this.#writing = false
    if (!this.#writerQueue.empty) this.#writerQueue.wakeUpOne()
  }

  /** tty_wait_until_sent. False: a signal came first. */
  *waitUntilSent(): Sleeping<boolean> {
    while (this.port.charsInBuffer() > 0) {
      if ((yield* this.kernel.sched.sleepOn(this.writeQueue)) === 'signal') return false
    }
    return true
  }

  setTermios(next: Termios): void {
    const before = this.termios
    this.termios = next
    const changed = (before.lflag ^ next.lflag) & 0o2
    if (changed) this.ldisc.canonChanged()
    this.port.setTermios?.(next, before)
    this.ldisc.settingsChanged()
    if (changed) this.wakeReaders()
    if (this.#flip.length > 0) this.#refill()
  }

  // --- Hanging up ---

  /** Contract with exit: disassociate_ctty of a session's leader. */
  hangup(): void {
    const { pgrp, session } = this
    if (this.driver.kind === 'pty:slave') {
      if (pgrp > 0) {
        this.kernel.sched.killPgrp(pgrp, SIGHUP)
        this.kernel.sched.killPgrp(pgrp, SIGCONT)
      }
      if (this.session === session) this.clearSession()
      return
    }
    this.vhangup()
    if (pgrp > 0) {
      this.kernel.sched.killPgrp(pgrp, SIGHUP)
      this.kernel.sched.killPgrp(pgrp, SIGCONT)
    }
  }

  /** do_tty_hangup: whoever has it open, save as /dev/console, has nothing any more. The session's leader is told. */
  vhangup(): void {
    const { sched } = this.kernel
    for (const open of [...this.opens]) {
      if (open.console) continue
      open.hungUp = true
      this.opens.delete(open)
    }
    this.flushInput()
    this.#port?.flushBuffer?.()
    this.stopped = false
    this.otherClosed = false
    if (this.session > 0) {
      const leader = sched.task(this.session)
      if (leader && leader.state !== 'Z' && leader.state !== 'X') {
        sched.sendSignal(leader, SIGHUP)
        sched.sendSignal(leader, SIGCONT)
      }
    }
    this.clearSession()
    this.exclusive = false
    if (this.opens.size === 0) {
      this.#port?.hangup?.()
      if (this.driver.resetTermios) {
        this.termios = copyTermios(this.driver.initTermios)
        this.ldisc.settingsChanged()
      }
      if (this.#charged) this.kernel.pages.uncharge('slab', TTY_BYTES)
      this.#charged = false
    }
    this.readQueue.wakeUp()
    this.writeQueue.wakeUp()
    this.#writerQueue.wakeUp()
  }

  /** The session of `task`, its leader, gets this terminal. */
  adopt(task: Task): void {
    task.session.tty = this
    this.session = task.session.sid
    this.pgrp = task.pgid
  }

  /** A byte as if it had been received (TIOCSTI). */
  stuff(byte: number): void {
    this.receive(Uint8Array.of(byte))
  }

  /** For what must not be reached after a hangup. */
  static checkAlive(open: OpenTty): void {
    if (open.hungUp) fail(EIO)
  }
}
