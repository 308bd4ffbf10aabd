/**
 * Vector operations lane by lane, for whoever does instructions at once. A vector is a BigInt of 128 bits, lane 0
 * lowest; WebAssembly's SIMD specification says what its names mean, the Intel SDM volume 2 what SSE's own do.
 */
import type { Size } from '../isa/insn.ts'
import type { VectorOp, VectorShift } from '../semantics/vector-ops.ts'

const scratch = new DataView(new ArrayBuffer(48))
/** Where the operands and the result lie in the scratch area. */
const A = 0
const B = 16
const R = 32

const unsigned8 = new Uint8Array(scratch.buffer)

function put(at: number, vector: bigint): void {
  scratch.setBigUint64(at, BigInt.asUintN(64, vector), true)
  scratch.setBigUint64(at + 8, vector >> 64n, true)
}

const take = (at: number): bigint => scratch.getBigUint64(at, true) | (scratch.getBigUint64(at + 8, true) << 64n)

const clamp = (low: number, high: number, value: number): number => Math.min(high, Math.max(low, value))

interface Lanes {
  readonly bytes: number
  readonly get: (at: number) => number
  readonly set: (at: number, value: number) => void
}

const lanes = (bytes: number, get: Lanes['get'], set: Lanes['set']): Lanes => ({ bytes, get, set })
const u8 = lanes(
  1,
  (at) => scratch.getUint8(at),
  (at, value) => scratch.setUint8(at, value),
)
const s8 = lanes(
  1,
  (at) => scratch.getInt8(at),
  (at, value) => scratch.setInt8(at, value),
)
const u16 = lanes(
  2,
  (at) => scratch.getUint16(at, true),
  (at, value) => scratch.setUint16(at, value, true),
)
const s16 = lanes(
  2,
  (at) => scratch.getInt16(at, true),
  (at, value) => scratch.setInt16(at, value, true),
)
const u32 = lanes(
  4,
  (at) => scratch.getUint32(at, true),
  (at, value) => scratch.setUint32(at, value, true),
)
const s32 = lanes(
  4,
  (at) => scratch.getInt32(at, true),
  (at, value) => scratch.setInt32(at, value, true),
)

/** Lane by lane; what `does` gives is wrapped to the lane. */
function each({ bytes, get, set }: Lanes, does: (a: number, b: number) => number): () => void {
  return () => {
    for (let at = 0; at < 16; at += bytes) set(R + at, does(get(A + at), get(B + at)))
  }
}

function each64(does: (a: bigint, b: bigint) => bigint): () => void {
  return () => {
    for (let at = 0; at < 16; at += 8) {
      scratch.setBigUint64(
        R + at,
        BigInt.asUintN(64, does(scratch.getBigUint64(A + at, true), scratch.getBigUint64(B + at, true))),
        true,
      )
    }
  }
}

/** The lanes of both operands, half as wide and clamped: the first operand's below. */
function narrow(from: Lanes, low: number, high: number): () => void {
  const half = from.bytes / 2
  const set = half === 1 ? u8.set : u16.set
  return () => {
    for (let at = 0; at < 16; at += half) set(R + at, clamp(low, high, from.get(2 * at)))
  }
}

function dot(): void {
  for (let at = 0; at < 16; at += 4) {
    s32.set(R + at, s16.get(A + at) * s16.get(B + at) + s16.get(A + at + 2) * s16.get(B + at + 2))
  }
}

function pmuludq(): void {
  for (let at = 0; at < 16; at += 8) {
    scratch.setBigUint64(R + at, BigInt(u32.get(A + at)) * BigInt(u32.get(B + at)), true)
  }
}

function psadbw(): void {
  for (let at = 0; at < 16; at += 8) {
    let sum = 0
    for (let i = at; i < at + 8; i++) sum += Math.abs(u8.get(A + i) - u8.get(B + i))
    scratch.setBigUint64(R + at, BigInt(sum), true)
  }
}

/** A selector's top bit makes a zero, its low four bits choose. */
function pshufb(): void {
  for (let i = 0; i < 16; i++) {
    const selector = unsigned8[B + i]!
    unsigned8[R + i] = selector & 0x80 ? 0 : unsigned8[A + (selector & 15)]!
  }
}

const add = (a: number, b: number): number => a + b
const sub = (a: number, b: number): number => a - b
const eq = (a: number, b: number): number => (a === b ? -1 : 0)
const gt = (a: number, b: number): number => (a > b ? -1 : 0)
const saturate =
  (does: (a: number, b: number) => number, low: number, high: number) =>
  (a: number, b: number): number =>
    clamp(low, high, does(a, b))
const average = (a: number, b: number): number => (a + b + 1) >> 1

