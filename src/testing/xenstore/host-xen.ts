/** As much of Xen as xenstored needs: who lives, ring pages, and event channels between domains and the daemon's /dev/xen/evtchn. */
import { memOf } from '#abi/mem.ts'
import { EFAULT, EINVAL, ENOSYS, ESRCH } from '#abi/posix/errno.ts'
import {
  XEN_DOMINF_dying,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
  xen_domctl_getdomaininfo,
} from '#abi/xen/domctl.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import {
  IOCTL_EVTCHN_BIND_INTERDOMAIN,
  IOCTL_EVTCHN_BIND_VIRQ,
  IOCTL_EVTCHN_NOTIFY,
  IOCTL_EVTCHN_UNBIND,
} from '#abi/xen/sys/evtchn.ts'
import {
  IOCTL_PRIVCMD_HYPERCALL,
  IOCTL_PRIVCMD_MMAP,
  privcmd_hypercall,
  privcmd_mmap,
  privcmd_mmap_entry,
} from '#abi/xen/sys/privcmd.ts'
import {
  XEN_SYSCTL_getdomaininfolist,
  XEN_SYSCTL_U,
  xen_sysctl,
  xen_sysctl_getdomaininfolist,
} from '#abi/xen/sysctl.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_sysctl, VIRQ_DOM_EXC } from '#abi/xen/xen.ts'

/** Ports of a domain: all of them may be bound to until they are. */
const PORTS_MAX = 64

/** A domain's end of a channel. */
interface GuestPort {
  /** The daemon's end. */
  local: number | undefined
  fired: boolean
}

export class HostDomain {
  readonly domid: number
  readonly mfn: number
  readonly page = new Uint8Array(PAGE_SIZE)
  readonly mem = memOf(this.page)
  state: 'running' | 'shutdown' | 'crashed' | 'dying' = 'running'
  readonly #ports = new Map<number, GuestPort>()

  constructor(domid: number, mfn: number) {
    this.domid = domid
    this.mfn = mfn
  }

  port(number: number): GuestPort | undefined {
    if (number < 1 || number >= PORTS_MAX) return undefined
    let port = this.#ports.get(number)
    if (!port) {
      port = { local: undefined, fired: false }
      this.#ports.set(number, port)
    }
    return port
  }
}

/** The daemon's memory, as far as a hypercall points there. */
interface Memory {
  readonly memory: (address: number, bytes: number) => Uint8Array | undefined
  readonly map: (address: number, page: Uint8Array) => void
}

export class HostXen {
  readonly dom0 = new HostDomain(0, 1)
  readonly dom0Port = 2
  readonly domains = new Map<number, HostDomain>([[0, this.dom0]])
  /** The daemon's ends: whose, and which port there. */
  readonly #local = new Map<number, { readonly domain: HostDomain; readonly port: number } | 'virq'>()
  readonly #fired = new Set<number>()
  readonly #masked = new Set<number>()

  build(domid: number, mfn: number): HostDomain {
    const domain = new HostDomain(domid, mfn)
    this.domains.set(domid, domain)
    return domain
  }

  /** A domain ends, in part or in whole: VIRQ_DOM_EXC. */
  end(domid: number, how: 'shutdown' | 'crashed' | 'dying' | 'gone'): void {
    const domain = this.domains.get(domid)
    if (!domain) return
    if (how === 'gone') this.domains.delete(domid)
    else domain.state = how
    this.domainException()
  }

