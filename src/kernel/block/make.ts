/** The block layer: disks, their partitions, their devices (Linux: block/genhd.c). */
import { EBUSY, EIO, ENXIO, EROFS } from '#abi/posix/errno.ts'
import { major, makedev, minor } from '#abi/posix/stat.ts'
import { ideInit } from '../drivers/ide/ide.ts'
import { Errno, fail } from '../errno.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { FileOps } from '../vfs/file.ts'
import { type FileHost, pageFileOps } from '../vfs/generic-file.ts'
import type { Inode } from '../vfs/inode.ts'
import type { Page } from '../vfs/page-cache.ts'
import { vfsOf } from '../vfs/vfs-of.ts'
import type { Blocks, Disk, Partition } from './block.ts'
import { BlockDevice } from './device.ts'
import { type Found, readTable } from './partitions.ts'
import { RequestQueue } from './queue.ts'

interface Gendisk {
  readonly disk: Disk
  readonly queue: RequestQueue
  readonly whole: BlockDevice
  partitions: Partition[]
}

export class BlockLayer implements Blocks {
  readonly #kernel: Kernel
  readonly disks: Gendisk[] = []
  readonly majors = new Map<number, string>()
  readonly #devices = new Map<number, BlockDevice>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  registerBlockDevice(number: number, name: string): void {
    this.majors.set(number, name)
  }

  unregisterBlockDevice(number: number): void {
    this.majors.delete(number)
  }

  device(dev: number): BlockDevice | undefined {
    return this.#devices.get(dev)
  }

  named(name: string): BlockDevice | undefined {
    for (const device of this.#devices.values()) if (device.name === name) return device
    return undefined
  }

  *addDisk(disk: Disk): Sleeping<void> {
    const queue = new RequestQueue(this.#kernel, disk)
    const whole = new BlockDevice(this.#kernel, queue, disk.name, disk.firstMinor, 0)
    this.#devices.set(whole.dev, whole)
    const gendisk: Gendisk = { disk, queue, whole, partitions: [] }
    this.disks.push(gendisk)
    if (disk.minors > 1 && disk.sectors > 0) yield* this.#scan(gendisk)
  }

  *removeDisk(name: string): Sleeping<void> {
    const index = this.disks.findIndex(({ disk }) => disk.name === name)
    if (index < 0) fail(ENXIO)
    const { whole, partitions, disk } = this.disks[index]!
    const devices = [whole, ...partitions.map((part) => this.#devices.get(makedev(disk.major, part.minor))!)]
    if (devices.some(({ openers }) => openers > 0)) fail(EBUSY)
    for (const device of devices) this.#devices.delete(device.dev)
    this.disks.splice(index, 1)
  }

  /** check_partition. */
  *#scan(gendisk: Gendisk): Sleeping<void> {
    const { disk, whole, queue } = gendisk
    const { log } = this.#kernel
    let found: Found[] | undefined
    let text = ` ${disk.name}:`
    try {
      found = yield* readTable((sector) => whole.readSectors(sector, 1), disk.sectors)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      log.printk(`<6>${text} unable to read partition table\n`)
      return
    }
    const names: string[] = []
    const add = ({ number, start, sectors, logical }: Found): void => {
      if (number >= disk.minors) return
      const name = `${disk.name}${/\d$/.test(disk.name) ? 'p' : ''}${number}`
      const partition = { name, minor: disk.firstMinor + number, start, sectors }
      gendisk.partitions.push(partition)
      const device = new BlockDevice(this.#kernel, queue, name, partition.minor, start, sectors)
      this.#devices.set(device.dev, device)
      names.push(name)
      if (logical.length === 0) return
      names.push('<')
      for (const each of logical) add(each)
      names.push('>')
    }
    for (const each of found ?? []) add(each)
    text += found ? names.map((name) => ` ${name}`).join('') : ' unknown partition table'
    log.printk(`<6>${text}\n`)
  }

  /** BLKRRPART. */
  *#rescan(device: BlockDevice): Sleeping<void> {
    const gendisk = this.disks.find(({ whole }) => whole === device) ?? fail(ENXIO)
    const { major: number } = gendisk.disk
    const parts = gendisk.partitions.map((part) => this.#devices.get(makedev(number, part.minor))!)
    if (parts.some(({ openers }) => openers > 0)) fail(EBUSY)
    for (const { dev } of parts) this.#devices.delete(dev)
    gendisk.partitions = []
    yield* device.writeAll()
    yield* this.#scan(gendisk)
  }

  *open(dev: number, writable: boolean): Sleeping<FileOps> {
    const device = this.#devices.get(dev) ?? fail(ENXIO)
    if (writable && device.readOnly) fail(EROFS)
    yield* device.get()
    const { cache, writeback } = vfsOf(this.#kernel)
    const ops = pageFileOps(cache, writeback, new DeviceHost(device))
    return {
      ...ops,
      size: () => device.bytes,
      ioctl: (_file, request, arg) => device.ioctl(request, arg, () => this.#rescan(device)),
      release: () => device.put(),
    }
  }

  *sync(): Sleeping<void> {
    for (const device of [...this.#devices.values()])
      if (device.mapping.group === device && device.mapping.dirty.size > 0) yield* device.writeAll()
  }
}

/** A device's node, as the file that it is. */
class DeviceHost implements FileHost {
  readonly #device: BlockDevice
  readonly inode: Inode
  readonly fixedSize = true

  constructor(device: BlockDevice) {
    this.#device = device
    // Of an inode, contents need the size alone.
    this.inode = {
      get size() {
        return device.bytes
      },
    } as Inode
  }

  get mapping() {
    return this.#device.mapping
  }

  get maxBytes(): number {
    return this.#device.bytes
  }

  *prepare(): Sleeping<void> {}

  commit(page: Page, from: number, to: number): void {
    const first = Math.floor(from / 512)
    const end = Math.ceil(to / 512)
    this.#device.kernel.vfs.cache.markDirty(page, (1 << end) - (1 << first))
  }

  accessed(): void {}
  modified(): void {}

  *sync(): Sleeping<void> {
    const group = this.#device.mapping.group
    if (group) yield* group.writeAll()
    else fail(EIO)
  }
}

export function makeBlocks(kernel: Kernel): Blocks {
  return new BlockLayer(kernel)
}

/** /proc/partitions and /proc/diskstats. */
function registerProc(kernel: Kernel): void {
  const layer = kernel.blocks as BlockLayer
  const pad = (value: number, width: number): string => String(value).padStart(width)
  kernel.proc.add('partitions', {
    mode: 0o444,
    read() {
      let text = 'major minor  #blocks  name\n\n'
      for (const { disk, whole, partitions } of layer.disks) {
        if (disk.sectors === 0) continue
        for (const { name, sectors, minor: number } of [
          { name: disk.name, sectors: disk.sectors, minor: minor(whole.dev) },
          ...partitions,
        ])
          text += `${pad(disk.major, 4)}  ${pad(number, 4)} ${pad(Math.floor(sectors / 2), 10)} ${name}\n`
      }
      return text
    },
  })
  kernel.proc.add('diskstats', {
    mode: 0o444,
    read() {
      let text = ''
      for (const { disk, whole, queue, partitions } of layer.disks) {
        const s = queue.stats
        const fields = [
          s.reads,
          s.readsMerged,
          s.sectorsRead,
          s.readMs,
          s.writes,
          s.writesMerged,
          s.sectorsWritten,
          s.writeMs,
        ]
        const rest = [queue.inFlight, s.busyMs, s.weightedMs]
        text += `${pad(major(whole.dev), 4)} ${pad(minor(whole.dev), 4)} ${disk.name} ${[...fields, ...rest].map(Math.floor).join(' ')}\n`
        for (const part of partitions) text += `${pad(disk.major, 4)} ${pad(part.minor, 4)} ${part.name} 0 0 0 0\n`
      }
      return text
    },
  })
}

export const blockInitcalls: readonly Initcall[] = [
  function* genhdInit(kernel) {
    registerProc(kernel)
  },
  ideInit,
]
