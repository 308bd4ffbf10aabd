/** x87, MMX and SSE of a case and its result: images as FXSAVE has them with REX.W (Intel SDM volume 2, table 3-44). */
import type { FlatCpu } from '#cpu/flat-cpu.ts'
import { decode } from '#cpu/isa/decode.ts'
import { GS, type Insn } from '#cpu/isa/insn.ts'
import { S_FCW, S_FDP, S_FIP, S_FOP, S_FPR, S_FSW, S_FTW, S_MXCSR, S_XMM } from '#cpu/state.ts'
import {
  type Case,
  DATA,
  DATA_WINDOW,
  NO_FAULT,
  OUT_BYTES,
  R_CR2,
  R_DATA,
  R_FX,
  R_STACK,
  R_VECTOR,
  STACK_WINDOW,
  WINDOW,
} from './layout.ts'
import type { FxState } from './ours.ts'

export const FX_FSW = 2
export const FX_FTW = 4
const FX_FOP = 6
const FX_FIP = 8
const FX_FDP = 16
export const FX_MXCSR = 24
const FX_MASK = 28
export const FX_ST = 32
export const FX_XMM = 160
const FX_END = 416
const ES = 0x80

const top = (fsw: number): number => (fsw >> 11) & 7

export const fxState: FxState = {
  load({ view }: FlatCpu, image: Uint8Array): void {
    const from = new DataView(image.buffer, image.byteOffset)
    const fsw = from.getUint16(FX_FSW, true)
    view.setUint16(S_FCW, from.getUint16(0, true), true)
    view.setUint16(S_FSW, fsw, true)
    view.setUint8(S_FTW, from.getUint8(FX_FTW))
    view.setUint16(S_FOP, from.getUint16(FX_FOP, true), true)
    view.setBigUint64(S_FIP, from.getBigUint64(FX_FIP, true), true)
    view.setBigUint64(S_FDP, from.getBigUint64(FX_FDP, true), true)
    view.setUint32(S_MXCSR, from.getUint32(FX_MXCSR, true), true)
    for (let i = 0; i < 8; i++) {
      const n = (top(fsw) + i) & 7
      for (const half of [0, 8])
        view.setBigUint64(S_FPR + 16 * n + half, from.getBigUint64(FX_ST + 16 * i + half, true), true)
    }
    for (let at = 0; at < 256; at += 8) view.setBigUint64(S_XMM + at, from.getBigUint64(FX_XMM + at, true), true)
  },

  save({ view }: FlatCpu): Uint8Array {
    const image = new Uint8Array(512)
    const to = new DataView(image.buffer)
    const fsw = view.getUint16(S_FSW, true)
    to.setUint16(0, view.getUint16(S_FCW, true), true)
    to.setUint16(FX_FSW, fsw, true)
    to.setUint8(FX_FTW, view.getUint8(S_FTW))
    to.setUint16(FX_FOP, view.getUint16(S_FOP, true), true)
    to.setBigUint64(FX_FIP, view.getBigUint64(S_FIP, true), true)
    to.setBigUint64(FX_FDP, view.getBigUint64(S_FDP, true), true)
    to.setUint32(FX_MXCSR, view.getUint32(S_MXCSR, true), true)
    for (let i = 0; i < 8; i++) {
      const n = (top(fsw) + i) & 7
      for (const half of [0, 8])
        to.setBigUint64(FX_ST + 16 * i + half, view.getBigUint64(S_FPR + 16 * n + half, true), true)
    }
    for (let at = 0; at < 256; at += 8) to.setBigUint64(FX_XMM + at, view.getBigUint64(S_XMM + at, true), true)
    return image
  },
}

/** Where the memory operand of an instruction is. */
function operandAddress({ gpr, mode, code }: Case, insn: Insn): bigint | undefined {
  const mem = insn.operands.find((operand) => operand.kind === 'mem')
  if (!mem) return undefined
  let sum = mem.disp + (mem.ripRelative ? 0x10000800n + BigInt(code.length) : 0n)
  if (mem.base >= 0) sum += gpr[mem.base]!
  if (mem.index >= 0) sum += gpr[mem.index]! * BigInt(mem.scale)
  const offset = BigInt.asUintN(8 * insn.addressSize, sum)
  return mode === 64 && mem.segment === GS ? offset + DATA : offset
}

/**
 * From where to where, in an area that is stored, the last instruction's address, its operand's and its opcode are, and
 * MXCSR_MASK.
 */
function pointers({ row, size }: Insn): readonly (readonly [number, number])[] {
  if (row.mnemonic === 'fxsave') {
    return [
      [FX_FOP, FX_MXCSR],
      [FX_MASK, FX_ST],
    ]
  }
  if (row.mnemonic === 'fnsave' || row.mnemonic === 'fnstenv') return [size === 2 ? [6, 14] : [12, 28]]
  return []
}

/**
 * Processors differ in when they remember where the last x87 instruction was: AMD's only with an exception that is not
 * masked. So that alone is compared, and not what FXSAVE and FNSTENV store of it. In place.
 */
export function hideFx(result: Uint8Array, case_: Case): void {
  const insn = decode((at) => case_.code[at] ?? 0, case_.mode)!
  const view = new DataView(result.buffer, result.byteOffset, OUT_BYTES)
  const before = new DataView(case_.fx!.buffer, case_.fx!.byteOffset)
  const raised = (view.getUint16(R_FX + FX_FSW, true) & ~before.getUint16(FX_FSW, true) & ES) !== 0
  const mem = insn.operands.find((operand) => operand.kind === 'mem')
  const isControl = /^f(ld(cw|env)|rstor|xrstor)$/.test(insn.row.mnemonic)
  const isNoted = raised && !isControl && case_.mode === 64
  if (!isNoted) result.fill(0, R_FX + FX_FOP, R_FX + FX_FDP)
  if (!isNoted || !mem) result.fill(0, R_FX + FX_FDP, R_FX + FX_MXCSR)
  result.fill(0, R_FX + FX_MASK, R_FX + FX_ST)
  result.fill(0, R_FX + FX_END, R_FX + 512)
  // Which byte of a large area faults first is the processor's own business.
  if (mem?.kind === 'mem' && mem.size > 10 && mem.size !== 16)
    view.setUint16(R_CR2, view.getUint16(R_CR2, true) & 0xf000, true)
  // Some have entered MMX state before MASKMOVQ faults.
  if (insn.row.mnemonic === 'maskmovq' && view.getUint32(R_VECTOR, true) !== NO_FAULT)
    result.fill(0, R_FX, R_FX + FX_XMM)
  const address = operandAddress(case_, insn)
  if (address === undefined || view.getUint32(R_VECTOR, true) !== NO_FAULT) return
  for (const [from, to] of pointers(insn)) {
    hideMemory(result.subarray(R_DATA, R_DATA + WINDOW), address - DATA_WINDOW, from, to)
    hideMemory(result.subarray(R_STACK, R_STACK + WINDOW), address - STACK_WINDOW, from, to)
  }
}

function hideMemory(window: Uint8Array, start: bigint, from: number, to: number): void {
  const at = Number(BigInt.asIntN(64, start))
  if (at + to > 0 && at + from < window.length) window.fill(0, Math.max(0, at + from), at + to)
}
