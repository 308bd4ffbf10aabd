import { describe, expect, test } from 'vitest'
import { ENOMEM } from '#abi/posix/errno.ts'
import type { Gpfn } from '#abi/xen/types.ts'
import { __HYPERVISOR_multicall, __HYPERVISOR_update_va_mapping } from '#abi/xen/xen.ts'
import { kernelRig } from '#testing/kernel-rig.ts'
import { coreOf } from '../core.ts'
import { startReclaim } from './reclaim.ts'

describe('the page allocator', () => {
  test('hands out each frame once, mapped where it says, until there is none', () => {
    const { kernel, xen } = kernelRig({ pages: 4096 })
    const { pages, mem } = coreOf(kernel)
    const seen = new Set<Gpfn>()
    const free = pages.free
    for (let pfn = pages.allocNow('cache'); pfn !== undefined; pfn = pages.allocNow('cache')) {
      seen.add(pfn)
      mem.write32(pages.va(pfn), pfn)
    }
    expect(seen.size).toBe(free)
    expect(pages.free).toBe(0)
    for (const pfn of seen) expect(mem.read32(pages.va(pfn))).toBe(pfn)
    expect(new Set([...seen].map((pfn) => pages.mfn(pfn))).size).toBe(free)
    expect(pages.used.cache).toBe(free)
    for (const pfn of seen) pages.release(pfn, 'cache')
    expect(pages.free).toBe(free)
    expect(() => pages.release([...seen][0]!, 'cache')).toThrow('twice')
    // One multicall maps 2 MiB.
    expect(xen.calls.get(__HYPERVISOR_multicall)).toBe(Math.ceil(free / 512))
    expect(xen.calls.get(__HYPERVISOR_update_va_mapping)).toBe(free + 1)
  })

  test('counts bytes as whole frames', () => {
    const { pages } = coreOf(kernelRig({ pages: 4096 }).kernel)
    const { free } = pages
    pages.charge('slab', 1)
    pages.charge('slab', 4095)
    expect([free - pages.free, pages.used.slab]).toEqual([1, 1])
    pages.charge('slab', 1)
    expect(pages.used.slab).toBe(2)
    pages.uncharge('slab', 4097)
    expect([pages.free, pages.used.slab]).toEqual([free, 0])
    expect(() => pages.uncharge('slab', 1)).toThrow('more memory')
    expect(() => pages.charge('slab', 2 ** 40)).toThrow(expect.objectContaining({ errno: ENOMEM }))
  })

  test('asks those who keep what they could do without', () => {
    const rig = kernelRig({ pages: 4096 })
    const core = coreOf(rig.kernel)
    const { pages } = core
    const kept: Gpfn[] = []
    const got = rig.run(function* () {
      const counts = startReclaim(core)
      pages.addShrinker({
        name: 'test',
        *shrink(wanted) {
          let freed = 0
          for (; freed < wanted && kept.length > 0; freed++) pages.release(kept.pop()!, 'cache')
          return freed
        },
      })
      yield* core.sched.yieldNow()
      for (let i = 0; i < 10_000; i++) kept.push(yield* pages.alloc('cache'))
      return counts
    })
    expect(got.kswapd + got.direct).toBeGreaterThan(6000)
    expect(pages.free).toBeGreaterThan(0)
  })

  test('and fails where nobody can be killed either', () => {
    const rig = kernelRig({ pages: 4096 })
    const core = coreOf(rig.kernel)
    expect(() =>
      rig.run(function* () {
        startReclaim(core)
        for (;;) yield* core.pages.alloc('kernel')
      }),
    ).toThrow()
    expect(rig.output).toContain('Kernel panic - not syncing: Out of memory and no killable processes...\n')
  })
})
