/**
 * Translated code of a machine: regions by address and by the bytes that they were made of, compiled in batches, forgotten when their bytes change. All vCPUs share it;
 * what differs between them (mappings, the mode) is looked at when an address is chained to a region.
 */
import type { Cpu } from '../cpu.ts'
import { Fault } from '../fault.ts'
import type { Insn, Mode } from '../isa/insn.ts'
import type { Helper } from '../semantics/emitter.ts'
import { Bytes } from '../wasm/bytes.ts'
import { instantiate, type WasmMemory } from '../wasm/engine.ts'
import { ModuleBuilder, type Signature } from '../wasm/module.ts'
import { I32, I64 } from '../wasm/opcodes.ts'
import { CodeReader, type Piece } from './code-reader.ts'
import { buildRegion } from './region.ts'
import { type Written, writeRegion } from './region-writer.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { FIRST_SLOT, REGION_SIGNATURE } from './state-writer.ts'

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

interface Translated {
  readonly rip: bigint
  readonly mode: Mode
  /** Pages of linear addresses, and where they lay. */
  readonly pages: readonly (readonly [page: number, at: number])[]
  readonly pieces: readonly Piece[]
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

export class Translator {
  readonly runtime: Runtime
  /** Whose code is running. */
  current: Translating | undefined
  readonly #memory: WasmMemory
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
  readonly #helpers = new Map<Helper, Map<string, unknown>>()
  /** Instructions that have been translated, and modules made. */
  readonly counts = { instructions: 0, regions: 0, modules: 0, invalidated: 0 }

  /** `guarding`: told of pages of the memory that have translated code from now on, or none any more. */
  constructor(memory: WasmMemory, regionsMax = REGIONS_MAX, guarding?: (page: number, hasCode: boolean) => void) {
    this.#memory = memory
    this.#guarding = guarding
    this.#regionsMax = regionsMax
    this.#bytes = new Uint8Array(memory.buffer)
    this.runtime = createRuntime(memory)
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
    const same = this.#byRip.get(high * 2 ** 32 + (low >>> 0))
    if (!same) return -1
    const { mode } = cpu
    for (const each of same) if (each.mode === mode && isMapped(cpu, each.pages)) return each.index
    return -1
  }

