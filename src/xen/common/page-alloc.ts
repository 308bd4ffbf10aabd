/**
 * xen/common/page_alloc.c: the frame table's free side. A binary buddy allocator over zones: zone 0 is the Xen heap, zone z above it
 * holds the domain heap's frames whose number has z + 1 bits. Every figure of keys m and H is read from here.
 */

import { TRACE_FREE } from '#abi/tracer.ts'
import { type Mfn, PAGE_SHIFT, PAGE_SIZE } from '#abi/xen/types.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import { INVALID_M2P_ENTRY, MachineToPhys } from '../arch-x86/m2p.ts'
import { bug } from './bug.ts'

export const MEMZONE_XEN = 0
/** PADDR_BITS - PAGE_SHIFT on x86_64. */
export const NR_ZONES = 52 - 12
/** Blocks of up to 2^20 frames. */
export const MAX_ORDER = 20

/** page_info.count_info. */
export const PGC_allocated = 0x80000000
export const PGC_count_mask = (1 << 26) - 1
/** page_info.u.inuse.type_info. */
export const PGT_none = 0
export const PGT_l1_page_table = 0x20000000
export const PGT_l2_page_table = 0x40000000
export const PGT_l3_page_table = 0x60000000
export const PGT_l4_page_table = 0x80000000
export const PGT_seg_desc_page = 0xa0000000
export const PGT_writable_page = 0xe0000000
export const PGT_type_mask = 0xe0000000
export const PGT_pinned = 1 << 28
export const PGT_validated = 1 << 27
export const PGT_count_mask = (1 << 26) - 1

/** frame_table[].owner: nobody. Others are domain ids. */
export const NO_OWNER = 0xffff

/** sizeof(struct page_info) on x86_64 with up to 64 CPUs: what the frame table takes of RAM. */
export const PAGE_INFO_BYTES = 40

/** fls(mfn) - 1. */
export const pfnDomZone = (mfn: number): number => 31 - Math.clz32(mfn)

/** get_order_from_pages */
export const orderFromPages = (pages: number): number => (pages <= 1 ? 0 : 32 - Math.clz32(pages - 1))

/** One row per frame of RAM up to max_page, as columns. */
export class FrameTable {
  readonly maxPage: number
  readonly countInfo: Uint32Array
  readonly typeInfo: Uint32Array
  readonly owner: Uint16Array
  /** machine_to_phys_mapping: the owner's pfn. */
  readonly m2p = new MachineToPhys()
  /** The allocation bitmap: 1 is in use, or no RAM. */
  readonly allocated: Uint8Array
  /** Scrubbed since it was last in use: reads as zero without anybody having cleared it (design D3). */
  readonly scrubbed: Uint8Array
  /** Of the first frame of a free block: its order. */
  readonly order: Uint8Array
  readonly next: Int32Array
  readonly prev: Int32Array

  constructor(maxPage: number) {
    this.maxPage = maxPage
    this.countInfo = new Uint32Array(maxPage)
    this.typeInfo = new Uint32Array(maxPage)
    this.owner = new Uint16Array(maxPage).fill(NO_OWNER)
    this.allocated = new Uint8Array(maxPage + 1).fill(1)
    this.scrubbed = new Uint8Array(maxPage)
    this.order = new Uint8Array(maxPage)
    this.next = new Int32Array(maxPage)
    this.prev = new Int32Array(maxPage)
  }
}

const NIL = -1

export class Heap {
  readonly frames: FrameTable
  /** Free frames by zone: not a plain array, into which each store of a locked realm is slow. */
  readonly #avail = new Float64Array(NR_ZONES)
  /** First and last block of each free list, at zone * (MAX_ORDER + 1) + order. */
  readonly #first = new Int32Array(NR_ZONES * (MAX_ORDER + 1)).fill(NIL)
  readonly #last = new Int32Array(NR_ZONES * (MAX_ORDER + 1)).fill(NIL)
  /** Lowest frame ever handed to the boot allocator. */
  firstValidMfn = Number.POSITIVE_INFINITY
  /** The Xen heap's frames: [start, end). */
  xenHeapStart = 0
  xenHeapEnd = 0

  /** Told of frames that change hands (tracer.ts). */
  readonly #traced: (mfn: number, count: number, owner: number) => void

  constructor(frames: FrameTable, traced: (mfn: number, count: number, owner: number) => void = () => {}) {
    this.frames = frames
    this.#traced = traced
  }

