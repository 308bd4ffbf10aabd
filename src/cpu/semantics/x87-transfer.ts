/** x87 loads, stores, constants and moves (Intel SDM volume 1, 8.3.1 to 8.3.4), decimals among them. */
import { fromInteger, toFormat, toInteger } from '../float/convert.ts'
import { DE, IE, OE, UE, ZERO } from '../float/environment.ts'
import { F32, F64, F80, noteDenormals, packNan, packZero } from '../float/format.ts'
import { round } from '../float/round.ts'
import { loadInteger, loadReal, type X87Action, type X87Operands } from './x87-arithmetic.ts'
import { C1, INDEFINITE, type X87 } from './x87-file.ts'

/** Pushes what is made if there is room. */
function push(fpu: X87, make: () => bigint): void {
  const bits = fpu.room() ? make() : INDEFINITE
  if (fpu.settle()) fpu.push(bits)
}

function loadF80({ cpu }: X87, { address }: X87Operands): bigint {
  const bytes = cpu.loadBytes(address, 10)
  return bytes.reduceRight((bits, byte) => (bits << 8n) | BigInt(byte), 0n)
}

const bytesOf = (bits: bigint): Uint8Array =>
  Uint8Array.from({ length: 10 }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn))

const load: X87Action = (fpu, operands) => {
  if (operands.bytes === 0) {
    const { to } = operands
    const bits = fpu.present(to) && fpu.room() ? fpu.bits(to) : INDEFINITE
    if (fpu.settle()) fpu.push(bits)
  } else if (operands.bytes === 10) {
    const bits = loadF80(fpu, operands)
    push(fpu, () => bits)
  } else {
    const a = loadReal(fpu, operands)
    const bits = fpu.room() ? toFormat(fpu.env, F80, a) : INDEFINITE
    if (fpu.room()) noteDenormals(fpu.env, a)
    // A denormal that is not masked is pushed all the same.
    if (fpu.settle(0, DE)) fpu.push(bits)
  }
}

/**
 * That memory can be written is asked even where an exception of the result that is not masked leaves it, and the
 * stack, as they are.
 */
function store(fpu: X87, pops: boolean, make: () => bigint, empty: bigint, operands: X87Operands): void {
  const { cpu } = fpu
  const { address, bytes } = operands
  cpu.writable(bytes, address)
  const value = fpu.present(0) ? make() : empty
  if (!fpu.settle(OE | UE)) return
  const bits = BigInt.asUintN(8 * bytes, value)
  if (bytes === 10) cpu.storeBytes(address, bytesOf(bits))
  else cpu.store(bytes as 2 | 4 | 8, address, bytes === 8 ? bits : Number(bits))
  if (pops) fpu.pop()
}

const storeReal =
  (pops: boolean): X87Action =>
  (fpu, operands) => {
    const { bytes, to } = operands
    if (bytes === 0) {
      const bits = fpu.present(0) ? fpu.bits(0) : INDEFINITE
      if (!fpu.settle()) return
      fpu.set(to, bits)
      if (pops) fpu.pop()
    } else if (bytes === 10) store(fpu, pops, () => fpu.bits(0), INDEFINITE, operands)
    else {
      const format = bytes === 4 ? F32 : F64
      store(fpu, pops, () => toFormat(fpu.env, format, fpu.number(0)), packNan(format, 1, 1n << 63n), operands)
    }
  }

const storeInteger =
  (pops: boolean, rounding?: number): X87Action =>
  (fpu, operands) => {
    const bits = 8 * operands.bytes
    store(fpu, pops, () => toInteger(fpu.env, fpu.number(0), bits, rounding), -1n << BigInt(bits - 1), operands)
  }

const DECIMAL_DIGITS = 18
const DECIMAL_LIMIT = 10n ** 18n
/** The packed decimal indefinite. */
const DECIMAL_INDEFINITE = 0xffffc000000000000000n

function decimal(fpu: X87): bigint {
  const a = fpu.number(0)
  const { flags } = fpu.env
  const value = toInteger(fpu.env, a, 64)
  const magnitude = value < 0n ? -value : value
  if (magnitude >= DECIMAL_LIMIT) {
    fpu.env.flags = flags | IE
    fpu.env.roundedUp = false
    return DECIMAL_INDEFINITE
  }
  const digits = BigInt(`0x${magnitude}`)
  return digits | (BigInt(a.sign) << 79n)
}

function loadDecimal(fpu: X87, operands: X87Operands): bigint {
  const bits = loadF80(fpu, operands)
  let magnitude = 0n
  for (let digit = DECIMAL_DIGITS - 1; digit >= 0; digit--)
    magnitude = magnitude * 10n + ((bits >> BigInt(4 * digit)) & 15n)
  const sign = bits >> 79n === 1n ? 1 : 0
  return magnitude === 0n ? packZero(F80, sign) : round(fpu.env, F80, sign, magnitude, 0)
}

const exchange: X87Action = (fpu, { to: i }) => {
  const a = fpu.isEmpty(0) ? INDEFINITE : fpu.bits(0)
  const b = fpu.isEmpty(i) ? INDEFINITE : fpu.bits(i)
  fpu.present(0, i)
  if (!fpu.settle()) return
  fpu.set(0, b)
  fpu.set(i, a)
}

/** FCMOVcc: if the condition does not hold, it is invalid with empty registers all the same. */
export function moveIf(fpu: X87, from: number, holds: boolean): void {
  const kept = fpu.status & C1
  const present = fpu.present(0, from)
  const bits = present ? fpu.bits(holds ? from : 0) : INDEFINITE
  if (fpu.settle()) fpu.set(0, bits)
  if (present) fpu.setCodes(C1, kept)
}

/** Constants with 128 bits of significand, which are rounded as the control word says. */
const constant =
  (significand: bigint, exponent: number): X87Action =>
  (fpu) =>
    push(fpu, () => {
      const bits = round(fpu.env, F80, 0, significand, exponent)
      // A constant raises nothing.
      fpu.env.flags = 0
      fpu.env.roundedUp = false
      return bits
    })

export const X87_TRANSFER: Record<string, X87Action> = {
  fld: load,
  fild: (fpu, operands) => {
    const value = loadInteger(fpu, operands)
    push(fpu, () => fromInteger(fpu.env, F80, value))
  },
  fbld: (fpu, operands) => {
    const bits = loadDecimal(fpu, operands)
    push(fpu, () => bits)
  },
  fst: storeReal(false),
  fstp: storeReal(true),
  // Undocumented: FSTP to a register that knows no stack underflow.
  fstp1: (fpu, { to }) => {
    if (!fpu.isEmpty(0)) fpu.set(to, fpu.bits(0))
    fpu.pop()
    fpu.setCodes(C1, 0)
  },
  fist: storeInteger(false),
  fistp: storeInteger(true),
  fisttp: storeInteger(true, ZERO),
  fbstp: (fpu, operands) => store(fpu, true, () => decimal(fpu), DECIMAL_INDEFINITE, operands),
  fxch: exchange,
  fldz: (fpu) => push(fpu, () => packZero(F80, 0)),
  fld1: constant(1n, 0),
  fldpi: constant(0xc90fdaa22168c234c4c6628b80dc1cd1n, -126),
  fldl2e: constant(0xb8aa3b295c17f0bbbe87fed0691d3e88n, -127),
  fldl2t: constant(0xd49a784bcd1b8afe492bf6ff4dafdb4cn, -126),
  fldlg2: constant(0x9a209a84fbcff7988f8959ac0b7c9178n, -129),
  fldln2: constant(0xb17217f7d1cf79abc9e3b39803f2f6afn, -128),
}
