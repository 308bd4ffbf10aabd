/**
 * The page allocator (Linux: mm/page_alloc.c): the domain's frames behind what the domain builder laid out, single ones, no zones. The direct
 * map is made 2 MiB at a time, when the first frame of such a stretch is handed out; the p2m is Xen's own list, read in place.
 */
import { E820_RAM } from '#abi/pc/e820.ts'
import { ENOMEM } from '#abi/posix/errno.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import { e820entry, XENMEM_memory_map, xen_memory_map } from '#abi/xen/memory.ts'
import { type Gpfn, type Mfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_memory_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_update_va_mapping,
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_RW,
  MULTICALL_ARGS,
  multicall_entry,
  start_info,
} from '#abi/xen/xen.ts'
import { fail } from '../errno.ts'
import { bootStack, MULTICALL_PAGES, PAGE_OFFSET, START_KERNEL_MAP } from '../init/hypervisor.ts'
import { moved } from '../sched/copy-cost.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { Pages, PageUse, Shrinker } from './pages.ts'

/** Frames that one multicall maps. */
const CHUNK_PAGES = (MULTICALL_PAGES * PAGE_SIZE) / multicall_entry.size
/** What the domain builder leaves behind the boot stack, and what it rounds the mapping's end to. */
const PADDING_PAGES = 128
const BOOT_ALIGN_PAGES = 1024
export const PAGE_KERNEL = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY

/** The kernel is linked 2 MiB above the mapping's start: all before it but the first frame is memory like any other. */
export const KERNEL_FIRST_PFN = 512
/** What a domain's memory map has more than its frames, where Xen does not say. */
const SLACK_PAGES = 2048
/** A p2m entry of a frame that is Xen's. */
const INVALID_P2M_ENTRY = 0xffffffffffffffffn
const P2M_ENTRIES = PAGE_SIZE / 8
/** What a frame is: free (or the boot's), handed out, or Xen's. */
const FREE = 0
const IN_USE = 1
const BALLOONED = 2

/** What alloc does when frames are short (reclaim.ts). False: it fails. */
export type OutOfPages = () => Sleeping<boolean>

export class PageAllocator implements Pages {
  /** Grows when the boot's own memory is freed. */
  total: number
  min = 0
  low = 0
  high = 0
  readonly used: Record<PageUse, number> = {
    anon: 0,
    cache: 0,
    buffers: 0,
    slab: 0,
    stack: 0,
    pagetables: 0,
    kernel: 0,
  }
  readonly shrinkers: Shrinker[] = []
  /** pgalloc and pgfree of /proc/vmstat. */
  allocated = 0
  freed = 0
  /** Set by reclaim.ts. */
  outOfPages: OutOfPages | undefined
  /** PF_MEMALLOC and TIF_MEMDIE: whoever runs may have the last frames too. */
  mayUseReserves: () => boolean = () => false
  /** Reclaim without the OOM killer, for who can do without. False: there was nothing. Set by reclaim.ts. */
  reclaimSome: OutOfPages = function* () {
    return false
  }
  /** Called once `free` falls below `low`. */
  wakeKswapd: () => void = () => {}

  readonly #vcpu: VirtualCpu
  readonly #mfnList: Vaddr
  readonly #nrPages: number
  /** Frames that there are numbers for: the end of the memory map. */
  readonly maxPfn: number
  readonly #first: number
  /** Frames up to here are the boot's, until freeInit. */
  readonly #initEnd: number
  /** All from here on were never handed out. */
  #fresh: number
  /** The same, of those before the kernel. */
  #freshLow = 1
  readonly #stack: Uint32Array
  #stacked = 0
  readonly #mapped: Uint8Array
  readonly #state: Uint8Array
  /** Numbers without a frame; the last is the next to get one. */
  readonly #ballooned: Gpfn[] = []
  /** Frames of the p2m list's continuation for numbers that the builder has put none behind. */
  readonly #moreP2m: (Gpfn | undefined)[] = []
  /** Bytes charged, and the frames that stand for them. */
  readonly #charged = new Map<PageUse, { bytes: number; frames: Gpfn[] }>()

