/** The front end's disk: requests become ring entries, whose frames are granted for as long as they are under way (blkfront.c, blkif_queue_request). */
import { EIO } from '#abi/posix/errno.ts'
import {
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE,
  BLKIF_OP_WRITE_BARRIER,
  BLKIF_RSP_EOPNOTSUPP,
  BLKIF_RSP_OKAY,
  BLKIF_SEGMENTS,
  blkif_request,
  blkif_request_segment,
  blkif_response,
} from '#abi/xen/io/blkif.ts'
import { FrontRing } from '#abi/xen/io/ring.ts'
import { type Gpfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import type { Disk } from '../../block/block.ts'
import { fail } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import { moved } from '../../sched/copy-cost.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import type { Grants } from '../../xen/grants.ts'

const SECTOR = 512
const PAGE_SECTORS = PAGE_SIZE / SECTOR
const REQUEST_SECTORS = BLKIF_MAX_SEGMENTS_PER_REQUEST * PAGE_SECTORS
/** Requests that one of the block layer's may become; their frames are kept, since a disk must work when none are free. */
const REQUESTS_MAX = 3
const SMALL_REQUESTS = 1
const SECTORS_MAX = 256
const SMALL_PAGES = 4096
const UNINTERRUPTIBLE = { interruptible: false } as const
const HEADS = 255
const TRACK = 63

/** A request under way: blkfront's shadow of it. */
interface Shadow {
  readonly id: bigint
  readonly sector: number
  readonly frames: readonly Gpfn[]
  readonly refs: readonly number[]
  /** BLKIF_RSP_*, once it is there. */
  status: number | undefined
}

export interface FrontDiskOptions {
  readonly name: string
  readonly major: number
  readonly firstMinor: number
  readonly minors: number
  readonly sectors: number
  readonly readOnly: boolean
  readonly handle: number
  readonly backendId: number
  /** Where the ring's page is. */
  readonly ring: Vaddr
  /** Tell the back end. */
  readonly notify: () => void
}

export class FrontDisk implements Disk {
  readonly name: string
  readonly major: number
  readonly firstMinor: number
  readonly minors: number
  readonly sectors: number
  readonly readOnly: boolean
  readonly sectorsMax: number
  /** feature-barrier. */
  barriers = false
  /** Somebody has closed it, and nobody has it open now. */
  readonly released = new WaitQueue()
  readonly #kernel: Kernel
  readonly #grants: Grants
  readonly #options: FrontDiskOptions
  readonly #ring: FrontRing
  readonly #changed = new WaitQueue()
  /** By id. */
  readonly #shadows = new Map<bigint, Shadow>()
  readonly #freeFrames: Gpfn[] = []
  readonly #keptFrames: number
  #nextId = 0n
  #connected = true
  /** What was written last since the last barrier: a barrier has to write something. */
  #unflushed: { readonly sector: number; readonly bytes: Uint8Array } | undefined

  constructor(kernel: Kernel, grants: Grants, options: FrontDiskOptions) {
    this.#kernel = kernel
    this.#grants = grants
    this.#options = options
    this.name = options.name
    this.major = options.major
    this.firstMinor = options.firstMinor
    this.minors = options.minors
    this.sectors = options.sectors
    this.readOnly = options.readOnly
    const requests = kernel.pages.total < SMALL_PAGES ? SMALL_REQUESTS : REQUESTS_MAX
    this.#keptFrames = requests * BLKIF_MAX_SEGMENTS_PER_REQUEST
    this.sectorsMax = Math.min(requests * REQUEST_SECTORS, SECTORS_MAX)
    this.#ring = new FrontRing(kernel.mem, options.ring, blkif_request.size)
  }

  /** blkif_getgeo: nobody knows, but it fits the size. */
  get geometry(): NonNullable<Disk['geometry']> {
    const cylinders = Math.floor(this.sectors / (HEADS * TRACK))
    const fits = (cylinders + 1) * HEADS * TRACK >= this.sectors
    return { heads: HEADS, sectors: TRACK, cylinders: fits ? cylinders : 0xffff }
  }

  *prepare(): Sleeping<void> {
    while (this.#freeFrames.length < this.#keptFrames) this.#freeFrames.push(yield* this.#kernel.pages.alloc('kernel'))
  }

  *read(sector: number, count: number): Sleeping<Uint8Array> {
    const shadows: Shadow[] = []
    for (let done = 0; done < count; done += REQUEST_SECTORS) {
      const part = Math.min(REQUEST_SECTORS, count - done)
      shadows.push(yield* this.#start(BLKIF_OP_READ, sector + done, part, undefined))
    }
    const bytes = new Uint8Array(count * SECTOR)
    yield* this.#finish(shadows, ({ frames }, i) => this.#copyOut(frames, bytes, i * REQUEST_SECTORS * SECTOR))
    return bytes
  }

  *write(sector: number, bytes: Uint8Array): Sleeping<void> {
    const shadows: Shadow[] = []
    for (let at = 0; at < bytes.length; at += REQUEST_SECTORS * SECTOR) {
      const part = bytes.subarray(at, at + REQUEST_SECTORS * SECTOR)
      shadows.push(yield* this.#start(BLKIF_OP_WRITE, sector + at / SECTOR, part.length / SECTOR, part))
    }
    yield* this.#finish(shadows)
    const last = bytes.length - SECTOR
    if (last >= 0) this.#unflushed = { sector: sector + last / SECTOR, bytes: bytes.slice(last) }
  }

  /** A barrier comes with a sector to write: the one that was written last, once more. */
  *flush(): Sleeping<void> {
    const { barriers } = this
    const last = this.#unflushed
    this.#unflushed = undefined
    if (!last || !barriers) return
    const shadow = yield* this.#start(BLKIF_OP_WRITE_BARRIER, last.sector, 1, last.bytes)
    try {
      yield* this.#finish([shadow])
    } catch (error) {
      this.#unflushed ??= last
      if (shadow.status !== BLKIF_RSP_EOPNOTSUPP) throw error
      const { log } = this.#kernel
      log.printk(`<4>blkfront: ${this.name}: write barrier op failed\n`)
      this.barriers = false
      log.printk(`<6>blkfront: ${this.name}: barriers disabled\n`)
    }
  }

  closed(): void {
    this.released.wakeUp()
  }

  /** blkif_int */
  interrupt(): void {
    const { mem } = this.#kernel
    do {
      if (this.#ring.broken) {
        this.disconnect()
        return
      }
      for (let at = this.#ring.response(); at !== undefined; at = this.#ring.response()) {
        const shadow = this.#shadows.get(blkif_response.fields.id.get(mem, at))
        if (!shadow) continue
        shadow.status = blkif_response.fields.status.get(mem, at)
        this.#shadows.delete(shadow.id)
      }
    } while (this.#ring.finalCheck())
    this.#changed.wakeUp()
  }

  /** The back end is gone: what is under way fails, and what comes. */
  disconnect(): void {
    this.#connected = false
    this.#changed.wakeUp()
  }

  /** Nobody uses it any more. */
  dispose(): void {
    for (const pfn of this.#freeFrames) this.#kernel.pages.release(pfn, 'kernel')
    this.#freeFrames.length = 0
  }

  *#start(operation: number, sector: number, count: number, bytes: Uint8Array | undefined): Sleeping<Shadow> {
    const { mem, pages, sched } = this.#kernel
    while (this.#connected && this.#ring.free === 0) yield* sched.sleepOn(this.#changed, UNINTERRUPTIBLE)
    if (!this.#connected) fail(EIO)
    const frames: Gpfn[] = []
    for (let i = 0; i * PAGE_SECTORS < count; i++) {
      frames.push(this.#freeFrames.pop() ?? (yield* pages.alloc('kernel')))
      if (bytes) mem.copyIn(pages.va(frames[i]!), bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE))
    }
    if (bytes) moved(bytes.length)
    const { backendId, handle, notify } = this.#options
    const at = this.#ring.request()
    const id = this.#nextId++
    blkif_request.write(mem, at, {
      operation,
      nr_segments: frames.length,
      handle,
      id,
      sector_number: BigInt(sector),
    })
    const refs = frames.map((pfn, i) => {
      const gref = this.#grants.grantAccess(backendId, pfn, operation !== BLKIF_OP_READ)
      blkif_request_segment.write(mem, at + BLKIF_SEGMENTS + i * blkif_request_segment.size, {
        gref,
        first_sect: 0,
        last_sect: Math.min(PAGE_SECTORS, count - i * PAGE_SECTORS) - 1,
      })
      return gref
    })
    const shadow: Shadow = { id, sector, frames, refs, status: undefined }
    this.#shadows.set(id, shadow)
    if (this.#ring.push()) notify()
    return shadow
  }

  /** Wait for all; `good` is called for each that went well, in order. EIO if any did not. */
  *#finish(shadows: readonly Shadow[], good?: (shadow: Shadow, i: number) => void): Sleeping<void> {
    const { sched, log } = this.#kernel
    while (this.#connected && shadows.some(({ status }) => status === undefined))
      yield* sched.sleepOn(this.#changed, UNINTERRUPTIBLE)
    let failed = false
    shadows.forEach((shadow, i) => {
      this.#shadows.delete(shadow.id)
      if (shadow.status === BLKIF_RSP_OKAY) good?.(shadow, i)
      else {
        failed = true
        if (shadow.status !== BLKIF_RSP_EOPNOTSUPP)
          log.printk(`<4>end_request: I/O error, dev ${this.name}, sector ${shadow.sector}\n`)
      }
      this.#release(shadow)
    })
    if (failed) fail(EIO)
  }

  /** A frame that is mapped there still is not used again before it is not. */
  #release({ frames, refs }: Shadow): void {
    const { pages } = this.#kernel
    frames.forEach((pfn, i) => {
      this.#grants.endAccessLater(refs[i]!, () => {
        if (this.#connected && this.#freeFrames.length < this.#keptFrames) this.#freeFrames.push(pfn)
        else pages.release(pfn, 'kernel')
      })
    })
  }

  #copyOut(frames: readonly Gpfn[], bytes: Uint8Array, at: number): void {
    const { mem, pages } = this.#kernel
    frames.forEach((pfn, i) => {
      const to = at + i * PAGE_SIZE
      const count = Math.min(PAGE_SIZE, bytes.length - to)
      bytes.set(mem.copyOut(pages.va(pfn), count), to)
      moved(count)
    })
  }
}
