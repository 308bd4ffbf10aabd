/**
 * Operations on vectors by the names that WebAssembly has for them, which are what SSE's are made of, and those that only SSE has. The interpreter does them lane by lane
 * (interpret/lanes.ts), the translator by one instruction or a few.
 */
export const WASM_VECTOR_OPS = [
  'v128.and',
  'v128.andnot',
  'v128.or',
  'v128.xor',
  'i8x16.add',
  'i16x8.add',
  'i32x4.add',
  'i64x2.add',
  'i8x16.sub',
  'i16x8.sub',
  'i32x4.sub',
  'i64x2.sub',
  'i16x8.mul',
  'i8x16.add_sat_s',
  'i8x16.add_sat_u',
  'i16x8.add_sat_s',
  'i16x8.add_sat_u',
  'i8x16.sub_sat_s',
  'i8x16.sub_sat_u',
  'i16x8.sub_sat_s',
  'i16x8.sub_sat_u',
  'i8x16.eq',
  'i16x8.eq',
  'i32x4.eq',
  'i8x16.gt_s',
  'i16x8.gt_s',
  'i32x4.gt_s',
  'i8x16.min_u',
  'i8x16.max_u',
  'i16x8.min_s',
  'i16x8.max_s',
  'i8x16.avgr_u',
  'i16x8.avgr_u',
  'i8x16.narrow_i16x8_s',
  'i8x16.narrow_i16x8_u',
  'i16x8.narrow_i32x4_s',
  'i32x4.dot_i16x8_s',
] as const
/** SSE's own. */
export const SSE_VECTOR_OPS = ['pmulhw', 'pmulhuw', 'pmuludq', 'psadbw', 'pmulhrsw', 'pshufb'] as const

/** Floats by WebAssembly's names; only translated code has them. */
type Comparison = 'eq' | 'lt' | 'le' | 'ge'
type Arithmetic = 'abs' | 'nearest' | 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'pmin' | 'pmax'
export type FloatOpOfEither = Comparison | Arithmetic
export type FloatOp =
  | `${'f32x4' | 'f64x2'}.${FloatOpOfEither}`
  | 'v128.not'
  | 'f32x4.convert_i32x4_s'
  | 'f64x2.convert_low_i32x4_s'
  | 'i32x4.trunc_sat_f32x4_s'
  | 'i32x4.trunc_sat_f64x2_s_zero'
  | 'f32x4.demote_f64x2_zero'
  | 'f64x2.promote_low_f32x4'

export type VectorOp = (typeof WASM_VECTOR_OPS)[number] | (typeof SSE_VECTOR_OPS)[number]

/** Shifts of all lanes by one count. */
export const VECTOR_SHIFTS = [
  'i16x8.shl',
  'i32x4.shl',
  'i64x2.shl',
  'i16x8.shr_u',
  'i32x4.shr_u',
  'i64x2.shr_u',
  'i16x8.shr_s',
  'i32x4.shr_s',
] as const

export type VectorShift = (typeof VECTOR_SHIFTS)[number]
