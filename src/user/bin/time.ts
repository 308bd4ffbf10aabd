/** time of GNU time 1.7: /usr/bin/time. The shell's keyword of that name is another one. */
import { RUSAGE_CHILDREN } from '#abi/posix/resource.ts'
import { CLOCK_MONOTONIC, type Sys } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFEXITED, WTERMSIG } from '#abi/posix/wait.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { execvp, waitpid } from '../libc/process.ts'
import { program } from '../libc/program.ts'
import { eprint } from '../libc/stdio.ts'
import { clock_gettime, fork, getrusage } from '../libc/syscall.ts'

const DEFAULT = '%Uuser %Ssystem %Eelapsed %PCPU'
const POSIX = 'real %e\nuser %U\nsys %S'

export const time = program({
  name: 'time',
  usage: 'time [-p] [-f FORMAT] COMMAND [ARG]...',
  help: [
    'Run COMMAND, and then say how long it took and what it used.',
    '  -f FORMAT   %e seconds, %E the same as a clock, %U in user mode, %S in the kernel, %P of the CPU, %C command, %x status',
    '  -p          three lines, as POSIX has them',
  ].join('\n'),
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), '+pf:', { portability: 'p', 'format:': 'f' })
    if (error !== undefined || operands.length === 0) {
      yield* eprint(
        `${error === undefined ? '' : `time: ${error}\n`}Usage: time [-apvV] [-f format] [-o file] [--append] [--verbose]\n` +
          '       [--portability] [--format=format] [--output=file] [--version]\n       [--help] command [arg...]\n',
      )
      return 1
    }
    const format = options.some(({ code }) => code === 'p')
      ? POSIX
      : (options.findLast(({ code }) => code === 'f')?.value ?? DEFAULT)
    return yield* measure(operands, env, format)
  },
})

function* measure(command: readonly string[], env: readonly string[], format: string): Sys<number> {
  const [seconds, ns] = yield* clock_gettime(CLOCK_MONOTONIC)
  const child = yield* fork(function* () {
    try {
      return yield* execvp(command[0]!, command, env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`time: cannot run ${command[0]}: ${strerror(error.errno)}\n`)
      return error.errno === 2 ? 127 : 126
    }
  })
  const { status } = yield* waitpid(child)
  const [endSeconds, endNs] = yield* clock_gettime(CLOCK_MONOTONIC)
  const { utimeNs, stimeNs } = yield* getrusage(RUSAGE_CHILDREN)
  const real = Math.max(0, endSeconds - seconds + (endNs - ns) / 1e9)
  const code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)
  if (!WIFEXITED(status)) yield* eprint(`Command terminated by signal ${WTERMSIG(status)}\n`)
  else if (code !== 0) yield* eprint(`Command exited with non-zero status ${code}\n`)
  const hours = Math.floor(real / 3600)
  const minutes = Math.floor(real / 60) % 60
  const rest = (Math.floor(real * 100) / 100) % 60
  const short = rest.toFixed(2).padStart(5, '0')
  const values: Readonly<Record<string, string>> = {
    e: real.toFixed(2),
    E: hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${short.slice(0, 2)}` : `${minutes}:${short}`,
    U: (utimeNs / 1e9).toFixed(2),
    S: (stimeNs / 1e9).toFixed(2),
    P: real > 0 ? `${Math.floor((100 * (utimeNs + stimeNs)) / 1e9 / real)}%` : '?%',
    C: command.join(' '),
    x: String(code),
    '%': '%',
  }
  const text = format.replace(/%(.)|\\([nt\\])/g, (_, letter: string | undefined, escaped: string | undefined) =>
    letter !== undefined ? (values[letter] ?? `?${letter}`) : escaped === 'n' ? '\n' : escaped === 't' ? '\t' : '\\',
  )
  yield* eprint(`${text}\n`)
  return code
}
