/**
 * xen/arch/x86/mm.c and x86_64/mm.c: a guest's descriptor tables. A frame that holds one has a type of its own: whoever has it in use as
 * such, nobody can write it but by update_descriptor, and each of its descriptors has been looked at.
 */
import { FIRST_RESERVED_GDT_ENTRY } from '#abi/xen/arch-x86.ts'
import { EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import type { Domain, Vcpu } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { PGT_count_mask, PGT_seg_desc_page, PGT_type_mask, PGT_validated } from '../common/page-alloc.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { contextOf } from './guest-context.ts'
import { MAP_PRESENT } from './mm.ts'
import { getPage, gpfnOf, mfnValid, putPage } from './page-type.ts'

export const DESCRIPTORS_PER_PAGE = PAGE_SIZE / 8
/** asm-x86/desc.h: bits of a descriptor's upper half. */
const _SEGMENT_TYPE = 15 << 8
const _SEGMENT_S = 1 << 12
const _SEGMENT_DPL = 3 << 13
const _SEGMENT_P = 1 << 15
const CALL_GATE = 0xc00
/** What a call gate of 64 bits has to leave 0. */
const GATE_RESERVED = 0xff

const gateSelectorOkay = (selector: number): boolean =>
  selector >> 3 < FIRST_RESERVED_GDT_ENTRY || selector === FLAT_KERNEL_CS || (selector & 4) !== 0

/** check_descriptor: both halves, made harmless; undefined: it may not be. */
export function checkDescriptor(low: number, high: number): readonly [number, number] | undefined {
  if ((high & _SEGMENT_P) === 0) return [low, high]
  // A guest's kernel runs in ring 3: so do all of its segments.
  const fixed = (high | _SEGMENT_DPL) >>> 0
  if (high & _SEGMENT_S || (high & _SEGMENT_TYPE) === 0) return [low, fixed]
  const selector = low >>> 16
  if ((high & _SEGMENT_TYPE) !== CALL_GATE || !gateSelectorOkay(selector) || high & GATE_RESERVED) return undefined
  return [((low & 0xffff) | ((selector | 3) << 16)) >>> 0, (high & ~_SEGMENT_DPL) >>> 0]
}

/** alloc_segdesc_page */
function validate({ mem }: Xen, mfn: number): boolean {
  for (let at = mfn * PAGE_SIZE; at < (mfn + 1) * PAGE_SIZE; at += 8) {
    const low = mem.read32(at)
    const high = mem.read32(at + 4)
    const checked = checkDescriptor(low, high)
    if (!checked) return false
    if (checked[0] !== low) mem.write32(at, checked[0])
    if (checked[1] !== high) mem.write32(at + 4, checked[1])
  }
  return true
}

/** get_page_type(PGT_seg_desc_page) */
export function getSegDesc(xen: Xen, mfn: number): boolean {
  const { typeInfo, countInfo } = xen.heap.frames
  const info = typeInfo[mfn]!
  if ((info & PGT_count_mask) === 0) {
    typeInfo[mfn] = PGT_seg_desc_page + 1
    if (validate(xen, mfn)) {
      typeInfo[mfn] = PGT_seg_desc_page + PGT_validated + 1
      return true
    }
    warn(
      xen,
      2037,
      `Error while validating mfn ${hex(mfn)} (pfn ${hex(gpfnOf(xen, mfn))}) for type ${hex(PGT_seg_desc_page, 16)}: ` +
        `caf=${hex(countInfo[mfn]!, 8)} taf=${hex(typeInfo[mfn]!, 16)}`,
    )
    typeInfo[mfn] = 0
    return false
  }
  if ((info & PGT_type_mask) >>> 0 !== PGT_seg_desc_page) {
    const pfn = hex(gpfnOf(xen, mfn))
    warn(
      xen,
      2002,
      `Bad type (saw ${hex(info, 16)} != exp ${hex(PGT_seg_desc_page, 16)}) for mfn ${hex(mfn)} (pfn ${pfn})`,
    )
    return false
  }
  typeInfo[mfn] = info + 1
  return true
}

export function putSegDesc({ heap }: Xen, mfn: number): void {
  const { typeInfo } = heap.frames
  const info = typeInfo[mfn]! - 1
  typeInfo[mfn] = info & PGT_count_mask ? info : info - PGT_validated
}

/** get_page_and_type */
function getTable(xen: Xen, domain: Domain, mfn: number): boolean {
  if (!mfnValid(xen, mfn) || !getPage(xen, mfn, domain)) return false
  if (getSegDesc(xen, mfn)) return true
  putPage(xen, mfn)
  return false
}

function putTable(xen: Xen, mfn: number): void {
  putSegDesc(xen, mfn)
  putPage(xen, mfn)
}

const warn = (xen: Xen, line: number, text: string): void => guestLog(xen, XENLOG_WARNING, `mm.c:${line}`, text)

/** set_gdt: all of its frames are held, or nothing has changed. */
export function setGdt(xen: Xen, vcpu: Vcpu, frames: readonly number[], entries: number): number {
  if (entries > FIRST_RESERVED_GDT_ENTRY) return -EINVAL
  const wanted = frames.slice(0, Math.ceil(entries / DESCRIPTORS_PER_PAGE))
  const held: number[] = []
  for (const mfn of wanted) {
    if (!getTable(xen, vcpu.domain, mfn)) {
      for (const taken of held.reverse()) putTable(xen, taken)
      return -EINVAL
    }
    held.push(mfn)
  }
  destroyGdt(xen, vcpu)
  vcpu.gdtFrames = held
  const context = contextOf(vcpu)
  const { gdt_frames, gdt_ents } = vcpu_guest_context.fields
  for (const [i, mfn] of held.entries()) context.write64(gdt_frames.offset + 8 * i, BigInt(mfn))
  gdt_ents.set(context, 0, BigInt(entries))
  return 0
}

/** What its tables hold, all of it: a vCPU that begins anew, or ends. */
export function dropTables(xen: Xen, vcpu: Vcpu): void {
  destroyGdt(xen, vcpu)
  invalidateLdt(xen, vcpu)
}

/** destroy_gdt */
export function destroyGdt(xen: Xen, vcpu: Vcpu): void {
  for (const mfn of vcpu.gdtFrames.splice(0)) putTable(xen, mfn)
  if (!vcpu.context) return
  const { gdt_frames, gdt_ents } = vcpu_guest_context.fields
  const context = contextOf(vcpu)
  context.fill(gdt_frames.offset, gdt_frames.bytes, 0)
  gdt_ents.set(context, 0, 0n)
}

/** map_ldt_shadow_page, of the first page: no instruction of a module vCPU's ever reaches the others. */
export function mapLdt(xen: Xen, vcpu: Vcpu, base: number): void {
  const entry = vcpu.domain.pageMap.lookup(Math.floor(base / PAGE_SIZE))
  if ((entry & MAP_PRESENT) !== 0 && getTable(xen, vcpu.domain, entry >>> 2)) vcpu.ldtFrame = entry >>> 2
}

/** invalidate_shadow_ldt */
export function invalidateLdt(xen: Xen, vcpu: Vcpu): void {
  const mfn = vcpu.ldtFrame
  vcpu.ldtFrame = 0
  if (mfn !== 0) putTable(xen, mfn)
}
