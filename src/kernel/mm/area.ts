/** One area of an address space (Linux: struct vm_area_struct), and what of it leads to a frame. */
import { PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import { type Gpfn, type Mfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_RW,
  _PAGE_USER,
  DOMID_SELF,
  UVMF_INVLPG,
} from '#abi/xen/xen.ts'
import type { Core } from '../core.ts'
import type { File } from '../vfs/file.ts'
import type { AddressSpace } from './address-space.ts'
import type { Vma } from './vma.ts'

const NOTHING = 0
/** By insert. */
const INSERTED = 1
/** By a driver's own doing (see `setMapped`). */
const FOREIGN = 2

export class Area implements Vma {
  readonly #core: Core
  readonly space: AddressSpace
  readonly start: Vaddr
  readonly pages: number
  readonly prot: number
  readonly locked: boolean
  readonly file: File | undefined
  readonly offset: number
  /** Our own, of an anonymous one. */
  frames: Gpfn[] = []
  /** What a driver keeps for it (vm_private_data). */
  data: unknown = undefined
  unmap?: () => void
  readonly #state: Uint8Array

  constructor(
    core: Core,
    space: AddressSpace,
    start: Vaddr,
    pages: number,
    prot: number,
    locked: boolean,
    file: File | undefined,
    offset: number,
    state: Uint8Array = new Uint8Array(pages),
  ) {
    this.#core = core
    this.space = space
    this.start = start
    this.pages = pages
    this.prot = prot
    this.locked = locked
    this.file = file
    this.offset = offset
    this.#state = state
  }

  get end(): Vaddr {
    return this.start + this.pages * PAGE_SIZE
  }

  get readable(): boolean {
    return (this.prot & (PROT_READ | PROT_WRITE)) !== 0
  }

  get writable(): boolean {
    return (this.prot & PROT_WRITE) !== 0
  }

  get mapped(): readonly boolean[] {
    return [...this.#state].map((state) => state !== NOTHING)
  }

  /** Each page of `from` to `to`, which lie inside. */
  isMapped(from: Vaddr, to: Vaddr): boolean {
    for (let i = Math.floor((from - this.start) / PAGE_SIZE); i * PAGE_SIZE < to - this.start; i++)
      if (this.#state[i] === NOTHING) return false
    return true
  }

  insert(index: number, mfn: Mfn, domid: number): number {
    const rights = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | (this.writable ? _PAGE_RW | _PAGE_DIRTY : 0)
    const error = this.#update(index, mfn * PAGE_SIZE + rights, domid)
    if (error === 0) this.#state[index] = INSERTED
    return error
  }

  /** A driver has mapped page `index` by a hypercall of its own, or undone that. */
  setMapped(index: number, mapped: boolean): void {
    this.#state[index] = mapped ? FOREIGN : NOTHING
  }

  /** Undo every insert. */
  removeAll(): void {
    for (let i = 0; i < this.pages; i++) {
      if (this.#state[i] === INSERTED) this.#update(i, 0, DOMID_SELF)
      this.#state[i] = NOTHING
    }
  }

  /** In two, of which the first has so many pages. This one is no more. */
  split(pages: number): readonly [Area, Area] {
    const { space, start, prot, locked, file, offset } = this
    const at = (from: number, count: number): Area => {
      const state = this.#state.slice(from, from + count)
      const shift = from * PAGE_SIZE
      const part = new Area(this.#core, space, start + shift, count, prot, locked, file, offset + shift, state)
      part.frames = this.frames.slice(from, from + count)
      part.data = this.data
      return part
    }
    return [at(0, pages), at(pages, this.pages - pages)]
  }

  #update(index: number, pte: number, domid: number): number {
    const va = this.start + index * PAGE_SIZE
    const { hypercall } = this.#core.vcpu
    if (domid === DOMID_SELF) return hypercall(__HYPERVISOR_update_va_mapping, va, pte, UVMF_INVLPG)
    return hypercall(__HYPERVISOR_update_va_mapping_otherdomain, va, pte, UVMF_INVLPG, domid)
  }
}
