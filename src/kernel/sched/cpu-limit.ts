/** RLIMIT_CPU (Linux 2.6.18: kernel/posix-cpu-timers.c, check_process_timers): SIGXCPU each second past the soft limit, SIGKILL at the hard one. */
import { RLIMIT_CPU } from '#abi/posix/resource.ts'
import { SIGKILL, SIGXCPU } from '#abi/posix/signal.ts'
import type { Scheduler } from '../kernel.ts'
import type { TaskStruct } from './task-struct.ts'

const SECOND_NS = 1e9

export function checkCpuLimit(sched: Scheduler, task: TaskStruct): void {
  if (task.exiting) return
  const [soft, hard] = task.limits[RLIMIT_CPU]!
  const seconds = (task.utimeNs + task.stimeNs) / SECOND_NS
  // A limit of nothing is one of a second.
  if (seconds < Math.max(soft, 1)) return
  if (seconds >= Math.max(hard, 1)) {
    sched.sendSignal(task, SIGKILL)
    return
  }
  sched.sendSignal(task, SIGXCPU)
  const next = Math.max(soft, 1) + 1
  task.limits = task.limits.map((limit, i) => (i === RLIMIT_CPU ? [Math.min(next, hard), hard] : limit))
}
