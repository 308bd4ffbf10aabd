/** CPUID offers what the baseline of x86-64 demands, and nothing that is not implemented. */
import { expect, test } from 'vitest'
import { CPU_EXTENDED_ECX, CPU_EXTENDED_EDX, CPU_FEATURES_ECX, CPU_FEATURES_EDX } from '#abi/pc/cpu.ts'
import { features } from './cpuid.ts'
import { CPUID_ATTRIBUTES } from './isa/row.ts'

test('the baseline is there: FPU, TSC, CX8, CMOV, CLFSH, MMX, FXSR, SSE, SSE2; SEP, SYSCALL', () => {
  const baseline = [0, 4, 8, 11, 15, 19, 23, 24, 25, 26].reduce((bits, bit) => bits + 2 ** bit, 0)
  expect(features(1, 'edx')).toBe(baseline)
  expect(features(0x80000001, 'edx') & (1 << 11)).not.toBe(0)
})

test('SSE3, SSSE3, CX16, POPCNT and LAHF are; SSE4 and AVX are not', () => {
  expect(features(1, 'ecx')).toBe((1 << 0) | (1 << 9) | (1 << 13) | (1 << 23))
  expect(features(0x80000001, 'ecx') & 1).toBe(1)
})

test('RDTSCP is not offered, as nobody gives TSC_AUX', () => {
  expect(CPUID_ATTRIBUTES.has('rdtscp')).toBe(true)
  expect(features(0x80000001, 'edx') & (1 << 27)).toBe(0)
})

/** Bits that are about something else than instructions of CPL 3, or about ones that are privileged: MONITOR and MWAIT, which are #UD there, and RDMSR and WRMSR. */
const OF_THE_SYSTEM = {
  ecx: [3, 4, 7, 8, 14, 15],
  edx: [1, 2, 3, 5, 6, 7, 9, 12, 13, 14, 16, 17, 18, 21, 22, 27, 28, 29, 31],
  extendedEcx: [] as number[],
  extendedEdx: [20, 29],
}

test.each([
  ['1:ECX', CPU_FEATURES_ECX, OF_THE_SYSTEM.ecx, features(1, 'ecx')],
  ['1:EDX', CPU_FEATURES_EDX, OF_THE_SYSTEM.edx, features(1, 'edx')],
  ['80000001:ECX', CPU_EXTENDED_ECX, OF_THE_SYSTEM.extendedEcx, features(0x80000001, 'ecx')],
  ['80000001:EDX', CPU_EXTENDED_EDX, OF_THE_SYSTEM.extendedEdx, features(0x80000001, 'edx')],
])(
  "the machine's processor claims no instructions in %s that are not implemented",
  (_, claimed, system, implemented) => {
    const ours = system.reduce((bits, bit) => bits & ~(1 << bit), claimed)
    const missing = [...Array(32).keys()].filter((bit) => ((ours & ~implemented) >>> bit) & 1)
    expect(missing).toEqual([])
  },
)
