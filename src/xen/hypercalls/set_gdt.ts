/** set_gdt (2) and update_descriptor (10): the guest's descriptors (xen/arch/x86/mm.c). */
import { FIRST_RESERVED_GDT_ENTRY } from '#abi/xen/arch-x86.ts'
import { EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { checkDescriptor, DESCRIPTORS_PER_PAGE, getSegDesc, putSegDesc, setGdt } from '../arch-x86/descriptors.ts'
import { getPage, getWritable, mfnValid, putPage, putWritable } from '../arch-x86/page-type.ts'
import { PGT_seg_desc_page, PGT_type_mask } from '../common/page-alloc.ts'
import type { Call } from './op-table.ts'

export function doSetGdt({ xen, vcpu, mem }: Call, [list = 0, count = 0]: readonly number[]): number {
  const entries = count >>> 0
  if (entries > FIRST_RESERVED_GDT_ENTRY) return -EINVAL
  const frames = Array.from({ length: Math.ceil(entries / DESCRIPTORS_PER_PAGE) }, (_, i) =>
    Number(mem.read64(list + 8 * i)),
  )
  return setGdt(xen, vcpu, frames, entries)
}

/**
 * A number has 53 bits, a descriptor 64: what does not fit goes by multicall, which hands its words over as they are.
 */
export const doUpdateDescriptor = (call: Call, [maddr = 0, descriptor = 0]: readonly number[]): number =>
  updateDescriptor(call, maddr, descriptor >>> 0, Math.floor(descriptor / 2 ** 32) >>> 0)

export function updateDescriptor({ xen, vcpu, caller }: Call, maddr: number, low: number, high: number): number {
  const mfn = Math.floor(maddr / PAGE_SIZE)
  const checked = checkDescriptor(low, high)
  if (maddr % 8 !== 0 || !mfnValid(xen, mfn) || !checked || !getPage(xen, mfn, caller)) return -EINVAL
  const inUse = (xen.heap.frames.typeInfo[mfn]! & PGT_type_mask) >>> 0 === PGT_seg_desc_page
  const okay = inUse ? getSegDesc(xen, mfn) : getWritable(xen, mfn)
  if (okay) {
    xen.mem.write32(maddr, checked[0])
    xen.mem.write32(maddr + 4, checked[1])
    vcpu.frame.stale = true
    if (inUse) putSegDesc(xen, mfn)
    else putWritable(xen, mfn)
  }
  putPage(xen, mfn)
  return okay ? 0 : -EINVAL
}
