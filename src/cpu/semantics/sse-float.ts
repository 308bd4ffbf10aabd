/**
 * SSE to SSE3's arithmetic and comparisons on scalars and vectors of singles and doubles (Intel SDM volume 1, chapters
 * 10 and 11): helpers over the registers. What the engine's own numbers can do exactly they do (float/exact.ts), the
 * rest is done on BigInts.
 */
import type { Cpu } from '../cpu.ts'
import { add, div, mul, sqrt, sub } from '../float/arithmetic.ts'
import { compare, type Order } from '../float/compare.ts'
import { type Environment, PE } from '../float/environment.ts'
import {
  doubles,
  EXACT,
  EXACT_MAX,
  EXACT_MIN,
  type Exact,
  inexact,
  isPlain,
  numberOf,
  singles,
} from '../float/exact.ts'
import { F32, F64, type Float, type Format, unpack } from '../float/format.ts'
import { environment, mxcsr, PRECISION_MASK, ROUNDING, setMxcsr, settle } from '../float/mxcsr.ts'
import { reciprocal, reciprocalRoot } from '../float/reciprocal.ts'
import type { Insn } from '../isa/insn.ts'
import { CcOp, CF, PF_FLAG, S_XMM, ZF } from '../state.ts'
import type { Calculation, Emitter, Helper, Semantics } from './emitter.ts'
import { QUICK, type Quick } from './float-tests.ts'
import { calculation, helper } from './helper.ts'
import { immediate } from './operands.ts'
import { natively } from './sse-exact.ts'
import { readVector, register } from './sse-operands.ts'
import { arithmetic as quickArithmetic, comparison as quickComparison } from './sse-quick.ts'

/** How an instruction's name ends: what it works on. */
interface Type {
  readonly bytes: 4 | 8
  readonly lanes: number
  readonly format: Format
}
const TYPES: Readonly<Record<string, Type>> = {
  ss: { bytes: 4, lanes: 1, format: F32 },
  ps: { bytes: 4, lanes: 4, format: F32 },
  sd: { bytes: 8, lanes: 1, format: F64 },
  pd: { bytes: 8, lanes: 2, format: F64 },
}

/** One lane, bits to bits; `selector` is the instruction's immediate. */
type Lane = (env: Environment, format: Format, a: bigint, b: bigint, selector: number) => bigint

const SOURCE = 0
const RESULT = 16
const FIRST = 32
/** The source, the result and the first operand of the helper that runs. */
const area = new DataView(new ArrayBuffer(48))

/** What an instruction does with a lane; with several, lanes take turns. */
type Operation = readonly [Lane, Exact?]
interface Arithmetic {
  readonly operations: readonly Operation[]
  /** Neighbours of both operands with each other, instead of the lanes of one with those of the other. */
  readonly horizontal: boolean
}
const vertical = (...operations: Operation[]): Arithmetic => ({ operations, horizontal: false })
const horizontal = (operation: Operation): Arithmetic => ({ operations: [operation], horizontal: true })

const getBits = (view: DataView, bytes: 4 | 8, at: number): bigint =>
  bytes === 4 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true)

function putBits(view: DataView, bytes: 4 | 8, at: number, bits: bigint): void {
  if (bytes === 4) view.setUint32(at, Number(bits), true)
  else view.setBigUint64(at, bits, true)
}

/** A lane by the engine's numbers; false: they cannot. */
function exactLane(bytes: 4 | 8, at: number, exact: Exact): boolean {
  if (bytes === 4) {
    const a = area.getFloat32(FIRST + at, true)
    const b = area.getFloat32(SOURCE + at, true)
    const result = singles(a, b) ? exact.single(a, b) : Number.NaN
    if (Number.isNaN(result)) return false
    area.setFloat32(RESULT + at, result, true)
  } else {
    const a = area.getFloat64(FIRST + at, true)
    const b = area.getFloat64(SOURCE + at, true)
    const result = doubles(a, b) ? exact.double(a, b) : Number.NaN
    if (Number.isNaN(result)) return false
    area.setFloat64(RESULT + at, result, true)
  }
  return true
}

/** The even lanes of both operands become the first one, the odd lanes the second one. */
function pairNeighbours(bytes: 4 | 8): void {
  const both = [...Array(32 / bytes).keys()].map((n) => {
    const at = n * bytes
    return getBits(area, bytes, at < 16 ? FIRST + at : SOURCE + at - 16)
  })
  both.forEach((bits, n) => {
    putBits(area, bytes, (n & 1 ? SOURCE : FIRST) + (n >> 1) * bytes, bits)
  })
}

