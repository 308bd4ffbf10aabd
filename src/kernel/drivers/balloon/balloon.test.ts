import { describe, expect, test } from 'vitest'
import { EFBIG, EPERM } from '#abi/posix/errno.ts'
import type { Gpfn } from '#abi/xen/types.ts'
import { bareDomU, procFile } from '#testing/domu-rig.ts'
import type { KernelRig } from '#testing/kernel-rig.ts'
import { coreOf } from '../../core.ts'
import { balloonInit, memparse } from './balloon.ts'

const MIB = 256

function balloonRig() {
  const rig = bareDomU(balloonInit, {}, { pages: 64 * MIB, memoryMap: 72 * MIB })
  const target = (kib: number): void => {
    rig.store.set('memory/target', String(kib))
    rig.xen.kick()
    rig.settle()
  }
  return { rig, core: coreOf(rig.kernel), target }
}

describe('memparse', () => {
  test.each([
    ['114688', 114688],
    ['112K', 114688],
    ['112m\n', 117440512],
    ['1G', 2 ** 30],
    ['0x1000', 4096],
    ['010', 8],
    ['08', 0],
    ['many', 0],
    ['', 0],
  ])('%j', (text, bytes) => expect(memparse(text)).toBe(bytes))
})

const text = (rig: KernelRig): string => procFile(rig, 'xen/balloon').read!()

describe('a target in xenstore', () => {
  test('is met, and undone', () => {
    const { rig, target, core } = balloonRig()
    const before = [core.pages.total, core.pages.free]
    expect(rig.kernel.log.text()).toContain('xen_mem: Initialising balloon driver.\n')
    expect(text(rig)).toBe(
      'Current allocation:    65536 kB\nRequested target:      65536 kB\nLow-mem balloon:        8192 kB\n' +
        'High-mem balloon:          0 kB\nDriver pages:              0 kB\nXen hard limit:          ??? kB\n',
    )
    target(50000)
    expect(rig.xen.pages).toBe(12500)
    expect(core.pages.total).toBe(before[0]! - 3884)
    expect(text(rig)).toMatch(
      /^Current allocation: {4}50000 kB\nRequested target: {6}50000 kB\nLow-mem balloon: {7}23728 kB/,
    )
    target(65536)
    expect(rig.xen.pages).toBe(16384)
    expect([core.pages.total, core.pages.free]).toEqual(before)
  })

  test('a hundred times over leaks nothing, whoever holds the frames', () => {
    const { rig, target, core } = balloonRig()
    const before = [core.pages.total, core.pages.free, core.pages.ballooned]
    for (let i = 0; i < 100; i++) {
      target(60000 + i * 8)
      const held = []
      for (let k = 0; k < 100; k++) held.push(core.pages.allocNow('cache')!)
      for (const pfn of held) rig.kernel.mem.fill(core.pages.va(pfn), 4096, i)
      target(65536)
      for (const pfn of held) {
        expect(rig.kernel.mem.read8(core.pages.va(pfn))).toBe(i)
        core.pages.release(pfn, 'cache')
      }
    }
    expect([core.pages.total, core.pages.free, core.pages.ballooned]).toEqual(before)
    expect(rig.xen.pages).toBe(16384)
  })

  test('beyond the memory map is not asked for; up to it is, where Xen lets us', () => {
    const { rig, target, core } = balloonRig()
    target(1 << 20)
    expect(rig.xen.pages).toBe(72 * MIB)
    expect(text(rig)).toMatch(
      /^Current allocation: {4}73728 kB\nRequested target: {4}1048576 kB\nLow-mem balloon: {11}0 kB/,
    )
    // Numbers that the builder's list has no entry for.
    const all = new Set<number>()
    for (let pfn = core.pages.allocNow('cache'); pfn !== undefined; pfn = core.pages.allocNow('cache')) {
      rig.kernel.mem.write32(core.pages.va(pfn), pfn)
      all.add(core.pages.mfn(pfn))
    }
    expect(all.size).toBe(core.pages.used.cache)
  })

  test('below what the kernel needs is raised', () => {
    const { rig, target } = balloonRig()
    target(1)
    // 8 MiB and half of 72.
    expect(rig.xen.pages).toBe(44 * MIB)
    expect(text(rig)).toContain('Requested target:      45056 kB\n')
    target(0)
    expect(rig.xen.pages).toBe(44 * MIB)
  })

  test.each(['', 'nonsense', '-5', '18446744073709551615', '1e3'])('%j harms nobody', (value) => {
    const { rig } = balloonRig()
    rig.store.set('memory/target', value)
    rig.xen.kick()
    rig.settle()
    expect(rig.xen.shutdown).toBeUndefined()
    expect(rig.xen.pages).toBeGreaterThanOrEqual(44 * MIB)
  })
})

test('the host has no more: a hard limit is met, and tried again with the next target', () => {
  const { rig, target } = balloonRig()
  target(50000)
  rig.xen.maxPages = 13000
  target(65536)
  rig.runFor(5e9)
  // 512 at a time while that goes well, then what there is.
  expect(rig.xen.pages).toBe(13000)
  expect(text(rig)).toContain('Requested target:      65536 kB\n')
  expect(text(rig)).toContain('Xen hard limit:        52000 kB\n')
  rig.xen.maxPages = 20000
  rig.runFor(5e9)
  expect(rig.xen.pages).toBe(13000)
  target(65532)
  expect(rig.xen.pages).toBe(16383)
  expect(text(rig)).toContain('Xen hard limit:          ??? kB\n')
})

test('what is in use is waited for', () => {
  const { rig, target, core } = balloonRig()
  const held: Gpfn[] = []
  while (core.pages.free > core.pages.min + 100) held.push(core.pages.allocNow('cache')!)
  target(50000)
  expect(rig.xen.pages).toBe(16384 - 100)
  for (const pfn of held) core.pages.release(pfn, 'cache')
  rig.runFor(2e9)
  expect(rig.xen.pages).toBe(12500)
})

describe('/proc/xen/balloon', () => {
  const write = (rig: KernelRig, data: string, uid = 0): number => {
    const file = procFile(rig, 'xen/balloon')
    try {
      rig.run(function* (kernel) {
        ;(kernel.sched.current as { cred: unknown }).cred = { euid: uid }
        file.write!(data)
      })
      return 0
    } catch (error) {
      return (error as { errno: number }).errno
    }
  }
  test.each([
    ['50M', 0, 0, 51200],
    ['51200000\n', 0, 0, 50000],
    ['', 0, 74, 65536],
    ['5', 0, 74, 65536],
    ['1'.repeat(65), 0, EFBIG, 65536],
    ['50M', 500, EPERM, 65536],
  ])('%j by user %i: %i', (data, uid, errno, kib) => {
    const { rig } = balloonRig()
    expect(write(rig, data, uid)).toBe(errno)
    rig.xen.kick()
    rig.settle()
    expect(rig.xen.pages * 4).toBe(kib)
  })
})
