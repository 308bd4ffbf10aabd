/** Two words against BigInt. */
import { expect, test } from 'vitest'
import { isBelow, isCanonical, isEqual, isLess, LongPool, toBig } from './long.ts'

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)
const signed = (value: bigint): bigint => BigInt.asIntN(64, value)

const EDGES = [0n, 1n, -1n, 5n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x123456789abcdef0n]
const VALUES = [
  ...EDGES,
  ...EDGES.map((x) => x << 31n),
  ...EDGES.map((x) => x << 32n),
  ...EDGES.map((x) => -x - 2n),
  1n << 63n,
  1n << 47n,
  -(1n << 47n),
].map(wrap)

test('sums, products and comparisons', () => {
  const pool = new LongPool()
  for (const x of VALUES) {
    for (const y of VALUES) {
      pool.reset()
      const a = pool.fromBig(x)
      const b = pool.fromBig(y)
      const ours = [pool.add(a, b), pool.sub(a, b), pool.mul(a, b), pool.mulhu(a, b), pool.mulhs(a, b), pool.neg(a)]
      const exact = [x + y, x - y, x * y, (x * y) >> 64n, (signed(x) * signed(y)) >> 64n, -x]
      expect(ours.map(toBig)).toEqual(exact.map(wrap))
      expect([isEqual(a, b), isBelow(a, b), isLess(a, b)]).toEqual([x === y, x < y, signed(x) < signed(y)])
    }
  }
})

test('shifts by all counts', () => {
  const pool = new LongPool()
  for (const x of VALUES) {
    for (let count = 0; count < 64; count++) {
      pool.reset()
      const a = pool.fromBig(x)
      const n = BigInt(count)
      const ours = [pool.shl(a, count), pool.shr(a, count), pool.sar(a, count), pool.rol(a, count)]
      expect(ours.map(toBig)).toEqual([x << n, x >> n, signed(x) >> n, (x << n) | (x >> (64n - n))].map(wrap))
    }
  }
})

test('canonical addresses', () => {
  const pool = new LongPool()
  for (const x of VALUES) expect(isCanonical(pool.fromBig(x))).toBe(wrap(BigInt.asIntN(48, x)) === x)
})
