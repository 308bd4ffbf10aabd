/**
 * SSE and SSE2 conversions between integers, singles and doubles, in XMM, MMX and general registers (Intel SDM volume
 * 1, 11.4.1.6 and 11.6.11). As in sse-float.ts, what the engine's numbers can do exactly they do.
 */
import type { Cpu } from '../cpu.ts'
import { fromInteger, toFormat, toInteger } from '../float/convert.ts'
import { type Environment, NEAREST, PE, ZERO } from '../float/environment.ts'
import { bitsOf, isPlain, numberOf } from '../float/exact.ts'
import { F32, F64, type Float, type Format, noteDenormals, unpack } from '../float/format.ts'
import { environment, settle } from '../float/mxcsr.ts'
import type { Calculation, Emitter, Helper, Semantics } from './emitter.ts'
import { calculation, helper } from './helper.ts'
import { beginMmx, enterMmx, readMmx, writeMmx } from './mmx-file.ts'
import { read, sizeOf } from './operands.ts'
import { extended, readVector, register } from './sse-operands.ts'
import { fromInteger as fromGeneralQuickly, otherWidth, toInteger as toGeneralQuickly } from './sse-quick.ts'

/** Some lanes of one kind become as many of another. */
interface Conversion {
  readonly lanes: number
  readonly from: 4 | 8
  readonly to: 4 | 8
  readonly convert: (env: Environment, bits: bigint) => bigint
}

const formatOf = (bytes: 4 | 8): Format => (bytes === 4 ? F32 : F64)

const widthChanging = (from: 4 | 8, to: 4 | 8, lanes: number): Conversion => ({
  lanes,
  from,
  to,
  convert(env, bits) {
    const x = numberOf(from, bits)
    if (from < to && isPlain(from, x)) return bitsOf(to, x)
    if (from > to && env.rounding === NEAREST && isPlain(from, x) && isPlain(to, Math.fround(x))) {
      const single = Math.fround(x)
      // A number that is not zero may have become one.
      if (single !== 0 || x === 0) {
        if (single !== x) env.flags |= PE
        return bitsOf(to, single)
      }
    }
    const a: Float = unpack(env, formatOf(from), bits)
    noteDenormals(env, a)
    return toFormat(env, formatOf(to), a)
  },
})

const toReal = (from: 4 | 8, to: 4 | 8, lanes: number): Conversion => ({
  lanes,
  from,
  to,
  convert(env, bits) {
    const value = BigInt.asIntN(8 * from, bits)
    const x = Number(value)
    // Numbers have 53 bits, and 24 fit into a single.
    if (Math.abs(x) <= (to === 8 ? Number.MAX_SAFE_INTEGER : 2 ** 24)) return bitsOf(to, x)
    return fromInteger(env, formatOf(to), value)
  },
})

const toWhole = (from: 4 | 8, to: 4 | 8, lanes: number, truncates: boolean): Conversion => ({
  lanes,
  from,
  to,
  convert(env, bits) {
    const x = numberOf(from, bits)
    if (truncates && isPlain(from, x) && Math.abs(x) < 2 ** 31) {
      const whole = Math.trunc(x)
      if (whole !== x) env.flags |= PE
      return BigInt.asUintN(8 * to, BigInt(whole))
    }
    const value = toInteger(env, unpack(env, formatOf(from), bits), 8 * to, truncates ? ZERO : env.rounding)
    return BigInt.asUintN(8 * to, value)
  },
})

function converted(cpu: Cpu, { lanes, from, to, convert }: Conversion, source: bigint): bigint {
  const env = environment(cpu)
  let result = 0n
  for (let n = 0; n < lanes; n++) {
    const bits = BigInt.asUintN(8 * from, source >> BigInt(8 * from * n))
    result |= convert(env, bits) << BigInt(8 * to * n)
  }
  settle(cpu, env)
  return result
}

/**
 * Helpers give at most eight bytes: where the result has more, it is made in two steps, of which the second cannot
 * raise what the first has not.
 */
interface Converter {
  readonly low: Helper
  readonly high: Helper | undefined
}

/** Of the second vector's lowest lane to the first one's. */
const scalarOf = (name: string, conversion: Conversion): Calculation =>
  calculation(`sse.${name}.vectors`, (cpu, at) => {
    const { view } = cpu
    const result = converted(cpu, conversion, view.getBigUint64(at + 16, true))
    if (conversion.to === 4) view.setUint32(at, Number(result), true)
    else view.setBigUint64(at, result, true)
  })

function converter(name: string, conversion: Conversion): Converter {
  const both = (cpu: Cpu, low: number | bigint, high: number | bigint): bigint =>
    converted(cpu, conversion, BigInt(low) | (BigInt(high) << 64n))
  const bytes = conversion.lanes * conversion.to
  return {
    low: helper(`sse.${name}.low`, (cpu, low, high) => {
      const result = BigInt.asUintN(64, both(cpu, low!, high!))
      return bytes === 4 ? Number(result) : result
    }),
    high: bytes > 8 ? helper(`sse.${name}.high`, (cpu, low, high) => both(cpu, low!, high!) >> 64n) : undefined,
  }
}

function convertVector<V>(e: Emitter<V>, { low, high }: Converter, source: V): V {
  const halves = [e.lane(8, source, 0), e.lane(8, source, 1)]
  const first = e.helper(low, 8, ...halves)
  const result = extended(e, 8, first)
  return high ? e.withLane(8, result, 1, e.helper(high, 8, ...halves)) : result
}

