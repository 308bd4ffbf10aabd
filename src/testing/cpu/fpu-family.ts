/**
 * x87, MMX and SSE to SSSE3 for the comparison: all of their forms, and operands that are edges of floating point more
 * often than dice would have them.
 */
import { type Form, formsOf } from '#cpu/isa/forms.ts'
import { FPU } from '#cpu/semantics/fpu.ts'
import type { Rng } from '#lib/prng.ts'
import { type Draft, inWindow, type Variant, value64, variantsOf, type Wishes } from './cases.ts'
import type { Family } from './family.ts'
import { FX_FSW, FX_FTW, FX_MXCSR, FX_ST, FX_XMM, fxState, hideFx } from './fx-state.ts'
import { STACK_WINDOW } from './layout.ts'

/** Processors differ in their last bits (x87-transcendental.ts, float/reciprocal.ts). */
export const INEXACT = new Set(
  'fsin fcos fsincos fptan fpatan f2xm1 fyl2x fyl2xp1 rcpps rcpss rsqrtps rsqrtss'.split(' '),
)

const IMPLEMENTED = new Set(FPU.map(([mnemonic]) => mnemonic))

const isComparable = ({ row }: Form): boolean => IMPLEMENTED.has(row.mnemonic) && !INEXACT.has(row.mnemonic)
const isFpu = ({ row }: Form): boolean =>
  ['fpu', 'mmx', 'sse', 'sse2', 'sse3', 'ssse3', 'fxsr'].some((name) => row.attributes.has(name))

const variants = (): Variant[] =>
  [...formsOf(64), ...formsOf(32)].filter((form) => isFpu(form) && isComparable(form)).flatMap(variantsOf)

const coin = (rng: Rng): boolean => rng.below(2) === 0

/** Exponents: the smallest ones, the largest ones, those around one, and those whose squares leave the format. */
function exponent(rng: Rng, bits: number): number {
  const special = 2 ** bits - 1
  const bias = special >> 1
  switch (rng.below(12)) {
    case 0:
      return 0
    case 1:
      return special
    case 2:
      return special - 1
    case 3:
      return 1
    case 4:
      return rng.below(special + 1)
    case 5:
      return rng.below(Math.min(70, special))
    case 6:
      return (bias >> 1) + rng.below(8)
    case 7:
      return bias + (bias >> 1) + rng.below(8)
    case 8:
      return bias + rng.below(70) - 3
    default:
      return bias + rng.below(8) - 4
  }
}

function fraction(rng: Rng, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n
  switch (rng.below(8)) {
    case 0:
      return 0n
    case 1:
      return all
    case 2:
      return 1n << BigInt(rng.below(bits))
    case 3:
      return (all << BigInt(rng.below(bits))) & all
    case 4:
      return 1n
    case 5:
      return (value64(rng) << BigInt(rng.below(bits))) & all
    default:
      return value64(rng) & all
  }
}

/** The bits of a float of 4, 8 or 10 bytes; of the latter, one in 24 has an integer bit that it should not have. */
export function float(rng: Rng, bytes: 4 | 8 | 10): bigint {
  const sign = coin(rng) ? 0n : 1n
  if (bytes === 10) {
    const e = exponent(rng, 15)
    const integer = BigInt((e === 0 ? 0 : 1) ^ (rng.below(24) === 0 ? 1 : 0))
    return (sign << 79n) | (BigInt(e) << 64n) | (integer << 63n) | fraction(rng, 63)
  }
  const stored = bytes === 4 ? 23 : 52
  const e = BigInt(exponent(rng, 8 * bytes - 1 - stored))
  return (sign << BigInt(8 * bytes - 1)) | (e << BigInt(stored)) | fraction(rng, stored)
}

