/**
 * The page cache (Linux: mm/filemap.c, swap.c): contents of files and of block devices, by page, in frames of the domain. Pages that have a
 * disk behind them are on one list in the order of their use, from which reclaim takes; dirt is kept by sectors of 512 bytes.
 */

import type { Gpfn, Vaddr } from '#abi/xen/types.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import type { Kernel } from '../kernel.ts'
import type { PageUse } from '../mm/pages.ts'
import type { Task } from '../sched/task.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'

export const PAGE_SECTORS = PAGE_SIZE / 512

const UNINTERRUPTIBLE = { interruptible: false } as const

export class Page {
  readonly mapping: Mapping
  readonly index: number
  readonly pfn: Gpfn
  readonly va: Vaddr
  uptodate = false
  /** A read or a write of it is under way. */
  busy = true
  /** Bit by sector. */
  dirty = 0
  /** Looked at since reclaim came by. */
  referenced = true
  /** Not to be reclaimed. */
  pins = 0
  /** Parts that are on their way to the disk. */
  writes = 0
  /** Disk block of each of its blocks, once known: 0 a hole, -1 not asked yet. The file system's. */
  blocks: number[] | undefined
  queue: WaitQueue | undefined
  /** Neighbours in the order of use. */
  older: Page | undefined
  newer: Page | undefined

  constructor(mapping: Mapping, index: number, pfn: Gpfn, va: Vaddr) {
    this.mapping = mapping
    this.index = index
    this.pfn = pfn
    this.va = va
  }
}

/** Where a mapping's pages come from and go to. */
export interface PageStore {
  /** Fill consecutive pages; EIO. */
  fill(pages: readonly Page[]): Sleeping<void>
  /** The sector of `disk` that sector `n` of the page lies in; -1: in none. */
  sector(page: Page, n: number): number
  /** Undefined: pages stay in memory (tmpfs). */
  readonly disk: PageDisk | undefined
}

export interface PageDisk {
  /** `hda1`. */
  readonly name: string
  write(sector: number, bytes: Uint8Array): Sleeping<void>
}

/** What is written together, so that the disk is whole afterwards: a mounted file system with its device's buffers, or a device. */
export interface DirtyGroup {
  /** System time at which something became dirty first; Infinity: nothing is. */
  dirtySinceNs: number
  /** Contents first, then what names them; then the disk's own cache. */
  writeAll(): Sleeping<void>
}

/** Linux's address_space: the pages of one inode or device. */
export class Mapping {
  readonly store: PageStore
  readonly use: PageUse
  readonly pages = new Map<number, Page>()
  readonly dirty = new Set<Page>()
  /** Undefined: written by nobody (tmpfs). */
  group: DirtyGroup | undefined
  /** A write failed since the last fsync. */
  failed = false

  constructor(store: PageStore, use: PageUse, group?: DirtyGroup) {
    this.store = store
    this.use = use
    this.group = group
  }

  /** The frames of the first `bytes`; undefined where one of them is not there. */
  frames(bytes: number): readonly Gpfn[] | undefined {
    const frames: Gpfn[] = []
    for (let index = 0; index * PAGE_SIZE < bytes; index++) {
      const page = this.pages.get(index)
      if (!page?.uptodate) return undefined
      frames.push(page.pfn)
    }
    return frames
  }
}

/** Bytes that one write gathers at most. */
const WRITE_BYTES_MAX = 128 * 1024

export class PageCache {
  readonly kernel: Kernel
  /** In the order in which they became dirty. */
  readonly dirtyGroups = new Set<DirtyGroup>()
  /** Dirty pages, all mappings together. */
  dirtyPages = 0
  /** Pages being written. */
  writebackPages = 0
  /** Told when the first page becomes dirty. */
  onDirty: (() => void) | undefined
  #oldest: Page | undefined
  #newest: Page | undefined
  #listed = 0
  readonly #writers = new Map<Task, number>()

  constructor(kernel: Kernel) {
    this.kernel = kernel
    kernel.pages.addShrinker({ name: 'page cache', shrink: (wanted) => this.shrink(wanted) })
  }

  /** Pages that could be given back. */
  get reclaimable(): number {
    return this.#listed
  }

  // --- the list in the order of use ---

  #append(page: Page): void {
    page.older = this.#newest
    page.newer = undefined
    if (this.#newest) this.#newest.newer = page
    else this.#oldest = page
    this.#newest = page
    this.#listed++
  }

