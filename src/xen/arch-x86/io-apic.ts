/** xen/arch/x86/io_apic.c and i8259.c: where a device's interrupt line leads. */
import type { Mem } from '#abi/mem.ts'
import {
  IOAPIC_IOREGSEL,
  IOAPIC_IOWIN,
  IOAPIC_REG_REDTBL,
  IOAPIC_REG_VERSION,
  IOAPIC_RTE_LEVEL,
  IOAPIC_RTE_LOGICAL,
  IOAPIC_RTE_MASKED,
} from '#abi/pc/apic.ts'
import { PIC1_CMD, PIC1_DATA, PIC2_CMD, PIC2_DATA } from '#abi/pc/i8259.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { FIRST_LEGACY_VECTOR } from './apic.ts'

const DELIVERY_LOWEST_PRIORITY = 1 << 8
const RTE_ACTIVE_LOW = 1 << 13

export class IoApic {
  readonly id: number
  readonly address: number
  readonly gsiBase: number
  readonly #mem: Mem

  constructor(mem: Mem, id: number, address: number, gsiBase: number) {
    this.#mem = mem
    this.id = id
    this.address = address
    this.gsiBase = gsiBase
  }

  read(register: number): number {
    this.#mem.write32(this.address + IOAPIC_IOREGSEL, register)
    return this.#mem.read32(this.address + IOAPIC_IOWIN)
  }

  write(register: number, value: number): void {
    this.#mem.write32(this.address + IOAPIC_IOREGSEL, register)
    this.#mem.write32(this.address + IOAPIC_IOWIN, value >>> 0)
  }

  get version(): number {
    return this.read(IOAPIC_REG_VERSION) & 0xff
  }

  /** Number of the last redirection entry. */
  get lastPin(): number {
    return (this.read(IOAPIC_REG_VERSION) >>> 16) & 0xff
  }

  maskAll(): void {
    for (let pin = 0; pin <= this.lastPin; pin++) this.write(IOAPIC_REG_REDTBL + 2 * pin, IOAPIC_RTE_MASKED)
  }

  /** Pin to `vector` on the processors of the flat logical `targets` mask. */
  route(
    pin: number,
    vector: number,
    targets: number,
    line: { readonly level: boolean; readonly activeLow: boolean },
  ): void {
    this.write(IOAPIC_REG_REDTBL + 2 * pin + 1, (targets << 24) >>> 0)
    const trigger = (line.level ? IOAPIC_RTE_LEVEL : 0) | (line.activeLow ? RTE_ACTIVE_LOW : 0)
    this.write(IOAPIC_REG_REDTBL + 2 * pin, vector | DELIVERY_LOWEST_PRIORITY | IOAPIC_RTE_LOGICAL | trigger)
  }
}

/** init_8259A: vectors from FIRST_LEGACY_VECTOR on, everything masked. */
export function init8259(io: PortIo): void {
  io.out8(PIC1_DATA, 0xff)
  io.out8(PIC2_DATA, 0xff)
  io.out8(PIC1_CMD, 0x11)
  io.out8(PIC1_DATA, FIRST_LEGACY_VECTOR)
  io.out8(PIC1_DATA, 0x04)
  io.out8(PIC1_DATA, 0x01)
  io.out8(PIC2_CMD, 0x11)
  io.out8(PIC2_DATA, FIRST_LEGACY_VECTOR + 8)
  io.out8(PIC2_DATA, 0x02)
  io.out8(PIC2_DATA, 0x01)
  io.out8(PIC1_DATA, 0xff)
  io.out8(PIC2_DATA, 0xff)
}

export function unmask8259(io: PortIo, irq: number): void {
  const port = irq < 8 ? PIC1_DATA : PIC2_DATA
  io.out8(port, io.in8(port) & ~(1 << (irq & 7)))
  // The second controller is behind input 2 of the first.
  if (irq >= 8) io.out8(PIC1_DATA, io.in8(PIC1_DATA) & ~(1 << 2))
}

/** Specific end of interrupt. */
export function acknowledge8259(io: PortIo, irq: number): void {
  if (irq >= 8) io.out8(PIC2_CMD, 0x60 | (irq & 7))
  io.out8(PIC1_CMD, 0x60 | (irq >= 8 ? 2 : irq))
}