  /** Asks for an address to be translated, with others. */
  want(cpu: Translating, rip: bigint): void {
    this.#wanted.push({ rip, cpu, mode: cpu.mode })
    if (this.#wanted.length >= BATCH) this.translateWanted()
  }

  /** Bytes of the memory have been written to by somebody who does not know what they are. */
  written(at: number, length: number): void {
    for (let page = at - (at % 4096); page < at + length; page += 4096)
      for (const each of this.#byPage.get(page)?.regions ?? [])
        if (each.pieces.some(([from, bytes]) => from < at + length && at < from + bytes.length)) this.#forget(each)
  }

  /** A jump that does not say where has led there, often. */
  reached(rip: bigint): void {
    const area = rip >> REACHED_SHIFT
    const known = this.#reached.get(area)
    if (known) known.add(rip)
    else this.#reached.set(area, new Set([rip]))
  }

  translateWanted(): void {
    const wanted = this.#wanted
    this.#wanted = []
    if (this.#indices - this.#freeIndices.length + wanted.length > this.#regionsMax)
      for (const same of this.#byRip.values()) for (const each of same) this.#forget(each)
    const functions: Record<string, unknown> = {
      address: (low: number, high: number, what: number) => this.current!.address(low, high, what),
      flags: this.runtime.flags,
    }
    const module = new ModuleBuilder()
    const address = module.importFunction('address', [[I32, I32, I32], [I32]])
    const flags = module.importFunction('flags', [[I32, I64, I64], [I32]])
    const imported = new Map<unknown, number>()
    const helper = (wantedHelper: Helper, signature: Signature): number => {
      const callable = this.#helper(wantedHelper, signature)
      const known = imported.get(callable)
      if (known !== undefined) return known
      const name = `h${imported.size}`
      functions[name] = callable
      const index = module.importFunction(name, signature)
      imported.set(callable, index)
      return index
    }
    const done: [Omit<Translated, 'index'>, Written][] = []
    for (const { cpu, rip, mode } of wanted) {
      const [low, high] = halvesOf(rip)
      if (this.find(cpu, low, high) >= 0 || done.some(([each]) => each.rip === rip) || mode !== cpu.mode) continue
      const reader = new CodeReader(cpu, this.#bytes)
      const region = buildRegion(rip, reader.fetch, FIRST_SLOT, this.#reached.get(rip >> REACHED_SHIFT))
      if (!region) continue
      done.push([
        { rip, mode, pages: reader.pages, pieces: reader.pieces() },
        writeRegion(region, { address, flags, helper }, this.#scratch),
      ])
      this.counts.instructions += reader.instructions
    }
    if (done.length === 0) return
    for (const [n, [, { locals, code }]] of done.entries())
      module.exportFunction(`r${n}`, module.add(REGION_SIGNATURE, locals, code))
    const { exports } = instantiate(module.finish(), this.#memory, functions)
    for (const [n, [each]] of done.entries()) this.#add(each, exports[`r${n}`])
    this.counts.modules++
    this.counts.regions += done.length
  }

  #add(found: Omit<Translated, 'index'>, code: unknown): void {
    const { table } = this.runtime
    const index = this.#freeIndices.pop() ?? this.#indices++
    if (index === table.length) table.grow(table.length)
    table.set(index, code)
    const each = { ...found, index }
    const key = keyOf(each.rip)
    const same = this.#byRip.get(key)
    if (same) same.push(each)
    else this.#byRip.set(key, [each])
    for (const [, at] of each.pages) {
      const there = this.#byPage.get(at)
      if (there) there.regions.add(each)
      else {
        this.#byPage.set(at, { regions: new Set([each]), lines: new Uint8Array(4096 / LINE_BYTES) })
        this.#guarding?.(at, true)
        for (const cpu of this.#cpus) cpu.protect(at)
      }
    }
    this.#mark(each)
  }

  #mark({ pieces }: Translated): void {
    for (const [from, bytes] of pieces)
      for (let at = from - (from % LINE_BYTES); at < from + bytes.length; at += LINE_BYTES)
        this.#byPage.get(at - (at % 4096))!.lines[(at % 4096) / LINE_BYTES] = 1
  }

  #forget(each: Translated): void {
    const key = keyOf(each.rip)
    const same = this.#byRip.get(key)!.filter((other) => other !== each)
    if (same.length > 0) this.#byRip.set(key, same)
    else this.#byRip.delete(key)
    for (const [, at] of each.pages) {
      const there = this.#byPage.get(at)!
      there.regions.delete(each)
      if (there.regions.size === 0) {
        this.#byPage.delete(at)
        this.#guarding?.(at, false)
      } else there.lines.fill(0)
    }
    for (const [, at] of each.pages) for (const other of this.#byPage.get(at)?.regions ?? []) this.#mark(other)
    this.runtime.table.set(each.index, null)
    this.#freeIndices.push(each.index)
    this.counts.invalidated++
    for (const cpu of this.#cpus) cpu.unchain()
  }

  /** A helper as WebAssembly calls it: numbers without sign, faults told. */
  #helper(helper: Helper, [parameters, [result]]: Signature): unknown {
    const key = `${parameters}>${result}`
    const known = this.#helpers.get(helper) ?? new Map<string, unknown>()
    this.#helpers.set(helper, known)
    const existing = known.get(key)
    if (existing) return existing
    const callable = (...args: (number | bigint)[]): number | bigint => {
      const cpu = this.current!
      try {
        const given = args.map((arg) => (typeof arg === 'bigint' ? BigInt.asUintN(64, arg) : arg >>> 0))
        const value = helper(cpu, ...given)
        cpu.helped()
        return value ?? (result === I64 ? 0n : 0)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        cpu.faulted(error)
        return result === I64 ? 0n : 0
      }
    }
    known.set(key, callable)
    return callable
  }
}

const halvesOf = (rip: bigint): readonly [low: number, high: number] => [
  Number(BigInt.asIntN(32, rip)),
  Number(BigInt.asIntN(32, rip >> 32n)),
]
const keyOf = (rip: bigint): number => Number(BigInt.asIntN(64, rip))

/** Whether instructions have been fetched from these pages, and from where the region's were. */
function isMapped(cpu: Translating, pages: Translated['pages']): boolean {
  for (const [page, at] of pages) if (cpu.codePage(page) !== at) return false
  return true
}
