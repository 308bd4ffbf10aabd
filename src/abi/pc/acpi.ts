/** ACPI tables as the firmware lays them out and Xen reads them (ACPI 2.0, chapter 5; tables of revision 1.0 here). */
import { bytes, packed, struct, u8, u16, u32, u64 } from '../struct.ts'

/** The RSDP lies on a 16-byte boundary between these addresses. */
export const RSDP_SEARCH_FROM = 0xe0000
export const RSDP_SEARCH_TO = 0x100000

export const acpi_rsdp = struct('acpi_table_rsdp', 20, {
  /** 'RSD PTR ' */
  signature: bytes(0, 8),
  /** All 20 bytes sum to 0. */
  checksum: u8(8),
  oem_id: bytes(9, 6),
  revision: u8(15),
  rsdt_address: u32(16),
})

/** Every table but RSDP and FACS begins with this; all its bytes sum to 0. */
export const acpi_header = struct('acpi_table_header', 36, {
  signature: bytes(0, 4),
  length: u32(4),
  revision: u8(8),
  checksum: u8(9),
  oem_id: bytes(10, 6),
  oem_table_id: bytes(16, 8),
  oem_revision: u32(24),
  asl_compiler_id: bytes(28, 4),
  asl_compiler_revision: u32(32),
})

/** The part of the FADT (signature FACP, 116 bytes in revision 1) that we fill. */
export const acpi_fadt = struct('acpi_table_fadt', 116, {
  facs: u32(36),
  dsdt: u32(40),
  sci_interrupt: u16(46),
  pm1a_event_block: u32(56),
  pm1a_control_block: u32(64),
  pm_timer_block: u32(76),
  pm1_event_length: u8(88),
  pm1_control_length: u8(89),
  pm_timer_length: u8(91),
  flags: u32(112),
})

export const acpi_facs = struct('acpi_table_facs', 64, { signature: bytes(0, 4), length: u32(4) })

/** MADT (signature APIC): two words, then subtables {u8 type, u8 length, ...}. */
export const MADT_BODY = 44
export const acpi_madt = struct('acpi_table_madt', 44, { local_apic_address: u32(36), flags: u32(40) })
export const MADT_LOCAL_APIC = 0
export const MADT_IO_APIC = 1
export const MADT_INTERRUPT_OVERRIDE = 2
export const MADT_LOCAL_APIC_NMI = 4
export const madt_local_apic = struct('acpi_madt_local_apic', 8, {
  type: u8(0),
  length: u8(1),
  processor_id: u8(2),
  id: u8(3),
  lapic_flags: u32(4),
})
export const madt_io_apic = struct('acpi_madt_io_apic', 12, {
  type: u8(0),
  length: u8(1),
  id: u8(2),
  reserved: u8(3),
  address: u32(4),
  global_irq_base: u32(8),
})
export const madt_interrupt_override = struct('acpi_madt_interrupt_override', 10, {
  type: u8(0),
  length: u8(1),
  bus: u8(2),
  source_irq: u8(3),
  global_irq: u32(4),
  inti_flags: u16(8),
})

/** The ACPI PM timer: 24 bits at this rate. */
export const PM_TIMER_HZ = 3579545
/** PM1a control: writing SLP_EN with SLP_TYP of S5 turns the power off. */
export const PM1_SLP_EN = 1 << 13
export const PM1_SLP_TYP_SHIFT = 10
/** This board's SLP_TYP for S5, as its DSDT's \_S5 says. */
export const SLP_TYP_S5 = 0

/** HPET (IA-PC HPET 1.0a). */
export const HPET_BASE = 0xfed00000
export const HPET_HZ = 14_318_180
export const HPET_ID = 0x000
export const HPET_PERIOD_FS = 0x004
export const HPET_CFG = 0x010
export const HPET_CFG_ENABLE = 0x001
export const HPET_COUNTER = 0x0f0
/** Femtoseconds per tick: 10^15 / HPET_HZ. */
export const HPET_PERIOD = 69_841_279
/** Vendor 8086, a 64-bit counter, one comparator, no legacy replacement, revision 1. */
export const HPET_CAPABILITIES = 0x80862001
export const acpi_hpet = struct('acpi_table_hpet', 56, {
  id: u32(36),
  address_space: u8(40),
  bit_width: u8(41),
  bit_offset: u8(42),
  access_size: u8(43),
  address: packed(u64(44)),
  sequence: u8(52),
  minimum_tick: packed(u16(53)),
  flags: u8(55),
})

/** The chipset's power management ports: PM1a event block (status, enable), PM1a control, PM timer. */
export const PM1A_EVENT_BLOCK = 0x800
export const PM1A_CONTROL_BLOCK = 0x804
export const PM_TIMER_BLOCK = 0x808
/** PM1a status and enable: the timer's highest bit changed. */
export const PM1_TMR = 1 << 0
export const PM1_PWRBTN = 1 << 8
export const PM1_RTC = 1 << 10
/** PM1a control: interrupts are SCIs, the machine is in ACPI mode. */
export const PM1_SCI_EN = 1 << 0
/** The interrupt of ACPI events, level, active high. */
export const SCI_IRQ = 9
