/**
 * What a hostile guest puts into structs and registers: mostly what could be right (its own frames, ports that exist, references in
 * use), often what belongs to somebody else, and sometimes what cannot be.
 */
import type { Mem } from '#abi/mem.ts'
import type { Field, Struct } from '#abi/struct.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { DOMID_IO, DOMID_SELF, DOMID_XEN, HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START } from '#abi/xen/xen.ts'
import type { Rng } from '#lib/prng.ts'
import { MFN_LIST, START_INFO } from '../xen-builder.ts'
import { TEST_BASE } from '../xen-domain.ts'

// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
export type AnyStruct = Struct<any>

/** Pages of a hostile domain, by pfn: the tables, start_info, console, frame list; then these. */
export const SLOTS = MFN_LIST + 1
/** Structs are put in the first of these; the list of a multicall is in the second. */
export const SLOT_PAGES = 3
export const HOSTILE_PAGES = 32
/** Where it maps its grant table and shared_info when it starts, and whatever it gets hold of later. */
export const GRANT_TABLE = TEST_BASE + 64 * PAGE_SIZE
export const GRANT_FRAMES = 2
export const SHARED_INFO = TEST_BASE + 70 * PAGE_SIZE
export const WINDOWS = TEST_BASE + 80 * PAGE_SIZE
const WINDOW_PAGES = 48
/** References that the domains use among themselves. */
export const FIRST_REF = 8
export const REFS = 12

export const pageOf = (pfn: number): number => TEST_BASE + pfn * PAGE_SIZE

/** What one life of a hostile domain knows of the world. */
export interface Lore {
  readonly rng: Rng
  readonly self: number
  /** Domains that live at the same time, itself too. */
  readonly domids: readonly number[]
  /** Frames that are or were its own. */
  readonly own: number[]
  /** Frames of others, of Xen's and of nobody. */
  readonly foreign: readonly number[]
  readonly ports: number[]
  readonly handles: number[]
  /** What one of them lets another use: hostile domains conspire. */
  readonly offers: { readonly ports: Offer[]; readonly refs: Offer[]; readonly accepts: Offer[] }
}

export interface Offer {
  readonly dom: number
  /** Port or reference. */
  readonly at: number
}

const OFFERS_MAX = 32
export function offer(list: Offer[], one: Offer): void {
  list.push(one)
  if (list.length > OFFERS_MAX) list.shift()
}

const REMEMBERED_MAX = 64
/** Keep the newest. */
export function remember(list: number[], value: number): void {
  list.push(value)
  if (list.length > REMEMBERED_MAX) list.splice(HOSTILE_PAGES, 1)
}

const ODD = [
  0,
  1,
  -1,
  2,
  63,
  64,
  255,
  0x7fff,
  0xffff,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 47,
  2 ** 52,
  2 ** 63,
  -(2 ** 63),
]

export class Values {
  readonly lore: Lore
  readonly #below: (bound: number) => number

  constructor(lore: Lore) {
    this.lore = lore
    this.#below = lore.rng.below
  }

  chance(oneIn: number): boolean {
    return this.#below(oneIn) === 0
  }

  pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!
  }

  odd(): number {
    return this.chance(3) ? this.#below(2 ** 32) : this.pick(ODD)
  }

  small(): number {
    return this.#below(12)
  }

  domid(): number {
    if (this.chance(8)) return this.pick([DOMID_IO, DOMID_XEN, 0x7fff, 0xffff, this.#below(65536)])
    return this.chance(4) ? DOMID_SELF : this.pick(this.lore.domids)
  }

  port(): number {
    const { ports } = this.lore
    if (this.chance(16)) return this.pick([4095, 4096, this.#below(2 ** 32), 0xffffffff])
    return ports.length > 0 && this.chance(2) ? this.pick(ports) : this.#below(16)
  }

  ref(): number {
    if (this.chance(16)) return this.pick([0, 511, 512, 2047, 2048, 16383, 16384, this.#below(2 ** 32), 0xffffffff])
    return FIRST_REF + this.#below(REFS)
  }

  handle(): number {
    const { handles } = this.lore
    if (this.chance(12)) return this.pick([0xffffffff, 511, 512, this.#below(2 ** 32)])
    return handles.length > 0 && !this.chance(4) ? this.pick(handles) : this.#below(8)
  }

  frame(): number {
    const { own, foreign } = this.lore
    if (this.chance(24))
      return this.pick([0xfffff, 2 ** 28, 2 ** 32 - 1, 2 ** 40 - 1, 0xfec00, 0xb8, this.#below(2 ** 20)])
    if (this.chance(4)) return this.pick(foreign)
    return this.chance(2) ? this.pick(own) : this.fresh()
  }

  /** One of those that it got last, and has not mapped yet. */
  fresh(): number {
    const { own } = this.lore
    return own[Math.max(0, own.length - 1 - this.#below(8))]!
  }

  window(): number {
    return WINDOWS + this.#below(WINDOW_PAGES) * PAGE_SIZE
  }

  /** A page that it may lose without being struck dumb. */
  page(): number {
    if (this.chance(40)) return pageOf(this.#below(HOSTILE_PAGES))
    if (this.chance(40))
      return this.pick([0, 0x400000, HYPERVISOR_VIRT_START, HYPERVISOR_VIRT_END, -PAGE_SIZE, 2 ** 47, -(2 ** 47)])
    return this.chance(3) ? pageOf(SLOTS + SLOT_PAGES + this.#below(HOSTILE_PAGES - SLOTS - SLOT_PAGES)) : this.window()
  }

  pointer(): number {
    switch (this.#below(14)) {
      case 0:
        return this.window() + this.#below(PAGE_SIZE)
      case 1:
        // The end of the last page that is mapped.
        return pageOf(HOSTILE_PAGES) - this.#below(64)
      case 2:
        // Read-only: page tables.
        return pageOf(this.#below(START_INFO)) + this.#below(PAGE_SIZE / 8) * 8
      case 3:
        return HYPERVISOR_VIRT_START + this.#below(2 ** 30)
      case 4:
        return this.pick([GRANT_TABLE, SHARED_INFO]) + this.#below(PAGE_SIZE / 8) * 8
      case 5:
        return this.odd()
      case 6:
        return this.page() + PAGE_SIZE - this.#below(16)
      default:
        return this.slot()
    }
  }

  /** Room for a struct of its own. */
  slot(): number {
    return pageOf(SLOTS) + this.#below((PAGE_SIZE - 256) / 8) * 8
  }

  /** By what the field is called. */
  field(name: string, bytes: number): number {
    if (this.chance(32)) return this.odd()
    if (/dom/.test(name)) return this.domid()
    if (/port/.test(name)) return this.port()
    if (/ref/.test(name)) return this.ref()
    if (/handle/.test(name) && bytes === 4) return this.handle()
    if (/mfn|frame|pfn|^source$|^dest$/.test(name)) return this.chance(6) ? this.ref() : this.frame()
    if (/host_addr|new_addr/.test(name)) return this.page()
    if (/bus_addr/.test(name)) return this.chance(2) ? 0 : this.frame() * PAGE_SIZE
    if (/order|virq|pirq|irq/.test(name)) return this.chance(3) ? this.#below(40) : this.#below(4)
    if (/vcpu/.test(name)) return this.chance(8) ? this.#below(40) : this.#below(2)
    if (/flags/.test(name)) return this.#below(this.chance(8) ? 65536 : 8)
    if (/^nr_|count|size|len|max/.test(name)) return this.chance(8) ? this.odd() : this.#below(6)
    if (/offset/.test(name)) return this.chance(3) ? this.#below(PAGE_SIZE) : this.#below(8) * 64
    if (/_ns$|timeout/.test(name)) return this.chance(2) ? this.#below(2 ** 31) : this.#below(50) * 1e6
    if (bytes === 8) return this.chance(3) ? this.frame() : this.pointer()
    return this.small()
  }

  /** Fill a struct at `at`. Fields that are named in `wanted` get what it says. */
  struct(mem: Mem, at: number, layout: AnyStruct, wanted: Readonly<Record<string, number>> = {}): void {
    for (const [name, field] of Object.entries(layout.fields) as [string, Field<unknown>][]) {
      const value = wanted[name] ?? this.field(name, field.bytes)
      word(mem, at + field.offset, field.bytes, value)
    }
  }
}

/** A number as so many bytes of memory, whatever it is. */
export function word(mem: Mem, at: number, bytes: number, value: number): void {
  const whole = BigInt.asUintN(64, BigInt(Math.trunc(value)))
  if (bytes === 1) mem.write8(at, Number(whole & 0xffn))
  else if (bytes === 2) mem.write16(at, Number(whole & 0xffffn))
  else if (bytes === 4) mem.write32(at, Number(whole & 0xffffffffn))
  else if (bytes === 8) mem.write64(at, whole)
  else for (let i = 0; i < bytes; i += 8) if (i + 8 <= bytes) mem.write64(at + i, whole)
}
