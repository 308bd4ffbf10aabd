/**
 * A program of tests: listens on a unix socket and answers with what it hears.
 *
 *   echod PATH          every connection, each to its end
 *   echod PATH BYTES    closes a connection after so many bytes
 */
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { STDOUT, writeAll } from '#user/libc/stdio.ts'
import { accept, bind, close, fork, listen, read, socket } from '#user/libc/syscall.ts'

function* echo(fd: number, bytes: number): Sys<number> {
  for (let left = bytes; left > 0; ) {
    const part = yield* read(fd, Math.min(left, 8192))
    if (part.length === 0) break
    yield* writeAll(fd, part)
    left -= part.length
  }
  return 0
}

export function* main(argv: readonly string[]): Sys<number> {
  const listener = yield* socket(AF_UNIX, SOCK_STREAM, 0)
  yield* bind(listener, sockaddrUn(argv[1]!))
  yield* listen(listener, 8)
  yield* writeAll(
    STDOUT,
    Uint8Array.from('listening\n', (letter) => letter.charCodeAt(0)),
  )
  for (;;) {
    const fd = yield* accept(listener)
    yield* fork(() => echo(fd, argv[2] === undefined ? Number.POSITIVE_INFINITY : Number(argv[2])))
    yield* close(fd)
  }
}
