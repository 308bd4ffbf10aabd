/**
 * Writes how a region's function meets the vCPU's state: which locals it has, what is loaded where it begins and stored where it ends, and the flags' way into their slots.
 */
import type { Helper } from '../semantics/emitter.ts'
import { S_BUDGET, S_RIP, S_TLB_AT } from '../state.ts'
import type { Bytes } from '../wasm/bytes.ts'
import type { Signature } from '../wasm/module.ts'
import { I32, I64, Op, type ValueType, VOID } from '../wasm/opcodes.ts'
import { AccessWriter, type Leave } from './access-writer.ts'
import type { Slot } from './node.ts'
import type { Slots } from './slots.ts'
import type { Pending } from './statement.ts'

export const BASE = 0
export const BUDGET = 1
const TLB = 2
const SITE = 3
const MASK = 4
const WORD = 5
export const LONG = 6
const OTHER_LONG = 7
export const OWN_LOCALS: readonly ValueType[] = [I32, I32, I32, I32, I64, I64]
/** Of the slots. */
export const FIRST_SLOT = 8
export const REGION_SIGNATURE: Signature = [[I32, I32], [I32]]

/** Indices of the functions that regions call. */
export interface Imports {
  readonly address: number
  readonly flags: number
  helper(helper: Helper, signature: Signature): number
}

export class StateWriter extends AccessWriter {
  readonly #slots: Slots
  /** All that the state has a place for. */
  readonly kept: readonly Slot[]

  constructor(slots: Slots, imports: Imports, leave: Leave, code: Bytes) {
    const locals = { base: BASE, tlb: TLB, word: WORD, long: LONG, otherLong: OTHER_LONG }
    super(FIRST_SLOT + slots.all.length, locals, imports, leave, code)
    this.#slots = slots
    this.kept = slots.all.filter(({ offset }) => offset >= 0)
  }

  /** Gives up if the budget does not suffice for the first block, of `count` instructions. */
  enter(count: number): void {
    this.get(BUDGET)
    this.const32(count)
    this.op(Op.i32_sub)
    this.tee(SITE)
    this.const32(0)
    this.op(Op.i32_lt_s)
    this.op(Op.if)
    this.op(VOID)
    this.get(BUDGET)
    this.const32(-1)
    this.op(Op.i32_xor)
    this.op(Op.return)
    this.op(Op.end)
    this.get(SITE)
    this.setLocal(BUDGET)
    this.get(BASE)
    this.memory(Op.i32_load, S_TLB_AT)
    this.setLocal(TLB)
    this.loadAll()
  }

  loadAll(): void {
    for (const { type, offset, local } of this.kept) {
      this.get(BASE)
      this.loadFrom(type, offset)
      this.setLocal(local)
    }
  }
  storeAll(): void {
    for (const slot of this.kept) {
      if (!this.#slots.written.has(slot)) continue
      this.get(BASE)
      this.get(slot.local)
      this.storeTo(slot.type, slot.offset)
    }
  }
  /** The address at which the run goes on. */
  storeRip(rip: bigint): void {
    this.get(BASE)
    this.const64(rip)
    this.storeTo(I64, S_RIP)
  }

  /** What is left of the budget, with so many instructions of the block that have not happened: for helpers that want to know. */
  storeBudget(count: number): void {
    this.get(BASE)
    this.get(BUDGET)
    this.const32(count)
    this.op(Op.i32_add)
    this.memory(Op.i32_store, S_BUDGET)
  }

  refund(count: number): void {
    if (count === 0) return
    this.get(BUDGET)
    this.const32(count)
    this.op(Op.i32_add)
    this.setLocal(BUDGET)
  }

  /** Lazy flags into their slots, on the straight way. */
  flags({ code, dst, src }: Pending): void {
    const { ccOp, ccDst, ccSrc } = this.#slots
    this.set(ccDst, dst)
    this.set(ccSrc, src)
    this.keep(ccOp)
    this.const32(code)
    this.setLocal(ccOp.local)
  }
  /** The same on a way out. */
  coldFlags(pending: Pending | undefined): void {
    if (!pending) return
    const { ccOp, ccDst, ccSrc } = this.#slots
    this.pushCold(pending.dst)
    this.pushCold(pending.src)
    this.setLocal(ccSrc.local)
    this.setLocal(ccDst.local)
    this.const32(pending.code)
    this.setLocal(ccOp.local)
  }

  /** What `resolveSite` will make of it: so far from the region's start, with so many instructions that have not happened. */
  markSite(at: number, unused: number): void {
    this.const32((at << 16) | unused)
    this.setLocal(SITE)
  }
  /** At the place where ways out of the middle meet: RIP, and the budget that has not been used. */
  resolveSite(start: bigint): void {
    this.get(BUDGET)
    this.get(SITE)
    this.const32(0xffff)
    this.op(Op.i32_and)
    this.op(Op.i32_add)
    this.setLocal(BUDGET)
    this.const32(-1)
    this.setLocal(MASK)
    this.get(BASE)
    this.get(SITE)
    this.const32(16)
    this.op(Op.i32_shr_s)
    this.op(Op.i64_extend_i32_s)
    this.const64(start)
    this.op(Op.i64_add)
    this.storeTo(I64, S_RIP)
  }
  /** The budget, or its complement behind `resolveSite`. */
  result(): void {
    this.get(BUDGET)
    this.get(MASK)
    this.op(Op.i32_xor)
  }
}
