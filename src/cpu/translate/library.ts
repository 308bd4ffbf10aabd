/**
 * Translated code outlives what it was made of: a region depends on nothing but its address, its bytes and the mode (ADR 0013), so whoever has the same bytes there again (a
 * page that was read anew, another guest with the same kernel, a machine that was reset, a boot tomorrow) need not translate them again.
 */
import type { Mode } from '../isa/insn.ts'
import type { WasmModule } from '../wasm/engine.ts'
import type { Signature } from '../wasm/module.ts'

/** Bytes of one page of linear addresses (address / 4096). */
export interface Piece {
  readonly page: number
  readonly offset: number
  readonly bytes: Uint8Array
}

/** A module of regions, which any memory may be given to. */
export interface KeptModule {
  /** Made when it is wanted first. */
  compiled: WasmModule | undefined
  /** The helpers that it imports. */
  readonly helpers: readonly ImportedHelper[]
  /** Undefined where only this process is to know them. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined
}
export interface ImportedHelper {
  readonly name: string
  readonly signature: Signature
}

export interface KeptRegion {
  readonly rip: bigint
  readonly mode: Mode
  readonly pieces: readonly Piece[]
  readonly module: KeptModule
  /** Among the module's. */
  readonly number: number
  /** There is nothing that could be added to it, for all that is known. */
  readonly isWhole: boolean
}

/** More than that, and what this process has made is forgotten. */
const KEPT_MAX = 65536
const NOTHING: readonly KeptRegion[] = []

/** An address as a number with sign, for the halves of which no BigInt has to be made. */
export const keyOf = (low: number, high: number): number => high * 2 ** 32 + (low >>> 0)
/** The same of a canonical address. */
export const keyOfAddress = (address: bigint): number => Number(BigInt.asIntN(64, address))

/** Whether an address is among them. */
export function isOf(pieces: readonly Piece[], address: bigint): boolean {
  const wanted = Number(address >> 12n)
  const within = Number(address & 0xfffn)
  return pieces.some(({ page, offset, bytes }) => page === wanted && offset <= within && within < offset + bytes.length)
}

export class Library {
  readonly #byRip = new Map<number, KeptRegion[]>()
  readonly #given: readonly KeptRegion[]
  /** Modules keep their bytes, so that other processes can be given them. */
  readonly isRecording: boolean
  /** Of what this process has made. */
  #size = 0

  /** `given`: from another process (translations.ts). */
  constructor(given: readonly KeptRegion[] = [], isRecording = false) {
    this.#given = given
    this.isRecording = isRecording
    for (const each of given) this.#put(each)
  }

  /** What there has been at an address (`keyOf`), whatever is there now; what is whole comes first. */
  at(key: number): readonly KeptRegion[] {
    return this.#byRip.get(key) ?? NOTHING
  }

  keep(region: KeptRegion): void {
    if (this.#size >= KEPT_MAX) {
      this.#byRip.clear()
      this.#size = 0
      for (const each of this.#given) this.#put(each)
    }
    this.#put(region)
    this.#size++
  }

  get all(): readonly KeptRegion[] {
    return [...this.#byRip.values()].flat()
  }

  #put(region: KeptRegion): void {
    const key = keyOfAddress(region.rip)
    const same = this.#byRip.get(key)
    if (same && region.isWhole) same.unshift(region)
    else if (same) same.push(region)
    else this.#byRip.set(key, [region])
  }
}
