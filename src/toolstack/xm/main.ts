/** xm's main: which subcommand, and what its failures look like (xm/main.py, _run_cmd). */
import { SIG_IGN, SIGINT } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { Fault } from '#lib/xmlrpc/values.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { type Program, program } from '#user/libc/program.ts'
import { eprint, WriteError } from '#user/libc/stdio.ts'
import { geteuid, rt_sigaction } from '#user/libc/syscall.ts'
import { ERROR_INVALID_DOMAIN } from '../xmlrpc/client.ts'
import { ProtocolError } from '../xmlrpc/http.ts'
import { COMMANDS, type Command, PARSERS } from './commands.ts'
import { ExitXm, InvalidArgument, OptionError, Unsupported } from './errors.ts'
import { longHelp, shortHelp } from './help.ts'
import { shell } from './shell.ts'
import { ALIASES } from './subcommands.ts'
import { type Ask, Xm } from './xm.ts'

/** By its name, its old name, or a prefix of two letters or more that only it has. */
function* lookUp(xm: Xm, name: string): Sys<Command | undefined> {
  const all: Readonly<Record<string, Command>> = { ...COMMANDS, shell: shellCommand }
  const known = Object.hasOwn(all, name) ? all[name] : undefined
  if (known) return known
  const now = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
  if (now !== undefined) {
    yield* eprint(`Command ${name} is deprecated.  Please use xm ${now} instead.\n`)
    return COMMANDS[now]
  }
  if (name === 'help') {
    yield* xm.out.print(longHelp())
    throw new ExitXm(0)
  }
  const fits = name.length > 1 ? Object.keys(all).filter((one) => one.startsWith(name)) : []
  return fits.length === 1 ? all[fits[0]!] : undefined
}

/** Run it; the exit status. */
function* runCommand(xm: Xm, command: Command, name: string, args: readonly string[]): Sys<number> {
  try {
    yield* command(xm, args)
    return 0
  } catch (error) {
    return yield* report(xm, name, error)
  }
}

/** The calls that only reach for xend's socket. */
const SOCKET_CALLS = ['socket', 'connect']

function* report(xm: Xm, name: string, error: unknown): Sys<number> {
  if (error instanceof ExitXm) return error.status
  if (error instanceof Fault) {
    if (error.code === ERROR_INVALID_DOMAIN) yield* xm.err(`Domain '${error.message}' does not exist.`)
    else {
      yield* xm.err(error.message)
      yield* xm.help(name)
    }
  } else if (error instanceof ProtocolError) {
    yield* eprint(
      error.code === -1
        ? 'Xend has probably crashed!  Invalid or missing HTTP status code.\n'
        : `Xend has probably crashed!  ProtocolError(${error.code}, ${error.message}).\n`,
    )
  } else if (error instanceof OptionError) {
    yield* xm.err(error.message)
    yield* xm.help(name)
    yield* xm.print(error.usage)
  } else if (error instanceof InvalidArgument || error instanceof RangeError) {
    // RangeError: the number is too large for the wire.
    yield* xm.err('Invalid argument.')
    yield* xm.help(name)
  } else if (error instanceof Unsupported) yield* xm.err(error.message)
  else if (error instanceof OsError && !(error instanceof WriteError)) yield* noXend(xm, error)
  else throw error
  return 1
}

function* noXend(xm: Xm, { errno, call }: OsError): Sys<void> {
  const reaching = SOCKET_CALLS.includes(call)
  if ((yield* geteuid()) !== 0)
    yield* xm.err(`Most commands need root access.${reaching ? '' : ' '} Please try again as root.`)
  else yield* xm.err(`Unable to connect to xend: ${strerror(errno)}.${reaching ? ' Is xend running?' : ''}`)
}

function* main(xm: Xm, argv: readonly string[]): Sys<number> {
  const [, name, ...args] = argv
  if (name === undefined) {
    yield* xm.out.print(shortHelp())
    return 1
  }
  for (const help of ['--help', '-h'])
    if (argv.includes(help, 1)) {
      if (help === name) yield* xm.out.print(longHelp())
      else yield* xm.help(name)
      return help === name ? 0 : 1
    }
  const command = yield* lookUp(xm, name)
  if (command) return yield* runCommand(xm, command, name, args)
  yield* xm.err(`Subcommand ${name} not found!`)
  yield* xm.out.print(shortHelp())
  return 1
}

const shellCommand: Command = (xm) =>
  shell(xm, function* (name, args) {
    const command = yield* lookUp(xm, name)
    if (command) yield* runCommand(xm, command, name, args)
    return command !== undefined
  })

/** The program; tests ask a xend of their own. */
export const xmProgram = (ask?: Ask): Program =>
  program({
    name: 'xm',
    usage: 'xm <subcommand> [args]',
    help: `Control, list, and manipulate Xen guest instances.

  xm help lists the subcommands; xm SUBCOMMAND --help explains one. A
  subcommand may be shortened to what only it begins with.`,
    *main(argv, env) {
      const xm = new Xm(env, PARSERS, ask)
      // What a script has put into the background stays deaf to ^C.
      const before = yield* rt_sigaction(SIGINT, () => xm.interrupted(), 0, 0)
      if (before === SIG_IGN) yield* rt_sigaction(SIGINT, SIG_IGN, 0, 0)
      let status: number
      try {
        status = yield* main(xm, argv)
      } catch (error) {
        if (!(error instanceof ExitXm)) throw error
        status = error.status
      }
      yield* xm.out.flush()
      return status
    },
  })

export const xm = xmProgram()
