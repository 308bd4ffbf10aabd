/** physdev_op (33): interrupts, I/O privilege, the I/O APIC (xen/arch/x86/physdev.c). */
import type { Values } from '#abi/struct.ts'
import { EINVAL, ENODEV, EPERM } from '#abi/xen/errno.ts'
import {
  PHYSDEVOP_alloc_irq_vector,
  PHYSDEVOP_apic_read,
  PHYSDEVOP_apic_write,
  PHYSDEVOP_eoi,
  PHYSDEVOP_IRQ_UNMASK_NOTIFY,
  PHYSDEVOP_irq_status_query,
  PHYSDEVOP_manage_pci_add,
  PHYSDEVOP_manage_pci_remove,
  PHYSDEVOP_map_pirq,
  PHYSDEVOP_set_iobitmap,
  PHYSDEVOP_set_iopl,
  PHYSDEVOP_unmap_pirq,
  physdev_apic,
  physdev_eoi,
  physdev_irq,
  physdev_irq_status_query,
  physdev_manage_pci,
  physdev_map_pirq,
  physdev_set_iobitmap,
  physdev_set_iopl,
  physdev_unmap_pirq,
  XENIRQSTAT_needs_eoi,
  XENIRQSTAT_shared,
} from '#abi/xen/physdev.ts'
import { assignIrqVector, ioapicGuestWrite, pirqGuestEoi, pirqGuestUnmask } from '../arch-x86/irq.ts'
import { accessOk } from '../arch-x86/uaccess.ts'
import { NR_IRQS } from '../common/domain.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_DEBUG } from '../drivers/console.ts'
import { printk } from '../xen.ts'
import { type Call, op, opIn, opTable, type RawOp } from './op-table.ts'

const IOPL_MAX = 3
const PORTS = 65536
const IOBMP_BYTES = 8192
/** A vector for no interrupt. */
const AUTO_ASSIGN = -1

export const physdevOp = opTable({
  [PHYSDEVOP_IRQ_UNMASK_NOTIFY]({ xen, caller }) {
    pirqGuestUnmask(xen, caller)
    return 0
  },
  [PHYSDEVOP_irq_status_query]: op(physdev_irq_status_query, irqStatusQuery),
  [PHYSDEVOP_set_iopl]: opIn(physdev_set_iopl, setIopl),
  [PHYSDEVOP_apic_read]: op(physdev_apic, apicRead),
  [PHYSDEVOP_apic_write]: opIn(physdev_apic, apicWrite),
  [PHYSDEVOP_alloc_irq_vector]: op(physdev_irq, allocIrqVector),
  [PHYSDEVOP_eoi]: opIn(physdev_eoi, eoi),
  [PHYSDEVOP_set_iobitmap]: opIn(physdev_set_iobitmap, setIobitmap),
  [PHYSDEVOP_manage_pci_add]: managing(pciAdd),
  [PHYSDEVOP_manage_pci_remove]: managing(pciRemove),
  // Without the option `msi` both always succeed and do nothing.
  [PHYSDEVOP_map_pirq]: op(physdev_map_pirq, () => 0),
  [PHYSDEVOP_unmap_pirq]: opIn(physdev_unmap_pirq, () => 0),
})

/** The right to it comes before the struct. */
function managing(run: (call: Call, arg: Values<typeof physdev_manage_pci>) => number): RawOp {
  const read = opIn(physdev_manage_pci, run)
  return (call, pointer) => (call.caller.privileged ? read(call, pointer) : -EPERM)
}

/** pci_add_device: it is dom0's. One that is known stays as it is. */
function pciAdd({ xen }: Call, { bus, devfn }: Values<typeof physdev_manage_pci>): number {
  if (!xen.pciDevices.some((device) => device.bus === bus && device.devfn === devfn))
    xen.pciDevices.push({ bus, devfn, domain: 0 })
  printk(xen, `${XENLOG_DEBUG}PCI add device ${pciName(bus, devfn)}\n`)
  return 0
}

function pciRemove({ xen }: Call, { bus, devfn }: Values<typeof physdev_manage_pci>): number {
  const at = xen.pciDevices.findIndex((device) => device.bus === bus && device.devfn === devfn)
  if (at < 0) return -ENODEV
  xen.pciDevices.splice(at, 1)
  printk(xen, `${XENLOG_DEBUG}PCI remove device ${pciName(bus, devfn)}\n`)
  return 0
}

const pciName = (bus: number, devfn: number): string => `${hex(bus, 2)}:${hex(devfn >> 3, 2)}.${hex(devfn & 7)}`

function irqStatusQuery({ xen }: Call, arg: Values<typeof physdev_irq_status_query>): number {
  if (arg.irq >= NR_IRQS) return -EINVAL
  const desc = xen.guestIrqs.guest.get(arg.irq)
  arg.flags = (desc?.level ? XENIRQSTAT_needs_eoi : 0) | (desc && desc.guests.length > 1 ? XENIRQSTAT_shared : 0)
  return 0
}

/** Of its own kernel, and not beyond what the host allows the domain. */
function setIopl({ vcpu }: Call, { iopl }: Values<typeof physdev_set_iopl>): number {
  if (iopl > IOPL_MAX) return -EINVAL
  vcpu.iopl = iopl
  return 0
}

/** Read anew at each IN and OUT (guest-io.ts). */
function setIobitmap({ vcpu }: Call, { bitmap, nr_ports }: Values<typeof physdev_set_iobitmap>): number {
  if (!accessOk(bitmap) || !accessOk(bitmap + IOBMP_BYTES - 1) || nr_ports > PORTS) return -EINVAL
  vcpu.ioBitmap = { at: bitmap, ports: nr_ports }
  return 0
}

function ioApicAt({ xen }: Call, arg: Values<typeof physdev_apic>) {
  return xen.ioApics.find(({ address }) => BigInt(address) === arg.apic_physbase)
}

function apicRead(call: Call, arg: Values<typeof physdev_apic>): number {
  if (!call.caller.privileged) return -EPERM
  const ioApic = ioApicAt(call, arg)
  if (!ioApic) return -EINVAL
  arg.value = ioApic.read(arg.reg & 0xff)
  return 0
}

function apicWrite(call: Call, arg: Values<typeof physdev_apic>): number {
  if (!call.caller.privileged) return -EPERM
  const ioApic = ioApicAt(call, arg)
  return ioApic ? ioapicGuestWrite(call.xen, ioApic, arg.reg, arg.value) : -EINVAL
}

function allocIrqVector({ xen, caller }: Call, arg: Values<typeof physdev_irq>): number {
  if (!caller.privileged) return -EPERM
  const irq = arg.irq | 0
  if (irq < AUTO_ASSIGN || irq >= NR_IRQS) return -EINVAL
  arg.vector = assignIrqVector(xen, irq) >>> 0
  return 0
}

function eoi({ xen, caller }: Call, { irq }: Values<typeof physdev_eoi>): number {
  if (irq >= NR_IRQS) return -EINVAL
  pirqGuestEoi(xen, caller, irq)
  return 0
}
