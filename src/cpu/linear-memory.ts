/**
 * Memory as a vCPU addresses it: linear addresses through a software TLB and page tables, in two contexts (kernel and user space of a guest may have a page table each), and
 * what instructions have been fetched from.
 */
import { CodePages } from './code-pages.ts'
import type { Access } from './cpu.ts'
import type { Mode, Size } from './isa/insn.ts'
import { isCanonical, Mmu, notCanonical, type PageOf } from './mmu.ts'
import { S_GENERATION, S_TLB, S_TLB_AT } from './state.ts'
import { modeOf } from './state-access.ts'
import { TLB_BYTES, Tlb } from './tlb.ts'

/** Who knows which pages of the memory have translated code. */
export interface CodeGuard {
  isGuarded(page: number): boolean
  /** Bytes there have been written to. */
  written(at: number, length: number): void
}

/** Linear addresses of one page table. */
class Context {
  readonly tlb: Tlb
  readonly at: number
  readonly code: CodePages
  /** The top page table's frame. */
  root = 0
  generation = 0

  constructor(memory: ArrayBuffer, at: number) {
    this.at = at
    this.tlb = new Tlb(memory, at)
    this.code = new CodePages(memory)
  }
}

/** An address in and its halves out: no BigInt is made of it. */
const word = new BigUint64Array(1)
const halves = new Int32Array(word.buffer)

export abstract class LinearMemory {
  readonly view: DataView
  readonly base: number
  readonly #guard: CodeGuard | undefined
  readonly #pageOf: PageOf
  readonly #mmu: Mmu
  readonly #contexts: readonly [Context, Context]
  protected context: Context
  /** So many have there been: no two meanings of a chain have the same number. */
  #generations = 0
  /** The page that was fetched from last, and where it lies; its low half is 1 where there is none. */
  #fetchedLow = 1
  #fetchedHigh = 0
  #fetchedAt = 0

  /** `base`: of the vCPU's area, which is cleared already. */
  constructor(memory: ArrayBuffer, base: number, pageOf: PageOf, guard: CodeGuard | undefined) {
    this.view = new DataView(memory)
    this.base = base
    this.#guard = guard
    this.#pageOf = pageOf
    this.#mmu = new Mmu(this.view, pageOf, (at, length) => this.#wrote(at, length))
    const [first, second] = [0, 1].map((n) => new Context(memory, base + S_TLB + n * TLB_BYTES))
    this.#contexts = [first!, second!]
    this.context = first!
    this.unchain()
    this.selectContext(0)
  }

  get mode(): Mode {
    return modeOf(this)
  }