/** What a mnemonic's vectors are of: singles, doubles, or integers of any kind. */
function laneOf(mnemonic: string): 4 | 8 | undefined {
  if (/^cvt(?:si|dq|pi)2/.test(mnemonic)) return undefined
  const [, kind] = /^(?:cvtt?|.*?)(s|d)(?:2..)?$/.exec(mnemonic.replace(/^(cvtt?[ps]([sd])2).*/, '$2')) ?? []
  return kind === 's' ? 4 : kind === 'd' ? 8 : undefined
}

function fill(rng: Rng, bytes: Uint8Array, from: number, to: number, lane: 4 | 8 | undefined): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const kind = rng.below(8)
  if (lane === 4 && kind > 0) {
    for (let at = from; at + 4 <= to; at += 4) view.setUint32(at, Number(float(rng, 4)), true)
  } else if (lane === 8 && kind > 0) {
    for (let at = from; at + 8 <= to; at += 8) view.setBigUint64(at, float(rng, 8), true)
  } else if (kind < 4) {
    const words = [0, 1, 0x7fff, 0x8000, 0xffff, 0x80, 0xff, rng.below(65536)]
    for (let at = from; at + 2 <= to; at += 2) view.setUint16(at, rng.pick(words), true)
  } else for (let at = from; at + 8 <= to; at += 8) view.setBigUint64(at, value64(rng), true)
}

function putF80(bytes: Uint8Array, at: number, bits: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setBigUint64(at, BigInt.asUintN(64, bits), true)
  view.setUint16(at + 8, Number(bits >> 64n), true)
}

/** Instructions that push. */
const PUSHES = /^(?:fld|fild|fbld|fxtract)/

function image({ rng, insn }: Draft, lane: 4 | 8 | undefined): Uint8Array {
  const fx = new Uint8Array(512)
  const view = new DataView(fx.buffer)
  const { mnemonic, attributes } = insn.row
  const isX87 = attributes.has('fpu') || attributes.has('fxsr')
  const masks = isX87 && rng.below(3) === 0 ? rng.below(64) : 63
  const precision = rng.below(3) === 0 ? rng.below(4) : 3
  view.setUint16(0, 0x40 | masks | (precision << 8) | (rng.below(4) << 10), true)
  const top = rng.below(8)
  let status = (top << 11) | (coin(rng) ? (rng.below(256) << 8) & 0x4700 : 0) | (rng.below(8) === 0 ? rng.below(64) : 0)
  if ((status & ~masks & 63) !== 0) status |= 0x8080
  view.setUint16(FX_FSW, status, true)
  let tags = rng.below(5) === 0 ? rng.below(256) : 255
  if (PUSHES.test(mnemonic) && rng.below(4) !== 0) tags &= ~(1 << ((top + 7) & 7))
  view.setUint8(FX_FTW, tags)
  const unmasked = rng.below(4) === 0 ? rng.below(64) : 63
  const control =
    (coin(rng) ? rng.below(4) << 13 : 0) | (rng.below(4) === 0 ? 0x8000 : 0) | (rng.below(4) === 0 ? 0x40 : 0)
  const flags = (coin(rng) ? 0x20 : 0) | (rng.below(8) === 0 ? rng.below(64) : 0)
  view.setUint32(FX_MXCSR, control | (unmasked << 7) | flags, true)
  for (let i = 0; i < 8; i++) putF80(fx, FX_ST + 16 * i, float(rng, 10))
  if (!isX87) for (let i = 0; i < 8; i++) fill(rng, fx, FX_ST + 16 * i, FX_ST + 16 * i + 8, lane)
  else if (rng.below(8) === 0) fx.copyWithin(FX_ST + 16, FX_ST, FX_ST + 10)
  fill(rng, fx, FX_XMM, FX_XMM + 256, lane)
  return fx
}

function decimal(rng: Rng, data: Uint8Array, at: number): void {
  for (let i = 0; i < 9; i++) data[at + i] = rng.below(10) * 16 + rng.below(10)
  data[at + 9] = rng.below(2) * 128
  if (rng.below(4) === 0) data.fill(0, at + rng.below(9), at + 9)
}

