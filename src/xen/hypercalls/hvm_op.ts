/** hvm_op (34): what is asked of HVM domains (xen/arch/x86/hvm/hvm.c). There are none: arguments and rights are looked at, and that is that. */
import type { Struct, Values } from '#abi/struct.ts'
import { EINVAL, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  HVM_NR_PARAMS,
  HVMOP_flush_tlbs,
  HVMOP_get_param,
  HVMOP_modified_memory,
  HVMOP_set_isa_irq_level,
  HVMOP_set_mem_type,
  HVMOP_set_param,
  HVMOP_set_pci_intx_level,
  HVMOP_set_pci_link_route,
  HVMOP_track_dirty_vram,
  xen_hvm_modified_memory,
  xen_hvm_param,
  xen_hvm_set_isa_irq_level,
  xen_hvm_set_mem_type,
  xen_hvm_set_pci_intx_level,
  xen_hvm_set_pci_link_route,
  xen_hvm_track_dirty_vram,
} from '#abi/xen/hvm/hvm_op.ts'
import { DOMID_SELF } from '#abi/xen/xen.ts'
import { privilegedFor } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import { type Call, type Hypercall, opIn, type RawOp } from './op-table.ts'

/** The domain that is meant is no HVM domain, if the caller may know of it at all. */
function refused({ xen, caller }: Call, domid: number): number {
  const domain = xen.domains.get(domid)
  if (!domain) return -ESRCH
  return privilegedFor(caller, domain) ? -EINVAL : -EPERM
}

// biome-ignore lint/suspicious/noExplicitAny: each row's struct has its own fields
const row = <S extends Struct<any>>(
  layout: S,
  { okay = () => true, self }: { readonly okay?: (arg: Values<S>) => boolean; readonly self: boolean },
): RawOp =>
  opIn(layout, (call, arg: Values<S>) => {
    const { domid } = arg as unknown as { domid: number }
    if (!okay(arg) || (self && domid === DOMID_SELF)) return -EINVAL
    return refused(call, domid)
  })

const param = row(xen_hvm_param, { okay: ({ index }) => index < HVM_NR_PARAMS, self: true })

const rows: Readonly<Record<number, RawOp>> = {
  [HVMOP_set_param]: param,
  [HVMOP_get_param]: param,
  [HVMOP_set_pci_intx_level]: row(xen_hvm_set_pci_intx_level, {
    okay: ({ domain, bus, device, intx }) => domain === 0 && bus === 0 && device <= 31 && intx <= 3,
    self: false,
  }),
  [HVMOP_set_isa_irq_level]: row(xen_hvm_set_isa_irq_level, { okay: ({ isa_irq }) => isa_irq <= 15, self: false }),
  [HVMOP_set_pci_link_route]: row(xen_hvm_set_pci_link_route, {
    okay: ({ link, isa_irq }) => link <= 3 && isa_irq <= 15,
    self: false,
  }),
  // The real one follows a null pointer where a PV domain asks; 3.3's successors refuse.
  [HVMOP_flush_tlbs]: (_call, pointer) => (pointer === 0 ? -EINVAL : -ENOSYS),
  [HVMOP_track_dirty_vram]: row(xen_hvm_track_dirty_vram, { self: true }),
  [HVMOP_modified_memory]: row(xen_hvm_modified_memory, { self: true }),
  [HVMOP_set_mem_type]: row(xen_hvm_set_mem_type, { self: true }),
}

export const hvmOp: Hypercall = (call, [command = 0, pointer = 0]) => {
  const run = rows[command]
  if (run) return run(call, pointer)
  guestLog(call.xen, XENLOG_WARNING, 'hvm.c:2692', `Bad HVM op ${command}.`)
  return -ENOSYS
}
