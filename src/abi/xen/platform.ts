/** Mirrors xen/include/public/platform.h: the hypercall of dom0's that was dom0_op once. */
import { struct, u8, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const XENPF_INTERFACE_VERSION = 0x03000001

export const XENPF_settime = 17
export const XENPF_add_memtype = 31
export const XENPF_del_memtype = 32
export const XENPF_read_memtype = 33
export const XENPF_microcode_update = 35
export const XENPF_platform_quirk = 39
export const XENPF_firmware_info = 50
export const XENPF_enter_acpi_sleep = 51
export const XENPF_change_freq = 52
export const XENPF_getidletime = 53
export const XENPF_set_processor_pminfo = 54

/** xen_platform_op: what all commands begin with; `u` follows at byte 8. */
export const xen_platform_op = struct('xen_platform_op', 136, { cmd: u32(0), interface_version: u32(4) })
export const XEN_PLATFORM_OP_U = 8

export const xenpf_settime = struct('xenpf_settime', 16, { secs: u32(0), nsecs: u32(4), system_time: u64(8) })

/** pm1a/pm1b_cnt_val: the values to write, without SLP_EN. */
export const xenpf_enter_acpi_sleep = struct('xenpf_enter_acpi_sleep', 12, {
  pm1a_cnt_val: u16(0),
  pm1b_cnt_val: u16(2),
  sleep_state: u32(4),
  flags: u32(8),
})

/** handle and reg: OUT. */
export const xenpf_add_memtype = struct('xenpf_add_memtype', 32, {
  mfn: u64(0),
  nr_mfns: u64(8),
  type: u32(16),
  handle: u32(20),
  reg: u32(24),
})
export const xenpf_del_memtype = struct('xenpf_del_memtype', 8, { handle: u32(0), reg: u32(4) })
/** All but reg: OUT. */
export const xenpf_read_memtype = struct('xenpf_read_memtype', 32, {
  reg: u32(0),
  mfn: u64(8),
  nr_mfns: u64(16),
  type: u32(24),
})

export const xenpf_microcode_update = struct('xenpf_microcode_update', 16, { data: vaddr(0), length: u32(8) })

export const QUIRK_NOIRQBALANCING = 1
export const QUIRK_IOAPIC_BAD_REGSEL = 2
export const QUIRK_IOAPIC_GOOD_REGSEL = 3
export const xenpf_platform_quirk = struct('xenpf_platform_quirk', 4, { quirk_id: u32(0) })

export const XEN_FW_DISK_INFO = 1
export const XEN_FW_DISK_MBR_SIGNATURE = 2
export const XEN_FW_VBEDDC_INFO = 3
/** With u.disk_info; edd_params points to the table of INT 13h AH=48h. */
export const xenpf_firmware_info = struct('xenpf_firmware_info', 24, {
  type: u32(0),
  index: u32(4),
  device: u8(8),
  version: u8(9),
  interface_support: u16(10),
  legacy_max_cylinder: u16(12),
  legacy_max_head: u8(14),
  legacy_sectors_per_track: u8(15),
  edd_params: vaddr(16),
})
/** Its place with u.disk_mbr_signature. */
export const xenpf_firmware_info_mbr = struct('xenpf_firmware_info_mbr', 24, {
  type: u32(0),
  index: u32(4),
  device: u8(8),
  mbr_signature: u32(12),
})

export const xenpf_change_freq = struct('xenpf_change_freq', 16, { flags: u32(0), cpu: u32(4), freq: u64(8) })

/** cpumap: IN which processors, OUT those of them that are there. idletime: an array of ns, by processor. */
export const xenpf_getidletime = struct('xenpf_getidletime', 32, {
  cpumap_bitmap: vaddr(0),
  cpumap_nr_cpus: u32(8),
  idletime: vaddr(16),
  now: u64(24), // OUT
})

export const XEN_PM_CX = 0
export const XEN_PM_PX = 1
export const XEN_PM_TX = 2
/** With u.power: `states` points to `count` xen_processor_cx. */
export const xenpf_set_processor_pminfo = struct('xenpf_set_processor_pminfo', 112, {
  id: u32(0),
  type: u32(4),
  count: u32(8),
  flags: u32(12),
  states: vaddr(16),
})
