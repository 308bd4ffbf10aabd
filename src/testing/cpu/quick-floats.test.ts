/**
 * What translated code does by the engine's own floats (semantics/sse-quick.ts) is what the interpreter does, which has its own arithmetic: bit for bit, with all flags and faults, for operands and
 * results at the edges of what is done so, and under all that MXCSR may say. The interpreter's own reference is the host's processor (host.test.ts).
 */
import { expect, test, vi } from 'vitest'
import { decode } from '#cpu/isa/decode.ts'
import { encode } from '#cpu/isa/encode.ts'
import { type Form, formName, formsOf } from '#cpu/isa/forms.ts'
import { RAX, RBX, RCX, RDI, RSI } from '#cpu/isa/insn.ts'
import { Exit, S_CC_OP, S_GPR, S_LEAVE, S_MXCSR, S_XMM } from '#cpu/state.ts'
import { setRip } from '#cpu/state-access.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import { bitsOf, DOUBLE, double, edges, type Format, pair, SINGLE, single, vectorOf } from './float-edges.ts'
import { hex, PagedMachine } from './paged-machine.ts'

const CODE = 0x400000n
const DATA = 0x10000n
const DATA_FRAME = 16
const THRESHOLD = 1
const WARM = 4
const RANDOM = 120
/** Of all pairs of edges, one in so many. */
const SPARSE = 16
const HLT = 0xf4

/** Flags clear, PE set, and that with DAZ, FTZ, other ways to round, and each exception unmasked. */
const SETTINGS = [
  0x1f80, 0x1fa0, 0x1fe0, 0x9fa0, 0x9fe0, 0x3fa0, 0x5fa0, 0x7fa0, 0x1f20, 0x1ea0, 0x1da0, 0x1ba0, 0x17a0, 0x0fa0,
] as const

interface Side {
  readonly machine: PagedMachine
  readonly state: Uint8Array
}

/** Two machines with one instruction and `hlt`, of which one has it translated. */
class Pair {
  readonly #interpreted: Side
  readonly translated: Side
  #before = -1

  constructor(code: Uint8Array) {
    const [one, two] = [undefined, THRESHOLD].map((threshold): Side => {
      const machine = new PagedMachine(threshold)
      machine.load(CODE, Uint8Array.from([...code, HLT]), 1)
      machine.map(DATA, DATA_FRAME)
      return { machine, state: machine.bytes.subarray(machine.base, machine.base + S_LEAVE) }
    })
    this.#interpreted = one!
    this.translated = two!
    for (let n = 0; n < WARM; n++) this.run(0x1fa0, new Uint8Array(16), new Uint8Array(16))
    this.#before = this.translated.machine.vcpu.interpreted
  }

