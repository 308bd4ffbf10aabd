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
  readonly bytes: readonly number[]
}

/** More than that, and it begins anew. */
const ENTRIES_MAX = 1 << 16
const PAGE = 4096

export class InsnCache {
  readonly #cpu: Cpu
  readonly #entries = new Map<number, Decoded>()

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
    const found = this.#entries.get(at)
    if (found && found.low === low && found.high === high && found.mode === mode && this.#isSame(at, found.bytes)) {
      return found
    }
    return this.#decode(at, low, high, mode)
  }

  #isSame(at: number, bytes: readonly number[]): boolean {
    const { view } = this.#cpu
    for (let i = 0; i < bytes.length; i++) if (view.getUint8(at + i) !== bytes[i]) return false
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
    const decoded = { insn, semantics, mode, rip, nextRip, low, high, nextLow, nextHigh, bytes }
    if (bytes.length <= left) {
      if (this.#entries.size === ENTRIES_MAX) this.#entries.clear()
      this.#entries.set(at, decoded)
    }
    return decoded
  }
}
