/** xenstore-ls: the tree as a drawing, or as a list of whole paths. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { eprint, type Out } from '#user/libc/stdio.ts'
import { xsPermToString } from '../libxs/perms.ts'
import { type XsHandle, xsDirectory, xsGetPermissions, xsRead } from '../libxs/xs.ts'
import { sanitise } from './escape.ts'
import { Exit } from './exit.ts'

export interface Layout {
  readonly out: Out
  readonly name: string
  /** Of a line. Negative, as of a terminal without a size: no end. */
  readonly maxWidth: number
  /** Where permissions begin. */
  readonly desiredWidth: number
  readonly wholePath: boolean
  readonly perms: boolean
}

/** ` = "..."` */
const TAG = 8

/** `%.*s`: a negative precision is none. */
const cut = (text: string, most: number): string => (most < 0 ? text : text.slice(0, most))

/** All below `path`, depth first. */
export function* ls(h: XsHandle, path: string, depth: number, layout: Layout): Sys<void> {
  const { out, maxWidth, wholePath } = layout
  let names: string[]
  try {
    names = yield* xsDirectory(h, 0, path)
  } catch (error) {
    throw error instanceof OsError ? new Exit(1, `xs_directory (${path}): ${strerror(error.errno)}`) : error
  }
  for (const name of names) {
    const full = path.endsWith('/') ? path + name : `${path}/${name}`
    let line = wholePath ? '' : ' '.repeat(depth)
    if (!wholePath) line += cut(name, maxWidth - TAG - depth)
    const width = line.length
    if (wholePath) line = full
    const value = yield* ifAny(xsRead(h, 0, full))
    if (value === undefined) line += ':\n'
    else if (maxWidth >= 0 && maxWidth < width + value.length + TAG)
      line += ` = "${cut(sanitise(value), maxWidth - TAG - width)}\\..."`
    else {
      const shown = ` = "${sanitise(value)}"`
      line += shown
      if (layout.perms) line += ` ${dots(width + shown.length + 1, Math.min(layout.desiredWidth, maxWidth))}`
    }
    if (layout.perms) line += yield* permissions(h, full, name, layout.name)
    yield* out.print(`${line}\n`)
    yield* ls(h, full, depth + 1, layout)
  }
}

function dots(from: number, to: number): string {
  let text = ''
  for (let at = from; at < to; at++) text += at & 1 ? '.' : ' '
  return text
}

function* permissions(h: XsHandle, path: string, name: string, tool: string): Sys<string> {
  try {
    const perms = yield* xsGetPermissions(h, 0, path)
    return `  (${perms.map(xsPermToString).join(',')})`
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`${tool}: \ncould not access permissions for ${name}: ${strerror(error.errno)}\n`)
    return ''
  }
}

/** Undefined where the daemon refuses. */
function* ifAny<T>(call: Sys<T>): Sys<T | undefined> {
  try {
    return yield* call
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return undefined
  }
}
