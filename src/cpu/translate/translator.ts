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
import { GuardedPages, type Translated } from './guarded-pages.ts'
import { isOf, type KeptRegion, keyOf, keyOfAddress, Library } from './library.ts'
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

interface Wanted {
  readonly rip: bigint
  readonly cpu: Translating
  readonly mode: Mode
  /** It does not end where other regions begin. */
  readonly isWhole: boolean
}
/** What is being translated. */
interface Begun extends Wanted {
  readonly region: Region
  readonly reader: CodeReader
}

/** So many regions are compiled together, if none of them is urgent. */
const BATCH = 32
/** More than that, and all are forgotten. */
const REGIONS_MAX = 32768
/** Where so many runs have ended, time is spent: a region is made whole there. */
const SPENT_MAX = 8
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
  readonly #pages: GuardedPages
  readonly #regionsMax: number
  readonly #freeIndices: number[] = []
  /** Where jumps have led to that do not say it, by the area that they are in. */
  readonly #reached = new Map<bigint, Set<bigint>>()
  /** How many runs have ended in regions that are not whole. */
  readonly #spent = new WeakMap<Translated, number>()
  #indices = 0
  #wanted: Wanted[] = []
  readonly #modules: Modules
  readonly #library: Library
  readonly #batch: number
  /** Instructions that have been translated, regions of them, those that came from the library, and modules made. */
  readonly counts = { instructions: 0, regions: 0, taken: 0, modules: 0, invalidated: 0 }

  constructor(memory: WasmMemory, options: TranslatorOptions = {}) {
    this.#pages = new GuardedPages((page, hasCode) => {
      options.guarding?.(page, hasCode)
      if (hasCode) for (const cpu of this.#cpus) cpu.protect(page)
    })
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
    return this.#pages.has(page)
  }

  /** Whether there is translated code near these bytes, which are of one page. */
  hasCode(at: number, length: number): boolean {
    return this.#pages.hasCode(at, length)
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
    this.#wanted.push({ rip, cpu, mode: cpu.mode, isWhole: false })
    if (this.#wanted.length >= (this.#batch || BATCH)) this.translateWanted()
  }

  /** Bytes of the memory have been written to by somebody who does not know what they are. */
  written(at: number, length: number): void {
    for (let page = at - (at % 4096); page < at + length; page += 4096) {
      const from = Math.max(at, page)
      for (const each of this.#pages.regionsAt(from, Math.min(at + length, page + 4096) - from)) this.#forget(each)
    }
  }

  /**
   * A run has ended here because of its budget. A region ends where others begin, so that code is not translated again for each address that leads to it; which is as well, but for
   * what is executed over and over again.
   */
  spent(cpu: Translating, rip: bigint): void {
    const page = cpu.codePage(Number(rip >> 12n))
    if (page < 0) return
    const whole: Wanted[] = []
    for (const each of this.#pages.regionsAt(page + Number(rip & 0xfffn), 1)) {
      const { isWhole, mode, rip } = each.region
      if (isWhole || mode !== cpu.mode || !isMapped(cpu, each.pages)) continue
      const count = (this.#spent.get(each) ?? 0) + 1
      this.#spent.set(each, count)
      if (count < SPENT_MAX) continue
      this.#forget(each)
      whole.push({ rip, cpu, mode, isWhole: true })
    }
    if (whole.length > 0) this.#translate(whole)
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
    this.#translate(wanted)
  }

  #translate(wanted: readonly Wanted[]): void {
    if (this.#indices - this.#freeIndices.length + wanted.length > this.#regionsMax)
      for (const same of this.#byRip.values()) for (const each of same) this.#forget(each)
    const begun: Begun[] = []
    for (const each of wanted) {
      const { cpu, rip, mode, isWhole } = each
      if (mode !== cpu.mode || begun.some((other) => other.rip === rip)) continue
      if (!isWhole && this.find(cpu, ...halvesOf(rip)) >= 0) continue
      const reader = new CodeReader(
        cpu,
        this.#bytes,
        (at) => !isWhole && at !== rip && this.#isElsewhere(each, begun, at),
      )
      const region = buildRegion(rip, reader.fetch, FIRST_SLOT, this.#reached.get(rip >> REACHED_SHIFT))
      if (region) begun.push({ ...each, region, reader })
    }
    if (begun.length > 0) this.#compile(begun)
  }

  /** Whether another region begins there, which does not come here by itself: together they would be a loop. */
  #isElsewhere({ cpu, rip, mode }: Wanted, begun: readonly Begun[], at: bigint): boolean {
    const key = keyOfAddress(at)
    const isIt = (region: KeptRegion): boolean => region.mode === mode && !isOf(region.pieces, rip)
    return (
      (this.#byRip.get(key) ?? NONE).some(({ region, pages }) => isIt(region) && isMapped(cpu, pages)) ||
      this.#library.at(key).some((region) => isIt(region) && this.#isThere(cpu, region)) ||
      begun.some((other) => other.rip === at && !other.reader.hasRead(rip))
    )
  }

  #compile(begun: readonly Begun[]): void {
    const regions = begun.map(({ region }) => region)
    const module = makeModule(regions, this.#scratch, this.#library.isRecording)
    for (const [number, { cpu, rip, mode, isWhole, reader }] of begun.entries()) {
      const region = { rip, mode, pieces: reader.pieces(), module, number, isWhole: isWhole || !reader.isCut }
      this.#library.keep(region)
      this.#add(cpu, region)
      this.counts.instructions += reader.instructions
    }
    this.counts.modules++
    this.counts.regions += begun.length
  }

  #add(cpu: Translating, region: KeptRegion): number {
    const { table } = this.runtime
    const index = this.#freeIndices.pop() ?? this.#indices++
    if (index === table.length) table.grow(table.length)
    table.set(index, this.#modules.functionOf(region.module, region.number))
    const pages = new Map<number, number>()
    for (const { page } of region.pieces) pages.set(page, cpu.codePage(page))
    const each: Translated = { region, pages, index }
    const key = keyOfAddress(region.rip)
    const same = this.#byRip.get(key)
    if (same) same.push(each)
    else this.#byRip.set(key, [each])
    this.#pages.add(each)
    return index
  }

  #forget(each: Translated): void {
    const key = keyOfAddress(each.region.rip)
    const same = this.#byRip.get(key)!.filter((other) => other !== each)
    if (same.length > 0) this.#byRip.set(key, same)
    else this.#byRip.delete(key)
    this.#pages.remove(each)
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

/** Whether instructions have been fetched from these pages, and from where the region's were. */
function isMapped(cpu: Translating, pages: Translated['pages']): boolean {
  for (const [page, at] of pages) if (cpu.codePage(page) !== at) return false
  return true
}
