/**
 * A system call's row: what its arguments must be, and what it does. The dispatcher (dispatch.ts) checks them; a row's function gets the
 * kernel, the task that calls, and arguments of the right types. It fails by fail().
 */
import type { SignalHandler, Syscalls, UserBody } from '#abi/posix/syscalls.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping, WaitQueue } from '../sched/wait.ts'

/**
 * `int`: a whole number, else EINVAL. `number`: any but NaN. `path`: a byte string without NUL, else EINVAL, shorter than PATH_MAX, else ENAMETOOLONG.
 * `text`: a byte string. `bytes`: a Uint8Array, already a copy. `texts`, `ints`: lists of such. `action`: a number or a function. `body`: a function.
 * `ioctl`: a whole number or bytes. What is of another type is a bad pointer: EFAULT.
 */
export type ArgKind = 'int' | 'number' | 'path' | 'text' | 'bytes' | 'texts' | 'ints' | 'action' | 'body' | 'ioctl'

export interface SyscallRow<A extends readonly unknown[] = never, R = unknown> {
  readonly args: readonly ArgKind[]
  /** A call that never sleeps. */
  readonly now?: (kernel: Kernel, task: Task, ...args: A) => R
  readonly sleep?: (kernel: Kernel, task: Task, ...args: A) => Sleeping<R>
  /** Before `sleep`: what there is to say already, without a generator; undefined, and `sleep` begins. */
  readonly quick?: ((kernel: Kernel, task: Task, ...args: A) => R | undefined) | undefined
  /** Between them: where to sleep until `quick` may have more to say, where the call needs nothing else; undefined, and `sleep` begins. */
  readonly wait?: ((kernel: Kernel, task: Task, ...args: A) => WaitQueue | readonly WaitQueue[] | undefined) | undefined
  /** With SA_RESTART a handler's return begins it again. Without: EINTR (pause, nanosleep, poll). */
  readonly restart: boolean
}

export type SyscallTable = {
  readonly [K in keyof Syscalls]?: SyscallRow<Parameters<Syscalls[K]>, ReturnType<Syscalls[K]>>
}

interface ArgTypes {
  readonly int: number
  readonly number: number
  readonly path: string
  readonly text: string
  readonly bytes: Uint8Array
  readonly texts: readonly string[]
  readonly ints: readonly number[]
  readonly action: number | SignalHandler
  readonly body: UserBody
  readonly ioctl: number | Uint8Array
}
type Args<K extends readonly ArgKind[]> = { readonly [I in keyof K]: ArgTypes[K[I]] }

/** A call that never sleeps. */
export const now = <const K extends readonly ArgKind[], R>(
  args: K,
  run: (kernel: Kernel, task: Task, ...args: Args<K>) => R,
): SyscallRow<Args<K>, R> => ({ args, now: run, restart: false })

/** A call that may sleep. See SyscallRow for the rest. */
export const sleeping = <const K extends readonly ArgKind[], R>(
  args: K,
  run: (kernel: Kernel, task: Task, ...args: Args<K>) => Sleeping<R>,
  restart = true,
  quick?: (kernel: Kernel, task: Task, ...args: Args<K>) => R | undefined,
  wait?: (kernel: Kernel, task: Task, ...args: Args<K>) => WaitQueue | readonly WaitQueue[] | undefined,
): SyscallRow<Args<K>, R> => ({ args, sleep: run, restart, quick, wait })
