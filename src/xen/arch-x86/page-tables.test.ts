import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import * as x from '#abi/xen/xen.ts'
import { complaints } from '#testing/fuzz/invariants.ts'
import { entry, type TableDomain, tableDomain, X86, X86_BASE } from '#testing/x86-domain.ts'
import { books, changes } from '#testing/xen-builder.ts'
import { scriptHost } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK } from '#testing/xen-script.ts'
import { domainKill } from '../common/domain-destroy.ts'
import { PGT_count_mask, PGT_l1_page_table, PGT_type_mask, PGT_writable_page } from '../common/page-alloc.ts'
import { hypercall } from '../hypercalls/index.ts'
import { GuestPageFault } from './mm.ts'
import { convertToPageMap } from './page-tables.ts'

const ARGS = X86_BASE + 8 * PAGE_SIZE
const USER = 0x4n
const GLOBAL = 0x100n
const GUEST_KERNEL = 1n << 52n

let host: TestHost
let next = 1
let d: TableDomain
beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})
beforeEach(() => {
  d = tableDomain(host, next++)
})

function call(nr: number, ...args: number[]): number {
  let result = 0
  host.inXen((xen) => {
    result = hypercall(xen, d.vcpu, nr, args)
  })
  return result
}
const entryAt = (table: number, slot: number): bigint => host.xen.mem.read64(d.mfns[table]! * PAGE_SIZE + 8 * slot)
const at = (table: number, slot: number, command = 0): number => d.mfns[table]! * PAGE_SIZE + 8 * slot + command
function update(ptr: number, val: bigint): number {
  x.mmu_update.write(d.vcpu.mem, ARGS, { ptr: BigInt(ptr), val })
  return call(x.__HYPERVISOR_mmu_update, ARGS, 1, 0, x.DOMID_SELF)
}
function ext(cmd: number, arg1: number, arg2 = 0): number {
  x.mmuext_op.write(d.vcpu.mem, ARGS, {
    cmd,
    arg1: BigInt.asUintN(64, BigInt(arg1)),
    arg2: BigInt.asUintN(64, BigInt(arg2)),
  })
  return call(x.__HYPERVISOR_mmuext_op, ARGS, 1, 0, x.DOMID_SELF)
}
const typeOf = (page: number): readonly [number, number] => {
  const info = host.xen.heap.frames.typeInfo[d.mfns[page]!]!
  return [(info & PGT_type_mask) >>> 0, info & PGT_count_mask]
}
/** The page is a table of nothing but those entries, and mapped read-only. */
function table(page: number, entries: Readonly<Record<number, bigint>> = {}): number {
  d.vcpu.mem.fill(X86_BASE + page * PAGE_SIZE, PAGE_SIZE, 0)
  for (const [slot, value] of Object.entries(entries))
    d.vcpu.mem.write64(X86_BASE + page * PAGE_SIZE + 8 * Number(slot), value)
  expect(update(at(X86.l1, page), entry(d.mfns[page]!, 0x61))).toBe(0)
  return d.mfns[page]!
}

