/**
 * xenstore-control (xenstore_control.c): 3.3's has `check` alone. `print`, which 3.3's daemon knows as well, and `live-update` are today's, as are the
 * usage and what is said to other commands.
 */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { program } from '#user/libc/program.ts'
import { eprint } from '#user/libc/stdio.ts'
import { type XsHandle, xsDaemonClose, xsDaemonOpen, xsDebugCommand } from '../libxs/xs.ts'

const COMMANDS = `check
live-update    [-c <cmdline>] [-F] [-t <timeout>] [<file>]
print          <string>
`
/** -t, in seconds. */
const TIMEOUT = '60'

export const xenstoreControl = program({
  name: 'xenstore-control',
  usage: 'xenstore-control <command> [<arg>...]',
  help: `Tell xenstored to do something. (Xen 3.3 knows check alone; the others are of later ones.)
  check                 check its database: what it finds is in its trace file
  print STRING          write STRING to its trace file
  live-update [FILE]    execute itself, or FILE, in its own place; nobody notices
    -c CMDLINE          with these options instead of those it has now
    -F, -t SECONDS      accepted: open transactions are not waited for, their owners
                        are told to try again`,
  *main(argv, env) {
    const [, command, ...args] = argv
    if (command === undefined) {
      yield* eprint(`Usage:\n${argv[0]} <command> [<arg>...]\n`)
      return 2
    }
    let h: XsHandle
    try {
      h = yield* xsDaemonOpen(env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint('Failed to contact Xenstored.\n')
      return 1
    }
    const status = yield* run(h, command, args)
    yield* xsDaemonClose(h)
    return status
  },
})

function* run(h: XsHandle, command: string, args: readonly string[]): Sys<number> {
  switch (command) {
    case 'check':
    case 'print':
      try {
        yield* xsDebugCommand(h, command, args.map((arg) => `${arg}\0`).join(''))
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        // As 3.3's: the answer of a check does not matter.
        if (command === 'check') return 0
        yield* eprint(`Error ${error.errno} when trying to execute command.\n`)
        return 3
      }
      return 0
    case 'live-update':
      return yield* liveUpdate(h, args)
    default:
      yield* eprint(`Command not supported. Valid commands are:\n${COMMANDS}\n`)
      return 3
  }
}

function* liveUpdate(h: XsHandle, args: readonly string[]): Sys<number> {
  let file: string | undefined
  let commandLine: string | undefined
  let timeout = TIMEOUT
  let force = ''
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '-F') force = '-F\0'
    else if (arg === '-c' || arg === '-t') {
      const value = args[++i]
      if (value === undefined) {
        yield* eprint(`Missing ${arg === '-c' ? 'command line' : 'timeout'} value\n`)
        return 2
      }
      if (arg === '-c') commandLine = value
      else timeout = value
    } else file = arg
  }
  const steps: [failed: string, data: string][] = [['Starting live update', `-s\0-t\0${timeout}\0${force}`]]
  if (commandLine !== undefined) steps.unshift(['Setting update binary', `-c\0${commandLine}\0`])
  if (file !== undefined) steps.unshift(['Setting update binary', `-f\0${file}\0`])
  for (const [failed, data] of steps) {
    const answer = yield* said(h, data)
    if (answer === 'OK') continue
    yield* eprint(`${failed} failed:\n${answer}\n`)
    yield* said(h, '-a\0')
    return 3
  }
  return 0
}

/** The daemon's answer, or why there is none. */
function* said(h: XsHandle, data: string): Sys<string> {
  try {
    return (yield* xsDebugCommand(h, 'live-update', data)).replace(/\0$/, '')
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return strerror(error.errno)
  }
}
