/** MXCSR (Intel SDM volume 1, 10.2.3): what it makes of arithmetic, and how that ends. */
import type { Cpu } from '../cpu.ts'
import { Fault, XM } from '../fault.ts'
import { S_MXCSR } from '../state.ts'
import { Environment } from './environment.ts'

const DAZ = 1 << 6
export const PRECISION_MASK = 1 << 12
export const ROUNDING = 3 << 13
const FTZ = 1 << 15
/** The bits that exist: MXCSR_MASK of FXSAVE. */
export const MXCSR_MASK = 0xffff

export const mxcsr = ({ view, base }: Cpu): number => view.getUint32(base + S_MXCSR, true)

export function setMxcsr({ view, base }: Cpu, value: number): void {
  view.setUint32(base + S_MXCSR, value, true)
}

export function environment(cpu: Cpu): Environment {
  const control = mxcsr(cpu)
  return new Environment('sse', (control >> 13) & 3, (control >> 7) & 63, (control & FTZ) !== 0, (control & DAZ) !== 0)
}

/**
 * Raises what has been raised: the flags stay in MXCSR, and the instruction has no result if one of them is not masked
 * (#XM).
 */
export function settle(cpu: Cpu, env: Environment): void {
  const unmasked = env.unmasked()
  if (env.flags !== 0) setMxcsr(cpu, mxcsr(cpu) | env.flags)
  if (unmasked !== 0) throw new Fault(XM)
}
