/** XenStore as this kernel's drivers see it, and the devices that it makes known (Linux: include/xen/xenbus.h). */
import type { XenbusState } from '#abi/xen/io/xenbus.ts'
import type { Sleeping } from '../sched/wait.ts'

/** A transaction's id; 0: outside any. */
export type XsTransaction = number

export interface XsWatch {
  readonly node: string
  cancel(): Sleeping<void>
}

/**
 * The store (drivers/xen/xenbus/xenbus_xs.c). Paths are absolute, or relative to this domain's own directory. Values are byte strings. Each
 * fails with the daemon's errno.
 */
export interface Xenstore {
  /** xenstored has answered once: dom0's kernel starts long before it. */
  readonly ready: boolean
  directory(path: string, t?: XsTransaction): Sleeping<readonly string[]>
  read(path: string, t?: XsTransaction): Sleeping<string>
  exists(path: string, t?: XsTransaction): Sleeping<boolean>
  write(path: string, value: string, t?: XsTransaction): Sleeping<void>
  mkdir(path: string, t?: XsTransaction): Sleeping<void>
  rm(path: string, t?: XsTransaction): Sleeping<void>
  /** `body` within a transaction; again from its start where the end says EAGAIN. */
  transaction<T>(body: (t: XsTransaction) => Sleeping<T>): Sleeping<T>
  /** register_xenbus_watch: `changed` runs in the xenwatch thread, one event after the other; it may sleep, and make calls of the store. */
  watch(path: string, changed: (path: string) => Sleeping<void>): Sleeping<XsWatch>
}

/** struct xenbus_device: one half of a split device. */
export interface XenbusDevice {
  /** `vbd`, `console`. */
  readonly devicetype: string
  /** Relative to this domain's directory: `device/vbd/2049`, `backend/vbd/1/2049`. */
  readonly nodename: string
  /** The other half's directory, absolute, and its domain. */
  readonly otherend: string
  readonly otherendId: number
  /** XenbusState as this half last wrote it. */
  readonly state: XenbusState
  /** The other half's, as the watch on it last said; Unknown where it is gone. */
  readonly peerState: XenbusState
  /** A key of this half's directory; undefined where there is none. */
  read(key: string): Sleeping<string | undefined>
  /** A key of the other half's. */
  readPeer(key: string): Sleeping<string | undefined>
  /** Keys of this half's directory, in one transaction. */
  publish(keys: Readonly<Record<string, string | number>>): Sleeping<void>
  /** xenbus_switch_state */
  switchState(state: XenbusState): Sleeping<void>
  /** Sleep until the other half is in one of these states, or gone (Unknown, Closed): which it was. */
  untilPeer(...states: readonly XenbusState[]): Sleeping<XenbusState>
  /** Sleep until `key` of this half's directory has a value (a hotplug script's), or the device is removed, or its other half gone: undefined. */
  untilKey(key: string): Sleeping<string | undefined>
  /** Calls `changed` in the device's own time, whenever the other half's state changes; for a driver whose thread sleeps elsewhere. */
  onPeerChange(changed: (state: XenbusState) => void): void
  /** xenbus_dev_fatal: `<errno> <text>` to error/<nodename>/error, state Closing. */
  fatal(errno: number, text: string): Sleeping<void>
  /** xenbus_dev_error */
  error(errno: number, text: string): Sleeping<void>
  /** Its directory has been removed. */
  readonly removed: boolean
}

export interface XenbusDriver {
  /** `vbd`. */
  readonly devicetype: string
  /** The device's life from probe to Closed, in a kernel thread of its own: reads top to bottom as the handshake that it performs. */
  run(device: XenbusDevice): Sleeping<void>
}

export interface Xenbus {
  readonly store: Xenstore
  /** Directory names below device/ of this domain. */
  registerFrontend(driver: XenbusDriver): void
  /** Directory names below backend/ of this domain. */
  registerBackend(driver: XenbusDriver): void
}
