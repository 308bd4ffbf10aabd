/**
 * SSSE3's packed integers, and SSE3's moves that copy lanes (Intel SDM volume 1, 12.3 and 12.6), in XMM and MMX registers. As in packed.ts, an MMX operand is a vector whose upper half
 * counts for nothing.
 */
import type { Emitter, Semantics } from './emitter.ts'
import { immediate } from './operands.ts'
import { chosen, type Packed, packed } from './packed.ts'
import type { VectorOp, VectorShift } from './vector-ops.ts'

type Width = 1 | 2 | 4
const LANES = { 1: 'i8x16', 2: 'i16x8', 4: 'i32x4' } as const

/** All ones where the sign is. */
const negative = <V>(e: Emitter<V>, width: Width, a: V): V => e.vector(`${LANES[width]}.gt_s`, e.zero128(), a)

/** Negated where `mask` has ones. */
const negatedWhere = <V>(e: Emitter<V>, width: Width, a: V, mask: V): V =>
  e.vector(`${LANES[width]}.sub`, e.vector('v128.xor', a, mask), mask)

const absolute =
  (width: Width): Packed =>
  (e, _, b) =>
    negatedWhere(e, width, b, negative(e, width, b))

/** The first operand with the sign of the second one, and zero where that is zero. */
const sign =
  (width: Width): Packed =>
  (e, a, b) => {
    const signed = negatedWhere(e, width, a, negative(e, width, b))
    return e.vector('v128.andnot', signed, e.vector(`${LANES[width]}.eq`, b, e.zero128()))
  }

/** The even lanes of both operands, or the odd ones: the first operand's below. */
const everySecond = (width: 2 | 4, odd: 0 | 1, bytes: number): number[] =>
  Array.from({ length: 16 / width }, (_, i) => {
    const half = bytes / width / 2
    const lane = 2 * (i % half) + odd
    return i < half ? lane : i < 2 * half ? lane + 16 / width : 0
  }).flatMap((lane) => chosen(width, [lane]))

const neighbours =
  (op: VectorOp, width: 2 | 4): Packed =>
  (e, a, b, bytes) =>
    e.vector(op, e.shuffle(a, b, everySecond(width, 0, bytes)), e.shuffle(a, b, everySecond(width, 1, bytes)))

/** Bytes without sign of the first operand, with sign of the second: pairs of products that are added with saturation. None of the products is too large for a word. */
const multiplyAdd: Packed = (e, a, b) => {
  const eight = e.imm(4, 8)
  const shift = (op: VectorShift, x: typeof a): typeof a => e.vectorShift(op, x, eight)
  const even = e.vector(
    'i16x8.mul',
    shift('i16x8.shr_u', shift('i16x8.shl', a)),
    shift('i16x8.shr_s', shift('i16x8.shl', b)),
  )
  const odd = e.vector('i16x8.mul', shift('i16x8.shr_u', a), shift('i16x8.shr_s', b))
  return e.vector('i16x8.add_sat_s', even, odd)
}

/** Of MMX, both halves have the same bytes, so that four bits of a selector choose as three would. */
const shuffleBytes: Packed = (e, a, b, bytes) =>
  e.vector('pshufb', bytes === 16 ? a : e.withLane(8, a, 1, e.lane(8, a, 0)), b)

/** Both operands in a row, the second one below, shifted to the right by bytes. */
const palignr: Semantics = (e, insn) => {
  const count = Number(immediate(insn, 2).value)
  packed((e, a, b, bytes) => {
    const first = Math.min(count, 2 * bytes)
    const places = Array.from({ length: bytes }, (_, i) => first + i)
    if (first >= bytes) {
      const rest = places.map((place) => (place < 2 * bytes ? place - bytes : 16))
      return e.shuffle(a, e.zero128(), padded(rest))
    }
    return e.shuffle(b, a, padded(places.map((place) => (place < bytes ? place : place - bytes + 16))))
  })(e, insn)
}
const padded = (places: readonly number[]): number[] => Array.from({ length: 16 }, (_, i) => places[i] ?? 0)

const copied =
  (width: 4 | 8, lanes: readonly number[]): Semantics =>
  (e, insn) =>
    packed((e, _, b) => e.shuffle(b, b, chosen(width, lanes)))(e, insn)

const OPERATIONS: Record<string, Packed> = {
  pshufb: shuffleBytes,
  phaddw: neighbours('i16x8.add', 2),
  phaddd: neighbours('i32x4.add', 4),
  phaddsw: neighbours('i16x8.add_sat_s', 2),
  phsubw: neighbours('i16x8.sub', 2),
  phsubd: neighbours('i32x4.sub', 4),
  phsubsw: neighbours('i16x8.sub_sat_s', 2),
  pmaddubsw: multiplyAdd,
  pmulhrsw: (e, a, b) => e.vector('pmulhrsw', a, b),
  psignb: sign(1),
  psignw: sign(2),
  psignd: sign(4),
  pabsb: absolute(1),
  pabsw: absolute(2),
  pabsd: absolute(4),
}

export const SSSE3: Record<string, Semantics> = {
  ...Object.fromEntries(Object.entries(OPERATIONS).map(([mnemonic, operation]) => [mnemonic, packed(operation)])),
  palignr,
  movddup: copied(8, [0, 0]),
  movsldup: copied(4, [0, 0, 2, 2]),
  movshdup: copied(4, [1, 1, 3, 3]),
}
