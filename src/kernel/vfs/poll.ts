/** poll(2) (Linux: fs/select.c): sleep on all the queues at once. */
import { EFAULT, EINTR, EINVAL } from '#abi/posix/errno.ts'
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '#abi/posix/poll.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import { tableOf } from './file-table.ts'

/** RLIMIT_NOFILE's hard default: more descriptors than a task can have. */
const PAIRS_MAX = 1024
const FOR_EVER = {}

/** What holds of each; undefined: nothing does. */
function look(task: Task, fds: readonly number[]): number[] | undefined {
  const { files } = tableOf(task)
  const revents: number[] = []
  let found = false
  for (let i = 0; i < fds.length; i += 2) {
    const fd = fds[i]!
    let events = 0
    // What is negative is left out.
    if (fd >= 0) {
      const file = files[fd]
      events = POLLNVAL
      if (file) {
        events = file.ops.poll ? file.ops.poll(file) : POLLIN | POLLOUT
        events &= fds[i + 1]! | POLLERR | POLLHUP
      }
      if (events !== 0) found = true
    }
    revents.push(events)
  }
  return found ? revents : undefined
}

/** Where to sleep: what has no queue never changes. */
function queuesOf(task: Task, fds: readonly number[]): WaitQueue[] {
  const { files } = tableOf(task)
  const queues: WaitQueue[] = []
  for (let i = 0; i < fds.length; i += 2) {
    const file = fds[i]! < 0 ? undefined : files[fds[i]!]
    if (file?.ops.pollQueues) for (const queue of file.ops.pollQueues(file)) queues.push(queue)
  }
  // Nothing to be woken by but time and signals.
  if (queues.length === 0) queues.push(new WaitQueue())
  return queues
}

/** Undefined: it has to sleep. */
export function pollNow(
  _kernel: Kernel,
  task: Task,
  fds: readonly number[],
  timeoutMs: number,
): readonly number[] | undefined {
  if (fds.length % 2 !== 0) fail(EFAULT)
  if (fds.length / 2 > PAIRS_MAX) fail(EINVAL)
  const found = look(task, fds)
  if (!found && timeoutMs !== 0) return undefined
  ;(task as TaskStruct).sleepUntilNs = undefined
  return found ?? nothing(fds)
}

const nothing = (fds: readonly number[]): number[] => Array.from({ length: fds.length / 2 }, () => 0)

/** Whoever waits for ever. */
export const pollWait = (
  _kernel: Kernel,
  task: Task,
  fds: readonly number[],
  timeoutMs: number,
): readonly WaitQueue[] | undefined =>
  timeoutMs < 0 && (task as TaskStruct).sleepUntilNs === undefined ? queuesOf(task, fds) : undefined

/** What `pollNow` could not say. */
export function* poll(
  kernel: Kernel,
  task: Task,
  fds: readonly number[],
  timeoutMs: number,
): Sleeping<readonly number[]> {
  const sleeper = task as TaskStruct
  // After a stop it goes on with what was left.
  const endNs =
    sleeper.sleepUntilNs ?? (timeoutMs < 0 ? Number.POSITIVE_INFINITY : kernel.time.nowNs() + timeoutMs * 1e6)
  sleeper.sleepUntilNs = undefined
  for (;;) {
    const leftNs = endNs - kernel.time.nowNs()
    if (leftNs <= 0) return nothing(fds)
    const options = leftNs === Number.POSITIVE_INFINITY ? FOR_EVER : { timeoutNs: leftNs }
    if ((yield* kernel.sched.sleepOn(queuesOf(task, fds), options)) === 'signal') {
      sleeper.sleepUntilNs = endNs
      fail(EINTR)
    }
    const found = look(task, fds)
    if (found) return found
  }
}
