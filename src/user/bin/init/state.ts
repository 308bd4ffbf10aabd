/** What init knows: its children by their lines of inittab, the runlevel, the signals that came. */
import type { InittabEntry } from './inittab.ts'

export interface Child {
  entry: InittabEntry
  pid: number
  /** It was started and has not been collected. */
  running: boolean
  /** It has ended, and nobody has taken note yet. */
  ended: boolean
  /** The lines behind it wait for it. */
  waiting: boolean
  /** Has had its one start of this runlevel. */
  executed: boolean
  /** Respawned too fast: not before five minutes are over. */
  failing: boolean
  /** Seconds: when the respawns began to be counted, or when they were stopped. */
  since: number
  count: number
}

export const newChild = (entry: InittabEntry, executed: boolean): Child => ({
  entry,
  pid: 0,
  running: false,
  ended: false,
  waiting: false,
  executed,
  failing: false,
  since: 0,
  count: 0,
})

export interface Init {
  family: Child[]
  /** `#` while sysinit runs, `*` while boot and bootwait do, then the level itself. */
  level: string
  /** The level to enter when booting is over. */
  next: string
  /** As who and runlevel tell them. */
  shown: string
  previous: string
  didBoot: boolean
  warned: boolean
  /** Seconds between TERM and KILL. */
  sleepSeconds: number
  /** The level that the kernel's command line asked for. */
  readonly wanted: string | undefined
  readonly signals: Set<number>
  /** What children get, besides RUNLEVEL and its like. */
  env: readonly string[]
  fifo: number | undefined
  wroteBoot: boolean
}
