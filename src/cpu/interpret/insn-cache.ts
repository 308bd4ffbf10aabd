/**
 * Decoded instructions, by where their bytes lie in the machine's memory. The bytes are compared each time: whatever changes code or page tables, nobody has to tell.
 */
import type { Cpu } from '../cpu.ts'
import { decode } from '../isa/decode.ts'
import { CS, type Insn, type Mode } from '../isa/insn.ts'
import type { Semantics } from '../semantics/emitter.ts'
import { semanticsOf } from '../semantics/index.ts'
import { S_RIP, S_SEGMENT_BASES } from '../state.ts'
import { modeOf } from '../state-access.ts'

/** An instruction at its address: whose words are kept beside it, so that finding it again takes no BigInt. */
export interface Decoded {
  readonly insn: Insn
  readonly semantics: Semantics
  readonly mode: Mode
  readonly rip: bigint
  readonly nextRip: bigint
  readonly low: number
  readonly high: number
  readonly nextLow: number
  readonly nextHigh: number
  /** Where it lies; -1: not in one piece, so that nobody finds it again. */
  readonly at: number
  readonly bytes: readonly number[]
  /** The first four of them, with zeros for those that are not its own; and what leaves those out. */
  readonly word: number
  readonly mask: number
  /** What came after it the last time. */
  following: Decoded | undefined
  /** Of the generation that it is in. */
  generation: number
}

/** More than that, and a new generation begins: what nobody asks for in it is forgotten at its end. */
const GENERATION_MAX = 1 << 16
const NONE = -1
const PAGE = 4096
const WORD = 4

export class InsnCache {
  readonly #cpu: Cpu
  #young = new Map<number, Decoded>()
  #old = new Map<number, Decoded>()
  #generation = 0
  /** What `next` gave the last time. */
  #last: Decoded | undefined

  constructor(cpu: Cpu) {
    this.#cpu = cpu
  }

  /** The instruction at RIP; undefined is #UD. Throws Fault. */
  next(): Decoded | undefined {
    const cpu = this.#cpu
    const { view, base } = cpu
    const mode = modeOf(cpu)
    const low = view.getInt32(base + S_RIP, true)
    const high = view.getInt32(base + S_RIP + 4, true)
    const at =
      mode === 64
        ? cpu.fetch(low, high)
        : cpu.fetch((low + view.getInt32(base + S_SEGMENT_BASES + 8 * CS, true)) | 0, 0)
    const last = this.#last
    const following = last?.following
    if (following?.generation === this.#generation && following.at === at && this.#isIt(following, low, high, mode)) {
      this.#last = following
      return following
    }
    const found = this.#find(at, low, high, mode) ?? this.#decode(at, low, high, mode)
    if (found && found.at >= 0) this.#keep(found)
    if (last) last.following = found
    this.#last = found
    return found
  }

  #find(at: number, low: number, high: number, mode: Mode): Decoded | undefined {
    const known = this.#young.get(at) ?? this.#old.get(at)
    return known && this.#isIt(known, low, high, mode) ? known : undefined
  }

  #keep(found: Decoded): void {
    if (found.generation === this.#generation) return
    if (this.#young.size === GENERATION_MAX) {
      // They may be what follows on one that stays, but are not to hold others.
      for (const each of this.#old.values()) if (each.generation !== this.#generation) each.following = undefined
      this.#old = this.#young
      this.#young = new Map()
      this.#generation++
    }
    // What lay there is not to be found by what came before it either: `known` would not know of it.
    const there = this.#young.get(found.at)
    if (there) there.generation = NONE
    found.generation = this.#generation
    this.#young.set(found.at, found)
  }

  /** The instruction there, if it has been interpreted and is still the same. */
  known(at: number, low: number, high: number, mode: Mode): Insn | undefined {
    return this.#find(at, low, high, mode)?.insn
  }

  #isIt(known: Decoded, low: number, high: number, mode: Mode): boolean {
    if (known.low !== low || known.high !== high || known.mode !== mode) return false
    const { view } = this.#cpu
    const { at, bytes } = known
    if (at + WORD > view.byteLength || (view.getInt32(at, true) & known.mask) !== known.word) return false
    for (let i = WORD; i < bytes.length; i++) if (view.getUint8(at + i) !== bytes[i]) return false
    return true
  }

  #decode(at: number, low: number, high: number, mode: Mode): Decoded | undefined {
    const cpu = this.#cpu
    const { view, base } = cpu
    const rip = view.getBigUint64(base + S_RIP, true)
    const linear =
      mode === 64 ? rip : BigInt.asUintN(32, rip + view.getBigUint64(base + S_SEGMENT_BASES + 8 * CS, true))
    const left = PAGE - Number(linear & 0xfffn)
    const bytes: number[] = []
    const fetch = (offset: number): number => {
      const where = offset < left ? at + offset : cpu.translate(BigInt.asUintN(mode, linear + BigInt(offset)), 'fetch')
      const byte = view.getUint8(where)
      bytes[offset] = byte
      return byte
    }
    const insn = decode(fetch, mode)
    const semantics = insn && semanticsOf(insn.row)
    if (!insn || !semantics) return undefined
    const nextRip = BigInt.asUintN(mode, rip + BigInt(insn.length))
    const nextLow = Number(BigInt.asIntN(32, nextRip))
    const nextHigh = Number(BigInt.asIntN(32, nextRip >> 32n))
    const mask = bytes.length < WORD ? (1 << (8 * bytes.length)) - 1 : -1
    const word = bytes.reduceRight((sum, byte, i) => (i < WORD ? (sum << 8) | byte : sum), 0)
    const where = bytes.length <= left ? at : -1
    const place = { at: where, bytes, word, mask, following: undefined, generation: NONE }
    return { insn, semantics, mode, rip, nextRip, low, high, nextLow, nextHigh, ...place }
  }
}
