/** The IDE function of the PC's PCI bus, by configuration mechanism 1 (Linux: ide/setup-pci.c, pci/piix.c). */
import type { PortIo } from '#abi/pc/metal.ts'
import {
  PCI_BASE_ADDRESS_0,
  PCI_CLASS_DEVICE,
  PCI_COMMAND,
  PCI_COMMAND_IO,
  PCI_COMMAND_MASTER,
  PCI_CONFIG_ADDRESS,
  PCI_CONFIG_DATA,
  PCI_DEVICE_ID,
  PCI_REVISION_ID,
  PCI_VENDOR_ID,
} from '#abi/pc/pci.ts'

const CLASS_STORAGE_IDE = 0x0101
/** BAR 4: the bus master's sixteen ports. */
const BUS_MASTER_BAR = PCI_BASE_ADDRESS_0 + 16

/** piix_pci_tbl's names, and the ultra DMA modes of each. */
const PIIX: Readonly<Record<number, readonly [name: string, ultraMask: number]>> = {
  4656: ['PIIXa', 0],
  28688: ['PIIX3', 0],
  28945: ['PIIX4', 0x07],
  9233: ['ICH', 0x1f],
  9291: ['ICH2', 0x3f],
  9419: ['ICH4', 0x3f],
  9435: ['ICH5', 0x3f],
  9839: ['ICH6', 0x3f],
  10207: ['ICH7', 0x3f],
  10320: ['ICH8', 0x3f],
}

export interface PciIde {
  /** `ICH8`; undefined for one that no driver of ours claims by name. */
  readonly name: string | undefined
  readonly ultraMask: number
  /** `0000:00:1f.1`. */
  readonly slot: string
  readonly revision: number
  readonly busMaster: number | undefined
}

const hex2 = (value: number): string => value.toString(16).padStart(2, '0')

/** Something answers to mechanism 1. */
export function hasPci(io: PortIo): boolean {
  io.out32(PCI_CONFIG_ADDRESS, 0x80000000)
  return io.in32(PCI_CONFIG_ADDRESS) === 0x80000000
}

export function findPciIde(io: PortIo): PciIde | undefined {
  for (let slot = 0; slot < 32; slot++)
    for (let fn = 0; fn < 8; fn++) {
      const select = (at: number): void =>
        io.out32(PCI_CONFIG_ADDRESS, 0x80000000 + (slot << 11) + (fn << 8) + (at & 0xfc))
      const read16 = (at: number): number => {
        select(at)
        return io.in16(PCI_CONFIG_DATA + (at & 2))
      }
      if (read16(PCI_VENDOR_ID) === 0xffff) {
        if (fn === 0) break
        continue
      }
      if (read16(PCI_CLASS_DEVICE) !== CLASS_STORAGE_IDE) continue
      const command = read16(PCI_COMMAND)
      const bar = read16(BUS_MASTER_BAR)
      // pci_set_master, which the firmware may have left to us.
      if (command & PCI_COMMAND_IO && !(command & PCI_COMMAND_MASTER)) {
        select(PCI_COMMAND)
        io.out16(PCI_CONFIG_DATA, command | PCI_COMMAND_MASTER)
      }
      const known = read16(PCI_VENDOR_ID) === 0x8086 ? PIIX[read16(PCI_DEVICE_ID)] : undefined
      return {
        name: known?.[0],
        ultraMask: known?.[1] ?? 0,
        slot: `0000:00:${hex2(slot)}.${fn}`,
        revision: read16(PCI_REVISION_ID) & 0xff,
        busMaster: command & PCI_COMMAND_IO && bar & 1 && (bar & 0xfff0) !== 0 ? bar & 0xfff0 : undefined,
      }
    }
  return undefined
}
