/** What the firmware says of memory (INT 15h AX=E820h), worked out from the RAM that is there. */
import { HPET_BASE } from '#abi/pc/acpi.ts'
import { IOAPIC_BASE, LAPIC_BASE } from '#abi/pc/apic.ts'
import type { E820Entry } from '#abi/pc/bios.ts'
import { E820_ACPI, E820_NVS, E820_RAM, E820_RESERVED } from '#abi/pc/e820.ts'

/** The extended BIOS data area: the last KiB below the video memory. */
export const EBDA_BASE = 0x9fc00
export const EBDA_TOP = 0xa0000
export const BIOS_ROM_BASE = 0xf0000
const MIB = 2 ** 20
/** ACPI tables, then the firmware's non-volatile area, at the top of RAM. */
const ACPI_DATA_BYTES = 0x10000
const ACPI_NVS_BYTES = 0x10000
/** Below this the firmware finds no room for its tables and does not start. */
export const RAM_MIB_MIN = 4

export const acpiDataBase = (memoryMiB: number): number => memoryMiB * MIB - ACPI_NVS_BYTES - ACPI_DATA_BYTES
export const acpiNvsBase = (memoryMiB: number): number => memoryMiB * MIB - ACPI_NVS_BYTES

export function memoryMap(memoryMiB: number): E820Entry[] {
  const range = (base: number, end: number, type: number): E820Entry => ({ base, length: end - base, type })
  const top = memoryMiB * MIB
  return [
    range(0, EBDA_BASE, E820_RAM),
    range(EBDA_BASE, EBDA_TOP, E820_RESERVED),
    range(BIOS_ROM_BASE, MIB, E820_RESERVED),
    range(MIB, acpiDataBase(memoryMiB), E820_RAM),
    range(acpiDataBase(memoryMiB), acpiNvsBase(memoryMiB), E820_ACPI),
    range(acpiNvsBase(memoryMiB), top, E820_NVS),
    range(IOAPIC_BASE, IOAPIC_BASE + 0x1000, E820_RESERVED),
    range(HPET_BASE, HPET_BASE + 0x1000, E820_RESERVED),
    range(LAPIC_BASE, LAPIC_BASE + 0x1000, E820_RESERVED),
    range(0xfffc0000, 0x100000000, E820_RESERVED),
  ]
}
