/**
 * update_va_mapping (14), mmu_update (1), mmuext_op (26): what a guest's addresses lead to (xen/arch/x86/mm.c). A module vCPU has no page
 * tables: update_va_mapping changes its page map, and a page-table entry is only a way to say frame and rights.
 */
import { EINVAL, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import {
  DOMID_IO,
  DOMID_SELF,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
  MMU_MACHPHYS_UPDATE,
  MMU_NORMAL_PT_UPDATE,
  MMU_PT_UPDATE_PRESERVE_AD,
  MMUEXT_FLUSH_CACHE,
  MMUEXT_INVLPG_ALL,
  MMUEXT_INVLPG_LOCAL,
  MMUEXT_INVLPG_MULTI,
  MMUEXT_PIN_L4_TABLE,
  MMUEXT_TLB_FLUSH_ALL,
  MMUEXT_TLB_FLUSH_LOCAL,
  MMUEXT_TLB_FLUSH_MULTI,
  MMUEXT_UNPIN_TABLE,
  mmu_update,
  mmuext_op,
  UVMF_ALL,
  UVMF_FLUSHTYPE_MASK,
  UVMF_NONE,
} from '#abi/xen/xen.ts'
import { pinRoot, unpinRoot } from '../arch-x86/page-tables.ts'
import {
  getPage,
  getPageFromL1e,
  getWritable,
  mfnValid,
  putPage,
  putPageFromL1e,
  putWritable,
} from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Call } from './op-table.ts'

/** Canonical addresses. */
const VA_MAX = 2 ** 47
/** More is refused. The real one is preempted in the middle, and goes on. */
const UPDATES_MAX = 65536

/** The entry as a number: bits 0 to 31 and 32 to 63. */
export const updateVaMapping = (call: Call, [va = 0, pte = 0, flags = 0]: readonly number[]): number =>
  updateVa(call, va, pte >>> 0, Math.floor(pte / 2 ** 32) >>> 0, flags)

/** The same with a frame of another domain's, for who may. */
export function updateVaMappingOtherdomain(
  call: Call,
  [va = 0, pte = 0, flags = 0, domid = DOMID_SELF]: readonly number[],
): number {
  const foreign = foreigner(call, domid)
  if (typeof foreign === 'number') return -ESRCH
  return updateVa(call, va, pte >>> 0, Math.floor(pte / 2 ** 32) >>> 0, flags, foreign)
}

export function updateVa(
  call: Call,
  va: Vaddr,
  pteLow: number,
  pteHigh: number,
  flags: number,
  owner: Domain = call.caller,
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
    putPageFromL1e(xen, entry)
    return -EINVAL
  }
  putPageFromL1e(xen, old)
  return flushed(call, flags)
}

/** There is no TLB to flush, but the pointer to a set of vCPUs is looked at all the same. */
function flushed({ mem }: Call, flags: number): number {
  if ((flags & UVMF_FLUSHTYPE_MASK) === UVMF_NONE) return 0
  const pointer = flags - (flags & UVMF_FLUSHTYPE_MASK)
  if (pointer !== 0 && pointer !== UVMF_ALL) mem.read64(pointer)
  return 0
}

/** set_foreigndom: whose frames are meant. */
function foreigner({ xen, caller }: Call, domid: number): Domain | number {
  if (domid === DOMID_SELF) return caller
  if (domid === caller.id) return -ESRCH
  if (domid === DOMID_IO) return caller.privileged ? caller : -EPERM
  const domain = xen.domains.get(domid)
  return domain && caller.privileged ? domain : -ESRCH
}

export function mmuUpdate(call: Call, [list = 0, count = 0, done = 0, domid = DOMID_SELF]: readonly number[]): number {
  const { mem } = call
  const foreign = foreigner(call, domid)
  const updates = count >>> 0
  let result = typeof foreign === 'number' ? -ESRCH : updates > UPDATES_MAX ? -EINVAL : 0
  let i = 0
  if (result === 0)
    for (; i < updates && result === 0; i++) {
      result = oneUpdate(call, list + i * mmu_update.size, foreign as Domain)
      if (result !== 0) break
    }
  if (done !== 0) mem.write32(done, i)
  return result
}

