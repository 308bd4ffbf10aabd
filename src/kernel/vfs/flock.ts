/** Advisory locks on whole files (Linux: fs/locks.c, flock). An open file holds at most one. */
import { EAGAIN, EINTR, EINVAL } from '#abi/posix/errno.ts'
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN } from '#abi/posix/fcntl.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { OpenFile } from './open-file.ts'

export class FlockList {
  readonly holders = new Map<OpenFile, typeof LOCK_SH | typeof LOCK_EX>()
  readonly queue = new WaitQueue()
}

export function* flock(kernel: Kernel, file: OpenFile, operation: number): Sleeping<void> {
  const kind = operation & ~LOCK_NB
  if (kind === LOCK_UN) {
    releaseFlock(file)
    return
  }
  if (kind !== LOCK_SH && kind !== LOCK_EX) fail(EINVAL)
  file.inode.flocks ??= new FlockList()
  const list = file.inode.flocks
  if (list.holders.get(file) === kind) return
  // A conversion gives the old lock up first.
  if (list.holders.delete(file)) list.queue.wakeUp()
  while ([...list.holders.values()].some((held) => kind === LOCK_EX || held === LOCK_EX)) {
    if (operation & LOCK_NB) fail(EAGAIN)
    if ((yield* kernel.sched.sleepOn(list.queue)) === 'signal') fail(EINTR)
  }
  list.holders.set(file, kind)
}

/** Unlocked by its holder, or closed. */
export function releaseFlock(file: OpenFile): void {
  const { flocks } = file.inode
  if (!flocks?.holders.delete(file)) return
  flocks.queue.wakeUp()
}
