/** What the engine's numbers do is what BigInts do: results and PE, wherever they say that they can. */
import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { add, div, mul, sqrt, sub } from './arithmetic.ts'
import { ALL_EXCEPTIONS, Environment, NEAREST, PE } from './environment.ts'
import { doubles, EXACT, inexact, singles } from './exact.ts'
import { F32, F64, type Float, type Format, unpack } from './format.ts'

const view = new DataView(new ArrayBuffer(16))
const rng = createRng(64)

type Operation = (env: Environment, format: Format, a: Float, b: Float) => bigint
const SLOW: Record<keyof typeof EXACT, Operation> = {
  add,
  sub,
  mul,
  div,
  sqrt: (env, format, _, b) => sqrt(env, format, b),
}

/** Bits: few ones, so that results are exact now and then, or dice; of any exponent, or near one. */
function bits(format: Format): bigint {
  const stored = format.precision - 1
  const exponents = format.bits - 1 - stored
  const bias = (1 << (exponents - 1)) - 1
  const exponent = rng.below(3) === 0 ? rng.below(2 * bias + 2) : bias + rng.below(2 * stored) - stored
  const dice = (BigInt(rng.u32()) << 32n) | BigInt(rng.u32())
  const fraction = rng.below(2) === 0 ? BigInt.asUintN(stored, dice) : BigInt(rng.below(256)) << BigInt(stored - 8)
  const value = rng.below(12) === 0 ? 0n : (BigInt(exponent) << BigInt(stored)) | BigInt.asUintN(stored, fraction)
  return value | (BigInt(rng.below(2)) << BigInt(format.bits - 1))
}

const ROUNDS = 4000

describe.each(Object.keys(EXACT) as (keyof typeof EXACT)[])('%s', (name) => {
  test.each([
    ['doubles', F64, EXACT[name].double, doubles],
    ['singles', F32, EXACT[name].single, singles],
  ] as const)('of %s', (_, format, exact, possible) => {
    const isDouble = format === F64
    let done = 0
    let rounded = 0
    for (let i = 0; i < ROUNDS; i++) {
      const [a, b] = [bits(format), bits(format)]
      for (const [at, value] of [
        [0, a],
        [8, b],
      ] as const) {
        if (isDouble) view.setBigUint64(at, value)
        else view.setUint32(at, Number(value))
      }
      const [x, y] = isDouble ? [view.getFloat64(0), view.getFloat64(8)] : [view.getFloat32(0), view.getFloat32(8)]
      const result = possible(x, y) ? exact(x, y) : Number.NaN
      if (Number.isNaN(result)) continue
      const env = new Environment('sse', NEAREST, ALL_EXCEPTIONS)
      const expected = SLOW[name](env, format, unpack(env, format, a), unpack(env, format, b))
      if (isDouble) view.setFloat64(0, result)
      else view.setFloat32(0, result)
      const found = isDouble ? view.getBigUint64(0) : BigInt(view.getUint32(0))
      expect([found, inexact ? PE : 0, x, y]).toEqual([expected, env.flags, x, y])
      done++
      if (inexact) rounded++
    }
    expect(done).toBeGreaterThan(ROUNDS / 8)
    expect(rounded).toBeGreaterThan(done / 20)
    expect(rounded).toBeLessThan(done)
  })
})
