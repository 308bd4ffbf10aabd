/**
 * A block device as file systems and device nodes see it (Linux: fs/block_dev.c, fs/buffer.c): its pages are the buffers of the file system
 * mounted from it and the contents of its node at once.
 */
import { EINVAL, EIO, ENOTTY } from '#abi/posix/errno.ts'
import { BLKFLSBUF, BLKGETSIZE, BLKGETSIZE64, BLKROGET, BLKRRPART, BLKSSZGET, HDIO_GETGEO } from '#abi/posix/ioctl.ts'
import { makedev } from '#abi/posix/stat.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { Errno, fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Sleeping } from '../sched/wait.ts'
import { type DirtyGroup, Mapping, PAGE_SECTORS, type Page, type PageDisk, type PageStore } from '../vfs/page-cache.ts'
import type { Disk } from './block.ts'
import type { RequestQueue } from './queue.ts'

export class BlockDevice implements PageStore, PageDisk, DirtyGroup {
  readonly kernel: Kernel
  readonly queue: RequestQueue
  readonly name: string
  readonly dev: number
  readonly start: number
  readonly #partSectors: number | undefined
  readonly mapping: Mapping
  /** Who has it open: nodes, file systems, loop devices. */
  openers = 0
  /** A file system is mounted from it, or something else has it for itself (bd_claim). */
  holder: unknown
  dirtySinceNs = Number.POSITIVE_INFINITY

  constructor(kernel: Kernel, queue: RequestQueue, name: string, minor: number, start: number, sectors?: number) {
    this.kernel = kernel
    this.queue = queue
    this.name = name
    this.dev = makedev(queue.disk.major, minor)
    this.start = start
    this.#partSectors = sectors
    this.mapping = new Mapping(this, 'buffers', this)
  }

  get disk(): PageDisk {
    return this
  }

  /** The whole disk's may change: a loop device gets a file. */
  get sectors(): number {
    return this.#partSectors ?? this.queue.disk.sectors
  }

  get bytes(): number {
    return this.sectors * 512
  }

  get readOnly(): boolean {
    return this.queue.disk.readOnly
  }

  // --- sectors ---

  /** Past the caches; EIO outside the device. */
  *readSectors(sector: number, count: number): Sleeping<Uint8Array> {
    if (sector < 0 || sector + count > this.sectors) {
      this.kernel.log.printk(
        `<6>attempt to access beyond end of device\n<6>${this.name}: rw=0, want=${sector + count}, limit=${this.sectors}\n`,
      )
      fail(EIO)
    }
    return yield* this.queue.read(this.start + sector, count)
  }

  *write(sector: number, bytes: Uint8Array): Sleeping<void> {
    if (sector < 0 || sector + bytes.length / 512 > this.sectors) fail(EIO)
    try {
      yield* this.queue.write(this.start + sector, bytes)
    } catch (error) {
      this.kernel.log.printk(`<3>Buffer I/O error on device ${this.name}, logical block ${Math.floor(sector / 8)}\n`)
      throw error
    }
  }

  *flush(): Sleeping<void> {
    yield* this.queue.flush()
  }

  // --- its pages ---

