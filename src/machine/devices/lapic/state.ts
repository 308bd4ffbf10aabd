/** What a local APIC holds (Intel 64 SDM vol. 3A, chapter 10): its registers, the local vector table, and the 256-bit sets of interrupts. */
import {
  APIC_LVT_MASKED,
  LAPIC_LVT0,
  LAPIC_LVT1,
  LAPIC_LVTERR,
  LAPIC_LVTPC,
  LAPIC_LVTT,
  LAPIC_LVTTHMR,
} from '#abi/pc/apic.ts'

export interface LapicState {
  id: number
  tpr: number
  ldr: number
  dfr: number
  spiv: number
  /** 256 bits each. */
  isr: number[]
  irr: number[]
  tmr: number[]
  /** Errors since the last write to the ESR, and what that write put on show. */
  errors: number
  esr: number
  icr: number
  icr2: number
  lvt: Record<LvtName, number>
  tdcr: number
  initialCount: number
  /** When the initial count was written. */
  countFromNs: number
  nmi: boolean
}

export type LvtName = 'timer' | 'thermal' | 'performance' | 'lint0' | 'lint1' | 'error'

export const LVT_AT: Readonly<Record<number, LvtName>> = {
  [LAPIC_LVTT]: 'timer',
  [LAPIC_LVTTHMR]: 'thermal',
  [LAPIC_LVTPC]: 'performance',
  [LAPIC_LVT0]: 'lint0',
  [LAPIC_LVT1]: 'lint1',
  [LAPIC_LVTERR]: 'error',
}
export const LVT_WRITABLE: Readonly<Record<LvtName, number>> = {
  timer: 0x300ff,
  thermal: 0x107ff,
  performance: 0x107ff,
  lint0: 0x1a7ff,
  lint1: 0x1a7ff,
  error: 0x100ff,
}

export const initialState = (id: number): LapicState => ({
  id,
  tpr: 0,
  ldr: 0,
  dfr: 0xffffffff,
  spiv: 0xff,
  isr: new Array<number>(8).fill(0),
  irr: new Array<number>(8).fill(0),
  tmr: new Array<number>(8).fill(0),
  errors: 0,
  esr: 0,
  icr: 0,
  icr2: 0,
  lvt: {
    timer: APIC_LVT_MASKED,
    thermal: APIC_LVT_MASKED,
    performance: APIC_LVT_MASKED,
    lint0: APIC_LVT_MASKED,
    lint1: APIC_LVT_MASKED,
    error: APIC_LVT_MASKED,
  },
  tdcr: 0,
  initialCount: 0,
  countFromNs: 0,
  nmi: false,
})

export const setBit = (words: number[], n: number): void => {
  words[n >> 5] = (words[n >> 5]! | (1 << (n & 31))) >>> 0
}
export const clearBit = (words: number[], n: number): void => {
  words[n >> 5] = (words[n >> 5]! & ~(1 << (n & 31))) >>> 0
}
export const testBit = (words: readonly number[], n: number): boolean => ((words[n >> 5]! >>> (n & 31)) & 1) === 1
/** The highest bit set, or -1. */
export function highest(words: readonly number[]): number {
  for (let i = 7; i >= 0; i--) if (words[i] !== 0) return i * 32 + 31 - Math.clz32(words[i]!)
  return -1
}
