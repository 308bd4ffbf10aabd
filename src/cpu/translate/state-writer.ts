/**
 * Writes how a region's function meets the vCPU's state: which locals it has, what is loaded where it begins and stored where it ends, and the flags' way into their slots.
 */
import type { Helper } from '../semantics/emitter.ts'
import { S_BUDGET, S_INDIRECT, S_RIP, S_TLB_AT } from '../state.ts'
import type { Bytes } from '../wasm/bytes.ts'
import type { Signature } from '../wasm/module.ts'
import { I32, I64, Op, type ValueType, VOID } from '../wasm/opcodes.ts'
import { AccessWriter, type LeaveIf } from './access-writer.ts'
import type { Slot } from './node.ts'
import type { Slots } from './slots.ts'
import type { Pending, Statement } from './statement.ts'

export const BASE = 0
export const BUDGET = 1
const TLB = 2
const SITE = 3
const MASK = 4
const WORD = 5
const LONG = 6
const OTHER_LONG = 7
export const OWN_LOCALS: readonly ValueType[] = [I32, I32, I32, I32, I64, I64]
/** Of the slots. */
export const FIRST_SLOT = 8
/** In a site's number; the rest are for its place. */
const SITE_DEBT_BITS = 10
/** How far away that can be. */
const SITE_FAR = 2 ** (31 - SITE_DEBT_BITS)
export const isNear = (at: number): boolean => at >= -SITE_FAR && at < SITE_FAR

export const REGION_SIGNATURE: Signature = [[I32, I32], [I32]]

/** Indices of the functions that regions call. */
export interface Imports {
  readonly miss: number
  readonly flags: number
  helper(helper: Helper, signature: Signature): number
}

export class StateWriter extends AccessWriter {
  readonly #slots: Slots
  /** All that the state has a place for. */
  readonly kept: readonly Slot[]

  constructor(slots: Slots, imports: Imports, leaveIf: LeaveIf, code: Bytes) {
    const locals = { base: BASE, tlb: TLB, word: WORD, long: LONG, otherLong: OTHER_LONG }
    super(FIRST_SLOT + slots.all.length, locals, imports, leaveIf, code)
    this.#slots = slots
    this.kept = slots.all.filter(({ offset }) => offset >= 0)
  }

  /** Gives up if the budget does not suffice for the longest way. */
  enter(longest: number): void {
    this.get(BUDGET)
    this.const32(longest)
    this.op(Op.i32_lt_s)
    this.op(Op.if)
    this.op(VOID)
    this.get(BUDGET)
    this.const32(-1)
    this.op(Op.i32_xor)
    this.op(Op.return)
    this.op(Op.end)
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

  /** On at an address that is known only now. */
  jump({ target, returns }: Extract<Statement, { kind: 'jump' }>): void {
    this.get(BASE)
    this.push(target)
    if (!returns) {
      this.tee(LONG)
      this.storeTo(I64, S_RIP)
      this.get(BASE)
      this.get(LONG)
      this.op(Op.i32_wrap_i64)
      this.storeTo(I32, S_INDIRECT)
    } else this.storeTo(I64, S_RIP)
  }

  /** What is left of the budget when so much more has been taken off. */
  pushBudget(debt: number): void {
    this.get(BUDGET)
    if (debt === 0) return
    this.const32(-debt)
    this.op(Op.i32_add)
  }
  /** For helpers that want to know. */
  storeBudget(debt: number): void {
    this.get(BASE)
    this.pushBudget(debt)
    this.memory(Op.i32_store, S_BUDGET)
  }
  settle(debt: number): void {
    if (debt === 0) return
    this.pushBudget(debt)
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
    if (!pending || pending.isStored) return
    const { ccOp, ccDst, ccSrc } = this.#slots
    this.pushCold(pending.dst)
    this.pushCold(pending.src)
    this.setLocal(ccSrc.local)
    this.setLocal(ccDst.local)
    this.const32(pending.code)
    this.setLocal(ccOp.local)
  }

  /** What `resolveSite` will make of it: so far from the region's start, with so many instructions that have to be taken off the budget. */
  markSite(at: number, debt: number): void {
    this.const32((at << SITE_DEBT_BITS) | debt)
    this.setLocal(SITE)
  }
  /** What comes here does not go on with translated code. */
  markLeft(): void {
    this.const32(-1)
    this.setLocal(MASK)
  }
  /** At the place where ways out meet: RIP and the budget. */
  resolveSite(start: bigint): void {
    this.get(BUDGET)
    this.get(SITE)
    this.const32((1 << SITE_DEBT_BITS) - 1)
    this.op(Op.i32_and)
    this.op(Op.i32_sub)
    this.setLocal(BUDGET)
    this.get(BASE)
    this.get(SITE)
    this.const32(SITE_DEBT_BITS)
    this.op(Op.i32_shr_s)
    this.op(Op.i64_extend_i32_s)
    this.const64(start)
    this.op(Op.i64_add)
    this.storeTo(I64, S_RIP)
  }
  /** The budget, or its complement behind `markLeft`. */
  result(): void {
    this.get(BUDGET)
    this.get(MASK)
    this.op(Op.i32_xor)
  }
}
