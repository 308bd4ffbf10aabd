/**
 * update_va_mapping (14), mmu_update (1), mmuext_op (26): what a guest's addresses lead to (xen/arch/x86/mm.c). A module vCPU has no page
 * tables: update_va_mapping changes its page map, and a page-table entry is only a way to say frame and rights.
 */
import { EFAULT, EINVAL, ENOSYS, ESRCH } from '#abi/xen/errno.ts'
import { PAGE_SIZE, signedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import {
  DOMID_IO,
  DOMID_SELF,
  DOMID_XEN,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
  MMU_MACHPHYS_UPDATE,
  MMU_NORMAL_PT_UPDATE,
  MMU_PT_UPDATE_PRESERVE_AD,
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
  mmu_update,
  mmuext_op,
  UVMF_ALL,
  UVMF_FLUSHTYPE_MASK,
  UVMF_LOCAL,
  UVMF_NONE,
} from '#abi/xen/xen.ts'
import { invalidateLdt, mapLdt } from '../arch-x86/descriptors.ts'
import { contextOf, ldtOkay } from '../arch-x86/guest-context.ts'
import { pinTable, unpinTable } from '../arch-x86/page-tables.ts'
import {
  type FrameOwner,
  getPage,
  getPageFromL1e,
  getWritable,
  mfnValid,
  putPage,
  putPageFromL1e,
  putWritable,
} from '../arch-x86/page-type.ts'
import { privilegedFor, type Vcpu } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { Rangeset } from '../common/rangeset.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { type Call, orEfault } from './op-table.ts'

/** Canonical addresses. */
const VA_MAX = 2 ** 47
/** More is refused. The real one is preempted in the middle, and goes on. */
const UPDATES_MAX = 65536
/** Of `count`: a call that Xen itself has made again. */
const MMU_UPDATE_PREEMPTED = 0x80000000 | 0

/** The entry as a number: bits 0 to 31 and 32 to 63. */
export const updateVaMapping = (call: Call, [va = 0, pte = 0, flags = 0]: readonly number[]): number =>
  updateVa(call, va, pte >>> 0, Math.floor(pte / 2 ** 32) >>> 0, flags)

/** The same with a frame of another domain's, for who may. */
export function updateVaMappingOtherdomain(
  call: Call,
  [va = 0, pte = 0, flags = 0, domid = DOMID_SELF]: readonly number[],
): number {
  const foreign = foreigner(call, domid)
  if (!foreign) return -ESRCH
  return updateVa(call, va, pte >>> 0, Math.floor(pte / 2 ** 32) >>> 0, flags, foreign)
}

export function updateVa(
  call: Call,
  va: Vaddr,
  pteLow: number,
  pteHigh: number,
  flags: number,
  owner: FrameOwner = call.caller,
): number {
  const { xen, caller } = call
  if (!Number.isSafeInteger(va) || va >= VA_MAX || va < -VA_MAX) return -EINVAL
  if (va >= HYPERVISOR_VIRT_START && va < HYPERVISOR_VIRT_END) return -EINVAL
  const { pageMap } = caller
  const page = Math.floor(va / PAGE_SIZE)
  const entry = getPageFromL1e(xen, pteLow, pteHigh, owner)
  if (entry === undefined) return -EINVAL
  const old = pageMap.lookup(page)
  if (!pageMap.set(page, entry)) {
    putPageFromL1e(xen, entry, caller)
    return -EINVAL
  }
  putPageFromL1e(xen, old, caller)
  return flushed(call, flags)
}

/** There is no TLB to flush, but the pointer to a set of vCPUs is looked at all the same. */
function flushed({ mem }: Call, flags: number): number {
  if ((flags & UVMF_FLUSHTYPE_MASK) === UVMF_NONE) return 0
  const pointer = flags - (flags & UVMF_FLUSHTYPE_MASK)
  if (pointer === UVMF_LOCAL || pointer === UVMF_ALL) return 0
  return orEfault(() => {
    mem.read64(pointer)
    return 0
  })
}

const warn = (xen: Xen, line: number, text: string): void => guestLog(xen, XENLOG_WARNING, `mm.c:${line}`, text)

/** set_foreigndom: whose frames are meant. Undefined: nobody's that the caller may mean. */
function foreigner({ xen, caller }: Call, number: number): FrameOwner | undefined {
  const domid = number & 0xffff
  if (domid === DOMID_SELF) return caller
  if (domid === caller.id) {
    warn(xen, 2171, 'Cannot specify itself as foreign domain')
    return undefined
  }
  // What I/O frames somebody may map is a matter of the caller's own rights.
  if (domid === DOMID_IO) return nobody(DOMID_IO, caller.iomemCaps)
  if (domid === DOMID_XEN && caller.privileged) return nobody(DOMID_XEN)
  const domain = xen.domains.get(domid)
  if (domain && privilegedFor(caller, domain)) return domain
  if (domain || domid === DOMID_XEN) warn(xen, domain ? 2201 : 2186, 'Cannot set foreign dom')
  else warn(xen, 2195, `Unknown domain '${domid}'`)
  return undefined
}

/** dom_io and dom_xen, which are domains in name only. */
function nobody(id: number, iomemCaps = new Rangeset('I/O Memory', true)): FrameOwner {
  return { id, dying: false, iomemCaps, ioportCaps: new Rangeset('I/O Ports', true) }
}

/** Requests one after the other until one fails; `done` is told how many did not. */
function batch(
  call: Call,
  [list = 0, count = 0, done = 0, domid = DOMID_SELF]: readonly number[],
  bytes: number,
  one: (at: number, foreign: FrameOwner) => number,
): number {
  const { mem } = call
  const requests = (count & ~MMU_UPDATE_PREEMPTED) >>> 0
  const foreign = foreigner(call, domid)
  let result = foreign ? (requests > UPDATES_MAX ? -EINVAL : 0) : -ESRCH
  let i = 0
  if (foreign && result === 0) {
    for (; i < requests; i++) {
      result = orEfault(() => one(list + i * bytes, foreign))
      if (result !== 0) break
    }
    if (result === -EFAULT) warn(call.xen, bytes === mmu_update.size ? 2586 : 2286, 'Bad __copy_from_guest')
  }
  if (done === 0) return result
  // A guest that goes on with what was left, as Xen itself would.
  orEfault(() => {
    mem.write32(done, (i + (count & MMU_UPDATE_PREEMPTED ? mem.read32(done) : 0)) >>> 0)
    return 0
  })
  return result
}

export const mmuUpdate = (call: Call, args: readonly number[]): number =>
  batch(call, args, mmu_update.size, (at, foreign) => oneUpdate(call, at, foreign))

/** get_page_from_pagenr */
function getFrame(xen: Xen, mfn: number, domain: FrameOwner): boolean {
  if (mfnValid(xen, mfn) && getPage(xen, mfn, domain)) return true
  warn(xen, 557, `Could not get page ref for pfn ${hex(mfn)}`)
  return false
}

function oneUpdate({ xen, caller, mem }: Call, at: number, foreign: FrameOwner): number {
  const low = mem.read32(at)
  const command = low & 7
  const target = low - command + mem.read32(at + 4) * 2 ** 32
  const mfn = Math.floor(target / PAGE_SIZE)
  switch (command) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_PRESERVE_AD: {
      const value = mem.read64(at + 8)
      if (!getFrame(xen, mfn, caller)) {
        warn(xen, 2613, 'Could not get page for normal update')
        return -EINVAL
      }
      // Tables that are in use as such were looked through once: what they say stays.
      const writable = getWritable(xen, mfn)
      if (writable) {
        xen.mem.write64(target, value)
        putWritable(xen, mfn)
      }
      putPage(xen, mfn)
      return writable ? 0 : -EINVAL
    }
    case MMU_MACHPHYS_UPDATE: {
      const pfn = mem.read32(at + 8)
      if (!getFrame(xen, mfn, foreign)) {
        warn(xen, 2710, 'Could not get page for mach->phys update')
        return -EINVAL
      }
      xen.heap.frames.m2p[mfn] = pfn
      putPage(xen, mfn)
      return 0
    }
    default:
      warn(xen, 2729, `Invalid page update command ${hex(command)}`)
      return -ENOSYS
  }
}

