/** Flags against their definitions, all pairs of bytes and edges of the other sizes: what the sum or difference really is, without wrapping, says what they must be. */
import { expect, test } from 'vitest'
import { holds, statusFlags } from './flags.ts'
import { AF, CcOp, CF, OF_FLAG, PF_FLAG, S_CC_DST, S_CC_OP, S_CC_SRC, SF, ZF } from './state.ts'

const view = new DataView(new ArrayBuffer(4096))
const registers = { view, base: 0 }

function flagsOf(op: number, size: number, dst: bigint, src: bigint): number {
  view.setUint32(S_CC_OP, op * 4 + Math.log2(size), true)
  view.setBigUint64(S_CC_DST, dst, true)
  view.setBigUint64(S_CC_SRC, src, true)
  return statusFlags(registers)
}

function ofResult(bits: number, result: bigint): number {
  let ones = 0
  for (let i = 0n; i < 8n; i++) ones += Number((result >> i) & 1n)
  return (result === 0n ? ZF : 0) | ((result >> BigInt(bits - 1)) & 1n ? SF : 0) | (ones % 2 === 0 ? PF_FLAG : 0)
}

/** From the exact values: `a + b + c` or `a - b - c`. */
function exact(size: number, a: bigint, b: bigint, c: bigint, sign: 1n | -1n): [result: bigint, flags: number] {
  const bits = 8 * size
  const unsigned = a + sign * (b + c)
  const signed = BigInt.asIntN(bits, a) + sign * (BigInt.asIntN(bits, b) + c)
  const nibble = (a & 15n) + sign * ((b & 15n) + c)
  const result = BigInt.asUintN(bits, unsigned)
  const flags =
    ofResult(bits, result) |
    (unsigned !== result ? CF : 0) |
    (BigInt.asIntN(bits, signed) !== signed ? OF_FLAG : 0) |
    (nibble < 0n || nibble > 15n ? AF : 0)
  return [result, flags]
}

const edges = (size: number): bigint[] => {
  const top = 1n << BigInt(8 * size - 1)
  const around = [0n, 1n, 15n, 16n, 0xffn, top - 1n, top, top + 1n, 2n * top - 1n, 2n * top - 16n]
  if (size === 8) around.push(0xffffffffn, 0x100000000n, 0x80000000n, 0x7fffffff_00000000n, 0x80000000_ffffffffn)
  return [...new Set(around.map((x) => BigInt.asUintN(8 * size, x)))]
}
const operands = (size: number): bigint[] =>
  size === 1 ? Array.from({ length: 256 }, (_, i) => BigInt(i)) : edges(size)

test.each([1, 2, 4, 8])('additions and subtractions of %i bytes', (size) => {
  for (const a of operands(size)) {
    for (const b of operands(size)) {
      for (const [op, carry, sign] of [
        [CcOp.add, 0n, 1n],
        [CcOp.adc1, 1n, 1n],
        [CcOp.sub, 0n, -1n],
        [CcOp.sbb1, 1n, -1n],
      ] as const) {
        const [result, flags] = exact(size, a, b, carry, sign)
        if (flagsOf(op, size, result, b) !== flags) {
          expect([op, a, b, flagsOf(op, size, result, b)]).toEqual([op, a, b, flags])
        }
      }
    }
  }
})

test.each([1, 2, 4, 8])('increments, decrements and shifts of %i bytes', (size) => {
  const bits = 8 * size
  for (const a of operands(size)) {
    for (const carry of [0n, 1n]) {
      const [up, upFlags] = exact(size, a, 1n, 0n, 1n)
      expect(flagsOf(CcOp.inc, size, up, carry)).toBe((upFlags & ~CF) | Number(carry))
      const [down, downFlags] = exact(size, a, 1n, 0n, -1n)
      expect(flagsOf(CcOp.dec, size, down, carry)).toBe((downFlags & ~CF) | Number(carry))
    }
    const left = BigInt.asUintN(bits, a << 1n)
    const out = Number(a >> BigInt(bits - 1))
    expect(flagsOf(CcOp.shl, size, left, a)).toBe(
      ofResult(bits, left) | out | (out !== Number(left >> BigInt(bits - 1)) ? OF_FLAG : 0),
    )
    const right = a >> 1n
    expect(flagsOf(CcOp.shr, size, right, a)).toBe(ofResult(bits, right) | Number(a & 1n) | (out ? OF_FLAG : 0))
    expect(flagsOf(CcOp.mul, size, a, 0n)).toBe(ofResult(bits, a))
    expect(flagsOf(CcOp.mul, size, a, a)).toBe(ofResult(bits, a) | (a !== 0n ? CF | OF_FLAG : 0))
    expect(flagsOf(CcOp.logic, size, a, a)).toBe(ofResult(bits, a))
  }
})

test('conditions', () => {
  const when = (flags: number): string =>
    'o no b ae e ne be a s ns p np l ge le g'
      .split(' ')
      .filter((_, i) => holds(i, flags))
      .join(' ')
  expect(when(0)).toBe('no ae ne a ns np ge g')
  expect(when(OF_FLAG)).toBe('o ae ne a ns np l le')
  expect(when(SF)).toBe('no ae ne a s np l le')
  expect(when(SF | OF_FLAG)).toBe('o ae ne a s np ge g')
  expect(when(CF)).toBe('no b ne be ns np ge g')
  expect(when(ZF | PF_FLAG)).toBe('no ae e be ns p ge le')
})
