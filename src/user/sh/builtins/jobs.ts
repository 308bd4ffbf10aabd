/** Builtins about processes: jobs, fg, bg, wait, kill, trap, times. */
import { ESRCH } from '#abi/posix/errno.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { WIFSIGNALED } from '#abi/posix/wait.ts'
import { strerror } from '../../libc/errno.ts'
import { raw, times } from '../../libc/syscall.ts'
import { ShellError } from '../errors.ts'
import { describe, type Job, pollJobs, resume, tellSignal, waitBackground, waitForJob } from '../jobs.ts'
import type { Shell } from '../shell.ts'
import { SIGNAL_COUNT, setTrap, signalName, signalNumber } from '../signals.ts'
import { quoted } from './quoted.ts'
import { type Builtin, options } from './types.ts'

function jobOf(sh: Shell, spec: string | undefined): Job {
  const job = sh.jobs.find(spec, sh.bash)
  if (typeof job === 'string') throw new ShellError(job, sh.bash ? 1 : 2)
  return job
}

function* jobs(sh: Shell, argv: readonly string[]): Sys<number> {
  const { set, rest } = options(sh, argv, 'lprs')
  yield* pollJobs(sh)
  const wanted = rest.length > 0 ? rest.map((spec) => jobOf(sh, spec)) : sh.jobs.listed(sh.bash)
  let text = ''
  for (const job of wanted) {
    if (set.has('r') && job.state !== 'running') continue
    if (set.has('s') && job.state !== 'stopped') continue
    text += set.has('p') ? `${job.processes[0]!.pid}\n` : `${describe(sh, job, set.has('l'))}\n`
    job.changed = false
  }
  for (const job of wanted) if (job.state === 'done') sh.jobs.forget(job)
  return yield* sh.out(text)
}

function* foreground(sh: Shell, argv: readonly string[]): Sys<number> {
  if (!sh.jobs.control) {
    if (sh.bash || argv[1] !== undefined)
      throw new ShellError(sh.bash ? 'no job control' : `No such job: ${argv[1]}`, sh.bash ? 1 : 2)
  }
  const job = jobOf(sh, argv[1])
  yield* sh.out(`${job.text}\n`)
  yield* resume(sh, job, true)
  return yield* waitForJob(sh, job)
}

function* backgroundJobs(sh: Shell, argv: readonly string[]): Sys<number> {
  if (!sh.jobs.control && sh.bash) throw new ShellError('no job control', 1)
  for (const spec of argv.length > 1 ? argv.slice(1) : [undefined]) {
    const job = jobOf(sh, spec)
    sh.jobs.keep(job)
    yield* resume(sh, job, false)
    const mark = job === sh.jobs.current ? '+' : job === sh.jobs.previous ? '-' : ' '
    yield* sh.out(sh.bash ? `[${job.id}]${mark} ${job.text} &\n` : `[${job.id}] ${job.text}\n`)
  }
  return 0
}

function* wait(sh: Shell, argv: readonly string[]): Sys<number> {
  const { rest } = options(sh, argv, '')
  if (rest.length === 0) {
    for (const job of [...sh.jobs.list]) {
      if (job.state === 'stopped') continue
      const status = yield* waitBackground(sh, job)
      if (sh.caught.length > 0) return status
      if (!sh.interactive || !job.changed) sh.jobs.forget(job)
    }
    return 0
  }
  let status = 0
  for (const spec of rest) {
    if (!/^%|^[0-9]+$/.test(spec))
      throw new ShellError(
        sh.bash ? `\`${spec}': not a pid or valid job spec` : `Illegal number: ${spec}`,
        sh.bash ? 1 : 2,
      )
    const job = sh.jobs.find(spec, sh.bash)
    if (typeof job === 'string') {
      if (spec.startsWith('%')) throw new ShellError(job)
      if (sh.bash) yield* sh.complain(`pid ${spec} is not a child of this shell`)
      status = 127
      continue
    }
    status = yield* waitBackground(sh, job)
    if (sh.caught.length > 0) return status
    if (!sh.interactive) {
      sh.jobs.forget(job)
      if (status > 128 && !sh.bash && WIFSIGNALED(job.processes.at(-1)?.status ?? 0))
        yield* tellSignal(sh, job, status - 128)
    }
  }
  return status
}

