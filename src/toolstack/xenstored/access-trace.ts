/**
 * The access trace (design D9): every committed change, for whoever shows the store from outside, who folds the lines into a tree. A line for each
 * change, in the order in which they took place, fields separated by tabs:
 *
 *   set  DOMID  CONNECTION  PATH  PERMS  VALUE     the node exists and is like this; PERMS as `n0,r5`
 *   rm   DOMID  CONNECTION  PATH                   the node is gone, with all below it
 *   new                                           the daemon has started: the store is empty but for what follows
 *   conn DOMID  CONNECTION  PID   NAME            who has connected to the socket: before the first change that comes by this connection
 *
 * DOMID is whose connection it was (0: a socket or dom0's kernel), CONNECTION its number. In VALUE a backslash is `\\`, tab, newline and carriage
 * return are `\t`, `\n`, `\r`, and other bytes outside printable ASCII `\xhh`. Paths need no escapes. A transaction's changes come when it is
 * committed, each path once, as it is then.
 */
import { xsPermsText } from '../libxs/perms.ts'
import type { Connection } from './connection.ts'
import { isChild, type Node, type Tree } from './tree.ts'

/** What became of a path: is there, is gone, or is there again after it was gone. */
export type Access = 'set' | 'rm' | 'again'

export type AccessTrace = (line: string) => void

/** What is told of a node. */
type Told = Pick<Node, 'perms' | 'value'>

/** A transaction remembers. What lay below a removed node is not worth telling any more. */
export function remember(accesses: Map<string, Access>, path: string, removed: boolean): void {
  const before = accesses.get(path)
  if (!removed) {
    if (before === 'rm') {
      // It is its parent's youngest child now.
      accesses.delete(path)
      accesses.set(path, 'again')
    } else if (!before) accesses.set(path, 'set')
    return
  }
  for (const other of accesses.keys()) if (isChild(other, path)) accesses.delete(other)
  accesses.set(path, 'rm')
}

/** `node`: how it is now, if it is there. */
export function traceAccess(
  trace: AccessTrace,
  conn: Connection,
  path: string,
  access: Access,
  node: Told | undefined,
): void {
  const who = `${conn.id}\t${conn.serial}\t${path}`
  if (access !== 'set') trace(`rm\t${who}\n`)
  if (node) trace(`set\t${who}\t${fields(node)}\n`)
}

/** The whole store, for a listener that has just come. */
export function traceAll(trace: AccessTrace, tree: Tree): void {
  trace('new\n')
  for (const [path, node] of tree.walk()) trace(`set\t0\t0\t${path}\t${fields(node)}\n`)
}

/** conn: `name` is the program's. */
export const connLine = ({ id, serial, pid }: Connection, name: string): string =>
  `conn\t${id}\t${serial}\t${pid}\t${escaped(name)}\n`

const fields = ({ perms, value }: Told): string => `${xsPermsText(perms)}\t${escaped(value)}`

const NAMED: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** Most values need no escapes, and a regular expression takes longer to find that out. */
function isPlain(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 32 || code > 126 || code === 92) return false
  }
  return true
}

const escaped = (value: string): string =>
  isPlain(value)
    ? value
    : value.replace(
        /[^ -[\]-~]/g,
        (character) => NAMED[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
      )
