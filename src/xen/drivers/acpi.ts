/** xen/drivers/acpi/tables and arch/x86/acpi/boot.c: the firmware's tables, found, checked, listed and read. */
import type { Mem } from '#abi/mem.ts'
import {
  acpi_fadt,
  acpi_header,
  acpi_hpet,
  acpi_madt,
  acpi_rsdp,
  MADT_BODY,
  MADT_INTERRUPT_OVERRIDE,
  MADT_IO_APIC,
  MADT_LOCAL_APIC,
  MADT_LOCAL_APIC_NMI,
  madt_interrupt_override,
  madt_io_apic,
  madt_local_apic,
  RSDP_SEARCH_FROM,
  RSDP_SEARCH_TO,
} from '#abi/pc/acpi.ts'
import { HEX, hex } from '../common/lib.ts'
import { XENLOG_DEBUG, XENLOG_ERR, XENLOG_INFO, XENLOG_WARNING } from './console.ts'

type Printk = (text: string) => void

export interface AcpiTable {
  readonly signature: string
  readonly address: number
  readonly length: number
}

/** A table longer than this is taken for garbage. */
const TABLE_BYTES_MAX = 1 << 20
const TABLES_MAX = 64

const text = (bytes: Uint8Array): string => {
  let out = ''
  for (const byte of bytes) {
    if (byte === 0) break
    out += String.fromCharCode(byte)
  }
  return out
}

function sum(mem: Mem, at: number, length: number): number {
  let total = 0
  for (const byte of mem.copyOut(at, length)) total += byte
  return total & 0xff
}

/** Where the RSDP lies; undefined: no ACPI here. */
export function findRsdp(mem: Mem): number | undefined {
  for (let at = RSDP_SEARCH_FROM; at < RSDP_SEARCH_TO; at += 16) {
    // 'RSD ' first: one word decides for nearly every address.
    if (mem.read32(at) !== 0x20445352) continue
    if (text(mem.copyOut(at, 8)) === 'RSD PTR ' && sum(mem, at, acpi_rsdp.size) === 0) return at
  }
  return undefined
}

/** acpi_table_init: walk RSDT, list each table as ACPICA does. Undefined: none found, or the root is broken. */
export function acpiTables(mem: Mem, printk: Printk): readonly AcpiTable[] | undefined {
  const at = findRsdp(mem)
  if (at === undefined) return undefined
  const rsdp = acpi_rsdp.read(mem, at)
  printk(`ACPI: RSDP ${HEX(at, 8)}, ${HEX(acpi_rsdp.size, 4)} (r${rsdp.revision} ${text(rsdp.oem_id).padStart(6)})\n`)
  const rsdt = listTable(mem, rsdp.rsdt_address, printk)
  if (rsdt?.signature !== 'RSDT') return undefined
  const tables: AcpiTable[] = []
  const add = (address: number): void => {
    if (address === 0 || tables.length >= TABLES_MAX) return
    const table = listTable(mem, address, printk)
    if (table) tables.push(table)
  }
  for (let entry = acpi_header.size; entry + 4 <= rsdt.length; entry += 4) {
    const address = mem.read32(rsdt.address + entry)
    add(address)
    // ACPICA takes DSDT and FACS as soon as it meets the FADT that points to them.
    if (tables.at(-1)?.signature === 'FACP' && tables.at(-1)?.address === address) {
      add(acpi_fadt.fields.dsdt.get(mem, address))
      add(acpi_fadt.fields.facs.get(mem, address))
    }
  }
  return tables
}

function listTable(mem: Mem, address: number, printk: Printk): AcpiTable | undefined {
  const header = acpi_header.read(mem, address)
  const signature = text(header.signature)
  const { length } = header
  if (signature === 'FACS') {
    printk(`ACPI: FACS ${HEX(address, 8)}, ${HEX(length, 4)}\n`)
    return { signature, address, length }
  }
  if (length < acpi_header.size || length > TABLE_BYTES_MAX) {
    printk(`${XENLOG_ERR}ACPI Error: Invalid length 0x${hex(length)} in RSDT/XSDT\n`)
    return undefined
  }
  if (sum(mem, address, length) !== 0) {
    printk(
      `${XENLOG_WARNING}ACPI Warning: Incorrect checksum in table [${signature.padStart(4)}] - ` +
        `${HEX(header.checksum, 2)}, should be ${HEX((header.checksum - sum(mem, address, length)) & 0xff, 2)}\n`,
    )
    return undefined
  }
  const column = (bytes: Uint8Array, width: number): string => text(bytes).padStart(width)
  printk(
    `ACPI: ${signature.padStart(4)} ${HEX(address, 8)}, ${HEX(length, 4)} (r${header.revision} ` +
      `${column(header.oem_id, 6)} ${column(header.oem_table_id, 8)} ${HEX(header.oem_revision).padStart(8)} ` +
      `${column(header.asl_compiler_id, 4)} ${HEX(header.asl_compiler_revision).padStart(8)})\n`,
  )
  return { signature, address, length }
}

export interface MadtCpu {
  readonly acpiId: number
  readonly apicId: number
  readonly enabled: boolean
}

export interface MadtIoApic {
  readonly id: number
  readonly address: number
  readonly gsiBase: number
}

export interface MadtOverride {
  readonly irq: number
  readonly gsi: number
  readonly level: boolean
  readonly activeLow: boolean
}

export interface Madt {
  readonly lapicAddress: number
  readonly cpus: readonly MadtCpu[]
  readonly ioApics: readonly MadtIoApic[]
  readonly overrides: readonly MadtOverride[]
}

