/** xm shell and xm serve. */
import { POLLIN } from '#abi/posix/poll.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { In, STDIN, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { connect, poll, read, socket } from '#user/libc/syscall.ts'
import { XML_RPC_SOCKET } from '../xmlrpc/client.ts'
import { ExitXm } from './errors.ts'
import type { Xm } from './xm.ts'

/** shlex.split, without its comments: words, quotes, backslashes. */
function split(line: string): string[] {
  const words: string[] = []
  for (const [, single, double, bare] of line.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:[^\s'"\\]|\\.)+)/g))
    words.push(single ?? (double ?? bare ?? '').replace(/\\(.)/g, '$1'))
  return words
}

/** `run` looks a word up and runs it; false if there is no such command. */
export function* shell(xm: Xm, run: (name: string, args: readonly string[]) => Sys<boolean>): Sys<void> {
  const input = new In(STDIN)
  yield* xm.print('The Xen Master. Type "help" for a list of functions.')
  for (;;) {
    yield* xm.out.print('xm> ')
    yield* xm.out.flush()
    const line = yield* input.line()
    if (line === undefined) {
      yield* xm.print('')
      throw new ExitXm(0)
    }
    const words = split(line)
    if (words[0] === 'xm') words.shift()
    const [name, ...args] = words
    if (name === undefined) continue
    if (name === 'help') yield* xm.help(args[0] ?? '')
    else if (!(yield* run(name, args))) yield* xm.print(`*** Unknown command: ${name}`)
  }
}

const CHUNK = 4096

/** Bytes both ways between the standard streams and xend. */
export function* serve(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'serve', 0)
  const fd = yield* socket(AF_UNIX, SOCK_STREAM, 0)
  yield* connect(fd, sockaddrUn(XML_RPC_SOCKET))
  for (;;) {
    const ready = yield* poll([STDIN, POLLIN, fd, POLLIN], -1)
    for (const [from, to, revents] of [
      [fd, STDOUT, ready[1]],
      [STDIN, fd, ready[0]],
    ] as const) {
      if (!revents) continue
      const bytes = yield* read(from, CHUNK)
      if (bytes.length === 0) return
      yield* writeAll(to, bytes)
    }
  }
}
