/** The hypercall table (xen/arch/x86/x86_64/entry.S): a number without a row is -ENOSYS. */
import { ENOSYS } from '#abi/xen/errno.ts'
import { __HYPERVISOR_console_io, __HYPERVISOR_sched_op, __HYPERVISOR_xen_version } from '#abi/xen/xen.ts'
import { guestMem } from '../arch-x86/mm.ts'
import type { Vcpu } from '../common/domain.ts'
import type { Xen } from '../xen.ts'
import { consoleIo } from './console_io.ts'
import { type Hypercall, orEfault } from './op-table.ts'
import { schedOp } from './sched_op.ts'
import { xenVersion } from './xen_version.ts'

const table: Readonly<Record<number, Hypercall>> = {
  [__HYPERVISOR_xen_version]: xenVersion,
  [__HYPERVISOR_console_io]: consoleIo,
  [__HYPERVISOR_sched_op]: schedOp,
}

/** Make a hypercall on behalf of `vcpu`. Every argument is the guest's: checked by whoever uses it. */
export function hypercall(xen: Xen, vcpu: Vcpu, nr: number, args: readonly number[]): number {
  const run = table[nr]
  if (!run) return -ENOSYS
  const { domain } = vcpu
  return orEfault(() => run({ xen, vcpu, caller: domain, mem: guestMem(domain.pageMap, xen.mem) }, args))
}
