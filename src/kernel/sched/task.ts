/** What other parts of the kernel know of a task (Linux: sched.h, struct task_struct). The scheduler owns it. */
import type { SignalHandler } from '#abi/posix/syscalls.ts'
import type { Tty } from '../tty/types.ts'
import type { FileTable, FsContext } from '../vfs/file.ts'

/** /proc/PID/stat's letters. */
export type TaskState = 'R' | 'S' | 'D' | 'T' | 'Z' | 'X'

export interface Credentials {
  uid: number
  euid: number
  suid: number
  fsuid: number
  gid: number
  egid: number
  sgid: number
  fsgid: number
  groups: readonly number[]
}

export interface SignalAction {
  readonly handler: number | SignalHandler
  readonly flags: number
  readonly mask: number
}

/** A session's own: setsid makes it. */
export interface Session {
  readonly sid: number
  /** Its controlling terminal. */
  tty: Tty | undefined
}

export interface Task {
  readonly pid: number
  /** Its parent; init adopts orphans. Undefined: kernel threads' and init's. */
  parent: Task | undefined
  readonly children: ReadonlySet<Task>
  pgid: number
  session: Session
  readonly state: TaskState
  /** At most 15 characters. */
  comm: string
  /** Empty for kernel threads. */
  argv: readonly string[]
  envp: readonly string[]
  /** Path of the program; undefined for kernel threads. */
  exe: string | undefined
  readonly cred: Credentials
  readonly files: FileTable
  readonly fs: FsContext
  /** By signal number. */
  readonly actions: ReadonlyMap<number, SignalAction>
  blocked: number
  readonly pending: number
  nice: number
  /** CPU used, ns. */
  readonly utimeNs: number
  readonly stimeNs: number
  /** System time at its start. */
  readonly startNs: number
  /** Frames of its own: heap, stack. And what else its image shows in VSZ and RSS, in pages. */
  readonly anonPages: number
  readonly textPages: number
  /** Kernel threads have no user side. */
  readonly kthread: boolean
  /** [soft, hard] by resource. */
  readonly limits: readonly (readonly [number, number])[]
  /** Runnable again, if it sleeps. */
  wake(): void
}