  /** Free frames by zone. */
  get avail(): number[] {
    return [...this.#avail]
  }

  isXenHeap(mfn: number): boolean {
    return mfn >= this.xenHeapStart && mfn < this.xenHeapEnd
  }

  // --- The boot allocator: frames by the bitmap, before there are lists ---

  /** RAM from byte `start` to byte `end` is free; pages that stick out are not. */
  initBootPages(start: number, end: number): void {
    const from = Math.ceil(start / PAGE_SIZE)
    const to = Math.floor(end / PAGE_SIZE)
    if (to <= from) return
    this.firstValidMfn = Math.min(this.firstValidMfn, from)
    this.frames.allocated.fill(0, from, to)
  }

  /** `count` frames in a row, the first a multiple of `align`, as high as possible; 0 when there are none. */
  allocBootPages(count: number, align: number): number {
    const { allocated, maxPage } = this.frames
    let mfn = Math.floor((maxPage - count) / align) * align
    while (mfn >= this.firstValidMfn) {
      let i = 0
      while (i < count && !allocated[mfn + i]) i++
      if (i === count) {
        allocated.fill(1, mfn, mfn + count)
        return mfn
      }
      mfn = Math.floor((mfn + i - count) / align) * align
    }
    return 0
  }

  /** What is still free becomes the domain heap. */
  endBootAllocator(): void {
    const { allocated, maxPage } = this.frames
    const below = this.freeRuns(this.firstValidMfn, Math.min(this.xenHeapStart, maxPage))
    const above = this.freeRuns(Math.max(this.firstValidMfn, this.xenHeapEnd), maxPage)
    const runs = [...below, ...above]
    // All taken first: a block must not merge with frames whose turn has not come.
    for (const [from, to] of runs) allocated.fill(1, from, to)
    for (const [from, to] of runs) this.#initRange(from, to, pfnDomZone)
  }

  /** The runs of free frames in [from, to), as [first, behind the last]. */
  freeRuns(from: number, to: number): (readonly [number, number])[] {
    const { allocated } = this.frames
    const runs: (readonly [number, number])[] = []
    for (let mfn = from; mfn < to; ) {
      const first = allocated.indexOf(0, mfn)
      if (first === -1 || first >= to) break
      const taken = allocated.indexOf(1, first)
      mfn = taken === -1 ? to : Math.min(taken, to)
      runs.push([first, mfn])
    }
    return runs
  }

  /** Free [from, to) in the largest aligned blocks: the same blocks as frame by frame, in a fraction of the time. */
  #initRange(from: number, to: number, zoneOf: (mfn: number) => number): void {
    for (let mfn = from; mfn < to; ) {
      const zone = mfn === 0 ? 0 : zoneOf(mfn)
      let order = 0
      while (order < MAX_ORDER && mfn % 2 ** (order + 1) === 0) {
        const last = mfn + 2 ** (order + 1) - 1
        if (last >= to || zoneOf(last) !== zone) break
        order++
      }
      this.freeHeapPages(zone, mfn, order)
      mfn += 2 ** order
    }
  }

  // --- The buddy allocator ---