describe('entries as the processor finds them', () => {
  test('ring 3 may use them, and what was the kernel’s alone is marked', () => {
    expect(entryAt(X86.l4, 511)).toBe(entry(d.mfns[X86.l3]!))
    expect(entryAt(X86.l1, 5)).toBe(entry(d.mfns[5]!, 0x63) | USER | GUEST_KERNEL)
    expect(update(at(X86.l1, 20), entry(d.mfns[5]!, 0x65))).toBe(0)
    expect(entryAt(X86.l1, 20)).toBe(entry(d.mfns[5]!, 0x65) | GLOBAL)
    expect(update(at(X86.l1, 20), (1n << 63n) | entry(d.mfns[5]!, 0x61))).toBe(0)
    expect(entryAt(X86.l1, 20)).toBe((1n << 63n) | entry(d.mfns[5]!, 0x65) | GUEST_KERNEL)
  })

  test('accessed and dirty stay where that is asked for', () => {
    expect(update(at(X86.l1, 5, x.MMU_PT_UPDATE_PRESERVE_AD), entry(d.mfns[5]!, 0x1))).toBe(0)
    expect(entryAt(X86.l1, 5) & 0x60n).toBe(0x60n)
    expect(update(at(X86.l1, 5), entry(d.mfns[5]!, 0x1))).toBe(0)
    expect(entryAt(X86.l1, 5) & 0x60n).toBe(0n)
  })

  test('each root has the machine-to-physical table, to be read', () => {
    const { mem, heap } = host.xen
    expect(update(d.mfns[6]! * PAGE_SIZE + x.MMU_MACHPHYS_UPDATE, 0x4711n)).toBe(0)
    expect(heap.frames.m2p.get(d.mfns[6]!)).toBe(0x4711)
    const frame = (word: bigint): number => Number((word >> 12n) & 0xffffffffffn)
    const l3 = frame(entryAt(X86.l4, 256))
    const l2 = frame(mem.read64(l3 * PAGE_SIZE))
    const block = mem.read64(l2 * PAGE_SIZE)
    expect(Number(block & 0xfffn)).toBe(0x85)
    expect(mem.read64(frame(block) * PAGE_SIZE + d.mfns[6]! * 8)).toBe(0x4711n)
    expect(mem.read64(frame(block) * PAGE_SIZE + 5 * 8)).toBe(2n ** 64n - 1n)
  })
})

describe('mmu_update', () => {
  test.each<[string, () => [number, bigint]]>([
    ['a table that could be written', () => [at(X86.l1, 20), entry(d.mfns[X86.l2]!)]],
    ['a frame of dom0’s', () => [at(X86.l1, 20), entry(host.xen.domains.get(0)!.root, 0x61)]],
    ['an uncached page', () => [at(X86.l1, 20), entry(d.mfns[5]!, 0x71)]],
    ['memory as a table', () => [at(X86.l2, 1), entry(d.mfns[5]!)]],
    ['a large page', () => [at(X86.l2, 1), entry(d.mfns[5]!, 0xe7)]],
    ['a table that is there as a large page', () => [at(X86.l2, 0), entry(d.mfns[X86.l1]!, 0xe7)]],
    ['a table of another level', () => [at(X86.l3, 1), entry(d.mfns[X86.l1]!)]],
    ['a linear table that could be written', () => [at(X86.l4, 0), entry(d.mfns[X86.l4]!)]],
    ['a slot of Xen’s', () => [at(X86.l4, 256), 0n]],
    ['a slot of Xen’s, the last', () => [at(X86.l4, 271), entry(d.mfns[X86.l3]!)]],
  ])('refused: %s', (_name, what) => {
    const [ptr, val] = what()
    const before = books(host.xen)
    const was = host.xen.mem.read64(ptr)
    expect(update(ptr, val)).toBe(-EINVAL)
    expect(host.xen.mem.read64(ptr)).toBe(was)
    expect(changes(before, books(host.xen))).toEqual([])
  })

  test('a page more and a page less; a table more, with all that it names', () => {
    const before = books(host.xen)
    expect(update(at(X86.l1, 20), entry(d.mfns[5]!))).toBe(0)
    expect(typeOf(5)).toEqual([PGT_writable_page, 2])
    expect(update(at(X86.l1, 20), 0n)).toBe(0)
    expect(changes(before, books(host.xen))).toEqual([])
    const l1 = table(6, { 3: entry(d.mfns[5]!), 4: entry(d.mfns[7]!, 0x65) })
    expect(update(at(X86.l2, 9), entry(l1))).toBe(0)
    expect([typeOf(6), typeOf(5)]).toEqual([
      [PGT_l1_page_table, 1],
      [PGT_writable_page, 2],
    ])
    expect(complaints(host.xen)).toEqual([])
    expect(d.vcpu.mem.read32(X86_BASE + 9 * 2 ** 21 + 3 * PAGE_SIZE)).toBe(0)
    expect(update(at(X86.l2, 9), 0n)).toBe(0)
    expect([typeOf(6)[1], typeOf(5)[1]]).toEqual([0, 1])
    expect(complaints(host.xen)).toEqual([])
  })

  test('a root that leads to itself, and to another', () => {
    expect(update(at(X86.l4, 0), entry(d.mfns[X86.l4]!, 0x65))).toBe(0)
    const other = table(6, { 1: entry(d.mfns[X86.l4]!, 0x65) })
    expect(ext(x.MMUEXT_PIN_L4_TABLE, other)).toBe(0)
    expect(update(at(X86.l4, 1), entry(other, 0x65))).toBe(0)
    expect(complaints(host.xen)).toEqual([])
    // They hold each other: the domain goes all the same, and nothing stays behind (below).
  })
})

