import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { EFAULT, EINVAL, ENOSYS, ESRCH } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import * as x from '#abi/xen/xen.ts'
import { books, changes } from '#testing/xen-builder.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte } from '#testing/xen-script.ts'
import type { Domain } from '../common/domain.ts'
import { domainKill } from '../common/domain-destroy.ts'
import {
  PGC_count_mask,
  PGT_count_mask,
  PGT_l1_page_table,
  PGT_l2_page_table,
  PGT_l3_page_table,
  PGT_pinned,
  PGT_type_mask,
} from '../common/page-alloc.ts'
import { hypercall } from './index.ts'

const PAGES = 12
const ARGS = TEST_BASE
const DONE = TEST_BASE + 2048
const NOWHERE = 0x1000

let host: TestHost
let next = 1
let domain: Domain
const fresh = (): Domain => addDomain(host, next++, () => ({ run: () => BLOCK, upcall() {} }), { pages: PAGES })
beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})
beforeEach(() => {
  domain = fresh()
})

function call(caller: Domain, nr: number, ...args: number[]): number {
  let result = 0
  host.inXen((xen) => {
    result = hypercall(xen, caller.vcpus[0]!, nr, args)
  })
  return result
}
const va = (page: number): number => TEST_BASE + page * PAGE_SIZE
const mfnOf = (page: number, of = domain): number => of.pageMap.lookup(va(page) / PAGE_SIZE) >>> 2
const map = (page: number, entry: number): number => call(domain, x.__HYPERVISOR_update_va_mapping, va(page), entry, 0)
function ext(cmd: number, arg1: number | bigint = 0, arg2 = 0, foreign: number = x.DOMID_SELF): number {
  x.mmuext_op.write(domain.mem, ARGS, {
    cmd,
    arg1: BigInt.asUintN(64, BigInt(arg1)),
    arg2: BigInt.asUintN(64, BigInt(arg2)),
  })
  return call(domain, x.__HYPERVISOR_mmuext_op, ARGS, 1, 0, foreign)
}
/** Type, its count, whether it is pinned, references. */
function stateOf(mfn: number): readonly [number, number, boolean, number] {
  const { typeInfo, countInfo } = host.xen.heap.frames
  const info = typeInfo[mfn]!
  return [
    (info & PGT_type_mask) >>> 0,
    info & PGT_count_mask,
    (info & PGT_pinned) !== 0,
    countInfo[mfn]! & PGC_count_mask,
  ]
}
/** Page `page` holds `entries`, and can no longer be written. Its frame. */
function table(page: number, ...entries: readonly number[]): number {
  const mfn = mfnOf(page)
  expect(map(page, pte(mfn))).toBe(0)
  domain.mem.fill(va(page), PAGE_SIZE, 0)
  for (const [i, entry] of entries.entries()) domain.mem.write64(va(page) + 8 * i, BigInt(entry))
  expect(map(page, pte(mfn, false))).toBe(0)
  return mfn
}

