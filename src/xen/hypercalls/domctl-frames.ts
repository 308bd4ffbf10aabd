/** domctl's commands about a domain's frames (xen/arch/x86/domctl.c). */
import type { Values } from '#abi/struct.ts'
import {
  XEN_DOMCTL_PFINFO_L1TAB,
  XEN_DOMCTL_PFINFO_LPINTAB,
  XEN_DOMCTL_PFINFO_LTAB_SHIFT,
  XEN_DOMCTL_PFINFO_XTAB,
  type xen_domctl_getmemlist,
  type xen_domctl_getpageframeinfo,
  type xen_domctl_getpageframeinfo2,
  type xen_domctl_hypercall_init,
} from '#abi/xen/domctl.ts'
import { E2BIG, EACCES, EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_iret } from '#abi/xen/xen.ts'
import { getPage, getWritable, mfnValid, putPage, putWritable } from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { PGT_count_mask, PGT_l1_page_table, PGT_pinned } from '../common/page-alloc.ts'
import type { Xen } from '../xen.ts'
import type { Call } from './op-table.ts'

const FRAMES_MAX = 1024
const INT3 = 0xcc

/** Of the tables each is one more than the one below, there and here. */
function tableType(info: number): number {
  const level = (info >>> 29) - (PGT_l1_page_table >>> 29)
  return level >= 0 && level < 4 ? (XEN_DOMCTL_PFINFO_L1TAB + level * 2 ** XEN_DOMCTL_PFINFO_LTAB_SHIFT) >>> 0 : 0
}

/** In the frame table's order. The real list is in that of their allocation. */
export function memList({ xen, mem }: Call, domain: Domain, arg: Values<typeof xen_domctl_getmemlist>): number {
  if (domain.dying) return -EINVAL
  const { heap } = xen
  const { owner } = heap.frames
  let count = 0
  for (let mfn = owner.indexOf(domain.id); mfn >= 0; mfn = owner.indexOf(domain.id, mfn + 1)) {
    if (heap.isXenHeap(mfn)) continue
    if (BigInt(count) >= arg.max_pfns) break
    mem.write64(arg.buffer + 8 * count++, BigInt(mfn))
  }
  arg.num_pfns = BigInt(count)
  return 0
}

export function frameInfo({ xen }: Call, domain: Domain, arg: Values<typeof xen_domctl_getpageframeinfo>): number {
  const mfn = Number(arg.gmfn)
  if (!mfnValid(xen, mfn) || !getPage(xen, mfn, domain)) return -EINVAL
  const info = xen.heap.frames.typeInfo[mfn]!
  arg.type = info & PGT_count_mask ? tableType(info) : 0
  putPage(xen, mfn)
  return 0
}

export function frameInfos(
  { xen, mem }: Call,
  domain: Domain,
  { num, array }: Values<typeof xen_domctl_getpageframeinfo2>,
): number {
  // An int in the real one.
  const count = Number(BigInt.asIntN(32, num))
  if (count > FRAMES_MAX) return -E2BIG
  for (let i = 0; i < count; i++) {
    const at = array + 4 * i
    const mfn = mem.read32(at)
    mem.write32(at, (mfn | infoOf(xen, domain, mfn)) >>> 0)
  }
  return 0
}

function infoOf(xen: Xen, domain: Domain, mfn: number): number {
  if (!mfnValid(xen, mfn) || !getPage(xen, mfn, domain)) return XEN_DOMCTL_PFINFO_XTAB
  const info = xen.heap.frames.typeInfo[mfn]!
  putPage(xen, mfn)
  return tableType(info) | (info & PGT_pinned ? XEN_DOMCTL_PFINFO_LPINTAB : 0)
}

/** hypercall_page_initialise: for each number, 32 bytes that make the call. False: the frame cannot be written in the domain's name. */
export function hypercallPageInitialise(xen: Xen, domain: Domain, mfn: number): boolean {
  if (!mfnValid(xen, mfn) || !getPage(xen, mfn, domain)) return false
  const writable = getWritable(xen, mfn)
  if (writable) {
    const page = new Uint8Array(PAGE_SIZE).fill(INT3)
    for (let nr = 0; nr < PAGE_SIZE / 32; nr++)
      page.set(
        nr === __HYPERVISOR_iret
          ? // push %rcx; push %r11; push %rax; mov $nr,%eax; syscall
            [0x51, 0x41, 0x53, 0x50, 0xb8, nr, 0, 0, 0, 0x0f, 0x05]
          : // push %rcx; push %r11; mov $nr,%eax; syscall; pop %r11; pop %rcx; ret
            [0x51, 0x41, 0x53, 0xb8, nr, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3],
        nr * 32,
      )
    xen.mem.copyIn(mfn * PAGE_SIZE, page)
    putWritable(xen, mfn)
  }
  putPage(xen, mfn)
  return writable
}

/** A module kernel jumps there never, but may look. */
export const hypercallInit = (
  { xen }: Call,
  domain: Domain,
  { gmfn }: Values<typeof xen_domctl_hypercall_init>,
): number => (hypercallPageInitialise(xen, domain, Number(gmfn)) ? 0 : -EACCES)
