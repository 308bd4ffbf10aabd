/** Registers of a vCPU by name: reading and writing what state.ts lays out. */
import type { Size } from './isa/insn.ts'
import { AH } from './isa/insn.ts'
import { S_CC_OP, S_CC_SRC, S_FLAGS, S_GPR, S_MODE, S_RIP, S_SEGMENT_BASES, S_SELECTORS } from './state.ts'

/** Where a vCPU's registers lie; `Cpu` is one. */
export interface Registers {
  readonly view: DataView
  readonly base: number
}

/** Offset from `base` of the register that a byte operand names: AH to BH are the second bytes of the first four. */
const byteRegister = (n: number): number => (n >= AH ? S_GPR + 8 * (n - AH) + 1 : S_GPR + 8 * n)

export function gpr({ view, base }: Registers, n: number): bigint {
  return view.getBigUint64(base + S_GPR + 8 * n, true)
}

export function setGpr({ view, base }: Registers, n: number, value: bigint): void {
  view.setBigUint64(base + S_GPR + 8 * n, value, true)
}

/** A register or a part of it: a number up to four bytes, a BigInt of eight. */
export function reg({ view, base }: Registers, size: Size, n: number): number | bigint {
  switch (size) {
    case 1:
      return view.getUint8(base + byteRegister(n))
    case 2:
      return view.getUint16(base + S_GPR + 8 * n, true)
    case 4:
      return view.getUint32(base + S_GPR + 8 * n, true)
    case 8:
      return view.getBigUint64(base + S_GPR + 8 * n, true)
  }
}

/** Four bytes clear the upper half, one and two leave the rest as it is (AMD APM volume 1, 3.1.2). */
export function setReg({ view, base }: Registers, size: Size, n: number, value: number | bigint): void {
  switch (size) {
    case 1:
      view.setUint8(base + byteRegister(n), value as number)
      break
    case 2:
      view.setUint16(base + S_GPR + 8 * n, value as number, true)
      break
    case 4:
      view.setUint32(base + S_GPR + 8 * n, value as number, true)
      view.setUint32(base + S_GPR + 8 * n + 4, 0, true)
      break
    case 8:
      view.setBigUint64(base + S_GPR + 8 * n, value as bigint, true)
  }
}

export const rip = ({ view, base }: Registers): bigint => view.getBigUint64(base + S_RIP, true)

export function setRip({ view, base }: Registers, value: bigint): void {
  view.setBigUint64(base + S_RIP, value, true)
}

export const modeOf = ({ view, base }: Registers): 32 | 64 => (view.getUint32(base + S_MODE, true) === 64 ? 64 : 32)

export const selector = ({ view, base }: Registers, n: number): number =>
  view.getUint16(base + S_SELECTORS + 2 * n, true)

export function setSelector({ view, base }: Registers, n: number, value: number): void {
  view.setUint16(base + S_SELECTORS + 2 * n, value, true)
}

export const segmentBase = ({ view, base }: Registers, n: number): bigint =>
  view.getBigUint64(base + S_SEGMENT_BASES + 8 * n, true)

export function setSegmentBase({ view, base }: Registers, n: number, value: bigint): void {
  view.setBigUint64(base + S_SEGMENT_BASES + 8 * n, value, true)
}

/** RFLAGS without OSZAPC. */
export const otherFlags = ({ view, base }: Registers): number => view.getUint32(base + S_FLAGS, true)

export function setOtherFlags({ view, base }: Registers, value: number): void {
  view.setUint32(base + S_FLAGS, value, true)
}

/** OSZAPC as they are, no longer lazily (CcOp.flags of four bytes). */
export function setStatusFlags({ view, base }: Registers, flags: number): void {
  view.setUint32(base + S_CC_OP, 2, true)
  view.setBigUint64(base + S_CC_SRC, BigInt(flags), true)
}
