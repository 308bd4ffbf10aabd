/** xen/arch/x86/x86_64/traps.c, show_page_walk; traps.c, __spurious_page_fault: page tables as a processor reads them, after a fault. */
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from '#abi/xen/xen.ts'
import { hex } from '../common/lib.ts'
import { printk, type Xen } from '../xen.ts'
import type { X86Vcpu } from './guest-regs.ts'
import { gpfnOf, mfnValid } from './page-type.ts'
import { isCanonical } from './uaccess.ts'

/** Error codes of page faults. */
export const PFEC_page_present = 1
export const PFEC_write_access = 2
export const PFEC_user_mode = 4
export const PFEC_reserved_bit = 8
export const PFEC_insn_fetch = 16

const _PAGE_PSE = 0x80
const _PAGE_NX_HIGH = 0x80000000
const LEVELS = 4
const ENTRIES = 512
/** Where nobody knows a guest's frame of its own. */
const INVALID_M2P_ENTRY = 'ffffffffffffffff'

interface Entry {
  readonly level: number
  readonly index: number
  readonly low: number
  readonly high: number
  readonly mfn: number
}

/** Which page tables are in use. */
export const rootInUse = ({ kernelMode, root, userRoot }: X86Vcpu): number => (kernelMode ? root : userRoot)

/** The entries on the way to `va`, as far as they are there. */
function* walk(xen: Xen, root: number, va: Vaddr): Generator<Entry, void> {
  let mfn = root
  const page = Math.floor(va / PAGE_SIZE)
  for (let level = LEVELS; level > 0 && mfnValid(xen, mfn); level--) {
    const index = ((Math.floor(page / ENTRIES ** (level - 1)) % ENTRIES) + ENTRIES) % ENTRIES
    const at = mfn * PAGE_SIZE + index * 8
    const low = xen.mem.read32(at)
    const high = xen.mem.read32(at + 4)
    mfn = (low >>> 12) + (high & 0xfffff) * 2 ** 20
    yield { level, index, low, high, mfn }
    if ((low & _PAGE_PRESENT) === 0 || (level > 1 && low & _PAGE_PSE)) return
  }
}

export function showPageWalk(xen: Xen, vcpu: X86Vcpu, va: Vaddr): void {
  printk(xen, `Pagetable walk from ${hex(unsignedVaddr(va), 16)}:\n`)
  for (const { level, index, low, high, mfn } of walk(xen, rootInUse(vcpu), va)) {
    const large = level === 2 || level === 3 ? ((low & _PAGE_PSE) !== 0 ? ' (PSE)' : level === 2 ? ' ' : '') : ''
    const shown = mfnValid(xen, mfn) ? hex(gpfnOf(xen, mfn), 16) : INVALID_M2P_ENTRY
    printk(xen, ` L${level}[0x${hex(index, 3)}] = ${hex(high, 8)}${hex(low, 8)} ${shown}${large}\n`)
  }
}

/** Whether the tables allow what has faulted: then only the TLB did not. */
export function isSpurious(xen: Xen, vcpu: X86Vcpu, va: Vaddr, errorCode: number): boolean {
  if (errorCode & PFEC_reserved_bit || rootInUse(vcpu) === 0) return false
  const required = _PAGE_PRESENT | _PAGE_USER | (errorCode & PFEC_write_access ? _PAGE_RW : 0)
  let last = LEVELS + 1
  for (const { level, low, high } of walk(xen, rootInUse(vcpu), va)) {
    if ((low & required) !== required) return false
    if (errorCode & PFEC_insn_fetch && high & _PAGE_NX_HIGH) return false
    last = level
  }
  return last === 1
}

/** Machine address of `va` in the tables of `root`; undefined: nothing is there, or it may not be written. */
export function machineAddress(xen: Xen, root: number, va: Vaddr, toWrite = false): number | undefined {
  const required = _PAGE_PRESENT | _PAGE_USER | (toWrite ? _PAGE_RW : 0)
  let frame: number | undefined
  if (root === 0 || !isCanonical(va)) return undefined
  for (const { level, low, mfn } of walk(xen, root, va)) {
    if ((low & required) !== required) return undefined
    if (level === 1) frame = mfn
  }
  if (frame === undefined || !mfnValid(xen, frame)) return undefined
  return frame * PAGE_SIZE + (va - Math.floor(va / PAGE_SIZE) * PAGE_SIZE)
}