  #unlink(list: number, mfn: number): void {
    const { next, prev } = this.frames
    const before = prev[mfn]!
    const after = next[mfn]!
    if (before === NIL) this.#first[list] = after
    else next[before] = after
    if (after === NIL) this.#last[list] = before
    else prev[after] = before
  }

  #append(list: number, mfn: number): void {
    const { next, prev } = this.frames
    const last = this.#last[list]!
    prev[mfn] = last
    next[mfn] = NIL
    if (last === NIL) this.#first[list] = mfn
    else next[last] = mfn
    this.#last[list] = mfn
  }

  /** 2^order frames in a row from the highest zone of [zoneLo, zoneHi] that has them; undefined when none has. */
  allocHeapPages(zoneLo: number, zoneHi: number, order: number): Mfn | undefined {
    if (order > MAX_ORDER) return undefined
    const { frames } = this
    const request = 2 ** order
    for (let zone = zoneHi; zone >= zoneLo; zone--) {
      if (this.#avail[zone]! < request) continue
      for (let found = order; found <= MAX_ORDER; found++) {
        const list = zone * (MAX_ORDER + 1)
        let mfn = this.#first[list + found]!
        if (mfn === NIL) continue
        this.#unlink(list + found, mfn)
        // Halve it: the lower half goes back each time.
        for (let half = found; half !== order; ) {
          half--
          frames.order[mfn] = half
          this.#append(list + half, mfn)
          mfn += 2 ** half
        }
        this.#avail[zone] = this.#avail[zone]! - request
        for (let i = mfn; i < mfn + request; i++) {
          if (frames.countInfo[i] !== 0) bug(`common/page-alloc.ts: free frame ${i.toString(16)} has references`)
          frames.allocated[i] = 1
          frames.typeInfo[i] = 0
          frames.owner[i] = NO_OWNER
        }
        return mfn as Mfn
      }
    }
    return undefined
  }

  /** Give 2^order frames back to `zone`, merged with free buddies. */
  freeHeapPages(zone: number, mfn: number, order: number): void {
    const { frames } = this
    const list = zone * (MAX_ORDER + 1)
    const end = mfn + 2 ** order
    for (let i = mfn; i < end; i++)
      if (frames.allocated[i] === 0) bug(`common/page-alloc.ts: frame ${i.toString(16)} is free already`)
    // One by one: most are single frames, and a domain has thousands.
    for (let i = mfn; i < end; i++) {
      frames.allocated[i] = 0
      frames.countInfo[i] = 0
      frames.typeInfo[i] = 0
      frames.owner[i] = NO_OWNER
      frames.m2p.set(i, INVALID_M2P_ENTRY)
      frames.scrubbed[i] = 0
    }
    this.#traced(mfn, 2 ** order, TRACE_FREE)
    this.#avail[zone] = this.#avail[zone]! + 2 ** order
    let head = mfn
    let merged = order
    while (merged < MAX_ORDER) {
      const size = 2 ** merged
      const isUpper = Math.floor(head / size) % 2 === 1
      const buddy = isUpper ? head - size : head + size
      if (buddy >= frames.maxPage || frames.allocated[buddy] || frames.order[buddy] !== merged) break
      this.#unlink(list + merged, buddy)
      if (isUpper) head = buddy
      merged++
    }
    frames.order[head] = merged
    this.#append(list + merged, head)
  }

  /** Free frames in zones [zoneLo, zoneHi]. */
  availHeapPages(zoneLo: number, zoneHi: number): number {
    let free = 0
    for (let zone = zoneLo; zone <= Math.min(zoneHi, NR_ZONES - 1); zone++) free += this.#avail[zone]!
    return free
  }

  // --- The two heaps ---

  /** Bytes [start, end) join the Xen heap, less a page of distance to the domain heap on either side. */
  initXenHeapPages(start: number, end: number): void {
    let from = Math.ceil(start / PAGE_SIZE)
    let to = Math.floor(end / PAGE_SIZE)
    if (to <= from) return
    if (from > 0 && !this.isXenHeap(from - 1)) from++
    if (!this.isXenHeap(to)) to--
    this.#initRange(from, to, () => MEMZONE_XEN)
  }

  allocXenHeapPages(order: number): Mfn | undefined {
    const mfn = this.allocHeapPages(MEMZONE_XEN, MEMZONE_XEN, order)
    if (mfn !== undefined) this.#traced(mfn, 2 ** order, DOMID_XEN)
    return mfn
  }

  freeXenHeapPages(mfn: number, order: number): void {
    this.freeHeapPages(MEMZONE_XEN, mfn, order)
  }

  /** Bytes [start, end) join the domain heap, each frame in its zone. */
  initDomHeapPages(start: number, end: number): void {
    this.#initRange(Math.ceil(start / PAGE_SIZE), Math.floor(end / PAGE_SIZE), pfnDomZone)
  }

  /** Frames of nobody yet from the domain heap, below `bits` bits of address if that is not 0. */
  allocDomHeapPages(order: number, bits = 0): Mfn | undefined {
    const mfn = this.takeDomHeapPages(order, bits)
    if (mfn !== undefined) this.#traced(mfn, 2 ** order, DOMID_XEN)
    return mfn
  }

  /** The same, for who assigns them at once: that is told. */
  takeDomHeapPages(order: number, bits: number): Mfn | undefined {
    const zoneHi = bits === 0 ? NR_ZONES - 1 : Math.min(bits - PAGE_SHIFT - 1, NR_ZONES - 1)
    return this.allocHeapPages(MEMZONE_XEN + 1, zoneHi, order)
  }

  /**
   * As cleared: whoever gets them next finds nothing in them. 3.3 clears what a dead domain leaves, and relies on a living one to have cleared what it
   * gives up; here nobody ever sees what another has left.
   */
  freeDomHeapPages(mfn: number, order: number): void {
    this.freeHeapPages(pfnDomZone(mfn), mfn, order)
    const { scrubbed } = this.frames
    for (let i = mfn; i < mfn + 2 ** order; i++) scrubbed[i] = 1
  }

  availDomHeapPages(): number {
    return this.availHeapPages(MEMZONE_XEN + 1, NR_ZONES - 1)
  }
}
