/** xen/arch/x86/mm.c: a grant's place in the page tables of who maps it. The frame's reference is the grant's: it is held before, and given back after. */
import {
  _GNTMAP_guest_avail0,
  GNTMAP_contains_pte,
  GNTMAP_readonly,
  GNTST_general_error,
  GNTST_okay,
} from '#abi/xen/grant_table.ts'
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from '#abi/xen/xen.ts'
import type { Vcpu } from '../common/domain.ts'
import { hex } from '../common/lib.ts'
import type { Xen } from '../xen.ts'
import { flushTlb } from './flushtlb.ts'
import { guestWalk } from './guest-walk.ts'
import { updateEntry } from './page-table-entries.ts'
import {
  adjustedHigh,
  adjustedLow,
  frameOf,
  getFrame,
  getTableType,
  mmWarn,
  putEntry,
  putTableType,
  tableLevel,
} from './page-table-types.ts'
import { putPage } from './page-type.ts'

/** Bits of an entry that are its owner's. */
const _PAGE_AVAIL0 = 0x200
const _PAGE_AVAIL = 0xe00
const GRANT_PTE_FLAGS = _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_USER

/** The entry of the first level at that address of the guest's, or in memory; `body` is told where. */
function withEntry(
  xen: Xen,
  vcpu: Vcpu,
  addr: number,
  flags: number,
  lines: { readonly va: number; readonly page: number; readonly type: number },
  body: (at: number) => number,
): number {
  const { domain } = vcpu
  if ((flags & GNTMAP_contains_pte) === 0) {
    const at = guestWalk(xen, vcpu, addr)?.at
    if (at !== undefined && tableLevel(xen, Math.floor(at / PAGE_SIZE)) === 1) return body(at)
    mmWarn(xen, lines.va, `Could not find L1 PTE for address ${hex(unsignedVaddr(addr))}`)
    return GNTST_general_error
  }
  const mfn = Math.floor(addr / PAGE_SIZE)
  if (!getFrame(xen, mfn, domain)) {
    mmWarn(xen, lines.page, 'Could not get page for normal update')
    return GNTST_general_error
  }
  let status: number = GNTST_general_error
  if (addr % 8 === 0 && tableLevel(xen, mfn) === 1 && getTableType(xen, domain, mfn, 1)) {
    status = body(addr)
    putTableType(xen, mfn)
  } else mmWarn(xen, lines.type, 'Grant map attempted to update a non-L1 page')
  putPage(xen, mfn)
  return status
}

/** create_grant_host_mapping */
export function createGrantPte(xen: Xen, vcpu: Vcpu, addr: number, frame: number, flags: number): number {
  return withEntry(xen, vcpu, addr, flags, { va: 2909, page: 2782, type: 2793 }, (at) => {
    const oldLow = xen.mem.read32(at)
    const oldHigh = xen.mem.read32(at + 4)
    const address = frame * PAGE_SIZE
    const avail = ((flags >>> _GNTMAP_guest_avail0) * _PAGE_AVAIL0) & _PAGE_AVAIL
    const low = (address | GRANT_PTE_FLAGS | avail | (flags & GNTMAP_readonly ? 0 : _PAGE_RW)) >>> 0
    const high = adjustedHigh(1, low, Math.floor(address / 2 ** 32))
    updateEntry(xen, vcpu.domain, at, adjustedLow(1, low, high), high)
    putEntry(xen, vcpu.domain, 1, oldLow, oldHigh, Math.floor(at / PAGE_SIZE))
    return GNTST_okay
  })
}

/**
 * replace_grant_host_mapping: the entry goes, or `newAddr`'s takes its place. It must have the rights that the mapping had: of two mappings of
 * one frame, 3.3 would let the writable one stay for the read-only one's count (later fixed there too).
 */
export function replaceGrantPte(
  xen: Xen,
  vcpu: Vcpu,
  addr: number,
  frame: number,
  newAddr: Vaddr,
  flags: number,
): number {
  const { domain } = vcpu
  const put = (at: number, low: number, high: number): number => replace(xen, vcpu, at, addr, frame, flags, low, high)
  const lines = { va: 2940, page: 2838, type: 2849 }
  if (newAddr === 0) return withEntry(xen, vcpu, addr, flags, lines, (at) => put(at, 0, 0))
  if (flags & GNTMAP_contains_pte) {
    mmWarn(xen, 3011, 'Unsupported grant table operation')
    return GNTST_general_error
  }
  return withEntry(xen, vcpu, newAddr, 0, { ...lines, va: 3021 }, (from) => {
    const low = xen.mem.read32(from)
    const high = xen.mem.read32(from + 4)
    updateEntry(xen, domain, from, 0, 0)
    const status = withEntry(xen, vcpu, addr, 0, lines, (at) => put(at, low, high))
    if (status !== GNTST_okay) putEntry(xen, domain, 1, low, high, Math.floor(from / PAGE_SIZE))
    return status
  })
}

function replace(
  xen: Xen,
  { domain }: Vcpu,
  at: number,
  addr: number,
  frame: number,
  flags: number,
  low: number,
  high: number,
): number {
  const oldLow = xen.mem.read32(at)
  const oldFrame = frameOf(oldLow, xen.mem.read32(at + 4))
  const writable = (flags & GNTMAP_readonly) === 0
  if ((oldLow & _PAGE_PRESENT) === 0 || oldFrame !== frame || ((oldLow & _PAGE_RW) !== 0) !== writable) {
    const line = flags & GNTMAP_contains_pte ? 2862 : 2952
    mmWarn(
      xen,
      line,
      `PTE entry ${hex(oldFrame)} for address ${hex(unsignedVaddr(addr))} doesn't match frame ${hex(frame)}`,
    )
    return GNTST_general_error
  }
  updateEntry(xen, domain, at, low, high)
  // Its owner may give the frame to somebody else at once.
  flushTlb(domain)
  return GNTST_okay
}
