/**
 * Programs' code, ready to run: Xen's processor makes it of the frames that an image file lies in, the page cache's (VirtualCpu.load), once for
 * each inode as long as that is unchanged. Each execve evaluates it afresh.
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
    const frames = inode.cachedFrames()
    const code = frames?.length ? this.#load(frames, ImageKind.program) : yield* this.load(bytes, ImageKind.program)
    this.#byInode.set(inode, { code, size, mtime, ctime, version })
    return code
  }

  /** Make code of an image's bytes, through frames of its own. */
  *load(bytes: Uint8Array, kind: number): Sleeping<LoadedCode> {
    const { pages } = this.#core
    const count = Math.ceil(bytes.length / PAGE_SIZE)
    if (count === 0) fail(ENOEXEC)
    const frames: Gpfn[] = []
    try {
      for (let i = 0; i < count; i++) frames.push(yield* pages.alloc('kernel'))
      return this.#load(frames, kind, bytes)
    } finally {
      for (const pfn of frames) pages.release(pfn, 'kernel')
    }
  }

  /** The image in `frames` (`bytes`, stored there first), mapped one behind the other while that lasts. */
  #load(frames: readonly Gpfn[], kind: number, bytes?: Uint8Array): LoadedCode {
    const { pages, mem, vcpu } = this.#core
    pages.map(
      VMALLOC_START,
      frames.map((pfn) => pages.mfn(pfn)),
    )
    if (bytes) mem.copyIn(VMALLOC_START, bytes)
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
  }
}
