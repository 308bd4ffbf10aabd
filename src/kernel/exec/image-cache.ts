/**
 * Programs' code, ready to run: an image file is read into frames, which Xen's processor makes code of (VirtualCpu.load), once for each inode as long
 * as that is unchanged. Each execve evaluates it afresh.
 */

import { ImageKind } from '#abi/image.ts'
import type { LoadedCode } from '#abi/pc/metal.ts'
import { ENOEXEC } from '#abi/posix/errno.ts'
import { type Gpfn, PAGE_SIZE } from '#abi/xen/types.ts'
import type { Core } from '../core.ts'
import { fail } from '../errno.ts'
import { VMALLOC_START } from '../init/hypervisor.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { Inode } from '../vfs/inode.ts'

interface Cached {
  readonly code: LoadedCode
  readonly size: number
  readonly mtime: number
  readonly ctime: number
  readonly version: number
}

export class ImageCache {
  readonly #core: Core
  readonly #byInode = new WeakMap<Inode, Cached>()

  constructor(core: Core) {
    this.#core = core
  }

  /** What was made of `inode`, if that has not changed since. */
  known(inode: Inode): LoadedCode | undefined {
    const cached = this.#byInode.get(inode)
    if (!cached || cached.version !== inode.version || cached.size !== inode.size) return undefined
    return cached.mtime === inode.mtime && cached.ctime === inode.ctime ? cached.code : undefined
  }

  /** The program that `bytes`, all of `inode`, are. Fails with ENOEXEC where it is none that runs. */
  *program(inode: Inode, bytes: Uint8Array): Sleeping<LoadedCode> {
    const { size, mtime, ctime, version } = inode
    const code = yield* this.load(bytes, ImageKind.program)
    this.#byInode.set(inode, { code, size, mtime, ctime, version })
    return code
  }

  /** Make code of an image's bytes, through frames mapped one behind the other while that lasts. */
  *load(bytes: Uint8Array, kind: number): Sleeping<LoadedCode> {
    const { pages, mem, vcpu } = this.#core
    const count = Math.ceil(bytes.length / PAGE_SIZE)
    if (count === 0) fail(ENOEXEC)
    const frames: Gpfn[] = []
    try {
      for (let i = 0; i < count; i++) frames.push(yield* pages.alloc('kernel'))
      pages.map(
        VMALLOC_START,
        frames.map((pfn) => pages.mfn(pfn)),
      )
      mem.copyIn(VMALLOC_START, bytes)
      const loaded = vcpu.load(VMALLOC_START)
      pages.map(
        VMALLOC_START,
        frames.map(() => 0),
      )
      if (!loaded.ok) {
        this.#core.log.printk(`<6>exec: ${loaded.why}\n`)
        return fail(ENOEXEC)
      }
      if (loaded.kind !== kind) fail(ENOEXEC)
      return loaded
    } finally {
      for (const pfn of frames) pages.release(pfn, 'kernel')
    }
  }
}
