/**
 * For tests of a guest kernel over testing/fake-xen.ts: grant tables as far as gnttab.c needs them, with one domain on both sides. What Xen would keep is
 * kept here; the shared table lies in frames of the domain's own.
 */
import { ENOSYS } from '#abi/xen/errno.ts'
import {
  GNTMAP_readonly,
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_handle,
  GNTST_general_error,
  GNTTABOP_map_grant_ref,
  GNTTABOP_query_size,
  GNTTABOP_setup_table,
  GNTTABOP_unmap_grant_ref,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_type_mask,
  GTF_writing,
  gnttab_map_grant_ref,
  gnttab_query_size,
  gnttab_setup_table,
  gnttab_unmap_grant_ref,
  grant_entry,
} from '#abi/xen/grant_table.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import { type Gpfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { __HYPERVISOR_grant_table_op, __HYPERVISOR_update_va_mapping } from '#abi/xen/xen.ts'
import type { Kernel } from '#kernel/kernel.ts'

/** The domain on both sides. */
export const LOOPBACK_DOMID = 0
const ENTRIES = PAGE_SIZE / grant_entry.size

export interface FakeGrants {
  /** Mappings that there are now. */
  readonly mapped: number
  /** How many shared frames there are. */
  readonly frames: number
}

/** From now on the kernel's virtual CPU knows grant_table_op. */
export function fakeGrants(kernel: Kernel, maxFrames = 4): FakeGrants {
  const vcpu = kernel.vcpu as { -readonly [K in keyof VirtualCpu]: VirtualCpu[K] }
  const { mem, pages } = kernel
  const below = vcpu.hypercall
  const frames: Gpfn[] = []
  const maps = new Map<number, { ref: number; va: Vaddr; readOnly: boolean }>()
  let nextHandle = 0
  const entry = (ref: number): Vaddr =>
    pages.va(frames[Math.floor(ref / ENTRIES)]!) + (ref % ENTRIES) * grant_entry.size
  const { flags } = grant_entry.fields

  const map = (at: Vaddr): number => {
    const op = gnttab_map_grant_ref.read(mem, at)
    const readOnly = (op.flags & GNTMAP_readonly) !== 0
    if (op.dom !== LOOPBACK_DOMID) return GNTST_bad_domain
    if (op.ref >= frames.length * ENTRIES) return GNTST_bad_gntref
    const row = grant_entry.read(mem, entry(op.ref))
    if ((row.flags & GTF_type_mask) !== GTF_permit_access || (!readOnly && row.flags & GTF_readonly))
      return GNTST_general_error
    if (below(__HYPERVISOR_update_va_mapping, op.host_addr, row.frame * PAGE_SIZE + (readOnly ? 1 : 3), 0) !== 0)
      return GNTST_general_error
    flags.set(mem, entry(op.ref), row.flags | GTF_reading | (readOnly ? 0 : GTF_writing))
    maps.set(nextHandle, { ref: op.ref, va: op.host_addr, readOnly })
    gnttab_map_grant_ref.write(mem, at, { handle: nextHandle++, dev_bus_addr: BigInt(row.frame) << 12n })
    return 0
  }
  const unmap = (at: Vaddr): number => {
    const op = gnttab_unmap_grant_ref.read(mem, at)
    const found = maps.get(op.handle)
    if (!found) return GNTST_bad_handle
    if (found.va !== op.host_addr) return GNTST_general_error
    maps.delete(op.handle)
    below(__HYPERVISOR_update_va_mapping, found.va, 0, 0)
    const rest = [...maps.values()].filter(({ ref }) => ref === found.ref)
    const kept = (rest.length > 0 ? GTF_reading : 0) | (rest.some(({ readOnly }) => !readOnly) ? GTF_writing : 0)
    flags.set(mem, entry(found.ref), (flags.get(mem, entry(found.ref)) & ~(GTF_reading | GTF_writing)) | kept)
    return 0
  }
  vcpu.hypercall = (nr, ...args) => {
    if (nr !== __HYPERVISOR_grant_table_op) return below(nr, ...args)
    const [command = 0, at = 0, count = 0] = args
    switch (command) {
      case GNTTABOP_query_size:
        gnttab_query_size.write(mem, at, { nr_frames: frames.length, max_nr_frames: maxFrames, status: 0 })
        return 0
      case GNTTABOP_setup_table: {
        const { nr_frames, frame_list } = gnttab_setup_table.read(mem, at)
        const status = nr_frames > maxFrames ? GNTST_general_error : 0
        while (status === 0 && frames.length < nr_frames) {
          const pfn = pages.allocNow('kernel')!
          pages.zero(pfn)
          frames.push(pfn)
        }
        gnttab_setup_table.fields.status.set(mem, at, status)
        for (let i = 0; i < nr_frames && status === 0; i++)
          mem.write64(frame_list + 8 * i, BigInt(pages.mfn(frames[i]!)))
        return 0
      }
      case GNTTABOP_map_grant_ref:
        for (let i = 0; i < count; i++) {
          const row = at + i * gnttab_map_grant_ref.size
          gnttab_map_grant_ref.fields.status.set(mem, row, map(row))
        }
        return 0
      case GNTTABOP_unmap_grant_ref:
        for (let i = 0; i < count; i++) {
          const row = at + i * gnttab_unmap_grant_ref.size
          gnttab_unmap_grant_ref.fields.status.set(mem, row, unmap(row))
        }
        return 0
      default:
        return -ENOSYS
    }
  }
  return {
    get mapped() {
      return maps.size
    },
    get frames() {
      return frames.length
    },
  }
}
