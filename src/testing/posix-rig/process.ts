/** The rig's processes and open files. */
import type { SignalHandler, Sys } from '#abi/posix/syscalls.ts'
import type { Inode } from './fs.ts'
import type { Pipe } from './pipe.ts'
import type { RigTty } from './tty.ts'

export const BLOCKED: unique symbol = Symbol('blocked')

export interface WaitOptions {
  /** Virtual time at which the call gives up with `expired`. */
  readonly deadlineNs?: number
  readonly expired?: unknown
  /** What a signal makes of it; default -EINTR. */
  readonly interrupted?: () => unknown
  /** SA_RESTART applies. */
  readonly restarts?: boolean
  /** No deadline of this kind counts as work to be done: the rig is idle meanwhile. */
  readonly background?: boolean
}

/** A system call that cannot go on yet. */
export class Wait {
  readonly retry: () => unknown
  readonly options: WaitOptions
  constructor(retry: () => unknown, options: WaitOptions) {
    this.retry = retry
    this.options = options
  }
}

/** Try now, and again whenever something has happened. */
export function until(retry: () => unknown, options: WaitOptions = {}): unknown {
  const result = retry()
  return result === BLOCKED ? new Wait(retry, options) : result
}

/** What a file descriptor refers to. */
export interface OpenFile {
  readonly kind: 'file' | 'dir' | 'null' | 'zero' | 'full' | 'random' | 'tty' | 'pipe' | 'sink'
  readonly node: Inode
  flags: number
  offset: number
  users: number
  readonly pipe: Pipe | undefined
  readonly tty: RigTty | undefined
  readonly sink: ((bytes: Uint8Array) => void) | undefined
  readonly path: string
}

export interface Descriptor {
  readonly file: OpenFile
  cloexec: boolean
}

export interface Frame {
  readonly body: Sys<unknown>
  /** What the body is resumed with; or what it waits for. */
  value: unknown
  /** Of a signal handler: the mask to be restored. */
  readonly oldMask: number | undefined
}

export interface Action {
  handler: number | SignalHandler
  flags: number
  mask: number
}

export interface Process {
  readonly pid: number
  parent: Process | undefined
  pgid: number
  sid: number
  tty: RigTty | undefined
  uid: number
  euid: number
  gid: number
  egid: number
  groups: readonly number[]
  name: string
  argv: readonly string[]
  env: readonly string[]
  frames: Frame[]
  readonly fds: Map<number, Descriptor>
  cwd: Inode
  umask: number
  actions: Map<number, Action>
  blocked: number
  pending: number
  stopped: boolean
  /** wait4 has yet to tell of it. */
  stopSignal: number
  continued: boolean
  zombie: boolean
  status: number
  brk: number
  steps: number
  childSteps: number
  alarmAtNs: number
  nice: number
  limits: [number, number][]
  exec: boolean
}
