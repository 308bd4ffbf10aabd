/** What asks about the system or is not CPL 3's to do. AMD APM volume 3, chapter 4; which of it the hypervisor emulates is its affair. */
import { RAX, RBX, RCX, RDX, type Size, SS } from '../isa/insn.ts'
import { Exit, ZF } from '../state.ts'
import { gpr, setReg } from '../state-access.ts'
import type { Helper, Semantics } from './emitter.ts'
import { helper } from './helper.ts'
import { address, flagBit, memory, read, replaceFlags, resize, sizeOf, write } from './operands.ts'
import { isCodeOrData, isReadable, isWritable, limitOf, upperHalf, visible } from './segments.ts'

/** What is not CPL 3's, and SYSENTER, which leads to an address that only the hypervisor knows. SGDT, SIDT, SLDT, STR and SMSW too: as with CR4.UMIP, so that a guest cannot see the host's tables. */
export const privileged: Semantics = (e) => e.exit(Exit.privileged)

export const nop: Semantics = () => {}

/** Its line must be readable. */
export const clflush: Semantics = (e, insn) => {
  const mem = memory(insn, 0)
  e.load(1, address(e, insn, mem), mem.segment === SS)
}

const identify = helper('cpuid', (cpu) => {
  const answer = cpu.cpuid(Number(gpr(cpu, RAX) & 0xffffffffn), Number(gpr(cpu, RCX) & 0xffffffffn))
  for (const [i, n] of [RAX, RBX, RCX, RDX].entries()) setReg(cpu, 4, n, answer[i]!)
  return undefined
})
export const cpuid: Semantics = (e) => {
  e.helper(identify, 0)
}

const timeStamp = helper('rdtsc', (cpu) => cpu.tsc())
export const rdtsc: Semantics = (e) => {
  const now = e.helper(timeStamp, 8)
  e.setReg(4, RAX, e.trunc(8, 4, now))
  e.setReg(4, RDX, e.trunc(8, 4, e.shr(8, now, e.imm(4, 32))))
}

/** Set in a helper's answer if the selector is one that may be looked at. */
const VALID = 1n << 32n

/** Access rights: the descriptor's second word without the base. Types of gates and TSS count only for LAR, as far as long mode has them. */
const LAR_TYPES = [2, 9, 11, 12]
const LSL_TYPES = [2, 9, 11]
const typeOf = (upper: number): number => (upper >> 8) & 15

const looking = (name: string, types: readonly number[], answer: (descriptor: bigint) => number): Helper =>
  helper(name, (cpu, value) => {
    const descriptor = visible(cpu, value as number)
    if (descriptor === undefined) return 0n
    const upper = upperHalf(descriptor)
    return isCodeOrData(upper) || types.includes(typeOf(upper)) ? VALID | BigInt(answer(descriptor)) : 0n
  })
const rightsOf = looking('lar', LAR_TYPES, (descriptor) => (upperHalf(descriptor) & 0x00ffff00) >>> 0)
const limitFor = looking('lsl', LSL_TYPES, limitOf)

const look =
  (asking: Helper): Semantics =>
  (e, insn) => {
    const answer = e.helper(asking, 8, resize(e, sizeOf(insn, 1), 4, read(e, insn, 1)))
    const isValid = e.ne(8, e.and(8, answer, e.imm(8, VALID)), e.imm(8, 0))
    const size = sizeOf(insn, 0)
    e.if(isValid, () => write(e, insn, 0, resize(e, 4, size, e.trunc(8, 4, answer))))
    replaceFlags(e, ZF, flagBit(e, isValid, ZF))
  }
export const lar = look(rightsOf)
export const lsl = look(limitFor)

const verifying = (name: string, test: (upper: number) => boolean): Helper =>
  helper(name, (cpu, value) => {
    const descriptor = visible(cpu, value as number)
    if (descriptor === undefined) return 0
    const upper = upperHalf(descriptor)
    return isCodeOrData(upper) && test(upper) ? 1 : 0
  })
const verify =
  (asking: Helper): Semantics =>
  (e, insn) => {
    const answer = e.helper(asking, 4, e.zext(2, 4, read(e, insn, 0)))
    replaceFlags(e, ZF, flagBit(e, answer, ZF))
  }
export const verr = verify(verifying('verr', isReadable))
export const verw = verify(verifying('verw', isWritable))

/** The RPL of the first selector becomes that of the second, if it was less; else nothing is written. */
export const arpl: Semantics = (e, insn) => {
  const size: Size = 2
  const old = read(e, insn, 0)
  const mask = e.imm(size, 3)
  const least = e.and(size, read(e, insn, 1), mask)
  const isLess = e.ltu(size, e.and(size, old, mask), least)
  e.if(isLess, () => write(e, insn, 0, e.or(size, e.and(size, old, e.imm(size, 0xfffc)), least)))
  replaceFlags(e, ZF, flagBit(e, isLess, ZF))
}
