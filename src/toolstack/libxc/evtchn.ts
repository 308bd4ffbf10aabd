/** tools/libxc/xc_evtchn.c, and the /dev/xen/evtchn half of xc_linux.c. */
import { memOf } from '#abi/mem.ts'
import { EEXIST, ENOENT } from '#abi/posix/errno.ts'
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { makedev, S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Struct, Values } from '#abi/struct.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_reset,
  EVTCHNOP_status,
  evtchn_alloc_unbound,
  evtchn_reset,
  evtchn_status,
} from '#abi/xen/event_channel.ts'
import {
  IOCTL_EVTCHN_BIND_INTERDOMAIN,
  IOCTL_EVTCHN_BIND_UNBOUND_PORT,
  IOCTL_EVTCHN_BIND_VIRQ,
  IOCTL_EVTCHN_NOTIFY,
  IOCTL_EVTCHN_UNBIND,
} from '#abi/xen/sys/evtchn.ts'
import { __HYPERVISOR_event_channel_op } from '#abi/xen/xen.ts'
import { OsError } from '#user/libc/errno.ts'
import { readFile } from '#user/libc/stdio.ts'
import { ioctl, load, mkdir, mknod, open, read, store, write } from '#user/libc/syscall.ts'
import { withErrno, XC_INTERNAL_ERROR, XcError, xcFail } from './error.ts'
import { hypercall, withMemory, type XcHandle } from './privcmd.ts'

/** do_evtchn_op. */
function* evtchnOp<F>(
  xc: XcHandle,
  cmd: number,
  layout: Struct<F>,
  values: Parameters<Struct<F>['write']>[2],
): Sys<Values<Struct<F>>> {
  return yield* withMemory(xc, layout.size, function* (at) {
    const bytes = new Uint8Array(layout.size)
    layout.write(memOf(bytes), 0, values)
    yield* store(at, bytes)
    yield* hypercall(xc, __HYPERVISOR_event_channel_op, cmd, at)
    return layout.read(memOf(yield* load(at, layout.size)), 0) as Values<Struct<F>>
  })
}

/** The failure that do_evtchn_op makes of it: ioctl's result was -1. */
function* loudly<T>(call: Sys<T>): Sys<T> {
  try {
    return yield* call
  } catch (error) {
    if (!(error instanceof XcError)) throw error
    const text = 'do_evtchn_op: HYPERVISOR_event_channel_op failed: -1'
    return yield* xcFail(error.errno, XC_INTERNAL_ERROR, text)
  }
}

/** A port of `domid` that `remoteDomid` may bind to. */
export function* xcEvtchnAllocUnbound(xc: XcHandle, domid: number, remoteDomid: number): Sys<number> {
  const values = { dom: domid, remote_dom: remoteDomid }
  return (yield* loudly(evtchnOp(xc, EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, values))).port
}

/** Close all ports of `domid`. */
export function* xcEvtchnReset(xc: XcHandle, domid: number): Sys<void> {
  yield* loudly(evtchnOp(xc, EVTCHNOP_reset, evtchn_reset, { dom: domid }))
}

/** EVTCHNSTAT_*. XcError behind the last port. */
export function* xcEvtchnStatus(xc: XcHandle, domid: number, port: number): Sys<number> {
  return (yield* evtchnOp(xc, EVTCHNOP_status, evtchn_status, { dom: domid, port })).status
}

const DEVICE = '/dev/xen/evtchn'

/** The device's number as sysfs has it: its file is made by whoever needs it first. */
function* makeDevice(): Sys<void> {
  const match = /^(\d+):(\d+)/.exec(yield* readFile('/sys/class/misc/evtchn/dev'))
  if (!match) throw new OsError(ENOENT, 'xc_find_device_number')
  try {
    yield* mkdir('/dev/xen', 0o755)
  } catch (error) {
    if (!(error instanceof OsError) || error.errno !== EEXIST) throw error
  }
  yield* mknod(DEVICE, S_IFCHR | 0o600, makedev(Number(match[1]), Number(match[2])))
}

/** xc_evtchn_open: a descriptor of /dev/xen/evtchn, to be polled and closed as any other. */
export function* xcEvtchnOpen(): Sys<number> {
  try {
    try {
      return yield* open(DEVICE, O_RDWR, 0)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== ENOENT) throw error
    }
    yield* makeDevice()
    return yield* open(DEVICE, O_RDWR, 0)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    const text = withErrno('Could not open event channel interface', error.errno)
    return yield* xcFail(error.errno, XC_INTERNAL_ERROR, text)
  }
}

const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

function* request(fd: number, nr: number, ...args: readonly number[]): Sys<number> {
  try {
    const result = yield* ioctl(fd, nr, words(...args))
    return typeof result === 'number' ? result : 0
  } catch (error) {
    throw error instanceof OsError ? new XcError(error.errno) : error
  }
}

/** Each bind's value is the local port. */
export const xcEvtchnBindInterdomain = (fd: number, domid: number, port: number): Sys<number> =>
  request(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, domid, port)
export const xcEvtchnBindUnboundPort = (fd: number, domid: number): Sys<number> =>
  request(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, domid)
export const xcEvtchnBindVirq = (fd: number, virq: number): Sys<number> => request(fd, IOCTL_EVTCHN_BIND_VIRQ, virq)
export const xcEvtchnUnbind = (fd: number, port: number): Sys<number> => request(fd, IOCTL_EVTCHN_UNBIND, port)
export const xcEvtchnNotify = (fd: number, port: number): Sys<number> => request(fd, IOCTL_EVTCHN_NOTIFY, port)

/** xc_evtchn_pending: the next port that has fired, masked until xcEvtchnUnmask. Sleeps until there is one. */
export function* xcEvtchnPending(fd: number): Sys<number> {
  const bytes = yield* read(fd, 4)
  return memOf(bytes).read32(0)
}

export function* xcEvtchnUnmask(fd: number, port: number): Sys<void> {
  yield* write(fd, words(port))
}
