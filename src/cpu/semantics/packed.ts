/**
 * Packed integers, in XMM registers and in MMX registers (Intel SDM volume 1, 9.4 and 11.4.2): every operation is made
 * of those of the Emitter. An MMX operand is a vector whose upper half counts for nothing.
 */
import type { Insn } from '../isa/insn.ts'
import type { Emitter, Semantics } from './emitter.ts'
import { beginMmx, readMmx, writeMmx } from './mmx-file.ts'
import { immediate } from './operands.ts'
import { extended, readVector, register } from './sse-operands.ts'
import type { VectorOp, VectorShift } from './vector-ops.ts'

/** `bytes`: 16, or 8 of MMX. */
export type Packed = <V>(e: Emitter<V>, a: V, b: V, bytes: number) => V

/** Destination and source, of either file. */
export const packed =
  (operation: Packed): Semantics =>
  (e, insn) => {
    const to = register(insn, 0)
    if (insn.operands[0]!.kind === 'mmx') {
      beginMmx(e)
      const b = extended(e, 8, readMmx(e, insn, 1))
      const a = extended(e, 8, readMmx(e, insn, 0))
      writeMmx(e, to, e.lane(8, operation(e, a, b, 8), 0))
    } else {
      e.fpu()
      const b = readVector(e, insn, 1)
      e.setXmm(to, operation(e, e.xmm(to), b, 16))
    }
  }

const lanes =
  (op: VectorOp): Packed =>
  (e, a, b) =>
    e.vector(op, a, b)

/** Half as wide lanes of both operands: of MMX, they must first stand side by side. */
const packs =
  (op: VectorOp): Packed =>
  (e, a, b, bytes) => {
    if (bytes === 16) return e.vector(op, a, b)
    const both = e.withLane(8, a, 1, e.lane(8, b, 0))
    return e.vector(op, both, both)
  }

/** Lanes of `width` bytes by turns: of the operands' lower halves, or of the upper ones. */
const unpacks =
  (width: number, upper: boolean): Packed =>
  (e, a, b, bytes) =>
    e.shuffle(
      a,
      b,
      Array.from({ length: 16 }, (_, i) => {
        if (i >= bytes) return 0
        const turn = Math.floor(i / width)
        return (upper ? bytes / 2 : 0) + (turn >> 1) * width + (i % width) + (turn & 1) * 16
      }),
    )

/** All lanes by the second operand's low 64 bits; what is not below the width shifts everything out. */
function shiftByValue<V>(e: Emitter<V>, op: VectorShift, width: number, a: V, count: V): V {
  const small = e.ltu(8, count, e.imm(8, width))
  const low = e.trunc(8, 4, count)
  if (op.endsWith('_s')) return e.vectorShift(op, a, e.select(4, small, low, e.imm(4, width - 1)))
  const shifted = e.vectorShift(op, a, e.select(4, small, low, e.imm(4, 0)))
  const mask = e.neg(8, e.zext(4, 8, small))
  return e.vector('v128.and', shifted, e.withLane(8, extended(e, 8, mask), 1, mask))
}

function shiftByConstant<V>(e: Emitter<V>, op: VectorShift, width: number, a: V, count: number): V {
  if (count < width) return e.vectorShift(op, a, e.imm(4, count))
  return op.endsWith('_s') ? e.vectorShift(op, a, e.imm(4, width - 1)) : e.zero128()
}

function shifts(op: VectorShift, width: number): Semantics {
  const byValue = packed((e, a, b) => shiftByValue(e, op, width, a, e.lane(8, b, 0)))
  return (e, insn) => {
    if (insn.operands[1]!.kind !== 'imm') return byValue(e, insn)
    const count = Number(immediate(insn, 1).value)
    unary((e, a) => shiftByConstant(e, op, width, a, count))(e, insn)
  }
}

/** One operand, which is the destination too. */
const unary =
  (operation: <V>(e: Emitter<V>, a: V) => V): Semantics =>
  (e, insn) => {
    const to = register(insn, 0)
    if (insn.operands[0]!.kind === 'mmx') {
      beginMmx(e)
      writeMmx(e, to, e.lane(8, operation(e, extended(e, 8, readMmx(e, insn, 0))), 0))
    } else {
      e.fpu()
      e.setXmm(to, operation(e, e.xmm(to)))
    }
  }

/** The whole register by bytes; bytes from 16 on are zeros. */
const byteShift =
  (left: boolean): Semantics =>
  (e, insn) => {
    const count = Math.min(16, Number(immediate(insn, 1).value))
    const bytes = Array.from({ length: 16 }, (_, i) => {
      const from = left ? i - count : i + count
      return from >= 0 && from < 16 ? from : 16
    })
    unary((e, a) => e.shuffle(a, e.zero128(), bytes))(e, insn)
  }

/** Bytes of lanes of `width` bytes that an immediate chooses, two bits each. */
export const chosen = (width: number, selectors: readonly number[]): number[] =>
  selectors.flatMap((selector) => Array.from({ length: width }, (_, i) => selector * width + i))

