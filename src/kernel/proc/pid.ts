/** /proc/PID (Linux 2.6.18: fs/proc/base.c). What its files say is pid-text.ts's. */
import { EACCES, ENOENT, ESRCH } from '#abi/posix/errno.ts'
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '#abi/posix/fcntl.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { Path } from '../vfs/file.ts'
import { cmdlineText, environText, mapsText, statmText, statText, statusText, wchanText } from './pid-text.ts'
import type { DirNode, FileNode, LinkNode, SynthNode } from './synth.ts'

/** fake_ino: what is in a process's directory is numbered behind its pid. */
const inoOf = (task: Task, type: number): number => task.pid * 65536 + type
const PROC_PID_INO = 2
const PROC_PID_FD = 7
const PROC_PID_FD_DIR = 0x8000

const alive = (kernel: Kernel, task: Task): boolean => kernel.sched.task(task.pid) === task

/** ptrace_may_attach: one's own processes, and root all. */
function mayLook(kernel: Kernel, task: Task): void {
  if (!alive(kernel, task)) fail(ESRCH)
  const { cred } = kernel.sched.current
  const same = [task.cred.uid, task.cred.euid, task.cred.suid].every((uid) => uid === cred.uid)
  if (!same && cred.euid !== 0 && kernel.sched.current !== task) fail(EACCES)
}

export function pidDir(kernel: Kernel, task: Task): DirNode {
  const owner = (): readonly [number, number] => [task.cred.euid, task.cred.egid]
  let type = PROC_PID_FD + 1
  const file = (mode: number, text: (kernel: Kernel, task: Task) => string, guarded = false): FileNode => ({
    kind: 'file',
    mode,
    owner,
    ino: inoOf(task, type++),
    time: kernel.time.seconds(),
    read() {
      if (!alive(kernel, task)) fail(ESRCH)
      if (guarded) mayLook(kernel, task)
      return text(kernel, task)
    },
  })
  const link = (text: () => string, jump: () => Sleeping<Path | undefined>): LinkNode => ({
    kind: 'link',
    mode: 0o777,
    owner,
    ino: inoOf(task, type++),
    time: kernel.time.seconds(),
    target() {
      mayLook(kernel, task)
      return text()
    },
    *jump() {
      mayLook(kernel, task)
      return yield* jump()
    },
  })
  const place = (get: () => Path | undefined): LinkNode =>
    link(
      () => kernel.vfs.pathText(kernel.sched.current, get() ?? fail(ENOENT)),
      function* () {
        return get() ?? fail(ENOENT)
      },
    )
  const entries: readonly (readonly [string, SynthNode])[] = [
    ['cmdline', file(0o444, cmdlineText)],
    ['cwd', place(() => (task.state === 'Z' ? undefined : task.fs.cwd))],
    ['environ', file(0o400, environText, true)],
    [
      'exe',
      link(
        () => task.exe ?? fail(ENOENT),
        () => kernel.vfs.walk(kernel.sched.current, task.exe ?? fail(ENOENT), true),
      ),
    ],
    ['fd', fdDir(kernel, task, owner)],
    ['maps', file(0o444, mapsText, true)],
    ['mounts', file(0o444, (_kernel, of) => kernel.vfs.mountsText(of))],
    ['root', place(() => (task.state === 'Z' ? undefined : task.fs.root))],
    ['stat', file(0o444, statText)],
    ['statm', file(0o444, statmText)],
    ['status', file(0o444, statusText)],
    ['wchan', file(0o444, wchanText)],
  ]
  const nodes = new Map(entries)
  return {
    kind: 'dir',
    mode: 0o555,
    owner,
    ino: inoOf(task, PROC_PID_INO),
    time: kernel.time.seconds(),
    find: (name) => nodes.get(name),
    list: () => nodes,
  }
}

/** A link for each descriptor: it opens what the process has open. */
function fdDir(kernel: Kernel, task: Task, owner: () => readonly [number, number]): DirNode {
  const fdLink = (fd: number): LinkNode | undefined => {
    const file = task.files.get(fd)
    if (!file) return undefined
    const access = file.flags & O_ACCMODE
    const mode = (access === O_WRONLY ? 0 : 0o500) | (access === O_RDONLY ? 0 : 0o300)
    return {
      kind: 'link',
      mode,
      owner,
      ino: inoOf(task, PROC_PID_FD_DIR + fd),
      time: kernel.time.seconds(),
      target() {
        mayLook(kernel, task)
        return kernel.vfs.pathText(kernel.sched.current, file.path)
      },
      *jump() {
        mayLook(kernel, task)
        return file.path
      },
    }
  }
  return {
    kind: 'dir',
    mode: 0o500,
    owner,
    ino: inoOf(task, PROC_PID_FD),
    time: kernel.time.seconds(),
    find(name) {
      return /^(0|[1-9]\d{0,5})$/.test(name) ? fdLink(Number(name)) : undefined
    },
    *list() {
      mayLook(kernel, task)
      for (const [fd] of task.files.entries()) {
        const node = fdLink(fd)
        if (node) yield [String(fd), node] as const
      }
    },
  }
}
