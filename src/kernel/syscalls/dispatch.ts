/** The system call table at work (Linux: entry.S): find the row, check the arguments, turn what is thrown into a negative errno. */
import { EFAULT, EINVAL, ENAMETOOLONG, ENOSYS } from '#abi/posix/errno.ts'
import { PATH_MAX } from '#abi/posix/fcntl.ts'
import { SYSCALL_NR, type Syscalls } from '#abi/posix/syscalls.ts'
import type { Core } from '../core.ts'
import { Errno, fail } from '../errno.ts'
import { oops } from '../init/oops.ts'
import { IN_PLACE_BYTES, moved } from '../sched/copy-cost.ts'
import { park } from '../sched/park.ts'
import { pendingFor } from '../sched/signal.ts'
import type { KernelCode, TaskStruct } from '../sched/task-struct.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { ArgKind, SyscallRow, SyscallTable } from './row.ts'

type AnyRow = SyscallRow<unknown[]>

const NOT_BYTES = /[^\0-\xff]/
const NOT_PATH = /[^\x01-\xff]/

/** 0, or the errno for an argument that will not do. */
function checkArg(kind: ArgKind, arg: unknown): number {
  switch (kind) {
    case 'int':
      return Number.isSafeInteger(arg) ? 0 : typeof arg === 'number' ? EINVAL : EFAULT
    case 'number':
      return typeof arg !== 'number' ? EFAULT : Number.isNaN(arg) ? EINVAL : 0
    case 'path':
      if (typeof arg !== 'string') return EFAULT
      if (arg.length >= PATH_MAX) return ENAMETOOLONG
      return NOT_PATH.test(arg) ? EINVAL : 0
    case 'text':
      if (typeof arg !== 'string') return EFAULT
      return NOT_BYTES.test(arg) ? EINVAL : 0
    case 'bytes':
      return arg instanceof Uint8Array ? 0 : EFAULT
    case 'texts':
      if (!Array.isArray(arg)) return EFAULT
      for (const member of arg) {
        if (typeof member !== 'string') return EFAULT
        if (NOT_PATH.test(member)) return EINVAL
      }
      return 0
    case 'ints':
      if (!Array.isArray(arg)) return EFAULT
      for (const member of arg) if (!Number.isSafeInteger(member)) return EINVAL
      return 0
    case 'action':
      return typeof arg === 'function' || Number.isSafeInteger(arg) ? 0 : EINVAL
    case 'body':
      return typeof arg === 'function' ? 0 : EFAULT
    case 'ioctl':
      return Number.isSafeInteger(arg) || arg instanceof Uint8Array ? 0 : EFAULT
  }
}

export class SyscallDispatcher {
  readonly #core: Core
  readonly #rows: (AnyRow | undefined)[] = []
  /** How many so far, by number. */
  readonly counts = new Map<number, number>()

  constructor(core: Core, tables: readonly SyscallTable[]) {
    this.#core = core
    for (const table of tables)
      for (const [name, row] of Object.entries(table)) {
        const nr = SYSCALL_NR[name as keyof Syscalls]
        while (this.#rows.length <= nr) this.#rows.push(undefined)
        this.#rows[nr] = row as unknown as AnyRow
      }
  }

  restarts(nr: number): boolean {
    return this.#rows[nr]?.restart ?? false
  }

  /** A call by the kernel itself, for `task`: sys_dup and its like. Fails as it does. */
  *call(task: TaskStruct, name: keyof Syscalls, ...args: readonly unknown[]): Sleeping<unknown> {
    const row = this.#rows[SYSCALL_NR[name]]
    if (!row) return fail(ENOSYS)
    if (row.now) return row.now(this.#core, task, ...(args as unknown[]))
    return row.quick?.(this.#core, task, ...args) ?? (yield* row.sleep!(this.#core, task, ...args))
  }

  /** Do `task.request`. What comes of it is task.result; or task.kernelCode goes on with it; or it sleeps, and is done again. */
  dispatch(task: TaskStruct): void {
    const { nr, args } = task.request!
    const row = this.#rows[nr]
    if (!row) {
      task.result = -ENOSYS
      return
    }
    const kinds = row.args
    for (let i = 0; i < kinds.length; i++) {
      const errno = checkArg(kinds[i]!, args[i])
      if (errno !== 0) {
        task.result = -errno
        return
      }
    }
    const given = args.length === kinds.length ? (args as unknown[]) : args.slice(0, kinds.length)
    try {
      if (row.now) {
        task.result = ownBytes(row.now(this.#core, task, ...given))
        return
      }
      const quick = row.quick?.(this.#core, task, ...given)
      if (quick !== undefined) {
        task.result = ownBytes(quick)
        return
      }
      const queues = row.wait?.(this.#core, task, ...given)
      if (queues && !pendingFor(task)) {
        park(task, queues)
        return
      }
      const code = row.sleep!(this.#core, task, ...given) as KernelCode
      const { done, value } = code.next()
      if (done) task.result = ownBytes(value)
      else task.kernelCode = contained(this.#core, task, code)
    } catch (error) {
      task.result = -errnoOf(this.#core, task, error)
    }
  }
}

/** A program gets bytes of its own: not a part of a buffer with others' in it. */
function ownBytes(result: unknown): unknown {
  if (!(result instanceof Uint8Array)) return result
  const { length } = result
  moved(length)
  // Asking a small array for its buffer would make one.
  if (length <= IN_PLACE_BYTES) return result.slice()
  return length === result.buffer.byteLength ? result : new Uint8Array(result)
}

/** What a call failed with. A fault of the kernel's own is an oops: it costs the process its life, and leaves the others theirs. */
function errnoOf(core: Core, task: TaskStruct, error: unknown): number {
  if (error instanceof Errno) return error.errno
  if (core.ending !== undefined || core.oopsPanics) throw error
  oops(core, task, error)
  return EFAULT
}

/** The rest of a call that sleeps. */
function* contained(core: Core, task: TaskStruct, code: KernelCode): KernelCode {
  // The first step has been made; its yield is made up for here.
  try {
    return ownBytes(yield* code)
  } catch (error) {
    return -errnoOf(core, task, error)
  }
}
