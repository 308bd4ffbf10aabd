/** What the firmware programs into the chips before it looks for something to boot: the state that loaders and kernels rely on. */
import type { Mem } from '#abi/mem.ts'
import { SCI_IRQ } from '#abi/pc/acpi.ts'
import * as apic from '#abi/pc/apic.ts'
import * as kbc from '#abi/pc/i8042.ts'
import { PIT_CH0, PIT_CH2, PIT_MODE } from '#abi/pc/i8254.ts'
import * as pic from '#abi/pc/i8259.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import * as pci from '#abi/pc/pci.ts'
import * as rtc from '#abi/pc/rtc.ts'
import {
  COM1_BASE,
  COM2_BASE,
  UART_DLL,
  UART_DLM,
  UART_IER,
  UART_LCR,
  UART_LCR_8N1,
  UART_LCR_DLAB,
  UART_SCR,
} from '#abi/pc/uart16550.ts'

/** Vectors that the BIOS gives to the 8259s' inputs. */
export const BIOS_PIC1_BASE = 0x08
export const BIOS_PIC2_BASE = 0x70
/** Divisor for 9600 baud. */
const SERIAL_DIVISOR = 12
const SPURIOUS_VECTOR = 0x0f
const IOAPIC_ID = 2
const KIB_PER_MIB = 1024

/** A base address that the firmware gives to a device: slot and function on bus 0, BAR number. */
export interface BarPlacement {
  readonly slot: number
  readonly fn: number
  readonly command: number
  readonly ports: Readonly<Record<number, { readonly base: number }>>
}

export function programPics(io: PortIo): void {
  for (const [command, data, base, icw3] of [
    [pic.PIC1_CMD, pic.PIC1_DATA, BIOS_PIC1_BASE, 1 << pic.PIC_CASCADE_IRQ],
    [pic.PIC2_CMD, pic.PIC2_DATA, BIOS_PIC2_BASE, pic.PIC_CASCADE_IRQ],
  ] as const) {
    io.out8(command, pic.PIC_ICW1 | pic.PIC_ICW1_ICW4)
    io.out8(data, base)
    io.out8(data, icw3)
    io.out8(data, pic.PIC_ICW4_8086)
  }
  // Keyboard and cascade. The time of day is worked out from the clock when asked for, so the firmware takes no timer interrupt.
  io.out8(pic.PIC1_DATA, 0xff & ~(1 << kbc.KEYBOARD_IRQ) & ~(1 << pic.PIC_CASCADE_IRQ))
  io.out8(pic.PIC2_DATA, 0xff)
  io.out8(pic.ELCR2, 1 << (SCI_IRQ - 8))
}

/** Which of the two usual serial ports are there: a 16550's scratch register keeps what is written to it. */
export function detectSerial(io: PortIo): number[] {
  return [COM1_BASE, COM2_BASE].filter((base) => {
    io.out8(base + UART_SCR, 0x5a)
    return io.in8(base + UART_SCR) === 0x5a
  })
}

/** Channel 0: 18.2 Hz square wave; 1: DRAM refresh; 2: the speaker's. */
export function programPit(io: PortIo): void {
  io.out8(PIT_MODE, 0x36)
  io.out8(PIT_CH0, 0)
  io.out8(PIT_CH0, 0)
  io.out8(PIT_MODE, 0x54)
  io.out8(PIT_CH0 + 1, 18)
  io.out8(PIT_MODE, 0xb6)
  io.out8(PIT_CH2, 0x33)
  io.out8(PIT_CH2, 0x05)
}

export function programSerial(io: PortIo, ports: readonly number[]): void {
  for (const base of ports) {
    io.out8(base + UART_LCR, UART_LCR_DLAB)
    io.out8(base + UART_DLL, SERIAL_DIVISOR)
    io.out8(base + UART_DLM, 0)
    io.out8(base + UART_LCR, UART_LCR_8N1)
    io.out8(base + UART_IER, 0)
  }
}

/** Self test, then translation, interrupt and clock on. */
export function programKeyboard(io: PortIo): void {
  io.out8(kbc.I8042_COMMAND, kbc.I8042_CMD_SELF_TEST)
  io.in8(kbc.I8042_DATA)
  io.out8(kbc.I8042_COMMAND, kbc.I8042_CMD_WRITE_CONFIG)
  io.out8(kbc.I8042_DATA, kbc.I8042_CONFIG_TRANSLATE | kbc.I8042_CONFIG_SYSTEM | kbc.I8042_CONFIG_IRQ)
}

/** Virtual wire mode on the boot processor: INTR by LINT0, NMI by LINT1; and the I/O APIC's id. */
export function programApics(mem: Mem): void {
  mem.write32(apic.LAPIC_BASE + apic.LAPIC_SPIV, apic.LAPIC_SPIV_ENABLED | SPURIOUS_VECTOR)
  mem.write32(apic.LAPIC_BASE + apic.LAPIC_LVT0, apic.APIC_DM_EXTINT)
  mem.write32(apic.LAPIC_BASE + apic.LAPIC_LVT1, apic.APIC_DM_NMI)
  mem.write32(apic.IOAPIC_BASE + apic.IOAPIC_IOREGSEL, apic.IOAPIC_REG_ID)
  mem.write32(apic.IOAPIC_BASE + apic.IOAPIC_IOWIN, IOAPIC_ID << 24)
}

export function programPci(io: PortIo, placements: readonly BarPlacement[]): void {
  const write = (slot: number, fn: number, register: number, value: number): void => {
    io.out32(pci.PCI_CONFIG_ADDRESS, 0x80000000 + (slot << 11) + (fn << 8) + (register & 0xfc))
    io.out32(pci.PCI_CONFIG_DATA, value)
  }
  for (const { slot, fn, command, ports } of placements) {
    for (const [bar, { base }] of Object.entries(ports)) write(slot, fn, pci.PCI_BASE_ADDRESS_0 + 4 * Number(bar), base)
    if (command !== 0) write(slot, fn, pci.PCI_COMMAND, command)
  }
}

/** Sizes in the CMOS RAM, for those who ask it instead of INT 15h. */
export function programCmos(io: PortIo, memoryMiB: number, drives: number): void {
  const write = (index: number, value: number): void => {
    io.out8(rtc.RTC_INDEX, index)
    io.out8(rtc.RTC_DATA, value & 0xff)
  }
  const write16 = (index: number, value: number): void => {
    write(index, value)
    write(index + 1, value >> 8)
  }
  const extendedKib = Math.min(Math.max(memoryMiB - 1, 0) * KIB_PER_MIB, 0xffff)
  write(rtc.CMOS_DISK_TYPES, drives > 1 ? 0xff : drives > 0 ? 0xf0 : 0)
  write(rtc.CMOS_EQUIPMENT, 0x06)
  write16(rtc.CMOS_BASE_MEMORY, 640)
  write16(rtc.CMOS_EXTENDED_MEMORY, extendedKib)
  write16(rtc.CMOS_EXTENDED_MEMORY_FOUND, extendedKib)
  write16(rtc.CMOS_MEMORY_ABOVE_16M, Math.min(Math.max(memoryMiB - 16, 0) * 16, 0xffff))
  let sum = 0
  for (let index = rtc.CMOS_CHECKSUM_FROM; index <= rtc.CMOS_CHECKSUM_TO; index++) {
    io.out8(rtc.RTC_INDEX, index)
    sum += io.in8(rtc.RTC_DATA)
  }
  // The checksum is the one word that lies with its high byte first.
  write(rtc.CMOS_CHECKSUM, sum >> 8)
  write(rtc.CMOS_CHECKSUM + 1, sum)
}