describe('update_va_mapping', () => {
  const map = (va: number, word: number, flags = 0): number => call(x.__HYPERVISOR_update_va_mapping, va, word, flags)

  test('the entry in its table', () => {
    expect(map(X86_BASE + 20 * PAGE_SIZE, d.mfns[5]! * PAGE_SIZE + 0x63)).toBe(0)
    expect(entryAt(X86.l1, 20)).toBe(entry(d.mfns[5]!, 0x67) | GUEST_KERNEL)
    d.vcpu.mem.write32(X86_BASE + 20 * PAGE_SIZE, 0xabad1dea)
    expect(d.vcpu.mem.read32(X86_BASE + 5 * PAGE_SIZE)).toBe(0xabad1dea)
    expect(map(X86_BASE + 20 * PAGE_SIZE, 0)).toBe(0)
    expect(() => d.vcpu.mem.read32(X86_BASE + 20 * PAGE_SIZE)).toThrow(GuestPageFault)
    expect(() => d.vcpu.mem.write32(X86_BASE, 0)).toThrow(GuestPageFault)
  })

  test('no table there, and none to be reached through a linear mapping', () => {
    expect(map(0, d.mfns[5]! * PAGE_SIZE + 0x63)).toBe(-EINVAL)
    expect(update(at(X86.l4, 0), entry(d.mfns[X86.l4]!, 0x65))).toBe(0)
    // 0: slot 0 of the root is the root, three times; what would be its first level is the root again.
    expect(map(0, d.mfns[5]! * PAGE_SIZE + 0x61)).toBe(-EINVAL)
    expect(complaints(host.xen)).toEqual([])
  })

  test('what processors are told to forget', () => {
    const va = X86_BASE + 20 * PAGE_SIZE
    const word = d.mfns[5]! * PAGE_SIZE + 0x63
    d.told.length = 0
    map(va, word, x.UVMF_INVLPG)
    map(va, word, x.UVMF_TLB_FLUSH + x.UVMF_ALL)
    d.vcpu.mem.write64(ARGS, 2n)
    map(va, word, x.UVMF_TLB_FLUSH + ARGS)
    d.vcpu.mem.write64(ARGS, 1n)
    map(va, word, x.UVMF_INVLPG + ARGS)
    expect(d.told).toEqual([`page ${va}`, 'flush', `page ${va}`])
    ext(x.MMUEXT_INVLPG_LOCAL, va)
    ext(x.MMUEXT_TLB_FLUSH_ALL, 0)
    expect(d.told.slice(3)).toEqual([`page ${va}`, 'flush'])
  })

  test('a frame that could still be written by a stale translation is none before that is forgotten', () => {
    d.told.length = 0
    const l1 = table(6)
    expect(d.told).toEqual([])
    expect(ext(x.MMUEXT_PIN_L1_TABLE, l1)).toBe(0)
    expect(d.told).toEqual(['flush'])
  })
})