describe('pinning tables', () => {
  test('each level has its type, is counted, and holds what it refers to', () => {
    const data = mfnOf(8)
    const l1 = table(2, pte(data), pte(data, false), 0)
    const l2 = table(3, pte(l1))
    const l3 = table(4, pte(l2), pte(l2))
    const before = books(host.xen)
    expect(ext(x.MMUEXT_PIN_L1_TABLE, l1)).toBe(0)
    // Its mapping, its type's, and the domain's own.
    expect(stateOf(l1)).toEqual([PGT_l1_page_table, 1, true, 3])
    expect(stateOf(data)[1]).toBe(2)
    expect(ext(x.MMUEXT_PIN_L1_TABLE, l1)).toBe(-EINVAL)
    expect(map(2, pte(l1))).toBe(-EINVAL)
    expect(ext(x.MMUEXT_PIN_L3_TABLE, l3)).toBe(0)
    expect(stateOf(l3)).toEqual([PGT_l3_page_table, 1, true, 3])
    expect(stateOf(l2)).toEqual([PGT_l2_page_table, 2, false, 4])
    expect(stateOf(l1)).toEqual([PGT_l1_page_table, 2, true, 4])
    expect(ext(x.MMUEXT_UNPIN_TABLE, l1)).toBe(0)
    expect(stateOf(l1)).toEqual([PGT_l1_page_table, 1, false, 3])
    expect(stateOf(data)[1]).toBe(2)
    expect(ext(x.MMUEXT_UNPIN_TABLE, l1)).toBe(-EINVAL)
    expect(ext(x.MMUEXT_UNPIN_TABLE, l3)).toBe(0)
    expect(changes(before, books(host.xen))).toEqual([])
    expect(map(2, pte(l1))).toBe(0)
  })

  test.each<[string, () => number]>([
    ['a frame that can be written', () => ext(x.MMUEXT_PIN_L1_TABLE, mfnOf(5))],
    ['a frame of dom0’s', () => ext(x.MMUEXT_PIN_L1_TABLE, host.xen.domains.get(0)!.root)],
    ['no frame', () => ext(x.MMUEXT_PIN_L2_TABLE, 2n ** 60n)],
    ['an entry with a frame of dom0’s', () => ext(x.MMUEXT_PIN_L1_TABLE, table(2, pte(mfnOf(8)), pte(600)))],
    ['an entry that is none of that level', () => ext(x.MMUEXT_PIN_L2_TABLE, table(2, pte(table(3)) + 0x80))],
    ['a table below that can be written', () => ext(x.MMUEXT_PIN_L2_TABLE, table(2, pte(table(3)), pte(mfnOf(6))))],
    ['itself below itself', () => ext(x.MMUEXT_PIN_L2_TABLE, table(2, pte(mfnOf(2))))],
    ['another’s', () => ext(x.MMUEXT_PIN_L1_TABLE, 0, 0, 0)],
  ])('refused: %s', (_name, run) => {
    // Unmapping and mapping again is the test's, not the call's.
    run()
    const before = books(host.xen)
    expect(run()).toBeLessThan(0)
    expect(changes(before, books(host.xen))).toEqual([])
  })

  test('in whatever state it dies, all of it comes back', () => {
    const free = host.xen.heap.availDomHeapPages()
    const other = fresh()
    domain = other
    const l1 = table(2, pte(mfnOf(8)))
    const l2 = table(3, pte(l1))
    expect([ext(x.MMUEXT_PIN_L2_TABLE, l2), ext(x.MMUEXT_PIN_L1_TABLE, l1)]).toEqual([0, 0])
    host.inXen((xen) => domainKill(xen, xen.domains.get(0)!, other))
    expect(host.xen.domains.has(other.id)).toBe(false)
    expect(host.xen.heap.availDomHeapPages()).toBe(free)
  })
})

