/** Grant references and grant mappings as drivers use them (Linux: include/xen/gnttab.h). Fails with an errno by fail(). */
import type { Gpfn, Mfn, Vaddr } from '#abi/xen/types.ts'

/** Granted frames of another domain, mapped one behind the other. */
export interface GrantMapping {
  readonly va: Vaddr
  readonly pages: number
  /** The real frames, for DMA. */
  readonly mfns: readonly Mfn[]
  unmap(): void
}

export interface Grants {
  /** gnttab_grant_foreign_access: `domid` may map our frame. The reference. ENOSPC where the table is full. */
  grantAccess(domid: number, pfn: Gpfn, readOnly: boolean): number
  /** gnttab_end_foreign_access_ref. False: it is still mapped there. */
  endAccess(ref: number): boolean
  /** gnttab_end_foreign_access: `ended` is called at once, or once it is mapped there no more. The frame must stay what it is until then. */
  endAccessLater(ref: number, ended: () => void): void
  /** References that are free. */
  readonly free: number
  /** GNTTABOP_map_grant_ref for each, at addresses of our own: all of them or none. */
  map(domid: number, refs: readonly number[], readOnly: boolean): GrantMapping
}
