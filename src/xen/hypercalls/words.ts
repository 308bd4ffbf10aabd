/** Hypercalls with arguments of which all 64 bits count, which a number cannot hold: page-table entries, descriptors, debug registers. */
import {
  __HYPERVISOR_set_debugreg,
  __HYPERVISOR_update_descriptor,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
} from '#abi/xen/xen.ts'
import { setDebugreg } from '../arch-x86/guest-context.ts'
import { signedWord } from '../arch-x86/guest-regs.ts'
import { updateVa, updateVaOtherdomain } from './mmu.ts'
import type { Call } from './op-table.ts'
import { updateDescriptor } from './set_gdt.ts'

/** Six registers, or a multicall's six words: their halves. */
export interface Words {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

const number = ({ low, high }: Words, n: number): number => signedWord(low[n]!, high[n]!)

export const byWords: Readonly<Record<number, (call: Call, words: Words) => number>> = {
  [__HYPERVISOR_set_debugreg]: ({ vcpu }, { low, high }) =>
    setDebugreg(vcpu, low[0]! | 0, (BigInt(high[1]!) << 32n) | BigInt(low[1]!)),
  [__HYPERVISOR_update_descriptor]: (call, words) =>
    updateDescriptor(call, number(words, 0), words.low[1]!, words.high[1]!),
  [__HYPERVISOR_update_va_mapping]: (call, words) =>
    updateVa(call, number(words, 0), words.low[1]!, words.high[1]!, number(words, 2)),
  [__HYPERVISOR_update_va_mapping_otherdomain]: (call, words) =>
    updateVaOtherdomain(call, number(words, 0), words.low[1]!, words.high[1]!, number(words, 2), words.low[3]!),
}
