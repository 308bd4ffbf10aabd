/** A domain builder for bench.ts, as small as can be: what libxc does, by the same hypercalls. */
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_getdomaininfo,
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_U,
  xen_domctl,
  xen_domctl_createdomain,
  xen_domctl_getdomaininfo,
  xen_domctl_max_mem,
  xen_domctl_max_vcpus,
  xen_domctl_vcpucontext,
} from '#abi/xen/domctl.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import { XENMEM_populate_physmap, xen_memory_reservation } from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VGCF_in_kernel, VGCF_online, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_domctl,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  MMUEXT_PIN_L4_TABLE,
  mmuext_op,
  start_info,
} from '#abi/xen/xen.ts'

/** Where the kernel is linked to: pfn 0. */
export const BASE = -0x80000000
export const ENTRY = BASE + 0x200000
export const RW = 0x67
export const RO = 0x65
export const START_INFO = 4
export const GRANTED = 6

export function must(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: ${result}`)
  return result
}

export interface Builder {
  readonly vcpu: VirtualCpu
  readonly scratch: number
  /** Where a frame of another domain is mapped for a moment. */
  readonly window: number
}

export function domctl(
  { vcpu: { mem, hypercall }, scratch }: Builder,
  cmd: number,
  domain: number,
  layout?: { write(mem: VirtualCpu['mem'], at: number, values: object): void },
  values: object = {},
): number {
  mem.fill(scratch, 256, 0)
  xen_domctl.write(mem, scratch, { cmd, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain })
  layout?.write(mem, scratch + XEN_DOMCTL_U, values)
  return hypercall(__HYPERVISOR_domctl, scratch)
}

/** Create, populate, tables, start_info, root pinned, context set; from page `code` on this kernel's own image, unless 0. */
export function build(builder: Builder, domid: number, pages: number, code: number): void {
  const { vcpu, scratch, window } = builder
  const { mem, hypercall } = vcpu
  const make = (cmd: number, layout: Parameters<typeof domctl>[3], values: object): number =>
    must(domctl(builder, cmd, domid, layout, values), `domctl ${cmd}`)
  make(XEN_DOMCTL_createdomain, xen_domctl_createdomain, { handle: new Uint8Array(16).fill(domid) })
  make(XEN_DOMCTL_max_vcpus, xen_domctl_max_vcpus, { max: 1 })
  make(XEN_DOMCTL_max_mem, xen_domctl_max_mem, { max_memkb: BigInt(pages * 4) })
  const list = scratch + PAGE_SIZE
  for (let i = 0; i < pages; i++) mem.write64(list + 8 * i, BigInt(i))
  xen_memory_reservation.write(mem, scratch, {
    extent_start: list,
    nr_extents: BigInt(pages),
    extent_order: 0,
    mem_flags: 0,
    domid,
  })
  must(hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, scratch) - pages, 'populate_physmap')
  const mfns = Array.from({ length: pages }, (_, i) => mem.read32(list + 8 * i))
  const inPage = (pfn: number, body: () => void): void => {
    const entry = mfns[pfn]! * PAGE_SIZE + RW
    must(hypercall(__HYPERVISOR_update_va_mapping_otherdomain, window, entry, 0, domid), 'mapping it')
    body()
    hypercall(__HYPERVISOR_update_va_mapping, window, 0, 0)
  }
  const entry = (pfn: number, slot: number, to: number): void =>
    inPage(pfn, () => mem.write64(window + 8 * slot, BigInt(mfns[to]!) * 4096n + BigInt(RW)))
  entry(0, 511, 1)
  entry(1, 510, 2)
  entry(2, 0, 3)
  inPage(3, () => {
    for (let pfn = 0; pfn < pages; pfn++)
      mem.write64(window + 8 * pfn, BigInt(mfns[pfn]!) * 4096n + BigInt(pfn < START_INFO ? RO : RW))
  })
  make(XEN_DOMCTL_getdomaininfo, xen_domctl_getdomaininfo, {})
  const shared = Number(xen_domctl_getdomaininfo.fields.shared_info_frame.get(mem, scratch + XEN_DOMCTL_U))
  inPage(START_INFO, () => {
    start_info.write(mem, window, { nr_pages: pages, shared_info: shared * PAGE_SIZE, flags: 0 })
    // What this kernel alone looks for there: the frame that it is to grant.
    mem.write32(window + PAGE_SIZE - 8, mfns[GRANTED]!)
  })
  if (code > 0)
    for (let pfn = code; pfn < pages; pfn++)
      inPage(pfn, () => mem.copyIn(window, mem.copyOut(ENTRY + (pfn - code) * PAGE_SIZE, PAGE_SIZE)))
  mmuext_op.write(mem, scratch, { cmd: MMUEXT_PIN_L4_TABLE, arg1: BigInt(mfns[0]!) })
  must(hypercall(__HYPERVISOR_mmuext_op, scratch, 1, 0, domid), 'pin')
  mem.fill(list, vcpu_guest_context.size, 0)
  vcpu_guest_context.write(mem, list, {
    flags: BigInt(VGCF_in_kernel | VGCF_online),
    rip: BASE + code * PAGE_SIZE,
    rsi: BASE + START_INFO * PAGE_SIZE,
    rflags: 0x200n,
    ctrlreg3: BigInt(mfns[0]!) * 4096n,
  })
  make(XEN_DOMCTL_setvcpucontext, xen_domctl_vcpucontext, { vcpu: 0, ctxt: list })
}
