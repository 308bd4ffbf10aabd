/** What the tty core wants of a terminal's driver, and gives it (Linux: tty_driver.h). */
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { Termios } from './termios.ts'

/** /proc/tty/drivers' last column. */
export type TtyKind = 'console' | 'serial' | 'pty:slave' | 'pty:master'

export interface TtyDriver {
  /** For /proc/tty/drivers: `serial`; undefined: `unknown`. */
  readonly driverName: string | undefined
  /** Of its devices: `ttyS`; for /proc/devices too. */
  readonly name: string
  readonly kind: TtyKind
  readonly major: number
  readonly minorStart: number
  readonly count: number
  /** Number in the name of the first device. */
  readonly nameBase: number
  readonly initTermios: Termios
  /** Settings are forgotten when the last user has gone. */
  readonly resetTermios?: boolean
  readonly rows?: number
  readonly columns?: number
  /** The line's own side, made at its first open and kept. Fails with ENODEV and its like. */
  port(index: number, line: TtyLine): TtyPort
}

/** What went wrong with a received byte. */
export type ReceiveError = 'break' | 'parity' | 'overrun'

/** The core's side of a line, for its driver. All of it may be called from interrupt context. */
export interface TtyLine {
  readonly termios: Termios
  /** ^S: nothing is to be sent. */
  readonly stopped: boolean
  /** Bytes came in. They are copied. */
  receive(bytes: Uint8Array): void
  receiveError(kind: ReceiveError, byte: number): void
  /** There is room for output again. */
  wakeWriters(): void
  /** The carrier has gone: everybody who has it open is cut off. */
  lineHangup(): void
}

export interface TtyPort {
  /** How many bytes `write` takes now. */
  writeRoom(): number
  /** Takes as many as there is room for. The array is the caller's and changes afterwards. */
  write(bytes: Uint8Array): number
  /** Bytes on their way. */
  charsInBuffer(): number
  /** Somebody opens it; `first`: nobody had it open. May wait for a carrier. Fails with EBUSY and its like. */
  open?(first: boolean, nonblock: boolean): Sleeping<void>
  /** Nobody has it open any more. */
  close?(): Sleeping<void>
  /** Forget what is on its way. */
  flushBuffer?(): void
  stop?(): void
  start?(): void
  /** The reader does not keep up: RTS, XOFF. */
  throttle?(): void
  unthrottle?(): void
  /** Before all that is on its way. */
  sendXchar?(byte: number): void
  setTermios?(now: Termios, before: Termios): void
  breakControl?(on: boolean): void
  hangup?(): void
  /** ENOTTY is the core's to say: undefined where the request is not known. */
  ioctl?(task: Task, request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> | undefined
  /** POLLHUP and its like, beyond what the core knows. */
  poll?(): number
}
