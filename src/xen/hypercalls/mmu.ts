/** update_va_mapping (14), mmu_update (1): what a guest's addresses lead to (xen/arch/x86/mm.c), by its page tables, or in its page map. */
import { EFAULT, EINVAL, ENOSYS, ESRCH } from '#abi/xen/errno.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import {
  DOMID_IO,
  DOMID_SELF,
  DOMID_XEN,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
  MMU_MACHPHYS_UPDATE,
  MMU_NORMAL_PT_UPDATE,
  MMU_PT_UPDATE_PRESERVE_AD,
  mmu_update,
  UVMF_ALL,
  UVMF_FLUSHTYPE_MASK,
  UVMF_LOCAL,
  UVMF_NONE,
  UVMF_TLB_FLUSH,
} from '#abi/xen/xen.ts'
import { flushTlb, flushTlbOne } from '../arch-x86/flushtlb.ts'
import { guestWalk } from '../arch-x86/guest-walk.ts'
import { modEntry, modTable } from '../arch-x86/page-table-entries.ts'
import { getFrame, mmWarn, tableLevel } from '../arch-x86/page-table-types.ts'
import {
  type FrameOwner,
  getPageFromL1e,
  getWritable,
  putPage,
  putPageFromL1e,
  putWritable,
} from '../arch-x86/page-type.ts'
import { isCanonical } from '../arch-x86/uaccess.ts'
import { type Domain, privilegedFor } from '../common/domain.ts'
import { hex } from '../common/lib.ts'
import { Rangeset } from '../common/rangeset.ts'
import type { Xen } from '../xen.ts'
import { type Call, orEfault } from './op-table.ts'

/** More is refused. The real one is preempted in the middle, and goes on. */
const UPDATES_MAX = 65536
/** Of `count`: a call that Xen itself has made again. */
const MMU_UPDATE_PREEMPTED = 0x80000000 | 0

/** The entry as a number: bits 0 to 31 and 32 to 63. */
export const updateVaMapping = (call: Call, [va = 0, pte = 0, flags = 0]: readonly number[]): number =>
  updateVa(call, va, pte >>> 0, Math.floor(pte / 2 ** 32) >>> 0, flags)

export const updateVaMappingOtherdomain = (
  call: Call,
  [va = 0, pte = 0, flags = 0, domid = DOMID_SELF]: readonly number[],
): number => updateVaOtherdomain(call, va, pte >>> 0, Math.floor(pte / 2 ** 32) >>> 0, flags, domid)

/** The same with a frame of another domain's, for who may. */
export function updateVaOtherdomain(
  call: Call,
  va: Vaddr,
  pteLow: number,
  pteHigh: number,
  flags: number,
  domid: number,
): number {
  const foreign = foreigner(call, domid)
  return foreign ? updateVa(call, va, pteLow, pteHigh, flags, foreign) : -ESRCH
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
  if (!isCanonical(va)) return -EINVAL
  if (va >= HYPERVISOR_VIRT_START && va < HYPERVISOR_VIRT_END) return -EINVAL
  const okay = caller.pageMapped
    ? mapPage(xen, caller, va, pteLow, pteHigh, owner)
    : modMapping(call, va, pteLow, pteHigh, owner)
  const flush = okay || !caller.pageMapped ? flushed(call, va, flags) : 0
  return okay ? flush : flush === 0 ? -EINVAL : flush
}

function mapPage(xen: Xen, caller: Domain, va: Vaddr, low: number, high: number, owner: FrameOwner): boolean {
  const { pageMap } = caller
  const page = Math.floor(va / PAGE_SIZE)
  const entry = getPageFromL1e(xen, low, high, owner)
  if (entry === undefined) return false
  const old = pageMap.lookup(page)
  if (!pageMap.set(page, entry)) {
    putPageFromL1e(xen, entry, caller)
    return false
  }
  putPageFromL1e(xen, old, caller)
  return true
}

/** The same in the caller's own table. Through a linear mapping a table above could be reached: that is none of the first level. */
function modMapping({ xen, vcpu, caller }: Call, va: Vaddr, low: number, high: number, owner: FrameOwner): boolean {
  const at = guestWalk(xen, vcpu, va)?.at
  if (at === undefined || tableLevel(xen, Math.floor(at / PAGE_SIZE)) !== 1) return false
  return modEntry(xen, caller, 1, at, low, high, false, owner)
}

