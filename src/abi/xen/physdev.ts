/** Mirrors xen/include/public/physdev.h. */
import { struct, u8, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const PHYSDEVOP_IRQ_UNMASK_NOTIFY = 4
export const PHYSDEVOP_irq_status_query = 5
export const PHYSDEVOP_set_iopl = 6
export const PHYSDEVOP_set_iobitmap = 7
export const PHYSDEVOP_apic_read = 8
export const PHYSDEVOP_apic_write = 9
/** Of old: PHYSDEVOP_ASSIGN_VECTOR. */
export const PHYSDEVOP_alloc_irq_vector = 10
export const PHYSDEVOP_free_irq_vector = 11
export const PHYSDEVOP_eoi = 12
export const PHYSDEVOP_map_pirq = 13
export const PHYSDEVOP_unmap_pirq = 14
export const PHYSDEVOP_manage_pci_add = 15
export const PHYSDEVOP_manage_pci_remove = 16

/** physdev_op, of physdev_op_compat: a 32-bit command, then the union of the structs up to physdev_irq. */
export const PHYSDEV_OP_U = 8
export const PHYSDEV_OP_BYTES = 24

export const physdev_eoi = struct('physdev_eoi', 4, { irq: u32(0) })

/** physdev_irq_status_query.flags. */
export const XENIRQSTAT_needs_eoi = 1 << 0
export const XENIRQSTAT_shared = 1 << 1

export const physdev_irq_status_query = struct('physdev_irq_status_query', 8, { irq: u32(0), flags: u32(4) })
export const physdev_set_iopl = struct('physdev_set_iopl', 4, { iopl: u32(0) })
export const physdev_set_iobitmap = struct('physdev_set_iobitmap', 16, { bitmap: vaddr(0), nr_ports: u32(8) })
export const physdev_apic = struct('physdev_apic', 16, { apic_physbase: u64(0), reg: u32(8), value: u32(12) })
export const physdev_irq = struct('physdev_irq', 8, { irq: u32(0), vector: u32(4) })
export const physdev_manage_pci = struct('physdev_manage_pci', 2, { bus: u8(0), devfn: u8(1) })
export const MAP_PIRQ_TYPE_MSI = 0
export const MAP_PIRQ_TYPE_GSI = 1
export const MAP_PIRQ_TYPE_UNKNOWN = 2
/** All but domid and table_base are signed. */
export const physdev_map_pirq = struct('physdev_map_pirq', 40, {
  domid: u16(0),
  type: u32(4),
  index: u32(8),
  pirq: u32(12), // IN/OUT; -1: any
  bus: u32(16),
  devfn: u32(20),
  entry_nr: u32(24),
  table_base: u64(32),
})
export const physdev_unmap_pirq = struct('physdev_unmap_pirq', 8, { domid: u16(0), pirq: u32(4) })
