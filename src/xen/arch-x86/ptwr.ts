/**
 * xen/arch/x86/mm.c, ptwr_do_page_fault: writable page tables. A guest's kernel writes to a table of its own as if it could; the instruction
 * is emulated, and what it writes checked like any other entry.
 */
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { _PAGE_PRESENT, _PAGE_RW } from '#abi/xen/xen.ts'
import type { Domain } from '../common/domain.ts'
import { hex } from '../common/lib.ts'
import { PGT_count_mask } from '../common/page-alloc.ts'
import type { Xen } from '../xen.ts'
import type { X86Vcpu } from './guest-regs.ts'
import { guestWalk } from './guest-walk.ts'
import { updateEntry } from './page-table-entries.ts'
import { adjustedHigh, adjustedLow, frameOf, mmWarn, putEntry, tableLevel, warnGlobal } from './page-table-types.ts'
import { getPageFromL1e, mfnValid } from './page-type.ts'
import { type EmulateOps, EmulationFailed, x86Emulate } from './x86-emulate.ts'

const ENTRY_BYTES = 8
const OFFSET = PAGE_SIZE - 1

/** False: it is not that. The vCPU is in its kernel, whose write to `va` has faulted. */
export function ptwrDoPageFault(xen: Xen, vcpu: X86Vcpu, va: Vaddr): boolean {
  const { domain } = vcpu
  const entry = guestWalk(xen, vcpu, va)
  if (!entry || (entry.low & (_PAGE_PRESENT | _PAGE_RW)) !== _PAGE_PRESENT) return false
  const mfn = frameOf(entry.low, entry.high)
  const { typeInfo, owner } = xen.heap.frames
  if (!mfnValid(xen, mfn) || tableLevel(xen, mfn) !== 1 || (typeInfo[mfn]! & PGT_count_mask) === 0) return false
  if (owner[mfn] !== domain.id) return false
  return x86Emulate(xen, vcpu, new PtwrOps(xen, vcpu, mfn, va))
}

/** ptwr_emulate_ops: reads are the guest's own, writes are updates of the table. */
class PtwrOps implements EmulateOps {
  readonly #xen: Xen
  readonly #vcpu: X86Vcpu
  readonly #table: number
  readonly #cr2: Vaddr

  constructor(xen: Xen, vcpu: X86Vcpu, table: number, cr2: Vaddr) {
    this.#xen = xen
    this.#vcpu = vcpu
    this.#table = table
    this.#cr2 = cr2
  }

  read(va: Vaddr, bytes: number): bigint {
    const { mem } = this.#vcpu
    let value = 0n
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(mem.read8(va + i))
    return value
  }

  write(va: Vaddr, bytes: number, value: bigint): void {
    const at = this.#aligned(va, bytes, 'write')
    const full = this.#xen.mem.read64(at)
    this.#update(at, full, merged(full, at, va, bytes, value, this.#table))
  }

  cmpxchg(va: Vaddr, bytes: number, old: bigint, wanted: bigint): bigint {
    const at = this.#aligned(va, bytes, 'cmpxchg')
    const full = this.#xen.mem.read64(at)
    const found = part(full, at, va, bytes, this.#table)
    if (found === BigInt.asUintN(8 * bytes, old))
      this.#update(at, full, merged(full, at, va, bytes, wanted, this.#table))
    return found
  }

  /** Machine address of the entry. Only naturally aligned stores within the page that has faulted. */
  #aligned(va: Vaddr, bytes: number, what: string): number {
    const refuse = (line: number, text: string): never => {
      mmWarn(this.#xen, line, `ptwr_emulate: ${text}`)
      throw new EmulationFailed()
    }
    const at = hex(unsignedVaddr(va))
    if (![1, 2, 4, ENTRY_BYTES].includes(bytes))
      return refuse(what === 'write' ? 3710 : 3734, `bad ${what} size (addr=${at}, bytes=${bytes})`)
    const offset = Number(unsignedVaddr(va) & BigInt(OFFSET))
    if (Math.floor(va / PAGE_SIZE) !== Math.floor(this.#cr2 / PAGE_SIZE) || offset % bytes !== 0)
      return refuse(3594, `bad access (cr2=${hex(unsignedVaddr(this.#cr2))}, addr=${at}, bytes=${bytes})`)
    return this.#table * PAGE_SIZE + offset - (offset % ENTRY_BYTES)
  }

  /** ptwr_emulated_update */
  #update(at: number, old: bigint, entry: bigint): void {
    const { domain } = this.#vcpu
    if (!updateL1(this.#xen, domain, at, old, entry)) {
      mmWarn(this.#xen, 3655, 'ptwr_emulate: could not get_page_from_l1e()')
      throw new EmulationFailed()
    }
  }
}

const shiftOf = (at: number, va: Vaddr, table: number): bigint => {
  const offset = va - Math.floor(va / PAGE_SIZE) * PAGE_SIZE
  return BigInt(8 * (table * PAGE_SIZE + offset - at))
}

/** `bytes` of the entry at `at`, from `va` on. */
const part = (full: bigint, at: number, va: Vaddr, bytes: number, table: number): bigint =>
  BigInt.asUintN(8 * bytes, full >> shiftOf(at, va, table))

/** The entry with those replaced. */
function merged(full: bigint, at: number, va: Vaddr, bytes: number, value: bigint, table: number): bigint {
  const shift = shiftOf(at, va, table)
  const mask = ((1n << BigInt(8 * bytes)) - 1n) << shift
  return (full & ~mask) | ((value << shift) & mask)
}

function updateL1(xen: Xen, domain: Domain, at: number, old: bigint, entry: bigint): boolean {
  const low = Number(BigInt.asUintN(32, entry))
  const high = Number(entry >> 32n)
  if (getPageFromL1e(xen, low, high, domain) === undefined) return false
  const present = (low & _PAGE_PRESENT) !== 0
  if (present) warnGlobal(xen, 3660, low, high)
  const upper = present ? adjustedHigh(1, low, high) : high
  const table = Math.floor(at / PAGE_SIZE)
  updateEntry(xen, domain, at, present ? adjustedLow(1, low, upper) : low, upper)
  putEntry(xen, domain, 1, Number(BigInt.asUintN(32, old)), Number(old >> 32n), table)
  return true
}
