/**
 * A machine that somebody steps by hand in virtual time: what a tape drives, the same in the worker and under Node.
 * Nothing here waits for real time; two players that do the same see the same bytes.
 */
import type { LinkOutput } from '#abi/pc/hostlink.ts'
import type { Probe } from '#abi/probe.ts'
import type { Input, MachineState, SerialLine, TextScreen } from './machine.ts'

export type StopReason =
  /** Virtual time reached the deadline. */
  | 'deadline'
  /** `stop` said so. */
  | 'stopped'
  /** Nothing can happen any more without input, before any deadline. */
  | 'idle'
  /** Asked for, and reached: nothing is runnable, and only input timers (a menu's countdown) are left. */
  | 'settled'
  /** The real-time budget of one slice is used up: call again with the same arguments. */
  | 'slice'
  /** The disk has not come yet as far as it is needed now. */
  | 'disk'

export interface SyncMachine {
  nowNs(): number
  state(): MachineState
  /** Enter and log an input at the present virtual time. */
  input(input: Input): void
  /** The monitor as it stands. */
  screen(): TextScreen
  /**
   * Run until `deadlineNs`. `stop` is asked after every byte that a serial line sent, every change of the monitor, and whatever a host link or
   * XenStore's trace brought, and ends the run at exactly that virtual time. At most one slice (see `slice`) of real time passes per call. With `untilSettled` the run also ends as
   * soon as the machine has settled. How a run is cut into calls never changes what happens.
   */
  runUntil(deadlineNs: number, stop: () => boolean, untilSettled?: boolean): StopReason
  /** Every output byte of a serial line in order. Returns the unsubscriber. */
  onSerial(listener: (line: SerialLine, byte: number) => void): () => void
  /** What comes out of host links. Returns the unsubscriber. */
  onLink(listener: (link: number, output: LinkOutput) => void): () => void
  /** What running code tells observers. Returns the unsubscriber. */
  onProbe(listener: (probe: Probe) => void): () => void
}
