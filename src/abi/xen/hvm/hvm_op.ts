/** Mirrors xen/include/public/hvm/hvm_op.h and params.h. */
import { struct, u8, u16, u32, u64 } from '../../struct.ts'
import { vaddr } from '../types.ts'

export const HVMOP_set_param = 0
export const HVMOP_get_param = 1
export const HVMOP_set_pci_intx_level = 2
export const HVMOP_set_isa_irq_level = 3
export const HVMOP_set_pci_link_route = 4
export const HVMOP_flush_tlbs = 5
export const HVMOP_track_dirty_vram = 6
export const HVMOP_modified_memory = 7
export const HVMOP_set_mem_type = 8

export const HVM_NR_PARAMS = 15

export const xen_hvm_param = struct('xen_hvm_param', 16, { domid: u16(0), index: u32(4), value: u64(8) })
export const xen_hvm_set_pci_intx_level = struct('xen_hvm_set_pci_intx_level', 8, {
  domid: u16(0),
  domain: u8(2),
  bus: u8(3),
  device: u8(4),
  intx: u8(5),
  level: u8(6),
})
export const xen_hvm_set_isa_irq_level = struct('xen_hvm_set_isa_irq_level', 4, {
  domid: u16(0),
  isa_irq: u8(2),
  level: u8(3),
})
export const xen_hvm_set_pci_link_route = struct('xen_hvm_set_pci_link_route', 4, {
  domid: u16(0),
  link: u8(2),
  isa_irq: u8(3),
})
export const xen_hvm_track_dirty_vram = struct('xen_hvm_track_dirty_vram', 32, {
  domid: u16(0),
  first_pfn: u64(8),
  nr: u64(16),
  dirty_bitmap: vaddr(24),
})
export const xen_hvm_modified_memory = struct('xen_hvm_modified_memory', 24, {
  domid: u16(0),
  first_pfn: u64(8),
  nr: u64(16),
})
export const xen_hvm_set_mem_type = struct('xen_hvm_set_mem_type', 24, {
  domid: u16(0),
  hvmmem_type: u32(4),
  first_pfn: u64(8),
  nr: u64(16),
})
