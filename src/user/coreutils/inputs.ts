/** What most of the text tools begin with: their operands as open files, `-` and none being standard input. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { STDIN } from '../libc/stdio.ts'
import { close, open } from '../libc/syscall.ts'
import type { Run } from '../libc/utility.ts'

/** Visit each file; what cannot be opened or read is complained about, and the rest follows. */
export function* eachInput(
  run: Run,
  visit: (fd: number, name: string) => Sys<void>,
  names: readonly string[] = run.operands,
): Sys<void> {
  for (const name of names.length > 0 ? names : ['-']) {
    try {
      yield* withInput(name, (fd) => visit(fd, name))
    } catch (error) {
      yield* run.warn(error, name)
    }
  }
}

/** Open, use, close; standard input stays open. */
export function* withInput<T>(name: string, use: (fd: number) => Sys<T>): Sys<T> {
  const fd = name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)
  try {
    return yield* use(fd)
  } finally {
    if (fd !== STDIN) yield* close(fd)
  }
}
