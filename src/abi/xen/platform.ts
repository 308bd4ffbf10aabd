/** Mirrors xen/include/public/platform.h: the hypercall of dom0's that was dom0_op once. */
import { struct, u16, u32, u64 } from '../struct.ts'

export const XENPF_INTERFACE_VERSION = 0x03000001

export const XENPF_settime = 17
export const XENPF_platform_quirk = 39
export const XENPF_firmware_info = 50
export const XENPF_enter_acpi_sleep = 51

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
