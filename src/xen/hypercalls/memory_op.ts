/** memory_op (12): how much memory a domain has, and which (xen/common/memory.c; arch/x86/mm.c, arch_memory_op). */
import type { Values } from '#abi/struct.ts'
import { EINVAL, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  e820entry,
  XENMAPSPACE_grant_table,
  XENMEM_add_to_physmap,
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_exchange,
  XENMEM_increase_reservation,
  XENMEM_machine_memory_map,
  XENMEM_machphys_mapping,
  XENMEM_machphys_mfn_list,
  XENMEM_maximum_gpfn,
  XENMEM_maximum_ram_page,
  XENMEM_maximum_reservation,
  XENMEM_memory_map,
  XENMEM_populate_physmap,
  XENMEM_set_memory_map,
  XENMEM_translate_gpfn_list,
  xen_add_to_physmap,
  xen_foreign_memory_map,
  xen_machphys_mapping,
  xen_machphys_mfn_list,
  xen_memory_map,
  xen_translate_gpfn_list,
} from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { DOMID_SELF, HYPERVISOR_VIRT_START, shared_info } from '#abi/xen/xen.ts'
import { type Domain, privilegedFor } from '../common/domain.ts'
import { growTable } from '../common/grant-table.ts'
import { exchange } from './memory-exchange.ts'
import { decrease, type Extents, increase, populate, reserve } from './memory-reservation.ts'
import { type Call, type Hypercall, op, opIn, type RawOp } from './op-table.ts'

const CMD_MASK = 63
/** 256 GiB of 8-byte entries. */
const MACH2PHYS_BYTES = 2 ** 38
/** Room in arch_domain.e820. */
const E820_ENTRIES = 3

const rows: Readonly<Record<number, RawOp>> = {
  [XENMEM_maximum_ram_page]: ({ xen }) => xen.maxPage,
  [XENMEM_current_reservation]: ofDomain((domain) => domain.totPages),
  // An int in the real one: without a limit it is -1.
  [XENMEM_maximum_reservation]: ofDomain((domain) => domain.maxPages | 0),
  // domain_get_maximum_gpfn: what the guest itself has said.
  [XENMEM_maximum_gpfn]: ofDomain((domain, { xen }) =>
    Number(BigInt.asIntN(32, shared_info.fields.max_pfn.get(xen.mem, domain.sharedInfo * PAGE_SIZE) - 1n)),
  ),
  [XENMEM_add_to_physmap]: opIn(xen_add_to_physmap, addToPhysmap),
  [XENMEM_translate_gpfn_list]: opIn(xen_translate_gpfn_list, translateGpfnList),
  [XENMEM_set_memory_map]: opIn(xen_foreign_memory_map, setMemoryMap),
  [XENMEM_memory_map]: memoryMap,
  [XENMEM_machine_memory_map]: machineMemoryMap,
  [XENMEM_machphys_mapping]: machphysMapping,
  [XENMEM_machphys_mfn_list]: op(xen_machphys_mfn_list, machphysMfnList),
  [XENMEM_exchange]: exchange,
}

const reservations: Readonly<Record<number, Extents>> = {
  [XENMEM_increase_reservation]: increase,
  [XENMEM_decrease_reservation]: decrease,
  [XENMEM_populate_physmap]: populate,
}

/** A reservation's only errors are extents that were not done. */
export const memoryOp: Hypercall = (call, [command = 0, pointer = 0]) => {
  const op = command & CMD_MASK
  const extents = reservations[op]
  if (extents) return reserve(call, pointer, Math.floor(command / (CMD_MASK + 1)), extents)
  return rows[op]?.(call, pointer) ?? -ENOSYS
}

/** Whom `domid` names, if the caller may; an error otherwise. */
function named({ xen, caller }: Call, domid: number): Domain | number {
  const domain = domid === DOMID_SELF ? caller : xen.domains.get(domid)
  if (!domain) return -ESRCH
  return domid === DOMID_SELF || privilegedFor(caller, domain) ? domain : -EPERM
}

function ofDomain(figure: (domain: Domain, call: Call) => number): RawOp {
  return (call, pointer) => {
    const domain = named(call, call.mem.read16(pointer))
    return typeof domain === 'number' ? domain : figure(domain, call)
  }
}

/** Only for domains whose page tables Xen translates, which a PV domain is not. Its grant table grows all the same. */
function addToPhysmap(call: Call, { domid, space, idx }: Values<typeof xen_add_to_physmap>): number {
  const domain = named(call, domid)
  if (typeof domain === 'number') return domain
  const frames = Number(idx) + 1
  if (space === XENMAPSPACE_grant_table && frames <= call.xen.options.gnttabMaxNrFrames)
    if (domain.grantTable && frames > domain.grantTable.shared.length) growTable(call.xen, domain, frames)
  return -EINVAL
}

/** The same. */
function translateGpfnList(call: Call, { domid, nr_gpfns }: Values<typeof xen_translate_gpfn_list>): number {
  if (nr_gpfns > 2n ** 58n - 1n) return -EINVAL
  const domain = named(call, domid)
  return typeof domain === 'number' ? domain : -EINVAL
}

function setMemoryMap(call: Call, { domid, nr_entries, buffer }: Values<typeof xen_foreign_memory_map>): number {
  if (nr_entries > E820_ENTRIES) return -EINVAL
  const domain = named(call, domid)
  if (typeof domain === 'number') return domain
  domain.e820 = call.mem.copyOut(buffer, nr_entries * e820entry.size)
  return 0
}

/** What the tools have set for the domain, no more of it than there is room for. */
function memoryMap({ caller, mem }: Call, pointer: number): number {
  const entries = caller.e820.length / e820entry.size
  if (entries === 0) return -ENOSYS
  const { nr_entries, buffer } = xen_memory_map.read(mem, pointer)
  const told = Math.min(entries, nr_entries)
  mem.copyIn(buffer, caller.e820.subarray(0, told * e820entry.size))
  xen_memory_map.fields.nr_entries.set(mem, pointer, told)
  return 0
}

function machineMemoryMap({ xen, caller, mem }: Call, pointer: number): number {
  if (!caller.privileged) return -EINVAL
  const map = xen_memory_map.read(mem, pointer)
  const { e820 } = xen
  if (map.nr_entries < e820.length + 1) return -EINVAL
  for (const [i, { base, length, type }] of e820.entries())
    e820entry.write(mem, map.buffer + i * e820entry.size, { addr: BigInt(base), size: BigInt(length), type })
  xen_memory_map.fields.nr_entries.set(mem, pointer, e820.length)
  return 0
}

function machphysMapping({ mem }: Call, pointer: number): number {
  xen_machphys_mapping.write(mem, pointer, {
    v_start: HYPERVISOR_VIRT_START,
    v_end: HYPERVISOR_VIRT_START + MACH2PHYS_BYTES,
    max_mfn: BigInt(MACH2PHYS_BYTES / 8 - 1),
  })
  return 0
}

function machphysMfnList({ xen, mem }: Call, arg: Values<typeof xen_machphys_mfn_list>): number {
  arg.nr_extents = Math.min(arg.max_extents, xen.m2pFrames.length)
  for (let i = 0; i < arg.nr_extents; i++) mem.write64(arg.extent_start + 8 * i, BigInt(xen.m2pFrames[i]!))
  return 0
}