/**
 * The operations that flush do nothing: what `translate` says is always true. Page tables are a domain builder's, for a domain that has not been
 * started; the frames of a module vCPU's can be pinned as tables, and have the types and counts of such, but its addresses go by its page map, whose
 * root stays what it is (design D4).
 */
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
      // new_guest_cr3 of the root that it has.
      if (mfn === vcpu.root && mfn !== 0) {
        invalidateLdt(xen, vcpu)
        return 0
      }
      warn(xen, 2107, `Error while installing new baseptr ${hex(word)}`)
      return -EINVAL
    case MMUEXT_NEW_USER_BASEPTR:
      if (mfn === 0) return 0
      warn(xen, 2404, `Error while installing new mfn ${hex(word)}`)
      return -EINVAL
    case MMUEXT_TLB_FLUSH_LOCAL:
    case MMUEXT_INVLPG_LOCAL:
    case MMUEXT_TLB_FLUSH_ALL:
    case MMUEXT_INVLPG_ALL:
      return 0
    case MMUEXT_TLB_FLUSH_MULTI:
    case MMUEXT_INVLPG_MULTI:
      // The set of vCPUs has to be there.
      return orEfault(() => {
        mem.read64(signedVaddr(second))
        return 0
      }) === 0
        ? 0
        : -EINVAL
    case MMUEXT_FLUSH_CACHE:
      if (!caller.iomemCaps.empty) return 0
      warn(xen, 2463, 'Non-physdev domain tried to FLUSH_CACHE.')
      return -EINVAL
    case MMUEXT_SET_LDT:
      return setLdt(xen, vcpu, signedVaddr(word), Number(BigInt.asUintN(32, second)))
    default:
      warn(xen, 2504, `Invalid extended pt command 0x${hex(command)}`)
      return -ENOSYS
  }
}

function setLdt(xen: Xen, vcpu: Vcpu, base: Vaddr, entries: number): number {
  if (!ldtOkay(base, entries)) {
    const at = hex(BigInt.asUintN(64, BigInt(base)))
    warn(xen, 2487, `Bad args to SET_LDT: ptr=${at}, ents=${hex(entries)}`)
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
