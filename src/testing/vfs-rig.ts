/** For tests: a kernel with the real VFS over a RAM disk, whose every write can be looked at or be the last. */

import { EIO } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Disk } from '#kernel/block/block.ts'
import { BlockLayer } from '#kernel/block/make.ts'
import { coreOf } from '#kernel/core.ts'
import { fail } from '#kernel/errno.ts'
import type { Kernel, KernelParts } from '#kernel/kernel.ts'
import { startReclaim } from '#kernel/mm/reclaim.ts'
import { netInit } from '#kernel/net/net.ts'
import { socketSyscalls } from '#kernel/net/syscalls.ts'
import { makeVfs, vfsInitcalls } from '#kernel/vfs/make.ts'
import { fileSyscalls } from '#kernel/vfs/syscalls.ts'
import { mkfs } from '#lib/ondisk/ext2/mkfs.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { type KernelRig, kernelRig, rootOf } from './kernel-rig.ts'

/** What a request costs, in virtual time. */
const REQUEST_NS = 100_000

export interface RamDisk extends Disk {
  readonly store: SparseDisk
  /** Sectors written so far. */
  written: number
  /** Sectors that still reach the platter; then power is gone, but nobody notices. */
  cutAfter: number
  /** Requests for these sectors fail. */
  readonly bad: Set<number>
  readonly log: { readonly write: boolean; readonly sector: number; readonly count: number }[]
  flushes: number
}

export function ramDisk(kernel: Kernel, store: SparseDisk, name = 'rda'): RamDisk {
  const check = (sector: number, count: number): void => {
    for (let i = 0; i < count; i++) if (disk.bad.has(sector + i)) fail(EIO)
  }
  const disk: RamDisk = {
    name,
    major: 240,
    firstMinor: 0,
    minors: 1,
    sectors: store.sectors,
    readOnly: false,
    store,
    written: 0,
    cutAfter: Number.POSITIVE_INFINITY,
    bad: new Set(),
    log: [],
    flushes: 0,
    *read(sector, count) {
      yield* kernel.sched.sleepFor(REQUEST_NS, { interruptible: false })
      disk.log.push({ write: false, sector, count })
      check(sector, count)
      return store.read(sector, count)
    },
    *write(sector, bytes) {
      yield* kernel.sched.sleepFor(REQUEST_NS, { interruptible: false })
      disk.log.push({ write: true, sector, count: bytes.length / 512 })
      check(sector, bytes.length / 512)
      for (let at = 0; at < bytes.length; at += 512) {
        if (disk.written >= disk.cutAfter) return
        store.write(sector + at / 512, bytes.subarray(at, at + 512))
        disk.written++
      }
    },
    *flush() {
      yield* kernel.sched.sleepFor(REQUEST_NS, { interruptible: false })
      disk.flushes++
    },
  }
  return disk
}

export const vfsParts = (): Partial<KernelParts> => ({
  makeVfs,
  makeBlocks: (kernel) => new BlockLayer(kernel),
  initcalls: [
    function* reclaim(kernel) {
      startReclaim(coreOf(kernel))
    },
    ...vfsInitcalls,
    netInit,
  ],
  syscalls: { ...fileSyscalls, ...socketSyscalls },
})

/** / is a tmpfs. */
export function tmpfsRig(pages = 8192): KernelRig {
  const rig = kernelRig({ pages, parts: vfsParts() })
  rig.root = rig.run(function* (kernel) {
    return rootOf(yield* kernel.vfs.mountRoot('none', ['tmpfs'], 0))
  })
  return rig
}

export const freshExt2 = (sectors: number, blockBytes: number): SparseDisk => {
  const store = new SparseDisk(sectors)
  mkfs(store, { blockBytes, uuid: new Uint8Array(16).fill(7), nowSeconds: 1242109000 })
  return store
}

/** / is the ext2 on `store`, which has no partition table. */
export function ext2Rig(store: SparseDisk, flags = 0, pages = 8192): { rig: KernelRig; disk: RamDisk } {
  const rig = kernelRig({ pages, parts: vfsParts() })
  let disk: RamDisk | undefined
  rig.root = rig.run(function* (kernel) {
    disk = ramDisk(kernel, store)
    yield* kernel.blocks.addDisk(disk)
    return rootOf(yield* kernel.vfs.mountRoot('/dev/rda', ['ext2'], flags))
  })
  return { rig, disk: disk! }
}

/** Run as a process; what it returns, or throws, is the test's. */
export function inProcess<T>(rig: KernelRig, body: () => Sys<T>): T {
  let value: { readonly ok: T } | { readonly error: unknown } | undefined
  rig.process(function* () {
    try {
      value = { ok: yield* body() }
    } catch (error) {
      value = { error }
    }
    return 0
  })
  if (!value) throw new Error(`killed: ${rig.output}`)
  if ('error' in value) throw value.error
  return value.ok
}
