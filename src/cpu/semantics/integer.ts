/** Integer instructions: mnemonics of the table's rows and what they mean. */
import { DS, ES, FS, GS, SS } from '../isa/insn.ts'
import * as arithmetic from './arithmetic.ts'
import * as bits from './bits.ts'
import * as branches from './branches.ts'
import * as decimal from './decimal.ts'
import type { Semantics } from './emitter.ts'
import * as far from './far.ts'
import * as moves from './moves.ts'
import * as multiply from './multiply.ts'
import * as shifts from './shifts.ts'
import * as stack from './stack.ts'
import * as strings from './strings.ts'
import * as system from './system.ts'

const { add, or, adc, sbb, and, sub, xor, cmp, test, not, neg, inc, dec } = arithmetic
const { cmpxchg, xadd, cmpxchg8b, cmpxchg16b, cbw, cwd } = arithmetic
const { mul, imul, div, idiv } = multiply
const { daa, das, aaa, aas, aam, aad } = decimal
const { rol, ror, rcl, rcr, shl, shr, sar, shld, shrd } = shifts
const { bt, bts, btr, btc, bsf, bsr, popcnt, bswap } = bits
const { mov, movzx, movsx, lea, xchg, xlat, salc, lahf, sahf, clc, stc, cmc, cld, std } = moves
const { pusha, popa, pushf, popf, enter, leave } = stack
const { movs, cmps, stos, lods, scas } = strings
const { jmp, call, ret, loop, loope, loopne, jcxz, int3, int1, int, into, bound, syscall } = branches
const { jmpf, callf, retf, iret, loadFarPointer } = far
const { cpuid, rdtsc, lar, lsl, verr, verw, arpl, clflush, nop, privileged } = system

export const INTEGER: readonly (readonly [string, Semantics])[] = [
  ...Object.entries({ add, or, adc, sbb, and, sub, xor, cmp, test, not, neg, inc, dec, cmpxchg, xadd }),
  ...Object.entries({ cmpxchg8b, cmpxchg16b, cbw, cwd, mul, imul, div, idiv, daa, das, aaa, aas, aam, aad }),
  ...Object.entries({ rol, ror, rcl, rcr, shl, shr, sar, shld, shrd, bt, bts, btr, btc, bsf, bsr, popcnt, bswap }),
  ...Object.entries({ mov, movzx, movsx, movsxd: movsx, movnti: mov, lea, xchg, xlat, salc, lahf, sahf }),
  ...Object.entries({ clc, stc, cmc, cld, std, push: stack.pushOperand, pop: stack.popOperand, pusha, popa }),
  ...Object.entries({ pushf, popf, enter, leave, movs, cmps, stos, lods, scas }),
  ...Object.entries({ jmp, call, ret, loop, loope, loopne, jcxz, int3, int1, int, into, bound, syscall }),
  ...Object.entries({ jmpf, callf, retf, iret, cpuid, rdtsc, lar, lsl, verr, verw, arpl, clflush, nop, pause: nop }),
  ...Object.entries({ les: loadFarPointer(ES), lds: loadFarPointer(DS), lss: loadFarPointer(SS) }),
  ...Object.entries({ lfs: loadFarPointer(FS), lgs: loadFarPointer(GS) }),
  ...Object.entries({ ud0: branches.undefinedInstruction, ud1: branches.undefinedInstruction }),
  ...Object.entries({ ud2: branches.undefinedInstruction, lfence: nop, mfence: nop, sfence: nop }),
  ...Object.entries({ prefetch: nop, prefetchw: nop, prefetchnta: nop, prefetcht0: nop }),
  ...Object.entries({ prefetcht1: nop, prefetcht2: nop }),
  ...Object.entries({
    sysenter: privileged,
    sgdt: privileged,
    sidt: privileged,
    sldt: privileged,
    str: privileged,
    smsw: privileged,
  }),
  ...moves.CONDITIONAL_MOVES,
  ...branches.CONDITIONAL_JUMPS,
]
