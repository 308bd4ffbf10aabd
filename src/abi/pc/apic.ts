/** Local APIC and I/O APIC (Intel 64 SDM vol. 3A ch. 10; 82093AA). Offsets from their memory-mapped bases. */
export const LAPIC_BASE = 0xfee00000
export const LAPIC_ID = 0x020
export const LAPIC_VERSION = 0x030
export const LAPIC_TPR = 0x080
export const LAPIC_EOI = 0x0b0
export const LAPIC_LDR = 0x0d0
export const LAPIC_DFR = 0x0e0
export const LAPIC_SPIV = 0x0f0
export const LAPIC_SPIV_ENABLED = 1 << 8
export const LAPIC_ESR = 0x280
export const LAPIC_ICR = 0x300
export const LAPIC_ICR2 = 0x310
export const LAPIC_LVTT = 0x320
export const LAPIC_LVT0 = 0x350
export const LAPIC_LVT1 = 0x360
export const LAPIC_TMICT = 0x380
export const LAPIC_TMCCT = 0x390
export const LAPIC_TDCR = 0x3e0
/** What bits 0-7 of the version register say. */
export const LAPIC_VERSION_INTEGRATED = 0x14

/** ICR low word. */
export const APIC_DM_FIXED = 0x000
export const APIC_DM_NMI = 0x400
export const APIC_DM_INIT = 0x500
export const APIC_DM_STARTUP = 0x600
export const APIC_INT_ASSERT = 1 << 14
/** LVT. */
export const APIC_LVT_MASKED = 1 << 16
export const APIC_LVT_TIMER_PERIODIC = 1 << 17
/** The timer counts at this rate before the divider. */
export const LAPIC_BUS_HZ = 200_000_000

export const IOAPIC_BASE = 0xfec00000
export const IOAPIC_IOREGSEL = 0x00
export const IOAPIC_IOWIN = 0x10
export const IOAPIC_REG_ID = 0x00
export const IOAPIC_REG_VERSION = 0x01
export const IOAPIC_REG_REDTBL = 0x10
export const IOAPIC_PINS = 24
/** Redirection entry, low word. */
export const IOAPIC_RTE_MASKED = 1 << 16
export const IOAPIC_RTE_LEVEL = 1 << 15
export const IOAPIC_RTE_LOGICAL = 1 << 11

/** The other registers of the local APIC. */
export const LAPIC_APR = 0x090
export const LAPIC_PPR = 0x0a0
/** 256 bits each, in eight registers 16 bytes apart. */
export const LAPIC_ISR = 0x100
export const LAPIC_TMR = 0x180
export const LAPIC_IRR = 0x200
export const LAPIC_LVTTHMR = 0x330
export const LAPIC_LVTPC = 0x340
export const LAPIC_LVTERR = 0x370
/** Delivery modes, also in redirection entries. */
export const APIC_DM_MASK = 0x700
export const APIC_DM_LOWEST = 0x100
export const APIC_DM_SMI = 0x200
export const APIC_DM_EXTINT = 0x700
/** Polarity in redirection entries: set is active low. */
export const IOAPIC_RTE_ACTIVE_LOW = 1 << 13
export const IOAPIC_RTE_REMOTE_IRR = 1 << 14
/** Version 0x20 has this register: writing a vector ends its level-triggered interrupts. */
export const IOAPIC_EOI = 0x40
export const IOAPIC_VERSION_ICH = 0x20
