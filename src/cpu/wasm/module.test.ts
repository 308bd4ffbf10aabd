/** Modules that the encoder makes are what WebAssembly's own reader expects. */
import { describe, expect, test } from 'vitest'
import { Bytes } from './bytes.ts'
import { instantiate } from './engine.ts'
import { ModuleBuilder } from './module.ts'
import { I32, I64, Op, V128, VectorCode } from './opcodes.ts'

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })

function constantOf(value: bigint): unknown {
  const code = new Bytes()
  code.byte(Op.i64_const)
  code.signed64(value)
  const module = new ModuleBuilder()
  module.exportFunction('f', module.add([[], [I64]], [], code.view))
  return (instantiate(module.finish(), memory, {}).exports['f'] as () => bigint)()
}

describe('numbers', () => {
  test.each([
    0n,
    63n,
    64n,
    -64n,
    -65n,
    127n,
    128n,
    0x7fffffffn,
    0x80000000n,
    -0x80000000n,
    -0x80000001n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])('of 64 bits: %d', (value) => expect(constantOf(value)).toBe(value))
  test('of 64 bits without sign', () => expect(constantOf(2n ** 64n - 2n)).toBe(-2n))

  test.each([0, 63, 64, -64, -65, 8191, 8192, 0x7fffffff, -0x80000000])('of 32 bits: %d', (value) => {
    const code = new Bytes()
    code.byte(Op.i32_const)
    code.signed(value)
    const module = new ModuleBuilder()
    module.exportFunction('f', module.add([[], [I32]], [], code.view))
    expect((instantiate(module.finish(), memory, {}).exports['f'] as () => number)()).toBe(value)
  })

  test.each([0, 127, 128, 300, 0xffffffff])('unsigned: %d', (value) => {
    const bytes = new Bytes()
    bytes.unsigned(value)
    const read = bytes.view.reduce((sum, byte, n) => sum + (byte & 127) * 2 ** (7 * n), 0)
    expect([read, bytes.view.at(-1)! < 128]).toEqual([value, true])
  })

  test('do not fit into the first buffer', () => {
    const bytes = new Bytes()
    for (let n = 0; n < 5000; n++) bytes.byte(n)
    bytes.append(new Uint8Array(9000).fill(7))
    expect([bytes.length, bytes.view[4999], bytes.view[13999]]).toEqual([14000, 4999 & 255, 7])
  })
})

describe('a module', () => {
  test('has locals of several types, calls what it imports, and keeps a table', () => {
    const module = new ModuleBuilder()
    const twice = module.importFunction('twice', [[I32], [I32]])
    const code = new Bytes()
    // (a, b): twice(a) + b by way of locals of all types.
    for (const byte of [Op.local_get, 0, Op.call, twice, Op.local_set, 3]) code.byte(byte)
    for (const byte of [Op.local_get, 3, Op.local_get, 1, Op.i32_add]) code.byte(byte)
    const index = module.add([[I32, I32], [I32]], [I64, I32, I32, V128], code.view)
    module.exportFunction('f', index)
    module.exportTable(10)
    const { exports } = instantiate(module.finish(), memory, { twice: (n: number) => 2 * n })
    expect((exports['f'] as (a: number, b: number) => number)(20, 2)).toBe(42)
    expect((exports['table'] as WebAssembly.Table).length).toBe(10)
  })

  test('imports before it defines', () => {
    const module = new ModuleBuilder()
    module.add([[], []], [], new Uint8Array())
    expect(() => module.importFunction('late', [[], []])).toThrow('first')
  })
})

test('operations on vectors have the numbers that the engine knows', () => {
  const shifts = /\.(?:shl|shr)/
  const own = /const|shuffle|lane|load|store|bitmask|extadd/
  const unary = /\.(?:not|abs|sqrt|nearest|convert|trunc|promote|demote)/
  const whole = Object.entries(VectorCode).filter(([name]) => !own.test(name) && !shifts.test(name))
  const wide = (code: Bytes): void => {
    code.byte(Op.vector)
    code.unsigned(VectorCode['v128.const']!)
    for (let n = 0; n < 16; n++) code.byte(n * 16 + 1)
  }
  for (const [name, number] of whole) {
    const code = new Bytes()
    wide(code)
    if (!unary.test(name)) wide(code)
    code.byte(Op.vector)
    code.unsigned(number)
    const module = new ModuleBuilder()
    module.add([[], [V128]], [], code.view)
    expect(WebAssembly.validate(module.finish())).toBe(true)
  }
  expect(whole.length).toBeGreaterThan(40)
})