  *fill(pages: readonly Page[]): Sleeping<void> {
    const first = pages[0]!.index * PAGE_SECTORS
    const count = Math.min(pages.length * PAGE_SECTORS, this.sectors - first)
    if (count <= 0) fail(EIO)
    const bytes = yield* this.readSectors(first, count)
    const { mem, pages: frames } = this.kernel
    pages.forEach((page, i) => {
      const part = bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE)
      if (part.length < PAGE_SIZE) frames.zero(page.pfn)
      mem.copyIn(page.va, part)
    })
  }

  sector(page: Page, n: number): number {
    const sector = page.index * PAGE_SECTORS + n
    return sector < this.sectors ? sector : -1
  }

  /** sync_blockdev, then the disk's own cache. */
  *writeAll(): Sleeping<void> {
    const { cache } = this.kernel.vfs
    cache.noteClean(this)
    yield* cache.flushMapping(this.mapping)
    yield* this.flush()
  }

  // --- buffers: the address of `block` of `bytes` bytes, good until the caller sleeps ---

  /** Undefined: not in memory. */
  peek(block: number, bytes: number): Vaddr | undefined {
    const at = block * bytes
    const page = this.mapping.pages.get(Math.floor(at / PAGE_SIZE))
    if (!page?.uptodate) return undefined
    page.referenced = true
    return page.va + (at % PAGE_SIZE)
  }

  *bread(block: number, bytes: number): Sleeping<Vaddr> {
    const at = block * bytes
    if (at + bytes > this.bytes) fail(EIO)
    const page = yield* this.kernel.vfs.cache.read(this.mapping, Math.floor(at / PAGE_SIZE), 1)
    return page.va + (at % PAGE_SIZE)
  }

  /** A block whose old contents do not matter, zeroed. */
  *bnew(block: number, bytes: number): Sleeping<Vaddr> {
    const at = block * bytes
    if (at + bytes > this.bytes) fail(EIO)
    const { cache } = this.kernel.vfs
    const index = Math.floor(at / PAGE_SIZE)
    const page =
      bytes === PAGE_SIZE ? yield* cache.grab(this.mapping, index, false) : yield* cache.read(this.mapping, index, 1)
    const va = page.va + (at % PAGE_SIZE)
    this.kernel.mem.fill(va, bytes, 0)
    return va
  }

  /** The block has been changed in its page, which is there. */
  bdirty(block: number, bytes: number): void {
    const at = block * bytes
    const page = this.mapping.pages.get(Math.floor(at / PAGE_SIZE))
    if (!page) return
    const first = (at % PAGE_SIZE) / 512
    this.kernel.vfs.cache.markDirty(page, ((1 << (bytes / 512)) - 1) << first)
  }

  /** The block was freed: what it held must not reach the disk any more, where a file's data may lie soon. */
  *bforget(block: number, bytes: number): Sleeping<void> {
    const at = block * bytes
    const page = this.mapping.pages.get(Math.floor(at / PAGE_SIZE))
    if (!page) return
    const { cache } = this.kernel.vfs
    yield* cache.wait(page)
    const mask = ((1 << (bytes / 512)) - 1) << ((at % PAGE_SIZE) / 512)
    if ((page.dirty & ~mask) === 0) cache.clean(page)
    else page.dirty &= ~mask
  }

  /** A page to be kept in memory. */
  *pin(block: number, bytes: number): Sleeping<Page> {
    yield* this.bread(block, bytes)
    const page = this.mapping.pages.get(Math.floor((block * bytes) / PAGE_SIZE))!
    page.pins++
    return page
  }

  // --- opening ---

  *get(): Sleeping<void> {
    this.openers++
  }

  /** The last to close it takes the buffers with him. */
  *put(): Sleeping<void> {
    if (this.openers === 1) {
      try {
        yield* this.writeAll()
      } catch (error) {
        if (!(error instanceof Errno)) throw error
      }
      if (this.openers === 1) yield* this.kernel.vfs.cache.truncate(this.mapping, 0)
    }
    this.openers--
    if (this.openers === 0) this.queue.disk.closed?.()
  }

  *ioctl(request: number, arg: number | Uint8Array, rescan: () => Sleeping<void>): Sleeping<number | Uint8Array> {
    const { disk } = this.queue
    switch (request) {
      case BLKGETSIZE64:
        return u64(this.bytes)
      case BLKGETSIZE:
        return u64(this.sectors)
      case BLKSSZGET:
        return u32(512)
      case BLKROGET:
        return u32(this.readOnly ? 1 : 0)
      case BLKFLSBUF:
        yield* this.writeAll()
        this.kernel.vfs.cache.dropClean(this.mapping)
        return 0
      case BLKRRPART:
        if (this.start !== 0 || disk.minors < 2) fail(EINVAL)
        yield* rescan()
        return 0
      case HDIO_GETGEO: {
        const { geometry } = disk
        if (!geometry) return yield* driverIoctl(disk, request, arg)
        const out = new Uint8Array(16)
        const view = new DataView(out.buffer)
        out[0] = geometry.heads
        out[1] = geometry.sectors
        view.setUint16(2, geometry.cylinders & 0xffff, true)
        view.setBigUint64(8, BigInt(this.start), true)
        return out
      }
      default:
        return yield* driverIoctl(disk, request, arg)
    }
  }
}

/** A driver may be a module, whose Errno is another class than the kernel's own. */
function* driverIoctl(disk: Disk, request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> {
  if (!disk.ioctl) fail(ENOTTY)
  try {
    return yield* disk.ioctl(request, arg)
  } catch (error) {
    const { errno } = error as { readonly errno?: unknown }
    if (typeof errno !== 'number') throw error
    return fail(errno)
  }
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value, true)
  return out
}

function u64(value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value), true)
  return out
}
