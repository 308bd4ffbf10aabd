/** Who a process is: users, groups, process groups, sessions (Linux: kernel/sys.c). */
import { EACCES, EINVAL, EPERM, ESRCH } from '#abi/posix/errno.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import { now, type SyscallTable } from './row.ts'

const NGROUPS_MAX = 65536
const ID_MAX = 0xffffffff

const isId = (id: number): boolean => id >= 0 && id < ID_MAX
const find = ({ sched }: Kernel, task: Task, pid: number): Task => (pid === 0 ? task : (sched.task(pid) ?? fail(ESRCH)))

function setuid(_kernel: Kernel, { cred }: Task, uid: number): number {
  if (!isId(uid)) fail(EINVAL)
  if (cred.euid === 0) cred.uid = cred.suid = uid
  else if (uid !== cred.uid && uid !== cred.suid) fail(EPERM)
  cred.euid = cred.fsuid = uid
  return 0
}

function setgid(_kernel: Kernel, { cred }: Task, gid: number): number {
  if (!isId(gid)) fail(EINVAL)
  if (cred.euid === 0) cred.gid = cred.sgid = gid
  else if (gid !== cred.gid && gid !== cred.sgid) fail(EPERM)
  cred.egid = cred.fsgid = gid
  return 0
}

function setgroups(_kernel: Kernel, { cred }: Task, gids: readonly number[]): number {
  if (cred.euid !== 0) fail(EPERM)
  if (gids.length > NGROUPS_MAX || !gids.every(isId)) fail(EINVAL)
  ;(cred as { groups: readonly number[] }).groups = gids
  return 0
}

function setpgid(kernel: Kernel, task: Task, pid: number, group: number): number {
  if (group < 0) fail(EINVAL)
  const target = find(kernel, task, pid) as TaskStruct
  if (target.parent === task) {
    if (target.session !== task.session) fail(EPERM)
    if (!target.forked) fail(EACCES)
  } else if (target !== task) fail(ESRCH)
  if (target.session.sid === target.pid) fail(EPERM)
  const pgid = group === 0 ? target.pid : group
  if (pgid !== target.pid && !kernel.sched.tasks.some((other) => other.pgid === pgid && other.session === task.session))
    fail(EPERM)
  target.pgid = pgid
  return 0
}

function setsid({ sched }: Kernel, task: Task): number {
  if (sched.tasks.some((other) => other.pgid === task.pid)) fail(EPERM)
  task.session = { sid: task.pid, tty: undefined }
  task.pgid = task.pid
  return task.pid
}

export const idSyscalls = {
  getuid: now([], (_kernel, { cred }) => cred.uid),
  geteuid: now([], (_kernel, { cred }) => cred.euid),
  getgid: now([], (_kernel, { cred }) => cred.gid),
  getegid: now([], (_kernel, { cred }) => cred.egid),
  setuid: now(['int'], setuid),
  setgid: now(['int'], setgid),
  getgroups: now([], (_kernel, { cred }) => [...cred.groups]),
  setgroups: now(['ints'], setgroups),
  setpgid: now(['int', 'int'], setpgid),
  getpgid: now(['int'], (kernel, task, pid) => find(kernel, task, pid).pgid),
  setsid: now([], setsid),
  getsid: now(['int'], (kernel, task, pid) => find(kernel, task, pid).session.sid),
} satisfies SyscallTable
