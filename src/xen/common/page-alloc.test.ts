import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { XenBug } from './bug.ts'
import { FrameTable, Heap, MAX_ORDER, MEMZONE_XEN, NR_ZONES, pfnDomZone } from './page-alloc.ts'

const MIB = 2 ** 20

/** 64 MiB of RAM, of which [8 MiB, 12 MiB) are the Xen heap's. */
function makeHeap(): Heap {
  const heap = new Heap(new FrameTable(64 * 256))
  heap.xenHeapStart = 8 * 256
  heap.xenHeapEnd = 12 * 256
  heap.initBootPages(MIB, 8 * MIB)
  heap.initBootPages(12 * MIB, 64 * MIB)
  heap.initXenHeapPages(8 * MIB, 12 * MIB)
  heap.endBootAllocator()
  return heap
}

/** Free frames by zone, counted from the frame table. */
function counted(heap: Heap): number[] {
  const free = new Array<number>(NR_ZONES).fill(0)
  for (let mfn = 0; mfn < heap.frames.maxPage; mfn++) {
    if (heap.frames.allocated[mfn]) continue
    const zone = heap.isXenHeap(mfn) ? MEMZONE_XEN : pfnDomZone(mfn)
    free[zone]!++
  }
  return free
}

describe('boot allocator', () => {
  test('gives the highest aligned range', () => {
    const heap = new Heap(new FrameTable(1024))
    heap.initBootPages(0x100000, 1000 * 4096)
    expect(heap.allocBootPages(10, 1)).toBe(990)
    expect(heap.allocBootPages(10, 512)).toBe(512)
    expect(heap.allocBootPages(1, 512), 'nothing aligned is left').toBe(0)
    expect(heap.allocBootPages(1, 1)).toBe(989)
  })

  test('pages that stick out are not free', () => {
    const heap = new Heap(new FrameTable(1024))
    heap.initBootPages(0x100800, 0x102800)
    expect(heap.firstValidMfn).toBe(0x101)
    expect(heap.allocBootPages(2, 1)).toBe(0)
    expect(heap.allocBootPages(1, 1)).toBe(0x101)
  })
})

describe('zones', () => {
  test('a frame is in the zone of its highest bit', () => {
    expect([1, 2, 3, 255, 256, 65535].map(pfnDomZone)).toEqual([0, 1, 1, 7, 8, 15])
  })

  test('after boot each figure is what the frame table says', () => {
    const heap = makeHeap()
    expect(heap.avail).toEqual(counted(heap))
    // One page of distance on either side.
    expect(heap.avail[MEMZONE_XEN]).toBe(4 * 256 - 2)
    expect(heap.availDomHeapPages()).toBe(7 * 256 + 52 * 256)
  })

  test('high zones are used first', () => {
    const heap = makeHeap()
    expect(pfnDomZone(heap.allocDomHeapPages(0)!)).toBe(13)
    const low = heap.allocHeapPages(1, 9, 0)!
    expect(low).toBeLessThan(1024)
    expect(low).toBeGreaterThanOrEqual(512)
  })
})

describe('buddies', () => {
  test('an allocation is aligned, whole and taken', () => {
    const heap = makeHeap()
    for (const order of [0, 1, 5, 9, 12]) {
      const mfn = heap.allocDomHeapPages(order)!
      expect(mfn % 2 ** order).toBe(0)
      for (let i = 0; i < 2 ** order; i++) expect(heap.frames.allocated[mfn + i]).toBe(1)
    }
    expect(heap.avail).toEqual(counted(heap))
  })

  test('what is not there is refused, and nothing is lost', () => {
    const heap = makeHeap()
    const before = [...heap.avail]
    expect(heap.allocDomHeapPages(14)).toBeUndefined()
    expect(heap.allocDomHeapPages(MAX_ORDER + 1)).toBeUndefined()
    expect(heap.allocXenHeapPages(10)).toBeUndefined()
    expect(heap.avail).toEqual(before)
  })

  test('everything can be taken frame by frame, and comes back as the same blocks', () => {
    const heap = makeHeap()
    const largest = heap.allocDomHeapPages(13)!
    heap.freeDomHeapPages(largest, 13)
    const all: number[] = []
    for (let mfn = heap.allocDomHeapPages(0); mfn !== undefined; mfn = heap.allocDomHeapPages(0)) all.push(mfn)
    expect(all.length).toBe(59 * 256)
    expect(new Set(all).size).toBe(all.length)
    expect(heap.availDomHeapPages()).toBe(0)
    for (const mfn of all) heap.freeDomHeapPages(mfn, 0)
    expect(heap.allocDomHeapPages(13)).toBe(largest)
  })

  test('freeing what is free is a bug', () => {
    const heap = makeHeap()
    const mfn = heap.allocDomHeapPages(1)!
    heap.freeDomHeapPages(mfn, 1)
    expect(() => heap.freeDomHeapPages(mfn, 1)).toThrow(XenBug)
  })

  test('a free frame with references is a bug', () => {
    const heap = makeHeap()
    heap.frames.countInfo.fill(1)
    expect(() => heap.allocDomHeapPages(0)).toThrow(XenBug)
  })

  test.each([1, 2, 3])('random use, seed %i: no overlap, and the figures stay true', (seed) => {
    const heap = makeHeap()
    const start = [...heap.avail]
    const rng = createRng(seed)
    const held: { readonly mfn: number; readonly order: number; readonly xen: boolean }[] = []
    const owner = new Map<number, number>()
    for (let i = 0; i < 2000; i++) {
      if (rng.below(3) > 0) {
        const order = rng.below(7)
        const xen = rng.below(4) === 0
        const mfn = xen ? heap.allocXenHeapPages(order) : heap.allocDomHeapPages(order)
        if (mfn === undefined) continue
        for (let k = 0; k < 2 ** order; k++) {
          expect(owner.has(mfn + k)).toBe(false)
          expect(heap.isXenHeap(mfn + k)).toBe(xen)
          owner.set(mfn + k, i)
        }
        held.push({ mfn, order, xen })
      } else if (held.length > 0) {
        const [block] = held.splice(rng.below(held.length), 1)
        if (block!.xen) heap.freeXenHeapPages(block!.mfn, block!.order)
        else heap.freeDomHeapPages(block!.mfn, block!.order)
        for (let k = 0; k < 2 ** block!.order; k++) owner.delete(block!.mfn + k)
      }
      if (i % 100 === 0) expect(heap.avail).toEqual(counted(heap))
    }
    for (const { mfn, order, xen } of held) xen ? heap.freeXenHeapPages(mfn, order) : heap.freeDomHeapPages(mfn, order)
    expect(heap.avail).toEqual(start)
    expect(heap.avail).toEqual(counted(heap))
  })
})
