/** kill(1), pgrep(1), pkill(1), killall(1): signals by number or name. */

import { ESRCH } from '#abi/posix/errno.ts'
import {
  NSIG,
  SIGABRT,
  SIGALRM,
  SIGBUS,
  SIGCHLD,
  SIGCONT,
  SIGFPE,
  SIGHUP,
  SIGILL,
  SIGINT,
  SIGIO,
  SIGKILL,
  SIGPIPE,
  SIGPROF,
  SIGPWR,
  SIGQUIT,
  SIGSEGV,
  SIGSTKFLT,
  SIGSTOP,
  SIGSYS,
  SIGTERM,
  SIGTRAP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGUSR1,
  SIGUSR2,
  SIGVTALRM,
  SIGWINCH,
  SIGXCPU,
  SIGXFSZ,
} from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { program } from '../libc/program.ts'
import { getpwnam } from '../libc/pwd.ts'
import { eprint, Out, STDOUT } from '../libc/stdio.ts'
import { getpid, kill as killCall } from '../libc/syscall.ts'
import { answering, Exit, type Run, utility } from '../libc/utility.ts'
import { compileRegex } from '../regex/regex.ts'
import { RegexError } from '../regex/syntax.ts'
import { allProcs, type Proc, ttyNumber } from './procps/proc.ts'

const SIGNALS: readonly (readonly [name: string, number: number])[] = [
  ['HUP', SIGHUP],
  ['INT', SIGINT],
  ['QUIT', SIGQUIT],
  ['ILL', SIGILL],
  ['TRAP', SIGTRAP],
  ['ABRT', SIGABRT],
  ['BUS', SIGBUS],
  ['FPE', SIGFPE],
  ['KILL', SIGKILL],
  ['USR1', SIGUSR1],
  ['SEGV', SIGSEGV],
  ['USR2', SIGUSR2],
  ['PIPE', SIGPIPE],
  ['ALRM', SIGALRM],
  ['TERM', SIGTERM],
  ['STKFLT', SIGSTKFLT],
  ['CHLD', SIGCHLD],
  ['CONT', SIGCONT],
  ['STOP', SIGSTOP],
  ['TSTP', SIGTSTP],
  ['TTIN', SIGTTIN],
  ['TTOU', SIGTTOU],
  ['URG', SIGURG],
  ['XCPU', SIGXCPU],
  ['XFSZ', SIGXFSZ],
  ['VTALRM', SIGVTALRM],
  ['PROF', SIGPROF],
  ['WINCH', SIGWINCH],
  ['IO', SIGIO],
  ['PWR', SIGPWR],
  ['SYS', SIGSYS],
]

/** `9`, `KILL` or `SIGKILL`. */
export function signalNumber(text: string): number | undefined {
  if (/^[0-9]+$/.test(text)) return Number(text) < NSIG ? Number(text) : undefined
  const name = text.toUpperCase().replace(/^SIG/, '')
  return SIGNALS.find(([known]) => known === name)?.[1]
}

const KILL_USAGE = `usage: kill [ -s signal | -p ] [ -a ] pid ...
       kill -l [ signal ]
`