/** What the processors have to forget; the pointer to a set of vCPUs is looked at whether they have a TLB or not. */
function flushed({ vcpu, caller, mem }: Call, va: Vaddr, flags: number): number {
  const type = flags & UVMF_FLUSHTYPE_MASK
  if (type === UVMF_NONE) return 0
  const pointer = flags - type
  const one = type !== UVMF_TLB_FLUSH
  if (pointer === UVMF_LOCAL) flushVcpus(caller, 2 ** vcpu.id, one ? va : undefined)
  else if (pointer !== UVMF_ALL)
    return orEfault(() => {
      flushVcpus(caller, mem.read32(pointer), one ? va : undefined)
      return 0
    })
  else if (one) flushTlbOne(caller, va)
  else flushTlb(caller)
  return 0
}

/** Of the vCPUs in a bitmap: one page's translation, or all. */
export function flushVcpus(domain: Domain, vcpus: number, va: Vaddr | undefined): void {
  for (const vcpu of domain.vcpus) {
    if (!vcpu?.ring3 || Math.floor(vcpus / 2 ** vcpu.id) % 2 === 0) continue
    if (va === undefined) vcpu.ring3.flush()
    else vcpu.ring3.flushPage(va)
  }
}

/** set_foreigndom: whose frames are meant. Undefined: nobody's that the caller may mean. */
function foreigner({ xen, caller }: Call, number: number): FrameOwner | undefined {
  const domid = number & 0xffff
  if (domid === DOMID_SELF) return caller
  if (domid === caller.id) {
    mmWarn(xen, 2171, 'Cannot specify itself as foreign domain')
    return undefined
  }
  // What I/O frames somebody may map is a matter of the caller's own rights.
  if (domid === DOMID_IO) return nobody(DOMID_IO, caller.iomemCaps)
  if (domid === DOMID_XEN && caller.privileged) return nobody(DOMID_XEN)
  const domain = xen.domains.get(domid)
  if (domain && privilegedFor(caller, domain)) return domain
  if (domain || domid === DOMID_XEN) mmWarn(xen, domain ? 2201 : 2186, 'Cannot set foreign dom')
  else mmWarn(xen, 2195, `Unknown domain '${domid}'`)
  return undefined
}

/** dom_io and dom_xen, which are domains in name only. */
function nobody(id: number, iomemCaps = new Rangeset('I/O Memory', true)): FrameOwner {
  return { id, dying: false, iomemCaps, ioportCaps: new Rangeset('I/O Ports', true) }
}

/** Requests one after the other until one fails; `done` is told how many did not. */
export function batch(
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
    if (result === -EFAULT) mmWarn(call.xen, bytes === mmu_update.size ? 2586 : 2286, 'Bad __copy_from_guest')
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

function oneUpdate({ xen, caller, mem }: Call, at: number, foreign: FrameOwner): number {
  const low = mem.read32(at)
  const command = low & 7
  const target = low - command + mem.read32(at + 4) * 2 ** 32
  const mfn = Math.floor(target / PAGE_SIZE)
  switch (command) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_PRESERVE_AD: {
      const value = { low: mem.read32(at + 8), high: mem.read32(at + 12) }
      if (!getFrame(xen, mfn, caller)) {
        mmWarn(xen, 2613, 'Could not get page for normal update')
        return -EINVAL
      }
      const preserveAd = command === MMU_PT_UPDATE_PRESERVE_AD
      const okay = modTable(xen, caller, target, value.low, value.high, preserveAd, foreign)
      const done = okay ?? writeWord(xen, target, value)
      putPage(xen, mfn)
      return done ? 0 : -EINVAL
    }
    case MMU_MACHPHYS_UPDATE: {
      const pfn = { low: mem.read32(at + 8), high: mem.read32(at + 12) }
      if (!getFrame(xen, mfn, foreign)) {
        mmWarn(xen, 2710, 'Could not get page for mach->phys update')
        return -EINVAL
      }
      xen.heap.frames.m2p.set(mfn, pfn.low, pfn.high)
      putPage(xen, mfn)
      return 0
    }
    default:
      mmWarn(xen, 2729, `Invalid page update command ${hex(command)}`)
      return -ENOSYS
  }
}

/** Into a frame that is no table, and could be written to by its owner itself. */
function writeWord(xen: Xen, at: number, { low, high }: { readonly low: number; readonly high: number }): boolean {
  const mfn = Math.floor(at / PAGE_SIZE)
  if (!getWritable(xen, mfn)) return false
  xen.mem.write32(at, low)
  xen.mem.write32(at + 4, high)
  putWritable(xen, mfn)
  return true
}
