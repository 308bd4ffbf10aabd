/** xsh's ls and tree. */
import { EACCES, ENOENT } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { inColumns } from '#user/terminal/line-editor.ts'
import { xsPermToString } from '../libxs/perms.ts'
import { xsGetPermissions, xsRead } from '../libxs/xs.ts'
import { sanitise } from '../xenstore/escape.ts'
import { type Call, complain, type Session } from './session.ts'
import { join, resolve } from './words.ts'

/** Behind a value that a terminal's line does not hold. */
const CUT = '..."'

/** `n0,r5`, or why it may not be seen. */
function* permissions(xs: Session, path: string): Sys<string> {
  const perms = yield* xs.attempt(xsGetPermissions(xs.h, 0, path))
  return perms instanceof OsError ? '?' : perms.map(xsPermToString).join(',')
}

/** ` = "value"`, cut where a terminal's line ends; what is refused says why. */
function* shownValue(xs: Session, path: string, before: number): Sys<string> {
  const value = yield* xs.attempt(xsRead(xs.h, 0, path))
  if (value instanceof OsError) return `: ${strerror(value.errno)}`
  const shown = ` = "${sanitise(value)}"`
  const room = xs.columns - 1 - before
  return xs.columns === 0 || shown.length <= room ? shown : `${shown.slice(0, Math.max(4, room - CUT.length))}${CUT}`
}

function* long(xs: Session, path: string, name: string): Sys<void> {
  const perms = (yield* permissions(xs, path)).padEnd(12)
  yield* xs.print(`${perms} ${xs.style.name(name)}${yield* shownValue(xs, path, perms.length + 1 + name.length)}`)
}

/** Undefined: it has been told why not. */
function* children(xs: Session, command: string, path: string, shown: string): Sys<string[] | undefined> {
  const names = yield* xs.names(path)
  if (!(names instanceof OsError)) return names
  yield* complain(xs, `${command}: ${shown}: ${strerror(names.errno)}`)
  return undefined
}

export function* ls({ xs, operands, options }: Call): Sys<void> {
  const several = operands.length > 1
  for (const [i, operand] of (operands.length > 0 ? operands : ['.']).entries()) {
    const path = resolve(xs.cwd, operand)
    if (options.has('d')) {
      const value = yield* xs.attempt(xsRead(xs.h, 0, path))
      if (value instanceof OsError && value.errno !== EACCES)
        yield* complain(xs, `ls: ${operand}: ${strerror(value.errno)}`)
      else if (options.has('l')) yield* long(xs, path, operand)
      else yield* xs.print(xs.style.name(operand))
      continue
    }
    const names = yield* children(xs, 'ls', path, operand)
    if (!names) continue
    if (several) yield* xs.print(`${i > 0 ? '\n' : ''}${operand}:`)
    if (options.has('R')) yield* below(xs, path, '', names, options.has('l'))
    else if (options.has('l')) for (const name of names) yield* long(xs, join(path, name), name)
    else if (xs.columns > 0 && names.length > 0) yield* xs.print(inColumns(names, xs.columns).replace(/\n$/, ''))
    else for (const name of names) yield* xs.print(name)
  }
}

/** Each key with its path from where the listing began. */
function* below(xs: Session, path: string, shown: string, names: readonly string[], isLong: boolean): Sys<void> {
  for (const name of names) {
    const at = join(path, name)
    const called = shown === '' ? name : `${shown}/${name}`
    if (isLong) yield* long(xs, at, called)
    else yield* xs.print(xs.style.name(called))
    yield* below(xs, at, called, yield* inner(xs, 'ls', at), isLong)
  }
}

/** Of a key that was just listed: it may be gone by now, which is nobody's fault. */
function* inner(xs: Session, command: string, path: string): Sys<string[]> {
  const names = yield* xs.names(path)
  if (!(names instanceof OsError)) return names
  if (names.errno !== ENOENT) yield* complain(xs, `${command}: ${path}: ${strerror(names.errno)}`)
  return []
}

export function* tree({ xs, operands: [operand = '.'], options }: Call): Sys<void> {
  const path = resolve(xs.cwd, operand)
  const names = yield* children(xs, 'tree', path, operand)
  if (!names) return
  yield* xs.print(xs.style.path(path))
  yield* branches(xs, path, '', names, options.get('L') ?? Number.POSITIVE_INFINITY, options.has('p'))
}

function* branches(
  xs: Session,
  path: string,
  indent: string,
  names: readonly string[],
  depth: number,
  perms: boolean,
): Sys<void> {
  if (depth === 0) return
  for (const [i, name] of names.entries()) {
    const at = join(path, name)
    const last = i === names.length - 1
    const mode = perms ? `[${yield* permissions(xs, at)}] ` : ''
    const width = indent.length + 4 + mode.length + name.length
    yield* xs.print(
      `${indent}${last ? '`-- ' : '|-- '}${mode}${xs.style.name(name)}${yield* shownValue(xs, at, width)}`,
    )
    if (depth > 1)
      yield* branches(xs, at, `${indent}${last ? '    ' : '|   '}`, yield* inner(xs, 'tree', at), depth - 1, perms)
  }
}
