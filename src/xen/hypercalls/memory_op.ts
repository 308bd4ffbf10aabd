/** memory_op (12): how much memory a domain has, and which (xen/common/memory.c). */
import type { Values } from '#abi/struct.ts'
import { EINVAL, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  e820entry,
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_increase_reservation,
  XENMEM_machine_memory_map,
  XENMEM_machphys_mapping,
  XENMEM_maximum_gpfn,
  XENMEM_maximum_ram_page,
  XENMEM_maximum_reservation,
  XENMEM_memory_map,
  XENMEM_populate_physmap,
  xen_machphys_mapping,
  xen_memory_map,
  xen_memory_reservation,
} from '#abi/xen/memory.ts'
import { DOMID_SELF, HYPERVISOR_VIRT_START } from '#abi/xen/xen.ts'
import { GuestPageFault } from '../arch-x86/mm.ts'
import { guestRemovePage } from '../arch-x86/page-type.ts'
import { allocDomainPages, type Domain } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { MAX_ORDER } from '../common/page-alloc.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import type { Call, Hypercall, RawOp } from './op-table.ts'

const CMD_MASK = 63
/** 256 GiB of 8-byte entries. */
const MACH2PHYS_BYTES = 2 ** 38

/** What a reservation asks for, checked. */
interface Reservation {
  readonly call: Call
  readonly domain: Domain
  readonly list: number
  readonly count: number
  readonly order: number
  /** Frames must lie below this many bits of address; 0: anywhere. */
  readonly bits: number
}

type Extents = (args: Reservation, from: number) => number

const rows: Readonly<Record<number, RawOp>> = {
  [XENMEM_maximum_ram_page]: ({ xen }) => xen.maxPage,
  [XENMEM_current_reservation]: ofDomain((domain) => domain.totPages),
  // An int in the real one: without a limit it is -1.
  [XENMEM_maximum_reservation]: ofDomain((domain) => domain.maxPages | 0),
  // domain_get_maximum_gpfn: what the guest itself has said in shared_info.arch.max_pfn.
  [XENMEM_maximum_gpfn]: ofDomain((domain, { xen }) => Number(xen.mem.read64(domain.sharedInfo * 4096 + 3088)) - 1),
  // No domain has been given a map of its own.
  [XENMEM_memory_map]: () => -ENOSYS,
  [XENMEM_machine_memory_map]: machineMemoryMap,
  [XENMEM_machphys_mapping]: machphysMapping,
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

function ofDomain(figure: (domain: Domain, call: Call) => number): RawOp {
  return (call, pointer) => {
    const domid = call.mem.read16(pointer)
    const domain = domid === DOMID_SELF ? call.caller : call.xen.domains.get(domid)
    if (!domain) return -ESRCH
    if (domid !== DOMID_SELF && !call.caller.privileged) return -EPERM
    return figure(domain, call)
  }
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

function reserve(call: Call, pointer: number, from: number, extents: Extents): number {
  let arg: Values<typeof xen_memory_reservation>
  try {
    arg = xen_memory_reservation.read(call.mem, pointer)
  } catch (thrown) {
    if (thrown instanceof GuestPageFault) return from
    throw thrown
  }
  if (arg.nr_extents > 2n ** 32n || from > arg.nr_extents) return from
  const bits = arg.mem_flags & 0xff
  if (bits !== 0 && bits <= 12) return from
  const domain = arg.domid === DOMID_SELF ? call.caller : call.xen.domains.get(arg.domid)
  if (!domain || (arg.domid !== DOMID_SELF && !call.caller.privileged)) return from
  const args = {
    call,
    domain,
    list: arg.extent_start,
    count: Number(arg.nr_extents),
    order: arg.extent_order,
    bits,
  }
  return extents(args, from)
}

/** Runs `one` for each extent until one fails: with false, or by a list that is not there. How many were done. */
function each({ count }: Reservation, from: number, one: (i: number) => boolean): number {
  let i = from
  try {
    while (i < count && one(i)) i++
  } catch (thrown) {
    if (!(thrown instanceof GuestPageFault)) throw thrown
  }
  return i
}

/** multipage_allocation_permitted */
const orderPermitted = ({ call, order }: Reservation): boolean =>
  order === 0 || (call.caller.privileged && order <= MAX_ORDER)

function allocate(args: Reservation, i: number): number | undefined {
  const { call, domain, order, bits, count } = args
  const mfn = allocDomainPages(call.xen, domain, order, bits)
  if (mfn === undefined)
    guestLog(
      call.xen,
      XENLOG_INFO,
      'memory.c:68',
      `Could not allocate order=${order} extent: id=${domain.id} memflags=${hex(bits)} (${i} of ${count})`,
    )
  return mfn
}

function increase(args: Reservation, from: number): number {
  if (!orderPermitted(args)) return from
  const { call, list } = args
  return each(args, from, (i) => {
    if (list !== 0) call.mem.write64(list + 8 * i, call.mem.read64(list + 8 * i))
    const mfn = allocate(args, i)
    if (mfn === undefined) return false
    if (list !== 0) call.mem.write64(list + 8 * i, BigInt(mfn))
    return true
  })
}

function populate(args: Reservation, from: number): number {
  if (!orderPermitted(args)) return from
  const { call, list, order } = args
  return each(args, from, (i) => {
    const gpfn = call.mem.read32(list + 8 * i)
    // Before frames are taken that nobody could be told of.
    call.mem.write32(list + 8 * i, gpfn)
    const mfn = allocate(args, i)
    if (mfn === undefined) return false
    for (let j = 0; j < 2 ** order; j++) call.xen.heap.frames.m2p[mfn + j] = gpfn + j
    call.mem.write64(list + 8 * i, BigInt(mfn))
    return true
  })
}

function decrease(args: Reservation, from: number): number {
  const { call, domain, list, order } = args
  if (order > MAX_ORDER) return from
  return each(args, from, (i) => {
    const low = call.mem.read32(list + 8 * i)
    const mfn = low + call.mem.read32(list + 8 * i + 4) * 2 ** 32
    for (let j = 0; j < 2 ** order; j++) if (!guestRemovePage(call.xen, domain, mfn + j)) return false
    return true
  })
}