  constructor(vcpu: VirtualCpu) {
    this.#vcpu = vcpu
    const { mem, startInfo } = vcpu
    this.#mfnList = start_info.fields.mfn_list.get(mem, startInfo)
    this.#nrPages = start_info.fields.nr_pages.get(mem, startInfo)
    this.#first = (bootStack(vcpu) - START_KERNEL_MAP) / PAGE_SIZE + 1 + MULTICALL_PAGES
    // Up to the mapping's end: at least 512 KiB behind the stack, rounded up to 4 MiB.
    const padded = this.#first - MULTICALL_PAGES + PADDING_PAGES
    this.#initEnd = Math.min(Math.ceil(padded / BOOT_ALIGN_PAGES) * BOOT_ALIGN_PAGES, this.#nrPages)
    this.#fresh = this.#initEnd
    this.total = this.#nrPages - this.#initEnd + KERNEL_FIRST_PFN - 1
    this.maxPfn = Math.max(this.#nrPages, memoryMapEnd(vcpu) ?? this.#nrPages + SLACK_PAGES)
    this.#stack = new Uint32Array(this.maxPfn)
    this.#state = new Uint8Array(this.maxPfn)
    for (let pfn = this.#nrPages; pfn < this.maxPfn; pfn++) {
      this.#state[pfn] = BALLOONED
      this.#ballooned.push(pfn as Gpfn)
    }
    this.#mapped = new Uint8Array(Math.ceil(this.#nrPages / CHUNK_PAGES))
    // init_per_zone_pages_min: the square root of sixteen times the memory, in KiB.
    const minKb = Math.min(Math.max(Math.floor(Math.sqrt((this.total * PAGE_SIZE * 16) / 1024)), 128), 65536)
    this.setMinimum(Math.floor((minKb * 1024) / PAGE_SIZE))
  }

  /** min_free_kbytes, in pages. */
  setMinimum(pages: number): void {
    this.min = pages
    this.low = pages + (pages >> 2)
    this.high = pages + (pages >> 1)
  }

  get free(): number {
    return this.#nrPages - this.#fresh + KERNEL_FIRST_PFN - this.#freshLow + this.#stacked
  }

  get nrPages(): number {
    return this.#nrPages
  }

  /** Frames that freeInit will free. */
  get initPages(): number {
    return this.#initEnd - this.#first
  }

  /** free_initmem: what of the boot's mapping nothing lies in. */
  freeInit(): void {
    for (let pfn = this.#initEnd - 1; pfn >= this.#first; pfn--) {
      const chunk = Math.floor(pfn / CHUNK_PAGES)
      if (this.#mapped[chunk] === 0) this.#mapChunk(chunk)
      this.#stack[this.#stacked++] = pfn
    }
    this.total += this.initPages
  }

  allocNow(use: PageUse): Gpfn | undefined {
    let pfn: number
    if (this.#stacked > 0) pfn = this.#stack[--this.#stacked]!
    else {
      if (this.#fresh < this.#nrPages) pfn = this.#fresh++
      else if (this.#freshLow < KERNEL_FIRST_PFN) pfn = this.#freshLow++
      else return undefined
      const chunk = Math.floor(pfn / CHUNK_PAGES)
      if (this.#mapped[chunk] === 0) this.#mapChunk(chunk)
    }
    this.#state[pfn] = IN_USE
    this.used[use]++
    this.allocated++
    if (this.free < this.low) this.wakeKswapd()
    return pfn as Gpfn
  }

  *alloc(use: PageUse): Sleeping<Gpfn> {
    for (;;) {
      if (this.free > this.min || this.mayUseReserves()) {
        const pfn = this.allocNow(use)
        if (pfn !== undefined) return pfn
      }
      if (!this.outOfPages || !(yield* this.outOfPages())) fail(ENOMEM)
    }
  }

  release(pfn: Gpfn, use: PageUse): void {
    if (this.#state[pfn] !== IN_USE) throw new Error('a frame is freed twice')
    this.#state[pfn] = FREE
    this.#stack[this.#stacked++] = pfn
    this.used[use]--
    this.freed++
  }

  va(pfn: Gpfn): Vaddr {
    return PAGE_OFFSET + pfn * PAGE_SIZE
  }

  mfn(pfn: Gpfn): Mfn {
    return this.#vcpu.mem.read32(this.#p2mEntry(pfn)) as Mfn
  }

  /** Where the p2m list has its entry. */
  #p2mEntry(pfn: Gpfn): Vaddr {
    const beyond = pfn - this.#nrPages
    if (beyond < 0) return this.#mfnList + pfn * 8
    const table = this.#moreP2m[Math.floor(beyond / P2M_ENTRIES)]
    if (table === undefined) throw new Error('a frame number without a frame')
    return this.va(table) + (beyond % P2M_ENTRIES) * 8
  }

  // --- The balloon ---

  /** Numbers that have no frame. */
  get ballooned(): number {
    return this.#ballooned.length
  }

  /** Frames handed out for `use` leave the kernel: mapped nowhere, in no book. Which they were. */
  giveUp(pfns: readonly Gpfn[], use: PageUse): Mfn[] {
    const mfns = pfns.map((pfn) => this.mfn(pfn))
    const unmapped: [Vaddr, number][] = []
    for (const pfn of pfns) {
      if (this.#state[pfn] !== IN_USE) throw new Error('a frame is given up that is not in use')
      unmapped.push([this.va(pfn), 0])
      // The builder has mapped it too.
      if (pfn < this.#initEnd) unmapped.push([START_KERNEL_MAP + pfn * PAGE_SIZE, 0])
      this.#state[pfn] = BALLOONED
      this.#ballooned.push(pfn)
      this.#vcpu.mem.write64(this.#p2mEntry(pfn), INVALID_P2M_ENTRY)
    }
    for (let done = 0; done < unmapped.length; done += CHUNK_PAGES)
      this.#updateMappings(unmapped.slice(done, done + CHUNK_PAGES))
    this.used[use] -= pfns.length
    this.total -= pfns.length
    return mfns
  }

  /** Numbers for the next `count` frames that come; fewer where there are no more, or no room for their p2m entries. */
  nextBallooned(count: number): readonly Gpfn[] {
    const next = this.#ballooned.slice(Math.max(0, this.#ballooned.length - count)).reverse()
    for (const [i, pfn] of next.entries()) {
      const table = Math.floor((pfn - this.#nrPages) / P2M_ENTRIES)
      if (table < 0) continue
      this.#moreP2m[table] ??= this.allocNow('kernel')
      if (this.#moreP2m[table] === undefined) return next.slice(0, i)
    }
    return next
  }

  /** The frames that have come for nextBallooned's numbers: free from now on. */
  takeBack(mfns: readonly Mfn[]): void {
    const mapped: [Vaddr, number][] = []
    for (const mfn of mfns) {
      const pfn = this.#ballooned.pop()
      if (pfn === undefined) throw new Error('more frames come back than are gone')
      this.#vcpu.mem.write64(this.#p2mEntry(pfn), BigInt(mfn))
      mapped.push([this.va(pfn), mfn])
      this.#state[pfn] = FREE
      this.#stack[this.#stacked++] = pfn
    }
    for (let done = 0; done < mapped.length; done += CHUNK_PAGES)
      this.#updateMappings(mapped.slice(done, done + CHUNK_PAGES))
    this.total += mfns.length
  }

  zero(pfn: Gpfn): void {
    this.#vcpu.mem.fill(this.va(pfn), PAGE_SIZE, 0)
    moved(PAGE_SIZE)
  }

  addShrinker(shrinker: Shrinker): void {
    this.shrinkers.push(shrinker)
  }

  charge(use: PageUse, bytes: number): void {
    const account = this.#account(use)
    const frames = Math.ceil((account.bytes + bytes) / PAGE_SIZE) - account.frames.length
    if (frames > 0 && frames > this.free) fail(ENOMEM)
    account.bytes += bytes
    for (let i = 0; i < frames; i++) account.frames.push(this.allocNow(use)!)
  }

  uncharge(use: PageUse, bytes: number): void {
    const account = this.#account(use)
    if (bytes > account.bytes) throw new Error('more memory is given back than was charged')
    account.bytes -= bytes
    const frames = Math.ceil(account.bytes / PAGE_SIZE)
    while (account.frames.length > frames) this.release(account.frames.pop()!, use)
  }

  /** The same as charge, after reclaim where that is needed. */
  *chargeSlowly(use: PageUse, bytes: number): Sleeping<void> {
    const account = this.#account(use)
    while ((account.frames.length + 1) * PAGE_SIZE <= account.bytes + bytes) account.frames.push(yield* this.alloc(use))
    this.charge(use, bytes)
  }

  /** Map `mfns` one behind the other at `va`; 0 unmaps. */
  map(va: Vaddr, mfns: readonly number[]): void {
    for (let done = 0; done < mfns.length; done += CHUNK_PAGES)
      this.#updateMappings(
        mfns.slice(done, done + CHUNK_PAGES).map((mfn, i) => [va + (done + i) * PAGE_SIZE, mfn] as const),
      )
  }

  #account(use: PageUse): { bytes: number; frames: Gpfn[] } {
    let account = this.#charged.get(use)
    if (!account) {
      account = { bytes: 0, frames: [] }
      this.#charged.set(use, account)
    }
    return account
  }

  #mapChunk(chunk: number): void {
    this.#mapped[chunk] = 1
    const entries: (readonly [Vaddr, number])[] = []
    const end = Math.min((chunk + 1) * CHUNK_PAGES, this.#nrPages)
    for (let pfn = Math.max(chunk * CHUNK_PAGES, 1); pfn < end; pfn++)
      if (pfn < KERNEL_FIRST_PFN || pfn >= this.#first) entries.push([this.va(pfn as Gpfn), this.mfn(pfn as Gpfn)])
    this.#updateMappings(entries)
  }

  #updateMappings(entries: readonly (readonly [va: Vaddr, mfn: number])[]): void {
    const { mem, hypercall } = this.#vcpu
    const at = bootStack(this.#vcpu) + PAGE_SIZE
    const list = new DataView(new ArrayBuffer(entries.length * multicall_entry.size))
    entries.forEach(([va, mfn], i) => {
      const entry = i * multicall_entry.size
      list.setUint32(entry, __HYPERVISOR_update_va_mapping, true)
      list.setBigInt64(entry + MULTICALL_ARGS, BigInt(va), true)
      list.setBigUint64(entry + MULTICALL_ARGS + 8, mfn === 0 ? 0n : BigInt(mfn * PAGE_SIZE + PAGE_KERNEL), true)
    })
    mem.copyIn(at, new Uint8Array(list.buffer))
    const result = hypercall(__HYPERVISOR_multicall, at, entries.length)
    if (result !== 0) throw new Error(`multicall: ${result}`)
    entries.forEach((_, i) => {
      const error = mem.read32(at + i * multicall_entry.size + 8) | 0
      if (error !== 0) throw new Error(`update_va_mapping: ${error}`)
    })
  }
}

/** XENMEM_memory_map, in frames. Undefined: Xen has none for this domain. */
function memoryMapEnd(vcpu: VirtualCpu): number | undefined {
  const { mem } = vcpu
  const at = bootStack(vcpu)
  const buffer = at + xen_memory_map.size
  const entries = 32
  xen_memory_map.write(mem, at, { nr_entries: entries, buffer })
  if (vcpu.hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, at) !== 0) return undefined
  let end = 0
  for (let i = 0; i < Math.min(entries, xen_memory_map.fields.nr_entries.get(mem, at)); i++) {
    const { addr, size, type } = e820entry.read(mem, buffer + i * e820entry.size)
    if (type === E820_RAM) end = Math.max(end, Number(addr + size))
  }
  return end > 0 ? Math.floor(end / PAGE_SIZE) : undefined
}
