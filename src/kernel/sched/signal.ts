/** Sending signals and dealing with them (Linux: kernel/signal.c). */

import { EINTR } from '#abi/posix/errno.ts'
import {
  NSIG,
  SA_NOCLDSTOP,
  SA_RESETHAND,
  SA_RESTART,
  SIG_DFL,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGWINCH,
  sigmask,
} from '#abi/posix/signal.ts'
import { signalStatus } from '#abi/posix/wait.ts'
import type { Sched } from './scheduler.ts'
import type { SignalAction, Task } from './task.ts'
import type { TaskStruct } from './task-struct.ts'

const STOP_SIGNALS = sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU)
export const IGNORED_BY_DEFAULT = sigmask(SIGCHLD) | sigmask(SIGCONT) | sigmask(SIGURG) | sigmask(SIGWINCH)
export const UNBLOCKABLE = sigmask(SIGKILL) | sigmask(SIGSTOP)
export const ALL_SIGNALS = sigmask(NSIG) - 1
const DEFAULT_ACTION: SignalAction = { handler: SIG_DFL, flags: 0, mask: 0 }

export const actionOf = (task: TaskStruct, signo: number): SignalAction => task.actions.get(signo) ?? DEFAULT_ACTION

export const pendingFor = (task: { readonly pending: number; readonly blocked: number }): boolean =>
  (task.pending & ~task.blocked) !== 0

/** sig_ignored: what is blocked is kept, whatever its action is now. */
function isIgnored(task: TaskStruct, signo: number): boolean {
  if ((task.blocked & sigmask(signo)) !== 0) return false
  const { handler } = actionOf(task, signo)
  return handler === SIG_IGN || (handler === SIG_DFL && (IGNORED_BY_DEFAULT & sigmask(signo)) !== 0)
}

export function sendSignal(sched: Sched, to: Task, signo: number): void {
  const task = to as TaskStruct
  if (task.kthread || task.exiting || task.state === 'Z' || task.state === 'X') return
  const bit = sigmask(signo)
  if ((bit & STOP_SIGNALS) !== 0) task.pending &= ~sigmask(SIGCONT)
  if (signo === SIGCONT || signo === SIGKILL) {
    task.pending &= ~STOP_SIGNALS
    if (task.state === 'T') {
      if (signo === SIGCONT) {
        task.continuedUnreported = true
        task.stopReported = true
        notifyParent(sched, task, true)
      }
      task.wakeFrom('signal')
    }
  }
  if (isIgnored(task, signo)) return
  task.pending |= bit
  if ((task.blocked & bit) === 0 && task.state === 'S') task.wakeFrom('signal')
}

/** do_notify_parent: a child has stopped, gone on, or died. */
export function notifyParent(sched: Sched, task: TaskStruct, stopped: boolean): void {
  const { parent } = task
  if (!parent) return
  const { handler, flags } = actionOf(parent, SIGCHLD)
  if (!(stopped && (flags & SA_NOCLDSTOP) !== 0) && handler !== SIG_IGN) sendSignal(sched, parent, SIGCHLD)
  parent.childExit.wakeUp()
}

/** What became of a look at the pending signals before a task goes back to its program. */
export type Delivery = 'none' | 'handler' | 'stopped' | 'killed'

/** get_signal_to_deliver and handle_signal. `interrupted`: the call that comes back was ended by a signal. */
export function deliverSignals(sched: Sched, task: TaskStruct): Delivery {
  for (;;) {
    const deliverable = task.pending & ~task.blocked
    if (deliverable === 0) return 'none'
    const signo = (deliverable & sigmask(SIGKILL)) !== 0 ? SIGKILL : 32 - Math.clz32(deliverable & -deliverable)
    const bit = sigmask(signo)
    task.pending &= ~bit
    const { handler, flags, mask } = actionOf(task, signo)
    if (handler === SIG_IGN) continue
    if (typeof handler === 'function') {
      if ((flags & SA_RESETHAND) !== 0) task.actions.set(signo, DEFAULT_ACTION)
      const interrupted = task.result === -EINTR && task.request !== undefined
      const restart = interrupted && (flags & SA_RESTART) !== 0 && sched.restartable(task.request!.nr)
      task.frames.push({
        start: () => handler(signo),
        generator: undefined,
        after: {
          mask: task.savedMask ?? task.blocked,
          result: task.result,
          request: restart ? task.request : undefined,
        },
      })
      task.savedMask = undefined
      task.sleepUntilNs = undefined
      task.request = undefined
      task.result = undefined
      task.blocked = (task.blocked | mask | bit) & ~UNBLOCKABLE
      return 'handler'
    }
    // Nobody kills init, or stops it.
    if (task.pid === 1) continue
    if ((bit & IGNORED_BY_DEFAULT) !== 0) continue
    if ((bit & STOP_SIGNALS) !== 0) {
      if (signo !== SIGSTOP && sched.orphanedPgrp(task.pgid)) continue
      task.stopSignal = signo
      task.stopReported = false
      task.continuedUnreported = false
      task.state = 'T'
      notifyParent(sched, task, true)
      return 'stopped'
    }
    task.exitStatus = signalStatus(signo)
    return 'killed'
  }
}
