/** The rig's system calls about processes, signals, time and terminals. */
import { ECHILD, EINTR, EINVAL, ENOMEM, ENOTTY, EPERM, ESRCH } from '#abi/posix/errno.ts'
import {
  FIONREAD,
  TCFLSH,
  TCGETS,
  TCSBRK,
  TCSETS,
  TCSETSF,
  TCSETSW,
  TIOCGPGRP,
  TIOCGSID,
  TIOCGWINSZ,
  TIOCNOTTY,
  TIOCSCTTY,
  TIOCSPGRP,
  TIOCSWINSZ,
} from '#abi/posix/ioctl.ts'
import { NSIG, SIG_BLOCK, SIG_IGN, SIG_UNBLOCK, SIGKILL, SIGSTOP, SIGTTOU, SIGWINCH } from '#abi/posix/signal.ts'
import type { SignalHandler, UserBody } from '#abi/posix/syscalls.ts'
import { CONTINUED_STATUS, stopStatus, WCONTINUED, WNOHANG, WUNTRACED } from '#abi/posix/wait.ts'
import { descriptor } from './descriptors.ts'
import { type Calls, hasSignal, type RigKernel, withoutSignal, withSignal } from './kernel.ts'
import { BLOCKED, type Process, until } from './process.ts'

const RUSAGE = { utimeNs: 0, stimeNs: 0, maxrssKb: 400 }
const STEP_NS = 1000
function fork(kernel: RigKernel, parent: Process, body: UserBody): number {
  if (kernel.processes.size >= kernel.processesMax) return -11
  for (const { file } of parent.fds.values()) file.users++
  const child = kernel.spawn({
    ...parent,
    parent,
    fds: new Map([...parent.fds].map(([fd, { file, cloexec }]) => [fd, { file, cloexec }])),
    actions: new Map(parent.actions),
    limits: parent.limits.map(([soft, hard]) => [soft, hard]),
    frames: [],
    pending: 0,
    stopped: false,
    stopSignal: 0,
    continued: false,
    zombie: false,
    status: 0,
    steps: 0,
    childSteps: 0,
    alarmAtNs: 0,
    exec: false,
  })
  child.frames.push({ body: body(), value: undefined, oldMask: undefined })
  kernel.changed()
  return child.pid
}

function wait4(kernel: RigKernel, caller: Process, pid: number, options: number): unknown {
  const mine = (child: Process): boolean =>
    child.parent === caller &&
    (pid > 0 ? child.pid === pid : pid === -1 || child.pgid === (pid === 0 ? caller.pgid : -pid))
  return until(
    () => {
      let any = false
      for (const child of kernel.processes.values()) {
        if (!mine(child)) continue
        any = true
        if (child.zombie) {
          kernel.processes.delete(child.pid)
          return { pid: child.pid, status: child.status, rusage: RUSAGE }
        }
        if (options & WUNTRACED && child.stopped && child.stopSignal) {
          const status = stopStatus(child.stopSignal)
          child.stopSignal = 0
          return { pid: child.pid, status, rusage: RUSAGE }
        }
        if (options & WCONTINUED && child.continued) {
          child.continued = false
          return { pid: child.pid, status: CONTINUED_STATUS, rusage: RUSAGE }
        }
      }
      if (!any) return -ECHILD
      return options & WNOHANG ? { pid: 0, status: 0, rusage: RUSAGE } : BLOCKED
    },
    { restarts: true },
  )
}

const byPid = (kernel: RigKernel, process: Process, pid: number): Process | undefined =>
  pid === 0 ? process : kernel.processes.get(pid)

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, true)
  return bytes
}