export const selectorsOf = (insn: Insn, n: number): number[] => {
  const bits = Number(immediate(insn, n).value)
  return [bits & 3, (bits >> 2) & 3, (bits >> 4) & 3, bits >> 6]
}

const IDENTITY = [0, 1, 2, 3]

/** PSHUFW, PSHUFLW, PSHUFHW and PSHUFD: the first operand is only written. */
function shuffles(width: number, from: number): Semantics {
  return (e, insn) => {
    const selectors = selectorsOf(insn, 2)
    const low = from === 0 ? selectors : IDENTITY
    const high = from === 0 ? IDENTITY : selectors
    const bytes = width === 4 ? chosen(4, selectors) : chosen(2, [...low, ...high.map((selector) => selector + 4)])
    packed((e, _, b) => e.shuffle(b, b, bytes))(e, insn)
  }
}

const by = (entries: Record<string, Packed>): Record<string, Semantics> =>
  Object.fromEntries(Object.entries(entries).map(([mnemonic, operation]) => [mnemonic, packed(operation)]))

/** Bitwise operations; the singles' and doubles' are the same. */
const BITWISE = {
  and: lanes('v128.and'),
  or: lanes('v128.or'),
  xor: lanes('v128.xor'),
  // The first operand is the one that is inverted.
  andn: (e, a, b) => e.vector('v128.andnot', b, a),
} satisfies Record<string, Packed>
const bitwise = Object.entries(BITWISE).flatMap(([name, operation]): [string, Packed][] =>
  [`p${name}`, `${name}ps`, `${name}pd`].map((mnemonic) => [mnemonic, operation]),
)

export const PACKED: Record<string, Semantics> = {
  ...by(Object.fromEntries(bitwise)),
  ...by({
    paddb: lanes('i8x16.add'),
    paddw: lanes('i16x8.add'),
    paddd: lanes('i32x4.add'),
    paddq: lanes('i64x2.add'),
    psubb: lanes('i8x16.sub'),
    psubw: lanes('i16x8.sub'),
    psubd: lanes('i32x4.sub'),
    psubq: lanes('i64x2.sub'),
    paddsb: lanes('i8x16.add_sat_s'),
    paddsw: lanes('i16x8.add_sat_s'),
    paddusb: lanes('i8x16.add_sat_u'),
    paddusw: lanes('i16x8.add_sat_u'),
    psubsb: lanes('i8x16.sub_sat_s'),
    psubsw: lanes('i16x8.sub_sat_s'),
    psubusb: lanes('i8x16.sub_sat_u'),
    psubusw: lanes('i16x8.sub_sat_u'),
    pmullw: lanes('i16x8.mul'),
    pmulhw: lanes('pmulhw'),
    pmulhuw: lanes('pmulhuw'),
    pmuludq: lanes('pmuludq'),
    pmaddwd: lanes('i32x4.dot_i16x8_s'),
    psadbw: lanes('psadbw'),
    pavgb: lanes('i8x16.avgr_u'),
    pavgw: lanes('i16x8.avgr_u'),
    pminub: lanes('i8x16.min_u'),
    pmaxub: lanes('i8x16.max_u'),
    pminsw: lanes('i16x8.min_s'),
    pmaxsw: lanes('i16x8.max_s'),
    pcmpeqb: lanes('i8x16.eq'),
    pcmpeqw: lanes('i16x8.eq'),
    pcmpeqd: lanes('i32x4.eq'),
    pcmpgtb: lanes('i8x16.gt_s'),
    pcmpgtw: lanes('i16x8.gt_s'),
    pcmpgtd: lanes('i32x4.gt_s'),
    packsswb: packs('i8x16.narrow_i16x8_s'),
    packuswb: packs('i8x16.narrow_i16x8_u'),
    packssdw: packs('i16x8.narrow_i32x4_s'),
    punpcklbw: unpacks(1, false),
    punpcklwd: unpacks(2, false),
    punpckldq: unpacks(4, false),
    punpcklqdq: unpacks(8, false),
    punpckhbw: unpacks(1, true),
    punpckhwd: unpacks(2, true),
    punpckhdq: unpacks(4, true),
    punpckhqdq: unpacks(8, true),
    unpcklps: unpacks(4, false),
    unpckhps: unpacks(4, true),
    unpcklpd: unpacks(8, false),
    unpckhpd: unpacks(8, true),
  }),
  psllw: shifts('i16x8.shl', 16),
  pslld: shifts('i32x4.shl', 32),
  psllq: shifts('i64x2.shl', 64),
  psrlw: shifts('i16x8.shr_u', 16),
  psrld: shifts('i32x4.shr_u', 32),
  psrlq: shifts('i64x2.shr_u', 64),
  psraw: shifts('i16x8.shr_s', 16),
  psrad: shifts('i32x4.shr_s', 32),
  pslldq: byteShift(true),
  psrldq: byteShift(false),
  pshufw: shuffles(2, 0),
  pshuflw: shuffles(2, 0),
  pshufhw: shuffles(2, 4),
  pshufd: shuffles(4, 0),
}
