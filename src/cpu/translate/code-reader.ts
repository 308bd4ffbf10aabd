/** Reads the code that a region is made of, and remembers what it has read. */
import { decode } from '../isa/decode.ts'
import type { Insn } from '../isa/insn.ts'
import { semanticsOf } from '../semantics/index.ts'
import type { Piece } from './library.ts'
import type { Translatable } from './region.ts'
import type { Translating } from './translator.ts'

/** What may follow a jump of these is not known, or not soon. */
const ENDS = new Set(['jmp', 'call', 'ret', 'callf', 'jmpf', 'retf', 'iret', 'syscall', 'sysenter', 'hlt', 'ud2'])

const BYTES_MAX = 15

/** Thrown where there is no code to be read. */
const nothing = Symbol('no code')

export class CodeReader {
  readonly #cpu: Translating
  readonly #bytes: Uint8Array
  /** Addresses by pages, and where those lie. */
  readonly #read: { readonly page: number; readonly offset: number; readonly length: number }[] = []
  readonly #pages = new Map<number, number>()
  readonly #isElsewhere: (rip: bigint) => boolean
  instructions = 0
  /** There may be more code that belongs to it. */
  isCut = false

  /** `isElsewhere`: whether what is there is another region's. */
  constructor(cpu: Translating, bytes: Uint8Array, isElsewhere: (rip: bigint) => boolean) {
    this.#cpu = cpu
    this.#bytes = bytes
    this.#isElsewhere = isElsewhere
  }

  get pages(): readonly (readonly [page: number, at: number])[] {
    return [...this.#pages]
  }

  readonly fetch = (rip: bigint): Translatable | undefined => {
    const found = this.#isElsewhere(rip) ? undefined : this.#fetch(rip)
    if (!found || found.indirect) this.isCut = true
    return found
  }

  #fetch(rip: bigint): Translatable | undefined {
    const page = Number(rip >> 12n)
    const within = Number(rip & 0xfffn)
    const at = this.#cpu.codePage(page)
    if (at < 0) return undefined
    let next = -1
    const byte = (offset: number): number => {
      if (within + offset < 4096) return this.#bytes[at + within + offset]!
      if (next < 0) next = this.#cpu.codePage(page + 1)
      if (next < 0) throw nothing
      return this.#bytes[next + within + offset - 4096]!
    }
    // What has not been executed by now is left to be translated when it is; only of what lies on two pages that is not known.
    const known = this.#cpu.interpretedAt(rip, at + within)
    const insn = known ?? (within > 4096 - BYTES_MAX ? this.#decode(byte) : undefined)
    const semantics = insn && semanticsOf(insn.row)
    if (!insn || !semantics || (!known && next < 0)) return undefined
    this.#remember(page, at, within, insn.length, next)
    return {
      length: insn.length,
      run: (e) => semantics(e, insn),
      target: targetOf(insn, rip),
      ends: ENDS.has(insn.row.mnemonic),
      calls: insn.row.mnemonic === 'call',
      returns: insn.row.mnemonic === 'ret',
      indirect: (insn.row.mnemonic === 'jmp' || insn.row.mnemonic === 'call') && insn.operands[0]?.kind !== 'rel',
    }
  }

  #decode(byte: (offset: number) => number): Insn | undefined {
    try {
      return decode(byte, this.#cpu.mode)
    } catch {
      // Too long, or on a page that nobody has executed: whoever comes there gets the fault.
      return undefined
    }
  }

  #remember(page: number, at: number, within: number, length: number, next: number): void {
    this.instructions++
    this.#pages.set(page, at)
    const here = Math.min(length, 4096 - within)
    this.#read.push({ page, offset: within, length: here })
    if (here === length) return
    this.#pages.set(page + 1, next)
    this.#read.push({ page: page + 1, offset: 0, length: length - here })
  }

  hasRead(rip: bigint): boolean {
    const wanted = Number(rip >> 12n)
    const within = Number(rip & 0xfffn)
    return this.#read.some(
      ({ page, offset, length }) => page === wanted && offset <= within && within < offset + length,
    )
  }

  /** What has been read, in pieces that do not touch. */
  pieces(): Piece[] {
    const sorted = this.#read.sort((a, b) => a.page - b.page || a.offset - b.offset)
    const merged: { readonly page: number; readonly offset: number; end: number }[] = []
    for (const { page, offset, length } of sorted) {
      const last = merged.at(-1)
      if (last?.page === page && offset <= last.end) last.end = Math.max(last.end, offset + length)
      else merged.push({ page, offset, end: offset + length })
    }
    return merged.map(({ page, offset, end }) => {
      const at = this.#pages.get(page)!
      return { page, offset, bytes: this.#bytes.slice(at + offset, at + end) }
    })
  }
}

function targetOf(insn: Insn, rip: bigint): bigint | undefined {
  if (insn.repeat !== undefined) return rip
  const [operand] = insn.operands
  if (operand?.kind !== 'rel') return undefined
  return BigInt.asUintN(8 * insn.size, rip + BigInt(insn.length) + operand.value)
}
