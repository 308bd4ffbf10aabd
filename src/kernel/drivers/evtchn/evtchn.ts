/**
 * /dev/xen/evtchn (linux-2.6.18-xen: drivers/xen/evtchn/evtchn.c): event channels for processes. A port belongs to the open file that bound it. When
 * it fires it is masked and its number put into the file's ring; who writes the number back unmasks it.
 */
import { EAGAIN, EFAULT, EFBIG, EINTR, EINVAL, ENOSYS, ENOTCONN } from '#abi/posix/errno.ts'
import { O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { POLLERR, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_virq,
  evtchn_close,
} from '#abi/xen/event_channel.ts'
import {
  IOCTL_EVTCHN_BIND_INTERDOMAIN,
  IOCTL_EVTCHN_BIND_UNBOUND_PORT,
  IOCTL_EVTCHN_BIND_VIRQ,
  IOCTL_EVTCHN_NOTIFY,
  IOCTL_EVTCHN_RESET,
  IOCTL_EVTCHN_UNBIND,
} from '#abi/xen/sys/evtchn.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_event_channel_op, DOMID_SELF } from '#abi/xen/xen.ts'
import { setWord, word as wordAt } from '#lib/words.ts'
import { type Core, coreOf } from '../../core.ts'
import { fail } from '../../errno.ts'
import type { Initcall } from '../../kernel.ts'
import { WaitQueue } from '../../sched/wait.ts'
import type { File, FileOps } from '../../vfs/file.ts'
import { MISC_DYNAMIC_MINOR, miscOf } from '../misc/misc.ts'

const PORT_BYTES = 4
const RING_SIZE = PAGE_SIZE / PORT_BYTES
const NR_EVENT_CHANNELS = 4096

/** What has fired for one open file and was not yet read. */
interface User {
  fired: number[]
  overflow: boolean
  readonly wait: WaitQueue
}

/** u32 number `index` of an ioctl's argument. */
function word(arg: number | Uint8Array, index: number): number {
  if (typeof arg === 'number' || arg.length < (index + 1) * 4) return fail(EFAULT)
  return wordAt(arg, index * 4)
}

/** The first of what has fired, as bytes; at most `count` of them. */
function take(user: User, count: number): Uint8Array {
  const ports = user.fired.slice(0, Math.floor(count / PORT_BYTES))
  user.fired = user.fired.slice(ports.length)
  const bytes = new Uint8Array(ports.length * PORT_BYTES)
  for (let i = 0; i < ports.length; i++) setWord(bytes, i * PORT_BYTES, ports[i]!)
  return bytes
}

class EvtchnDevice {
  readonly #core: Core
  /** port_user */
  readonly #users = new Map<number, User>()

  constructor(core: Core) {
    this.#core = core
  }

  /** evtchn_device_upcall: a port that no interrupt handler has. */
  upcall(port: number): void {
    this.#core.irq.mask(port)
    const user = this.#users.get(port)
    if (!user) return
    if (user.fired.length >= RING_SIZE) user.overflow = true
    else user.fired.push(port)
    user.wait.wakeUp()
  }

  open(): FileOps {
    const { sched } = this.#core
    const user: User = { fired: [], overflow: false, wait: new WaitQueue() }
    const writeNow = (_file: File, bytes: Uint8Array): number => this.#write(user, bytes)
    return {
      seekable: false,
      *read(file, count) {
        if (count < PORT_BYTES) return new Uint8Array(0)
        for (;;) {
          if (user.overflow) fail(EFBIG)
          if (user.fired.length > 0) break
          if (file.flags & O_NONBLOCK) fail(EAGAIN)
          if ((yield* sched.sleepOn(user.wait)) === 'signal') fail(EINTR)
        }
        return take(user, count)
      },
      readNow: (_file, count) =>
        count >= PORT_BYTES && user.fired.length > 0 && !user.overflow ? take(user, count) : undefined,
      writeNow,
      *write(file, bytes) {
        return writeNow(file, bytes)
      },
      ioctl: (_file, request, arg) => this.#ioctl(user, request, arg),
      poll: () => (user.overflow ? POLLERR : POLLOUT | (user.fired.length > 0 ? POLLIN : 0)),
      pollQueues: () => [user.wait],
      release: () => this.#release(user),
    }
  }

  #write(user: User, bytes: Uint8Array): number {
    const count = Math.floor(Math.min(bytes.length, PAGE_SIZE) / PORT_BYTES)
    for (let i = 0; i < count; i++) {
      const port = word(bytes, i)
      if (this.#users.get(port) === user) this.#core.irq.unmask(port)
    }
    return count * PORT_BYTES
  }

  *#ioctl(user: User, request: number, arg: number | Uint8Array): Generator<void, number, void> {
    const { mem, bounce } = this.#core
    switch (request) {
      case IOCTL_EVTCHN_BIND_VIRQ:
        evtchn_bind_virq.write(mem, bounce, { virq: word(arg, 0), vcpu: 0, port: 0 })
        this.#operation(EVTCHNOP_bind_virq)
        return this.#bind(user, evtchn_bind_virq.fields.port.get(mem, bounce))
      case IOCTL_EVTCHN_BIND_INTERDOMAIN:
        evtchn_bind_interdomain.write(mem, bounce, {
          remote_dom: word(arg, 0) & 0xffff,
          remote_port: word(arg, 1),
          local_port: 0,
        })
        this.#operation(EVTCHNOP_bind_interdomain)
        return this.#bind(user, evtchn_bind_interdomain.fields.local_port.get(mem, bounce))
      case IOCTL_EVTCHN_BIND_UNBOUND_PORT:
        evtchn_alloc_unbound.write(mem, bounce, { dom: DOMID_SELF, remote_dom: word(arg, 0) & 0xffff, port: 0 })
        this.#operation(EVTCHNOP_alloc_unbound)
        return this.#bind(user, evtchn_alloc_unbound.fields.port.get(mem, bounce))
      case IOCTL_EVTCHN_UNBIND:
        this.#unbind(this.#own(user, arg))
        return 0
      case IOCTL_EVTCHN_NOTIFY:
        this.#core.irq.notify(this.#own(user, arg))
        return 0
      case IOCTL_EVTCHN_RESET:
        user.fired = []
        user.overflow = false
        return 0
      default:
        return fail(ENOSYS)
    }
  }

  /** A port that the file has bound. */
  #own(user: User, arg: number | Uint8Array): number {
    const port = word(arg, 0)
    if (port >= NR_EVENT_CHANNELS) fail(EINVAL)
    if (this.#users.get(port) !== user) fail(ENOTCONN)
    return port
  }

  #bind(user: User, port: number): number {
    this.#users.set(port, user)
    this.#core.irq.unmask(port)
    return port
  }

  #unbind(port: number): void {
    const { irq, mem, bounce, vcpu } = this.#core
    this.#users.delete(port)
    irq.mask(port)
    evtchn_close.write(mem, bounce, { port })
    vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_close, bounce)
  }

  *#release(user: User): Generator<void, void, void> {
    for (const [port, owner] of this.#users) if (owner === user) this.#unbind(port)
  }

  #operation(command: number): void {
    const error = this.#core.vcpu.hypercall(__HYPERVISOR_event_channel_op, command, this.#core.bounce)
    if (error !== 0) fail(-error)
  }
}

/** evtchn_init. */
export const evtchnInit: Initcall = function* evtchnInit(kernel) {
  const core = coreOf(kernel)
  const device = new EvtchnDevice(core)
  core.irq.deviceUpcall = (port) => device.upcall(port)
  miscOf(kernel).register(MISC_DYNAMIC_MINOR, 'evtchn', function* () {
    return device.open()
  })
  kernel.log.printk('<6>Event-channel device installed.\n')
}
