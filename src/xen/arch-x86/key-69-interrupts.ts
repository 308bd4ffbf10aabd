/** Key i: interrupts that guests have bound, and where the I/O APIC's pins lead (irq.c, dump_irqs; io_apic.c, dump_ioapic_irq_info). */
import {
  IOAPIC_REG_REDTBL,
  IOAPIC_RTE_ACTIVE_LOW,
  IOAPIC_RTE_LEVEL,
  IOAPIC_RTE_LOGICAL,
  IOAPIC_RTE_MASKED,
  IOAPIC_RTE_REMOTE_IRR,
} from '#abi/pc/apic.ts'
import { isMasked, isPending, isSelected } from '../common/event-channel.ts'
import type { Keyhandler } from '../common/keyhandler.ts'
import { dec, hex } from '../common/lib.ts'
import { is34 } from '../config.ts'
import { printk, type Xen } from '../xen.ts'
import { ioapicPins } from './irq.ts'

const DELIVERY_STATUS = 1 << 12

export const keyInterrupts: Keyhandler = {
  key: 'i',
  help: 'dump interrupt bindings',
  run(xen) {
    printk(xen, 'Guest interrupt information:\n')
    const bound = [...xen.guestIrqs.guest.values()].filter(({ guests }) => guests.length > 0)
    for (const { irq, vector, level, status, inFlight, guests } of bound.sort((a, b) => a.irq - b.irq)) {
      const type = level ? 'IO-APIC-level' : 'IO-APIC-edge'
      const list = guests.map((domain) => {
        const port = domain.pirqPorts[irq]!
        const letter = (set: boolean, one: string): string => (set ? one : '-')
        return (
          `${domain.id}${is34(xen) ? `:${dec(irq, 3, ' ')}` : ''}(${letter(isPending(xen, domain, port), 'P')}${letter(isSelected(xen, domain.vcpus[0]!, port), 'S')}` +
          `${letter(isMasked(xen, domain, port), 'M')}${letter(domain.pirqMask[irq] !== 0, 'M')}),`
        )
      })
      printk(
        xen,
        `${is34(xen) ? `   Vec${dec(vector, 3, ' ')} IRQ${dec(irq, 3, ' ')}` : `    IRQ${dec(irq, 3, ' ')} Vec${dec(vector, 3, ' ')}`}: type=${type.padEnd(15)} status=${hex(status, 8)} ` +
          `in-flight=${inFlight} domain-list=${list.join('')}\n`,
      )
    }
    ioapicIrqInfo(xen)
    return undefined
  },
}

function ioapicIrqInfo(xen: Xen): void {
  const pins = ioapicPins(xen)
  if (pins.length > 0) printk(xen, 'IO-APIC interrupt information:\n')
  for (const { irq, ioApic, pin } of pins) {
    const low = ioApic.read(IOAPIC_REG_REDTBL + 2 * pin)
    const bit = (mask: number): number => (low & mask ? 1 : 0)
    printk(xen, `    IRQ${dec(irq, 3, ' ')} Vec${dec(low & 0xff, 3, ' ')}:\n`)
    printk(
      xen,
      `      Apic 0x${hex(xen.ioApics.indexOf(ioApic), 2)}, Pin ${dec(pin, 2, ' ')}: vector=${low & 0xff}, ` +
        `delivery_mode=${(low >> 8) & 7}, dest_mode=${bit(IOAPIC_RTE_LOGICAL) ? 'logical' : 'physical'}, ` +
        `delivery_status=${bit(DELIVERY_STATUS)}, polarity=${bit(IOAPIC_RTE_ACTIVE_LOW)}, irr=${bit(IOAPIC_RTE_REMOTE_IRR)}, ` +
        `trigger=${bit(IOAPIC_RTE_LEVEL) ? 'level' : 'edge'}, mask=${bit(IOAPIC_RTE_MASKED)}\n`,
    )
  }
}
