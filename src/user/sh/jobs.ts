/** Jobs: the processes that the shell has started, in the foreground or behind it (POSIX.1-2004, XCU 2.11 and `jobs`). */
import { ECHILD, EINTR } from '#abi/posix/errno.ts'
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { TCGETS, TIOCGPGRP, TIOCSPGRP } from '#abi/posix/ioctl.ts'
import { SIG_IGN, SIGCONT, SIGINT, SIGPIPE, SIGQUIT } from '#abi/posix/signal.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import {
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WNOHANG,
  WSTOPSIG,
  WTERMSIG,
  WUNTRACED,
} from '#abi/posix/wait.ts'
import { OsError } from '../libc/errno.ts'
import { close, dup2, raw, wait4 } from '../libc/syscall.ts'
import { TCSADRAIN, type Termios, tcgetattr, tcsetattr } from '../libc/termios.ts'
import { Interrupted } from './errors.ts'
import type { Shell } from './shell.ts'
import { action, childSignals, strsignal } from './signals.ts'

export interface JobProcess {
  readonly pid: number
  /** wait4's, of its end. */
  status: number | undefined
  readonly text: string
}

export interface Job {
  readonly id: number
  readonly text: string
  readonly processes: JobProcess[]
  background: boolean
  state: 'running' | 'stopped' | 'done'
  stopSignal: number
  pgid: number
  /** The user has not been told yet. */
  changed: boolean
}

/** Jobs that a shell remembers. */
const JOBS_MAX = 1000

export class Jobs {
  list: Job[] = []
  /** Job control: each job is a process group. */
  control = false
  /** The terminal, for tcsetpgrp. */
  tty = -1
  /** The shell's own group. */
  pgid = 0
  /** How the terminal was when the shell took it. */
  termios: Termios | undefined
  /** Warned of stopped jobs: the next exit is meant. */
  warned = false
  /** The most recent first. */
  #recent: Job[] = []

  add(text: string, background: boolean): Job {
    const used = new Set(this.list.map(({ id }) => id))
    let id = 1
    while (used.has(id)) id++
    return { id, text, processes: [], background, state: 'running', stopSignal: 0, pgid: 0, changed: false }
  }

  /** Put `job` on the list, where `jobs` shows it. */
  keep(job: Job): void {
    if (!this.list.includes(job)) {
      this.list.push(job)
      this.list.sort((a, b) => a.id - b.id)
    }
    this.#recent = [job, ...this.#recent.filter((other) => other !== job)]
  }

  forget(job: Job): void {
    this.list = this.list.filter((other) => other !== job)
    this.#recent = this.#recent.filter((other) => other !== job)
  }

  get current(): Job | undefined {
    return this.#recent.find(({ state }) => state === 'stopped') ?? this.#recent[0]
  }

  get previous(): Job | undefined {
    const { current } = this
    const rest = this.#recent.filter((job) => job !== current)
    return rest.find(({ state }) => state === 'stopped') ?? rest[0]
  }

  /** A job has gone to the background. */
  *started(sh: Shell, job: Job): Sys<void> {
    yield* pollJobs(sh)
    if (!sh.interactive)
      for (const old of [...this.list]) if (old.state === 'done' && this.list.length >= JOBS_MAX) this.forget(old)
    this.keep(job)
    if (sh.interactive && sh.bash) yield* sh.err(`[${job.id}] ${job.processes.at(-1)!.pid}\n`)
  }

  /** `%1`, `%+`, `%-`, `%name`, `%?text`, or a pid. A string: what is wrong. */
  find(spec: string | undefined, bash: boolean): Job | string {
    if (spec === undefined || spec === '%' || spec === '%%' || spec === '%+' || spec === '+')
      return this.current ?? (bash ? `${spec ?? 'current'}: no such job` : 'No current job')
    if (spec === '%-') return this.previous ?? (bash ? '%-: no such job' : 'No previous job')
    const none = bash ? `${spec}: no such job` : `No such job: ${spec}`
    if (!spec.startsWith('%')) {
      const pid = Number(spec)
      return this.list.find(({ processes }) => processes.some((process) => process.pid === pid)) ?? none
    }
    const what = spec.slice(1)
    if (/^[0-9]+$/.test(what)) return this.list.find(({ id }) => id === Number(what)) ?? none
    const hits = this.list.filter(({ text }) =>
      what.startsWith('?') ? text.includes(what.slice(1)) : text.startsWith(what),
    )
    if (hits.length > 1) return bash ? `${spec}: ambiguous job spec` : `${spec}: ambiguous`
    return hits[0] ?? none
  }

  /** As `jobs` lists them: by number, or, as dash has it, the most recent first. */
  listed(bash: boolean): Job[] {
    return bash ? [...this.list] : [...this.#recent]
  }

  get stopped(): boolean {
    return this.list.some(({ state }) => state === 'stopped')
  }
}

const exitCode = (status: number): number => (WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status))