  #unlist(page: Page): void {
    if (page.older) page.older.newer = page.newer
    else if (this.#oldest === page) this.#oldest = page.newer
    if (page.newer) page.newer.older = page.older
    else if (this.#newest === page) this.#newest = page.older
    page.older = undefined
    page.newer = undefined
    this.#listed--
  }

  // --- finding and making ---

  /** Until nobody reads or writes the page. */
  *wait(page: Page): Sleeping<void> {
    while (page.busy) {
      page.queue ??= new WaitQueue()
      yield* this.kernel.sched.sleepOn(page.queue, UNINTERRUPTIBLE)
    }
  }

  #done(page: Page): void {
    page.busy = false
    page.queue?.wakeUp()
  }

  #insert(mapping: Mapping, index: number, pfn: Gpfn): Page {
    const page = new Page(mapping, index, pfn, this.kernel.pages.va(pfn))
    mapping.pages.set(index, page)
    if (mapping.store.disk) this.#append(page)
    return page
  }

  /** A page that is up to date; with it up to `ahead - 1` pages behind it are read where none are yet. */
  *read(mapping: Mapping, index: number, ahead: number): Sleeping<Page> {
    for (;;) {
      const known = mapping.pages.get(index)
      if (known?.uptodate) {
        known.referenced = true
        return known
      }
      if (known) {
        yield* this.wait(known)
        if (known.uptodate || mapping.pages.get(index) !== known) continue
        known.busy = true
        yield* this.#fill([known])
        continue
      }
      const pfn = yield* this.kernel.pages.alloc(mapping.use)
      if (mapping.pages.has(index)) {
        this.kernel.pages.release(pfn, mapping.use)
        continue
      }
      const pages = [this.#insert(mapping, index, pfn)]
      for (let next = index + 1; next < index + ahead && !mapping.pages.has(next); next++) {
        if (this.kernel.pages.free <= this.kernel.pages.low) break
        const more = this.kernel.pages.allocNow(mapping.use)
        if (more === undefined) break
        pages.push(this.#insert(mapping, next, more))
      }
      yield* this.#fill(pages)
    }
  }

  *#fill(pages: readonly Page[]): Sleeping<void> {
    const { mapping } = pages[0]!
    try {
      yield* mapping.store.fill(pages)
      for (const page of pages) page.uptodate = true
    } catch (error) {
      for (const page of pages) this.#drop(page)
      throw error
    } finally {
      for (const page of pages) this.#done(page)
    }
  }

  /** A page that is not read: `zero` where the caller does not fill it wholly, before he sleeps. */
  *grab(mapping: Mapping, index: number, zero: boolean): Sleeping<Page> {
    for (;;) {
      const known = mapping.pages.get(index)
      if (known) {
        if (!known.uptodate) {
          yield* this.wait(known)
          continue
        }
        known.referenced = true
        return known
      }
      const pfn = yield* this.kernel.pages.alloc(mapping.use)
      if (mapping.pages.has(index)) {
        this.kernel.pages.release(pfn, mapping.use)
        continue
      }
      const page = this.#insert(mapping, index, pfn)
      page.uptodate = true
      page.busy = false
      if (zero) this.kernel.pages.zero(pfn)
      return page
    }
  }

  // --- dirt ---

  markDirty(page: Page, mask: number): void {
    if (page.dirty === 0) {
      page.mapping.dirty.add(page)
      this.dirtyPages++
      page.dirty = mask
      if (page.mapping.group) this.noteDirty(page.mapping.group)
    } else page.dirty |= mask
  }

  noteDirty(group: DirtyGroup): void {
    if (group.dirtySinceNs !== Number.POSITIVE_INFINITY) return
    group.dirtySinceNs = this.kernel.time.nowNs()
    this.dirtyGroups.add(group)
    this.onDirty?.()
  }

  /** It is about to be written; what becomes dirty from now on is for the next time. */
  noteClean(group: DirtyGroup): void {
    group.dirtySinceNs = Number.POSITIVE_INFINITY
    this.dirtyGroups.delete(group)
  }

  clean(page: Page): void {
    if (page.dirty === 0) return
    page.dirty = 0
    page.mapping.dirty.delete(page)
    this.dirtyPages--
  }

  /** Write these pages' dirty sectors, in the order given, neighbours on the disk together. Marks the mapping where the disk refuses. */
  *flush(pages: readonly Page[]): Sleeping<void> {
    let run: { sector: number; parts: Uint8Array[]; bytes: number; pages: Page[] } | undefined
    for (const page of pages) {
      // Somebody else writes it: wait, as what he writes may be older.
      if (page.busy) {
        if (run) yield* this.#write(run)
        run = undefined
        yield* this.wait(page)
      }
      const mask = page.dirty
      if (mask === 0 || page.mapping.pages.get(page.index) !== page) continue
      this.clean(page)
      page.busy = true
      page.writes = 1
      this.writebackPages++
      const { store } = page.mapping
      for (let n = 0; n < PAGE_SECTORS; ) {
        const sector = (mask & (1 << n)) === 0 ? -1 : store.sector(page, n)
        if (sector < 0) {
          n++
          continue
        }
        let count = 1
        while (n + count < PAGE_SECTORS && (mask & (1 << (n + count))) !== 0) {
          if (store.sector(page, n + count) !== sector + count) break
          count++
        }
        const part = this.kernel.mem.copyOut(page.va + n * 512, count * 512)
        if (run && (run.sector + run.bytes / 512 !== sector || run.bytes + part.length > WRITE_BYTES_MAX)) {
          yield* this.#write(run)
          run = undefined
        }
        run ??= { sector, parts: [], bytes: 0, pages: [] }
        run.parts.push(part)
        run.bytes += part.length
        if (run.pages[run.pages.length - 1] !== page) {
          run.pages.push(page)
          page.writes++
        }
        n += count
      }
      this.#written(page)
    }
    if (run) yield* this.#write(run)
  }

  #written(page: Page): void {
    if (--page.writes > 0) return
    this.writebackPages--
    this.#done(page)
  }

  *#write(run: { sector: number; parts: Uint8Array[]; bytes: number; pages: Page[] }): Sleeping<void> {
    const bytes = run.parts.length === 1 ? run.parts[0]! : new Uint8Array(run.bytes)
    if (run.parts.length > 1) {
      let at = 0
      for (const part of run.parts) {
        bytes.set(part, at)
        at += part.length
      }
    }
    const { mapping } = run.pages[0]!
    const { disk } = mapping.store
    const task = this.kernel.sched.current
    this.#writers.set(task, (this.#writers.get(task) ?? 0) + 1)
    try {
      if (disk) yield* disk.write(run.sector, bytes)
    } catch {
      mapping.failed = true
      this.kernel.log.printk(`<4>lost page write due to I/O error on ${disk?.name}\n`)
    } finally {
      const depth = this.#writers.get(task)! - 1
      if (depth > 0) this.#writers.set(task, depth)
      else this.#writers.delete(task)
      for (const page of run.pages) this.#written(page)
    }
  }

  /** The running task is writing pages back: what it writes on the way (a loop device's file) must not wait for that. */
  get writingBack(): boolean {
    return this.#writers.size > 0 && this.#writers.has(this.kernel.sched.current)
  }

  /** All that is dirty of a mapping; what others write of it is written too when this returns. */
  *flushMapping(mapping: Mapping): Sleeping<void> {
    const dirty = [...mapping.dirty].sort((a, b) => a.index - b.index)
    if (dirty.length > 0) yield* this.flush(dirty)
    if (this.writebackPages > 0) for (const page of [...mapping.pages.values()]) if (page.busy) yield* this.wait(page)
  }

  // --- giving back ---

  #drop(page: Page): void {
    const { mapping } = page
    if (mapping.pages.get(page.index) !== page) return
    this.clean(page)
    mapping.pages.delete(page.index)
    if (mapping.store.disk) this.#unlist(page)
    this.kernel.pages.release(page.pfn, mapping.use)
  }

  /** Forget pages from `first` on, dirty or not. */
  *truncate(mapping: Mapping, first: number): Sleeping<void> {
    if (mapping.pages.size === 0) return
    for (const page of [...mapping.pages.values()]) {
      if (page.index < first) continue
      yield* this.wait(page)
      this.#drop(page)
    }
  }

  /** Whatever is clean and unused of one mapping, or of all. */
  dropClean(only?: Mapping): number {
    let dropped = 0
    for (let page = this.#oldest; page; ) {
      const next: Page | undefined = page.newer
      if ((!only || page.mapping === only) && page.dirty === 0 && !page.busy && page.pins === 0) {
        this.#drop(page)
        dropped++
      }
      page = next
    }
    return dropped
  }

  /** From the oldest on; one that was looked at gets a second chance. Dirty ones are written where the clean do not suffice. */
  *shrink(wanted: number): Sleeping<number> {
    let freed = 0
    for (let round = 0; round < 3 && freed < wanted; round++) {
      const dirty: Page[] = []
      let left = this.#listed
      for (let page = this.#oldest; page && left > 0 && freed < wanted; left--) {
        const next: Page | undefined = page.newer
        if (page.busy || page.pins > 0) {
          // Not now.
        } else if (page.referenced && round < 2) {
          page.referenced = false
          this.#unlist(page)
          this.#append(page)
        } else if (page.dirty !== 0) {
          if (dirty.length < 4 * wanted) dirty.push(page)
        } else {
          this.#drop(page)
          freed++
        }
        page = next
      }
      if (freed < wanted && dirty.length > 0) yield* this.flush(dirty.sort(byPlace))
    }
    return freed
  }
}

const byPlace = (a: Page, b: Page): number => a.mapping.store.sector(a, 0) - b.mapping.store.sector(b, 0)