function* kill(sh: Shell, argv: readonly string[]): Sys<number> {
  let args = argv.slice(1)
  let signo = 15
  const first = args[0]
  const usage = (): never => {
    throw new ShellError(
      sh.bash
        ? 'usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]'
        : 'Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]',
    )
  }
  if (first === '-l' || first === '-L') {
    if (args.length > 1) {
      let text = ''
      for (const word of args.slice(1)) {
        const n = signalNumber(word)
        const code = /^[0-9]+$/.test(word) ? Number(word) : -1
        if (code > 128 && code - 128 <= SIGNAL_COUNT) text += `${signalName(code - 128)}\n`
        else if (n < 0)
          throw new ShellError(
            sh.bash ? `${word}: invalid signal specification` : `invalid signal number or exit status: ${word}`,
          )
        else text += code >= 0 ? `${signalName(n)}\n` : `${n}\n`
      }
      return yield* sh.out(text)
    }
    let text = sh.bash ? '' : '0\n'
    for (let n = 1; n <= SIGNAL_COUNT; n++)
      text += sh.bash
        ? `${String(n).padStart(2)}) SIG${signalName(n)}${n % 4 === 0 || n === SIGNAL_COUNT ? '\n' : '\t'}`
        : `${signalName(n)}\n`
    return yield* sh.out(text)
  }
  if (first === '-s' || (first === '-n' && sh.bash)) {
    const name = args[1] ?? usage()
    signo = signalNumber(name)
    if (signo < 0)
      throw new ShellError(sh.bash ? `${name}: invalid signal specification` : `invalid signal number or name: ${name}`)
    args = args.slice(2)
  } else if (first !== undefined && first.length > 1 && first.startsWith('-') && first !== '--') {
    signo = signalNumber(first.slice(1))
    if (signo < 0)
      throw new ShellError(sh.bash ? `${first.slice(1)}: invalid signal specification` : `Illegal option -${first[1]}`)
    args = args.slice(1)
  }
  if (args[0] === '--') args = args.slice(1)
  if (args.length === 0) usage()
  let status = 0
  for (const spec of args) {
    let pid: number
    if (spec.startsWith('%')) {
      const job = sh.jobs.find(spec, sh.bash)
      if (typeof job === 'string') {
        yield* sh.complain(job)
        status = 1
        continue
      }
      pid = job.pgid ? -job.pgid : job.processes[0]!.pid
      // A stopped job must run to meet its end.
      if (job.state === 'stopped' && (signo === 15 || signo === 1)) yield* raw(SYSCALL_NR.kill, pid, 18)
    } else {
      if (!/^-?[0-9]+$/.test(spec))
        throw new ShellError(sh.bash ? `${spec}: arguments must be process or job IDs` : `Illegal number: ${spec}`)
      pid = Number(spec)
    }
    const result = (yield* raw(SYSCALL_NR.kill, pid, signo)) as number
    if (result < 0) {
      if (sh.bash) yield* sh.complain(`(${pid}) - ${strerror(-result)}`)
      else yield* sh.complain(`${strerror(-result || ESRCH)}\n`)
      status = 1
    }
  }
  return status
}

function* trap(sh: Shell, argv: readonly string[]): Sys<number> {
  const args = argv.slice(argv[1] === '--' ? 2 : 1)
  if (args.length === 0 || (args.length === 1 && args[0] === '-p')) {
    let text = ''
    for (const signo of [...sh.traps.keys()].sort((a, b) => a - b))
      text += `trap -- ${quoted(sh.traps.get(signo)!)} ${sh.bash && signo ? 'SIG' : ''}${signalName(signo)}\n`
    return yield* sh.out(text)
  }
  if (sh.bash && args[0] === '-l') return yield* kill(sh, ['kill', '-l'])
  let command: string | undefined = args[0]
  let names = args.slice(1)
  if (/^[0-9]+$/.test(args[0]!) || args.length === 1) {
    command = undefined
    names = args
  } else if (command === '-') command = undefined
  let status = 0
  for (const name of names) {
    const signo = signalNumber(name)
    if (signo < 0) {
      if (sh.bash) yield* sh.complain(`${name}: invalid signal specification`)
      else yield* sh.err(`trap: ${name}: bad trap\n`)
      status = 1
      continue
    }
    yield* setTrap(sh, signo, command)
  }
  return status
}

function clock(ns: number, bash: boolean): string {
  const minutes = Math.floor(ns / 60e9)
  const seconds = (ns - minutes * 60e9) / 1e9
  return `${minutes}m${seconds.toFixed(bash ? 3 : 6)}s`
}

export const jobBuiltins: readonly Builtin[] = [
  { name: 'jobs', run: jobs },
  { name: 'fg', run: foreground },
  { name: 'bg', run: backgroundJobs },
  { name: 'wait', run: wait },
  { name: 'kill', run: kill },
  { name: 'trap', special: true, run: trap },
  {
    name: 'times',
    special: true,
    *run(sh) {
      const [user, system, childUser, childSystem] = (yield* times()).map((ns) => clock(ns, sh.bash))
      return yield* sh.out(`${user} ${system}\n${childUser} ${childSystem}\n`)
    },
  },
]