/** A child's first act: its process group, its signals, its own (empty) list of jobs. */
export function* enterChild(
  child: Shell,
  parent: Shell,
  pgid: number,
  where: 'foreground' | 'background',
  control: boolean,
): Sys<void> {
  const jobs = new Jobs()
  child.jobs = jobs
  if (control) {
    yield* raw(SYSCALL_NR.setpgid, 0, pgid)
    // The parent does the same: whoever is first, the group is there before the terminal is given to it.
    if (where === 'foreground') yield* raw(SYSCALL_NR.ioctl, parent.jobs.tty, TIOCSPGRP, pgid || (yield* pidOf()))
  }
  yield* childSignals(child, parent)
  child.options.delete('m')
  child.interactive = false
  if (where === 'background' && !control) {
    for (const signo of [SIGINT, SIGQUIT]) if (!child.traps.has(signo)) yield* action(signo, SIG_IGN)
    child.ignoredAtEntry.add(SIGINT).add(SIGQUIT)
    if (pgid === 0) {
      const fd = yield* raw(SYSCALL_NR.open, '/dev/null', O_RDONLY, 0)
      if (typeof fd === 'number' && fd > 0) {
        yield* dup2(fd, 0)
        yield* close(fd)
      }
    }
  }
}

function* pidOf(): Sys<number> {
  return (yield* raw(SYSCALL_NR.getpid)) as number
}

/** The parent's side of a new process of a job. */
export function* groupJob(sh: Shell, job: Job, pid: number, inBackground: boolean): Sys<void> {
  if (job.pgid === 0) job.pgid = pid
  yield* raw(SYSCALL_NR.setpgid, pid, job.pgid)
  if (!inBackground && job.pgid === pid) yield* raw(SYSCALL_NR.ioctl, sh.jobs.tty, TIOCSPGRP, pid)
}

/** A command substitution's process. */
export function* reapChild(sh: Shell, pid: number): Sys<number> {
  void sh
  for (;;) {
    try {
      return exitCode((yield* wait4(pid, 0)).status)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === ECHILD) return 127
      if (error.errno !== EINTR) throw error
    }
  }
}

function update(job: Job, process: JobProcess, status: number): void {
  if (WIFCONTINUED(status)) {
    if (job.state === 'stopped') job.state = 'running'
    return
  }
  if (WIFSTOPPED(status)) {
    job.state = 'stopped'
    job.stopSignal = WSTOPSIG(status)
    job.changed = true
    return
  }
  process.status = status
  if (job.processes.every((each) => each.status !== undefined)) {
    job.state = 'done'
    job.changed = true
  }
}

/** Until a foreground job has ended or stopped. The result is its status. */
export function* waitForJob(sh: Shell, job: Job): Sys<number> {
  const { jobs } = sh
  const options = jobs.control ? WUNTRACED : 0
  for (const process of job.processes) {
    while (process.status === undefined && job.state === 'running') {
      try {
        const { status } = yield* wait4(process.pid, options)
        update(job, process, status)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno === ECHILD) update(job, process, 127 << 8)
        else if (error.errno !== EINTR) throw error
      }
    }
  }
  if (jobs.control) yield* raw(SYSCALL_NR.ioctl, jobs.tty, TIOCSPGRP, jobs.pgid)
  if (job.state === 'stopped') {
    job.background = true
    jobs.keep(job)
    yield* restoreTerminal(sh)
    if (sh.bash) {
      yield* sh.err(`\n${describe(sh, job)}\n`)
      job.changed = false
    }
    return 128 + job.stopSignal
  }
  jobs.forget(job)
  const status = job.processes.at(-1)?.status ?? 0
  if (WIFSIGNALED(status)) {
    yield* restoreTerminal(sh)
    yield* tellSignal(sh, job, WTERMSIG(status))
  }
  return exitCode(status)
}