  /** Page tables have changed: of this context, only what a walk would find again is remembered. */
  flush(): void {
    const { context } = this
    context.tlb.flush()
    if (!context.code.isSame()) this.#forgetCode(context)
  }
  /** The same for all contexts. Nobody says whether the other one's page table is still one: nothing of that is remembered. */
  flushAll(): void {
    this.flush()
    for (const each of this.#contexts) {
      if (each === this.context) continue
      each.tlb.flush()
      this.#forgetCode(each)
    }
  }
  #forgetCode(context: Context): void {
    if (context.code.isEmpty) return
    context.code.clear()
    this.#unchain(context)
  }
  /** INVLPG: in every context. */
  flushPage(address: bigint): void {
    const low = Number(address & 0xffffffffn)
    const high = Number(address >> 32n)
    for (const context of this.#contexts) {
      context.tlb.flushPage(low, high)
      // Chains lead from pages that were fetched from to translated code, and data pages have none.
      if (context.code.get(Number(address >> 12n)) !== undefined) this.#forgetCode(context)
    }
  }
  /** A new page table for a context: its frame. The kernel's half of them is often the same. */
  setRoot(n: 0 | 1, frame: number): void {
    const context = this.#contexts[n]
    context.root = frame
    context.tlb.flush()
    if (!context.code.isEmpty && !context.code.isSameFrom(this.#pageOf(frame, true))) this.#forgetCode(context)
  }
  /** Kernel and user space have a page table and a TLB each. */
  selectContext(n: 0 | 1): void {
    this.context = this.#contexts[n]
    this.#fetchedLow = 1
    this.view.setUint32(this.base + S_TLB_AT, this.context.at, true)
    this.view.setUint32(this.base + S_GENERATION, this.context.generation, true)
  }
  unchain(): void {
    for (const context of this.#contexts) this.#unchain(context)
  }
  #unchain(context: Context): void {
    context.generation = ++this.#generations
    this.#fetchedLow = 1
    if (context === this.context) this.view.setUint32(this.base + S_GENERATION, context.generation, true)
  }
  protect(page: number): void {
    for (const { tlb } of this.#contexts) tlb.protect(page)
  }
  codePage(page: number): number {
    return this.context.code.get(page) ?? -1
  }

  /** Offset of a byte for an access that stays within its page. Throws Fault. */
  protected resolve(low: number, high: number, write: boolean, stack: boolean): number {
    const { tlb } = this.context
    const found = tlb.find(low, high, write)
    if (found >= 0) return found
    if (!isCanonical(high)) throw notCanonical(stack)
    const page = this.#mmu.walk(this.context.root, low, high, write ? 'write' : 'read')
    tlb.fill(low, high, page, write, this.#guard?.isGuarded(page) ?? false)
    return page + (low & 0xfff)
  }

  /** Fetches find what they found before, until a flush forgets it. */
  fetch(low: number, high: number): number {
    // `#unchain` and `selectContext` forget the last page.
    if ((low & ~0xfff) !== this.#fetchedLow || high !== this.#fetchedHigh) this.#fetchPage(low, high)
    return this.#fetchedAt + (low & 0xfff)
  }
  #fetchPage(low: number, high: number): void {
    const page = (high >>> 0) * 2 ** 20 + (low >>> 12)
    let at = this.context.code.get(page)
    if (at === undefined) {
      if (!isCanonical(high)) throw notCanonical(false)
      at = this.#mmu.walk(this.context.root, low, high, 'fetch')
      this.context.code.add(page, at, this.#mmu.path, this.#mmu.leaf)
    }
    this.#fetchedLow = low & ~0xfff
    this.#fetchedHigh = high
    this.#fetchedAt = at
  }

  protected nextPage(low: number, high: number): readonly [low: number, high: number] {
    const next = ((low & ~0xfff) + 4096) | 0
    return [next, next === 0 && this.mode === 64 ? (high + 1) | 0 : high]
  }

  translate(address: bigint, access: Access): number {
    word[0] = address
    const low = halves[0]!
    const high = halves[1]!
    if (access === 'fetch') return this.fetch(low, high)
    const at = this.resolve(low, high, access === 'write', false)
    // Whoever asks may write as far as the page goes.
    if (access === 'write') this.#wrote(at, 4096 - (at % 4096))
    return at
  }
  #wrote(at: number, length: number): void {
    if (this.#guard?.isGuarded(at - (at % 4096))) this.#guard.written(at, length)
  }

  /** Within a page that nobody guards. */
  locate(low: number, high: number, bytes: number, write: boolean): number {
    if ((low & 0xfff) + bytes > 4096) return -1
    const at = this.resolve(low, high, write, false)
    return write && this.#guard?.isGuarded(at - (at % 4096)) ? -1 : at
  }

  /** Where an access lies whose bytes may be on two pages: the second is -1 if they are not. */
  #places(address: bigint, bytes: number, write: boolean): readonly [first: number, second: number] {
    word[0] = address
    const low = halves[0]!
    const high = halves[1]!
    const first = this.resolve(low, high, write, false)
    if ((low & 0xfff) + bytes <= 4096) return [first, -1]
    const [nextLow, nextHigh] = this.nextPage(low, high)
    return [first, this.resolve(nextLow, nextHigh, write, false)]
  }

  load(size: Size, address: bigint): number | bigint {
    const [first, second] = this.#places(address, size, false)
    if (second >= 0) {
      const bytes = new DataView(this.#join(first, second, size).buffer)
      return size === 8 ? bytes.getBigUint64(0, true) : size === 4 ? bytes.getUint32(0, true) : bytes.getUint16(0, true)
    }
    const { view } = this
    if (size === 8) return view.getBigUint64(first, true)
    return size === 4 ? view.getUint32(first, true) : size === 2 ? view.getUint16(first, true) : view.getUint8(first)
  }
  store(size: Size, address: bigint, value: number | bigint): void {
    const [first, second] = this.#places(address, size, true)
    if (second >= 0) {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
      this.#split(first, second, bytes.subarray(0, size))
      return
    }
    const { view } = this
    if (size === 8) view.setBigUint64(first, value as bigint, true)
    else if (size === 4) view.setUint32(first, value as number, true)
    else if (size === 2) view.setUint16(first, value as number, true)
    else view.setUint8(first, value as number)
    this.#wrote(first, size)
  }
  loadBytes(address: bigint, length: number): Uint8Array {
    const [first, second] = this.#places(address, length, false)
    return second >= 0 ? this.#join(first, second, length) : new Uint8Array(this.view.buffer, first, length).slice()
  }
  storeBytes(address: bigint, bytes: Uint8Array): void {
    const [first, second] = this.#places(address, bytes.length, true)
    if (second >= 0) this.#split(first, second, bytes)
    else {
      new Uint8Array(this.view.buffer).set(bytes, first)
      this.#wrote(first, bytes.length)
    }
  }
  writable(bytes: number, address: bigint): void {
    this.#places(address, bytes, true)
  }
  #join(first: number, second: number, length: number): Uint8Array {
    const here = 4096 - (first % 4096)
    return Uint8Array.from({ length }, (_, i) => this.view.getUint8(i < here ? first + i : second + i - here))
  }
  #split(first: number, second: number, bytes: Uint8Array): void {
    const here = 4096 - (first % 4096)
    bytes.forEach((byte, i) => {
      this.view.setUint8(i < here ? first + i : second + i - here, byte)
    })
    this.#wrote(first, here)
    this.#wrote(second, bytes.length - here)
  }
}
