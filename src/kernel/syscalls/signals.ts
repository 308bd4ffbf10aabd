/** Signals (Linux: kernel/signal.c, itimer.c, posix-timers.c, hrtimer.c). */
import { EINTR, EINVAL, EPERM, ESRCH } from '#abi/posix/errno.ts'
import {
  NSIG,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGALRM,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
  sigmask,
} from '#abi/posix/signal.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { ALL_SIGNALS, actionOf, IGNORED_BY_DEFAULT, UNBLOCKABLE } from '../sched/signal.ts'
import type { Task } from '../sched/task.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import { NS } from '../time/timekeeper.ts'
import { now, type SyscallTable, sleeping } from './row.ts'

/** EPERM unless `from` may signal `to`. */
function mayKill(from: Task, to: Task, signo: number): boolean {
  const { uid, euid } = from.cred
  if (euid === 0 || [to.cred.uid, to.cred.suid].some((id) => id === uid || id === euid)) return true
  return signo === SIGCONT && from.session === to.session
}

function kill({ sched }: Kernel, task: Task, pid: number, signo: number): number {
  if (signo < 0 || signo >= NSIG) fail(EINVAL)
  const targets =
    pid > 0
      ? sched.tasks.filter((other) => other.pid === pid)
      : pid === -1
        ? sched.tasks.filter((other) => other.pid > 1 && other !== task && !other.kthread)
        : sched.tasks.filter((other) => !other.kthread && other.pgid === (pid === 0 ? task.pgid : -pid))
  if (targets.length === 0) fail(ESRCH)
  let sent = false
  for (const target of targets) {
    if (!mayKill(task, target, signo)) continue
    sent = true
    if (signo !== 0) sched.sendSignal(target, signo)
  }
  if (!sent && pid !== -1) fail(EPERM)
  return 0
}

function alarm({ time, sched }: Kernel, task: TaskStruct, seconds: number): number {
  const nowNs = time.nowNs()
  const leftNs = task.alarm ? Math.max(1, task.alarm.dueNs - nowNs) : 0
  task.alarm?.timer.cancel()
  task.alarm = undefined
  if (seconds > 0) {
    const ns = seconds * NS
    const timer = time.after(ns, () => {
      task.alarm = undefined
      sched.sendSignal(task, SIGALRM)
    })
    task.alarm = { dueNs: nowNs + ns, timer }
  }
  // alarm_setitimer rounds, but never down to nothing.
  return leftNs === 0 ? 0 : Math.max(1, Math.round(leftNs / NS))
}

export const signalSyscalls = {
  kill: now(['int', 'int'], kill),
  rt_sigaction: now(['int', 'action', 'int', 'int'], (_kernel, caller, signo, handler, flags, mask) => {
    const task = caller as TaskStruct
    if (signo < 1 || signo >= NSIG || signo === SIGKILL || signo === SIGSTOP) fail(EINVAL)
    if (typeof handler === 'number' && handler !== SIG_DFL && handler !== SIG_IGN) fail(EINVAL)
    const old = actionOf(task, signo).handler
    task.actions.set(signo, { handler, flags, mask: mask & ALL_SIGNALS & ~UNBLOCKABLE })
    // What would be ignored is no longer pending.
    if (handler === SIG_IGN || (handler === SIG_DFL && (IGNORED_BY_DEFAULT & sigmask(signo)) !== 0))
      task.pending &= ~sigmask(signo)
    return old
  }),
  rt_sigprocmask: now(['int', 'int'], (_kernel, task, how, given) => {
    const old = task.blocked
    const set = given & ALL_SIGNALS
    if (how === SIG_BLOCK) task.blocked = (old | set) & ~UNBLOCKABLE
    else if (how === SIG_UNBLOCK) task.blocked = old & ~set
    else if (how === SIG_SETMASK) task.blocked = set & ~UNBLOCKABLE
    else fail(EINVAL)
    return old
  }),
  rt_sigpending: now([], (_kernel, task) => task.pending & task.blocked),
  rt_sigsuspend: sleeping(
    ['int'],
    function* ({ sched }, caller, mask) {
      const task = caller as TaskStruct
      task.savedMask = task.blocked
      task.blocked = mask & ALL_SIGNALS & ~UNBLOCKABLE
      while ((yield* sched.sleepOn([])) !== 'signal') {
        // Only a signal ends it.
      }
      return fail(EINTR)
    },
    false,
  ),
  pause: sleeping(
    [],
    function* ({ sched }) {
      while ((yield* sched.sleepOn([])) !== 'signal') {
        // Only a signal ends it.
      }
      return fail(EINTR)
    },
    false,
  ),
  nanosleep: sleeping(
    ['number'],
    function* ({ sched, time }, caller, ns) {
      if (ns < 0) fail(EINVAL)
      const task = caller as TaskStruct
      const untilNs = task.sleepUntilNs ?? time.nowNs() + ns
      for (let leftNs = untilNs - time.nowNs(); leftNs > 0; leftNs = untilNs - time.nowNs()) {
        if ((yield* sched.sleepFor(leftNs)) !== 'signal') continue
        // After a stop it goes on where it was; a handler forgets this.
        task.sleepUntilNs = untilNs
        fail(EINTR)
      }
      task.sleepUntilNs = undefined
      return 0
    },
    false,
  ),
  alarm: now(['int'], (kernel, task, seconds) => alarm(kernel, task as TaskStruct, Math.max(0, seconds))),
} satisfies SyscallTable
