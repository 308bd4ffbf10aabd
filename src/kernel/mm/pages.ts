/** The page allocator and its books (Linux: page_alloc.c, mm.h). */
import type { Gpfn, Mfn, Vaddr } from '#abi/xen/types.ts'
import type { Sleeping } from '../sched/wait.ts'

/** What a frame is for, as /proc/meminfo sums it up. */
export type PageUse = 'anon' | 'cache' | 'buffers' | 'slab' | 'stack' | 'pagetables' | 'kernel'

/** Whoever keeps frames that he could do without. */
export interface Shrinker {
  readonly name: string
  /** Free about `wanted` frames; how many it was. */
  shrink(wanted: number): Sleeping<number>
}

export interface Pages {
  /** Frames that the kernel has at all, without those that its own image and tables lie in. */
  readonly total: number
  readonly free: number
  /** By use. */
  readonly used: Readonly<Record<PageUse, number>>
  /** `free`'s watermarks. */
  readonly min: number
  readonly low: number
  readonly high: number
  /** A frame mapped at `va(pfn)`, its contents undefined. Undefined: there is none, and none may be waited for. */
  allocNow(use: PageUse): Gpfn | undefined
  /** The same, after reclaim and, if need be, the OOM killer. Fails with ENOMEM where the caller itself is the one killed. */
  alloc(use: PageUse): Sleeping<Gpfn>
  release(pfn: Gpfn, use: PageUse): void
  /** Direct map. */
  va(pfn: Gpfn): Vaddr
  mfn(pfn: Gpfn): Mfn
  zero(pfn: Gpfn): void
  addShrinker(shrinker: Shrinker): void
  /** `bytes` of kernel memory by rule, for what lives elsewhere (pipe buffers, tty buffers, tasks): whole frames as needed. Fails with ENOMEM. */
  charge(use: PageUse, bytes: number): void
  uncharge(use: PageUse, bytes: number): void
}
