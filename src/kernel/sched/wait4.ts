/** wait4 (Linux: kernel/exit.c, do_wait). */
import { ECHILD, EINTR, EINVAL } from '#abi/posix/errno.ts'
import type { Rusage } from '#abi/posix/resource.ts'
import { CONTINUED_STATUS, stopStatus, type Waited, WCONTINUED, WNOHANG, WUNTRACED } from '#abi/posix/wait.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { fail } from '../errno.ts'
import type { Sched } from './scheduler.ts'
import type { TaskStruct } from './task-struct.ts'
import type { Sleeping } from './wait.ts'

const usageOf = (task: TaskStruct): Rusage => ({
  utimeNs: task.utimeNs + task.childUtimeNs,
  stimeNs: task.stimeNs + task.childStimeNs,
  maxrssKb: (task.maxPages * PAGE_SIZE) / 1024,
})

export function* wait4(sched: Sched, task: TaskStruct, pid: number, options: number): Sleeping<Waited> {
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED)) !== 0) fail(EINVAL)
  const wanted = (child: TaskStruct): boolean =>
    pid > 0 ? child.pid === pid : pid === -1 || child.pgid === (pid === 0 ? task.pgid : -pid)
  for (;;) {
    let any = false
    for (const child of task.children) {
      if (!wanted(child)) continue
      any = true
      const status = look(child, options)
      if (status === undefined) continue
      const waited: Waited = { pid: child.pid, status, rusage: usageOf(child) }
      if (child.state === 'Z') reap(sched, task, child)
      return waited
    }
    if (!any) fail(ECHILD)
    if ((options & WNOHANG) !== 0) return { pid: 0, status: 0, rusage: { utimeNs: 0, stimeNs: 0, maxrssKb: 0 } }
    if ((yield* sched.sleepOn(task.childExit)) === 'signal') fail(EINTR)
  }
}

/** What there is to tell of `child`, and that it has been told. */
function look(child: TaskStruct, options: number): number | undefined {
  if (child.state === 'Z') return child.exitStatus
  if ((options & WUNTRACED) !== 0 && child.state === 'T' && !child.stopReported) {
    child.stopReported = true
    return stopStatus(child.stopSignal)
  }
  if ((options & WCONTINUED) !== 0 && child.continuedUnreported) {
    child.continuedUnreported = false
    return CONTINUED_STATUS
  }
  return undefined
}

function reap(sched: Sched, task: TaskStruct, child: TaskStruct): void {
  task.childUtimeNs += child.utimeNs + child.childUtimeNs
  task.childStimeNs += child.stimeNs + child.childStimeNs
  task.childMaxPages = Math.max(task.childMaxPages, child.maxPages, child.childMaxPages)
  sched.forget(child)
}
