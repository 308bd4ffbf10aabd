/** set_trap_table (0): the virtual IDT (xen/arch/x86/traps.c, do_set_trap_table). */
import { trap_info } from '#abi/xen/arch-x86.ts'
import { EINVAL } from '#abi/xen/errno.ts'
import { contextOf, fixupSelector, trapAt } from '../arch-x86/guest-context.ts'
import type { Call } from './op-table.ts'

/** More is refused. The real one is preempted in the middle, and goes on. */
const ENTRIES_MAX = 4096

/** Entries up to one without an address go into the table, before one that cannot be read too; no list: all of them go out of it. */
export function setTrapTable({ vcpu, mem }: Call, [list = 0]: readonly number[]): number {
  const context = contextOf(vcpu)
  if (list === 0) {
    context.fill(trapAt(0), trapAt(256) - trapAt(0), 0)
    return 0
  }
  for (let i = 0; i < ENTRIES_MAX; i++) {
    const entry = trap_info.read(mem, list + i * trap_info.size)
    if (entry.address === 0) return 0
    trap_info.write(context, trapAt(entry.vector), { ...entry, cs: fixupSelector(entry.cs) })
  }
  return -EINVAL
}