/** A killed program leaves the terminal as it was: the shell wants its own settings. */
function* restoreTerminal(sh: Shell): Sys<void> {
  const { tty, termios, control } = sh.jobs
  if (control && termios) {
    try {
      yield* tcsetattr(tty, TCSADRAIN, termios)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
}

export function* tellSignal(sh: Shell, job: Job, signo: number): Sys<void> {
  if (signo === SIGINT) {
    if (sh.interactive && !sh.sub) yield* sh.err('\n')
    return
  }
  if (signo === SIGPIPE) return
  if (sh.bash && !sh.interactive)
    yield* sh.err(`${sh.prefix()}${job.processes.at(-1)!.pid} ${strsignal(signo).padEnd(23)} ${job.text}\n`)
  else yield* sh.err(`${strsignal(signo)}\n`)
}

/** Look which jobs have changed, without waiting. */
export function* pollJobs(sh: Shell): Sys<void> {
  for (const job of sh.jobs.list)
    for (const process of job.processes) {
      if (process.status !== undefined) continue
      const result = yield* raw(SYSCALL_NR.wait4, process.pid, WNOHANG | (sh.jobs.control ? WUNTRACED | 8 : 0))
      if (typeof result === 'number') {
        if (result === -ECHILD) update(job, process, 127 << 8)
      } else {
        const { pid, status } = result as { pid: number; status: number }
        if (pid !== 0) update(job, process, status)
      }
    }
}

/** What has happened since the last prompt. */
export function* notify(sh: Shell): Sys<void> {
  if (sh.jobs.list.length === 0) return
  yield* pollJobs(sh)
  for (const job of [...sh.jobs.list]) {
    if (job.changed) {
      job.changed = false
      yield* sh.err(`${describe(sh, job)}\n`)
    }
    if (job.state === 'done') sh.jobs.forget(job)
  }
}

function stateText(sh: Shell, job: Job): string {
  if (job.state === 'running') return 'Running'
  if (job.state === 'stopped') return sh.bash ? 'Stopped' : strsignal(job.stopSignal)
  const status = job.processes.at(-1)?.status ?? 0
  if (WIFSIGNALED(status)) return strsignal(WTERMSIG(status))
  const code = WEXITSTATUS(status)
  return code === 0 ? 'Done' : sh.bash ? `Exit ${code}` : `Done(${code})`
}

export function describe(sh: Shell, job: Job, withPid = false): string {
  const mark = job === sh.jobs.current ? '+' : job === sh.jobs.previous ? '-' : ' '
  const state = stateText(sh, job)
  const pid = withPid ? `${job.processes.at(-1)!.pid} ` : ''
  if (sh.bash)
    return `[${job.id}]${mark}  ${withPid ? pid : ''}${state.padEnd(24)}${job.text}${job.state === 'running' ? ' &' : ''}`
  const head = `[${job.id}] ${mark} ${pid}${state}`
  return `${head}${' '.repeat(Math.max(1, 33 - head.length))}${job.text}`
}

/** Go on with a stopped job. */
export function* resume(sh: Shell, job: Job, foreground: boolean): Sys<void> {
  job.state = 'running'
  job.changed = false
  job.background = !foreground
  if (foreground && sh.jobs.control) yield* raw(SYSCALL_NR.ioctl, sh.jobs.tty, TIOCSPGRP, job.pgid)
  yield* raw(SYSCALL_NR.kill, job.pgid ? -job.pgid : job.processes[0]!.pid, SIGCONT)
}

/** Take the terminal and put the shell into a group of its own. False: there is no job control here. */
export function* takeTerminal(sh: Shell): Sys<boolean> {
  const { jobs } = sh
  let tty = -1
  for (const fd of [2, 0, 1]) {
    const result = yield* raw(SYSCALL_NR.ioctl, fd, TCGETS, 0)
    if (result instanceof Uint8Array) {
      tty = fd
      break
    }
  }
  if (tty < 0) return false
  // A descriptor that redirections do not touch.
  const kept = yield* raw(SYSCALL_NR.fcntl, tty, 0, 10)
  if (typeof kept !== 'number' || kept < 0) return false
  yield* raw(SYSCALL_NR.fcntl, kept, 2, 1)
  const group = yield* raw(SYSCALL_NR.ioctl, kept, TIOCGPGRP, 0)
  if (!(group instanceof Uint8Array)) {
    yield* close(kept)
    return false
  }
  jobs.tty = kept
  jobs.pgid = sh.pid
  jobs.control = true
  for (const signo of [20, 21, 22]) yield* action(signo, SIG_IGN)
  yield* raw(SYSCALL_NR.setpgid, 0, sh.pid)
  yield* raw(SYSCALL_NR.ioctl, kept, TIOCSPGRP, sh.pid)
  jobs.termios = yield* tcgetattr(kept)
  return true
}

/** `wait`: until a background job has ended. A signal with a trap ends it early. */
export function* waitBackground(sh: Shell, job: Job): Sys<number> {
  for (const process of job.processes)
    while (process.status === undefined && job.state !== 'stopped') {
      try {
        const { status } = yield* wait4(process.pid, sh.jobs.control ? WUNTRACED : 0)
        update(job, process, status)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno === ECHILD) update(job, process, 127 << 8)
        else if (sh.interrupted) {
          sh.interrupted = false
          throw new Interrupted()
        } else if (sh.caught.length > 0) return 128 + sh.caught[0]!
      }
    }
  if (job.state === 'stopped') return 128 + job.stopSignal
  return exitCode(job.processes.at(-1)?.status ?? 0)
}
