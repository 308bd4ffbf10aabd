/** What `test`, `[` and `[[` look at. */
import { R_OK, W_OK, X_OK } from '#abi/posix/fcntl.ts'
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
} from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { accessible, attributes, compareFiles } from '../coreutils/file-tests.ts'
import { isatty } from '../libc/stdio.ts'
import { getegid, geteuid } from '../libc/syscall.ts'
import { parseInteger } from './arith.ts'
import { ShellError } from './errors.ts'
import type { Shell } from './shell.ts'

export const UNARY = new Set([...'bcdefghknoprstuwxzGLOS'].map((letter) => `-${letter}`))
const BINARY = new Set(['=', '!=', '<', '>', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef'])

export const isBinary = (sh: Shell, op: string): boolean => BINARY.has(op) || (sh.bash && op === '==')

function integer(sh: Shell, text: string): number | bigint {
  const value = /^[ \t\n]*[-+]?[0-9]+[ \t\n]*$/.test(text)
    ? parseInteger(text.replace(/^([ \t\n]*[-+]?)0+(?=[0-9])/, '$1'))
    : undefined
  if (value === undefined)
    throw new ShellError(sh.bash ? `${text}: integer expression expected` : `Illegal number: ${text}`)
  return value
}

/** Operators that need no system call; undefined: it is another. */
export function pureUnary(sh: Shell, op: string, text: string): boolean | undefined {
  if (op === '-n') return text !== ''
  if (op === '-z') return text === ''
  void sh
  return undefined
}

export function pureBinary(sh: Shell, left: string, op: string, right: string): boolean | undefined {
  switch (op) {
    case '=':
      return left === right
    case '==':
      return sh.bash ? left === right : undefined
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    case '-eq':
      return integer(sh, left) === integer(sh, right)
    case '-ne':
      return integer(sh, left) !== integer(sh, right)
    case '-lt':
      return integer(sh, left) < integer(sh, right)
    case '-le':
      return integer(sh, left) <= integer(sh, right)
    case '-gt':
      return integer(sh, left) > integer(sh, right)
    case '-ge':
      return integer(sh, left) >= integer(sh, right)
    default:
      return undefined
  }
}

const KINDS: Readonly<Record<string, number>> = {
  __proto__: null as never,
  '-b': S_IFBLK,
  '-c': S_IFCHR,
  '-d': S_IFDIR,
  '-f': S_IFREG,
  '-p': S_IFIFO,
  '-S': S_IFSOCK,
}
const BITS: Readonly<Record<string, number>> = { __proto__: null as never, '-u': S_ISUID, '-g': S_ISGID, '-k': S_ISVTX }
const RIGHTS: Readonly<Record<string, number>> = { __proto__: null as never, '-r': R_OK, '-w': W_OK, '-x': X_OK }

export function* testFile(sh: Shell, op: string, text: string): Sys<boolean> {
  const pure = pureUnary(sh, op, text)
  if (pure !== undefined) return pure
  if (op === '-t') return yield* isatty(Number(integer(sh, text)))
  if (op === '-o') {
    return false
  }
  if (op === '-h' || op === '-L') return (((yield* attributes(text, true))?.mode ?? 0) & S_IFMT) === S_IFLNK
  const right = RIGHTS[op]
  if (right !== undefined) return yield* accessible(text, right)
  const found = yield* attributes(text)
  if (!found) return false
  const kind = KINDS[op]
  if (kind !== undefined) return (found.mode & S_IFMT) === kind
  const bit = BITS[op]
  if (bit !== undefined) return (found.mode & bit) !== 0
  switch (op) {
    case '-e':
      return true
    case '-s':
      return found.size > 0
    case '-O':
      return found.uid === (yield* geteuid())
    case '-G':
      return found.gid === (yield* getegid())
    case '-N':
      return found.mtime > found.atime
    default:
      return false
  }
}

export function* compare(sh: Shell, left: string, op: string, right: string): Sys<boolean> {
  const pure = pureBinary(sh, left, op, right)
  if (pure !== undefined) return pure
  return yield* compareFiles(left, op, right)
}
