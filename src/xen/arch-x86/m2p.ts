/**
 * The machine-to-physical table (asm-x86/mm.h, x86_64/mm.c): what a frame's owner calls it. It lies in memory, 8 bytes for each frame, and every
 * guest can read it, at HYPERVISOR_VIRT_START in each of its address spaces.
 */
import type { Mem } from '#abi/mem.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_PSE,
  _PAGE_RW,
  _PAGE_USER,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
} from '#abi/xen/xen.ts'
import type { Xen } from '../xen.ts'

/** Both halves of an entry that says nothing. */
export const INVALID_M2P_ENTRY = 0xffffffff

/** The table comes in blocks of 2 MiB, each with so many entries. */
const BLOCK_ENTRIES = 2 ** 18
const BLOCK_BYTES = BLOCK_ENTRIES * 8
const __PAGE_HYPERVISOR = _PAGE_PRESENT | _PAGE_RW | _PAGE_DIRTY | _PAGE_ACCESSED
const SLOT_BYTES = 2 ** 39
const FIRST_SLOT = 256

/** An entry below 2 to the 53. */
function writeWord(mem: Mem, at: number, word: number): void {
  mem.write32(at, word >>> 0)
  mem.write32(at + 4, Math.floor(word / 2 ** 32))
}

export class MachineToPhys {
  #mem: Mem | undefined
  #blocks: readonly number[] = []
  /** The directory that each root leads to it by. */
  #l3 = 0

  /** Its place in memory: the first frames of its blocks, and those of its directories (paging_init). */
  place(mem: Mem, blocks: readonly number[], l3: number, l2: number): void {
    for (const table of [l3, l2]) mem.fill(table * PAGE_SIZE, PAGE_SIZE, 0)
    writeWord(mem, l3 * PAGE_SIZE, l2 * PAGE_SIZE + (__PAGE_HYPERVISOR | _PAGE_USER))
    for (const [i, block] of blocks.entries()) {
      mem.fill(block * PAGE_SIZE, BLOCK_BYTES, 0xff)
      writeWord(mem, l2 * PAGE_SIZE + 8 * i, block * PAGE_SIZE + (_PAGE_PSE | _PAGE_USER | _PAGE_PRESENT))
    }
    this.#mem = mem
    this.#blocks = blocks
    this.#l3 = l3
  }

  #at(mfn: number): number {
    return this.#blocks[Math.floor(mfn / BLOCK_ENTRIES)]! * PAGE_SIZE + (mfn % BLOCK_ENTRIES) * 8
  }

  /** INVALID_M2P_ENTRY: nothing that a frame could be called. */
  get(mfn: number): number {
    if (!this.#mem) return INVALID_M2P_ENTRY
    const at = this.#at(mfn)
    return this.#mem.read32(at + 4) === 0 ? this.#mem.read32(at) : INVALID_M2P_ENTRY
  }

  set(mfn: number, low: number, high = low === INVALID_M2P_ENTRY ? INVALID_M2P_ENTRY : 0): void {
    if (!this.#mem) return
    const at = this.#at(mfn)
    this.#mem.write32(at, low)
    this.#mem.write32(at + 4, high)
  }

  /** The entry of a root table that leads to it. */
  get rootEntry(): number {
    return this.#l3 * PAGE_SIZE + (__PAGE_HYPERVISOR | _PAGE_USER)
  }
}

/** init_guest_l4_table, as far as ring 3 can see it: the slots of a root table that are Xen's. */
export function rootXenSlots({ mem, heap }: Xen, mfn: number): void {
  const at = mfn * PAGE_SIZE + FIRST_SLOT * 8
  mem.fill(at, ((HYPERVISOR_VIRT_END - HYPERVISOR_VIRT_START) / SLOT_BYTES) * 8, 0)
  writeWord(mem, at, heap.frames.m2p.rootEntry)
}
