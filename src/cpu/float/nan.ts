/** What operations on NaNs give (Intel SDM volume 1, table 4-7), and what invalid operations do. */
import { type Environment, IE } from './environment.ts'
import { type Float, type Format, indefinite, packNan, signalling } from './format.ts'

const isNan = ({ kind }: Float): boolean => kind === 'nan'

function chosen(env: Environment, a: Float, b: Float): Float {
  if (!isNan(b)) return a
  if (!isNan(a)) return b
  if (env.unit === 'sse') return a
  if (signalling(a) !== signalling(b)) return signalling(a) ? b : a
  if (a.significand !== b.significand) return a.significand > b.significand ? a : b
  return a.sign <= b.sign ? a : b
}

/** The default NaN of an invalid operation. */
export function invalid(env: Environment, format: Format): bigint {
  env.flags |= IE
  return indefinite(format)
}

/** What an operation gives one of whose operands is a NaN or unsupported; undefined: none is. */
export function propagated(env: Environment, format: Format, a: Float, b: Float = a): bigint | undefined {
  if (a.kind === 'unsupported' || b.kind === 'unsupported') return invalid(env, format)
  if (!isNan(a) && !isNan(b)) return undefined
  if (signalling(a) || signalling(b)) env.flags |= IE
  const { sign, significand } = chosen(env, a, b)
  return packNan(format, sign, significand)
}
