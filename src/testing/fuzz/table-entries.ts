/** For tests: what a page table in use refers to. Nothing that a page map has taken over, and not itself. */
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { _PAGE_PRESENT, _PAGE_RW } from '#abi/xen/xen.ts'
import { frameOf, isXenSlot, TABLE_ENTRIES, tableLevel } from '#xen/arch-x86/page-table-types.ts'
import { isIomemPage } from '#xen/arch-x86/page-type.ts'
import type { Xen } from '#xen/xen.ts'
import type { Use } from './invariants.ts'

export function tableEntries(xen: Xen, mfn: number, add: (mfn: number, as: Use, who: string) => void): void {
  const level = tableLevel(xen, mfn)
  const owner = xen.domains.get(xen.heap.frames.owner[mfn]!)
  if (level === 0 || !owner || (level === 1 && owner.frozenTables.has(mfn))) return
  for (let slot = 0; slot < TABLE_ENTRIES; slot++) {
    const low = xen.mem.read32(mfn * PAGE_SIZE + 8 * slot)
    if ((low & _PAGE_PRESENT) === 0 || (level === 4 && isXenSlot(slot))) continue
    const refers = frameOf(low, xen.mem.read32(mfn * PAGE_SIZE + 8 * slot + 4))
    const who = `entry ${slot} of table ${mfn.toString(16)}`
    if (level > 1 && refers !== mfn) add(refers, 'table', who)
    else if (level === 1 && !isIomemPage(xen, refers)) add(refers, low & _PAGE_RW ? 'writable' : 'nothing', who)
  }
}