describe('roots', () => {
  test('a new one for the kernel, and one for its processes', () => {
    const other = table(6, { 511: entry(d.mfns[X86.l3]!) })
    const user = table(7)
    d.told.length = 0
    expect(ext(x.MMUEXT_NEW_BASEPTR, d.mfns[5]!)).toBe(-EINVAL)
    expect(ext(x.MMUEXT_NEW_BASEPTR, other)).toBe(0)
    expect(ext(x.MMUEXT_NEW_USER_BASEPTR, user)).toBe(0)
    expect([d.vcpu.root, d.vcpu.userRoot]).toEqual([other, user])
    expect(d.told.filter((line) => line.startsWith('root'))).toEqual([`root 0 ${other}`, `root 1 ${user}`])
    expect([typeOf(X86.l4)[1], typeOf(6)[1], typeOf(7)[1]]).toEqual([1, 1, 1])
    expect(complaints(host.xen)).toEqual([])
    expect(ext(x.MMUEXT_UNPIN_TABLE, d.mfns[X86.l4]!)).toBe(0)
    expect(typeOf(X86.l4)[1]).toBe(0)
    expect(ext(x.MMUEXT_NEW_USER_BASEPTR, 0)).toBe(0)
    expect([d.vcpu.userRoot, typeOf(7)[1]]).toEqual([0, 0])
    expect(complaints(host.xen)).toEqual([])
  })
})

describe('its end', () => {
  test('in whatever state, all of it comes back, also what leads to itself', () => {
    const { heap, domains } = host.xen
    const free = heap.availDomHeapPages() + 16
    update(at(X86.l4, 0), entry(d.mfns[X86.l4]!, 0x65))
    const other = table(6, { 1: entry(d.mfns[X86.l4]!, 0x65) })
    ext(x.MMUEXT_PIN_L4_TABLE, other)
    update(at(X86.l4, 1), entry(other, 0x65))
    ext(x.MMUEXT_PIN_L1_TABLE, table(7, { 1: entry(d.mfns[5]!) }))
    ext(x.MMUEXT_NEW_USER_BASEPTR, table(9))
    host.inXen((xen) => domainKill(xen, domains.get(0)!, d.domain))
    expect(domains.has(d.domain.id)).toBe(false)
    expect(heap.availDomHeapPages()).toBe(free)
    expect(d.told.at(-1)).toBe('release')
    expect(complaints(host.xen)).toEqual([])
  })
})

describe('a kernel made of modules', () => {
  test('its page map is its tables’, which stay as they are until it ends', () => {
    const { heap, domains } = host.xen
    d.vcpu.ring3 = undefined
    // The first table a second time, at other addresses.
    expect(update(at(X86.l2, 1), entry(d.mfns[X86.l1]!))).toBe(0)
    const free = heap.availDomHeapPages() + 16
    host.inXen((xen) => expect(convertToPageMap(xen, d.domain)).toBe(true))
    expect(complaints(host.xen)).toEqual([])
    expect(d.domain.pageMap.count).toBe(32)
    d.vcpu.mem.write32(X86_BASE + 5 * PAGE_SIZE, 77)
    expect(d.vcpu.mem.read32(X86_BASE + 2 ** 21 + 5 * PAGE_SIZE)).toBe(77)
    expect(update(at(X86.l1, 20), entry(d.mfns[5]!))).toBe(-EINVAL)
    expect(update(at(X86.l2, 2), 0n)).toBe(-EINVAL)
    expect(ext(x.MMUEXT_NEW_BASEPTR, d.mfns[6]!)).toBe(-EINVAL)
    expect(ext(x.MMUEXT_NEW_BASEPTR, d.mfns[X86.l4]!)).toBe(0)
    expect(call(x.__HYPERVISOR_update_va_mapping, X86_BASE + 20 * PAGE_SIZE, d.mfns[5]! * PAGE_SIZE + 0x63, 0)).toBe(0)
    expect(entryAt(X86.l1, 20)).toBe(0n)
    expect(complaints(host.xen)).toEqual([])
    host.inXen((xen) => domainKill(xen, domains.get(0)!, d.domain))
    expect(heap.availDomHeapPages()).toBe(free)
  })

  test('linear page tables no page map can follow', () => {
    expect(update(at(X86.l4, 0), entry(d.mfns[X86.l4]!, 0x65))).toBe(0)
    const before = books(host.xen)
    host.inXen((xen) => expect(convertToPageMap(xen, d.domain)).toBe(false))
    expect(changes(before, books(host.xen))).toEqual([])
    expect(d.domain.pageMap.count).toBe(0)
  })
})
