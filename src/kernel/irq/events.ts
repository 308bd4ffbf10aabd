/** Event channels as interrupts (Linux: drivers/xen/core/evtchn.c): what Linux numbers as IRQs, Xen delivers as ports of shared_info. */
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_pirq,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  EVTCHNOP_send,
  EVTCHNOP_unmask,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_pirq,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_send,
  evtchn_unmask,
} from '#abi/xen/event_channel.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import {
  PHYSDEVOP_alloc_irq_vector,
  PHYSDEVOP_apic_write,
  PHYSDEVOP_eoi,
  PHYSDEVOP_irq_status_query,
  physdev_apic,
  physdev_eoi,
  physdev_irq,
  physdev_irq_status_query,
  XENIRQSTAT_needs_eoi,
} from '#abi/xen/physdev.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_physdev_op,
  DOMID_SELF,
  SHARED_INFO_EVTCHN_MASK,
  SHARED_INFO_EVTCHN_PENDING,
  vcpu_info,
} from '#abi/xen/xen.ts'
import { fail } from '../errno.ts'
import type { Interrupts } from '../kernel.ts'

/** NR_PIRQS: dynamic interrupts are numbered from here on. */
const DYNIRQ_BASE = 256

const IO_APIC_BASE = 0xfec00000n
const IO_APIC_REDIRECTION = 0x10
const ISA_IRQS = 16

interface Irq {
  readonly irq: number
  count: number
  readonly chip: 'Phys-irq' | 'Dynamic-irq'
  readonly name: string
  readonly port: number
  readonly handler: () => void
  needsEoi: boolean
}

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)

export class EventIrqs implements Interrupts {
  readonly #vcpu: VirtualCpu
  readonly #sharedInfo: Vaddr
  readonly #bounce: Vaddr
  readonly #byPort = new Map<number, Irq>()
  /** evtchn_device_upcall: of a port that is no interrupt. Set by that driver. */
  deviceUpcall: (port: number) => void = (port) => this.mask(port)

  constructor(vcpu: VirtualCpu, sharedInfo: Vaddr, bounce: Vaddr) {
    this.#vcpu = vcpu
    this.#sharedInfo = sharedInfo
    this.#bounce = bounce
  }

