/**
 * Translated code of a machine: regions by address and by the bytes that they were made of, compiled in batches, forgotten when their bytes change. All vCPUs share it;
 * what differs between them (mappings, the mode) is looked at when an address is chained to a region. What has been translated once is in the library, and comes from there
 * when the same bytes are at its address again.
 */
import type { Cpu } from '../cpu.ts'
import type { Fault } from '../fault.ts'
import type { Insn, Mode } from '../isa/insn.ts'
import { Bytes } from '../wasm/bytes.ts'
import type { WasmMemory } from '../wasm/engine.ts'
import { CodeReader } from './code-reader.ts'
import { type KeptRegion, keyOf, Library } from './library.ts'
import { Modules, makeModule } from './modules.ts'
import { buildRegion, type Region } from './region.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { FIRST_SLOT } from './state-writer.ts'

/** A vCPU as translated code needs it. */
export interface Translating extends Cpu {
  /** Offset of an access that the TLB does not have (access-writer.ts); -1: S_LEAVE tells why not. */
  address(low: number, high: number, what: number): number
  /** A helper has thrown. */
  faulted(fault: Fault): void
  /** A helper is done. */
  helped(): void
  /** Where a page of code (address / 4096) lies that instructions have been fetched from since the last flush; -1: none have. */
  codePage(page: number): number
  /** The instruction of this address, which lies there within one page, if it has been interpreted. */
  interpretedAt(rip: bigint, at: number): Insn | undefined
  /** Nothing is chained any more. */
  unchain(): void
  /** The tags for writes to a page of the memory are to go. */
  protect(page: number): void
}

/** A region where the memory has its bytes. */
interface Translated {
  readonly region: KeptRegion
  /** Pages of linear addresses, and where they lie. */
  readonly pages: ReadonlyMap<number, number>
  /** In the dispatcher's table. */
  readonly index: number
}

interface Wanted {
  readonly rip: bigint
  readonly cpu: Translating
  readonly mode: Mode
}

/** A page of the memory with translated code. */
interface GuardedPage {
  readonly regions: Set<Translated>
  /** Which of its lines have code. */
  readonly lines: Uint8Array
}

/** So many regions are compiled together, if none of them is urgent. */
const BATCH = 32
/** More than that, and all are forgotten. */
const REGIONS_MAX = 32768
const LINE_BYTES = 64
const REACHED_SHIFT = 12n

export interface TranslatorOptions {
  readonly regionsMax?: number | undefined
  /** Told of pages of the memory that have translated code from now on, or none any more. */
  readonly guarding?: (page: number, hasCode: boolean) => void
  readonly library?: Library | undefined
  /** Regions to a module, none of which is urgent. */
  readonly batch?: number | undefined
}

export class Translator {
  readonly runtime: Runtime
  /** Whose code is running. */
  current: Translating | undefined
  readonly #bytes: Uint8Array
  readonly #scratch = new Bytes()
  readonly #cpus: Translating[] = []
  /** By their addresses, as numbers with sign. */
  readonly #byRip = new Map<number, Translated[]>()
  readonly #byPage = new Map<number, GuardedPage>()
  readonly #regionsMax: number
  readonly #guarding: ((page: number, hasCode: boolean) => void) | undefined
  readonly #freeIndices: number[] = []
  /** Where jumps have led to that do not say it, by the area that they are in. */
  readonly #reached = new Map<bigint, Set<bigint>>()
  #indices = 0
  #wanted: Wanted[] = []
  readonly #modules: Modules
  readonly #library: Library
  readonly #batch: number
  /** Instructions that have been translated, regions of them, those that came from the library, and modules made. */
  readonly counts = { instructions: 0, regions: 0, taken: 0, modules: 0, invalidated: 0 }

  constructor(memory: WasmMemory, options: TranslatorOptions = {}) {
    this.#guarding = options.guarding
    this.#regionsMax = options.regionsMax ?? REGIONS_MAX
    this.#library = options.library ?? new Library()
    this.#batch = options.batch ?? 0
    this.#bytes = new Uint8Array(memory.buffer)
    this.runtime = createRuntime(memory)
    this.#modules = new Modules(memory, this.runtime.flags, () => this.current!)
  }

  attach(cpu: Translating): void {
    this.#cpus.push(cpu)
  }
  /** It is gone. */
  detach(cpu: Translating): void {
    this.#cpus.splice(this.#cpus.indexOf(cpu), 1)
    this.#wanted = this.#wanted.filter((each) => each.cpu !== cpu)
    if (this.current === cpu) this.current = undefined
  }

  /** Whether a page of the memory has code that was translated. */
  isGuarded(page: number): boolean {
    return this.#byPage.has(page)
  }

  /** Whether there is translated code near these bytes, which are of one page. */
  hasCode(at: number, length: number): boolean {
    const offset = at % 4096
    const guarded = this.#byPage.get(at - offset)
    if (!guarded) return false
    const last = Math.floor((offset + length - 1) / LINE_BYTES)
    for (let line = Math.floor(offset / LINE_BYTES); line <= last; line++) if (guarded.lines[line] !== 0) return true
    return false
  }

