/**
 * The page allocator (Linux: mm/page_alloc.c): the domain's frames behind what the domain builder laid out, single ones, no zones. The direct
 * map is made 2 MiB at a time, when the first frame of such a stretch is handed out; the p2m is Xen's own list, read in place.
 */
import { ENOMEM } from '#abi/posix/errno.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import { type Gpfn, type Mfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import {
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
  /** Called once `free` falls below `low`. */
  wakeKswapd: () => void = () => {}

  readonly #vcpu: VirtualCpu
  readonly #mfnList: Vaddr
  readonly #nrPages: number
  readonly #first: number
  /** Frames up to here are the boot's, until freeInit. */
  readonly #initEnd: number
  /** All from here on were never handed out. */
  #fresh: number
  readonly #stack: Uint32Array
  #stacked = 0
  readonly #mapped: Uint8Array
  readonly #inUse: Uint8Array
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
    this.total = this.#nrPages - this.#initEnd
    this.#stack = new Uint32Array(this.#nrPages - this.#first)
    this.#inUse = new Uint8Array(this.#nrPages)
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
    return this.#nrPages - this.#fresh + this.#stacked
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
    else if (this.#fresh < this.#nrPages) {
      pfn = this.#fresh++
      const chunk = Math.floor(pfn / CHUNK_PAGES)
      if (this.#mapped[chunk] === 0) this.#mapChunk(chunk)
    } else return undefined
    this.#inUse[pfn] = 1
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
    if (this.#inUse[pfn] !== 1) throw new Error('a frame is freed twice')
    this.#inUse[pfn] = 0
    this.#stack[this.#stacked++] = pfn
    this.used[use]--
    this.freed++
  }

  va(pfn: Gpfn): Vaddr {
    return PAGE_OFFSET + pfn * PAGE_SIZE
  }

  mfn(pfn: Gpfn): Mfn {
    return this.#vcpu.mem.read32(this.#mfnList + pfn * 8) as Mfn
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
    for (let pfn = Math.max(chunk * CHUNK_PAGES, this.#first); pfn < end; pfn++)
      entries.push([this.va(pfn as Gpfn), this.mfn(pfn as Gpfn)])
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
