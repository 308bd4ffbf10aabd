import { describe, expect, test } from 'vitest'
import { EFAULT, EINVAL, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_increase_reservation,
  XENMEM_machine_memory_map,
} from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  __HYPERVISOR_xen_version,
  DOMID_SELF,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
  MMUEXT_NEW_BASEPTR,
  MMUEXT_PIN_L4_TABLE,
  MMUEXT_TLB_FLUSH_ALL,
  start_info,
} from '#abi/xen/xen.ts'
import { addDomain, ask, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import { BLOCK, pte, RUN, type ScriptGuest } from '#testing/xen-script.ts'
import { PGC_allocated } from '../common/page-alloc.ts'

/** Frame of the domain's `n`th page behind the boot region: its own, and mapped nowhere. */
const spare = (g: ScriptGuest, n: number): number => {
  const { mem, startInfo } = g.vcpu
  const pfn = (g.beyond + 0x80000000) / PAGE_SIZE + n
  return mem.read32(start_info.fields.mfn_list.get(mem, startInfo) + 8 * pfn)
}
const map = (g: ScriptGuest, va: number, entry: number, flags = 0): number =>
  g.call(__HYPERVISOR_update_va_mapping, va, entry, flags)

describe('update_va_mapping', () => {
  test('a frame twice, read-only, and away again', () => {
    const seen = ask(function* (g) {
      const { mem } = g.vcpu
      const mfn = spare(g, 0)
      const at = g.beyond
      const results = [map(g, at, pte(mfn)), map(g, at + PAGE_SIZE, pte(mfn, false))]
      mem.write32(at + 8, 0xabad1dea)
      const read = mem.read32(at + PAGE_SIZE + 8)
      let fault = ''
      try {
        mem.write8(at + PAGE_SIZE, 1)
      } catch (thrown) {
        fault = (thrown as Error).message
      }
      results.push(map(g, at, 0), map(g, at, 0))
      let gone = ''
      try {
        mem.read8(at)
      } catch (thrown) {
        gone = (thrown as Error).message
      }
      yield RUN
      return { results, read, fault, gone }
    })
    expect(seen.results).toEqual([0, 0, 0, 0])
    expect(seen.read).toBe(0xabad1dea)
    expect(seen.fault).toContain('page fault: writing')
    expect(seen.gone).toContain('page fault: reading')
  })

  test('references are counted, and come back', () => {
    let mfn = 0
    const host = scriptHost(function* (g) {
      mfn = spare(g, 3)
      for (let i = 0; i < 10; i++) map(g, g.beyond + i * PAGE_SIZE, pte(mfn, i % 2 === 0))
      yield RUN
      yield RUN
      for (let i = 0; i < 10; i++) map(g, g.beyond + i * PAGE_SIZE, 0)
      yield RUN
    })
    host.runFor(1e9)
    const { countInfo, typeInfo } = host.xen.heap.frames
    expect(countInfo[mfn]).toBe(PGC_allocated + 1)
    expect(typeInfo[mfn]! & 0xffff).toBe(0)
  })

  test('I/O frames are for who may have them: dom0 the VGA, nobody the APICs', () => {
    const seen = ask(function* (g) {
      const results = [0xb8, 0xf0, 0xfffc0, 0xfee00, 0xfec00].map((mfn, i) =>
        map(g, g.beyond + i * PAGE_SIZE, pte(mfn)),
      )
      const { mem } = g.vcpu
      mem.write16(g.beyond + 158, 0x0758)
      yield RUN
      return { results, letter: mem.read16(g.beyond + 158) }
    })
    expect(seen).toEqual({ results: [0, 0, 0, -EINVAL, -EINVAL], letter: 0x0758 })
  })

  test('refusals, each in the log', () => {
    let results: Record<string, number> = {}
    const host = scriptHost(function* (g) {
      const { mem, startInfo } = g.vcpu
      const at = g.beyond
      const tables = start_info.fields.pt_base.get(mem, startInfo)
      results = {
        tableWritable: map(
          g,
          at,
          pte(mem.read32(start_info.fields.mfn_list.get(mem, startInfo) + 8 * ((tables + 0x80000000) / PAGE_SIZE))),
        ),
        xensOwn: map(g, at, pte(0x100)),
        freeFrame: map(g, at, pte(0x2000)),
        beyondRam: map(g, at, pte(2 ** 30)),
        inXen: map(g, HYPERVISOR_VIRT_START, pte(spare(g, 0))),
        endOfXen: map(g, HYPERVISOR_VIRT_END - PAGE_SIZE, pte(spare(g, 0))),
        notCanonical: map(g, 2 ** 47, pte(spare(g, 0))),
        fraction: map(g, at + 0.5, pte(spare(g, 0))),
        notANumber: map(g, Number.NaN, pte(spare(g, 0))),
        endless: map(g, at, Number.POSITIVE_INFINITY + 1),
        flushNowhere: map(g, at, pte(spare(g, 0)), 0x1001),
        otherNobody: g.call(__HYPERVISOR_update_va_mapping_otherdomain, at, pte(0x2000), 0, 5),
      }
      yield RUN
    })
    host.runFor(1e9)
    expect(results).toEqual({
      tableWritable: -EINVAL,
      xensOwn: -EINVAL,
      freeFrame: -EINVAL,
      beyondRam: -EINVAL,
      inXen: -EINVAL,
      endOfXen: -EINVAL,
      notCanonical: -EINVAL,
      fraction: -EINVAL,
      notANumber: -EINVAL,
      endless: -EINVAL,
      flushNowhere: -EFAULT,
      otherNobody: -ESRCH,
    })
    expect(host.serial).toMatch(
      /\(XEN\) mm\.c:2002:d0 Bad type \(saw 0000000098000002 != exp 00000000e0000000\) for mfn/,
    )
    expect(host.serial).toMatch(/\(XEN\) mm\.c:1772:d0 Error pfn 2000: rd=0{16}, od=0{12}ffff, caf=0{8}, taf=0{16}/)
    expect(host.serial).toMatch(
      /\(XEN\) mm\.c:705:d0 Error getting mfn 2000 \(pfn f{16}\) from L1 entry 0{8}02000067 for dom0/,
    )
  })
})

describe('an unprivileged domain', () => {
  test('gets at no frame but its own', () => {
    const results: Record<string, number> = {}
    const host = scriptHost(function* () {
      yield BLOCK
    })
    const dom0 = host.xen.domains.get(0)!
    const theirs = host.xen.heap.frames.owner.indexOf(0, 0x1000)
    addDomain(host, 1, (vcpu) => ({
      run() {
        const to = (entry: number): number =>
          vcpu.hypercall(__HYPERVISOR_update_va_mapping, TEST_BASE + 16 * PAGE_SIZE, entry, 0)
        const mem = (command: number, words: readonly number[]): number => {
          for (const [i, word] of words.entries()) vcpu.mem.write32(TEST_BASE + 4 * i, word)
          return vcpu.hypercall(__HYPERVISOR_memory_op, command, TEST_BASE)
        }
        results.dom0 = to(pte(theirs))
        results.dom0ReadOnly = to(pte(theirs, false))
        results.dom0Shared = to(pte(dom0.sharedInfo))
        results.vga = to(pte(0xb8))
        results.uncached = to(pte(0xb8) | 0x10)
        results.other = vcpu.hypercall(__HYPERVISOR_update_va_mapping_otherdomain, TEST_BASE, pte(theirs), 0, 0)
        results.m2p = (() => {
          vcpu.mem.write64(TEST_BASE, BigInt(theirs * PAGE_SIZE + 1))
          return vcpu.hypercall(__HYPERVISOR_mmu_update, TEST_BASE, 1, 0, DOMID_SELF)
        })()
        results.write = (() => {
          vcpu.mem.write64(TEST_BASE, BigInt(theirs * PAGE_SIZE))
          return vcpu.hypercall(__HYPERVISOR_mmu_update, TEST_BASE, 1, 0, DOMID_SELF)
        })()
        results.foreign = vcpu.hypercall(__HYPERVISOR_mmu_update, TEST_BASE, 1, 0, 0)
        // extent_start, nr_extents, order, flags, domid 0.
        results.giveAway = mem(XENMEM_decrease_reservation, [
          0x80000020,
          0xffffffff,
          1,
          0,
          0,
          0,
          DOMID_SELF,
          0,
          theirs,
          0,
        ])
        results.takeFromDom0 = mem(XENMEM_decrease_reservation, [0x80000020, 0xffffffff, 1, 0, 0, 0, 0, 0, theirs, 0])
        results.beyondLimit = mem(XENMEM_increase_reservation, [0, 0, 1, 0, 0, 0, DOMID_SELF, 0])
        results.inBlocks = mem(XENMEM_increase_reservation, [0, 0, 1, 0, 1, 0, DOMID_SELF, 0])
        results.map = mem(XENMEM_machine_memory_map, [100, 0, 0x80001000, 0xffffffff])
        results.reservation = mem(XENMEM_current_reservation, [0])
        results.own = mem(XENMEM_current_reservation, [DOMID_SELF])
        return BLOCK
      },
      upcall() {},
    }))
    host.runFor(1e8)
    expect(results).toEqual({
      dom0: -EINVAL,
      dom0ReadOnly: -EINVAL,
      dom0Shared: -EINVAL,
      vga: -EINVAL,
      uncached: -EINVAL,
      other: -ESRCH,
      m2p: -EINVAL,
      write: -EINVAL,
      foreign: -ESRCH,
      giveAway: 0,
      takeFromDom0: 0,
      beyondLimit: 0,
      inBlocks: 0,
      map: -EINVAL,
      reservation: -EPERM,
      own: 4,
    })
    expect(host.serial).toContain('(XEN) mm.c:675:d1 Non-privileged (1) attempt to map I/O space 000000b8')
    expect(host.serial).toContain('(XEN) mm.c:661:d1 Bad L1 flags 10')
  })
})

describe('multicall', () => {
  const entry = (g: ScriptGuest, i: number, op: number, ...args: number[]): number => {
    const { mem } = g.vcpu
    const at = g.scratch + 64 * i
    mem.fill(at, 64, 0)
    mem.write64(at, BigInt(op))
    for (const [n, arg] of args.entries()) mem.write64(at + 16 + 8 * n, BigInt.asUintN(64, BigInt(arg)))
    return at
  }

  test('each entry has its own result, and a failure stops nothing', () => {
    const seen = ask(function* (g) {
      const { mem } = g.vcpu
      entry(g, 0, __HYPERVISOR_xen_version, 0, 0)
      entry(g, 1, __HYPERVISOR_xen_version, 1, 0x1000)
      entry(g, 2, __HYPERVISOR_update_va_mapping, g.beyond, pte(spare(g, 7)), 0)
      entry(g, 3, __HYPERVISOR_multicall, g.scratch, 1)
      entry(g, 4, 99)
      entry(g, 5, __HYPERVISOR_update_va_mapping, g.beyond + PAGE_SIZE, pte(0x2000), 0)
      entry(g, 6, __HYPERVISOR_xen_version, 0, 0)
      const result = g.call(__HYPERVISOR_multicall, g.scratch, 7)
      yield RUN
      mem.write8(g.beyond, 1)
      return [
        result,
        ...[0, 1, 2, 3, 4, 5, 6].map((i) => Number(BigInt.asIntN(64, mem.read64(g.scratch + 64 * i + 8)))),
      ]
    })
    expect(seen).toEqual([0, 0x30003, -EFAULT, 0, -EINVAL, -ENOSYS, -EINVAL, 0x30003])
  })

  test('lists that are not there, too long, or take themselves away', () => {
    const seen = ask(function* (g) {
      yield RUN
      const results = [
        g.call(__HYPERVISOR_multicall, 0x1000, 1),
        g.call(__HYPERVISOR_multicall, g.scratch, 1e9),
        g.call(__HYPERVISOR_multicall, g.scratch, -1),
        g.call(__HYPERVISOR_multicall, Number.NaN, 1),
        g.call(__HYPERVISOR_multicall, g.scratch, 0),
      ]
      // A list that unmaps the page that it lies in, and one that makes it read-only.
      for (const last of [0, pte(spare(g, 9), false)]) {
        map(g, g.beyond, pte(spare(g, 9)))
        const { mem } = g.vcpu
        mem.fill(g.beyond, 64, 0)
        mem.write64(g.beyond, BigInt(__HYPERVISOR_update_va_mapping))
        mem.write64(g.beyond + 16, BigInt.asUintN(64, BigInt(g.beyond)))
        mem.write64(g.beyond + 24, BigInt(last))
        results.push(g.call(__HYPERVISOR_multicall, g.beyond, 1))
      }
      return results
    })
    expect(seen).toEqual([-EFAULT, -EINVAL, -EINVAL, -EINVAL, 0, -EFAULT, -EFAULT])
  })
})

describe('mmu_update and mmuext_op', () => {
  test('write what is writable, say whose pfn a frame is, count what was done', () => {
    const seen = ask(function* (g) {
      const { mem } = g.vcpu
      const update = (i: number, ptr: number, val: number): void => {
        mem.write64(g.scratch + 16 * i, BigInt(ptr))
        mem.write64(g.scratch + 16 * i + 8, BigInt(val))
      }
      update(0, spare(g, 1) * PAGE_SIZE + 24, 0x1234)
      update(1, spare(g, 1) * PAGE_SIZE + 1, 4711)
      update(2, 0x2000 * PAGE_SIZE, 1)
      update(3, spare(g, 1) * PAGE_SIZE + 32, 1)
      const result = g.call(__HYPERVISOR_mmu_update, g.scratch, 4, g.scratch + 2048, DOMID_SELF)
      map(g, g.beyond, pte(spare(g, 1)))
      const ext = (command: number): number => {
        mem.write32(g.scratch, command)
        return g.call(__HYPERVISOR_mmuext_op, g.scratch, 1, 0, DOMID_SELF)
      }
      yield RUN
      return {
        result,
        done: mem.read32(g.scratch + 2048),
        written: mem.read32(g.beyond + 24),
        notWritten: mem.read32(g.beyond + 32),
        command: (() => {
          update(0, spare(g, 1) * PAGE_SIZE + 3, 1)
          return g.call(__HYPERVISOR_mmu_update, g.scratch, 1, 0, DOMID_SELF)
        })(),
        nowhere: g.call(__HYPERVISOR_mmu_update, 0x1000, 1, 0, DOMID_SELF),
        ownId: g.call(__HYPERVISOR_mmu_update, g.scratch, 1, 0, 0),
        many: g.call(__HYPERVISOR_mmu_update, g.scratch, 2 ** 30, 0, DOMID_SELF),
        flush: ext(MMUEXT_TLB_FLUSH_ALL),
        pin: ext(MMUEXT_PIN_L4_TABLE),
        root: ext(MMUEXT_NEW_BASEPTR),
      }
    })
    expect(seen).toEqual({
      result: -EINVAL,
      done: 2,
      written: 0x1234,
      notWritten: 0,
      command: -ENOSYS,
      nowhere: -EFAULT,
      ownId: -ESRCH,
      many: -EINVAL,
      flush: 0,
      pin: -EINVAL,
      root: -EINVAL,
    })
  })
})