  /** Of XMM0, and XMM1 or RAX or memory; what is different. */
  run(mxcsr: number, first: Uint8Array, second: Uint8Array): string {
    for (const { machine, state } of [this.#interpreted, this.translated]) {
      const { view, base, vcpu } = machine
      state.fill(0, 0, S_CC_OP)
      view.setUint32(base + S_MXCSR, mxcsr, true)
      state.set(first, S_XMM)
      state.set(second, S_XMM + 16)
      state.set(second.subarray(0, 8), S_GPR + 8 * RAX)
      view.setBigUint64(base + S_GPR + 8 * RDI, DATA, true)
      machine.bytes.set(second, DATA_FRAME * 4096)
      setRip(vcpu, CODE)
      vcpu.run(100)
    }
    if (Buffer.compare(this.#interpreted.state, this.translated.state) === 0) return ''
    const [a, b] = [this.#interpreted, this.translated].map(({ state }) =>
      [S_XMM, S_XMM + 16, S_MXCSR, S_GPR].map((at) => Buffer.from(state).toString('hex', at, at + 16)).join(' '),
    )
    return `${mxcsr.toString(16)}, ${Buffer.from(first).toString('hex')}, ${Buffer.from(second).toString('hex')}: ${a} interpreted, ${b} translated`
  }

  /** By the machine that translates. */
  get interpretedSince(): number {
    return this.translated.machine.vcpu.interpreted - this.#before
  }
}

const NAMES = /^(?:(?:add|sub|mul|div|sqrt|min|max|cmp)(?:[sp][sd])|u?comis[sd]|cvtt?s[sd]2s[isd]|cvtsi2s[sd])$/
const formatOf = (name: string): Format => (name.endsWith('s') ? SINGLE : DOUBLE)
/** What the source of a conversion is. */
const sourceOf = (name: string): Format => (/^cvtt?s([sd])2/.exec(name)?.[1] === 's' ? SINGLE : DOUBLE)
const INTEGERS = [
  0,
  1,
  -1,
  2 ** 24,
  2 ** 24 + 1,
  -(2 ** 24) - 1,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  2 ** 53 + 1,
  -(2 ** 62),
]

/** Pairs of vectors, whose other lanes are of others of the pairs. */
function* operands(rng: Rng, name: string): Generator<readonly [Uint8Array, Uint8Array]> {
  const format = name.startsWith('cvt') ? sourceOf(name) : formatOf(name)
  const all = edges(format)
  if (name.startsWith('cvtsi2')) {
    for (const value of INTEGERS) {
      const bits = BigInt.asUintN(64, BigInt(value))
      yield [vectorOf(DOUBLE, [rng.pick(all), rng.pick(all)]), vectorOf(DOUBLE, [bits, 0n])]
    }
    return
  }
  const pairs: (readonly [bigint, bigint])[] = Array.from({ length: RANDOM }, () => pair(rng, format))
  if (name.startsWith('cvt') || name.startsWith('sqrt')) for (const b of all) pairs.push([rng.pick(all), b])
  else for (const a of all) for (const b of all) if (rng.below(SPARSE) === 0) pairs.push([a, b])
  for (const [a, b] of pairs) {
    const others = Array.from({ length: 3 }, () => (rng.below(3) === 0 ? rng.pick(pairs) : ([a, b] as const)))
    yield [vectorOf(format, [a, ...others.map(([x]) => x)]), vectorOf(format, [b, ...others.map(([, y]) => y)])]
  }
}

const FORMS = formsOf(64).filter(({ row, size }) => NAMES.test(row.mnemonic) && size >= 4)

/** XMM0 and XMM1, memory, or XMM0 again. */
function codes(form: Form, predicate: number): readonly Uint8Array[] {
  const address = { base: RDI, index: -1, scale: 1, disp: 0 } as const
  const made = [0, 1].map((rm) => encode(form, { reg: 0, rm, address, immediates: [BigInt(predicate)] }))
  return form.rm === 'mem' ? made.slice(1) : made
}

test.each(FORMS.map((form) => [formName(form), form] as const))('%s is the same', (_, form) => {
  const rng = createRng(31).fork(formName(form))
  const { mnemonic } = form.row
  const predicates = mnemonic.startsWith('cmp') ? [0, 1, 2, 3, 4, 5, 6, 7] : [0]
  const cases = [...operands(rng, mnemonic)]
  for (const predicate of predicates)
    for (const code of codes(form, predicate)) {
      expect(decode((at) => code[at] ?? 0, 64)?.length).toBe(code.length)
      const both = new Pair(code)
      for (const [n, [first, second]] of cases.entries()) {
        if (predicates.length > 1 && n % predicates.length !== predicate) continue
        const settings = n % 4 === 0 ? SETTINGS : [0x1fa0, rng.pick(SETTINGS)]
        for (const mxcsr of settings) {
          const found = both.run(mxcsr, first, second)
          if (found !== '') expect(found).toBe('')
        }
      }
      expect(both.interpretedSince).toBe(0)
    }
})

test('forms of all of them', () => {
  expect(new Set(FORMS.map(({ row }) => row.mnemonic)).size).toBe(8 * 4 + 4 + 2 + 4 + 2)
})

/** PE set, and inexact; clear, and exact: then it stays so. */
test.each([
  ['add', 0x1fa0, 0.1, 0.2],
  ['add', 0x1fa0, 0, 0.2],
  ['add', 0x1f80, 3, 4],
  ['add', 0x0f80, 3, 4],
  ['sub', 0x1fa0, 7, 7],
  ['sub', 0x1f80, 1.5, 0.25],
  ['mul', 0x1fa0, 0.1, 0],
  ['mul', 0x1f80, 1.5, 3],
  ['div', 0x1fa0, 0, 3],
  ['div', 0x1f80, 27, 3],
  ['sqrt', 0x1fa0, 0, 3],
  ['sqrt', 0x1f80, 5, 81],
  ['sqrt', 0x1fa0, 5, 0],
  ['min', 0x1f80, 0, 0],
  ['max', 0x1f80, 0.1, 0],
  ['cmp', 0x1f80, 0.1, 0],
  ['ucomi', 0x1f80, 0.1, 0],
  ['cvtt', 0x1fa0, 0, 5.3],
  ['cvt', 0x1fa0, 0, 5.3],
])('%s needs no helper where MXCSR is %i, for %d and %d', (name, mxcsr, a, b) => {
  const forms = FORMS.filter(
    ({ row, rm }) => new RegExp(`^${name}(?:[ps][sd]|s[sd]2si)$`).test(row.mnemonic) && rm === 'reg',
  )
  expect(forms.length).toBeGreaterThan(1)
  for (const form of forms) {
    const format = name.startsWith('cvt') ? sourceOf(form.row.mnemonic) : formatOf(form.row.mnemonic)
    const bits = format.bytes === 4 ? single : double
    const both = new Pair(encode(form, { reg: 0, rm: 1 }))
    const called = vi.spyOn(both.translated.machine.vcpu, 'helped')
    const [first, second] = [a, b].map((value) => vectorOf(format, Array<bigint>(4).fill(bits(value))))
    expect(both.run(mxcsr, first!, second!)).toBe('')
    expect(`${form.row.mnemonic}: ${called.mock.calls.length}`).toBe(`${form.row.mnemonic}: 0`)
  }
})

/** divsd %xmm1,%xmm0; ldmxcsr (%rdi); divsd %xmm1,%xmm2; stmxcsr 4(%rdi); divsd %xmm1,%xmm3; dec %rbx; jnz to the beginning; hlt */
const CHANGING = hex('f20f5ec1' + '0fae17' + 'f20f5ed1' + '0fae5f04' + 'f20f5ed9' + '48ffcb' + '75e8' + 'f4')

test('what MXCSR said is forgotten where it is loaded', () => {
  const ends = [undefined, THRESHOLD].map((threshold) => {
    const machine = new PagedMachine(threshold)
    machine.load(CODE, CHANGING, 1)
    machine.map(DATA, DATA_FRAME)
    const { view, base, vcpu } = machine
    const one = bitsOf(DOUBLE, DOUBLE.special >> 1, 0n)
    const three = bitsOf(DOUBLE, (DOUBLE.special >> 1) + 1, 1n << 51n)
    for (const [n, mxcsr] of [0x1fa0, 0x3fa0, 0x5fa0, 0x1f80].entries()) {
      for (const xmm of [0, 2, 3]) view.setBigUint64(base + S_XMM + 16 * xmm, one, true)
      view.setBigUint64(base + S_XMM + 16, three, true)
      view.setUint32(base + S_MXCSR, 0x1fa0, true)
      view.setUint32(DATA_FRAME * 4096, mxcsr, true)
      machine.set([
        [RDI, DATA],
        [RBX, 5n + BigInt(n)],
      ])
      setRip(vcpu, CODE)
      vcpu.run(1000)
    }
    if (threshold !== undefined) expect(machine.translator!.counts.instructions).toBeGreaterThan(5)
    return Buffer.from(machine.bytes.slice(base, base + S_LEAVE)).toString('hex')
  })
  expect(ends[1]).toBe(ends[0])
})

/** add %rbx,%rax; mulsd %xmm1,%xmm0; adc $0,%rcx; divsd %xmm1,%xmm2; dec %rsi; jnz to the beginning; hlt */
const FAULTING = hex('4801d8' + 'f20f59c1' + '4883d100' + 'f20f5ed1' + '48ffce' + '75ec' + 'f4')

/** A NaN that signals, as a number's bits. */
const SIGNALS = bitsOf(DOUBLE, DOUBLE.special, 1n)

test.each([
  ['at the first operation', SIGNALS, double(3)],
  ['at the second one', double(1), SIGNALS],
  ['nowhere', double(1), double(3)],
])('registers and flags are there when an exception comes %s', (_, first, third) => {
  const ends = [undefined, THRESHOLD].map((threshold) => {
    const machine = new PagedMachine(threshold)
    machine.load(CODE, FAULTING, 1)
    const { view, base, vcpu } = machine
    const run = (a: bigint, c: bigint): Exit => {
      view.setUint32(base + S_MXCSR, 0x1f20, true)
      for (const [xmm, bits] of [a, double(7), c].entries()) view.setBigUint64(base + S_XMM + 16 * xmm, bits, true)
      machine.set([
        [RAX, (1n << 64n) - 2n],
        [RCX, 0n],
        [RBX, 5n],
        [RSI, 4n],
      ])
      setRip(vcpu, CODE)
      return vcpu.run(1000)
    }
    for (let n = 0; n < WARM; n++) run(double(1), double(3))
    const before = vcpu.interpreted
    const exit = run(first, third)
    if (threshold !== undefined) expect(vcpu.interpreted).toBe(before)
    return [exit, Buffer.from(machine.bytes.slice(base, base + S_LEAVE)).toString('hex')]
  })
  expect(ends[1]).toEqual(ends[0])
  expect(ends[1]![0]).toBe(first === SIGNALS || third === SIGNALS ? Exit.fault : Exit.privileged)
})
