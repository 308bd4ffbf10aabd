/** Who may do what with a node (xenstored_core.c: perm_for_conn, get_node), and which names a node may have. */
import { EACCES, EINVAL, ENOENT } from '#abi/posix/errno.ts'
import { XENSTORE_ABS_PATH_MAX } from '#abi/xen/io/xs_wire.ts'
import { XS_PERM_OWNER, XS_PERM_READ, XS_PERM_WRITE, type XsPermission } from '../libxs/perms.ts'
import type { Connection } from './connection.ts'
import type { Node, Tree } from './tree.ts'

const NAME = /^(\/|(\/[-A-Za-z0-9_@]+)+)$/

export const isValidNodename = (path: string): boolean => path.length <= XENSTORE_ABS_PATH_MAX && NAME.test(path)

/** What the connection may do with a node of these permissions. */
export function permsFor({ id, target, canWrite }: Connection, perms: readonly XsPermission[]): number {
  const mask = XS_PERM_READ | XS_PERM_OWNER | (canWrite ? XS_PERM_WRITE : 0)
  const first = perms[0]!
  if (id === 0 || first.id === id || first.id === target) return mask
  for (let i = 1; i < perms.length; i++) {
    const perm = perms[i]!
    if (perm.id === id || perm.id === target) return perm.perms & mask
  }
  return first.perms & mask
}

/**
 * The node, if the connection has all of `wanted` there; else an errno. It tells nothing of what the caller may not see: whether a node is missing
 * is said only to those who have rights on the nearest node above it that exists.
 */
export function getNode(conn: Connection, tree: Tree, path: string | undefined, wanted: number): Node | number {
  if (path === undefined || path[0] !== '/' || (path.length > 1 && path.endsWith('/'))) return EINVAL
  const node = tree.get(path)
  if (node) return (permsFor(conn, node.perms) & wanted) === wanted ? node : EACCES
  // A node that exists has a valid name: most requests need not look.
  if (!isValidNodename(path)) return EINVAL
  return permsFor(conn, tree.nearest(path).node.perms) & wanted ? ENOENT : EACCES
}
