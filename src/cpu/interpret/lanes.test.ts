/** Lane by lane is what WebAssembly does at once: every operation that has its name, with dice and edges. */
import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { VECTOR_SHIFTS, WASM_VECTOR_OPS } from '../semantics/vector-ops.ts'
import { Bytes } from '../wasm/bytes.ts'
import { instantiate } from '../wasm/engine.ts'
import { ModuleBuilder } from '../wasm/module.ts'
import { I32, VectorCode } from '../wasm/opcodes.ts'
import { bitmask, lane, shuffle, vectorOp, vectorShift, withLane } from './lanes.ts'

const I32_CONST = 0x41
const LOCAL_GET = 0x20
const SIMD = 0xfd

/** A function over the vectors at 0 and 16 of a memory: `operation` has its operands on the stack. */
function compiled(parameters: 0 | 1, operation: (code: Bytes) => void): (a: bigint, b: bigint, n?: number) => bigint {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const view = new DataView(memory.buffer)
  const code = new Bytes()
  const vector = (name: string): void => {
    code.byte(SIMD)
    code.unsigned(VectorCode[name]!)
  }
  const load = (at: number): void => {
    code.byte(I32_CONST)
    code.signed(at)
    vector('v128.load')
    code.append(new Uint8Array([0, 0]))
  }
  code.byte(I32_CONST)
  code.signed(32)
  load(0)
  if (parameters === 0) load(16)
  else code.append(new Uint8Array([LOCAL_GET, 0]))
  operation(code)
  vector('v128.store')
  code.append(new Uint8Array([0, 0]))
  const module = new ModuleBuilder()
  module.exportFunction('run', module.add([parameters === 1 ? [I32] : [], []], [], code.view))
  const { exports } = instantiate(module.finish(), memory, {})
  return (a, b, n) => {
    for (const [at, value] of [
      [0, a],
      [16, b],
    ] as const) {
      view.setBigUint64(at, BigInt.asUintN(64, value), true)
      view.setBigUint64(at + 8, value >> 64n, true)
    }
    ;(exports['run'] as (n?: number) => void)(n)
    return view.getBigUint64(32, true) | (view.getBigUint64(40, true) << 64n)
  }
}

const operation =
  (name: string) =>
  (code: Bytes): void => {
    code.byte(SIMD)
    code.unsigned(VectorCode[name]!)
  }

const rng = createRng(4)
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff, 0x8000]
/** Words that are edges more often than dice would have it. */
const word = (): bigint => BigInt(rng.below(2) === 0 ? rng.below(65536) : rng.pick(EDGES))
const vector = (): bigint => Array.from({ length: 8 }, word).reduce((sum, bits) => (sum << 16n) | bits, 0n)
const ROUNDS = 50

test.each(WASM_VECTOR_OPS)('%s', (name) => {
  const native = compiled(0, operation(name))
  for (let i = 0; i < ROUNDS; i++) {
    const [a, b] = [vector(), vector()]
    expect(vectorOp(name, a, b)).toBe(native(a, b))
  }
})

test.each(VECTOR_SHIFTS)('%s', (name) => {
  const native = compiled(1, operation(name))
  const width = 8 * (16 / Number(/x(\d+)/.exec(name)![1]))
  for (let count = 0; count < width; count++) {
    const a = vector()
    expect(vectorShift(name, a, count)).toBe(native(a, 0n, count))
  }
})

test('i8x16.shuffle', () => {
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = Array.from({ length: 16 }, () => rng.below(32))
    const native = compiled(0, (code) => {
      operation('i8x16.shuffle')(code)
      code.append(Uint8Array.from(bytes))
    })
    const [a, b] = [vector(), vector()]
    expect(shuffle(a, b, bytes)).toBe(native(a, b))
  }
})

const A = 0x8f0e_0d0c_8b0a_0908_8706_0504_8302_0100n

describe('lanes', () => {
  test.each([
    [1, 15, 0x8f],
    [2, 3, 0x8706],
    [4, 2, 0x8b0a0908],
    [8, 1, 0x8f0e_0d0c_8b0a_0908n],
  ] as const)('of %i bytes: number %i', (size, n, value) => {
    expect(lane(size, A, n)).toBe(value)
    expect(withLane(size, 0n, n, value)).toBe(BigInt(value) << BigInt(8 * size * n))
    expect(withLane(size, A, n, value)).toBe(A)
  })

  test.each([
    [1, 0b1000_1000_1000_1000],
    [4, 0b1111],
    [8, 0b11],
  ] as const)('of %i bytes: their top bits', (size, bits) => expect(bitmask(size, A)).toBe(bits))
})

const WORDS_A = 0xffff_8000_7fff_0002_ffff_8000_0003_ff01n
const WORDS_B = 0xffff_8000_7fff_8000_0002_8000_0005_02ffn

test.each([
  ['pmulhw', WORDS_A, WORDS_B, 0x0000_4000_3fff_ffff_ffff_4000_0000_fffdn],
  ['pmulhuw', WORDS_A, WORDS_B, 0xfffe_4000_3fff_0001_0001_4000_0000_02fcn],
  ['pmuludq', (7n << 64n) | 0xffff_ffff_ffff_ffffn, (9n << 64n) | 0xffff_ffffn, (63n << 64n) | 0xffff_fffe_0000_0001n],
  ['psadbw', (0x0102n << 64n) | 0xff00_ff00n, 0x0301n << 64n, (3n << 64n) | 0x1fen],
] as const)('%s, which only SSE has', (name, a, b, expected) => expect(vectorOp(name, a, b)).toBe(expected))