  /** The region for an address as this vCPU sees it: its number in the table, or -1. Its bytes are as they were: whoever writes to them says so (`written`). */
  find(cpu: Translating, low: number, high: number): number {
    const { mode } = cpu
    const key = keyOf(low, high)
    for (const { region, pages, index } of this.#byRip.get(key) ?? NONE)
      if (region.mode === mode && isMapped(cpu, pages)) return index
    for (const region of this.#library.at(key))
      if (region.mode === mode && this.#isThere(cpu, region)) {
        this.counts.taken++
        return this.#add(cpu, region)
      }
    return -1
  }

  /** Whether its bytes are where this vCPU has fetched instructions from. */
  #isThere(cpu: Translating, { pieces }: KeptRegion): boolean {
    const memory = this.#bytes
    for (const { page, offset, bytes } of pieces) {
      const at = cpu.codePage(page)
      if (at < 0) return false
      for (let n = 0; n < bytes.length; n++) if (memory[at + offset + n] !== bytes[n]) return false
    }
    return true
  }

  /** Asks for an address to be translated, with others. */
  want(cpu: Translating, rip: bigint): void {
    this.#wanted.push({ rip, cpu, mode: cpu.mode })
    if (this.#wanted.length >= (this.#batch || BATCH)) this.translateWanted()
  }

  /** Bytes of the memory have been written to by somebody who does not know what they are. */
  written(at: number, length: number): void {
    for (let page = at - (at % 4096); page < at + length; page += 4096)
      for (const each of this.#byPage.get(page)?.regions ?? [])
        if (placesOf(each).some(([from, bytes]) => from < at + length && at < from + bytes)) this.#forget(each)
  }

  /** A jump that does not say where has led there, often. */
  reached(rip: bigint): void {
    const area = rip >> REACHED_SHIFT
    const known = this.#reached.get(area)
    if (known) known.add(rip)
    else this.#reached.set(area, new Set([rip]))
  }

  /** What is wanted is urgent. */
  translateWanted(): void {
    const wanted = this.#wanted
    if (wanted.length < this.#batch) return
    this.#wanted = []
    if (this.#indices - this.#freeIndices.length + wanted.length > this.#regionsMax)
      for (const same of this.#byRip.values()) for (const each of same) this.#forget(each)
    const built: Region[] = []
    const readers: CodeReader[] = []
    const of: Wanted[] = []
    for (const each of wanted) {
      const { cpu, rip, mode } = each
      const [low, high] = halvesOf(rip)
      if (mode !== cpu.mode || of.some((other) => other.rip === rip) || this.find(cpu, low, high) >= 0) continue
      const reader = new CodeReader(cpu, this.#bytes)
      const region = buildRegion(rip, reader.fetch, FIRST_SLOT, this.#reached.get(rip >> REACHED_SHIFT))
      if (!region) continue
      built.push(region)
      readers.push(reader)
      of.push(each)
    }
    if (built.length === 0) return
    const module = makeModule(built, this.#scratch, this.#library.isRecording)
    for (const [number, reader] of readers.entries()) {
      const { rip, mode, cpu } = of[number]!
      const region = { rip, mode, pieces: reader.pieces(), module, number }
      this.#library.keep(region)
      this.#add(cpu, region)
      this.counts.instructions += reader.instructions
    }
    this.counts.modules++
    this.counts.regions += built.length
  }

  #add(cpu: Translating, region: KeptRegion): number {
    const { table } = this.runtime
    const index = this.#freeIndices.pop() ?? this.#indices++
    if (index === table.length) table.grow(table.length)
    table.set(index, this.#modules.functionOf(region.module, region.number))
    const pages = new Map<number, number>()
    for (const { page } of region.pieces) pages.set(page, cpu.codePage(page))
    const each: Translated = { region, pages, index }
    const key = keyOf(...halvesOf(region.rip))
    const same = this.#byRip.get(key)
    if (same) same.push(each)
    else this.#byRip.set(key, [each])
    for (const at of pages.values()) {
      const there = this.#byPage.get(at)
      if (there) there.regions.add(each)
      else {
        this.#byPage.set(at, { regions: new Set([each]), lines: new Uint8Array(4096 / LINE_BYTES) })
        this.#guarding?.(at, true)
        for (const cpu of this.#cpus) cpu.protect(at)
      }
    }
    this.#mark(each)
    return index
  }

  #mark(each: Translated): void {
    for (const [from, bytes] of placesOf(each))
      for (let at = from - (from % LINE_BYTES); at < from + bytes; at += LINE_BYTES)
        this.#byPage.get(at - (at % 4096))!.lines[(at % 4096) / LINE_BYTES] = 1
  }

  #forget(each: Translated): void {
    const key = keyOf(...halvesOf(each.region.rip))
    const same = this.#byRip.get(key)!.filter((other) => other !== each)
    if (same.length > 0) this.#byRip.set(key, same)
    else this.#byRip.delete(key)
    for (const at of each.pages.values()) {
      const there = this.#byPage.get(at)!
      there.regions.delete(each)
      if (there.regions.size === 0) {
        this.#byPage.delete(at)
        this.#guarding?.(at, false)
      } else there.lines.fill(0)
    }
    for (const at of each.pages.values()) for (const other of this.#byPage.get(at)?.regions ?? []) this.#mark(other)
    this.runtime.table.set(each.index, null)
    this.#freeIndices.push(each.index)
    this.counts.invalidated++
    for (const cpu of this.#cpus) cpu.unchain()
  }
}

const NONE: readonly Translated[] = []

const halvesOf = (rip: bigint): readonly [low: number, high: number] => [
  Number(BigInt.asIntN(32, rip)),
  Number(BigInt.asIntN(32, rip >> 32n)),
]

/** Where its bytes lie in the memory. */
const placesOf = ({ region, pages }: Translated): readonly (readonly [at: number, bytes: number])[] =>
  region.pieces.map(({ page, offset, bytes }) => [pages.get(page)! + offset, bytes.length])

/** Whether instructions have been fetched from these pages, and from where the region's were. */
function isMapped(cpu: Translating, pages: Translated['pages']): boolean {
  for (const [page, at] of pages) if (cpu.codePage(page) !== at) return false
  return true
}
