/**
 * A guest's page tables as Xen follows them when it takes a guest's address (guest_map_l1e, guest_get_eff_l1e, and the processor itself under
 * copy_from_guest): those of its kernel. The tables are valid, so that only the guest's own frames can be found.
 */
import type { Mem } from '#abi/mem.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_PSE,
  _PAGE_RW,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
} from '#abi/xen/xen.ts'
import type { Vcpu } from '../common/domain.ts'
import type { Xen } from '../xen.ts'
import { GuestPageFault, guestMem, type Translation } from './mm.ts'
import { frameOf } from './page-table-types.ts'
import { isCanonical } from './uaccess.ts'

const SLOTS = 512
/** Pages that an entry of the fourth, third and second level is about. */
const SPANS = [SLOTS ** 3, SLOTS ** 2, SLOTS]
/** Translations that are kept, by the low bits of their page. */
const KEPT = 64

export interface GuestL1e {
  /** Machine address of the entry. */
  readonly at: number
  readonly low: number
  readonly high: number
  /** All of the entries on the way allow to write. */
  readonly writable: boolean
}

/** The entry of the first level for an address of the vCPU's kernel. Undefined: there is no table for it. */
export function guestWalk({ mem }: Xen, vcpu: Vcpu, va: Vaddr): GuestL1e | undefined {
  if (vcpu.root === 0 || !isCanonical(va)) return undefined
  if (va >= HYPERVISOR_VIRT_START && va < HYPERVISOR_VIRT_END) return undefined
  const page = Math.floor(va / PAGE_SIZE)
  let table = vcpu.root
  let rights = _PAGE_RW
  for (const span of SPANS) {
    const at = table * PAGE_SIZE + (Math.floor(page / span) & (SLOTS - 1)) * 8
    const low = mem.read32(at)
    if ((low & (_PAGE_PRESENT | _PAGE_PSE)) !== _PAGE_PRESENT) return undefined
    rights &= low
    table = frameOf(low, mem.read32(at + 4))
  }
  const at = table * PAGE_SIZE + (page & (SLOTS - 1)) * 8
  const low = mem.read32(at)
  return { at, low, high: mem.read32(at + 4), writable: (rights & low) !== 0 }
}

/** What the tables say, with the last answers kept for as long as no table changes. */
class TableWalk implements Translation {
  readonly #xen: Xen
  readonly #vcpu: Vcpu
  /** Pages, and the machine addresses that they lie at: to be read, and to be written. */
  readonly #pages = [new Float64Array(KEPT), new Float64Array(KEPT)] as const
  readonly #found = [new Float64Array(KEPT), new Float64Array(KEPT)] as const
  #changes = -1
  #root = 0

  constructor(xen: Xen, vcpu: Vcpu) {
    this.#xen = xen
    this.#vcpu = vcpu
  }

  translate(va: Vaddr, write: boolean): number {
    if (!Number.isSafeInteger(va)) throw new GuestPageFault(0, write)
    const { root, domain } = this.#vcpu
    if (domain.tableChanges !== this.#changes || root !== this.#root) {
      this.#changes = domain.tableChanges
      this.#root = root
      for (const pages of this.#pages) pages.fill(Number.NaN)
    }
    const page = Math.floor(va / PAGE_SIZE)
    const slot = page & (KEPT - 1)
    const pages = this.#pages[write ? 1 : 0]
    const found = this.#found[write ? 1 : 0]
    if (pages[slot] !== page) {
      found[slot] = this.#walk(va, write)
      pages[slot] = page
    }
    return found[slot]! + (va - page * PAGE_SIZE)
  }

  #walk(va: Vaddr, write: boolean): number {
    const { mem } = this.#xen
    const entry = guestWalk(this.#xen, this.#vcpu, va)
    if (!entry || (entry.low & _PAGE_PRESENT) === 0 || (write && !entry.writable)) throw new GuestPageFault(va, write)
    const { at, low, high } = entry
    const marked = (low | (write ? _PAGE_ACCESSED | _PAGE_DIRTY : _PAGE_ACCESSED)) >>> 0
    if (marked !== low) mem.write32(at, marked)
    return frameOf(low, high) * PAGE_SIZE
  }

  forRead(va: Vaddr): number {
    return this.translate(va, false)
  }

  forWrite(va: Vaddr): number {
    return this.translate(va, true)
  }
}

/** Memory as the vCPU's kernel addresses it. */
export function vcpuMem(xen: Xen, vcpu: Vcpu): Mem {
  const { domain } = vcpu
  if (domain.pageMapped) return domain.mem
  vcpu.walked ??= guestMem(new TableWalk(xen, vcpu), xen.mem)
  return vcpu.walked
}
