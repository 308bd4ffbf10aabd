/**
 * /proc/xen/privcmd (linux-2.6.18-xen: drivers/xen/privcmd/privcmd.c): a process makes hypercalls, and maps other domains' frames. The file's mode says who may
 * open it; what the domain may do, Xen says.
 */

import { memOf } from '#abi/mem.ts'
import { EFAULT, EINVAL, ENOSYS } from '#abi/posix/errno.ts'
import {
  IOCTL_PRIVCMD_HYPERCALL,
  IOCTL_PRIVCMD_MMAP,
  IOCTL_PRIVCMD_MMAPBATCH,
  privcmd_hypercall,
  privcmd_mmap,
  privcmd_mmap_entry,
  privcmd_mmapbatch,
} from '#abi/xen/sys/privcmd.ts'
import { type Mfn, PAGE_SIZE, signedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { type Core, coreOf } from '../../core.ts'
import { fail } from '../../errno.ts'
import type { Initcall } from '../../kernel.ts'
import type { Area } from '../../mm/area.ts'
import type { TaskStruct } from '../../sched/task-struct.ts'
import type { File, FileOps } from '../../vfs/file.ts'

/** Entries of the hypercall page. */
const HYPERCALLS = PAGE_SIZE >> 5
const MFN_BYTES = 8
/** What a frame number that could not be mapped gets. */
const FAILED = 0xf0000000n
/** Looked at as one piece. */
const CHUNK_FRAMES = 1024

/** What the ioctl's argument points to. */
function structOf(arg: number | Uint8Array, size: number): ReturnType<typeof memOf> {
  if (typeof arg === 'number' || arg.length < size) fail(EFAULT)
  return memOf(arg)
}

function hypercall({ vcpu }: Core, arg: number | Uint8Array): number {
  const { op, arg0, arg1, arg2, arg3, arg4 } = privcmd_hypercall.read(structOf(arg, privcmd_hypercall.size), 0)
  if (op >= BigInt(HYPERCALLS)) fail(ENOSYS)
  const result = vcpu.hypercall(Number(op), ...[arg0, arg1, arg2, arg3, arg4].map(signedVaddr))
  return result < 0 ? fail(-result) : result
}

/** The area that begins at `va` and was mapped of this very kind of file: once only is it filled (privcmd_enforce_singleshot_mapping). */
function freshArea(core: Core, file: File, va: Vaddr): Area {
  const area = core.areas.find(core.sched.current as TaskStruct, va)
  if (!area || area.start !== va || area.file?.inode !== file.inode || area.data !== undefined) return fail(EINVAL)
  return area
}

/** direct_remap_pfn_range: 0, or what Xen says. */
function remap(area: Area, first: number, mfn: number, pages: number, domid: number): number {
  for (let i = 0; i < pages; i++) {
    const error = area.insert(first + i, (mfn + i) as Mfn, domid)
    if (error !== 0) return error
  }
  return 0
}

function mmap(core: Core, file: File, arg: number | Uint8Array): number {
  const { num, dom, entry } = privcmd_mmap.read(structOf(arg, privcmd_mmap.size), 0)
  const task = core.sched.current as TaskStruct
  const at = (i: number) => {
    const bytes = core.areas.load(task, entry + i * privcmd_mmap_entry.size, privcmd_mmap_entry.size)
    return privcmd_mmap_entry.read(memOf(bytes), 0)
  }
  if (num === 0) fail(EINVAL)
  const area = freshArea(core, file, at(0).va)
  area.data = file
  let done = 0
  for (let i = 0; i < num; i++) {
    const { va, mfn, npages } = at(i)
    if (va !== area.start + done * PAGE_SIZE || npages > BigInt(area.pages - done)) fail(EINVAL)
    const error = remap(area, done, Number(mfn), Number(npages), dom)
    if (error !== 0) fail(-error)
    done += Number(npages)
  }
  return 0
}

function mmapBatch(core: Core, file: File, arg: number | Uint8Array): number {
  const { num, dom, addr, arr } = privcmd_mmapbatch.read(structOf(arg, privcmd_mmapbatch.size), 0)
  const task = core.sched.current as TaskStruct
  if (num === 0) fail(EINVAL)
  const area = freshArea(core, file, addr)
  if (area.pages !== num) fail(EINVAL)
  area.data = file
  for (let done = 0; done < num; done += CHUNK_FRAMES) {
    const count = Math.min(CHUNK_FRAMES, num - done)
    const frames = memOf(core.areas.load(task, arr + done * MFN_BYTES, count * MFN_BYTES))
    for (let i = 0; i < count; i++) {
      const mfn = frames.read64(i * MFN_BYTES)
      if (remap(area, done + i, Number(mfn), 1, dom) === 0) continue
      const marked = new Uint8Array(MFN_BYTES)
      memOf(marked).write64(0, mfn | FAILED)
      core.areas.store(task, arr + (done + i) * MFN_BYTES, marked)
    }
  }
  return 0
}

const privcmdOps = (core: Core): FileOps => ({
  *ioctl(file, request, arg) {
    switch (request) {
      case IOCTL_PRIVCMD_HYPERCALL:
        return hypercall(core, arg)
      case IOCTL_PRIVCMD_MMAP:
        return mmap(core, file, arg)
      case IOCTL_PRIVCMD_MMAPBATCH:
        return mmapBatch(core, file, arg)
      default:
        return fail(EINVAL)
    }
  },
  // Addresses, and nothing there until an ioctl fills them.
  *mmap() {},
})

/** privcmd_init. */
export const privcmdInit: Initcall = function* privcmdInit(kernel) {
  kernel.proc.add('xen/privcmd', { mode: 0o400, ops: () => privcmdOps(coreOf(kernel)) })
}