const POLARITY = ['dfl', 'high', 'res', 'low']
const TRIGGER = ['dfl', 'edge', 'res', 'level']

/** Parts of the MADT in the order in which acpi_boot_init reads them: `onCpu` and `onIoApic` print between the entries' own lines. */
export function readMadt(
  mem: Mem,
  table: AcpiTable,
  printk: Printk,
  onCpu: (cpu: MadtCpu) => void,
  onIoApic: ((ioApic: MadtIoApic) => void) | undefined,
  skipTimerOverride = false,
): Madt {
  const lapicAddress = acpi_madt.fields.local_apic_address.get(mem, table.address)
  if (lapicAddress !== 0) printk(`${XENLOG_DEBUG}ACPI: Local APIC address 0x${hex(lapicAddress, 8)}\n`)
  const cpus: MadtCpu[] = []
  const ioApics: MadtIoApic[] = []
  const overrides: MadtOverride[] = []
  const each = (type: number, take: (at: number) => void): void => {
    for (let at = table.address + MADT_BODY; at + 2 <= table.address + table.length; ) {
      const length = mem.read8(at + 1)
      if (length < 2 || at + length > table.address + table.length) break
      if (mem.read8(at) === type) take(at)
      at += length
    }
  }
  each(MADT_LOCAL_APIC, (at) => {
    const entry = madt_local_apic.read(mem, at)
    const cpu = { acpiId: entry.processor_id, apicId: entry.id, enabled: (entry.lapic_flags & 1) !== 0 }
    const state = cpu.enabled ? 'enabled' : 'disabled'
    printk(`${XENLOG_INFO}ACPI: LAPIC (acpi_id[0x${hex(cpu.acpiId, 2)}] lapic_id[0x${hex(cpu.apicId, 2)}] ${state})\n`)
    cpus.push(cpu)
    onCpu(cpu)
  })
  each(MADT_LOCAL_APIC_NMI, (at) => {
    const flags = mem.read16(at + 3)
    const lint = mem.read8(at + 5)
    printk(
      `${XENLOG_INFO}ACPI: LAPIC_NMI (acpi_id[0x${hex(mem.read8(at + 2), 2)}] ` +
        `${POLARITY[flags & 3]} ${TRIGGER[(flags >> 2) & 3]} lint[0x${hex(lint)}])\n`,
    )
    if (lint !== 1) printk(`${XENLOG_WARNING}ACPI: NMI not connected to LINT 1!\n`)
  })
  if (onIoApic) {
    each(MADT_IO_APIC, (at) => {
      const entry = madt_io_apic.read(mem, at)
      const ioApic = { id: entry.id, address: entry.address, gsiBase: entry.global_irq_base }
      printk(
        `${XENLOG_INFO}ACPI: IOAPIC (id[0x${hex(ioApic.id, 2)}] address[0x${hex(ioApic.address, 8)}] gsi_base[${ioApic.gsiBase}])\n`,
      )
      ioApics.push(ioApic)
      onIoApic(ioApic)
    })
    each(MADT_INTERRUPT_OVERRIDE, (at) => {
      const entry = madt_interrupt_override.read(mem, at)
      const polarity = entry.inti_flags & 3
      const trigger = (entry.inti_flags >> 2) & 3
      printk(
        `${XENLOG_INFO}ACPI: INT_SRC_OVR (bus ${entry.bus} bus_irq ${entry.source_irq} global_irq ${entry.global_irq} ` +
          `${POLARITY[polarity]} ${TRIGGER[trigger]})\n`,
      )
      if (skipTimerOverride && entry.source_irq === 0 && entry.global_irq === 2)
        printk('ACPI: BIOS IRQ0 pin2 override ignored.\n')
      else
        overrides.push({
          irq: entry.source_irq,
          gsi: entry.global_irq,
          level: trigger === 3,
          activeLow: polarity === 3,
        })
    })
  }
  return { lapicAddress, cpus, ioApics, overrides }
}

/** Base address of the HPET, from its table; 0 when there is none. */
export function hpetAddress(mem: Mem, tables: readonly AcpiTable[], printk: Printk): number {
  const table = tables.find(({ signature }) => signature === 'HPET')
  if (!table) return 0
  const hpet = acpi_hpet.read(mem, table.address)
  if (hpet.address_space !== 0) {
    printk(`${XENLOG_WARNING}ACPI: HPET timers must be located in memory.\n`)
    return 0
  }
  printk(`${XENLOG_INFO}ACPI: HPET id: 0x${hex(hpet.id)} base: 0x${hex(hpet.address)}\n`)
  return Number(hpet.address)
}

/** I/O port of the PM timer; 0 when there is none. */
export function pmTimerPort(mem: Mem, tables: readonly AcpiTable[], printk: Printk): number {
  const table = tables.find(({ signature }) => signature === 'FACP')
  if (!table) return 0
  const port = acpi_fadt.fields.pm_timer_block.get(mem, table.address)
  if (port !== 0) printk(`${XENLOG_INFO}ACPI: PM-Timer IO Port: 0x${hex(port)}\n`)
  return port
}

/** acpi_fadt_parse_sleep_info: the port of the PM1a control register; 0: there is none. */
export function pm1aControlPort(mem: Mem, tables: readonly AcpiTable[]): number {
  const table = tables.find(({ signature }) => signature === 'FACP')
  return table ? acpi_fadt.fields.pm1a_control_block.get(mem, table.address) : 0
}
