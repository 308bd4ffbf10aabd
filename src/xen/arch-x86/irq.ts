/** xen/arch/x86/irq.c and io_apic.c: interrupts that guests have bound, and the vectors they come by. */

import { IOAPIC_REG_REDTBL, IOAPIC_RTE_LEVEL, IOAPIC_RTE_LOGICAL, IOAPIC_RTE_MASKED } from '#abi/pc/apic.ts'
import { EBUSY, EINVAL, ENOSPC } from '#abi/xen/errno.ts'
import type { Domain } from '../common/domain.ts'
import { NR_IRQS } from '../common/domain.ts'
import { isMasked, sendPirq } from '../common/event-channel.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import type { XenTimer } from '../common/timer.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'
import type { IoApic } from './io-apic.ts'
import type { Pcpu } from './pcpu.ts'
import { callFunction } from './smpboot.ts'

export const FIRST_DYNAMIC_VECTOR = 0x20
export const LAST_DYNAMIC_VECTOR = 0xdf
const HYPERCALL_VECTOR = 0x82
const FAST_TRAP_VECTOR = 0x80
/** A guest that has not taken the last one yet gets no further ones for so long. */
const THROTTLE_NS = 1_000_000
const IRQ_MAX_GUESTS = 7
const VECTOR_MASK = 0xff
const DELIVERY_LOWEST_PRIORITY = 1 << 8
const DELIVERY_MODE = 7 << 8
const GUEST_RTE_BITS = 0xff | (1 << 13) | IOAPIC_RTE_LEVEL | IOAPIC_RTE_MASKED

/** irq_desc.status. */
export const IRQ_INPROGRESS = 1
export const IRQ_DISABLED = 2
export const IRQ_GUEST = 16

export interface GuestIrq {
  readonly irq: number
  readonly vector: number
  readonly ioApic: IoApic
  readonly pin: number
  level: boolean
  status: number
  /** Empty: no guest has bound it. */
  guests: Domain[]
  inFlight: number
  shareable: boolean
  /** Level-triggered: the processor whose EOI waits for the guests'. */
  owesEoi: Pcpu | undefined
  readonly throttle: XenTimer
}

export interface Irqs {
  /** IO_APIC_VECTOR: irq to vector, 0 for none. */
  readonly vectors: Uint8Array
  /** Where the last vector came from. */
  lastVector: number
  offset: number
  /** By irq: those whose pin a guest has set up. */
  readonly guest: Map<number, GuestIrq>
}

export const makeIrqs = (): Irqs => ({
  vectors: new Uint8Array(NR_IRQS),
  lastVector: FIRST_DYNAMIC_VECTOR,
  offset: 0,
  guest: new Map(),
})

/** assign_irq_vector, or -ENOSPC. -1, AUTO_ASSIGN: one that belongs to no interrupt. */
export function assignIrqVector(xen: Xen, irq: number): number {
  const { irqs, guestIrqs } = xen
  const own = irqs.get(irq)
  if (own) return own.vector
  const known = guestIrqs.vectors[irq] ?? 0
  if (known !== 0) return known
  for (;;) {
    guestIrqs.lastVector += 8
    if (guestIrqs.lastVector > LAST_DYNAMIC_VECTOR) {
      guestIrqs.offset++
      if (guestIrqs.offset % 8 === 0) return -ENOSPC
      guestIrqs.lastVector = FIRST_DYNAMIC_VECTOR + guestIrqs.offset
    }
    if (guestIrqs.lastVector !== HYPERCALL_VECTOR && guestIrqs.lastVector !== FAST_TRAP_VECTOR) break
  }
  if (irq >= 0) guestIrqs.vectors[irq] = guestIrqs.lastVector
  return guestIrqs.lastVector
}

