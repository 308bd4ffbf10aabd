/** XENMEM_increase_reservation, _decrease_reservation, _populate_physmap: the balloon (xen/common/memory.c). */
import type { Values } from '#abi/struct.ts'
import { xen_memory_reservation } from '#abi/xen/memory.ts'
import { PAGE_SHIFT } from '#abi/xen/types.ts'
import { DOMID_SELF } from '#abi/xen/xen.ts'
import { GuestPageFault } from '../arch-x86/mm.ts'
import { dropPin } from '../arch-x86/page-tables.ts'
import { getPage, mfnValid, putPage } from '../arch-x86/page-type.ts'
import { type Domain, privilegedFor } from '../common/domain.ts'
import { allocDomainPages } from '../common/domain-pages.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { MAX_ORDER, PGC_allocated } from '../common/page-alloc.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import type { Call } from './op-table.ts'

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

/** How many extents are done in the end, of those before `from` nothing is known. */
export type Extents = (args: Reservation, from: number) => number

/** XENMEMF_get_address_bits */
export const addressBits = (memFlags: number): number => memFlags & 0xff

/** multipage_allocation_permitted: for who has a device that wants its memory in one piece. */
export const multipagePermitted = ({ iomemCaps }: Domain): boolean => !iomemCaps.empty

export function reserve(call: Call, pointer: number, from: number, extents: Extents): number {
  let arg: Values<typeof xen_memory_reservation>
  try {
    arg = xen_memory_reservation.read(call.mem, pointer)
  } catch (thrown) {
    if (thrown instanceof GuestPageFault) return from
    throw thrown
  }
  if (arg.nr_extents > 2n ** 58n - 1n || from > arg.nr_extents) return from
  const bits = addressBits(arg.mem_flags)
  if (bits !== 0 && bits <= PAGE_SHIFT) return from
  const domain = arg.domid === DOMID_SELF ? call.caller : call.xen.domains.get(arg.domid)
  if (!domain || (arg.domid !== DOMID_SELF && !privilegedFor(call.caller, domain))) return from
  const args = {
    call,
    domain,
    list: arg.extent_start,
    count: Number(BigInt.asUintN(32, arg.nr_extents)),
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

const orderPermitted = ({ call, order }: Reservation): boolean => order === 0 || multipagePermitted(call.caller)

function allocate(args: Reservation, i: number): number | undefined {
  const { call, domain, order, bits, count } = args
  const mfn = order > MAX_ORDER ? undefined : allocDomainPages(call.xen, domain, order, bits)
  if (mfn === undefined)
    guestLog(
      call.xen,
      XENLOG_INFO,
      'memory.c:68',
      `Could not allocate order=${order} extent: id=${domain.id} memflags=${hex(bits)} (${i} of ${count})`,
    )
  return mfn
}

export function increase(args: Reservation, from: number): number {
  if (!orderPermitted(args)) return from
  const { call, list } = args
  return each(args, from, (i) => {
    // Before frames are taken that nobody could be told of.
    if (list !== 0) call.mem.write64(list + 8 * i, call.mem.read64(list + 8 * i))
    const mfn = allocate(args, i)
    if (mfn === undefined) return false
    if (list !== 0) call.mem.write64(list + 8 * i, BigInt(mfn))
    return true
  })
}

export function populate(args: Reservation, from: number): number {
  if (!orderPermitted(args)) return from
  const { call, list, order } = args
  return each(args, from, (i) => {
    const gpfn = call.mem.read32(list + 8 * i)
    call.mem.write32(list + 8 * i, gpfn)
    const mfn = allocate(args, i)
    if (mfn === undefined) return false
    for (let j = 0; j < 2 ** order; j++) call.xen.heap.frames.m2p.set(mfn + j, gpfn + j)
    call.mem.write64(list + 8 * i, BigInt(mfn))
    return true
  })
}

export function decrease(args: Reservation, from: number): number {
  const { call, domain, list, order } = args
  if (order > MAX_ORDER) return from
  return each(args, from, (i) => {
    const low = call.mem.read32(list + 8 * i)
    const mfn = low + call.mem.read32(list + 8 * i + 4) * 2 ** 32
    for (let j = 0; j < 2 ** order; j++) if (!guestRemovePage(call.xen, domain, mfn + j)) return false
    return true
  })
}

/** guest_remove_page: the domain gives a frame up; it is free once nobody maps it any more. */
function guestRemovePage(xen: Xen, domain: Domain, mfn: number): boolean {
  const { frames } = xen.heap
  if (!mfnValid(xen, mfn)) {
    guestLog(xen, XENLOG_INFO, 'memory.c:150', `Domain ${domain.id} page number ${hex(mfn)} invalid`)
    return false
  }
  if (!getPage(xen, mfn, domain)) {
    guestLog(xen, XENLOG_INFO, 'memory.c:158', `Bad page free for domain ${domain.id}`)
    return false
  }
  dropPin(xen, mfn)
  if (frames.countInfo[mfn]! >= PGC_allocated) {
    frames.countInfo[mfn] = frames.countInfo[mfn]! - PGC_allocated
    putPage(xen, mfn)
  }
  putPage(xen, mfn)
  return true
}