  get rows(): readonly Irq[] {
    return [...this.#byPort.values()].sort((a, b) => a.irq - b.irq)
  }

  /** Interrupts so far. */
  get total(): number {
    let total = 0
    for (const { count } of this.#byPort.values()) total += count
    return total
  }

  requestPirq(irq: number, name: string, handler: () => void): void {
    const { mem, hypercall } = this.#vcpu
    const at = this.#bounce
    // assign_irq_vector: an IRQ that Xen has set up already keeps its vector.
    physdev_irq.write(mem, at, { irq, vector: 0 })
    if (hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, at) === 0 && irq < ISA_IRQS) {
      // setup_IO_APIC_irqs: an ISA interrupt's pin is edge-triggered, and has its number.
      const value = physdev_irq.fields.vector.get(mem, at)
      physdev_apic.write(mem, at, { apic_physbase: IO_APIC_BASE, reg: IO_APIC_REDIRECTION + 2 * irq, value })
      hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_write, at)
    }
    evtchn_bind_pirq.write(mem, at, { pirq: irq, flags: 0, port: 0 })
    const error = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, at)
    if (error !== 0) fail(-error)
    const port = evtchn_bind_pirq.fields.port.get(mem, at)
    physdev_irq_status_query.write(mem, at, { irq, flags: 0 })
    hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_irq_status_query, at)
    const needsEoi = (physdev_irq_status_query.fields.flags.get(mem, at) & XENIRQSTAT_needs_eoi) !== 0
    const row: Irq = { irq, count: 0, chip: 'Phys-irq', name, port, handler, needsEoi }
    this.#byPort.set(port, row)
    this.unmask(port)
    this.#eoi(row)
  }

  freePirq(irq: number): void {
    const row = [...this.#byPort.values()].find((other) => other.chip === 'Phys-irq' && other.irq === irq)
    if (!row) return
    this.unbind(row.port)
  }

  bindVirq(virq: number, name: string, handler: () => void): void {
    const { mem } = this.#vcpu
    evtchn_bind_virq.write(mem, this.#bounce, { virq, vcpu: 0, port: 0 })
    this.#operation(EVTCHNOP_bind_virq)
    this.bindPort(evtchn_bind_virq.fields.port.get(mem, this.#bounce), name, handler)
  }

  bindPort(port: number, name: string, handler: () => void): void {
    let irq = DYNIRQ_BASE
    const taken = new Set([...this.#byPort.values()].map((row) => row.irq))
    while (taken.has(irq)) irq++
    this.#byPort.set(port, { irq, count: 0, chip: 'Dynamic-irq', name, port, handler, needsEoi: false })
    this.unmask(port)
  }

  bindListening(domid: number, name: string, handler: () => void): number {
    const { mem } = this.#vcpu
    evtchn_alloc_unbound.write(mem, this.#bounce, { dom: DOMID_SELF, remote_dom: domid, port: 0 })
    this.#operation(EVTCHNOP_alloc_unbound)
    const port = evtchn_alloc_unbound.fields.port.get(mem, this.#bounce)
    this.bindPort(port, name, handler)
    return port
  }

  bindInterdomain(domid: number, remotePort: number, name: string, handler: () => void): number {
    const { mem } = this.#vcpu
    evtchn_bind_interdomain.write(mem, this.#bounce, { remote_dom: domid, remote_port: remotePort, local_port: 0 })
    this.#operation(EVTCHNOP_bind_interdomain)
    const port = evtchn_bind_interdomain.fields.local_port.get(mem, this.#bounce)
    this.bindPort(port, name, handler)
    return port
  }

  unbind(port: number): void {
    if (!this.#byPort.delete(port)) return
    evtchn_close.write(this.#vcpu.mem, this.#bounce, { port })
    this.#vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_close, this.#bounce)
  }

  notify(port: number): void {
    evtchn_send.write(this.#vcpu.mem, this.#bounce, { port })
    this.#vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, this.#bounce)
  }

  mask(port: number): void {
    const at = this.#sharedInfo + SHARED_INFO_EVTCHN_MASK + Math.floor(port / 32) * 4
    this.#vcpu.mem.write32(at, (this.#vcpu.mem.read32(at) | (1 << (port % 32))) >>> 0)
  }

  /** An event is pending and this processor's events are not masked. */
  get pending(): boolean {
    return vcpu_info.fields.evtchn_upcall_pending.get(this.#vcpu.mem, this.#sharedInfo) !== 0
  }

  /** local_irq_disable and its opposite, as Xen sees them. */
  setMasked(masked: boolean): void {
    vcpu_info.fields.evtchn_upcall_mask.set(this.#vcpu.mem, this.#sharedInfo, masked ? 1 : 0)
  }

  /** evtchn_do_upcall: every port that is pending and not masked. */
  upcall(): void {
    const { mem } = this.#vcpu
    const { evtchn_upcall_pending, evtchn_pending_sel } = vcpu_info.fields
    const info = this.#sharedInfo
    while (evtchn_upcall_pending.get(mem, info) !== 0) {
      evtchn_upcall_pending.set(mem, info, 0)
      const low = mem.read32(info + evtchn_pending_sel.offset)
      const high = mem.read32(info + evtchn_pending_sel.offset + 4)
      evtchn_pending_sel.set(mem, info, 0n)
      for (let left = low; left !== 0; left &= left - 1) this.#handleWord(lowestBit(left))
      for (let left = high; left !== 0; left &= left - 1) this.#handleWord(32 + lowestBit(left))
    }
  }

  /** 64 ports, in halves: BigInts take their time. */
  #handleWord(word: number): void {
    const { mem } = this.#vcpu
    for (let half = 2 * word; half <= 2 * word + 1; half++) {
      const at = this.#sharedInfo + SHARED_INFO_EVTCHN_PENDING + half * 4
      const pending = mem.read32(at)
      let active = pending & ~mem.read32(this.#sharedInfo + SHARED_INFO_EVTCHN_MASK + half * 4)
      if (active === 0) continue
      mem.write32(at, (pending & ~active) >>> 0)
      for (; active !== 0; active &= active - 1) this.#handle(half * 32 + lowestBit(active))
    }
  }

  #handle(port: number): void {
    const row = this.#byPort.get(port)
    if (!row) {
      this.deviceUpcall(port)
      return
    }
    row.count++
    row.handler()
    this.#eoi(row)
  }

  #eoi({ needsEoi, irq }: Irq): void {
    if (!needsEoi) return
    physdev_eoi.write(this.#vcpu.mem, this.#bounce, { irq })
    this.#vcpu.hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, this.#bounce)
  }

  /** An event channel operation whose argument lies in the bounce page. */
  #operation(command: number): void {
    const error = this.#vcpu.hypercall(__HYPERVISOR_event_channel_op, command, this.#bounce)
    if (error !== 0) fail(-error)
  }

  unmask(port: number): void {
    evtchn_unmask.write(this.#vcpu.mem, this.#bounce, { port })
    this.#vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, this.#bounce)
  }
}
