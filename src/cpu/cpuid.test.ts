/** CPUID offers what the baseline of x86-64 demands, and nothing that is not implemented. */
import { expect, test } from 'vitest'
import { features } from './cpuid.ts'
import { CPUID_ATTRIBUTES } from './isa/row.ts'

test('the baseline is there: FPU, TSC, CX8, CMOV, CLFSH, MMX, FXSR, SSE, SSE2; SYSCALL', () => {
  const baseline = [0, 4, 8, 15, 19, 23, 24, 25, 26].reduce((bits, bit) => bits + 2 ** bit, 0)
  expect(features(1, 'edx')).toBe(baseline)
  expect(features(0x80000001, 'edx') & (1 << 11)).not.toBe(0)
})

test('CX16, POPCNT and LAHF are; SSE3 to SSE4.2 and AVX are not', () => {
  expect(features(1, 'ecx')).toBe((1 << 13) | (1 << 23))
  expect(features(0x80000001, 'ecx') & 1).toBe(1)
})

test('RDTSCP is not offered, as nobody gives TSC_AUX', () => {
  expect(CPUID_ATTRIBUTES.has('rdtscp')).toBe(true)
  expect(features(0x80000001, 'edx') & (1 << 27)).toBe(0)
})
