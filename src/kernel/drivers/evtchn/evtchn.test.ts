import { describe, expect, test } from 'vitest'
import { EAGAIN, EFAULT, EFBIG, EINVAL, ENOSYS, ENOTCONN, EPERM } from '#abi/posix/errno.ts'
import { O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import { POLLERR, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { makedev, S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  EVTCHNOP_send,
  EVTCHNOP_unmask,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_send,
  evtchn_unmask,
} from '#abi/xen/event_channel.ts'
import * as io from '#abi/xen/sys/evtchn.ts'
import { __HYPERVISOR_event_channel_op } from '#abi/xen/xen.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { inProcess } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'

const u32 = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer)
const words = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice().buffer)]

/** Ports from 100 on are the test's. */
function rigWithPorts() {
  const rig = bootedRig()
  const { hypercalls, vcpu } = rig.xen
  const { mem } = vcpu
  let next = 100
  const log: string[] = []
  hypercalls.set(__HYPERVISOR_event_channel_op, (op = 0, arg = 0) => {
    switch (op) {
      case EVTCHNOP_bind_virq: {
        const virq = evtchn_bind_virq.fields.virq.get(mem, arg)
        if (virq > 23) return -EINVAL
        evtchn_bind_virq.fields.port.set(mem, arg, next++)
        log.push(`virq ${virq}`)
        return 0
      }
      case EVTCHNOP_bind_interdomain: {
        const { remote_dom, remote_port } = evtchn_bind_interdomain.read(mem, arg)
        if (remote_dom === 9) return -EPERM
        log.push(`inter ${remote_dom} ${remote_port}`)
        evtchn_bind_interdomain.fields.local_port.set(mem, arg, next++)
        return 0
      }
      case EVTCHNOP_alloc_unbound:
        log.push(`unbound ${evtchn_alloc_unbound.fields.remote_dom.get(mem, arg)}`)
        evtchn_alloc_unbound.fields.port.set(mem, arg, next++)
        return 0
      case EVTCHNOP_send:
        log.push(`send ${evtchn_send.fields.port.get(mem, arg)}`)
        return 0
      case EVTCHNOP_close:
        if (evtchn_close.fields.port.get(mem, arg) < 100) return undefined
        log.push(`close ${evtchn_close.fields.port.get(mem, arg)}`)
        return 0
      case EVTCHNOP_unmask:
        if (evtchn_unmask.fields.port.get(mem, arg) >= 100)
          log.push(`unmask ${evtchn_unmask.fields.port.get(mem, arg)}`)
        return undefined
      default:
        return undefined
    }
  })
  return { rig, log }
}

