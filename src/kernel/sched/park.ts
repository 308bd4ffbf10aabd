/** Sleeping without code of one's own: a system call that has nothing to remember is done again, all of it, when it is woken. */
import { EINTR } from '#abi/posix/errno.ts'
import type { Sched } from './scheduler.ts'
import type { TaskStruct } from './task-struct.ts'
import { WaitQueue } from './wait.ts'

export function park(task: TaskStruct, queues: WaitQueue | readonly WaitQueue[]): void {
  if (queues instanceof WaitQueue) queues.add(task)
  else for (const queue of queues) queue.add(task)
  task.parkedOn = queues
  task.woken = undefined
  task.state = 'S'
  task.voluntary++
}

/** It runs again. */
export function unpark(sched: Sched, task: TaskStruct): void {
  const queues = task.parkedOn!
  if (queues instanceof WaitQueue) queues.remove(task)
  else for (const queue of queues) queue.remove(task)
  task.parkedOn = undefined
  if (task.woken === 'signal') task.result = -EINTR
  else sched.core.syscalls.dispatch(task)
}