/** util-linux 2.13's: numbers, or names of processes. */
export const kill = answering(
  program({
    name: 'kill',
    usage: 'kill [ -s signal | -p ] [ -a ] pid ...\nkill -l [ signal ]',
    help: `Send a signal, TERM by default, to each process.

  -s SIGNAL, -SIGNAL   which signal, by name or number
  -l [SIGNAL]          list names, or the name of a number
  -p                   print process numbers, send nothing
`,
    *main(argv) {
      const out = new Out(STDOUT)
      const args = argv.slice(1)
      let signo = SIGTERM
      let only = false
      while (args[0]?.startsWith('-') && args[0] !== '-') {
        const arg = args.shift()!
        if (arg === '--') break
        if (arg === '--help') {
          yield* out.print(KILL_USAGE)
          yield* out.flush()
          return 0
        }
        if (arg === '-l') {
          const which = args[0]
          if (which === undefined) yield* out.line(SIGNALS.map(([name]) => name).join(' '))
          else {
            const found = SIGNALS.find(([, number]) => number === Number(which) % 128)
            if (!found) {
              yield* eprint(`kill: unknown signal ${which}\n`)
              return 1
            }
            yield* out.line(found[0])
          }
          yield* out.flush()
          return 0
        }
        if (arg === '-p') only = true
        else if (arg !== '-a') {
          const name = arg === '-s' ? args.shift() : arg.slice(1)
          const number = name === undefined ? undefined : signalNumber(name)
          if (number === undefined) {
            yield* eprint(`kill: unknown signal ${name ?? ''}; valid signals:\n${SIGNALS.map(([n]) => n).join(' ')}\n`)
            return 1
          }
          signo = number
        }
      }
      if (args.length === 0) {
        yield* eprint(KILL_USAGE)
        return 1
      }
      let failures = 0
      for (const arg of args) {
        const pids = /^-?[0-9]+$/.test(arg)
          ? [Number(arg)]
          : (yield* allProcs()).filter(({ comm }) => comm === arg).map(({ pid }) => pid)
        if (pids.length === 0) {
          yield* eprint(`kill: can't find process "${arg}"\n`)
          failures++
        }
        for (const pid of pids) {
          if (only) {
            yield* out.line(String(pid))
            continue
          }
          try {
            yield* killCall(pid, signo)
          } catch (error) {
            if (!(error instanceof OsError)) throw error
            yield* eprint(`kill ${pid}: ${strerror(error.errno)}\n`)
            failures++
          }
        }
      }
      yield* out.flush()
      return failures > 0 ? 1 : 0
    },
  }),
  'kill (util-linux 2.13-pre7)',
)

/** `-KILL` and `-9` before getopt sees them. */
const signalFirst = (args: readonly string[]): readonly string[] =>
  args.map((arg) =>
    /^-(?:[0-9]+|[A-Z][A-Z0-9]+)$/.test(arg) && signalNumber(arg.slice(1)) !== undefined ? `-s${arg.slice(1)}` : arg,
  )

/** psmisc 22.2's. */
export const killall = utility({
  name: 'killall',
  usage: 'killall [ -eIgiqrvw ] [ -SIGNAL ] NAME...',
  help: `  -e   require exact match for very long names
  -I   case insensitive process name match
  -i   ask for confirmation before killing
  -l   list all known signal names
  -q   don't print complaints
  -s   send this signal instead of SIGTERM
  -v   report if the signal was successfully sent
`,
  version: '(PSmisc) 22.2',
  short: 's:eIilqv',
  prepare: signalFirst,
  *main(run) {
    if (run.has('l')) {
      yield* run.out.line(SIGNALS.map(([name]) => name).join(' '))
      return 0
    }
    const wanted = run.value('s')
    const signo = wanted === undefined ? SIGTERM : signalNumber(wanted)
    if (signo === undefined) throw new Exit(1, `${wanted}: unknown signal; ${run.name} -l lists signals.`)
    if (run.operands.length === 0) {
      yield* eprint(`usage: killall [ OPTIONS ] [ -- ] name ...\n`)
      return 1
    }
    const me = yield* getpid()
    const fold = (text: string) => (run.has('I') ? text.toLowerCase() : text)
    for (const name of run.operands) {
      let found = false
      const short = name.slice(name.lastIndexOf('/') + 1)
      for (const proc of yield* allProcs()) {
        if (proc.pid === me || fold(proc.comm) !== fold(short).slice(0, 15)) continue
        found = true
        try {
          yield* killCall(proc.pid, signo)
          if (run.has('v')) yield* eprint(`Killed ${name}(${proc.pid}) with signal ${signo}\n`)
        } catch (error) {
          if (!(error instanceof OsError)) throw error
          if (error.errno !== ESRCH) yield* eprint(`${name}(${proc.pid}): ${strerror(error.errno)}\n`)
          run.status = 1
        }
      }
      if (!found) {
        if (!run.has('q')) yield* eprint(`${name}: no process killed\n`)
        run.status = 1
      }
    }
    return run.status
  },
})