const setSource = ({ view }: Cpu, at: number): void => {
  for (let n = 0; n < 16; n += 4) area.setUint32(SOURCE + n, view.getUint32(at + n, true), true)
}

/** All lanes of a destination, which lies at `at` of the memory, and the source in `area`. */
function run(cpu: Cpu, at: number, { bytes, lanes, format }: Type, arithmetic: Arithmetic, selector: number): void {
  const { view } = cpu
  const { operations } = arithmetic
  for (let n = 0; n < 16; n += 4) area.setUint32(FIRST + n, view.getUint32(at + n, true), true)
  if (arithmetic.horizontal) pairNeighbours(bytes)
  const isQuick = (mxcsr(cpu) & (ROUNDING | PRECISION_MASK)) === PRECISION_MASK
  let env: Environment | undefined
  let rounded = false
  for (let i = 0; i < lanes; i++) {
    const n = i * bytes
    const [lane, exact] = operations[i % operations.length]!
    if (isQuick && exact && exactLane(bytes, n, exact)) rounded ||= inexact
    else {
      env ??= environment(cpu)
      const bits = lane(env, format, getBits(area, bytes, FIRST + n), getBits(area, bytes, SOURCE + n), selector)
      putBits(area, bytes, RESULT + n, bits)
    }
  }
  if (env) {
    if (rounded) env.flags |= PE
    settle(cpu, env)
  } else if (rounded) setMxcsr(cpu, mxcsr(cpu) | PE)
  for (let n = 0; n < bytes * lanes; n += 4) view.setUint32(at + n, area.getUint32(RESULT + n, true), true)
}

const placeOf = ({ base }: Cpu, xmm: number | bigint | undefined): number => base + S_XMM + 16 * (xmm as number)

/** Two helpers: of a register and a register, and of a register and 16 bytes as two halves. */
function helpers(mnemonic: string, type: Type, arithmetic: Arithmetic): { registers: Helper; memory: Helper } {
  return {
    registers: helper(`sse.${mnemonic}.registers`, (cpu, to, from, selector) => {
      setSource(cpu, placeOf(cpu, from))
      run(cpu, placeOf(cpu, to), type, arithmetic, selector as number)
      return undefined
    }),
    memory: helper(`sse.${mnemonic}.memory`, (cpu, to, low, high, selector) => {
      area.setBigUint64(SOURCE, low as bigint, true)
      area.setBigUint64(SOURCE + 8, high as bigint, true)
      run(cpu, placeOf(cpu, to), type, arithmetic, selector as number)
      return undefined
    }),
  }
}

/** The same of two vectors. */
const calculationOf = (mnemonic: string, type: Type, arithmetic: Arithmetic, quick: Quick): Calculation =>
  calculation(
    `sse.${mnemonic}.vectors`,
    (cpu, at, selector) => {
      setSource(cpu, at + 16)
      run(cpu, at, type, arithmetic, selector)
    },
    natively(type, quick),
  )

function semantics(mnemonic: string, type: Type, arithmetic: Arithmetic, quick: Quick | undefined): Semantics {
  const { registers, memory } = helpers(mnemonic, type, arithmetic)
  const vectors = quick && calculationOf(mnemonic, type, arithmetic, quick)
  return <V>(e: Emitter<V>, insn: Insn): void => {
    e.fpu()
    const to = register(insn, 0)
    const selector = insn.operands.length > 2 ? Number(immediate(insn, 2).value) : 0
    const value = readVector(e, insn, 1)
    const fully = (): void => {
      const source =
        insn.operands[1]!.kind === 'xmm' ? [e.imm(4, register(insn, 1))] : [e.lane(8, value, 0), e.lane(8, value, 1)]
      e.helper(source.length === 1 ? registers : memory, 0, e.imm(4, to), ...source, e.imm(4, selector))
    }
    if (vectors) quickArithmetic(e, type, quick, selector, to, value, vectors, fully)
    else fully()
  }
}

type Binary = (env: Environment, format: Format, a: Float, b: Float) => bigint
const binary =
  (operation: Binary): Lane =>
  (env, format, a, b) =>
    operation(env, format, unpack(env, format, a), unpack(env, format, b))

/** MIN and MAX: the second operand, unless the first one is strictly `wanted`; so also of NaNs and of two zeros. */
const extreme =
  (wanted: 'less' | 'greater'): Lane =>
  (env, format, a, b) => {
    const x = unpack(env, format, a)
    const y = unpack(env, format, b)
    const [bits, chosen] = compare(env, x, y, false) === wanted ? [a, x] : [b, y]
    return chosen.kind === 'zero' ? bits & (1n << BigInt(format.bits - 1)) : bits
  }

