/**
 * The access trace (design D9): every committed change, for whoever shows the store from outside, who folds the lines into a tree. A line for each
 * change, in the order in which they took place, fields separated by tabs:
 *
 *   set  DOMID  CONNECTION  PATH  PERMS  VALUE     the node exists and is like this; PERMS as `n0,r5`
 *   rm   DOMID  CONNECTION  PATH                   the node is gone, with all below it
 *   new                                           the daemon has started: the store is empty but for what follows
 *
 * DOMID is whose connection it was (0: a socket or dom0's kernel), CONNECTION its number. In VALUE a backslash is `\\`, tab, newline and carriage
 * return are `\t`, `\n`, `\r`, and other bytes outside printable ASCII `\xhh`. Paths need no escapes. A transaction's changes come when it is
 * committed, each path once, as it is then.
 */
import { xsPermToString } from '../libxs/perms.ts'
import type { Connection } from './connection.ts'
import { isChild, type Node, type Tree } from './tree.ts'

/** What became of a path: is there, is gone, or is there again after it was gone. */
export type Access = 'set' | 'rm' | 'again'

export type AccessTrace = (line: string) => void

/** A transaction remembers. What lay below a removed node is not worth telling any more. */
export function remember(accesses: Map<string, Access>, path: string, removed: boolean): void {
  const before = accesses.get(path)
  if (!removed) {
    if (before === 'rm') accesses.set(path, 'again')
    else if (!before) accesses.set(path, 'set')
    return
  }
  for (const other of accesses.keys()) if (isChild(other, path)) accesses.delete(other)
  accesses.set(path, 'rm')
}

export function traceAccess(trace: AccessTrace, conn: Connection, tree: Tree, path: string, access: Access): void {
  const who = `${conn.id}\t${conn.serial}\t${path}`
  if (access !== 'set') trace(`rm\t${who}\n`)
  const node = access === 'rm' ? undefined : tree.get(path)
  if (node) trace(`set\t${who}\t${fields(node)}\n`)
}

/** The whole store, for a listener that has just come. */
export function traceAll(trace: AccessTrace, tree: Tree): void {
  trace('new\n')
  for (const [path, node] of tree.walk()) trace(`set\t0\t0\t${path}\t${fields(node)}\n`)
}

const fields = ({ perms, value }: Node): string => `${perms.map(xsPermToString).join(',')}\t${escaped(value)}`

const NAMED: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const escaped = (value: string): string =>
  value.replace(
    /[^ -[\]-~]/g,
    (character) => NAMED[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