describe('other operations', () => {
  test.each<[string, () => number, number]>([
    ['NEW_BASEPTR of no root', () => ext(x.MMUEXT_NEW_BASEPTR, mfnOf(2)), -EINVAL],
    ['NEW_BASEPTR of 0', () => ext(x.MMUEXT_NEW_BASEPTR, 0), -EINVAL],
    ['NEW_USER_BASEPTR: none', () => ext(x.MMUEXT_NEW_USER_BASEPTR, 0), 0],
    ['NEW_USER_BASEPTR: one', () => ext(x.MMUEXT_NEW_USER_BASEPTR, mfnOf(2)), -EINVAL],
    ['TLB_FLUSH_LOCAL', () => ext(x.MMUEXT_TLB_FLUSH_LOCAL), 0],
    ['INVLPG_LOCAL', () => ext(x.MMUEXT_INVLPG_LOCAL, TEST_BASE), 0],
    ['TLB_FLUSH_MULTI', () => ext(x.MMUEXT_TLB_FLUSH_MULTI, 0, DONE), 0],
    ['TLB_FLUSH_MULTI of a set that is not there', () => ext(x.MMUEXT_TLB_FLUSH_MULTI, 0, NOWHERE), -EINVAL],
    ['INVLPG_MULTI', () => ext(x.MMUEXT_INVLPG_MULTI, TEST_BASE, DONE), 0],
    ['INVLPG_MULTI of a set that is not there', () => ext(x.MMUEXT_INVLPG_MULTI, TEST_BASE, NOWHERE), -EINVAL],
    ['TLB_FLUSH_ALL', () => ext(x.MMUEXT_TLB_FLUSH_ALL), 0],
    ['INVLPG_ALL', () => ext(x.MMUEXT_INVLPG_ALL, TEST_BASE), 0],
    ['FLUSH_CACHE without a device', () => ext(x.MMUEXT_FLUSH_CACHE), -EINVAL],
    ['14', () => ext(14), -ENOSYS],
    ['CLEAR_PAGE, of 3.4', () => ext(16), -ENOSYS],
    ['nobody’s frames', () => ext(x.MMUEXT_TLB_FLUSH_LOCAL, 0, 0, 99), -ESRCH],
    ['its own number', () => ext(x.MMUEXT_TLB_FLUSH_LOCAL, 0, 0, domain.id), -ESRCH],
    ['Xen’s frames', () => ext(x.MMUEXT_TLB_FLUSH_LOCAL, 0, 0, x.DOMID_XEN), -ESRCH],
    ['the I/O domain', () => ext(x.MMUEXT_TLB_FLUSH_LOCAL, 0, 0, x.DOMID_IO), 0],
    ['a list that is not there', () => call(domain, x.__HYPERVISOR_mmuext_op, NOWHERE, 1, 0, x.DOMID_SELF), -EFAULT],
    ['too long a list', () => call(domain, x.__HYPERVISOR_mmuext_op, ARGS, 2 ** 30, 0, x.DOMID_SELF), -EINVAL],
  ])('%s', (_name, run, result) => {
    expect(run()).toBe(result)
  })

  test('FLUSH_CACHE with a device', () => {
    domain.iomemCaps.add(0xa0, 0xa0)
    expect(ext(x.MMUEXT_FLUSH_CACHE)).toBe(0)
  })

  test('how many were done, also of a call that goes on', () => {
    for (const [i, cmd] of [x.MMUEXT_TLB_FLUSH_ALL, x.MMUEXT_TLB_FLUSH_LOCAL, 99].entries())
      x.mmuext_op.write(domain.mem, ARGS + i * x.mmuext_op.size, { cmd, arg1: 0n, arg2: 0n })
    domain.mem.write32(DONE, 40)
    expect(call(domain, x.__HYPERVISOR_mmuext_op, ARGS, 3, DONE, x.DOMID_SELF)).toBe(-ENOSYS)
    expect(domain.mem.read32(DONE)).toBe(2)
    domain.mem.write32(DONE, 40)
    expect(call(domain, x.__HYPERVISOR_mmuext_op, ARGS, 2 ** 31 + 3, DONE, x.DOMID_SELF)).toBe(-ENOSYS)
    expect(domain.mem.read32(DONE)).toBe(42)
    // Where nobody can be told, nobody is.
    expect(call(domain, x.__HYPERVISOR_mmuext_op, ARGS, 1, NOWHERE, x.DOMID_SELF)).toBe(0)
  })
})

describe('mmu_update', () => {
  const update = (ptr: number, val: number, foreign: number = x.DOMID_SELF): number => {
    x.mmu_update.write(domain.mem, ARGS, { ptr: BigInt(ptr), val: BigInt(val) })
    return call(domain, x.__HYPERVISOR_mmu_update, ARGS, 1, 0, foreign)
  }

  test.each<[string, () => number, number]>([
    ['a word of a frame that can be written', () => update(mfnOf(3) * PAGE_SIZE + 8, 77), 0],
    ['the same, accessed and dirty kept', () => update(mfnOf(3) * PAGE_SIZE + 8 + 2, 77), 0],
    ['an entry of a table in use', () => pinnedEntry(pte(mfnOf(3))), 0],
    ['an entry of a table in use, with a frame of dom0’s', () => pinnedEntry(pte(600)), -EINVAL],
    ['the same, with a flag that it may not have', () => pinnedEntry(pte(mfnOf(3)) + 0x10), -EINVAL],
    ['another’s frame', () => update(host.xen.domains.get(0)!.root * PAGE_SIZE, 1), -EINVAL],
    ['the pfn of its own', () => update(mfnOf(3) * PAGE_SIZE + 1, 4711), 0],
    ['the pfn of another’s', () => update(host.xen.domains.get(0)!.root * PAGE_SIZE + 1, 1), -EINVAL],
    ['no command', () => update(mfnOf(3) * PAGE_SIZE + 3, 1), -ENOSYS],
    ['for dom0', () => update(mfnOf(3) * PAGE_SIZE + 1, 1, 0), -ESRCH],
  ])('%s', (_name, run, result) => {
    expect(run()).toBe(result)
  })
  function pinnedEntry(entry: number): number {
    const l1 = table(2)
    expect(ext(x.MMUEXT_PIN_L1_TABLE, l1)).toBe(0)
    return update(l1 * PAGE_SIZE, entry)
  }

  test('what is written is there', () => {
    const mfn = mfnOf(3)
    update(mfn * PAGE_SIZE + 8, 77)
    update(mfn * PAGE_SIZE + 1, 4711)
    expect([domain.mem.read32(va(3) + 8), host.xen.heap.frames.m2p.get(mfn)]).toEqual([77, 4711])
  })
})

