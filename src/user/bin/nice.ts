/** nice(1) and nohup(1). */
import { ENOENT } from '#abi/posix/errno.ts'
import { O_APPEND, O_CREAT, O_WRONLY } from '#abi/posix/fcntl.ts'
import { SIG_IGN, SIGHUP } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { getenv } from '../libc/env.ts'
import { OsError } from '../libc/errno.ts'
import { execvp } from '../libc/process.ts'
import { quote } from '../libc/quote.ts'
import { eprint, isatty, STDERR, STDIN, STDOUT } from '../libc/stdio.ts'
import { close, dup2, getpriority, open, rt_sigaction, setpriority } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

const COMMON = `      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`

const PRIO_PROCESS = 0

function* become(run: Run, command: readonly string[], missing: number): Sys<number> {
  try {
    return yield* execvp(command[0]!, command, run.env)
  } catch (error) {
    yield* run.warn(error, command[0])
    return error instanceof OsError && error.errno === ENOENT ? 127 : missing
  }
}

export const nice = utility({
  name: 'nice',
  usage: 'nice [OPTION] [COMMAND [ARG]...]',
  help: `Run COMMAND with an adjusted scheduling priority.
With no COMMAND, print the current scheduling priority.  ADJUST is 10
by default.  Range goes from -20 (highest priority) to 19 (lowest).

  -n, --adjustment=ADJUST   increment priority by ADJUST first
${COMMON}`,
  short: '+n:',
  long: { 'adjustment:': 'n' },
  // `nice -5`, `nice --5`.
  prepare: (args) => (/^-[-+]?\d+$/.test(args[0] ?? '') ? ['-n', args[0]!.slice(1), ...args.slice(1)] : args),
  *main(run) {
    const text = run.value('n')
    if (text !== undefined && !/^[-+]?\d+$/.test(text)) throw new UsageError(`invalid priority ${quote(text)}`)
    // The system call answers 20 - nice, so that it is never negative.
    const current = 20 - (yield* getpriority(PRIO_PROCESS, 0))
    if (run.operands.length === 0) {
      if (text !== undefined) throw new UsageError('a command must be given with an adjustment')
      yield* run.out.line(String(current))
      return 0
    }
    const wanted = Math.min(19, Math.max(-20, current + (text === undefined ? 10 : Number(text))))
    try {
      yield* setpriority(PRIO_PROCESS, 0, wanted)
    } catch (error) {
      yield* run.warn(error, 'cannot set priority')
      return 1
    }
    return yield* become(run, run.operands, 126)
  },
})

export const nohup = utility({
  name: 'nohup',
  usage: 'nohup COMMAND [ARG]...\nnohup OPTION',
  help: `Run COMMAND, ignoring hangup signals.

${COMMON}`,
  short: '+',
  usageStatus: 127,
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing operand')
    const outTerminal = yield* isatty(STDOUT)
    const errTerminal = yield* isatty(STDERR)
    if (yield* isatty(STDIN)) {
      // Reading what is open for writing only fails: as it should.
      yield* close(STDIN)
      yield* open('/dev/null', O_WRONLY, 0)
    }
    if (outTerminal) {
      const name = yield* openOutput(run)
      yield* eprint(`${run.name}: appending output to ${quote(name)}\n`)
    }
    if (errTerminal) yield* dup2(STDOUT, STDERR)
    yield* rt_sigaction(SIGHUP, SIG_IGN, 0, 0)
    return yield* become(run, run.operands, 126)
  },
})

/** nohup.out here, else at home. */
function* openOutput(run: Run): Sys<string> {
  const home = getenv(run.env, 'HOME')
  for (const name of home === undefined ? ['nohup.out'] : ['nohup.out', `${home}/nohup.out`]) {
    try {
      const fd = yield* open(name, O_CREAT | O_WRONLY | O_APPEND, 0o600)
      yield* dup2(fd, STDOUT)
      yield* close(fd)
      return name
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* run.warn(error, `failed to open ${quote(name)}`)
    }
  }
  throw new Exit(127)
}
