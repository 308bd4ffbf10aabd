/** Limits, priorities, what has been used, and the heap (Linux: kernel/sys.c, mm/mmap.c). */
import { EACCES, EINVAL, ENOMEM, EPERM, ESRCH } from '#abi/posix/errno.ts'
import {
  RLIM_NLIMITS,
  RLIMIT_AS,
  RLIMIT_DATA,
  RLIMIT_NOFILE,
  RUSAGE_CHILDREN,
  RUSAGE_SELF,
  type Rusage,
} from '#abi/posix/resource.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import type { Sleeping } from '../sched/wait.ts'
import { now, type SyscallTable, sleeping } from './row.ts'

const PRIO_PROCESS = 0
const PRIO_PGRP = 1
const PRIO_USER = 2
/** NR_OPEN */
const NOFILE_MAX = 1024 * 1024

function targets({ sched }: Kernel, task: Task, which: number, who: number): readonly Task[] {
  if (which < PRIO_PROCESS || which > PRIO_USER) fail(EINVAL)
  const found = sched.tasks.filter((other) =>
    which === PRIO_PROCESS
      ? other.pid === (who === 0 ? task.pid : who)
      : which === PRIO_PGRP
        ? other.pgid === (who === 0 ? task.pgid : who)
        : other.cred.uid === (who === 0 ? task.cred.uid : who),
  )
  return found.length > 0 ? found : fail(ESRCH)
}

function setpriority(kernel: Kernel, task: Task, which: number, who: number, given: number): number {
  const nice = Math.min(19, Math.max(-20, given))
  const { euid, uid } = task.cred
  let error = 0
  for (const target of targets(kernel, task, which, who)) {
    if (euid !== 0 && target.cred.uid !== euid && target.cred.uid !== uid) error = EPERM
    else if (nice < target.nice && euid !== 0) error = EACCES
    else target.nice = nice
  }
  return error === 0 ? 0 : fail(error)
}

function setrlimit(_kernel: Kernel, caller: Task, resource: number, soft: number, hard: number): number {
  const task = caller as TaskStruct
  const old = task.limits[resource]
  if (!old || soft < 0 || soft > hard) fail(EINVAL)
  if (hard > old[1] && task.cred.euid !== 0) fail(EPERM)
  if (resource === RLIMIT_NOFILE && hard > NOFILE_MAX) fail(EPERM)
  task.limits = task.limits.map((limit, i) => (i === resource ? [soft, hard] : limit))
  return 0
}

/** The frames are there when it returns: there is no overcommitment but for a kill. */
function* brk({ pages }: Kernel, caller: Task, bytes: number): Sleeping<number> {
  const task = caller as TaskStruct
  if (bytes < 0) fail(EINVAL)
  if (bytes === 0) return task.brkBytes
  const have = Math.ceil(task.brkBytes / PAGE_SIZE)
  const want = Math.ceil(bytes / PAGE_SIZE)
  const rest = task.anon.length - have
  if (want > have) {
    if (bytes > task.limits[RLIMIT_DATA]![0]) fail(ENOMEM)
    if ((want + rest + task.textPages) * PAGE_SIZE > task.limits[RLIMIT_AS]![0]) fail(ENOMEM)
    // __vm_enough_memory: what can never be is refused at once.
    if (want - have > pages.total) fail(ENOMEM)
    for (let i = have; i < want; i++) {
      task.anon.push(yield* pages.alloc('anon'))
      task.brkBytes = Math.min(bytes, (i + 1) * PAGE_SIZE)
    }
  }
  for (let i = have; i > want; i--) pages.release(task.anon.pop()!, 'anon')
  task.brkBytes = bytes
  if (task.anon.length + task.textPages > task.maxPages) task.maxPages = task.anon.length + task.textPages
  return bytes
}

function getrusage(_kernel: Kernel, caller: Task, who: number): Rusage {
  const task = caller as TaskStruct
  const kb = PAGE_SIZE / 1024
  if (who === RUSAGE_SELF) return { utimeNs: task.utimeNs, stimeNs: task.stimeNs, maxrssKb: task.maxPages * kb }
  if (who !== RUSAGE_CHILDREN) fail(EINVAL)
  return { utimeNs: task.childUtimeNs, stimeNs: task.childStimeNs, maxrssKb: task.childMaxPages * kb }
}

export const limitSyscalls = {
  brk: sleeping(['int'], brk),
  getrlimit: now(['int'], (_kernel, task, resource) => {
    const limit = resource >= 0 && resource < RLIM_NLIMITS ? task.limits[resource] : undefined
    return limit ? [limit[0], limit[1]] : fail(EINVAL)
  }),
  setrlimit: now(['int', 'number', 'number'], setrlimit),
  getrusage: now(['int'], getrusage),
  times: now([], (_kernel, caller) => {
    const { utimeNs, stimeNs, childUtimeNs, childStimeNs } = caller as TaskStruct
    return [utimeNs, stimeNs, childUtimeNs, childStimeNs]
  }),
  /** 20 - nice, as the real call answers: never negative. */
  getpriority: now(['int', 'int'], (kernel, task, which, who) =>
    Math.max(...targets(kernel, task, which, who).map(({ nice }) => 20 - nice)),
  ),
  setpriority: now(['int', 'int', 'int'], setpriority),
} satisfies SyscallTable
