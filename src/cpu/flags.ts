/**
 * The six status flags, worked out of what set them last (`CcOp` in state.ts; Intel SDM volume 1, 3.4.3.1). Every operand is taken as two words whose upper one ends in
 * the sign, so that four sizes are one computation and none needs a BigInt.
 */

import { AF, CcOp, CF, OF_FLAG, PF_FLAG, S_CC_DST, S_CC_OP, S_CC_SRC, SF, ZF } from './state.ts'
import type { Registers } from './state-access.ts'

/** PF of a result's low byte: the number of ones is even. */
function parity(byte: number): number {
  let x = byte & 0xff
  x ^= x >> 4
  return ((0x6996 >> (x & 15)) & 1) === 0 ? PF_FLAG : 0
}

/** `hi` has the value's top bit as its own, `lo` what is below (only for eight bytes); `byte` is the lowest. */
interface Words {
  hi: number
  lo: number
}

const dst: Words = { hi: 0, lo: 0 }
const src: Words = { hi: 0, lo: 0 }

function read(view: DataView, at: number, log2: number, into: Words): void {
  if (log2 === 3) {
    into.lo = view.getUint32(at, true)
    into.hi = view.getUint32(at + 4, true)
  } else {
    into.lo = 0
    into.hi = (view.getUint32(at, true) << (32 - (8 << log2))) >>> 0
  }
}

/** OF (top bit of `overflow`), AF (bit 4 of `half`) and CF of additions and subtractions. */
const arithmetic = (overflow: number, half: number, carry: boolean): number =>
  (overflow < 0 ? OF_FLAG : 0) | (half & AF) | (carry ? CF : 0)

/** OSZAPC as they lie in RFLAGS. */
export function statusFlags({ view, base }: Registers): number {
  const code = view.getUint32(base + S_CC_OP, true)
  const op = code >> 2
  if (op === CcOp.flags) return view.getUint32(base + S_CC_SRC, true)
  const log2 = code & 3
  read(view, base + S_CC_DST, log2, dst)
  read(view, base + S_CC_SRC, log2, src)
  const low = view.getUint8(base + S_CC_DST)
  const lowSrc = view.getUint8(base + S_CC_SRC)
  const result = ((dst.hi | dst.lo) === 0 ? ZF : 0) | ((dst.hi & 0x80000000) !== 0 ? SF : 0) | parity(low)
  // What the lowest bit of an operand of this size counts in `hi`.
  const one = log2 === 3 ? 0 : 1 << (32 - (8 << log2))
  switch (op as CcOp) {
    case CcOp.add:
    case CcOp.adc1: {
      const plus = op === CcOp.adc1 ? 1 : 0
      const borrow = log2 === 3 && dst.lo < src.lo + plus ? 1 : 0
      const a = dst.hi - src.hi - borrow - plus * one
      const below = dst.hi < src.hi || (dst.hi === src.hi && dst.lo < src.lo)
      const same = dst.hi === src.hi && dst.lo === src.lo
      const aLow = low - lowSrc - plus
      return result | arithmetic((a ^ dst.hi) & (src.hi ^ dst.hi), aLow ^ lowSrc ^ low, below || (plus === 1 && same))
    }
    case CcOp.sub:
    case CcOp.sbb1: {
      const plus = op === CcOp.sbb1 ? 1 : 0
      const lo = dst.lo + src.lo + (log2 === 3 ? plus : 0)
      const hi = (dst.hi + src.hi + (lo >= 2 ** 32 ? 1 : 0) + plus * (one >>> 0)) % 2 ** 32
      const below = hi < src.hi || (hi === src.hi && lo % 2 ** 32 < src.lo)
      const same = hi === src.hi && lo % 2 ** 32 === src.lo
      const aLow = low + lowSrc + plus
      return result | arithmetic((hi ^ src.hi) & (hi ^ dst.hi), aLow ^ lowSrc ^ low, below || (plus === 1 && same))
    }
    case CcOp.inc: {
      const overflow = dst.hi === 0x80000000 && dst.lo === 0
      return result | (overflow ? OF_FLAG : 0) | ((low & 15) === 0 ? AF : 0) | lowSrc
    }
    case CcOp.dec: {
      const overflow =
        dst.lo === (log2 === 3 ? 0xffffffff : 0) && (dst.hi + (log2 === 3 ? 1 : one)) >>> 0 === 0x80000000
      return result | (overflow ? OF_FLAG : 0) | ((low & 15) === 15 ? AF : 0) | lowSrc
    }
    case CcOp.shl: {
      const carry = src.hi >>> 31
      return result | carry | (carry !== dst.hi >>> 31 ? OF_FLAG : 0)
    }
    case CcOp.shr:
      return result | (lowSrc & CF) | (((src.hi ^ dst.hi) & 0x80000000) !== 0 ? OF_FLAG : 0)
    case CcOp.mul:
      return result | ((src.hi | src.lo) !== 0 ? CF | OF_FLAG : 0)
    default:
      return result
  }
}

const isLess = (flags: number): boolean => ((flags & SF) !== 0) !== ((flags & OF_FLAG) !== 0)

/** Whether a condition of Jcc's four bits holds with these flags: o no b ae e ne be a s ns p np l ge le g. */
export function holds(condition: number, flags: number): boolean {
  return positive(condition >> 1, flags) !== ((condition & 1) !== 0)
}

/** Without the bit that says `not`. */
function positive(condition: number, flags: number): boolean {
  switch (condition) {
    case 0:
      return (flags & OF_FLAG) !== 0
    case 1:
      return (flags & CF) !== 0
    case 2:
      return (flags & ZF) !== 0
    case 3:
      return (flags & (CF | ZF)) !== 0
    case 4:
      return (flags & SF) !== 0
    case 5:
      return (flags & PF_FLAG) !== 0
    case 6:
      return isLess(flags)
    default:
      return isLess(flags) || (flags & ZF) !== 0
  }
}
