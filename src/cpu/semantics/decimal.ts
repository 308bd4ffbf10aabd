/** Decimal arithmetic of compatibility mode, in helpers: DAA DAS AAA AAS AAM AAD (Intel SDM volume 2, operation of each). */
import { DE, Fault } from '../fault.ts'
import { statusFlags } from '../flags.ts'
import { AH, RAX } from '../isa/insn.ts'
import { AF, CF, PF_FLAG, SF, ZF } from '../state.ts'
import { reg, setReg, setStatusFlags } from '../state-access.ts'
import type { Helper, Semantics } from './emitter.ts'
import { helper } from './helper.ts'
import { immediate } from './operands.ts'

/** SF, ZF and PF of a byte. */
function ofByte(byte: number): number {
  let ones = 0
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++
  return (byte & SF) | (byte === 0 ? ZF : 0) | (ones % 2 === 0 ? PF_FLAG : 0)
}

/** AL after an addition (+1) or subtraction (-1) of packed digits. */
const packed = (name: string, sign: 1 | -1): Helper =>
  helper(name, (cpu) => {
    const before = statusFlags(cpu)
    const al = reg(cpu, 1, RAX) as number
    const half = (al & 15) > 9 || (before & AF) !== 0
    const full = al > 0x99 || (before & CF) !== 0
    // A borrow of the low digit's correction is one of the whole byte, too.
    const borrow = sign < 0 && half && al < 6
    const result = (al + sign * ((half ? 6 : 0) + (full ? 0x60 : 0))) & 0xff
    setReg(cpu, 1, RAX, result)
    setStatusFlags(cpu, ofByte(result) | (half ? AF : 0) | (full || borrow ? CF : 0))
    return undefined
  })

/** AL and AH after an addition or subtraction of unpacked digits. */
const unpacked = (name: string, sign: 1 | -1): Helper =>
  helper(name, (cpu) => {
    const adjust = ((reg(cpu, 1, RAX) as number) & 15) > 9 || (statusFlags(cpu) & AF) !== 0
    if (adjust) setReg(cpu, 2, RAX, ((reg(cpu, 2, RAX) as number) + sign * 0x106) & 0xffff)
    const al = (reg(cpu, 1, RAX) as number) & 15
    setReg(cpu, 1, RAX, al)
    setStatusFlags(cpu, ofByte(al) | (adjust ? AF | CF : 0))
    return undefined
  })

const divideByBase = helper('aam', (cpu, base) => {
  if (base === 0) throw new Fault(DE)
  const al = reg(cpu, 1, RAX) as number
  const low = al % (base as number)
  setReg(cpu, 1, AH, Math.floor(al / (base as number)))
  setReg(cpu, 1, RAX, low)
  setStatusFlags(cpu, ofByte(low))
  return undefined
})

const multiplyByBase = helper('aad', (cpu, base) => {
  const al = ((reg(cpu, 1, RAX) as number) + (reg(cpu, 1, AH) as number) * (base as number)) & 0xff
  setReg(cpu, 2, RAX, al)
  setStatusFlags(cpu, ofByte(al))
  return undefined
})

const calls =
  (adjustment: Helper): Semantics =>
  (e) => {
    e.helper(adjustment, 0)
  }
export const daa = calls(packed('daa', 1))
export const das = calls(packed('das', -1))
export const aaa = calls(unpacked('aaa', 1))
export const aas = calls(unpacked('aas', -1))

export const aam: Semantics = (e, insn) => {
  e.helper(divideByBase, 0, e.imm(4, immediate(insn, 0).value & 0xffn))
}
export const aad: Semantics = (e, insn) => {
  e.helper(multiplyByBase, 0, e.imm(4, immediate(insn, 0).value & 0xffn))
}