/** XMM to XMM: vectors fill the register with zeros, scalars leave its upper part. */
const toXmm =
  (conversion: Conversion) =>
  (mnemonic: string): Semantics => {
    const helpers = converter(mnemonic, conversion)
    const scalar = conversion.lanes === 1 ? scalarOf(mnemonic, conversion) : undefined
    return (e, insn) => {
      e.fpu()
      const source = readVector(e, insn, 1)
      const to = register(insn, 0)
      if (!scalar) e.setXmm(to, convertVector(e, helpers, source))
      else {
        const fully = (): void => {
          const value = e.helper(helpers.low, conversion.to, e.lane(8, source, 0), e.imm(8, 0))
          e.setXmm(to, e.withLane(conversion.to, e.xmm(to), 0, value))
        }
        otherWidth(e, conversion.from, source, to, scalar, fully)
      }
    }
  }

/** Of a general register or memory; its size is the instruction's. */
const fromGeneral =
  (to: 4 | 8) =>
  (mnemonic: string): Semantics => {
    const helpers = {
      4: converter(`${mnemonic}.4`, toReal(4, to, 1)),
      8: converter(`${mnemonic}.8`, toReal(8, to, 1)),
    }
    const scalars = { 4: scalarOf(`${mnemonic}.4`, toReal(4, to, 1)), 8: scalarOf(`${mnemonic}.8`, toReal(8, to, 1)) }
    return (e, insn) => {
      e.fpu()
      const size = sizeOf(insn, 1) as 4 | 8
      const source = read(e, insn, 1)
      const n = register(insn, 0)
      const fully = (): void => {
        const value = e.helper(helpers[size].low, to, size === 4 ? e.zext(4, 8, source) : source, e.imm(8, 0))
        e.setXmm(n, e.withLane(to, e.xmm(n), 0, value))
      }
      fromGeneralQuickly(e, size, to, source, n, scalars[size], fully)
    }
  }

const toGeneral =
  (from: 4 | 8, truncates: boolean) =>
  (mnemonic: string): Semantics => {
    const helpers = {
      4: converter(`${mnemonic}.4`, toWhole(from, 4, 1, truncates)),
      8: converter(`${mnemonic}.8`, toWhole(from, 8, 1, truncates)),
    }
    const scalars = {
      4: scalarOf(`${mnemonic}.4`, toWhole(from, 4, 1, truncates)),
      8: scalarOf(`${mnemonic}.8`, toWhole(from, 8, 1, truncates)),
    }
    return (e, insn) => {
      e.fpu()
      const size = sizeOf(insn, 0) as 4 | 8
      const source = readVector(e, insn, 1)
      const to = register(insn, 0)
      const fully = (): void => e.setReg(size, to, e.helper(helpers[size].low, size, e.lane(8, source, 0), e.imm(8, 0)))
      const set = (value: typeof source): void => e.setReg(size, to, value)
      toGeneralQuickly(e, size, from, truncates, source, set, scalars[size], fully)
    }
  }

/**
 * Of an MMX register, which puts x87 into MMX state, or of memory, which does not. That happens even where the
 * conversion is #XM.
 */
const fromMmx =
  (to: 4 | 8) =>
  (mnemonic: string): Semantics => {
    const helpers = converter(mnemonic, toReal(4, to, 2))
    return (e, insn) => {
      const isMmx = insn.operands[1]!.kind === 'mmx'
      if (isMmx) beginMmx(e)
      else e.fpu()
      const source = extended(e, 8, readMmx(e, insn, 1))
      if (isMmx) enterMmx(e)
      const value = convertVector(e, helpers, source)
      const n = register(insn, 0)
      e.setXmm(n, to === 8 ? value : e.withLane(8, e.xmm(n), 0, e.lane(8, value, 0)))
    }
  }

const toMmx =
  (from: 4 | 8, truncates: boolean) =>
  (mnemonic: string): Semantics => {
    const helpers = converter(mnemonic, toWhole(from, 4, 2, truncates))
    return (e, insn) => {
      beginMmx(e)
      const source = readVector(e, insn, 1)
      enterMmx(e)
      writeMmx(e, register(insn, 0), e.helper(helpers.low, 8, e.lane(8, source, 0), e.lane(8, source, 1)))
    }
  }

/** Made for a mnemonic, which names the helpers. */
const CONVERSIONS: Record<string, (mnemonic: string) => Semantics> = {
  cvtps2pd: toXmm(widthChanging(4, 8, 2)),
  cvtpd2ps: toXmm(widthChanging(8, 4, 2)),
  cvtss2sd: toXmm(widthChanging(4, 8, 1)),
  cvtsd2ss: toXmm(widthChanging(8, 4, 1)),
  cvtdq2ps: toXmm(toReal(4, 4, 4)),
  cvtdq2pd: toXmm(toReal(4, 8, 2)),
  cvtps2dq: toXmm(toWhole(4, 4, 4, false)),
  cvttps2dq: toXmm(toWhole(4, 4, 4, true)),
  cvtpd2dq: toXmm(toWhole(8, 4, 2, false)),
  cvttpd2dq: toXmm(toWhole(8, 4, 2, true)),
  cvtsi2ss: fromGeneral(4),
  cvtsi2sd: fromGeneral(8),
  cvtss2si: toGeneral(4, false),
  cvttss2si: toGeneral(4, true),
  cvtsd2si: toGeneral(8, false),
  cvttsd2si: toGeneral(8, true),
  cvtpi2ps: fromMmx(4),
  cvtpi2pd: fromMmx(8),
  cvtps2pi: toMmx(4, false),
  cvttps2pi: toMmx(4, true),
  cvtpd2pi: toMmx(8, false),
  cvttpd2pi: toMmx(8, true),
}

export const SSE_CONVERSIONS: Record<string, Semantics> = Object.fromEntries(
  Object.entries(CONVERSIONS).map(([mnemonic, semantics]) => [mnemonic, semantics(mnemonic)]),
)