function ioctl(kernel: RigKernel, process: Process, fd: number, request: number, arg: number | Uint8Array): unknown {
  const file = descriptor(process, fd)
  if (request === FIONREAD && file.pipe) return word(file.pipe.length)
  const { tty } = file
  if (!tty) return -ENOTTY
  const own = process.tty === tty
  const changes = request === TIOCSPGRP || request === TCSETS || request === TCSETSW || request === TCSETSF
  if (changes && own && tty.pgrp && tty.pgrp !== process.pgid)
    if (process.actions.get(SIGTTOU)?.handler !== SIG_IGN && !hasSignal(process.blocked, SIGTTOU)) {
      if (kernel.orphaned(process.pgid)) return -5
      kernel.sendGroup(process.pgid, SIGTTOU)
      // It tries again when it is continued.
      return until(() => (tty.pgrp === process.pgid ? ioctl(kernel, process, fd, request, arg) : BLOCKED), {
        restarts: true,
      })
    }
  switch (request) {
    case TCGETS:
      return tty.termios.slice()
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
      if (request === TCSETSF) tty.flush()
      tty.setTermios(arg as Uint8Array)
      return 0
    case TCSBRK:
      return 0
    case TCFLSH:
      if (arg !== 1) tty.flush()
      return 0
    case TIOCGWINSZ: {
      const bytes = new Uint8Array(8)
      const view = new DataView(bytes.buffer)
      view.setUint16(0, tty.rows, true)
      view.setUint16(2, tty.columns, true)
      return bytes
    }
    case TIOCSWINSZ: {
      const view = new DataView((arg as Uint8Array).slice().buffer)
      tty.rows = view.getUint16(0, true)
      tty.columns = view.getUint16(2, true)
      kernel.sendGroup(tty.pgrp, SIGWINCH)
      return 0
    }
    case TIOCGPGRP:
      return own ? word(tty.pgrp) : -ENOTTY
    case TIOCSPGRP: {
      if (!own) return -ENOTTY
      const members = [...kernel.processes.values()].filter((p) => p.pgid === arg)
      if (members.length === 0) return -ESRCH
      if (members.every((p) => p.sid !== process.sid)) return -EPERM
      tty.pgrp = arg as number
      return 0
    }
    case TIOCGSID:
      return own ? word(tty.session) : -ENOTTY
    case TIOCSCTTY:
      if (process.sid !== process.pid || (tty.session && tty.session !== process.sid)) return -EPERM
      tty.session = process.sid
      tty.pgrp = process.pgid
      process.tty = tty
      return 0
    case TIOCNOTTY:
      if (!own) return -ENOTTY
      // The leader gives it up for its whole session.
      if (process.sid === process.pid) {
        tty.session = 0
        tty.pgrp = 0
      }
      process.tty = undefined
      return 0
    case FIONREAD:
      return word(tty.available)
    default:
      return -EINVAL
  }
}

const HOUR = 3600