/** The order of bits: by the engine's numbers, where nothing is to be raised. */
function orderOf(env: Environment, format: Format, a: bigint, b: bigint, quiet: boolean): Order {
  const bytes = format.bits === 32 ? 4 : 8
  const [x, y] = [numberOf(bytes, a), numberOf(bytes, b)]
  if (isPlain(bytes, x) && isPlain(bytes, y)) return x < y ? 'less' : x > y ? 'greater' : 'equal'
  return compare(env, unpack(env, format, a), unpack(env, format, b), quiet)
}

/** The low two bits of CMP's immediate; the third negates. Equality and being ordered are quiet. */
const PREDICATES = [
  { quiet: true, orders: ['equal'] },
  { quiet: false, orders: ['less'] },
  { quiet: false, orders: ['less', 'equal'] },
  { quiet: true, orders: ['unordered'] },
]

const predicate: Lane = (env, format, a, b, selector) => {
  const { quiet, orders } = PREDICATES[selector & 3]!
  const holds = orders.includes(orderOf(env, format, a, b, quiet))
  return holds === ((selector & 4) === 0) ? (1n << BigInt(format.bits)) - 1n : 0n
}

const ADD: Operation = [binary(add), EXACT.add]
const SUB: Operation = [binary(sub), EXACT.sub]
const ARITHMETIC: Record<string, Arithmetic> = {
  add: vertical(ADD),
  sub: vertical(SUB),
  mul: vertical([binary(mul), EXACT.mul]),
  div: vertical([binary(div), EXACT.div]),
  sqrt: vertical([binary((env, format, _, b) => sqrt(env, format, b)), EXACT.sqrt]),
  min: vertical([extreme('less'), EXACT_MIN]),
  max: vertical([extreme('greater'), EXACT_MAX]),
  cmp: vertical([predicate]),
}
/** SSE3's, of vectors only. */
const WITHIN_VECTORS: Record<string, Arithmetic> = {
  addsub: vertical(SUB, ADD),
  hadd: horizontal(ADD),
  hsub: horizontal(SUB),
}
/** Of singles only. */
const APPROXIMATIONS: Record<string, Arithmetic> = {
  rcp: vertical([binary((_, __, ___, b) => reciprocal(b))]),
  rsqrt: vertical([binary((_, __, ___, b) => reciprocalRoot(b))]),
}

const FLAGS = { greater: 0, less: CF, equal: ZF, unordered: ZF | PF_FLAG | CF } as const

const comparison = (mnemonic: string, { bytes, format }: Type, quiet: boolean): Semantics => {
  const flagsOf = (cpu: Cpu, a: bigint, b: bigint): number => {
    const env = environment(cpu)
    const order = orderOf(env, format, a, b, quiet)
    settle(cpu, env)
    return FLAGS[order]
  }
  const compared = helper(`sse.${mnemonic}`, (cpu, a, b) => flagsOf(cpu, BigInt(a!), BigInt(b!)))
  const vectors = calculation(`sse.${mnemonic}.vectors`, (cpu, at) => {
    const { view } = cpu
    view.setUint32(at, flagsOf(cpu, getBits(view, bytes, at), getBits(view, bytes, at + 16)), true)
  })
  return (e, insn) => {
    e.fpu()
    const a = readVector(e, insn, 0)
    const b = readVector(e, insn, 1)
    const flags = e.variable(4, e.imm(4, 0))
    const fully = (): void => flags.set(e.helper(compared, 4, e.lane(bytes, a, 0), e.lane(bytes, b, 0)))
    quickComparison(e, bytes, a, b, flags.set, vectors, fully)
    e.setFlags(CcOp.flags, 4, e.imm(4, 0), flags.get())
  }
}

function table(kinds: Record<string, Arithmetic>, types: readonly string[]): [string, Semantics][] {
  return Object.entries(kinds).flatMap(([name, arithmetic]) =>
    types.map((type): [string, Semantics] => [
      name + type,
      semantics(
        name + type,
        TYPES[type]!,
        arithmetic,
        QUICK.find((quick) => quick === name),
      ),
    ]),
  )
}

export const SSE_FLOAT: Record<string, Semantics> = Object.fromEntries([
  ...table(ARITHMETIC, ['ss', 'ps', 'sd', 'pd']),
  ...table(WITHIN_VECTORS, ['ps', 'pd']),
  ...table(APPROXIMATIONS, ['ss', 'ps']),
  ...(['ss', 'sd'] as const).flatMap((type) =>
    (['ucomi', 'comi'] as const).map((name): [string, Semantics] => [
      name + type,
      comparison(name + type, TYPES[type]!, name === 'ucomi'),
    ]),
  ),
])
