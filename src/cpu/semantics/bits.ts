/** Single bits and counts of them. Intel SDM volume 2: BT, BTS, BTR, BTC, BSF, BSR, POPCNT, BSWAP. */
import { type Insn, type Size, SS } from '../isa/insn.ts'
import { CcOp, CF, ZF } from '../state.ts'
import type { Emitter, Modified, Semantics } from './emitter.ts'
import {
  effectiveAddress,
  flagBit,
  linear,
  log2,
  modify,
  read,
  replaceFlags,
  resize,
  sizeOf,
  write,
} from './operands.ts'

/** The operand that has the bit: memory reaches as far as a register's signed number says. */
function operandOf<V>(e: Emitter<V>, insn: Insn, change: boolean): Modified<V> {
  const [dst, number] = insn.operands
  if (dst?.kind !== 'mem' || number?.kind !== 'reg') {
    return change ? modify(e, insn, 0) : { value: read(e, insn, 0), store: () => {} }
  }
  const size = dst.size as Size
  const { addressSize } = insn
  const units = e.sar(size, e.reg(size, number.n), e.imm(4, 3 + log2(size)))
  const extended = size < addressSize ? e.sext(size, addressSize, units) : resize(e, size, addressSize, units)
  const offset = e.shl(addressSize, extended, e.imm(4, log2(size)))
  const at = linear(e, insn, dst.segment, e.add(addressSize, effectiveAddress(e, insn, dst), offset))
  const stack = dst.segment === SS
  return change ? e.modify(size, at, stack) : { value: e.load(size, at, stack), store: () => {} }
}

const bitTest =
  (change: 'or' | 'xor' | 'clear' | undefined): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const dst = operandOf(e, insn, change !== undefined)
    const number = resize(e, sizeOf(insn, 1), 4, read(e, insn, 1))
    const n = e.and(4, number, e.imm(4, 8 * size - 1))
    const carry = resize(e, size, 4, e.and(size, e.shr(size, dst.value, n), e.imm(size, 1)))
    const mask = e.shl(size, e.imm(size, 1), n)
    if (change === 'clear') dst.store(e.and(size, dst.value, e.not(size, mask)))
    else if (change !== undefined) dst.store(e[change](size, dst.value, mask))
    replaceFlags(e, CF, carry)
  }
export const bt = bitTest(undefined)
export const bts = bitTest('or')
export const btr = bitTest('clear')
export const btc = bitTest('xor')

const width = (size: Size): 4 | 8 => (size === 8 ? 8 : 4)

/** The destination stays as it is where no bit is set, in all its 64 bits (AMD APM volume 3: BSF, BSR). */
const bitScan =
  (forward: boolean): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const wide = width(size)
    const source = read(e, insn, 1)
    e.if(e.ne(size, source, e.imm(size, 0)), () => {
      const value = resize(e, size, wide, source)
      const n = forward ? e.ctz(wide, value) : e.sub(4, e.imm(4, 8 * wide - 1), e.clz(wide, value))
      write(e, insn, 0, resize(e, 4, size, n))
    })
    e.setFlags(CcOp.logic, size, source, source)
  }
export const bsf = bitScan(true)
export const bsr = bitScan(false)

export const popcnt: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const wide = width(size)
  const source = read(e, insn, 1)
  write(e, insn, 0, resize(e, 4, size, e.popcnt(wide, resize(e, size, wide, source))))
  e.setFlags(CcOp.flags, 4, e.imm(4, 0), flagBit(e, e.eq(size, source, e.imm(size, 0)), ZF))
}

/** Pairs of neighbours change places: bytes, then words, then halves. */
function swapped<V>(e: Emitter<V>, size: 4 | 8, value: V): V {
  let result = value
  for (let bits = 8; bits < 8 * size; bits *= 2) {
    const every = BigInt.asUintN(
      8 * size,
      bits === 8 ? 0x00ff00ff_00ff00ffn : bits === 16 ? 0x0000ffff_0000ffffn : 0xffffffffn,
    )
    const low = e.imm(size, every)
    const count = e.imm(4, bits)
    result = e.or(size, e.and(size, e.shr(size, result, count), low), e.shl(size, e.and(size, result, low), count))
  }
  return result
}

/** Of a word it is undefined; the processors there are make it zero. */
export const bswap: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  if (size === 4 || size === 8) write(e, insn, 0, swapped(e, size, read(e, insn, 0)))
  else write(e, insn, 0, e.imm(size, 0))
}
