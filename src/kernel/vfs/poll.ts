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

export function* poll(
  kernel: Kernel,
  task: Task,
  fds: readonly number[],
  timeoutMs: number,
): Sleeping<readonly number[]> {
  if (fds.length % 2 !== 0) fail(EFAULT)
  if (fds.length / 2 > PAIRS_MAX) fail(EINVAL)
  const table = tableOf(task)
  const sleeper = task as TaskStruct
  // After a stop it goes on with what was left.
  const endNs =
    sleeper.sleepUntilNs ?? (timeoutMs < 0 ? Number.POSITIVE_INFINITY : kernel.time.nowNs() + timeoutMs * 1e6)
  sleeper.sleepUntilNs = undefined
  for (;;) {
    const revents: number[] = []
    const queues: WaitQueue[] = []
    let found = false
    for (let i = 0; i < fds.length; i += 2) {
      const fd = fds[i]!
      // What is negative is left out.
      if (fd < 0) {
        revents.push(0)
        continue
      }
      const file = table.get(fd)
      let events = POLLNVAL
      if (file) {
        events = file.ops.poll ? file.ops.poll(file) : POLLIN | POLLOUT
        events &= fds[i + 1]! | POLLERR | POLLHUP
        if (file.ops.pollQueues) queues.push(...file.ops.pollQueues(file))
      }
      if (events !== 0) found = true
      revents.push(events)
    }
    if (found) return revents
    const leftNs = endNs - kernel.time.nowNs()
    if (leftNs <= 0) return revents
    // Nothing to be woken by but time and signals.
    if (queues.length === 0) queues.push(new WaitQueue())
    const options = leftNs === Number.POSITIVE_INFINITY ? {} : { timeoutNs: leftNs }
    if ((yield* kernel.sched.sleepOn(queues, options)) !== 'signal') continue
    sleeper.sleepUntilNs = endNs
    fail(EINTR)
  }
}
