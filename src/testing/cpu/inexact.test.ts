/**
 * What processors do each in their own way, within bounds: x87's transcendental instructions are off by at most one
 * unit in the last place from the host's (ours are correctly rounded), and the approximations of reciprocals stay
 * within 1.5 * 2^-12.
 */
import { describe, expect, test } from 'vitest'
import { FlatCpu } from '#cpu/flat-cpu.ts'
import { InterpretingEmitter } from '#cpu/interpret/emitter.ts'
import { decode } from '#cpu/isa/decode.ts'
import { formName, formsOf } from '#cpu/isa/forms.ts'
import { semanticsOf } from '#cpu/semantics/index.ts'
import { S_MXCSR, S_XMM } from '#cpu/state.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import { caseOf, type Variant } from './cases.ts'
import { FPU_FAMILY, INEXACT } from './fpu-family.ts'
import { FX_FSW, FX_ST, fxState } from './fx-state.ts'
import { type Case, R_FX } from './layout.ts'
import { hasNative, runNatively } from './native.ts'
import { OurProcessor } from './ours.ts'

const X87 = formsOf(64).filter(({ row }) => INEXACT.has(row.mnemonic) && row.attributes.has('fpu'))
const CASES = 300
/** Of that many, the last bit may differ. */
const DIFFERENT_MAX = 30
/** C1 says how it was rounded. */
const C1 = 0x200

/** An argument that a program would have: of the size of one, positive where there must be a logarithm. */
function usual(rng: Rng, case_: Case, mnemonic: string): void {
  const view = new DataView(case_.fx!.buffer)
  const isSmall = mnemonic === 'f2xm1' || mnemonic === 'fyl2xp1'
  for (const i of [0, 1]) {
    const exponent = 16383 - rng.below(rng.below(2) === 0 ? 6 : 40) + (isSmall ? -2 : 3)
    const sign = mnemonic === 'fyl2x' && i === 0 ? 0 : rng.below(2)
    view.setUint32(FX_ST + 16 * i, rng.u32(), true)
    view.setUint32(FX_ST + 16 * i + 4, (rng.u32() | 0x80000000) >>> 0, true)
    view.setUint16(FX_ST + 16 * i + 8, (sign << 15) | exponent, true)
  }
}

const registerOf = (result: Uint8Array, i: number): bigint => {
  const view = new DataView(result.buffer, result.byteOffset + R_FX + FX_ST + 16 * i)
  return view.getBigUint64(0, true) | (BigInt(view.getUint16(8, true)) << 64n)
}
const statusOf = (result: Uint8Array): number =>
  new DataView(result.buffer, result.byteOffset + R_FX).getUint16(FX_FSW, true) & ~C1

describe.skipIf(!hasNative)("the host's processor (gcc)", () => {
  test.each(X87.map((form) => [form.row.mnemonic, form] as const))('%s', (mnemonic, form) => {
    const rng = createRng(80).fork(mnemonic)
    const variant: Variant = { form, name: formName(form), isHigh: false, lock: false }
    const cases = Array.from({ length: CASES }, (_, n) => {
      const case_ = caseOf(variant, rng, FPU_FAMILY.wishes)
      if (n % 8 !== 0) usual(rng, case_, mnemonic)
      return case_
    })
    const ours = new OurProcessor(fxState)
    let different = 0
    for (const [n, theirs] of runNatively(cases).entries()) {
      const own = ours.run(cases[n]!)
      const context = `case ${n}`
      expect(`${context}: ${statusOf(own).toString(16)}`).toBe(`${context}: ${statusOf(theirs).toString(16)}`)
      for (let i = 0; i < 8; i++) {
        const [a, b] = [registerOf(theirs, i), registerOf(own, i)]
        if (a === b) continue
        different++
        const distance = a > b ? a - b : b - a
        if (distance > 1n) expect(`${context}, st${i}: ${b.toString(16)}`).toBe(`${context}, st${i}: ${a.toString(16)}`)
      }
    }
    expect(different).toBeLessThanOrEqual(DIFFERENT_MAX)
  })
})

/** One lane by an instruction on XMM0. */
function approximation(code: readonly number[], bits: number): number {
  const cpu = new FlatCpu([])
  cpu.view.setUint32(S_MXCSR, 0x1f80, true)
  cpu.view.setUint32(S_XMM, bits, true)
  const insn = decode((at) => code[at] ?? 0, 64)!
  semanticsOf(insn.row)!(new InterpretingEmitter(cpu), insn)
  expect(cpu.view.getUint32(S_MXCSR, true)).toBe(0x1f80)
  return cpu.view.getFloat32(S_XMM, true)
}

describe('approximations', () => {
  const view = new DataView(new ArrayBuffer(4))
  const floatOf = (bits: number): number => {
    view.setUint32(0, bits)
    return view.getFloat32(0)
  }
  test.each([
    ['rcpss', [0xf3, 0x0f, 0x53, 0xc0], (x: number) => 1 / x],
    ['rsqrtss', [0xf3, 0x0f, 0x52, 0xc0], (x: number) => 1 / Math.sqrt(x)],
  ] as const)('%s', (_, code, exact) => {
    const rng = createRng(12)
    for (let i = 0; i < 500; i++) {
      // Whose reciprocals are no denormals.
      const bits = 0x00800000 + rng.below(0x7e000000)
      const expected = exact(floatOf(bits))
      expect(Math.abs(approximation(code, bits) / expected - 1)).toBeLessThan(1.5 * 2 ** -12)
    }
    expect([0, 0x80000000, 1, 0x7f800000].map((bits) => approximation(code, bits))).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      0,
    ])
    expect(approximation(code, 0x7fc00000)).toBeNaN()
  })
})
