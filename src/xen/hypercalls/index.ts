/** The hypercall table (xen/arch/x86/x86_64/entry.S): a number without a row is -ENOSYS. */
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { __HYPERVISOR_console_io, __HYPERVISOR_sched_op, __HYPERVISOR_xen_version } from '#abi/xen/xen.ts'
import { guestMem } from '../arch-x86/mm.ts'
import type { Vcpu } from '../common/domain.ts'
import type { Xen } from '../xen.ts'
import { consoleIo } from './console_io.ts'
import { type Hypercall, orEfault } from './op-table.ts'
import { schedOp } from './sched_op.ts'
import { xenVersion } from './xen_version.ts'

/** More arguments than a hypercall has registers for are ignored. */
export const HYPERCALL_ARGS_MAX = 6

const table: Readonly<Record<number, Hypercall>> = {
  [__HYPERVISOR_xen_version]: xenVersion,
  [__HYPERVISOR_console_io]: consoleIo,
  [__HYPERVISOR_sched_op]: schedOp,
}

/**
 * A hypercall made in the middle of the guest's code. What it throws must not pass through that code, which could catch it: it waits in
 * `vcpu.thrown` until the guest has come back.
 */
export function directHypercall(xen: Xen, vcpu: Vcpu, nr: number, args: readonly number[]): number {
  const number = Number(nr)
  const numbers = args.slice(0, HYPERCALL_ARGS_MAX).map(Number)
  // Giving the processor up is done by returning (abi/xen/guest.ts).
  if (number === __HYPERVISOR_sched_op) return -EINVAL
  try {
    return hypercall(xen, vcpu, number, numbers)
  } catch (thrown) {
    vcpu.thrown = thrown
    return -EINVAL
  }
}

/** Make a hypercall on behalf of `vcpu`. Every argument is the guest's: checked by whoever uses it. */
export function hypercall(xen: Xen, vcpu: Vcpu, nr: number, args: readonly number[]): number {
  const run = table[nr]
  if (!run) return -ENOSYS
  const { domain } = vcpu
  return orEfault(() => run({ xen, vcpu, caller: domain, mem: guestMem(domain.pageMap, xen.mem) }, args))
}