function* matches(run: Run): Sys<Proc[]> {
  const pattern = run.operands[0]
  const selects = ['u', 'U', 'P', 't', 'g', 's'].some((code) => code !== 's' && run.has(code))
  if (run.operands.length > 1) throw new Exit(2, 'only one pattern can be provided')
  if (pattern === undefined && !selects) throw new Exit(2, 'No matching criteria specified')
  let regex: ReturnType<typeof compileRegex> | undefined
  try {
    if (pattern !== undefined)
      regex = compileRegex(pattern, { extended: true, strict: true, whole: run.has('x') ? 'line' : undefined })
  } catch (error) {
    if (error instanceof RegexError) throw new Exit(2, error.message)
    throw error
  }
  const values = (code: string) => run.value(code)?.split(',')
  const users: number[] = []
  for (const word of [...(values('u') ?? []), ...(values('U') ?? [])]) {
    const uid = /^[0-9]+$/.test(word) ? Number(word) : (yield* getpwnam(word))?.uid
    if (uid === undefined) throw new Exit(2, `invalid user name: ${word}`)
    users.push(uid)
  }
  const ttys: (number | undefined)[] = []
  for (const word of values('t') ?? []) ttys.push(yield* ttyNumber(word))
  const me = yield* getpid()
  const fits = (proc: Proc): boolean =>
    (!regex || regex.test(run.has('f') ? proc.argv.join(' ') || proc.comm : proc.comm)) &&
    (users.length === 0 || users.includes(run.has('U') ? proc.uid : proc.euid)) &&
    (!values('P') || values('P')!.includes(String(proc.ppid))) &&
    (!values('g') || values('g')!.includes(String(proc.pgrp))) &&
    (ttys.length === 0 || ttys.includes(proc.tty))
  let found = (yield* allProcs()).filter((proc) => proc.pid !== me && fits(proc) !== run.has('v'))
  if (run.has('n')) found = found.sort((a, b) => b.start - a.start || b.pid - a.pid).slice(0, 1)
  if (run.has('o')) found = found.sort((a, b) => a.start - b.start || a.pid - b.pid).slice(0, 1)
  return found
}

const PGREP_SHORT = 'fvxnou:U:P:t:g:'

export const pgrep = utility({
  name: 'pgrep',
  usage:
    'pgrep [-flvx] [-d DELIM] [-n|-o] [-P PPIDLIST] [-g PGRPLIST] [-u EUIDLIST] [-U UIDLIST] [-t TERMLIST] [PATTERN]',
  help: `Print the numbers of processes whose names match PATTERN.

  -f   match against the whole command line    -l   print names too
  -v   the others    -x   exactly    -n   the newest    -o   the oldest
`,
  version: '(procps version 3.2.7)',
  short: `${PGREP_SHORT}ld:`,
  usageStatus: 2,
  *main(run) {
    const found = yield* matches(run)
    const text = found.map((p) =>
      run.has('l') ? `${p.pid} ${run.has('f') ? p.argv.join(' ') || p.comm : p.comm}` : `${p.pid}`,
    )
    if (text.length > 0) yield* run.out.line(text.join(run.value('d') ?? '\n'))
    return found.length > 0 ? 0 : 1
  },
})

export const pkill = utility({
  name: 'pkill',
  usage:
    'pkill [-SIGNAL] [-fvx] [-n|-o] [-P PPIDLIST] [-g PGRPLIST] [-u EUIDLIST] [-U UIDLIST] [-t TERMLIST] [PATTERN]',
  help: `Send a signal, TERM by default, to processes whose names match PATTERN. Options are pgrep's.
`,
  version: '(procps version 3.2.7)',
  short: `${PGREP_SHORT}s:`,
  usageStatus: 2,
  prepare: signalFirst,
  *main(run) {
    const signo = signalNumber(run.value('s') ?? 'TERM') ?? SIGTERM
    const found = yield* matches(run)
    for (const { pid } of found) {
      try {
        yield* killCall(pid, signo)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno !== ESRCH) yield* eprint(`${run.name}: ${pid} - ${strerror(error.errno)}\n`)
      }
    }
    return found.length > 0 ? 0 : 1
  },
})