function oneUpdate({ xen, caller, mem }: Call, at: number, foreign: Domain): number {
  const low = mem.read32(at)
  const command = low & 7
  const target = low - command + mem.read32(at + 4) * 2 ** 32
  const mfn = Math.floor(target / PAGE_SIZE)
  switch (command) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_PRESERVE_AD: {
      if (!mfnValid(xen, mfn) || !getPage(xen, mfn, caller)) {
        guestLog(xen, XENLOG_WARNING, 'mm.c:557', `Could not get page ref for pfn ${hex(mfn)}`)
        guestLog(xen, XENLOG_WARNING, 'mm.c:2613', 'Could not get page for normal update')
        return -EINVAL
      }
      // No page table of a module vCPU's is in use: what is not writable is one of the boot tables, and those stay.
      const writable = getWritable(xen, mfn)
      if (writable) {
        xen.mem.write64(target, mem.read64(at + 8))
        putWritable(xen, mfn)
      }
      putPage(xen, mfn)
      return writable ? 0 : -EINVAL
    }
    case MMU_MACHPHYS_UPDATE:
      if (!mfnValid(xen, mfn) || !getPage(xen, mfn, foreign)) {
        guestLog(xen, XENLOG_WARNING, 'mm.c:557', `Could not get page ref for pfn ${hex(mfn)}`)
        guestLog(xen, XENLOG_WARNING, 'mm.c:2710', 'Could not get page for mach->phys update')
        return -EINVAL
      }
      xen.heap.frames.m2p[mfn] = mem.read32(at + 8)
      putPage(xen, mfn)
      return 0
    default:
      guestLog(xen, XENLOG_WARNING, 'mm.c:2729', `Invalid page update command ${hex(command)}`)
      return -ENOSYS
  }
}

/**
 * Of the extended operations a module vCPU has use for those that flush, which do nothing: what `translate` says is always true. Page tables
 * are a domain builder's, for a domain that has not been started.
 */
export function mmuextOp(call: Call, [list = 0, count = 0, done = 0, domid = DOMID_SELF]: readonly number[]): number {
  const { mem } = call
  const foreign = foreigner(call, domid)
  const operations = count >>> 0
  let result = typeof foreign === 'number' ? -ESRCH : operations > UPDATES_MAX ? -EINVAL : 0
  let i = 0
  if (result === 0)
    for (; i < operations; i++) {
      result = extended(call, list + i * mmuext_op.size, foreign as Domain)
      if (result !== 0) break
    }
  if (done !== 0) mem.write32(done, i)
  return result
}

function extended({ xen, caller, mem }: Call, at: number, foreign: Domain): number {
  const { cmd, arg1 } = mmuext_op.fields
  switch (cmd.get(mem, at)) {
    case MMUEXT_PIN_L4_TABLE:
      // Its own addresses are no page tables' (design D4).
      if (foreign === caller) return -ENOSYS
      return pinRoot(xen, foreign, Number(arg1.get(mem, at))) ? 0 : -EINVAL
    case MMUEXT_UNPIN_TABLE:
      return unpinRoot(xen, caller, Number(arg1.get(mem, at))) ? 0 : -EINVAL
    case MMUEXT_TLB_FLUSH_LOCAL:
    case MMUEXT_INVLPG_LOCAL:
    case MMUEXT_TLB_FLUSH_MULTI:
    case MMUEXT_INVLPG_MULTI:
    case MMUEXT_TLB_FLUSH_ALL:
    case MMUEXT_INVLPG_ALL:
      return 0
    case MMUEXT_FLUSH_CACHE:
      return caller.privileged ? 0 : -EINVAL
    default:
      return -ENOSYS
  }
}
