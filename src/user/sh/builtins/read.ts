/** `read` (POSIX.1-2004, XCU 4). */
import { EINTR } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { read } from '../../libc/syscall.ts'
import { Interrupted, ShellError } from '../errors.ts'
import type { Shell } from '../shell.ts'
import { NAME, options } from './types.ts'

/** `read`: byte by byte, since what is behind the newline is for others. */
export function* readLine(sh: Shell, argv: readonly string[]): Sys<number> {
  const { set: flags, rest } = options(sh, argv, sh.bash ? 'rp:sn:d:' : 'rp:')
  const prompt = flags.get('p')
  if (prompt !== undefined) yield* sh.err(prompt)
  if (rest.length === 0) {
    if (!sh.bash) throw new ShellError('arg count')
    rest.push('REPLY')
  }
  for (const name of rest)
    if (!NAME.test(name))
      throw new ShellError(
        sh.bash ? `\`${name}': not a valid identifier` : `${name}: bad variable name`,
        sh.bash ? 1 : 2,
      )
  const raw = flags.has('r')
  const limit = flags.has('n') ? Number(flags.get('n')) : Number.POSITIVE_INFINITY
  const end = flags.has('d') ? flags.get('d') || '\0' : '\n'
  let text = ''
  /** `1` where a backslash stood before the character. */
  let marks = ''
  let status = 0
  for (let escaped = false; text.length < limit; ) {
    let byte: Uint8Array
    try {
      byte = yield* read(0, 1)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === EINTR) {
        if (sh.interrupted) {
          sh.interrupted = false
          throw new Interrupted()
        }
        if (sh.caught.length > 0) return 128 + sh.caught[0]!
        continue
      }
      return sh.bash ? 1 : 1
    }
    if (byte.length === 0) {
      status = 1
      break
    }
    const c = String.fromCharCode(byte[0]!)
    if (escaped) {
      escaped = false
      if (c === '\n') continue
      text += c
      marks += '1'
    } else if (c === '\\' && !raw) escaped = true
    else if (c === end) break
    else if (c !== '\0') {
      text += c
      marks += '0'
    }
    if (text.length % 65536 === 65535) {
      sh.heapBytes += 65536
      if (sh.heapBytes > sh.heapTop) yield* sh.grow()
    }
  }
  assignFields(sh, rest, text, marks)
  return status
}

/** Split what was read into the variables; the last one gets the rest. */
function assignFields(sh: Shell, names: readonly string[], text: string, marks: string): void {
  const ifs = sh.get('IFS') ?? ' \t\n'
  const blank = (i: number): boolean => marks[i] === '0' && ' \t\n'.includes(text[i]!) && ifs.includes(text[i]!)
  const separator = (i: number): boolean => marks[i] === '0' && ifs.includes(text[i]!)
  let at = 0
  while (at < text.length && blank(at)) at++
  for (const [n, name] of names.entries()) {
    if (n < names.length - 1) {
      const from = at
      while (at < text.length && !separator(at)) at++
      sh.set(name, text.slice(from, at))
      while (at < text.length && blank(at)) at++
      if (at < text.length && separator(at) && !blank(at) && !(at > 0 && from === at && false)) {
        // One separator that is no white space, with the white space around it.
        if (at > from || n >= 0) at++
        while (at < text.length && blank(at)) at++
      }
      continue
    }
    // The last: the rest without the white space at its end; a lone separator at its end goes too.
    let end = text.length
    while (end > at && blank(end - 1)) end--
    if (end > at && separator(end - 1)) {
      let inner = false
      for (let i = at; i < end - 1; i++) if (separator(i) && !blank(i)) inner = true
      let field = at
      while (field < end - 1 && !separator(field)) field++
      if (!inner && field === end - 1) end--
    }
    sh.set(name, text.slice(at, end))
  }
}
