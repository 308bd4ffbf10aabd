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
import { typeChanges } from './flushtlb.ts'
import { contextOf } from './guest-context.ts'
import { MAP_PRESENT } from './mm.ts'
import { getPage, gpfnOf, mfnValid, putPage } from './page-type.ts'
import { machineAddress } from './page-walk.ts'

export const DESCRIPTORS_PER_PAGE = PAGE_SIZE / 8
/** asm-x86/desc.h: bits of a descriptor's upper half. */
const _SEGMENT_TYPE = 15 << 8
const _SEGMENT_S = 1 << 12
const _SEGMENT_DPL = 3 << 13
const _SEGMENT_P = 1 << 15
const _SEGMENT_CODE = 1 << 11
const _SEGMENT_L = 1 << 21
const _SEGMENT_DB = 1 << 22
/** The page of a GDT from which on it is Xen's own. */
const FIRST_RESERVED_GDT_PAGE = FIRST_RESERVED_GDT_ENTRY / DESCRIPTORS_PER_PAGE
/** Upper halves of the descriptors that Xen has in every GDT from FIRST_RESERVED_GDT_ENTRY + 1 on (x86_64/entry.S, gdt_table). */
export const XEN_DESCRIPTORS: readonly number[] = [
  0x00af9a00, 0x00cf9200, 0, 0x00cffa00, 0x00cff200, 0x00affa00, 0x00cf9a00,
]
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
    typeChanges(xen, mfn, PGT_seg_desc_page)
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
  loadGdt(xen, vcpu)
  return 0
}

/** LGDT: its own frames, and Xen's after them. Whatever selectors are loaded may mean something else now. */
export function loadGdt(xen: Xen, vcpu: Vcpu): void {
  if (!vcpu.ring3 || xen.gdtFrame === undefined) return
  const frames = new Array<number>(FIRST_RESERVED_GDT_PAGE + 1).fill(0)
  for (const [i, mfn] of vcpu.gdtFrames.entries()) frames[i] = mfn
  frames[FIRST_RESERVED_GDT_PAGE] = xen.gdtFrame
  vcpu.ring3.setGdt(frames, frames.length * DESCRIPTORS_PER_PAGE)
  vcpu.frame.stale = true
}

/** gdt_table: Xen's own descriptors, in a frame that each GDT of machine code has. False: there is no room for it. */
export function initGdtTable(xen: Xen): boolean {
  if (xen.gdtFrame !== undefined) return true
  const mfn = xen.heap.allocXenHeapPages(0)
  if (mfn === undefined) return false
  xen.mem.fill(mfn * PAGE_SIZE, PAGE_SIZE, 0)
  for (const [i, high] of XEN_DESCRIPTORS.entries()) {
    if (high === 0) continue
    xen.mem.write32(mfn * PAGE_SIZE + 8 * (i + 1), 0xffff)
    xen.mem.write32(mfn * PAGE_SIZE + 8 * (i + 1) + 4, high)
  }
  xen.gdtFrame = mfn
  return true
}

/** read_descriptor: the upper half of what a selector names; undefined: it names nothing. */
function descriptorHigh(xen: Xen, vcpu: Vcpu, selector: number): number | undefined {
  const index = selector >> 3
  if (index === 0) return undefined
  const page = Math.floor(index / DESCRIPTORS_PER_PAGE)
  const local = (selector & 4) !== 0
  if (!local && page === FIRST_RESERVED_GDT_PAGE) return XEN_DESCRIPTORS[index - FIRST_RESERVED_GDT_ENTRY - 1]
  const mfn = (local ? vcpu.ldtFrames : vcpu.gdtFrames)[page] || undefined
  return mfn === undefined ? undefined : xen.mem.read32(mfn * PAGE_SIZE + (index % DESCRIPTORS_PER_PAGE) * 8 + 4)
}

/** So wide are addresses in the code segment; undefined: it is none. */
export function codeBytes(xen: Xen, vcpu: Vcpu, selector: number): 2 | 4 | 8 | undefined {
  const high = descriptorHigh(xen, vcpu, selector)
  const wanted = _SEGMENT_P | _SEGMENT_S | _SEGMENT_CODE
  if (high === undefined || (high & wanted) !== wanted) return undefined
  return high & _SEGMENT_L ? 8 : high & _SEGMENT_DB ? 4 : 2
}

export const inLongMode = (xen: Xen, vcpu: Vcpu, selector: number): boolean => codeBytes(xen, vcpu, selector) === 8

/** What its tables hold, all of it: a vCPU that begins anew, or ends. */
export function dropTables(xen: Xen, vcpu: Vcpu): void {
  destroyGdt(xen, vcpu)
  invalidateLdt(xen, vcpu)
}

/** destroy_gdt */
export function destroyGdt(xen: Xen, vcpu: Vcpu): void {
  for (const mfn of vcpu.gdtFrames.splice(0)) putTable(xen, mfn)
  loadGdt(xen, vcpu)
  if (!vcpu.context) return
  const { gdt_frames, gdt_ents } = vcpu_guest_context.fields
  const context = contextOf(vcpu)
  context.fill(gdt_frames.offset, gdt_frames.bytes, 0)
  gdt_ents.set(context, 0, 0n)
}

/** map_ldt_shadow_page, of all of its pages; of a module vCPU's the first, since no instruction of its ever reaches the others. */
export function mapLdt(xen: Xen, vcpu: Vcpu, base: number): void {
  const { domain, ring3 } = vcpu
  const entries = Number(vcpu_guest_context.fields.ldt_ents.get(contextOf(vcpu), 0))
  if (!ring3) {
    const entry = domain.pageMap.lookup(Math.floor(base / PAGE_SIZE))
    if ((entry & MAP_PRESENT) !== 0 && getTable(xen, domain, entry >>> 2)) vcpu.ldtFrames = [entry >>> 2]
    return
  }
  vcpu.ldtStale = false
  for (let page = 0; page * DESCRIPTORS_PER_PAGE < entries; page++) {
    const at = machineAddress(xen, vcpu.root, base + page * PAGE_SIZE)
    const mfn = at === undefined ? 0 : at / PAGE_SIZE
    vcpu.ldtFrames[page] = mfn !== 0 && getTable(xen, domain, mfn) ? mfn : 0
  }
  ring3.setLdt(vcpu.ldtFrames, entries)
  vcpu.frame.stale = true
}

/** Before its code runs: what LLDT has named, by the tables that are in use now. */
export function loadLdt(xen: Xen, vcpu: Vcpu): void {
  if (vcpu.ldtStale) mapLdt(xen, vcpu, vcpu_guest_context.fields.ldt_base.get(contextOf(vcpu), 0))
}

/** invalidate_shadow_ldt */
export function invalidateLdt(xen: Xen, vcpu: Vcpu): void {
  const held = vcpu.ldtFrames.splice(0)
  if (held.length > 0) vcpu.ring3?.setLdt([], 0)
  vcpu.ldtStale = vcpu.ring3 !== undefined && (vcpu.ldtStale || held.length > 0)
  for (const mfn of held) if (mfn !== 0) putTable(xen, mfn)
}
