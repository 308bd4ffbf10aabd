/** New processes (Linux: kernel/fork.c). */
import { EAGAIN } from '#abi/posix/errno.ts'
import { RLIMIT_NPROC } from '#abi/posix/resource.ts'
import type { UserBody } from '#abi/posix/syscalls.ts'
import { fail } from '../errno.ts'
import { AddressSpace } from '../mm/address-space.ts'
import { KERNEL_STACK_BYTES, PAGE_TABLE_BYTES, TASK_SLAB_BYTES } from './exit.ts'
import type { Sched } from './scheduler.ts'
import type { TaskStruct } from './task-struct.ts'
import type { Sleeping } from './wait.ts'

/** Pages of a new process's stack, of which the first is touched. */
const USER_STACK_PAGES = 4

/** What each process costs the kernel, after reclaim where that is needed. Fails with ENOMEM. */
export function* chargeTask(sched: Sched): Sleeping<void> {
  const { pages } = sched.core
  const done: (readonly ['stack' | 'slab' | 'pagetables', number])[] = []
  try {
    for (const part of [
      ['stack', KERNEL_STACK_BYTES],
      ['slab', TASK_SLAB_BYTES],
      ['pagetables', PAGE_TABLE_BYTES],
    ] as const) {
      yield* pages.chargeSlowly(part[0], part[1])
      done.push(part)
    }
  } catch (error) {
    for (const [use, bytes] of done) pages.uncharge(use, bytes)
    throw error
  }
}

/** copy_process: a child that runs `body` on its parent's program. */
export function* fork(sched: Sched, parent: TaskStruct, body: UserBody): Sleeping<number> {
  const { core } = sched
  const owner = parent.cred.uid
  const [limit] = parent.limits[RLIMIT_NPROC]!
  let own = 0
  for (const task of sched.tasks) if (task.cred.uid === owner && !task.kthread) own++
  if (own >= limit && owner !== 0) fail(EAGAIN)
  if (sched.count >= sched.maxThreads) fail(EAGAIN)
  yield* chargeTask(sched)
  const stack = []
  try {
    for (let i = 0; i < USER_STACK_PAGES; i++) stack.push(yield* core.pages.alloc('anon'))
  } catch (error) {
    for (const pfn of stack) core.pages.release(pfn, 'anon')
    core.pages.uncharge('stack', KERNEL_STACK_BYTES)
    core.pages.uncharge('slab', TASK_SLAB_BYTES)
    core.pages.uncharge('pagetables', PAGE_TABLE_BYTES)
    throw error
  }
  const child = sched.newTask(parent.comm, false)
  child.charged = true
  child.anon = stack
  child.textPages = parent.textPages
  parent.mm ??= new AddressSpace()
  parent.mm.users++
  child.mm = parent.mm
  child.parent = parent
  parent.children.add(child)
  child.pgid = parent.pgid
  child.session = parent.session
  child.argv = parent.argv
  child.envp = parent.envp
  child.exe = parent.exe
  child.cred = { ...parent.cred }
  child.files = core.vfs.copyFileTable(parent.files)
  child.fs = core.vfs.copyFsContext(parent.fs)
  child.actions = new Map(parent.actions)
  child.blocked = parent.blocked
  child.nice = parent.nice
  child.limits = parent.limits
  child.code = parent.code
  child.forked = true
  child.vruntime = parent.vruntime
  child.frames = [{ start: body, generator: undefined, after: undefined }]
  sched.start(child)
  return child.pid
}