/** ioapic_guest_write of a redirection entry's low word: the guest says vector, polarity and trigger, Xen the rest. */
export function ioapicGuestWrite(xen: Xen, ioApic: IoApic, register: number, value: number): number {
  if (register < IOAPIC_REG_REDTBL || register & 1) return 0
  const pin = (register - IOAPIC_REG_REDTBL) >> 1
  if (pin > ioApic.lastPin) return 0
  if ((value & DELIVERY_MODE) > DELIVERY_LOWEST_PRIORITY) {
    printk(xen, 'ERROR: Attempt to write weird IOAPIC destination mode!\n')
    printk(xen, `       APIC=${xen.ioApics.indexOf(ioApic)}/${pin}, lo-reg=${hex(value >>> 0)}\n`)
    return -EINVAL
  }
  const { guestIrqs } = xen
  const old = ioApic.read(register)
  // Pins that Xen uses itself stay as they are.
  for (const irq of xen.irqs.values()) if (irq.vector === (old & VECTOR_MASK) && !(old & IOAPIC_RTE_MASKED)) return 0
  const oldIrq = irqOfVector(xen, old & VECTOR_MASK)
  const newIrq = irqOfVector(xen, value & VECTOR_MASK)
  if (oldIrq !== -1 && oldIrq !== newIrq) {
    if ((guestIrqs.guest.get(oldIrq)?.guests.length ?? 0) > 0) return 0
    guestIrqs.guest.delete(oldIrq)
  }
  let low = (value & GUEST_RTE_BITS) | DELIVERY_LOWEST_PRIORITY | IOAPIC_RTE_LOGICAL
  if (newIrq === -1) low |= IOAPIC_RTE_MASKED
  else {
    if ((guestIrqs.guest.get(newIrq)?.guests.length ?? 0) > 0) return 0
    const level = (value & IOAPIC_RTE_LEVEL) !== 0
    guestIrqs.guest.set(newIrq, makeGuestIrq(newIrq, value & VECTOR_MASK, ioApic, pin, level))
    // Masked until it is bound if it could come again and again.
    low = level ? low | IOAPIC_RTE_MASKED : low & ~IOAPIC_RTE_MASKED
  }
  ioApic.write(register + 1, (1 << 24) >>> 0)
  ioApic.write(register, low >>> 0)
  return 0
}

/** irq_2_pin: every pin that leads somewhere, by interrupt. */
export function ioapicPins(
  xen: Xen,
): readonly { readonly irq: number; readonly vector: number; readonly ioApic: IoApic; readonly pin: number }[] {
  const found: { irq: number; vector: number; ioApic: IoApic; pin: number }[] = []
  for (const ioApic of xen.ioApics) {
    for (let pin = 0; pin <= ioApic.lastPin; pin++) {
      const vector = ioApic.read(IOAPIC_REG_REDTBL + 2 * pin) & VECTOR_MASK
      if (vector === 0) continue
      const own = [...xen.irqs].find(([, irq]) => irq.vector === vector)
      const irq = own ? own[0] : irqOfVector(xen, vector)
      if (irq !== -1) found.push({ irq, vector, ioApic, pin })
    }
  }
  return found.sort((a, b) => a.irq - b.irq)
}

function irqOfVector(xen: Xen, vector: number): number {
  return vector < FIRST_DYNAMIC_VECTOR ? -1 : xen.guestIrqs.vectors.indexOf(vector)
}

function makeGuestIrq(irq: number, vector: number, ioApic: IoApic, pin: number, level: boolean): GuestIrq {
  const desc: GuestIrq = {
    irq,
    vector,
    ioApic,
    pin,
    level,
    status: IRQ_DISABLED,
    guests: [],
    inFlight: 0,
    shareable: false,
    owesEoi: undefined,
    throttle: {
      name: `irq${irq} throttle`,
      expiresNs: 0,
      run() {
        desc.status &= ~IRQ_INPROGRESS
        setMasked(desc, false)
      },
    },
  }
  return desc
}

function setMasked({ ioApic, pin }: GuestIrq, masked: boolean): void {
  const register = IOAPIC_REG_REDTBL + 2 * pin
  const old = ioApic.read(register)
  ioApic.write(register, (masked ? old | IOAPIC_RTE_MASKED : old & ~IOAPIC_RTE_MASKED) >>> 0)
}

