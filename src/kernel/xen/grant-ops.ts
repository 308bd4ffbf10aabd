/** grant_table_op as this kernel makes it: lists of structs in the bounce page. */
import {
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_okay,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_grant_ref,
  gnttab_map_grant_ref,
  gnttab_unmap_grant_ref,
} from '#abi/xen/grant_table.ts'
import { type Mfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { __HYPERVISOR_grant_table_op } from '#abi/xen/xen.ts'
import type { Kernel } from '../kernel.ts'

/** What fits into the bounce page. */
const BATCH = PAGE_SIZE / gnttab_map_grant_ref.size

export interface WantedGrant {
  readonly domid: number
  readonly ref: number
  readonly va: Vaddr
}

export interface MappedGrant {
  readonly va: Vaddr
  readonly handle: number
  readonly mfn: Mfn
}

/** Map each: the mappings, or of the first that failed its GNTST_*, with none mapped. `flags` besides host_map and readonly. */
export function mapGrants(
  kernel: Kernel,
  wanted: readonly WantedGrant[],
  readOnly: boolean,
  flags = 0,
): MappedGrant[] | number {
  const { mem, bounce, vcpu } = kernel
  const { fields, size } = gnttab_map_grant_ref
  const mapped: MappedGrant[] = []
  let failure = GNTST_okay
  for (let done = 0; done < wanted.length && failure === GNTST_okay; done += BATCH) {
    const part = wanted.slice(done, done + BATCH)
    part.forEach(({ domid, ref, va }, i) => {
      gnttab_map_grant_ref.write(mem, bounce + i * size, {
        host_addr: va,
        flags: GNTMAP_host_map | flags | (readOnly ? GNTMAP_readonly : 0),
        ref,
        dom: domid,
        status: 0,
      })
    })
    const error = vcpu.hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, bounce, part.length)
    if (error !== 0) throw new Error(`GNTTABOP_map_grant_ref: ${error}`)
    part.forEach(({ va }, i) => {
      const at = bounce + i * size
      const status = fields.status.get(mem, at)
      if (status !== GNTST_okay) failure ||= status
      else {
        const mfn = Number(fields.dev_bus_addr.get(mem, at) >> 12n) as Mfn
        mapped.push({ va, handle: fields.handle.get(mem, at), mfn })
      }
    })
  }
  if (failure === GNTST_okay) return mapped
  unmapGrants(kernel, mapped)
  return failure
}

export function unmapGrants(kernel: Kernel, mapped: readonly MappedGrant[]): void {
  const { mem, bounce, vcpu } = kernel
  const { fields, size } = gnttab_unmap_grant_ref
  for (let done = 0; done < mapped.length; done += BATCH) {
    const part = mapped.slice(done, done + BATCH)
    part.forEach(({ va, handle }, i) => {
      gnttab_unmap_grant_ref.write(mem, bounce + i * size, { host_addr: va, dev_bus_addr: 0n, handle, status: 0 })
    })
    const error = vcpu.hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, bounce, part.length)
    part.forEach((_, i) => {
      const status = fields.status.get(mem, bounce + i * size)
      if (error !== 0 || status !== GNTST_okay) throw new Error(`GNTTABOP_unmap_grant_ref: ${error || status}`)
    })
  }
}
