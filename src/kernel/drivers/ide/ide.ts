/** The PC's IDE disks (Linux: drivers/ide): probing, the log lines of 2.6.18, and each drive as a Disk. */
import * as ata from '#abi/pc/ide.ts'
import type { Disk } from '../../block/block.ts'
import type { Initcall, Kernel } from '../../kernel.ts'
import type { Sleeping } from '../../sched/wait.ts'
import { IdeChannel } from './channel.ts'
import { diskLines, dmaText, type Identity } from './identity.ts'
import { findPciIde, hasPci, type PciIde } from './pci.ts'

const CHANNELS = [
  {
    name: 'ide0',
    drive: 'hda',
    other: 'hdb',
    major: 3,
    base: ata.IDE1_BASE,
    control: ata.IDE1_CONTROL,
    irq: ata.IDE1_IRQ,
  },
  {
    name: 'ide1',
    drive: 'hdc',
    other: 'hdd',
    major: 22,
    base: ata.IDE2_BASE,
    control: ata.IDE2_CONTROL,
    irq: ata.IDE2_IRQ,
  },
] as const

/** Minors of a drive: the whole and 63 partitions. */
const MINORS = 64
/** BLK_DEF_MAX_SECTORS, and what 28 bits of address go with. */
const REQUEST_SECTORS_WIDE = 1024
const REQUEST_SECTORS = 256

const hex = (value: number): string => value.toString(16)
const hex4 = (value: number): string => value.toString(16).padStart(4, '0')

export const ideInit: Initcall = function* (kernel) {
  const { log, vcpu } = kernel
  log.printk('<6>Uniform Multi-Platform E-IDE driver Revision: 7.00alpha2\n')
  const pci = kernel.dom0 && hasPci(vcpu.io)
  log.printk(`<6>ide: Assuming ${pci ? 33 : 50}MHz system bus speed for PIO modes; override with idebus=xx\n`)
  // Without the privilege for the ports nobody answers; a guest need not try.
  if (!kernel.dom0) return
  const controller = pci ? findPciIde(vcpu.io) : undefined
  if (controller?.name !== undefined) announce(kernel, controller)
  const found: { readonly disk: Disk; readonly lines: string }[] = []
  for (const row of CHANNELS) {
    const busMaster = controller?.busMaster
    const port = busMaster === undefined ? undefined : busMaster + 8 * CHANNELS.indexOf(row)
    const channel = new IdeChannel(kernel, row.name, row.base, row.control, row.irq, port)
    log.printk(`<7>Probing IDE interface ${row.name}...\n`)
    const identity = yield* channel.probe()
    if (!identity) continue
    log.printk(`<6>${row.drive}: ${identity.model}, ATA DISK drive\n`)
    const sectorsMax = identity.lba48 ? REQUEST_SECTORS_WIDE : REQUEST_SECTORS
    yield* channel.open(row.drive, sectorsMax)
    if (!identity.dma) channel.useDma = false
    const ports = `0x${hex(row.base)}-0x${hex(row.base + 7)},0x${hex(row.control)}`
    log.printk(`<6>${row.name} at ${ports} on irq ${row.irq}\n`)
    kernel.blocks.registerBlockDevice(row.major, row.name)
    const dma = channel.useDma ? dmaText(identity, controller?.ultraMask ?? 0) : ''
    found.push({
      disk: driveOf(channel, row.drive, row.major, identity, sectorsMax),
      lines: diskLines(row.drive, identity, sectorsMax, dma),
    })
  }
  // ide-disk comes when all interfaces have been looked at.
  for (const { disk, lines } of found) {
    log.printk(lines)
    yield* kernel.blocks.addDisk(disk)
  }
}

/** ide_setup_pci_device. */
function announce({ log, vcpu }: Kernel, { name, slot, revision, busMaster }: PciIde): void {
  log.printk(`<6>${name}: IDE controller at PCI slot ${slot}\n`)
  log.printk(`<6>${name}: chipset revision ${revision}\n`)
  log.printk(`<6>${name}: not 100% native mode: will probe irqs later\n`)
  if (busMaster === undefined) return
  CHANNELS.forEach((row, i) => {
    const at = busMaster + 8 * i
    const status = vcpu.io.in8(at + ata.BM_STATUS)
    const setting = (bit: number): string => (status & bit ? 'DMA' : 'pio')
    log.printk(
      `<6>    ${row.name}: BM-DMA at 0x${hex4(at)}-0x${hex4(at + 7)}, BIOS settings: ${row.drive}:${setting(0x20)}, ${row.other}:${setting(0x40)}\n`,
    )
  })
}

function driveOf(channel: IdeChannel, name: string, major: number, identity: Identity, sectorsMax: number): Disk {
  const { sectors, cylinders, heads, sectorsPerTrack, flush, flushExt, writeCache } = identity
  return {
    name,
    major,
    firstMinor: 0,
    minors: MINORS,
    sectors,
    readOnly: false,
    sectorsMax,
    geometry: { cylinders, heads, sectors: sectorsPerTrack },
    read: (sector, count) => channel.read(sector, count),
    write: (sector, bytes) => channel.write(sector, bytes),
    *flush(): Sleeping<void> {
      if (writeCache && flush) yield* channel.flush(flushExt)
    },
  }
}