const OPS: Record<VectorOp, () => void> = {
  'v128.and': each64((a, b) => a & b),
  'v128.andnot': each64((a, b) => a & ~b),
  'v128.or': each64((a, b) => a | b),
  'v128.xor': each64((a, b) => a ^ b),
  'i8x16.add': each(u8, add),
  'i16x8.add': each(u16, add),
  'i32x4.add': each(u32, add),
  'i64x2.add': each64((a, b) => a + b),
  'i8x16.sub': each(u8, sub),
  'i16x8.sub': each(u16, sub),
  'i32x4.sub': each(u32, sub),
  'i64x2.sub': each64((a, b) => a - b),
  'i16x8.mul': each(s16, (a, b) => a * b),
  'i8x16.add_sat_s': each(s8, saturate(add, -0x80, 0x7f)),
  'i8x16.add_sat_u': each(u8, saturate(add, 0, 0xff)),
  'i16x8.add_sat_s': each(s16, saturate(add, -0x8000, 0x7fff)),
  'i16x8.add_sat_u': each(u16, saturate(add, 0, 0xffff)),
  'i8x16.sub_sat_s': each(s8, saturate(sub, -0x80, 0x7f)),
  'i8x16.sub_sat_u': each(u8, saturate(sub, 0, 0xff)),
  'i16x8.sub_sat_s': each(s16, saturate(sub, -0x8000, 0x7fff)),
  'i16x8.sub_sat_u': each(u16, saturate(sub, 0, 0xffff)),
  'i8x16.eq': each(u8, eq),
  'i16x8.eq': each(u16, eq),
  'i32x4.eq': each(u32, eq),
  'i8x16.gt_s': each(s8, gt),
  'i16x8.gt_s': each(s16, gt),
  'i32x4.gt_s': each(s32, gt),
  'i8x16.min_u': each(u8, Math.min),
  'i8x16.max_u': each(u8, Math.max),
  'i16x8.min_s': each(s16, Math.min),
  'i16x8.max_s': each(s16, Math.max),
  'i8x16.avgr_u': each(u8, average),
  'i16x8.avgr_u': each(u16, average),
  'i8x16.narrow_i16x8_s': narrow(s16, -0x80, 0x7f),
  'i8x16.narrow_i16x8_u': narrow(s16, 0, 0xff),
  'i16x8.narrow_i32x4_s': narrow(s32, -0x8000, 0x7fff),
  'i32x4.dot_i16x8_s': dot,
  pmulhw: each(s16, (a, b) => (a * b) >> 16),
  pmulhuw: each(u16, (a, b) => (a * b) / 0x10000),
  pmuludq,
  psadbw,
  pmulhrsw: each(s16, (a, b) => (a * b + 0x4000) >> 15),
  pshufb,
}

const SHIFTS: Record<VectorShift, (count: number) => () => void> = {
  'i16x8.shl': (count) => each(u16, (a) => a << count),
  'i32x4.shl': (count) => each(u32, (a) => a << count),
  'i64x2.shl': (count) => each64((a) => a << BigInt(count)),
  'i16x8.shr_u': (count) => each(u16, (a) => a >>> count),
  'i32x4.shr_u': (count) => each(u32, (a) => a >>> count),
  'i64x2.shr_u': (count) => each64((a) => a >> BigInt(count)),
  'i16x8.shr_s': (count) => each(s16, (a) => a >> count),
  'i32x4.shr_s': (count) => each(s32, (a) => a >> count),
}

export function vectorOp(op: VectorOp, a: bigint, b: bigint): bigint {
  put(A, a)
  put(B, b)
  OPS[op]()
  return take(R)
}

export function vectorShift(op: VectorShift, a: bigint, count: number): bigint {
  put(A, a)
  SHIFTS[op](count)()
  return take(R)
}

/** The top bits of lanes of `size` bytes, lane 0's lowest. */
export function bitmask(size: 1 | 4 | 8, vector: bigint): number {
  put(A, vector)
  let mask = 0
  for (let lane = 0; lane < 16 / size; lane++) mask |= (u8.get(A + lane * size + size - 1) >> 7) << lane
  return mask
}

/** A lane, in the representation of the emitter's values: a number up to four bytes, a BigInt of eight. */
export function lane(size: Size, vector: bigint, n: number): number | bigint {
  const bits = BigInt.asUintN(8 * size, vector >> BigInt(8 * size * n))
  return size === 8 ? bits : Number(bits)
}

export function withLane(size: Size, vector: bigint, n: number, value: number | bigint): bigint {
  const shift = BigInt(8 * size * n)
  const mask = ((1n << BigInt(8 * size)) - 1n) << shift
  return (vector & ~mask) | (BigInt.asUintN(8 * size, BigInt(value)) << shift)
}

/** Byte i is byte `bytes[i]` of `a` (0 to 15) or of `b` (16 to 31). */
export function shuffle(a: bigint, b: bigint, bytes: readonly number[]): bigint {
  put(A, a)
  put(B, b)
  for (let i = 0; i < 16; i++) unsigned8[R + i] = unsigned8[A + bytes[i]!]!
  return take(R)
}