/** pirq_guest_bind */
export function pirqGuestBind(xen: Xen, domain: Domain, irq: number, willShare: boolean): number {
  if (xen.irqs.has(irq)) {
    guestLog(xen, XENLOG_INFO, 'irq.c:535', `Cannot bind IRQ ${irq} to guest. In use by 'ns16550'.`)
    return -EBUSY
  }
  const desc = xen.guestIrqs.guest.get(irq)
  if (!desc) return -EINVAL
  if (desc.guests.length === 0) {
    desc.shareable = willShare
    desc.inFlight = 0
    desc.status = IRQ_GUEST
    setMasked(desc, false)
  } else if (!willShare || !desc.shareable) {
    guestLog(xen, XENLOG_INFO, 'irq.c:569', `Cannot bind IRQ ${irq} to guest. Will not share with others.`)
    return -EBUSY
  } else if (desc.guests.length === IRQ_MAX_GUESTS) {
    guestLog(xen, XENLOG_INFO, 'irq.c:588', `Cannot bind IRQ ${irq} to guest. Already at max share.`)
    return -EBUSY
  }
  desc.guests.push(domain)
  return 0
}

export function pirqGuestUnbind(xen: Xen, domain: Domain, irq: number): void {
  const desc = xen.guestIrqs.guest.get(irq)
  if (!desc) return
  pirqGuestEoi(xen, domain, irq)
  desc.guests = desc.guests.filter((guest) => guest !== domain)
  if (desc.guests.length > 0) return
  setMasked(desc, true)
  xen.current.stopTimer(desc.throttle)
  desc.status = IRQ_DISABLED
}

/** do_IRQ and __do_IRQ_guest. False: nobody's vector. */
export function doGuestIrq(xen: Xen, pcpu: Pcpu, vector: number): boolean {
  const irq = irqOfVector(xen, vector)
  const desc = irq === -1 ? undefined : xen.guestIrqs.guest.get(irq)
  if (!desc) return false
  if (desc.guests.length === 0) {
    pcpu.apic.eoi()
    return true
  }
  // An edge is over once it has come. A level stays until the guest has dealt with its cause: it ends the interrupt.
  if (desc.level) desc.owesEoi = pcpu
  else pcpu.apic.eoi()
  let already = 0
  for (const domain of desc.guests) {
    if (desc.level && domain.pirqMask[irq] === 0) {
      domain.pirqMask[irq] = 1
      desc.inFlight++
    }
    if (sendPirq(xen, domain, irq) && !desc.level) already++
  }
  if (already === desc.guests.length) {
    setMasked(desc, true)
    desc.status |= IRQ_INPROGRESS
    pcpu.setTimer(desc.throttle, pcpu.now() + THROTTLE_NS)
  }
  return true
}

/** pirq_guest_eoi */
export function pirqGuestEoi(xen: Xen, domain: Domain, irq: number): void {
  const desc = xen.guestIrqs.guest.get(irq)
  if (!desc || domain.pirqMask[irq] === 0) return
  domain.pirqMask[irq] = 0
  if (--desc.inFlight > 0) return
  const { owesEoi } = desc
  desc.owesEoi = undefined
  if (!owesEoi) return
  if (owesEoi === xen.current) owesEoi.apic.eoi()
  else
    callFunction(
      xen,
      (pcpu) => {
        pcpu.apic.eoi()
        return undefined
      },
      [owesEoi],
    )
}

/** pirq_guest_unmask: of all that wait for it and are not masked. */
export function pirqGuestUnmask(xen: Xen, domain: Domain): void {
  for (let irq = 0; irq < NR_IRQS; irq++) {
    if (domain.pirqMask[irq] !== 0 && !isMasked(xen, domain, domain.pirqPorts[irq]!)) pirqGuestEoi(xen, domain, irq)
  }
}
