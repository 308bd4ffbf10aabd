/** The ACPI tables (ACPI 1.0b layout, revision 1) that the firmware leaves at the top of RAM and in its ROM. */
import type { Mem } from '#abi/mem.ts'
import * as acpi from '#abi/pc/acpi.ts'
import { IOAPIC_BASE, LAPIC_BASE } from '#abi/pc/apic.ts'

export interface AcpiPlace {
  readonly mem: Mem
  /** Where tables go, one after the other. */
  readonly dataBase: number
  /** Where the FACS goes. */
  readonly nvsBase: number
  readonly cpuCount: number
}

const OEM_ID = 'XENPG '
const OEM_TABLE_ID = 'PLAYGRND'
const CREATOR = 'XPG '
const IOAPIC_ID = 2
/** MADT flags: the machine also has 8259s. */
const PCAT_COMPAT = 1
/** Interrupt flags: active high, level. */
const HIGH_LEVEL = 0xd
/** FADT flags: WBINVD works, C1 by HLT, no power or sleep button but in hardware. */
const FADT_FLAGS = (1 << 0) | (1 << 2) | (1 << 4) | (1 << 5)
/** `Name (\_S5, Package (4) {0, 0, 0, 0})`: how to switch off, the only thing that the DSDT says. */
const DSDT_S5 = [0x08, 0x5f, 0x53, 0x35, 0x5f, 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00]

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))

function checksum(mem: Mem, at: number, length: number): number {
  let sum = 0
  for (let i = 0; i < length; i++) sum += mem.read8(at + i)
  return -sum & 0xff
}

/** Lay the tables out and return the RSDT's address. */
export function writeAcpiTables({ mem, dataBase, nvsBase, cpuCount }: AcpiPlace): number {
  let next = dataBase
  const allot = (bytes: number): number => {
    const at = next
    next = Math.ceil((at + bytes) / 16) * 16
    return at
  }
  const seal = (at: number, signature: string, length: number): void => {
    acpi.acpi_header.write(mem, at, {
      signature: ascii(signature),
      length,
      revision: 1,
      checksum: 0,
      oem_id: ascii(OEM_ID),
      oem_table_id: ascii(OEM_TABLE_ID),
      oem_revision: 1,
      asl_compiler_id: ascii(CREATOR),
      asl_compiler_revision: 1,
    })
    mem.write8(at + 9, checksum(mem, at, length))
  }

  const rsdt = allot(acpi.acpi_header.size + 3 * 4)
  const fadt = allot(acpi.acpi_fadt.size)
  const madtBytes = acpi.MADT_BODY + cpuCount * 8 + 12 + 2 * 10 + 6
  const madt = allot(madtBytes)
  const hpet = allot(acpi.acpi_hpet.size)
  const dsdtBytes = acpi.acpi_header.size + DSDT_S5.length
  const dsdt = allot(dsdtBytes)

  mem.fill(nvsBase, acpi.acpi_facs.size, 0)
  acpi.acpi_facs.write(mem, nvsBase, { signature: ascii('FACS'), length: acpi.acpi_facs.size })

  mem.copyIn(dsdt + acpi.acpi_header.size, Uint8Array.from(DSDT_S5))
  seal(dsdt, 'DSDT', dsdtBytes)

  mem.fill(fadt, acpi.acpi_fadt.size, 0)
  acpi.acpi_fadt.write(mem, fadt, {
    facs: nvsBase,
    dsdt,
    sci_interrupt: acpi.SCI_IRQ,
    pm1a_event_block: acpi.PM1A_EVENT_BLOCK,
    pm1a_control_block: acpi.PM1A_CONTROL_BLOCK,
    pm_timer_block: acpi.PM_TIMER_BLOCK,
    pm1_event_length: 4,
    pm1_control_length: 2,
    pm_timer_length: 4,
    flags: FADT_FLAGS,
  })
  seal(fadt, 'FACP', acpi.acpi_fadt.size)

  writeMadt(mem, madt, cpuCount)
  seal(madt, 'APIC', madtBytes)

  mem.fill(hpet, acpi.acpi_hpet.size, 0)
  acpi.acpi_hpet.write(mem, hpet, {
    id: acpi.HPET_CAPABILITIES,
    bit_width: 64,
    address: BigInt(acpi.HPET_BASE),
    minimum_tick: 128,
  })
  seal(hpet, 'HPET', acpi.acpi_hpet.size)

  for (const [i, table] of [fadt, madt, hpet].entries()) mem.write32(rsdt + acpi.acpi_header.size + 4 * i, table)
  seal(rsdt, 'RSDT', acpi.acpi_header.size + 3 * 4)
  return rsdt
}

function writeMadt(mem: Mem, madt: number, cpuCount: number): void {
  acpi.acpi_madt.write(mem, madt, { local_apic_address: LAPIC_BASE, flags: PCAT_COMPAT })
  let at = madt + acpi.MADT_BODY
  for (let cpu = 0; cpu < cpuCount; cpu++) {
    acpi.madt_local_apic.write(mem, at, {
      type: acpi.MADT_LOCAL_APIC,
      length: acpi.madt_local_apic.size,
      processor_id: cpu + 1,
      id: cpu,
      lapic_flags: 1,
    })
    at += acpi.madt_local_apic.size
  }
  acpi.madt_io_apic.write(mem, at, {
    type: acpi.MADT_IO_APIC,
    length: acpi.madt_io_apic.size,
    id: IOAPIC_ID,
    reserved: 0,
    address: IOAPIC_BASE,
    global_irq_base: 0,
  })
  at += acpi.madt_io_apic.size
  // The timer is on pin 2; the SCI is level-triggered and active high.
  for (const [source, global, flags] of [
    [0, 2, 0],
    [acpi.SCI_IRQ, acpi.SCI_IRQ, HIGH_LEVEL],
  ] as const) {
    acpi.madt_interrupt_override.write(mem, at, {
      type: acpi.MADT_INTERRUPT_OVERRIDE,
      length: acpi.madt_interrupt_override.size,
      bus: 0,
      source_irq: source,
      global_irq: global,
      inti_flags: flags,
    })
    at += acpi.madt_interrupt_override.size
  }
  // LINT1 of every processor is the NMI line: type, length, processor 0xff for all, flags, pin.
  mem.copyIn(at, Uint8Array.of(acpi.MADT_LOCAL_APIC_NMI, 6, 0xff, 0, 0, 1))
}

/** The RSDP's 20 bytes. */
export function rsdp(rsdt: number): Uint8Array {
  const out = new Uint8Array(acpi.acpi_rsdp.size)
  out.set(ascii('RSD PTR '), 0)
  out.set(ascii(OEM_ID), 9)
  new DataView(out.buffer).setUint32(16, rsdt, true)
  let sum = 0
  for (const byte of out) sum += byte
  out[8] = -sum & 0xff
  return out
}
