/**
 * The frame of a GNU program: options by getopt_long, --help and --version from the record, standard output closed as gnulib's close_stdout
 * does, complaints in error(3)'s form.
 */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from './errno.ts'
import { getopt, type Option } from './getopt.ts'
import type { Program } from './program.ts'
import { describe, eprint, isatty, Out, STDIN, STDOUT, WriteError } from './stdio.ts'

/** Ends the program with `status`, after saying `message` if there is one. */
export class Exit extends Error {
  readonly status: number
  constructor(status: number, message = '') {
    super(message)
    this.status = status
  }
}

/** `usage(EXIT_FAILURE)`: the message, and then where help is. */
export class UsageError extends Error {
  /** The program's usual one, if it is undefined. */
  readonly status: number | undefined
  constructor(message = '', status?: number) {
    super(message)
    this.status = status
  }
}

/** What a program's `main` works with. */
export class Run {
  /** argv[0], as typed: what complaints begin with. */
  readonly name: string
  readonly options: readonly Option[]
  readonly operands: readonly string[]
  readonly env: readonly string[]
  /** Standard output; flushed after `main`. */
  readonly out: Out
  /** What `main` may return: 0 until something is complained about. */
  status: number

  constructor(name: string, options: readonly Option[], operands: readonly string[], env: readonly string[]) {
    this.name = name
    this.options = options
    this.operands = operands
    this.env = env
    this.out = new Out(STDOUT)
    this.status = 0
  }

  has(code: string): boolean {
    return this.options.some((option) => option.code === code)
  }

  /** The value of the last such option. */
  value(code: string): string | undefined {
    return this.options.findLast((option) => option.code === code)?.value
  }

  /** Whether somebody could be asked. */
  stdinIsTerminal(): Sys<boolean> {
    return isatty(STDIN)
  }

  /** `error(0, 0, text)`: and the status becomes `status`. */
  *complain(text: string, status = 1): Sys<void> {
    yield* this.out.flush()
    yield* eprint(`${this.name}: ${text}\n`)
    this.status = status
  }

  /** `error(0, errno, what)`; without `what` the path of the failed call. Rethrows what is no OsError. */
  *warn(error: unknown, what?: string, status = 1): Sys<void> {
    if (error instanceof WriteError || isExhausted(error) || isForkless(error)) throw error
    yield* this.complain(describe(error, what), status)
  }
}

/** xalloc_die(): brk found no more memory. */
const isExhausted = (error: unknown): boolean => error instanceof OsError && error.call === 'brk'

/** No more processes: nothing that the next file could change. */
const isForkless = (error: unknown): boolean => error instanceof OsError && error.call === 'fork'

export interface Utility {
  readonly name: string
  readonly usage: string
  readonly help: string
  /** What `--version` says behind the name; GNU coreutils' by default. */
  readonly version?: string
  /** getopt's string; a leading `+` stops at the first operand. */
  readonly short?: string
  readonly long?: Readonly<Record<string, string>>
  /** Rewrites arguments of old forms (`head -5`) before getopt sees them. */
  readonly prepare?: (args: readonly string[]) => readonly string[]
  /** The status of a usage error, and of a failed write: 1 if nothing is said. */
  readonly usageStatus?: number
  /** Returns the status; nothing: what complaints made of it. */
  main(run: Run): Sys<number | undefined>
}

const COREUTILS = '(GNU coreutils) 5.97'

/** A program after the manner of GNU: options are parsed, --help and --version answered, output is flushed before its status. */
export function utility(record: Utility): Program {
  const { name, usage, help } = record
  const failure = record.usageStatus ?? 1
  const long = { ...record.long, help: '--help', version: '--version' }
  return {
    name,
    usage,
    help,
    *main(argv, env) {
      const called = argv[0] ?? name
      const args = argv.slice(1)
      const { options, operands, error } = getopt(
        record.prepare ? record.prepare(args) : args,
        record.short ?? '',
        long,
      )
      const run = new Run(called, options, operands, env)
      const asked = options.find(({ code }) => code === '--help' || code === '--version')
      try {
        if (asked) yield* run.out.print(asked.code === '--help' ? helpText(record, called) : versionText(record))
        else if (error !== undefined) throw new UsageError(error)
        else run.status = (yield* record.main(run)) ?? run.status
        yield* run.out.flush()
        return run.status
      } catch (caught) {
        if (caught instanceof WriteError) {
          yield* eprint(`${called}: write error: ${strerror(caught.errno)}\n`)
          return failure
        }
        yield* run.out.flush()
        if (caught instanceof UsageError) {
          yield* eprint(
            `${caught.message ? `${called}: ${caught.message}\n` : ''}Try \`${called} --help' for more information.\n`,
          )
          return caught.status ?? failure
        }
        if (caught instanceof Exit) {
          if (caught.message) yield* eprint(`${called}: ${caught.message}\n`)
          return caught.status
        }
        if (!(caught instanceof OsError)) throw caught
        if (isExhausted(caught)) yield* eprint(`${called}: memory exhausted\n`)
        else if (isForkless(caught)) yield* eprint(`${called}: cannot fork: ${strerror(caught.errno)}\n`)
        else yield* eprint(`${called}: ${describe(caught)}\n`)
        return failure
      }
    },
  }
}

/** `--help` and `--version` for programs without this frame. `version` is the whole line; without one the program does not know the option. */
export const answering = (record: Program, version?: string): Program => ({
  ...record,
  *main(argv, env) {
    const text =
      argv[1] === '--help'
        ? helpText(record)
        : argv[1] === '--version' && version !== undefined
          ? `${version}\n`
          : undefined
    if (text === undefined) return yield* record.main(argv, env)
    const out = new Out(STDOUT)
    yield* out.print(text)
    return yield* finish(record.name, out, 0)
  },
})

/** close_stdout() for programs without this frame: flush, and complain if that fails. */
export function* finish(name: string, out: Out, status: number): Sys<number> {
  try {
    yield* out.flush()
    return status
  } catch (error) {
    if (!(error instanceof WriteError)) throw error
    yield* eprint(`${name}: write error: ${strerror(error.errno)}\n`)
    return 1
  }
}

/** What --help prints. */
export function helpText({ name, usage, help }: Pick<Utility, 'name' | 'usage' | 'help'>, called = name): string {
  const forms = usage.split('\n').map((form, i) => (i === 0 ? 'Usage: ' : '  or:  ') + form.replace(name, called))
  return `${forms.join('\n')}\n${help.trimEnd()}\n`
}

const versionText = ({ name, version }: Utility): string => `${name} ${version ?? COREUTILS}\n`
