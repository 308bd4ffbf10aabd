/** What is known about WebAssembly's operations: their results' types, which may swap operands, and how constants are folded. */
import { Op } from '../wasm/opcodes.ts'

export const COMPARISONS = new Set<number>([
  Op.i32_eqz,
  Op.i32_eq,
  Op.i32_ne,
  Op.i32_lt_s,
  Op.i32_lt_u,
  Op.i64_eqz,
  Op.i64_eq,
  Op.i64_ne,
  Op.i64_lt_s,
  Op.i64_lt_u,
])
export const UNARY_I64 = new Set<number>([
  Op.i64_clz,
  Op.i64_ctz,
  Op.i64_popcnt,
  Op.i64_extend_i32_s,
  Op.i64_extend_i32_u,
  Op.i64_extend8_s,
  Op.i64_extend16_s,
  Op.i64_extend32_s,
])
export const BINARY_I64 = new Set<number>([
  Op.i64_add,
  Op.i64_sub,
  Op.i64_mul,
  Op.i64_div_s,
  Op.i64_div_u,
  Op.i64_rem_s,
  Op.i64_rem_u,
  Op.i64_and,
  Op.i64_or,
  Op.i64_xor,
  Op.i64_shl,
  Op.i64_shr_s,
  Op.i64_shr_u,
  Op.i64_rotl,
  Op.i64_rotr,
])
export const COMMUTES = new Set<number>([
  Op.i32_add,
  Op.i32_mul,
  Op.i32_and,
  Op.i32_or,
  Op.i32_xor,
  Op.i32_eq,
  Op.i32_ne,
  Op.i64_add,
  Op.i64_mul,
  Op.i64_and,
  Op.i64_or,
  Op.i64_xor,
  Op.i64_eq,
  Op.i64_ne,
])
export const INVERSE: Readonly<Record<number, number>> = {
  [Op.i32_eq]: Op.i32_ne,
  [Op.i32_ne]: Op.i32_eq,
  [Op.i64_eq]: Op.i64_ne,
  [Op.i64_ne]: Op.i64_eq,
}
export const FOLD_32: Readonly<Record<number, (a: number, b: number) => number>> = {
  [Op.i32_add]: (a, b) => a + b,
  [Op.i32_sub]: (a, b) => a - b,
  [Op.i32_and]: (a, b) => a & b,
  [Op.i32_or]: (a, b) => a | b,
  [Op.i32_xor]: (a, b) => a ^ b,
  [Op.i32_shl]: (a, b) => a << b,
  [Op.i32_shr_u]: (a, b) => a >>> b,
  [Op.i32_ne]: (a, b) => (a === b ? 0 : 1),
  [Op.i32_eq]: (a, b) => (a === b ? 1 : 0),
}
export const FOLD_64: Readonly<Record<number, (a: bigint, b: bigint) => bigint>> = {
  [Op.i64_add]: (a, b) => a + b,
  [Op.i64_sub]: (a, b) => a - b,
  [Op.i64_and]: (a, b) => a & b,
  [Op.i64_or]: (a, b) => a | b,
  [Op.i64_xor]: (a, b) => a ^ b,
  [Op.i64_shl]: (a, b) => a << b,
}
