/** xen/arch/x86/mm.c: memory as a guest addresses it. Module vCPUs have a page map per domain instead of page tables (design D4). */
import type { Mem } from '#abi/mem.ts'
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { HYPERVISOR_VIRT_END } from '#abi/xen/xen.ts'
import { hex } from '../common/lib.ts'

/** A guest touched what it has not mapped, or wrote what is read-only. Thrown into the guest that did. */
export class GuestPageFault extends Error {
  readonly va: Vaddr
  readonly write: boolean

  constructor(va: Vaddr, write: boolean) {
    super(`page fault: ${write ? 'writing' : 'reading'} ${hex(unsignedVaddr(va), 16)}`)
    this.va = va
    this.write = write
  }
}

/** An entry: frame number * 4, and these. Nothing mapped: 0. */
export const MAP_PRESENT = 1
export const MAP_WRITABLE = 2
/** Frames beyond have no room in an entry, and no memory bus that reaches them. */
export const MAP_MFN_MAX = 2 ** 28

const TABLE_PAGES = 512
/** Tables are the host's memory: a guest gets 16 GiB of addresses' worth below the last 2 GiB, wherever they lie. */
const TABLES_MAX = 8192
/** The last 2 GiB of the address space, where kernels are linked: there an address is a 32-bit integer. */
const TOP_PAGE = -(2 ** 19)
/** So much of it is flat, 256 MiB for the kernel and what it maps behind itself: the fixed mappings at its very end would make an array of 2 MiB. */
const TOP_PAGES = 2 ** 16
/** The first 4 GiB above Xen, 0xffff880000000000, where kernels put their direct map. */
const DIRECT_MAP = HYPERVISOR_VIRT_END
const DIRECT_PAGE = DIRECT_MAP / PAGE_SIZE
const DIRECT_PAGES = 2 ** 20
const FLAT_MIN = 4096
const OFFSET = PAGE_SIZE - 1
/** Page number of nothing: no address has it. */
const NO_PAGE = Number.NEGATIVE_INFINITY

/** Room for entry `index`. */
function grown(entries: Int32Array, index: number): Int32Array {
  if (index < entries.length) return entries
  let { length } = entries
  while (length <= index) length *= 2
  const larger = new Int32Array(length)
  larger.set(entries)
  return larger
}

/**
 * Virtual page to machine frame and rights. The hottest code of the whole system: each access to memory by a guest's kernel comes through
 * here. Two stretches of addresses are plain arrays, the rest is tables found by hashing.
 */
export class PageMap {
  /** From TOP_PAGE on, as far as any was ever mapped. */
  #top: Int32Array = new Int32Array(FLAT_MIN)
  /** From DIRECT_PAGE on. */
  #direct: Int32Array = new Int32Array(FLAT_MIN)
  /** The others, by page / 512. */
  readonly #tables = new Map<number, Int32Array>()
  /** The last page of theirs that was looked up. */
  #lastPage = NO_PAGE
  #lastEntry = 0
  /** Pages mapped. */
  count = 0

  /** What `page` leads to; 0 for nothing. `page` is the address divided by PAGE_SIZE, rounded down: negative in the kernel half. */
  lookup(page: number): number {
    if (page >= TOP_PAGE && page < TOP_PAGE + TOP_PAGES) return this.#top[page - TOP_PAGE] ?? 0
    if (page >= DIRECT_PAGE && page < DIRECT_PAGE + DIRECT_PAGES) return this.#direct[page - DIRECT_PAGE] ?? 0
    return this.#tables.get(Math.floor(page / TABLE_PAGES))?.[page & (TABLE_PAGES - 1)] ?? 0
  }