export const processCalls: Calls = {
  fork,
  wait4,
  ioctl,
  execve(kernel, process, path: string, argv: readonly string[], envp: readonly string[]) {
    kernel.exec(process, path, argv, envp)
    return 0
  },
  exit(kernel, process, status: number) {
    kernel.exit(process, (status & 0xff) << 8)
    return 0
  },
  kill: (kernel, process, pid: number, signo: number) =>
    signo < 0 || signo >= NSIG ? -EINVAL : kernel.kill(process, pid, signo),
  brk(kernel, process, bytes: number) {
    if (bytes === 0) return process.brk
    let others = 0
    for (const other of kernel.processes.values()) if (other !== process) others += other.brk
    if (bytes + others > kernel.memoryBytes) return -ENOMEM
    process.brk = bytes
    return bytes
  },
  rt_sigaction(_kernel, process, signo: number, handler: number | SignalHandler, flags: number, mask: number) {
    if (signo < 1 || signo >= NSIG || signo === SIGKILL || signo === SIGSTOP) return -EINVAL
    const old = process.actions.get(signo)?.handler ?? 0
    process.actions.set(signo, { handler, flags: flags ?? 0, mask: mask ?? 0 })
    if (handler === SIG_IGN) process.pending = withoutSignal(process.pending, signo)
    return old
  },
  rt_sigprocmask(_kernel, process, how: number, set: number) {
    const old = process.blocked
    let mask = how === SIG_BLOCK || how === SIG_UNBLOCK ? old : 0
    for (let signo = 1; signo < NSIG; signo++)
      if (hasSignal(set, signo) && signo !== SIGKILL && signo !== SIGSTOP)
        mask = how === SIG_UNBLOCK ? withoutSignal(mask, signo) : withSignal(mask, signo)
    process.blocked = mask
    return old
  },
  rt_sigpending: (_kernel, process) => process.pending,
  rt_sigsuspend(_kernel, process, mask: number) {
    const old = process.blocked
    process.blocked = mask
    return until(() => BLOCKED, {
      interrupted: () => {
        process.blocked = old
        return -EINTR
      },
    })
  },
  pause: () => until(() => BLOCKED),
  sched_yield: () => 0,
  nanosleep: (kernel, _process, ns: number) =>
    ns < 0 ? -EINVAL : until(() => BLOCKED, { deadlineNs: kernel.nowNs + ns, expired: 0 }),
  alarm(kernel, process, seconds: number) {
    const left = process.alarmAtNs ? Math.ceil((process.alarmAtNs - kernel.nowNs) / 1e9) : 0
    process.alarmAtNs = seconds > 0 ? kernel.nowNs + seconds * 1e9 : 0
    return left
  },
  getpid: (_kernel, process) => process.pid,
  getppid: (_kernel, process) => process.parent?.pid ?? 0,
  getuid: (_kernel, process) => process.uid,
  geteuid: (_kernel, process) => process.euid,
  getgid: (_kernel, process) => process.gid,
  getegid: (_kernel, process) => process.egid,
  getgroups: (_kernel, process) => process.groups,
  setgroups(_kernel, process, gids: readonly number[]) {
    if (process.euid !== 0) return -EPERM
    process.groups = [...gids]
    return 0
  },
  setuid(_kernel, process, uid: number) {
    if (process.euid === 0) process.uid = process.euid = uid
    else if (uid === process.uid) process.euid = uid
    else return -EPERM
    return 0
  },
  setgid(_kernel, process, gid: number) {
    if (process.euid === 0) process.gid = process.egid = gid
    else if (gid === process.gid) process.egid = gid
    else return -EPERM
    return 0
  },
  setpgid(kernel, process, pid: number, pgid: number) {
    const target = byPid(kernel, process, pid)
    if (!target || (target !== process && target.parent !== process)) return -ESRCH
    if (target.sid === target.pid || target.sid !== process.sid) return -EPERM
    const group = pgid || target.pid
    if (group !== target.pid && ![...kernel.processes.values()].some((p) => p.pgid === group && p.sid === process.sid))
      return -EPERM
    target.pgid = group
    return 0
  },
  getpgid: (kernel, process, pid: number) => byPid(kernel, process, pid)?.pgid ?? -ESRCH,
  setsid(kernel, process) {
    if ([...kernel.processes.values()].some((p) => p.pgid === process.pid)) return -EPERM
    process.sid = process.pgid = process.pid
    process.tty = undefined
    return process.pid
  },
  getsid: (kernel, process, pid: number) => byPid(kernel, process, pid)?.sid ?? -ESRCH,
  umask(_kernel, process, mask: number) {
    const old = process.umask
    process.umask = mask & 0o777
    return old
  },
  uname: (kernel) => ({
    sysname: 'Linux',
    nodename: kernel.hostname,
    release: '2.6.18.8-xen',
    version: '#1 SMP Tue May 12 06:32:52 UTC 2009',
    machine: 'x86_64',
  }),
  sethostname(kernel, process, name: string) {
    if (process.euid !== 0) return -EPERM
    kernel.hostname = name
    return 0
  },
  clock_gettime: (kernel, _process, clock: number) =>
    clock === 0
      ? [kernel.seconds(), kernel.nowNs % 1_000_000_000]
      : [Math.floor(kernel.nowNs / 1e9), kernel.nowNs % 1_000_000_000],
  clock_settime(kernel, process, _clock: number, seconds: number) {
    if (process.euid !== 0) return -EPERM
    kernel.wallOffset += seconds - kernel.seconds()
    return 0
  },
  times: (_kernel, process) => [process.steps * STEP_NS, 0, process.childSteps * STEP_NS, 0],
  getrusage: (_kernel, process) => ({ ...RUSAGE, utimeNs: process.steps * STEP_NS }),
  getrlimit: (_kernel, process, resource: number) => process.limits[resource] ?? -EINVAL,
  setrlimit(_kernel, process, resource: number, soft: number, hard: number) {
    const limit = process.limits[resource]
    if (!limit || soft > hard) return -EINVAL
    if (hard > limit[1] && process.euid !== 0) return -EPERM
    process.limits[resource] = [soft, hard]
    return 0
  },
  sysinfo: (kernel) => ({
    uptimeSeconds: HOUR + Math.floor(kernel.nowNs / 1e9),
    loads: [0, 0, 0],
    totalram: kernel.memoryBytes,
    freeram: kernel.memoryBytes / 2,
    bufferram: 0,
    totalswap: 0,
    freeswap: 0,
    procs: kernel.processes.size,
  }),
  getpriority: (_kernel, process) => 20 - process.nice,
  setpriority(kernel, process, _which: number, who: number, nice: number) {
    const target = byPid(kernel, process, who)
    if (!target) return -ESRCH
    if (nice < target.nice && process.euid !== 0) return -13
    target.nice = Math.max(-20, Math.min(19, nice))
    return 0
  },
}
