/** The end of a task (Linux: kernel/exit.c). */
import { SIG_IGN, SIGCHLD } from '#abi/posix/signal.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { Errno } from '../errno.ts'
import type { Sched } from './scheduler.ts'
import { actionOf } from './signal.ts'
import type { KernelCode, TaskStruct } from './task-struct.ts'

export const KERNEL_STACK_BYTES = 8192
export const TASK_SLAB_BYTES = 2048
/** PGD, PUD, PMD and PTE. */
export const PAGE_TABLE_BYTES = 4 * PAGE_SIZE

/** do_exit, as the last that `task` does in the kernel. Its exitStatus is set. */
export function* exitTask(sched: Sched, task: TaskStruct): KernelCode {
  const { core } = sched
  task.exiting = true
  task.frames = []
  task.code = undefined
  task.alarm?.timer.cancel()
  task.alarm = undefined
  if (!task.kthread) {
    yield* core.areas.leave(task)
    releaseMemory(sched, task)
    try {
      yield* core.vfs.closeAll(task.files)
    } catch (error) {
      // A last write that fails has nobody left to hear of it.
      if (!(error instanceof Errno)) throw error
    }
    leaveTerminal(task)
  }
  giveChildrenAway(sched, task)
  if (task.charged) {
    core.pages.uncharge('stack', KERNEL_STACK_BYTES)
    if (!task.kthread) {
      core.pages.uncharge('slab', TASK_SLAB_BYTES)
      core.pages.uncharge('pagetables', PAGE_TABLE_BYTES)
    }
    task.charged = false
  }
  if (task.pid === 1) core.panic('Attempted to kill init!')
  task.state = 'Z'
  const { parent } = task
  if (!parent) {
    sched.forget(task)
    return
  }
  const orphaned = sched.orphanedPgrp(task.pgid)
  if (orphaned && parent.pgid !== task.pgid && parent.session.sid === task.session.sid) sched.hangUpStopped(task.pgid)
  const unwanted = actionOf(parent, SIGCHLD).handler === SIG_IGN
  sched.notifyParent(task)
  if (unwanted) sched.forget(task)
}

/** exit_mm: frames of heap and stack. */
export function releaseMemory(sched: Sched, task: TaskStruct): void {
  for (const pfn of task.anon) sched.core.pages.release(pfn, 'anon')
  task.anon = []
  task.brkBytes = 0
  task.textPages = 0
}

/** disassociate_ctty: a session's leader takes the terminal with him. */
function leaveTerminal(task: TaskStruct): void {
  const { session } = task
  if (session.sid !== task.pid || !session.tty) return
  const { tty } = session
  session.tty = undefined
  tty.hangup()
}

/** forget_original_parent: init adopts them. */
function giveChildrenAway(sched: Sched, task: TaskStruct): void {
  const init = sched.initTask
  for (const child of [...task.children]) {
    task.children.delete(child)
    if (!init || init === task) continue
    child.parent = init
    init.children.add(child)
    if (child.state === 'Z') sched.notifyParent(child)
    else if (child.pgid !== task.pgid && child.session.sid === task.session.sid && sched.orphanedPgrp(child.pgid))
      sched.hangUpStopped(child.pgid)
  }
}
