/** Mirrors xen/include/public/arch-x86/xen.h and xen-x86_64.h: what a processor's tables and registers look like. (The context of a vCPU: vcpu.ts.) */
import { struct, u8, u16, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

/** From this entry on every GDT is Xen's own. */
export const FIRST_RESERVED_GDT_ENTRY = 7168

/** An entry of the virtual IDT. `flags`: bits 0 and 1 the privilege that may enter by INT, bit 2 events are masked at the entry. */
export const trap_info = struct('trap_info', 16, { vector: u8(0), flags: u8(1), cs: u16(2), address: vaddr(8) })
export const TI_GET_DPL = 3
export const TI_GET_IF = 4

/** set_segment_base's `which`. */
export const SEGBASE_FS = 0
export const SEGBASE_GS_USER = 1
export const SEGBASE_GS_KERNEL = 2
export const SEGBASE_GS_USER_SEL = 3

/** iret_context.flags: return with SYSRET. */
export const VGCF_in_syscall = 1 << 8

/** What iret finds at RSP. */
export const iret_context = struct('iret_context', 72, {
  rax: u64(0),
  r11: u64(8),
  rcx: u64(16),
  flags: u64(24),
  rip: u64(32),
  cs: u64(40),
  rflags: u64(48),
  rsp: u64(56),
  ss: u64(64),
})
