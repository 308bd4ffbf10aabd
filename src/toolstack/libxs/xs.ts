/**
 * libxenstore of 3.3 (tools/xenstore/xs.h): XenStore's operations over a connection. `t` is a transaction, 0 outside any. Paths and values are byte
 * strings; paths are absolute, or relative to the connection's own domain where it has one. What the daemon refuses is an OsError.
 */
import { EAGAIN, EINVAL } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  XS_DEBUG,
  XS_DIRECTORY,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_INTRODUCE,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RESUME,
  XS_RM,
  XS_SET_PERMS,
  XS_SET_TARGET,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WRITE,
} from '#abi/xen/io/xs_wire.ts'
import { OsError } from '#user/libc/errno.ts'
import { readMore, type XsEvent, type XsHandle, xsTalk } from './connection.ts'
import { type XsPermission, xsPermFromString, xsPermToString, xsStrings } from './perms.ts'

export {
  type XsEvent,
  type XsHandle,
  xsDaemonClose,
  xsDaemonOpen,
  xsDaemonOpenReadonly,
  xsDomainOpen,
} from './connection.ts'
export { XS_PERM_NONE, XS_PERM_READ, XS_PERM_WRITE, type XsPermission } from './perms.ts'

/** Names of the node's children, oldest first. */
export function* xsDirectory(h: XsHandle, t: number, path: string): Sys<string[]> {
  return xsStrings(yield* xsTalk(h, 'xs_directory', t, XS_DIRECTORY, `${path}\0`))
}

export const xsRead = (h: XsHandle, t: number, path: string): Sys<string> =>
  xsTalk(h, 'xs_read', t, XS_READ, `${path}\0`)

/** Creates what is missing of the path. */
export function* xsWrite(h: XsHandle, t: number, path: string, value: string): Sys<void> {
  yield* xsTalk(h, 'xs_write', t, XS_WRITE, `${path}\0${value}`)
}

/** A node that is there stays as it is. */
export function* xsMkdir(h: XsHandle, t: number, path: string): Sys<void> {
  yield* xsTalk(h, 'xs_mkdir', t, XS_MKDIR, `${path}\0`)
}

/** With all below it. A missing node is no error where its parent exists. */
export function* xsRm(h: XsHandle, t: number, path: string): Sys<void> {
  yield* xsTalk(h, 'xs_rm', t, XS_RM, `${path}\0`)
}

export function* xsGetPermissions(h: XsHandle, t: number, path: string): Sys<XsPermission[]> {
  const list: XsPermission[] = []
  for (const text of xsStrings(yield* xsTalk(h, 'xs_get_permissions', t, XS_GET_PERMS, `${path}\0`))) {
    const perm = xsPermFromString(text)
    if (!perm) throw new OsError(EINVAL, 'xs_get_permissions')
    list.push(perm)
  }
  return list
}

export function* xsSetPermissions(h: XsHandle, t: number, path: string, perms: readonly XsPermission[]): Sys<void> {
  let payload = `${path}\0`
  for (const perm of perms) {
    const text = xsPermToString(perm)
    if (text === undefined) throw new OsError(EINVAL, 'xs_set_permissions')
    payload += `${text}\0`
  }
  yield* xsTalk(h, 'xs_set_permissions', t, XS_SET_PERMS, payload)
}

/** An event for each change of the node or below it, and one at once. */
export function* xsWatch(h: XsHandle, path: string, token: string): Sys<void> {
  yield* xsTalk(h, 'xs_watch', 0, XS_WATCH, `${path}\0${token}\0`)
}

export function* xsUnwatch(h: XsHandle, path: string, token: string): Sys<void> {
  yield* xsTalk(h, 'xs_unwatch', 0, XS_UNWATCH, `${path}\0${token}\0`)
}

/** The oldest event; waits for one. Whoever polls the descriptor instead asks xsPending first: an event may have come with an answer. */
export function* xsReadWatch(h: XsHandle): Sys<XsEvent> {
  while (h.events.length === 0) yield* readMore(h)
  return h.events.shift()!
}

/** An event has been read off already: xsReadWatch does not wait. */
export const xsPending = (h: XsHandle): boolean => h.events.length > 0

export function* xsTransactionStart(h: XsHandle): Sys<number> {
  return Number.parseInt(yield* xsTalk(h, 'xs_transaction_start', 0, XS_TRANSACTION_START, '\0'), 10)
}

/** False: somebody else has changed the store meanwhile, nothing of this has happened, and all of it is to be done again (EAGAIN). */
export function* xsTransactionEnd(h: XsHandle, t: number, abort: boolean): Sys<boolean> {
  try {
    yield* xsTalk(h, 'xs_transaction_end', t, XS_TRANSACTION_END, abort ? 'F\0' : 'T\0')
    return true
  } catch (error) {
    if (error instanceof OsError && error.errno === EAGAIN) return false
    throw error
  }
}

/** `body` within a transaction, as often as it takes; what it throws ends the transaction and goes on. */
export function* xsTransaction<T>(h: XsHandle, body: (t: number) => Sys<T>): Sys<T> {
  for (;;) {
    const t = yield* xsTransactionStart(h)
    let result: T
    try {
      result = yield* body(t)
    } catch (error) {
      if (h.fd >= 0) yield* xsTransactionEnd(h, t, true)
      throw error
    }
    if (yield* xsTransactionEnd(h, t, false)) return result
  }
}

/** The domain's page and event channel are to be served. */
export function* xsIntroduceDomain(h: XsHandle, domid: number, mfn: number, evtchn: number): Sys<void> {
  yield* xsTalk(h, 'xs_introduce_domain', 0, XS_INTRODUCE, `${domid}\0${mfn}\0${evtchn}\0`)
}

export function* xsReleaseDomain(h: XsHandle, domid: number): Sys<void> {
  yield* xsTalk(h, 'xs_release_domain', 0, XS_RELEASE, `${domid}\0`)
}

/** The domain that was shut down runs again: its next shutdown is news. */
export function* xsResumeDomain(h: XsHandle, domid: number): Sys<void> {
  yield* xsTalk(h, 'xs_resume_domain', 0, XS_RESUME, `${domid}\0`)
}

/** `domid` may do what `target` may. */
export function* xsSetTarget(h: XsHandle, domid: number, target: number): Sys<void> {
  yield* xsTalk(h, 'xs_set_target', 0, XS_SET_TARGET, `${domid}\0${target}\0`)
}

export function* xsGetDomainPath(h: XsHandle, domid: number): Sys<string> {
  return (yield* xsTalk(h, 'xs_get_domain_path', 0, XS_GET_DOMAIN_PATH, `${domid}\0`)).replace(/\0$/, '')
}

export function* xsIsDomainIntroduced(h: XsHandle, domid: number): Sys<boolean> {
  return (yield* xsTalk(h, 'xs_is_domain_introduced', 0, XS_IS_DOMAIN_INTRODUCED, `${domid}\0`)) !== 'F\0'
}

/** xs_debug_command: `print` and `check`. */
export const xsDebugCommand = (h: XsHandle, command: string, data = ''): Sys<string> =>
  xsTalk(h, 'xs_debug_command', 0, XS_DEBUG, `${command}\0${data}`)