function* openEvtchn(flags = 0): Sys<number> {
  try {
    yield* c.mknod('/dev/evtchn', S_IFCHR | 0o600, makedev(10, 63))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  return yield* c.open('/dev/evtchn', O_RDWR | flags, 0)
}

function* errnoOf(call: Sys<unknown>): Sys<number> {
  try {
    yield* call
    return 0
  } catch (error) {
    if (error instanceof OsError) return error.errno
    throw error
  }
}

describe('/dev/xen/evtchn', () => {
  test('binds in three ways, and closes what it bound with the file', () => {
    const { rig, log } = rigWithPorts()
    const ports = inProcess(rig, function* () {
      const fd = yield* openEvtchn()
      const bound = [
        yield* c.ioctl(fd, io.IOCTL_EVTCHN_BIND_VIRQ, u32(7)),
        yield* c.ioctl(fd, io.IOCTL_EVTCHN_BIND_INTERDOMAIN, u32(3, 44)),
        yield* c.ioctl(fd, io.IOCTL_EVTCHN_BIND_UNBOUND_PORT, u32(3)),
      ]
      yield* c.ioctl(fd, io.IOCTL_EVTCHN_NOTIFY, u32(101))
      yield* c.ioctl(fd, io.IOCTL_EVTCHN_UNBIND, u32(101))
      return bound
    })
    expect(ports).toEqual([100, 101, 102])
    expect(log).toEqual([
      'virq 7',
      'unmask 100',
      'inter 3 44',
      'unmask 101',
      'unbound 3',
      'unmask 102',
      'send 101',
      'close 101',
      'close 100',
      'close 102',
    ])
  })

  test('an event is read once, and again only after it was written back', () => {
    const { rig } = rigWithPorts()
    const seen = inProcess(rig, function* () {
      const fd = yield* openEvtchn()
      for (let i = 0; i < 2; i++) yield* c.ioctl(fd, io.IOCTL_EVTCHN_BIND_UNBOUND_PORT, u32(3))
      const { xen } = rig
      // While it sleeps.
      xen.at(xen.nowNs + 1e6, () => xen.raise(101))
      const polled = yield* c.poll([fd, POLLIN], -1)
      const first = words(yield* c.read(fd, 4))
      xen.raise(101)
      xen.raise(100)
      yield* c.nanosleep(1e6)
      const second = words(yield* c.read(fd, 64))
      yield* c.write(fd, u32(101, 77))
      yield* c.nanosleep(1e6)
      return { polled, first, second, third: words(yield* c.read(fd, 7)) }
    })
    expect(seen).toEqual({ polled: [POLLIN], first: [101], second: [100], third: [101] })
  })

  test('a ring that is full is an error until RESET', () => {
    const { rig } = rigWithPorts()
    const seen = inProcess(rig, function* () {
      const fd = yield* openEvtchn(O_NONBLOCK)
      const port = (yield* c.ioctl(fd, io.IOCTL_EVTCHN_BIND_UNBOUND_PORT, u32(3))) as number
      const empty = [yield* errnoOf(c.read(fd, 4)), (yield* c.poll([fd, POLLIN | POLLOUT], 0))[0]]
      for (let i = 0; i < 1025; i++) {
        rig.xen.raise(port)
        yield* c.nanosleep(1000)
        yield* c.write(fd, u32(port))
      }
      const full = [yield* errnoOf(c.read(fd, 4)), (yield* c.poll([fd, POLLIN | POLLOUT], 0))[0]]
      yield* c.ioctl(fd, io.IOCTL_EVTCHN_RESET, 0)
      return { empty, full, after: yield* errnoOf(c.read(fd, 4)) }
    })
    expect(seen).toEqual({ empty: [EAGAIN, POLLOUT], full: [EFBIG, POLLERR], after: EAGAIN })
  })

  test.each<[string, number, (fd: number, other: number) => Sys<unknown>]>([
    ['a VIRQ that Xen refuses', EINVAL, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_BIND_VIRQ, u32(99))],
    ['a peer that Xen refuses', EPERM, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_BIND_INTERDOMAIN, u32(9, 1))],
    ['no argument', EFAULT, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_BIND_VIRQ, 7)],
    ['half an argument', EFAULT, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_BIND_INTERDOMAIN, u32(3))],
    ['a port of another file', ENOTCONN, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_NOTIFY, u32(100))],
    ['unbinding one', ENOTCONN, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_UNBIND, u32(100))],
    ["the kernel's", ENOTCONN, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_UNBIND, u32(1))],
    ['no port at all', EINVAL, (fd) => c.ioctl(fd, io.IOCTL_EVTCHN_NOTIFY, u32(4096))],
    ['an unknown request', ENOSYS, (fd) => c.ioctl(fd, 0x4506, 0)],
  ])('refuses %s', (_name, errno, call) => {
    const { rig, log } = rigWithPorts()
    const seen = inProcess(rig, function* () {
      const other = yield* openEvtchn()
      yield* c.ioctl(other, io.IOCTL_EVTCHN_BIND_UNBOUND_PORT, u32(3))
      const result = yield* errnoOf(call(yield* openEvtchn(), other))
      expect(log).toEqual(['unbound 3', 'unmask 100'])
      return result
    })
    expect(seen).toBe(errno)
  })

  test('writing back what another has does nothing; less than a port is nothing', () => {
    const { rig, log } = rigWithPorts()
    inProcess(rig, function* () {
      const other = yield* openEvtchn()
      yield* c.ioctl(other, io.IOCTL_EVTCHN_BIND_UNBOUND_PORT, u32(3))
      const fd = yield* openEvtchn()
      expect(yield* c.write(fd, u32(100))).toBe(4)
      expect(yield* c.write(fd, new Uint8Array(3))).toBe(0)
      expect(yield* c.read(fd, 3)).toHaveLength(0)
      expect(log).toEqual(['unbound 3', 'unmask 100'])
    })
  })
})
