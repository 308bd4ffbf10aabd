/** What each tool does with its operands (xenstore_client.c: perform). A row a mode. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { eprint, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { XS_PERM_NONE, XS_PERM_READ, XS_PERM_WRITE, type XsPermission } from '../libxs/perms.ts'
import {
  type XsHandle,
  xsDirectory,
  xsRead,
  xsReadWatch,
  xsRm,
  xsSetPermissions,
  xsWatch,
  xsWrite,
} from '../libxs/xs.ts'
import { sanitise, unsanitise } from './escape.ts'
import { Exit } from './exit.ts'

export interface Call {
  readonly h: XsHandle
  readonly t: number
  /** What complaints begin with. */
  readonly name: string
  readonly operands: readonly string[]
  /** Options, by letter. */
  readonly flags: ReadonlySet<string>
  /** -n of watch: so many events; -1: for ever. */
  readonly count: number
  /** Printed at the end; a transaction that begins anew begins it anew. */
  readonly output: string[]
}

export interface Mode {
  /** Behind the program's name, and the mode where that is an operand. */
  readonly usage: string
  /** Letters of the options that it knows besides -h and -s. */
  readonly flags: string
  /** Whether so many operands are done in a transaction. */
  transaction(operands: number): boolean
  /** The status. */
  perform(call: Call): Sys<number>
}

/** The value, or undefined where the daemon refuses. */
function* attempt<T>(call: Sys<T>): Sys<T | undefined> {
  try {
    return yield* call
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return undefined
  }
}

/** warnx */
function* failed({ name }: Call, text: string): Sys<number> {
  yield* eprint(`${name}: ${text}\n`)
  return 1
}

function* read(call: Call): Sys<number> {
  for (const path of call.operands) {
    const value = yield* attempt(xsRead(call.h, call.t, path))
    if (value === undefined) return yield* failed(call, `couldn't read path ${path}`)
    call.output.push(`${call.flags.has('p') ? `${path}: ` : ''}${sanitise(value)}\n`)
  }
  return 0
}

function* write(call: Call): Sys<number> {
  const { h, t, operands } = call
  for (let i = 0; i < operands.length; i += 2)
    if (!(yield* done(xsWrite(h, t, operands[i]!, unsanitise(operands[i + 1]!)))))
      return yield* failed(call, `could not write path ${operands[i]}`)
  return 0
}

function* done(call: Sys<void>): Sys<boolean> {
  try {
    yield* call
    return true
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}

function* rm(call: Call): Sys<number> {
  const { h, t } = call
  for (const operand of call.operands)
    for (let path: string | undefined = operand; path !== undefined; ) {
      if (!(yield* done(xsRm(h, t, path)))) return yield* failed(call, `could not remove path ${path}`)
      path = call.flags.has('t') ? yield* emptyParent(h, t, path) : undefined
    }
  return 0
}

/** The directory above, if it has neither value nor children. */
function* emptyParent(h: XsHandle, t: number, path: string): Sys<string | undefined> {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return undefined
  const parent = path.slice(0, slash)
  if ((yield* attempt(xsRead(h, t, parent))) !== '') return undefined
  return (yield* attempt(xsDirectory(h, t, parent)))?.length === 0 ? parent : undefined
}

function* exists(call: Call): Sys<number> {
  for (const path of call.operands) if ((yield* attempt(xsRead(call.h, call.t, path))) === undefined) return 1
  return 0
}

function* list(call: Call): Sys<number> {
  for (const path of call.operands) {
    const names = yield* attempt(xsDirectory(call.h, call.t, path))
    if (!names) return yield* failed(call, `could not list path ${path}`)
    for (const name of names) call.output.push(`${call.flags.has('p') ? `${path}/` : ''}${name}\n`)
  }
  return 0
}

const PERMS_MAX = 16
/** Of a path below the one that is named: the real tool's buffer. */
const PATH_MAX = 255

const LETTERS: Readonly<Record<string, number>> = {
  n: XS_PERM_NONE,
  r: XS_PERM_READ,
  w: XS_PERM_WRITE,
  b: XS_PERM_READ | XS_PERM_WRITE,
}

function* chmod(call: Call): Sys<number> {
  const [path = '', ...modes] = call.operands
  const perms: XsPermission[] = []
  for (const mode of modes) {
    if (perms.length === PERMS_MAX)
      throw new Exit(1, `Too many permissions specified.  Maximum per invocation is ${PERMS_MAX}.`)
    const letter = LETTERS[mode.charAt(0)]
    if (letter === undefined) throw new Exit(1, `Invalid permission specification: '${mode.charAt(0)}'`)
    perms.push({ id: (Number.parseInt(mode.slice(1), 10) || 0) >>> 0, perms: letter })
  }
  yield* chmodOne(call, path, perms, call.flags.has('u'), call.flags.has('r'))
  return 0
}

function* chmodOne(call: Call, path: string, perms: readonly XsPermission[], up: boolean, down: boolean): Sys<void> {
  const { h, t } = call
  if (path === '') return
  try {
    yield* xsSetPermissions(h, t, path, perms)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new Exit(1, `Error occurred setting permissions on '${path}': ${strerror(error.errno)}`)
  }
  if (up) {
    const slash = path.lastIndexOf('/')
    if (slash < 0) throw new Exit(1, `Unable to locate path separator '/' in '${path}'`)
    yield* chmodOne(call, path.slice(0, slash), perms, true, false)
  }
  if (!down) return
  for (const name of (yield* attempt(xsDirectory(h, t, path))) ?? [])
    yield* chmodOne(call, `${path}/${name}`.slice(0, PATH_MAX), perms, false, true)
}

/** Prints each event's path as it comes. */
function* watch({ h, operands, count }: Call): Sys<number> {
  for (const path of operands)
    if (!(yield* done(xsWatch(h, path, path)))) throw new Exit(1, `Unable to add watch on ${path}\n`)
  for (let seen = 0; count === -1 || seen < count; seen++) {
    const { path } = yield* xsReadWatch(h)
    yield* writeAll(STDOUT, bytesOfString(`${path}\n`))
  }
  return 0
}

const always = (): boolean => true

/** By the name behind `xenstore-`. `ls` is elsewhere: it prints as it goes. */
export const MODES: ReadonlyMap<string, Mode> = new Map<string, Mode>([
  ['chmod', { usage: '[-h] [-s] key <mode [modes...]>', flags: 'ur', transaction: always, perform: chmod }],
  ['exists', { usage: '[-h] [-s] key [...]', flags: '', transaction: always, perform: exists }],
  ['list', { usage: '[-h] [-s] key [...]', flags: 'fp', transaction: always, perform: list }],
  ['read', { usage: '[-h] [-p] [-s] key [...]', flags: 'fp', transaction: (n) => n > 1, perform: read }],
  ['rm', { usage: '[-h] [-s] [-t] key [...]', flags: 't', transaction: always, perform: rm }],
  ['watch', { usage: '[-h] [-n NR] key', flags: 'n', transaction: () => false, perform: watch }],
  ['write', { usage: '[-h] [-s] key value [...]', flags: '', transaction: (n) => n > 2, perform: write }],
])