  /** Replace what `page` leads to. False: there is no room for one more table. */
  set(page: number, entry: number): boolean {
    const old = this.lookup(page)
    if (old === entry) return true
    if (page >= TOP_PAGE && page < TOP_PAGE + TOP_PAGES) {
      this.#top = grown(this.#top, page - TOP_PAGE)
      this.#top[page - TOP_PAGE] = entry
    } else if (page >= DIRECT_PAGE && page < DIRECT_PAGE + DIRECT_PAGES) {
      this.#direct = grown(this.#direct, page - DIRECT_PAGE)
      this.#direct[page - DIRECT_PAGE] = entry
    } else {
      const key = Math.floor(page / TABLE_PAGES)
      let table = this.#tables.get(key)
      if (table === undefined) {
        if (this.#tables.size >= TABLES_MAX) return false
        table = new Int32Array(TABLE_PAGES)
        this.#tables.set(key, table)
      }
      table[page & (TABLE_PAGES - 1)] = entry
      this.#lastPage = NO_PAGE
    }
    if (old === 0) this.count++
    if (entry === 0) this.count--
    return true
  }

  map(page: number, mfn: number, writable: boolean): void {
    this.set(page, mfn * 4 + (writable ? MAP_PRESENT | MAP_WRITABLE : MAP_PRESENT))
  }

  /** Every entry. */
  all(): number[] {
    const all: number[] = []
    for (const entries of [this.#top, this.#direct, ...this.#tables.values()])
      for (const entry of entries) if (entry !== 0) all.push(entry)
    return all
  }

  /** Every entry, and then no more: what was mapped is the caller's to give back. */
  takeAll(): number[] {
    const taken = this.all()
    this.#top = new Int32Array(FLAT_MIN)
    this.#direct = new Int32Array(FLAT_MIN)
    this.#tables.clear()
    this.#lastPage = NO_PAGE
    this.count = 0
    return taken
  }

  /** Machine address of a guest's address. */
  translate(va: Vaddr, write: boolean): number {
    return write ? this.forWrite(va) : this.forRead(va)
  }

  forRead(va: Vaddr): number {
    const direct = va - DIRECT_MAP
    const word = direct >>> 0
    const int = va | 0
    let entry: number | undefined = 0
    if (word === direct) entry = this.#direct[word >>> 12]
    else if (int === va && int < 0) entry = this.#top[(int >> 12) - TOP_PAGE]
    else return this.#far(va, MAP_PRESENT)
    if (entry === undefined) return this.#far(va, MAP_PRESENT)
    // Both kinds of address end in the same twelve bits.
    if ((entry & MAP_PRESENT) === 0) throw new GuestPageFault(va, false)
    return (entry >>> 2) * PAGE_SIZE + (int & OFFSET)
  }

  forWrite(va: Vaddr): number {
    const direct = va - DIRECT_MAP
    const word = direct >>> 0
    const int = va | 0
    let entry: number | undefined = 0
    if (word === direct) entry = this.#direct[word >>> 12]
    else if (int === va && int < 0) entry = this.#top[(int >> 12) - TOP_PAGE]
    else return this.#far(va, MAP_WRITABLE)
    if (entry === undefined) return this.#far(va, MAP_WRITABLE)
    if ((entry & MAP_WRITABLE) === 0) throw new GuestPageFault(va, true)
    return (entry >>> 2) * PAGE_SIZE + (int & OFFSET)
  }

  #far(va: Vaddr, right: number): number {
    // An address that is no whole number is no address.
    if (!Number.isSafeInteger(va)) throw new GuestPageFault(0, right === MAP_WRITABLE)
    const page = Math.floor(va / PAGE_SIZE)
    if (page !== this.#lastPage) {
      this.#lastEntry = this.lookup(page)
      this.#lastPage = page
    }
    if ((this.#lastEntry & right) === 0) throw new GuestPageFault(va, right === MAP_WRITABLE)
    return (this.#lastEntry >>> 2) * PAGE_SIZE + (va - page * PAGE_SIZE)
  }
}

/** How a guest's addresses become the machine's. What is not mapped, or not for writing, is a GuestPageFault. */
export type Translation = Pick<PageMap, 'translate' | 'forRead' | 'forWrite'>

/** Words that cross a page are put together byte by byte. */
const crosses = (machine: number, bytes: number): boolean => (machine & (PAGE_SIZE - 1)) + bytes > PAGE_SIZE

/** A guest's memory as it sees it. Frozen: the guest holds the same object as Xen does. */
export function guestMem(map: Translation, mem: Mem): Mem {
  const read8 = (at: Vaddr): number => mem.read8(map.forRead(at))
  const write8 = (at: Vaddr, value: number): void => mem.write8(map.forWrite(at), value)
  /** Machine address and bytes of each run of [at, at + length) that lies in one page. */
  const runs = (
    at: Vaddr,
    length: number,
    write: boolean,
    take: (from: number, to: number, bytes: number) => void,
  ): void => {
    for (let done = 0; done < length; ) {
      const to = map.translate(at + done, write)
      const bytes = Math.min(PAGE_SIZE - (to & (PAGE_SIZE - 1)), length - done)
      take(done, to, bytes)
      done += bytes
    }
  }
  const whole = (length: number): number => {
    if (!(length >= 0)) throw new GuestPageFault(0, false)
    return Math.floor(length)
  }
  return Object.freeze({
    read8,
    read16(at: Vaddr) {
      const to = map.forRead(at)
      return crosses(to, 2) ? mem.read8(to) | (read8(at + 1) << 8) : mem.read16(to)
    },
    read32(at: Vaddr) {
      const to = map.forRead(at)
      return crosses(to, 4)
        ? (read8(at) | (read8(at + 1) << 8) | (read8(at + 2) << 16) | (read8(at + 3) << 24)) >>> 0
        : mem.read32(to)
    },
    read64(at: Vaddr) {
      const to = map.forRead(at)
      if (!crosses(to, 8)) return mem.read64(to)
      let value = 0n
      for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(read8(at + i))
      return value
    },
    write8,
    write16(at: Vaddr, value: number) {
      const to = map.forWrite(at)
      if (!crosses(to, 2)) mem.write16(to, value)
      else for (let i = 0; i < 2; i++) write8(at + i, (value >>> (8 * i)) & 0xff)
    },
    write32(at: Vaddr, value: number) {
      const to = map.forWrite(at)
      if (!crosses(to, 4)) mem.write32(to, value)
      else for (let i = 0; i < 4; i++) write8(at + i, (value >>> (8 * i)) & 0xff)
    },
    write64(at: Vaddr, value: bigint) {
      const to = map.forWrite(at)
      if (!crosses(to, 8)) mem.write64(to, value)
      else for (let i = 0; i < 8; i++) write8(at + i, Number((value >> BigInt(8 * i)) & 0xffn))
    },
    copyOut(at: Vaddr, length: number) {
      const wanted = whole(length)
      const to = wanted > 0 ? map.forRead(at) : 0
      if ((to & (PAGE_SIZE - 1)) + wanted <= PAGE_SIZE) return mem.copyOut(to, wanted)
      // Checked before anything of that size is made: the length is the guest's.
      runs(at, wanted, false, () => {})
      const bytes = new Uint8Array(wanted)
      runs(at, wanted, false, (from, machine, count) => bytes.set(mem.copyOut(machine, count), from))
      return bytes
    },
    copyIn(at: Vaddr, bytes: Uint8Array) {
      const { length } = bytes
      if (length === 0) return
      const to = map.forWrite(at)
      if ((to & (PAGE_SIZE - 1)) + length <= PAGE_SIZE) mem.copyIn(to, bytes)
      else runs(at, length, true, (from, machine, count) => mem.copyIn(machine, bytes.subarray(from, from + count)))
    },
    fill(at: Vaddr, length: number, byte: number) {
      runs(at, whole(length), true, (_from, to, count) => mem.fill(to, count, byte))
    },
  })
}
