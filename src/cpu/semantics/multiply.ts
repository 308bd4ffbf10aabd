/** Multiplication and division. Intel SDM volume 2: MUL, IMUL, DIV, IDIV. */
import type { Cpu } from '../cpu.ts'
import { DE, Fault } from '../fault.ts'
import { AH, type Insn, RAX, RDX, type Size } from '../isa/insn.ts'
import { CcOp } from '../state.ts'
import { reg, setReg } from '../state-access.ts'
import type { Emitter, Helper, Semantics } from './emitter.ts'
import { helper } from './helper.ts'
import { read, resize, sizeOf } from './operands.ts'

/** What the product's halves are. */
function product<V>(e: Emitter<V>, size: Size, a: V, b: V, isSigned: boolean): { low: V; high: V } {
  if (size === 8) return { low: e.mul(8, a, b), high: isSigned ? e.mulhs(8, a, b) : e.mulhu(8, a, b) }
  const twice = (2 * size) as Size
  const widen = (value: V): V => (isSigned ? e.sext(size, twice, value) : e.zext(size, twice, value))
  const whole = e.mul(twice, widen(a), widen(b))
  return { low: e.trunc(twice, size, whole), high: e.trunc(twice, size, e.shr(twice, whole, e.imm(4, 8 * size))) }
}

/** Not zero if the product does not fit into the low half with its sign. */
function excess<V>(e: Emitter<V>, size: Size, low: V, high: V): V {
  return e.sub(size, high, e.sar(size, low, e.imm(4, 8 * size - 1)))
}

/** AX = AL * b, rDX:rAX = rAX * b. */
function widening<V>(e: Emitter<V>, insn: Insn, isSigned: boolean): void {
  const size = sizeOf(insn, 0)
  const { low, high } = product(e, size, e.reg(size, RAX), read(e, insn, 0), isSigned)
  e.setReg(size, RAX, low)
  e.setReg(size, size === 1 ? AH : RDX, high)
  e.setFlags(CcOp.mul, size, low, isSigned ? excess(e, size, low, high) : high)
}
export const mul: Semantics = (e, insn) => widening(e, insn, false)

/** With two or three operands, the low half alone. */
export const imul: Semantics = (e, insn) => {
  const count = insn.operands.length
  if (count === 1) {
    widening(e, insn, true)
    return
  }
  const size = sizeOf(insn, 0)
  const { low, high } = product(e, size, read(e, insn, count - 2), read(e, insn, count - 1), true)
  const destination = insn.operands[0]!
  if (destination.kind === 'reg') e.setReg(size, destination.n, low)
  e.setFlags(CcOp.mul, size, low, excess(e, size, low, high))
}

/** #DE where the divisor is zero or the quotient does not fit. Flags, undefined by the manuals, stay as they are. */
const dividing = (size: Size, isSigned: boolean): Helper =>
  helper(`${isSigned ? 'idiv' : 'div'}.${size}`, (cpu, divisor) => {
    const bits = 8 * size
    const number = isSigned ? BigInt.asIntN : BigInt.asUintN
    const by = number(bits, BigInt(divisor!))
    if (by === 0n) throw new Fault(DE)
    const dividend = number(2 * bits, (upper(cpu, size) << BigInt(bits)) | BigInt(reg(cpu, size, RAX)))
    const quotient = dividend / by
    if (number(bits, quotient) !== quotient) throw new Fault(DE)
    setReg(cpu, size, RAX, narrow(size, quotient))
    setReg(cpu, size, size === 1 ? AH : RDX, narrow(size, dividend % by))
    return undefined
  })

const upper = (cpu: Cpu, size: Size): bigint => BigInt(reg(cpu, size, size === 1 ? AH : RDX))

const narrow = (size: Size, value: bigint): number | bigint => {
  const wrapped = BigInt.asUintN(8 * size, value)
  return size === 8 ? wrapped : Number(wrapped)
}

const helpers = (isSigned: boolean): Record<Size, Helper> => ({
  1: dividing(1, isSigned),
  2: dividing(2, isSigned),
  4: dividing(4, isSigned),
  8: dividing(8, isSigned),
})
const UNSIGNED = helpers(false)
const SIGNED = helpers(true)

const divide =
  (by: Record<Size, Helper>, isSigned: boolean): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const divisor = read(e, insn, 0)
    const fully = (): void => {
      e.helper(by[size], 0, divisor)
    }
    if (size >= 4) divideQuickly(e, size as 4 | 8, isSigned, divisor, fully)
    else fully()
  }
export const div = divide(UNSIGNED, false)
export const idiv = divide(SIGNED, true)

/** What is not wider than its lower half, as compilers make dividends, by neither 0 nor -1. */
function divideQuickly<V>(e: Emitter<V>, size: 4 | 8, isSigned: boolean, divisor: V, otherwise: () => void): void {
  e.quickly((native) => {
    const low = e.reg(size, RAX)
    const extension = isSigned ? e.sar(size, low, e.imm(4, 8 * size - 1)) : e.imm(size, 0)
    const isNarrow = e.eq(size, e.reg(size, RDX), extension)
    const one = e.imm(size, 1)
    const isPlain = isSigned ? e.ltu(size, one, e.add(size, divisor, one)) : e.ne(size, divisor, e.imm(size, 0))
    const wide = (value: V): V => (size === 8 ? value : isSigned ? e.sext(4, 8, value) : e.zext(4, 8, value))
    return {
      condition: e.and(4, isNarrow, isPlain),
      act: () => {
        const [a, b] = [wide(low), wide(divisor)]
        const quotient = native.quotient(isSigned, a, b)
        const remainder = native.remainder(isSigned, a, b)
        e.setReg(size, RAX, resize(e, 8, size, quotient))
        e.setReg(size, RDX, resize(e, 8, size, remainder))
      },
    }
  }, otherwise)
}
