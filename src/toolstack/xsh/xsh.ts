/** xsh: a shell whose file system is XenStore. No Xen has had it; the tools' manual is xenstore-ls(1). */
import { O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { SIGINT } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { getenv } from '#user/libc/env.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { getopt } from '#user/libc/getopt.ts'
import { program } from '#user/libc/program.ts'
import { eprint, isatty, readFile, STDIN, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { close, open, rt_sigaction } from '#user/libc/syscall.ts'
import { screenColumns } from '#user/libc/termios.ts'
import { COMMANDS, parse } from './commands.ts'
import { XshReader } from './reader.ts'
import { Interrupted, Refusal, Session } from './session.ts'
import { commandsOf, WordsFault } from './words.ts'

const HISTORY_MAX = 500
const INTERRUPTED_STATUS = 130

export const xsh = program({
  name: 'xsh',
  usage: 'xsh [-s] [-c COMMANDS]',
  help: `Walk through XenStore as through a file system: ls, cd, cat, write, rm, chmod, watch and more; \`help' there lists them. TAB completes commands and paths, and what watches tell is printed as it comes. In a guest it begins at the guest's own keys. Without a terminal it reads commands from standard input. The status is the last command's.
  -c COMMANDS   do these (separated by \`;' or newlines), and end
  -s, --socket  talk to the daemon over its socket, not through the kernel
  -h, --help    this text`,
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), 'c:hs', { help: 'h', socket: 's' })
    if (error !== undefined || operands.length > 0) {
      yield* eprint(`xsh: ${error ?? `extra operand \`${operands[0]}'`}\nUsage: ${xsh.usage}\n`)
      return 2
    }
    const has = (code: string): boolean => options.some((option) => option.code === code)
    if (has('h')) {
      yield* writeAll(STDOUT, bytesOfString(`Usage: ${xsh.usage}\n${xsh.help}\n`))
      return 0
    }
    const commands = options.findLast(({ code }) => code === 'c')?.value
    const xs = new Session(has('s'), env, commands === undefined && (yield* isatty(STDIN)))
    try {
      yield* xs.open()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      yield* eprint(`xsh: ${error.message}\n`)
      return 1
    }
    yield* xs.settle()
    const onTerminal = yield* isatty(STDOUT)
    if (onTerminal && getenv(env, 'TERM') !== 'dumb') xs.colour()
    const measure = function* (): Sys<void> {
      if (onTerminal) xs.columns = yield* screenColumns(STDOUT, [])
    }
    yield* measure()
    if (commands === undefined) yield* converse(xs, env, measure)
    else yield* execute(xs, commands)
    yield* xs.out.flush()
    return xs.status
  },
})

/** Lines until the input ends. */
function* converse(xs: Session, env: readonly string[], measure: () => Sys<void>): Sys<void> {
  const { interactive } = xs
  const file = `${getenv(env, 'HOME') ?? ''}/.xsh_history`
  const history = interactive ? yield* load(file) : []
  const reader = new XshReader(xs, history)
  if (interactive) yield* rt_sigaction(SIGINT, interrupt(xs), 0, 0)
  while (!xs.ended) {
    try {
      xs.interrupted = false
      yield* xs.out.flush()
      const line = yield* reader.line(interactive ? `xenstore:${xs.style.path(xs.cwd)}> ` : '')
      if (line === undefined) {
        if (interactive) yield* eprint('exit\n')
        break
      }
      remember(history, line)
      yield* measure()
      yield* execute(xs, line)
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
      xs.status = INTERRUPTED_STATUS
      yield* eprint('\n')
    }
  }
  if (interactive) yield* save(file, history)
}

/** The command that runs is to end at its next answer. */
const interrupt = (xs: Session) =>
  function* (): Sys<void> {
    xs.interrupted = true
  }

/** The commands of a line, one after the other, whatever became of those before. */
function* execute(xs: Session, text: string): Sys<void> {
  let commands: string[][]
  try {
    commands = commandsOf(text)
  } catch (error) {
    if (!(error instanceof WordsFault)) throw error
    yield* eprint(`xsh: ${error.message}\n`)
    xs.status = 2
    return
  }
  for (const words of commands) {
    if (xs.ended) return
    yield* perform(xs, words)
    yield* xs.hear()
    yield* xs.out.flush()
  }
}

function* perform(xs: Session, [name = '', ...words]: readonly string[]): Sys<void> {
  const command = COMMANDS.get(name)
  if (!command) {
    yield* eprint(`xsh: ${name}: command not found\n`)
    xs.status = 127
    return
  }
  try {
    if (name !== 'exit') {
      yield* xs.revive()
      xs.status = 0
    }
    yield* command.run(parse(command, words, xs))
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof OsError)) throw error
    yield* xs.out.flush()
    yield* eprint(`${name}: ${error instanceof OsError ? strerror(error.errno) : error.message}\n`)
    xs.status = error instanceof Refusal ? error.status : 1
  }
}

function* load(file: string): Sys<string[]> {
  try {
    return (yield* readFile(file))
      .split('\n')
      .filter((line) => line !== '')
      .slice(-HISTORY_MAX)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return []
  }
}

function remember(history: string[], line: string): void {
  const text = line.replace(/\n$/, '')
  if (text.trim() === '' || text === history.at(-1)) return
  history.push(text)
  if (history.length > HISTORY_MAX) history.shift()
}

/** A root that may only be read keeps none. */
function* save(file: string, history: readonly string[]): Sys<void> {
  if (history.length === 0) return
  try {
    const fd = yield* open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    yield* writeAll(fd, bytesOfString(`${history.join('\n')}\n`))
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}
