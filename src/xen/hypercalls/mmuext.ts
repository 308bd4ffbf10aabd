/** mmuext_op (26): tables that are pinned or roots, and what processors have to forget (xen/arch/x86/mm.c). */
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { signedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import {
  MMUEXT_FLUSH_CACHE,
  MMUEXT_INVLPG_ALL,
  MMUEXT_INVLPG_LOCAL,
  MMUEXT_INVLPG_MULTI,
  MMUEXT_NEW_BASEPTR,
  MMUEXT_NEW_USER_BASEPTR,
  MMUEXT_PIN_L1_TABLE,
  MMUEXT_PIN_L2_TABLE,
  MMUEXT_PIN_L3_TABLE,
  MMUEXT_PIN_L4_TABLE,
  MMUEXT_SET_LDT,
  MMUEXT_TLB_FLUSH_ALL,
  MMUEXT_TLB_FLUSH_LOCAL,
  MMUEXT_TLB_FLUSH_MULTI,
  MMUEXT_UNPIN_TABLE,
  mmuext_op,
} from '#abi/xen/xen.ts'
import { invalidateLdt, mapLdt } from '../arch-x86/descriptors.ts'
import { flushTlb, flushTlbOne } from '../arch-x86/flushtlb.ts'
import { contextOf, ldtOkay } from '../arch-x86/guest-context.ts'
import { mmWarn } from '../arch-x86/page-table-types.ts'
import { getRoot, newGuestCr3, pinTable, putRoot, unpinTable } from '../arch-x86/page-tables.ts'
import type { FrameOwner } from '../arch-x86/page-type.ts'
import type { Vcpu } from '../common/domain.ts'
import { hex } from '../common/lib.ts'
import type { Xen } from '../xen.ts'
import { batch, flushVcpus } from './mmu.ts'
import { type Call, orEfault } from './op-table.ts'

export const mmuextOp = (call: Call, args: readonly number[]): number =>
  batch(call, args, mmuext_op.size, (at, foreign) => extended(call, at, foreign))

function extended({ xen, vcpu, caller, mem }: Call, at: number, foreign: FrameOwner): number {
  const { cmd, arg1, arg2 } = mmuext_op.fields
  const command = cmd.get(mem, at)
  const word = arg1.get(mem, at)
  const second = arg2.get(mem, at)
  const mfn = Number(word)
  switch (command) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE: {
      const domain = xen.domains.get(foreign.id)
      return domain && pinTable(xen, domain, mfn, command - MMUEXT_PIN_L1_TABLE + 1) ? 0 : -EINVAL
    }
    case MMUEXT_UNPIN_TABLE:
      return unpinTable(xen, caller, mfn) ? 0 : -EINVAL
    case MMUEXT_NEW_BASEPTR:
      return newGuestCr3(xen, vcpu, mfn) ? 0 : -EINVAL
    case MMUEXT_NEW_USER_BASEPTR:
      if (newUserRoot(xen, vcpu, mfn)) return 0
      mmWarn(xen, 2404, `Error while installing new mfn ${hex(word)}`)
      return -EINVAL
    case MMUEXT_TLB_FLUSH_LOCAL:
      vcpu.ring3?.flush()
      return 0
    case MMUEXT_INVLPG_LOCAL:
      vcpu.ring3?.flushPage(signedVaddr(word))
      return 0
    case MMUEXT_TLB_FLUSH_ALL:
      flushTlb(caller)
      return 0
    case MMUEXT_INVLPG_ALL:
      flushTlbOne(caller, signedVaddr(word))
      return 0
    case MMUEXT_TLB_FLUSH_MULTI:
    case MMUEXT_INVLPG_MULTI:
      return orEfault(() => {
        const vcpus = mem.read32(signedVaddr(second))
        flushVcpus(caller, vcpus, command === MMUEXT_INVLPG_MULTI ? signedVaddr(word) : undefined)
        return 0
      }) === 0
        ? 0
        : -EINVAL
    case MMUEXT_FLUSH_CACHE:
      if (!caller.iomemCaps.empty) return 0
      mmWarn(xen, 2463, 'Non-physdev domain tried to FLUSH_CACHE.')
      return -EINVAL
    case MMUEXT_SET_LDT:
      return setLdt(xen, vcpu, signedVaddr(word), Number(BigInt.asUintN(32, second)))
    default:
      mmWarn(xen, 2504, `Invalid extended pt command 0x${hex(command)}`)
      return -ENOSYS
  }
}

/** None: 0. Processes of a module kernel have no tables of their own. */
function newUserRoot(xen: Xen, vcpu: Vcpu, mfn: number): boolean {
  if (mfn !== 0 && (vcpu.domain.pageMapped || !getRoot(xen, vcpu.domain, mfn))) return false
  const old = vcpu.userRoot
  vcpu.userRoot = mfn
  if (mfn !== 0) vcpu.ring3?.setRoot(1, mfn)
  if (old !== 0) putRoot(xen, vcpu.domain, old)
  return true
}

function setLdt(xen: Xen, vcpu: Vcpu, base: Vaddr, entries: number): number {
  if (!ldtOkay(base, entries)) {
    const at = hex(BigInt.asUintN(64, BigInt(base)))
    mmWarn(xen, 2487, `Bad args to SET_LDT: ptr=${at}, ents=${hex(entries)}`)
    return -EINVAL
  }
  const context = contextOf(vcpu)
  const { ldt_base, ldt_ents } = vcpu_guest_context.fields
  if (ldt_base.get(context, 0) === base && ldt_ents.get(context, 0) === BigInt(entries)) return 0
  invalidateLdt(xen, vcpu)
  ldt_base.set(context, 0, base)
  ldt_ents.set(context, 0, BigInt(entries))
  if (entries !== 0) mapLdt(xen, vcpu, base)
  return 0
}
