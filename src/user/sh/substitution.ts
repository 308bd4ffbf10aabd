/** Command substitution (POSIX.1-2004, XCU 2.6.3): a subshell whose output becomes text. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { close, dup2, pipe, read } from '../libc/syscall.ts'
import type { Node } from './ast.ts'
import { Expander } from './expand.ts'
import { enterChild, reapChild } from './jobs.ts'
import { childMain, forkOrFault } from './processes.ts'
import type { Shell } from './shell.ts'

export const expander = new Expander(substitute)

/** `$(...)`. */
function* substitute(sh: Shell, body: Node): Sys<string> {
  const [reading, writing] = yield* pipe()
  const child = sh.clone()
  child.tested = 0
  let pid: number
  try {
    pid = yield* forkOrFault(sh, function* () {
      yield* enterChild(child, sh, 0, 'foreground', false)
      yield* close(reading)
      if (writing !== 1) {
        yield* dup2(writing, 1)
        yield* close(writing)
      }
      return yield* childMain(child, function* () {
        const outcome = sh.interpreter.run(child, body, true)
        return typeof outcome === 'number' ? outcome : yield* outcome
      })
    })
  } finally {
    yield* close(writing)
  }
  const parts: string[] = []
  let length = 0
  try {
    for (;;) {
      const part = yield* readAgain(reading)
      if (part.length === 0) break
      length += part.length
      if (sh.heapBytes + length > sh.heapTop) {
        sh.heapBytes += length
        try {
          yield* sh.grow()
        } finally {
          sh.heapBytes -= length
        }
      }
      parts.push(byteString(part))
    }
  } finally {
    yield* close(reading)
  }
  sh.substitutionStatus = yield* reapChild(sh, pid)
  let text = parts.join('')
  if (text.includes('\0')) text = text.replace(/\0/g, '')
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 10) end--
  return text.slice(0, end)
}

/** A trap's signal must not lose what is read. */
function* readAgain(fd: number): Sys<Uint8Array> {
  for (;;) {
    try {
      return yield* read(fd, 65536)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== 4) throw error
    }
  }
}
