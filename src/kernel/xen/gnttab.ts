/**
 * Grant references of this domain, and grants of others mapped into the kernel (linux-2.6.18-xen: drivers/xen/core/gnttab.c). The table grows by
 * a frame whenever the references of those that there are have run out.
 */
import { EINVAL, ENOMEM, ENOSPC } from '#abi/posix/errno.ts'
import {
  GNTST_no_device_space,
  GNTST_okay,
  GNTTABOP_query_size,
  GNTTABOP_setup_table,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_writing,
  gnttab_query_size,
  gnttab_setup_table,
  grant_entry,
  NR_RESERVED_ENTRIES,
} from '#abi/xen/grant_table.ts'
import { type Gpfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { __HYPERVISOR_grant_table_op, __HYPERVISOR_update_va_mapping, DOMID_SELF, UVMF_INVLPG } from '#abi/xen/xen.ts'
import { fail } from '../errno.ts'
import { VMALLOC_START } from '../init/hypervisor.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import { PAGE_KERNEL } from '../mm/allocator.ts'
import { mapGrants, unmapGrants } from './grant-ops.ts'
import type { GrantMapping, Grants } from './grants.ts'

/** Where the table is mapped, and behind it room for the grants of others. */
const TABLE: Vaddr = VMALLOC_START + 0x80000000
const MAPPINGS: Vaddr = TABLE + 0x1000000
/** Pages mapped at a time, in all. */
const MAPPINGS_MAX = 4096

const GREFS_PER_FRAME = PAGE_SIZE / grant_entry.size
/** NR_GRANT_FRAMES where Xen cannot be asked. */
const FRAMES_DEFAULT = 4
const LIST_AT = 1024
const RETRY_NS = 1_000_000_000

class GrantTable implements Grants {
  readonly #kernel: Kernel
  readonly #maxFrames: number
  #frames = 0
  /** The next to be given out is the last. */
  readonly #freeRefs: number[] = []
  /** Ended here, but mapped there still. */
  #deferred: { readonly ref: number; readonly ended: () => void }[] = []
  #retrying = false
  /** Of the pages behind MAPPINGS: 1 is in use. */
  readonly #pages = new Uint8Array(MAPPINGS_MAX)
  #nextPage = 0

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#maxFrames = this.#askMax()
  }

  #askMax(): number {
    const { mem, bounce, vcpu } = this.#kernel
    gnttab_query_size.write(mem, bounce, { dom: DOMID_SELF, status: 0 })
    const error = vcpu.hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, bounce, 1)
    const { status, max_nr_frames } = gnttab_query_size.fields
    if (error !== 0 || status.get(mem, bounce) !== GNTST_okay) return FRAMES_DEFAULT
    return max_nr_frames.get(mem, bounce)
  }

  /** gnttab_expand, by one frame. */
  expand(): boolean {
    if (this.#frames >= this.#maxFrames) return false
    const { mem, bounce, vcpu } = this.#kernel
    const index = this.#frames
    const wanted = index + 1
    gnttab_setup_table.write(mem, bounce, {
      dom: DOMID_SELF,
      nr_frames: wanted,
      status: 0,
      frame_list: bounce + LIST_AT,
    })
    const error = vcpu.hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, bounce, 1)
    if (error !== 0 || gnttab_setup_table.fields.status.get(mem, bounce) !== GNTST_okay) return false
    const mfn = Number(mem.read64(bounce + LIST_AT + index * 8))
    const va = TABLE + index * PAGE_SIZE
    if (vcpu.hypercall(__HYPERVISOR_update_va_mapping, va, mfn * PAGE_SIZE + PAGE_KERNEL, UVMF_INVLPG) !== 0)
      return false
    const first = Math.max(index * GREFS_PER_FRAME, NR_RESERVED_ENTRIES)
    for (let ref = wanted * GREFS_PER_FRAME - 1; ref >= first; ref--) this.#freeRefs.push(ref)
    this.#frames = wanted
    return true
  }

  get free(): number {
    return this.#freeRefs.length + (this.#maxFrames - this.#frames) * GREFS_PER_FRAME
  }

  grantAccess(domid: number, pfn: Gpfn, readOnly: boolean): number {
    if (this.#deferred.length > 0) this.#retry()
    if (this.#freeRefs.length === 0 && !this.expand()) fail(ENOSPC)
    const ref = this.#freeRefs.pop()!
    const { mem, pages } = this.#kernel
    const at = TABLE + ref * grant_entry.size
    const { flags, frame } = grant_entry.fields
    frame.set(mem, at, pages.mfn(pfn))
    grant_entry.fields.domid.set(mem, at, domid)
    // The flags last: from here on Xen looks at it.
    flags.set(mem, at, GTF_permit_access | (readOnly ? GTF_readonly : 0))
    return ref
  }

  endAccess(ref: number): boolean {
    const { mem } = this.#kernel
    const at = TABLE + ref * grant_entry.size
    const { flags } = grant_entry.fields
    if (flags.get(mem, at) & (GTF_reading | GTF_writing)) return false
    flags.set(mem, at, 0)
    this.#freeRefs.push(ref)
    return true
  }

  endAccessLater(ref: number, ended: () => void): void {
    if (this.endAccess(ref)) ended()
    else {
      this.#kernel.log.printk('<7>WARNING: g.e. still in use!\n')
      this.#deferred.push({ ref, ended })
      this.#retryLater()
    }
  }

  #retry(): void {
    const deferred = this.#deferred
    this.#deferred = []
    for (const each of deferred)
      if (this.endAccess(each.ref)) each.ended()
      else this.#deferred.push(each)
  }

  /** Nobody tells when the other domain lets go: looked at once a second, as long as there is something to look at. */
  #retryLater(): void {
    if (this.#retrying) return
    this.#retrying = true
    this.#kernel.time.after(RETRY_NS, () => {
      this.#retrying = false
      this.#retry()
      if (this.#deferred.length > 0) this.#retryLater()
    })
  }

  map(domid: number, refs: readonly number[], readOnly: boolean): GrantMapping {
    const first = this.#takePages(refs.length)
    const va = MAPPINGS + first * PAGE_SIZE
    const wanted = refs.map((ref, i) => ({ domid, ref, va: va + i * PAGE_SIZE }))
    const mapped = mapGrants(this.#kernel, wanted, readOnly)
    const release = (): void => void this.#pages.fill(0, first, first + refs.length)
    if (typeof mapped === 'number') {
      release()
      return fail(mapped === GNTST_no_device_space ? ENOSPC : EINVAL)
    }
    let live = true
    return {
      va,
      pages: refs.length,
      mfns: mapped.map(({ mfn }) => mfn),
      unmap: () => {
        if (!live) return
        live = false
        unmapGrants(this.#kernel, mapped)
        release()
      },
    }
  }

  /** So many free pages in a row, searched from where the last were found. */
  #takePages(count: number): number {
    const pages = this.#pages
    for (const [from, to] of [
      [this.#nextPage, MAPPINGS_MAX],
      [0, Math.min(this.#nextPage + count, MAPPINGS_MAX)],
    ] as const) {
      let run = 0
      for (let page = from; page < to; page++) {
        run = pages[page] === 0 ? run + 1 : 0
        if (run < count) continue
        const first = page + 1 - count
        pages.fill(1, first, first + count)
        this.#nextPage = page + 1
        return first
      }
    }
    return fail(ENOMEM)
  }
}

/** gnttab_init. A hypervisor that has no grant tables leaves the kernel without. */
export const gnttabInit: Initcall = function* gnttabInit(kernel) {
  const table = new GrantTable(kernel)
  if (table.expand()) kernel.grants = table
}
