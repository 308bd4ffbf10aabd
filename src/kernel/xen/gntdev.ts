/** /dev/xen/gntdev (linux-2.6.18-xen: drivers/xen/gntdev/gntdev.c): a process maps what other domains grant. First it names the grants, then it maps them. */

import { memOf } from '#abi/mem.ts'
import { EINVAL, ENOENT, ENOMEM, ENOTTY } from '#abi/posix/errno.ts'
import { GNTMAP_application_map } from '#abi/xen/grant_table.ts'
import {
  GNTDEV_REFS,
  IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,
  IOCTL_GNTDEV_MAP_GRANT_REF,
  IOCTL_GNTDEV_SET_MAX_GRANTS,
  IOCTL_GNTDEV_UNMAP_GRANT_REF,
  ioctl_gntdev_get_offset_for_vaddr,
  ioctl_gntdev_grant_ref,
  ioctl_gntdev_map_grant_ref,
  ioctl_gntdev_set_max_grants,
  ioctl_gntdev_unmap_grant_ref,
} from '#abi/xen/sys/gntdev.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { Errno, fail } from '../errno.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import type { Vma } from '../mm/vma.ts'
import type { FileOps } from '../vfs/file.ts'
import { mapGrants, unmapGrants } from './grant-ops.ts'

const GNTDEV_MAJOR = 254
const GRANTS_DEFAULT = 128
const GRANTS_LIMIT = 1024

interface Slot {
  readonly domid: number
  readonly ref: number
  area: Vma | undefined
}

class OpenGntdev {
  readonly #kernel: Kernel
  #max = 0
  /** By offset, in pages. */
  readonly #slots: (Slot | undefined)[] = []

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  ioctl(request: number, arg: number | Uint8Array): number | Uint8Array {
    switch (request) {
      case IOCTL_GNTDEV_MAP_GRANT_REF:
        return this.#name(bytesOf(arg, ioctl_gntdev_map_grant_ref.size))
      case IOCTL_GNTDEV_UNMAP_GRANT_REF:
        return this.#forget(bytesOf(arg, ioctl_gntdev_unmap_grant_ref.size))
      case IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR:
        return this.#offsetFor(bytesOf(arg, ioctl_gntdev_get_offset_for_vaddr.size))
      case IOCTL_GNTDEV_SET_MAX_GRANTS: {
        const { count } = ioctl_gntdev_set_max_grants.read(memOf(bytesOf(arg, ioctl_gntdev_set_max_grants.size)), 0)
        if (this.#max !== 0 || count === 0 || count > GRANTS_LIMIT) fail(EINVAL)
        this.#max = count
        return 0
      }
      default:
        return fail(ENOTTY)
    }
  }

  #name(bytes: Uint8Array): Uint8Array {
    const mem = memOf(bytes)
    const { count } = ioctl_gntdev_map_grant_ref.read(mem, 0)
    if (count === 0) fail(EINVAL)
    this.#max ||= GRANTS_DEFAULT
    if (count > this.#max) fail(ENOMEM)
    const refs = bytesOf(bytes, GNTDEV_REFS + count * ioctl_gntdev_grant_ref.size)
    const first = this.#room(count)
    for (let i = 0; i < count; i++) {
      const { domid, ref } = ioctl_gntdev_grant_ref.read(memOf(refs), GNTDEV_REFS + i * ioctl_gntdev_grant_ref.size)
      this.#slots[first + i] = { domid, ref, area: undefined }
    }
    ioctl_gntdev_map_grant_ref.fields.index.set(mem, 0, BigInt(first * PAGE_SIZE))
    return bytes
  }

  /** The first of so many free offsets. */
  #room(count: number): number {
    for (let run = 0, at = 0; at < this.#max; at++) {
      run = this.#slots[at] === undefined ? run + 1 : 0
      if (run === count) return at + 1 - count
    }
    return fail(ENOMEM)
  }

  #forget(bytes: Uint8Array): number {
    const { index, count } = ioctl_gntdev_unmap_grant_ref.read(memOf(bytes), 0)
    const first = Number(index) / PAGE_SIZE
    if (!Number.isInteger(first)) fail(EINVAL)
    const slots = this.#slots.slice(first, first + count)
    if (count === 0 || slots.length < count || slots.includes(undefined)) fail(ENOENT)
    if (slots.some((slot) => slot!.area)) fail(EINVAL)
    this.#slots.fill(undefined, first, first + count)
    return 0
  }

  #offsetFor(bytes: Uint8Array): Uint8Array {
    const mem = memOf(bytes)
    const { vaddr } = ioctl_gntdev_get_offset_for_vaddr.read(mem, 0)
    const area = this.#slots.find((slot) => slot?.area?.start === vaddr)?.area ?? fail(EINVAL)
    ioctl_gntdev_get_offset_for_vaddr.write(mem, 0, { offset: BigInt(area.offset), count: area.pages })
    return bytes
  }

  mmap(vma: Vma): void {
    const first = vma.offset / PAGE_SIZE
    const slots = this.#slots.slice(first, first + vma.pages)
    if (slots.length < vma.pages || slots.some((slot) => !slot || slot.area)) fail(EINVAL)
    const wanted = slots.map((slot, i) => ({ domid: slot!.domid, ref: slot!.ref, va: vma.start + i * PAGE_SIZE }))
    const mapped = mapGrants(this.#kernel, wanted, !vma.writable, GNTMAP_application_map)
    if (typeof mapped === 'number') throw new Errno(ENOMEM)
    slots.forEach((slot, i) => {
      slot!.area = vma
      vma.setMapped(i, true)
    })
    vma.unmap = () => {
      unmapGrants(this.#kernel, mapped)
      slots.forEach((slot, i) => {
        slot!.area = undefined
        vma.setMapped(i, false)
      })
    }
  }
}

function bytesOf(arg: number | Uint8Array, length: number): Uint8Array {
  if (typeof arg === 'number' || arg.length < length) fail(EINVAL)
  return arg
}

/** gntdev_init */
export const gntdevInit: Initcall = function* gntdevInit(kernel) {
  if (!kernel.grants) return
  kernel.vfs.registerCharDevice(GNTDEV_MAJOR, 'gntdev', function* () {
    const open = new OpenGntdev(kernel)
    const ops: FileOps = {
      seekable: false,
      *ioctl(_file, request, arg) {
        return open.ioctl(request, arg)
      },
      *mmap(_file, vma) {
        open.mmap(vma)
      },
    }
    return ops
  })
}
