/** xen/arch/x86/mm.c, as far as module vCPUs need it: a page map per domain instead of page tables (design D4). */
import type { Mem } from '#abi/mem.ts'
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { hex } from '../common/lib.ts'

/** A guest touched what it has not mapped, or wrote what is read-only. Thrown into the guest that did. */
export class GuestPageFault extends Error {
  readonly va: Vaddr
  readonly write: boolean

  constructor(va: Vaddr, write: boolean) {
    super(`page fault: ${write ? 'writing' : 'reading'} ${hex(unsignedVaddr(va), 16)}`)
    this.va = va
    this.write = write
  }
}

interface Mapping {
  readonly mfn: number
  readonly writable: boolean
}

/** Virtual page to machine frame and rights. */
export class PageMap {
  readonly #pages = new Map<number, Mapping>()

  /** `page` is the address divided by PAGE_SIZE, rounded down: negative in the kernel half. */
  map(page: number, mfn: number, writable: boolean): void {
    this.#pages.set(page, { mfn, writable })
  }

  lookup(page: number): Mapping | undefined {
    return this.#pages.get(page)
  }

  /** Machine address of a guest's address. */
  translate(va: Vaddr, write: boolean): number {
    // An address that is no whole number is no address.
    if (!Number.isSafeInteger(va)) throw new GuestPageFault(0, write)
    const page = Math.floor(va / PAGE_SIZE)
    const mapping = this.#pages.get(page)
    if (!mapping || (write && !mapping.writable)) throw new GuestPageFault(va, write)
    return mapping.mfn * PAGE_SIZE + (va - page * PAGE_SIZE)
  }
}

/** A guest's memory as it sees it. Words that cross a page are put together byte by byte. */
export function guestMem(map: PageMap, mem: Mem): Mem {
  const crosses = (at: Vaddr, bytes: number): boolean => at - Math.floor(at / PAGE_SIZE) * PAGE_SIZE + bytes > PAGE_SIZE
  const read8 = (at: Vaddr): number => mem.read8(map.translate(at, false))
  const write8 = (at: Vaddr, value: number): void => mem.write8(map.translate(at, true), value)
  /** Runs of [at, at + length) that lie in one page each: at, machine address, bytes. */
  const runs = (
    at: Vaddr,
    length: number,
    write: boolean,
    take: (from: number, to: number, bytes: number) => void,
  ): void => {
    for (let done = 0; done < length; ) {
      const va = at + done
      const left = PAGE_SIZE - (va - Math.floor(va / PAGE_SIZE) * PAGE_SIZE)
      const bytes = Math.min(left, length - done)
      take(done, map.translate(va, write), bytes)
      done += bytes
    }
  }
  const whole = (length: number): number => {
    if (!(length >= 0)) throw new GuestPageFault(0, false)
    return Math.floor(length)
  }
  return {
    read8,
    read16: (at) => (crosses(at, 2) ? read8(at) | (read8(at + 1) << 8) : mem.read16(map.translate(at, false))),
    read32: (at) =>
      crosses(at, 4)
        ? (read8(at) | (read8(at + 1) << 8) | (read8(at + 2) << 16) | (read8(at + 3) << 24)) >>> 0
        : mem.read32(map.translate(at, false)),
    read64(at) {
      if (!crosses(at, 8)) return mem.read64(map.translate(at, false))
      let value = 0n
      for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(read8(at + i))
      return value
    },
    write8,
    write16(at, value) {
      if (!crosses(at, 2)) mem.write16(map.translate(at, true), value)
      else for (let i = 0; i < 2; i++) write8(at + i, (value >>> (8 * i)) & 0xff)
    },
    write32(at, value) {
      if (!crosses(at, 4)) mem.write32(map.translate(at, true), value)
      else for (let i = 0; i < 4; i++) write8(at + i, (value >>> (8 * i)) & 0xff)
    },
    write64(at, value) {
      if (!crosses(at, 8)) mem.write64(map.translate(at, true), value)
      else for (let i = 0; i < 8; i++) write8(at + i, Number((value >> BigInt(8 * i)) & 0xffn))
    },
    copyOut(at, length) {
      // Checked before anything of that size is made: the length is the guest's.
      runs(at, whole(length), false, () => {})
      const bytes = new Uint8Array(whole(length))
      runs(at, bytes.length, false, (from, to, count) => bytes.set(mem.copyOut(to, count), from))
      return bytes
    },
    copyIn(at, bytes) {
      runs(at, bytes.length, true, (from, to, count) => mem.copyIn(to, bytes.subarray(from, from + count)))
    },
    fill(at, length, byte) {
      runs(at, whole(length), true, (_from, to, count) => mem.fill(to, count, byte))
    },
  }
}
