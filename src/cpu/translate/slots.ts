/** The locals of a region's function that outlive its blocks, made as they are asked for: registers, the lazy flags, variables. */
import { S_CC_DST, S_CC_OP, S_CC_SRC, S_GPR, S_XMM } from '../state.ts'
import { I32, I64, V128, type ValueType } from '../wasm/opcodes.ts'
import type { Slot } from './node.ts'

const XMM = 16
const CC_OP = 32
const CC_DST = 33
const CC_SRC = 34
const NAMED = 35

export class Slots {
  /** By what they are. */
  readonly #named: (Slot | undefined)[] = Array.from({ length: NAMED })
  readonly all: Slot[] = []
  /** Those that have to be stored when the region is left. */
  readonly written = new Set<Slot>()
  readonly #variables: Slot[] = []
  readonly #taken = new Set<Slot>()
  readonly #firstLocal: number

  constructor(firstLocal: number) {
    this.#firstLocal = firstLocal
  }

  gpr(n: number): Slot {
    return this.#get(n, I64, S_GPR + 8 * n)
  }
  xmm(n: number): Slot {
    return this.#get(XMM + n, V128, S_XMM + 16 * n)
  }
  get ccOp(): Slot {
    return this.#get(CC_OP, I32, S_CC_OP)
  }
  get ccDst(): Slot {
    return this.#get(CC_DST, I64, S_CC_DST)
  }
  get ccSrc(): Slot {
    return this.#get(CC_SRC, I64, S_CC_SRC)
  }
  /** The lazy flags will be written. */
  touchFlags(): void {
    for (const slot of [this.ccOp, this.ccDst, this.ccSrc]) this.written.add(slot)
  }
  /** Variables end with their block, so that all blocks share their locals. */
  variable(type: ValueType): Slot {
    const free = this.#variables.find((slot) => slot.type === type && !this.#taken.has(slot))
    const slot = free ?? this.#add(type, -1)
    if (!free) this.#variables.push(slot)
    this.#taken.add(slot)
    return slot
  }
  beginBlock(): void {
    this.#taken.clear()
  }

  #get(which: number, type: ValueType, offset: number): Slot {
    const known = this.#named[which]
    if (known) return known
    const slot = this.#add(type, offset)
    this.#named[which] = slot
    return slot
  }

  #add(type: ValueType, offset: number): Slot {
    const slot = { type, offset, local: this.#firstLocal + this.all.length, number: this.all.length }
    this.all.push(slot)
    return slot
  }
}