describe('update_va_mapping of others’ frames', () => {
  const other = (entry: number, foreign: number): number =>
    call(domain, x.__HYPERVISOR_update_va_mapping_otherdomain, va(50), entry, 0, foreign)

  test('I/O frames are a matter of one’s own rights, whatever is named', () => {
    expect(other(pte(0xa0), x.DOMID_IO)).toBe(-EINVAL)
    domain.iomemCaps.add(0xa0, 0xa0)
    expect(other(pte(0xa0) + 0x18, x.DOMID_IO)).toBe(0)
    expect(other(0, x.DOMID_IO)).toBe(0)
    // Its own memory is not the I/O domain's.
    expect(other(pte(mfnOf(3)), x.DOMID_IO)).toBe(-EINVAL)
  })

  test('uncached only with a device', () => {
    expect(map(50, pte(mfnOf(3)) + 0x10)).toBe(-EINVAL)
    domain.ioportCaps.add(0x3f8, 0x3ff)
    expect(map(50, pte(mfnOf(3)) + 0x10)).toBe(0)
  })

  test('a set of vCPUs to flush has to be there, but the mapping is made', () => {
    const flags = x.UVMF_TLB_FLUSH
    expect(call(domain, x.__HYPERVISOR_update_va_mapping, va(50), pte(mfnOf(3)), NOWHERE + flags)).toBe(-EFAULT)
    expect(mfnOf(50)).toBe(mfnOf(3))
    expect(call(domain, x.__HYPERVISOR_update_va_mapping, va(50), 0, DONE + x.UVMF_INVLPG)).toBe(0)
    expect(call(domain, x.__HYPERVISOR_update_va_mapping, va(50), 0, x.UVMF_INVLPG + x.UVMF_ALL)).toBe(0)
  })
})

describe('multicall', () => {
  /** Results of the entries, each a number and its arguments. */
  function multicall(...entries: readonly (readonly [number, ...number[]])[]): number[] {
    const { mem } = domain
    mem.fill(ARGS, 64 * entries.length, 0)
    for (const [i, words] of entries.entries())
      for (const [n, word] of words.entries())
        mem.write64(ARGS + 64 * i + (n === 0 ? 0 : 8 + 8 * n), BigInt.asUintN(64, BigInt(word)))
    const result = call(domain, x.__HYPERVISOR_multicall, ARGS, entries.length)
    return [result, ...entries.map((_, i) => Number(BigInt.asIntN(64, mem.read64(ARGS + 64 * i + 8))))]
  }

  test('all 64 bits of a number count, of a result too', () => {
    expect(call(domain, x.__HYPERVISOR_set_debugreg, 0, -PAGE_SIZE)).toBe(0)
    expect(
      multicall(
        [x.__HYPERVISOR_xen_version, 0, 0],
        [x.__HYPERVISOR_xen_version + 2 ** 32, 0, 0],
        [x.__HYPERVISOR_update_va_mapping + 2 ** 32, va(50), 0, 0],
        [x.__HYPERVISOR_get_debugreg, 0],
        [64, 0],
        [-1, 0],
        [x.__HYPERVISOR_multicall, ARGS, 1],
        [x.__HYPERVISOR_update_va_mapping, va(50), pte(mfnOf(3)), NOWHERE + x.UVMF_TLB_FLUSH],
      ),
    ).toEqual([0, 0x30003, -ENOSYS, -ENOSYS, -PAGE_SIZE, -ENOSYS, -ENOSYS, -EINVAL, -EFAULT])
  })

  test('what gives the processor up is made by returning alone', () => {
    const { __HYPERVISOR_sched_op: sched, __HYPERVISOR_sched_op_compat: compat } = x
    expect(multicall([sched, 0], [sched, 1], [compat, 2, 3], [sched, 3, NOWHERE], [sched, 7], [sched, 4, 0])).toEqual([
      0,
      -EINVAL,
      -EINVAL,
      -EINVAL,
      -EINVAL,
      -ENOSYS,
      -EFAULT,
    ])
    expect(domain.shuttingDown).toBe(false)
  })
})
