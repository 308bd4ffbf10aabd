/** Starting what inittab names, and collecting it when it ends. */
import { ECHILD } from '#abi/posix/errno.ts'
import { O_RDWR, R_OK } from '#abi/posix/fcntl.ts'
import { TIOCSCTTY } from '#abi/posix/ioctl.ts'
import { NSIG, SIG_DFL, SIGKILL, SIGSTOP } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { DEAD_PROCESS, INIT_PROCESS } from '#abi/posix/utmp.ts'
import { WNOHANG } from '#abi/posix/wait.ts'
import { appendWtmp, putUtmp, utmpRecords, utmpTime } from '../../account/utmp.ts'
import { withEnv } from '../../libc/env.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { execvp } from '../../libc/process.ts'
import { access, alarm, close, dup2, fork, ioctl, open, rt_sigaction, setsid, wait4 } from '../../libc/syscall.ts'
import { time } from '../../libc/time.ts'
import { CONSOLE, initlog, openConsole, resetConsole } from './console.ts'
import { wordsOf } from './inittab.ts'
import type { Child, Init } from './state.ts'

const MAXSPAWN = 10
const TESTTIME_SECONDS = 120
const SLEEPTIME_SECONDS = 300
const INITSCRIPT = '/etc/initscript'
const SHELL = '/bin/sh'

/** Start what is due, in the order of the file, up to the first that must be waited for. */
export function* startIfNeeded(init: Init): Sys<void> {
  for (const child of init.family) {
    if (child.waiting) return
    if (child.running) continue
    const { levels, action } = child.entry
    const due = levels.includes(init.level) || (action === 'ondemand' && !'#*S'.includes(init.level))
    if (due) {
      yield* startup(init, child)
      if (child.waiting) return
    } else {
      child.waiting = false
      if (!action.startsWith('power') && action !== 'kbrequest' && action !== 'ctrlaltdel') child.executed = false
      child.pid = 0
    }
  }
}

function* startup(init: Init, child: Child): Sys<void> {
  if (child.failing) return
  const { action } = child.entry
  if (action === 'off' || action === 'initdefault') return
  if (action !== 'respawn' && action !== 'ondemand') {
    if (child.executed) return
    child.executed = true
    child.waiting = !['boot', 'once', 'powerfail', 'kbrequest'].includes(action)
  }
  if (!(yield* spawnChild(init, child))) child.waiting = false
}

/** Whether it runs now. */
function* spawnChild(init: Init, child: Child): Sys<boolean> {
  const { entry } = child
  if (entry.action === 'respawn' || entry.action === 'ondemand') {
    const now = yield* time()
    if (child.since + TESTTIME_SECONDS > now) child.count++
    else {
      child.count = 0
      child.since = now
    }
    if (child.count >= MAXSPAWN) {
      yield* initlog(`Id "${entry.id}" respawning too fast: disabled for ${SLEEPTIME_SECONDS / 60} minutes`)
      child.failing = true
      child.since = now
      // SIGALRM brings the main loop round to look again.
      const left = yield* alarm(0)
      yield* alarm(left > 0 && left < SLEEPTIME_SECONDS ? left : SLEEPTIME_SECONDS)
      return false
    }
  }
  const argv = (yield* scripted(init))
    ? [SHELL, INITSCRIPT, entry.id, entry.levels, entry.action, entry.process]
    : (wordsOf(entry.process) ?? [SHELL, '-c', `exec ${entry.process}`])
  const [program] = argv
  if (program === undefined) return false
  const env = childEnv(init)
  const force = '*#S'.includes(init.level) && child.waiting
  child.pid = yield* fork(() => childMain(argv, env, force))
  child.running = true
  child.ended = false
  yield* record(child, INIT_PROCESS)
  return true
}

function* scripted(init: Init): Sys<boolean> {
  if (init.level === 'S') return false
  try {
    yield* access(INITSCRIPT, R_OK)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

function childEnv(init: Init): string[] {
  let env = withEnv(init.env, 'RUNLEVEL', init.shown)
  env = withEnv(env, 'PREVLEVEL', init.previous)
  env = withEnv(env, 'CONSOLE', CONSOLE)
  return withEnv(env, 'INIT_VERSION', 'sysvinit-2.86')
}

/** The child: a session of its own, the console as its files; while booting as its controlling terminal too. */
function* childMain(argv: readonly string[], env: readonly string[], force: boolean): Sys<number> {
  yield* setsid()
  for (const fd of [0, 1, 2]) yield* closeQuietly(fd)
  const fd = (yield* openConsole(O_RDWR)) ?? (yield* open('/dev/null', O_RDWR, 0))
  if (force) {
    try {
      yield* ioctl(fd, TIOCSCTTY, 1)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    yield* resetConsole()
  }
  for (const to of [0, 1, 2]) if (to !== fd) yield* dup2(fd, to)
  if (fd > 2) yield* close(fd)
  for (let signo = 1; signo < NSIG; signo++)
    if (signo !== SIGKILL && signo !== SIGSTOP) yield* rt_sigaction(signo, SIG_DFL, 0, 0)
  try {
    return yield* execvp(argv[0]!, argv, env)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* initlog(`cannot execute "${argv[0]}"${error.errno === 2 ? '' : `: ${strerror(error.errno)}`}`)
    return 1
  }
}

function* closeQuietly(fd: number): Sys<void> {
  try {
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

/** Collect every child that has ended, ours by inittab and orphans. For the handler of SIGCHLD. */
export function* reap(init: Init): Sys<void> {
  for (;;) {
    let pid: number
    try {
      pid = (yield* wait4(-1, WNOHANG)).pid
    } catch (error) {
      if (error instanceof OsError && error.errno === ECHILD) return
      throw error
    }
    if (pid === 0) return
    const child = init.family.find((one) => one.running && one.pid === pid)
    if (child) child.ended = true
  }
}

/** Take note of who has ended. */
export function* noteEnded(init: Init): Sys<void> {
  for (const child of init.family) {
    if (!child.ended) continue
    child.running = false
    child.ended = false
    child.waiting = false
    yield* record(child, DEAD_PROCESS)
  }
}

/** Who respawned too fast may try again. */
export function* failCheck(init: Init): Sys<void> {
  let next = 0
  for (const child of init.family) {
    if (!child.failing) continue
    const now = yield* time()
    if (child.since + SLEEPTIME_SECONDS <= now) {
      child.failing = false
      child.since = 0
      child.count = 0
    } else if (next === 0 || child.since + SLEEPTIME_SECONDS - now < next) next = child.since + SLEEPTIME_SECONDS - now
  }
  if (next > 0) yield* alarm(next)
}

/** After a new runlevel or `init q`: everybody gets another chance. */
export function failCancel(init: Init): void {
  for (const child of init.family) {
    child.count = 0
    child.since = 0
    child.failing = false
  }
}

/** utmp's and wtmp's record of a child. */
export function* record(child: Child, type: number): Sys<void> {
  const { entry, pid } = child
  if (entry.quiet) return
  const when = yield* utmpTime()
  const line = type === DEAD_PROCESS ? yield* lineOf(entry.id) : ''
  yield* putUtmp({ type, pid, id: entry.id, line, ...when })
  yield* appendWtmp({ type, pid, id: entry.id, line, ...when })
}

/** The terminal that the process had: `last` ends a login by it. */
function* lineOf(id: string): Sys<string> {
  return (yield* utmpRecords()).find((old) => old.id === id)?.line ?? ''
}
