/** XENMEM_exchange: frames of the caller's for others, larger or smaller or elsewhere (xen/common/memory.c, memory_exchange). */
import type { Values } from '#abi/struct.ts'
import { EINVAL, ENOMEM, EPERM } from '#abi/xen/errno.ts'
import { XEN_MEMORY_EXCHANGE_OUT, xen_memory_exchange, xen_memory_reservation } from '#abi/xen/memory.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { DOMID_SELF } from '#abi/xen/xen.ts'
import { freeStolen, mfnValid, stealPage } from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { clampBits, ownPages } from '../common/domain-pages.ts'
import { MAX_ORDER } from '../common/page-alloc.ts'
import { addressBits, multipagePermitted } from './memory-reservation.ts'
import { type Call, orEfault } from './op-table.ts'

type Reservation = Values<typeof xen_memory_reservation>

/** More frames than any machine has are refused. The real one is preempted in the middle, and goes on. */
const FRAMES_MAX = 2 ** 20

export function exchange(call: Call, pointer: Vaddr): number {
  const { mem, caller } = call
  const { nr_exchanged: exchanged } = xen_memory_exchange.fields
  const from = xen_memory_reservation.read(mem, pointer)
  const to = xen_memory_reservation.read(mem, pointer + XEN_MEMORY_EXCHANGE_OUT)
  let done = exchanged.get(mem, pointer)
  const refused = refusal(caller, from, to, done)
  if (refused !== 0) {
    exchanged.set(mem, pointer, done)
    return refused
  }
  // A chunk is the larger of the two extents: so many of either make one.
  const fromShift = Math.max(0, to.extent_order - from.extent_order)
  const toShift = Math.max(0, from.extent_order - to.extent_order)
  const chunks = Number(from.nr_extents >> BigInt(fromShift))
  let i = Number(done >> BigInt(fromShift))
  let result = 0
  for (; i < chunks; i++) {
    result = chunk(call, from, i * 2 ** fromShift, 2 ** fromShift, to, i * 2 ** toShift, 2 ** toShift)
    if (result !== 0) break
  }
  done = result === 0 ? from.nr_extents : BigInt(i) << BigInt(fromShift)
  exchanged.set(mem, pointer, done)
  return result
}

/** What is wrong with it from the first. */
function refusal(caller: Domain, from: Reservation, to: Reservation, done: bigint): number {
  const frames = ({ nr_extents, extent_order }: Reservation): bigint =>
    extent_order > MAX_ORDER ? -1n : nr_extents << BigInt(extent_order)
  if (done > from.nr_extents || from.domid !== to.domid || (frames(from) !== frames(to) && frames(from) >= 0n))
    return -EINVAL
  if ((from.extent_order !== 0 || to.extent_order !== 0) && !multipagePermitted(caller)) return -EPERM
  if (from.domid !== DOMID_SELF) return caller.privileged ? -EINVAL : -EPERM
  if (frames(from) < 0n || frames(to) < 0n || frames(from) > FRAMES_MAX) return -EINVAL
  return 0
}

/** One chunk, wholly or not at all: `ins` extents of `from` from `firstIn` on, `outs` of `to` from `firstOut` on. */
function chunk(
  call: Call,
  from: Reservation,
  firstIn: number,
  ins: number,
  to: Reservation,
  firstOut: number,
  outs: number,
): number {
  const { xen, caller } = call
  const { frames } = xen.heap
  const stolen: number[] = []
  const fresh: number[] = []
  let result = orEfault(() => steal(call, from, firstIn, ins, stolen))
  for (let j = 0; j < outs && result === 0; j++) {
    const mfn = xen.heap.takeDomHeapPages(to.extent_order, clampBits(caller, addressBits(to.mem_flags)))
    if (mfn === undefined) result = -ENOMEM
    else fresh.push(mfn)
  }
  if (result !== 0) {
    for (const mfn of stolen) frames.owner[mfn] = caller.id
    for (const mfn of fresh) xen.heap.freeDomHeapPages(mfn, to.extent_order)
    return result
  }
  for (const mfn of stolen) freeStolen(xen, mfn)
  const pages = 2 ** to.extent_order
  for (let j = 0; j < outs; j++) {
    const mfn = fresh[outs - 1 - j]!
    ownPages(xen, caller, mfn, pages)
    place(call, to.extent_start + 8 * (firstOut + j), mfn, pages)
  }
  return 0
}

function steal({ xen, caller, mem }: Call, from: Reservation, first: number, count: number, stolen: number[]): number {
  for (let j = 0; j < count; j++) {
    const mfn = Number(mem.read64(from.extent_start + 8 * (first + j)))
    for (let k = 0; k < 2 ** from.extent_order; k++) {
      if (!mfnValid(xen, mfn + k) || !stealPage(xen, caller, mfn + k)) return -EINVAL
      stolen.push(mfn + k)
    }
  }
  return 0
}

/** The guest's number for the frames, and theirs for the guest. That its list is not there is its own loss. */
function place({ xen, mem }: Call, at: Vaddr, mfn: number, pages: number): void {
  orEfault(() => {
    const gpfn = mem.read32(at)
    for (let k = 0; k < pages; k++) xen.heap.frames.m2p.set(mfn + k, gpfn + k)
    mem.write64(at, BigInt(mfn))
    return 0
  })
}
