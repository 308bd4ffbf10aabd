/**
 * domctl's commands about devices: which ports, frames and interrupts a domain may touch, and what hands them through to it. Nothing of that
 * needs more for a PV domain than the permission; what needs an IOMMU says that there is none.
 */
import type { Values } from '#abi/struct.ts'
import {
  XEN_DOMCTL_assign_device,
  XEN_DOMCTL_bind_pt_irq,
  XEN_DOMCTL_deassign_device,
  XEN_DOMCTL_get_device_group,
  XEN_DOMCTL_iomem_permission,
  XEN_DOMCTL_ioport_mapping,
  XEN_DOMCTL_ioport_permission,
  XEN_DOMCTL_irq_permission,
  XEN_DOMCTL_memory_mapping,
  XEN_DOMCTL_test_assign_device,
  XEN_DOMCTL_unbind_pt_irq,
  xen_domctl_iomem_permission,
  xen_domctl_ioport_mapping,
  xen_domctl_ioport_permission,
  xen_domctl_irq_permission,
  xen_domctl_memory_mapping,
} from '#abi/xen/domctl.ts'
import { ENOSYS, ESRCH } from '#abi/xen/errno.ts'
import type { Domain } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { RANGE_MAX, type Rangeset } from '../common/rangeset.ts'
import { XENLOG_ERR, XENLOG_INFO } from '../drivers/console.ts'
import { about, checked, plain } from './domctl-rows.ts'
import type { Call, RawOp } from './op-table.ts'

const PORTS = 65536

function permit(caps: Rangeset, from: number, to: number, allow: number): number {
  if (allow) caps.add(from, to)
  else caps.remove(from, to)
  return 0
}

/** The last of `count` frames; 64 bits wrap. */
const lastOf = (first: bigint, count: bigint): bigint => BigInt.asUintN(64, first + count - 1n)

function permitFrames({ iomemCaps }: Domain, first: bigint, count: bigint, allow: number): number {
  const number = (mfn: bigint): number => Math.min(Number(mfn), RANGE_MAX)
  return permit(iomemCaps, number(first), number(lastOf(first, count)), allow)
}

/** set_mmio_p2m_entry has nothing to set: the domain's frames are its own affair. */
function memoryMapping({ xen }: Call, domain: Domain, arg: Values<typeof xen_domctl_memory_mapping>): number {
  const { first_gfn, first_mfn, nr_mfns, add_mapping } = arg
  const where = `gfn=${hex(first_gfn)} mfn=${hex(first_mfn)} nr_mfns=${hex(nr_mfns)}`
  if (add_mapping) guestLog(xen, XENLOG_INFO, 'domctl.c:781', `memory_map:add: ${where}`)
  else guestLog(xen, XENLOG_INFO, 'domctl.c:791', `memory_map:remove: ${where}`)
  return permitFrames(domain, first_mfn, nr_mfns, add_mapping)
}

function portsAreRight({ xen }: Call, arg: Values<typeof xen_domctl_ioport_mapping>): boolean {
  const { first_gport: gport, first_mport: mport, nr_ports: ports } = arg
  if (ports !== 0 && gport + ports <= PORTS && mport + ports <= PORTS) return true
  const where = `gport=${hex(gport)} mport=${hex(mport)} nr_ports=${hex(ports)}`
  guestLog(xen, XENLOG_ERR, 'domctl.c:819', `ioport_map:invalid:${where}`)
  return false
}

function ioportMapping({ xen }: Call, domain: Domain, arg: Values<typeof xen_domctl_ioport_mapping>): number {
  const { first_gport, first_mport, nr_ports, add_mapping } = arg
  const where = `f_gport=${hex(first_gport)} f_mport=${hex(first_mport)} np=${hex(nr_ports)}`
  if (add_mapping) guestLog(xen, XENLOG_INFO, 'domctl.c:832', `ioport_map:add ${where}`)
  else guestLog(xen, XENLOG_INFO, 'domctl.c:856', `ioport_map:remove ${where}`)
  return permit(domain.ioportCaps, first_mport, first_mport + nr_ports - 1, add_mapping)
}

/** The answer for a domain that is there is that of one that is not, and a complaint. */
const passThroughIrq = (line: number, text: string): RawOp =>
  plain(({ xen }) => {
    guestLog(xen, XENLOG_ERR, `domctl.c:${line}`, text)
    return -ESRCH
  })

const withoutIommu: RawOp = () => -ENOSYS

export const deviceRows: Readonly<Record<number, RawOp>> = {
  [XEN_DOMCTL_irq_permission]: about(xen_domctl_irq_permission, (_call, { irqCaps }, { pirq, allow_access }) =>
    permit(irqCaps, pirq, pirq, allow_access),
  ),
  [XEN_DOMCTL_iomem_permission]: checked(
    xen_domctl_iomem_permission,
    (_call, { first_mfn, nr_mfns }) => lastOf(first_mfn, nr_mfns) >= first_mfn,
    (_call, domain, { first_mfn, nr_mfns, allow_access }) => permitFrames(domain, first_mfn, nr_mfns, allow_access),
  ),
  [XEN_DOMCTL_ioport_permission]: checked(
    xen_domctl_ioport_permission,
    (_call, { first_port, nr_ports }) => first_port + nr_ports <= PORTS,
    (_call, { ioportCaps }, { first_port, nr_ports, allow_access }) =>
      nr_ports === 0 ? 0 : permit(ioportCaps, first_port, first_port + nr_ports - 1, allow_access),
  ),
  [XEN_DOMCTL_memory_mapping]: checked(
    xen_domctl_memory_mapping,
    (_call, { first_mfn, nr_mfns }) => lastOf(first_mfn, nr_mfns) >= first_mfn,
    memoryMapping,
  ),
  [XEN_DOMCTL_ioport_mapping]: checked(xen_domctl_ioport_mapping, portsAreRight, ioportMapping),
  [XEN_DOMCTL_assign_device]: withoutIommu,
  [XEN_DOMCTL_test_assign_device]: withoutIommu,
  [XEN_DOMCTL_deassign_device]: withoutIommu,
  [XEN_DOMCTL_get_device_group]: withoutIommu,
  [XEN_DOMCTL_bind_pt_irq]: passThroughIrq(739, 'pt_irq_create_bind failed!'),
  [XEN_DOMCTL_unbind_pt_irq]: passThroughIrq(756, 'pt_irq_destroy_bind failed!'),
}