  domainException(): void {
    for (const [local, end] of this.#local) if (end === 'virq') this.#fired.add(local)
  }

  /** The domain notifies the daemon. */
  kick(domain: HostDomain, port: number): void {
    const local = domain.port(port)?.local
    if (local !== undefined) this.#fired.add(local)
  }

  /** The channels that are open in the daemon. */
  get channels(): number {
    return this.#local.size
  }

  get fires(): boolean {
    for (const local of this.#fired) if (!this.#masked.has(local)) return true
    return false
  }

  takeFired(most: number): number[] {
    const ports = [...this.#fired].filter((local) => !this.#masked.has(local)).slice(0, most)
    for (const local of ports) {
      this.#fired.delete(local)
      this.#masked.add(local)
    }
    return ports
  }

  unmask(ports: Iterable<number>): void {
    for (const local of ports) this.#masked.delete(local)
  }

  closeAll(): void {
    for (const local of [...this.#local.keys()]) this.#unbind(local)
  }

  #unbind(local: number): number {
    const end = this.#local.get(local)
    if (!end) return -EINVAL
    this.#local.delete(local)
    this.#fired.delete(local)
    this.#masked.delete(local)
    if (end !== 'virq') end.domain.port(end.port)!.local = undefined
    return 0
  }

  #bind(end: { readonly domain: HostDomain; readonly port: number } | 'virq'): number {
    let local = 1
    while (this.#local.has(local)) local++
    this.#local.set(local, end)
    if (end !== 'virq') end.domain.port(end.port)!.local = local
    return local
  }

  evtchnIoctl(request: number, [first = 0, second = 0]: Uint32Array): number {
    switch (request) {
      case IOCTL_EVTCHN_BIND_VIRQ:
        return first === VIRQ_DOM_EXC ? this.#bind('virq') : -EINVAL
      case IOCTL_EVTCHN_BIND_INTERDOMAIN: {
        const domain = this.domains.get(first)
        if (!domain) return -ESRCH
        const port = domain.port(second)
        if (!port || port.local !== undefined) return -EINVAL
        const local = this.#bind({ domain, port: second })
        // As Xen does, should a notification have been lost.
        this.#fired.add(local)
        return local
      }
      case IOCTL_EVTCHN_UNBIND:
        return this.#unbind(first)
      case IOCTL_EVTCHN_NOTIFY: {
        const end = this.#local.get(first)
        if (!end) return -EINVAL
        if (end !== 'virq') end.domain.port(end.port)!.fired = true
        return 0
      }
      default:
        return -EINVAL
    }
  }

  privcmdIoctl(request: number, arg: Uint8Array, { memory, map }: Memory): number {
    if (request === IOCTL_PRIVCMD_MMAP) {
      const { num, dom, entry } = privcmd_mmap.read(memOf(arg), 0)
      const at = memory(entry, privcmd_mmap_entry.size)
      if (num !== 1 || !at) return -EFAULT
      const { va, mfn, npages } = privcmd_mmap_entry.read(memOf(at), 0)
      const domain = this.domains.get(dom)
      if (!domain) return -ESRCH
      if (npages !== 1n || mfn !== BigInt(domain.mfn)) return -EINVAL
      map(va, domain.page)
      return 0
    }
    if (request !== IOCTL_PRIVCMD_HYPERCALL) return -EINVAL
    const { op, arg0 } = privcmd_hypercall.read(memOf(arg), 0)
    const at = memory(Number(arg0), xen_sysctl.size)
    if (!at) return -EFAULT
    const mem = memOf(at)
    if (op !== BigInt(__HYPERVISOR_sysctl) || xen_sysctl.read(mem, 0).cmd !== XEN_SYSCTL_getdomaininfolist)
      return -ENOSYS
    const list = xen_sysctl_getdomaininfolist.read(mem, XEN_SYSCTL_U)
    const found = [...this.domains.values()]
      .filter(({ domid }) => domid >= list.first_domain)
      .sort((a, b) => a.domid - b.domid)
      .slice(0, list.max_domains)
    const { size } = xen_domctl_getdomaininfo
    const to = memory(list.buffer, found.length * size)
    if (!to) return -EFAULT
    found.forEach(({ domid, state }, i) => {
      const over = state === 'shutdown' || state === 'crashed' || state === 'dying' ? XEN_DOMINF_shutdown : 0
      const reason = state === 'crashed' ? SHUTDOWN_crash << XEN_DOMINF_shutdownshift : 0
      const flags = over | reason | (state === 'dying' ? XEN_DOMINF_dying : 0)
      xen_domctl_getdomaininfo.write(memOf(to), i * size, { domain: domid, flags })
    })
    xen_sysctl_getdomaininfolist.write(mem, XEN_SYSCTL_U, { ...list, num_domains: found.length })
    return 0
  }
}