/** An environment whose control word is mostly the usual one, and registers. */
function state(rng: Rng, data: Uint8Array, at: number, bytes: number): void {
  const view = new DataView(data.buffer, data.byteOffset)
  if (coin(rng)) view.setUint16(at, 0x37f, true)
  const head = bytes === 14 || bytes === 94 ? 14 : 28
  for (let i = at + head; i + 10 <= at + bytes; i += 10) putF80(data, i, float(rng, 10))
}

/** What is in memory for x87. */
function x87Memory({ rng, insn, data, target }: Draft): void {
  const mem = insn.operands.find((operand) => operand.kind === 'mem')
  const at = mem && inWindow(target, mem.size)
  if (at === undefined) return
  const { mnemonic } = insn.row
  const view = new DataView(data.buffer, data.byteOffset)
  if (mnemonic === 'fbld') decimal(rng, data, at)
  else if (mem!.size > 10) state(rng, data, at, mem!.size)
  else if (mem!.size === 10) putF80(data, at, float(rng, 10))
  else if (mnemonic.startsWith('fi') || mem!.size === 2) {
    if (mem!.size === 8 && coin(rng)) view.setBigUint64(at, BigInt.asUintN(64, BigInt(rng.below(64) - 32)), true)
  } else if (mem!.size === 4) view.setUint32(at, Number(float(rng, 4)), true)
  else view.setBigUint64(at, float(rng, 8), true)
}

/** An area of FXSAVE is larger than the windows: some part of it is in the stack's, which has a page around it. */
function moveArea(draft: Draft): void {
  const { rng, insn, gpr, target } = draft
  const mem = insn.operands.find((operand) => operand.kind === 'mem')
  if (!mem || mem.base < 0 || target === undefined || rng.below(8) === 0) return
  const start = STACK_WINDOW - 128n * BigInt(rng.below(4)) + (rng.below(8) === 0 ? BigInt(rng.below(16)) : 0n)
  gpr[mem.base] = BigInt.asUintN(8 * insn.addressSize, gpr[mem.base]! + start - target)
  if (start === STACK_WINDOW)
    new DataView(draft.stack.buffer).setUint32(FX_MXCSR, rng.below(rng.below(8) === 0 ? 0x20000 : 0x10000), true)
}

const wishes: Wishes = {
  choose(rng, { isHigh, form }, choice) {
    const { operands, encoding } = form.row
    const registers = form.mode === 64 && coin(rng) ? 16 : 8
    const isGeneral = (operand: string): boolean => /^[GER]/.test(operand)
    if (!operands.some((operand) => isGeneral(operand)) || !isHigh) {
      if (operands.some((operand) => /^V/.test(operand)) && encoding.reg < 0) choice.reg = rng.below(registers)
      if (operands.some((operand) => /^[WU]/.test(operand))) choice.rm = rng.below(registers)
    }
    if (operands.some((operand) => /^P/.test(operand))) choice.reg = rng.below(8)
    if (operands.some((operand) => /^[QN]/.test(operand) || operand === 'STi')) choice.rm = rng.below(8)
    choice.immediates = [BigInt(coin(rng) ? rng.below(256) : rng.below(20))]
  },
  prepare(draft) {
    const { rng, insn, data } = draft
    const { mnemonic, attributes } = insn.row
    const lane = laneOf(mnemonic)
    draft.fx = image(draft, lane)
    if (attributes.has('fpu')) x87Memory(draft)
    else if (attributes.has('fxsr')) moveArea(draft)
    else fill(rng, data, 0, data.length, lane)
    if (mnemonic === 'ldmxcsr') {
      const at = inWindow(draft.target, 4)
      if (at !== undefined)
        new DataView(data.buffer).setUint32(at, rng.below(rng.below(8) === 0 ? 0x20000 : 0x10000), true)
    }
  },
  alignment: (insn) => (insn.operands.some((operand) => operand.kind === 'mem' && operand.size >= 16) ? 16 : 1),
}

export const FPU_FAMILY: Family = { name: 'fpu', variants, wishes, fx: fxState, hide: hideFx }
