/** memory_op (xc_domain.c, xc_private.c) and frames of other domains, mapped (xc_linux.c). */

import { memOf } from '#abi/mem.ts'
import { EBUSY, EINVAL, ENOMEM } from '#abi/posix/errno.ts'
import { MAP_SHARED } from '#abi/posix/mman.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  XENMEM_decrease_reservation,
  XENMEM_increase_reservation,
  XENMEM_populate_physmap,
  xen_memory_reservation,
} from '#abi/xen/memory.ts'
import {
  IOCTL_PRIVCMD_MMAP,
  IOCTL_PRIVCMD_MMAPBATCH,
  privcmd_mmap,
  privcmd_mmap_entry,
  privcmd_mmapbatch,
} from '#abi/xen/sys/privcmd.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { __HYPERVISOR_memory_op, __HYPERVISOR_mmuext_op, mmuext_op } from '#abi/xen/xen.ts'
import { OsError } from '#user/libc/errno.ts'
import { eprint } from '#user/libc/stdio.ts'
import { ioctl, load, mmap, munmap, store } from '#user/libc/syscall.ts'
import { XcError } from './error.ts'
import { hypercall, withMemory, type XcHandle } from './privcmd.ts'

/** Frame numbers as Xen reads them: eight bytes each. */
export function frameBytes(frames: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(frames.length * 8)
  const words = new Uint32Array(bytes.buffer)
  for (let i = 0; i < frames.length; i++) words[2 * i] = frames[i]!
  return bytes
}

/** The other way round; no frame number is longer than 32 bits here. */
export function framesOf(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(bytes.slice().buffer)
  const frames = new Uint32Array(words.length / 2)
  for (let i = 0; i < frames.length; i++) frames[i] = words[2 * i]!
  return frames
}

export interface Reservation {
  readonly domid: number
  readonly order?: number
  readonly memFlags?: number
}

/** One memory_op about `extents`: how many were done, and the list as Xen left it. */
function* reserve(
  xc: XcHandle,
  cmd: number,
  { domid, order = 0, memFlags = 0 }: Reservation,
  extents: Uint32Array,
): Sys<{ readonly done: number; readonly frames: Uint32Array }> {
  const { size } = xen_memory_reservation
  const bytes = new Uint8Array(size + extents.length * 8)
  return yield* withMemory(xc, bytes.length, function* (at) {
    xen_memory_reservation.write(memOf(bytes), 0, {
      extent_start: at + size,
      nr_extents: BigInt(extents.length),
      extent_order: order,
      mem_flags: memFlags,
      domid,
    })
    bytes.set(frameBytes(extents), size)
    yield* store(at, bytes)
    const done = yield* hypercall(xc, __HYPERVISOR_memory_op, cmd, at)
    return { done, frames: framesOf(yield* load(at + size, extents.length * 8)) }
  })
}

const failed = (what: string, domid: number, count: number, order: number): string =>
  `Failed ${what} for dom ${domid}: ${count} extents of order ${order}`

/** xc_domain_memory_populate_physmap: `gpfns` get frames; the frames, in their order. */
export function* xcDomainMemoryPopulatePhysmap(xc: XcHandle, what: Reservation, gpfns: Uint32Array): Sys<Uint32Array> {
  const { done, frames } = yield* reserve(xc, XENMEM_populate_physmap, what, gpfns)
  if (done === gpfns.length) return frames
  yield* eprint(`${failed('allocation', what.domid, gpfns.length, what.order ?? 0)}\n`)
  throw new XcError(EBUSY)
}

export function* xcDomainMemoryIncreaseReservation(xc: XcHandle, what: Reservation, count: number): Sys<Uint32Array> {
  const { done, frames } = yield* reserve(xc, XENMEM_increase_reservation, what, new Uint32Array(count))
  if (done === count) return frames
  const { order = 0, memFlags = 0 } = what
  yield* eprint(`${failed('allocation', what.domid, count, order)}, mem_flags ${memFlags.toString(16)}\n`)
  throw new XcError(ENOMEM)
}

export function* xcDomainMemoryDecreaseReservation(xc: XcHandle, what: Reservation, frames: Uint32Array): Sys<void> {
  const { done } = yield* reserve(xc, XENMEM_decrease_reservation, what, frames)
  if (done === frames.length) return
  yield* eprint(`${failed('deallocation', what.domid, frames.length, what.order ?? 0)}\n`)
  throw new XcError(EINVAL)
}

/** xc_mmuext_op, one operation on behalf of `domid`. */
export function* xcMmuextOp(xc: XcHandle, cmd: number, mfn: number, domid: number): Sys<void> {
  const bytes = new Uint8Array(mmuext_op.size)
  mmuext_op.write(memOf(bytes), 0, { cmd, arg1: BigInt(mfn) })
  yield* withMemory(xc, bytes.length, function* (at) {
    yield* store(at, bytes)
    yield* hypercall(xc, __HYPERVISOR_mmuext_op, at, 1, 0, domid)
  })
}

/** Map by `insert`, or not at all. */
function* mapForeign(xc: XcHandle, bytes: number, prot: number, insert: (address: Vaddr) => Sys<unknown>): Sys<Vaddr> {
  const address = yield* mmap(bytes, prot, MAP_SHARED, xc.fd, 0)
  try {
    yield* insert(address)
  } catch (error) {
    yield* munmap(address, bytes)
    throw error instanceof OsError ? new XcError(error.errno) : error
  }
  return address
}

/** xc_map_foreign_range: `bytes` from frame `mfn` on. munmap ends it. */
export function xcMapForeignRange(xc: XcHandle, domid: number, bytes: number, prot: number, mfn: number): Sys<Vaddr> {
  const npages = Math.ceil(bytes / PAGE_SIZE)
  return mapForeign(xc, npages * PAGE_SIZE, prot, (va) =>
    withMemory(xc, privcmd_mmap_entry.size, function* (entry) {
      const range = new Uint8Array(privcmd_mmap_entry.size)
      privcmd_mmap_entry.write(memOf(range), 0, { va, mfn: BigInt(mfn), npages: BigInt(npages) })
      yield* store(entry, range)
      const call = new Uint8Array(privcmd_mmap.size)
      privcmd_mmap.write(memOf(call), 0, { num: 1, dom: domid, entry })
      yield* ioctl(xc.fd, IOCTL_PRIVCMD_MMAP, call)
    }),
  )
}

/** privcmd marks a frame that it could not map. */
const BATCH_ERROR = 0xf0000000

/** xc_map_foreign_batch: `frames` one behind the other. One that cannot be mapped is EINVAL: whoever maps one by one asks for one. */
export function xcMapForeignBatch(xc: XcHandle, domid: number, prot: number, frames: Uint32Array): Sys<Vaddr> {
  return mapForeign(xc, frames.length * PAGE_SIZE, prot, (addr) =>
    withMemory(xc, frames.length * 8, function* (arr) {
      yield* store(arr, frameBytes(frames))
      const call = new Uint8Array(privcmd_mmapbatch.size)
      privcmd_mmapbatch.write(memOf(call), 0, { num: frames.length, dom: domid, addr, arr })
      yield* ioctl(xc.fd, IOCTL_PRIVCMD_MMAPBATCH, call)
      const after = framesOf(yield* load(arr, frames.length * 8))
      for (let i = 0; i < after.length; i++) if (after[i]! >= BATCH_ERROR) throw new XcError(EINVAL)
    }),
  )
}
