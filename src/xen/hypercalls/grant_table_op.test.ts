import { beforeEach, describe, expect, test } from 'vitest'
import type { Struct, Values } from '#abi/struct.ts'
import { EFAULT, EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import * as g from '#abi/xen/grant_table.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_update_va_mapping,
  DOMID_SELF,
  HYPERVISOR_VIRT_START,
} from '#abi/xen/xen.ts'
import { createRng } from '#lib/prng.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte } from '#testing/xen-script.ts'
import type { Domain } from '../common/domain.ts'
import { gnttabReleaseMappings, grantTableDestroy, sharedEntry } from '../common/grant-table.ts'
import { PGC_allocated, PGC_count_mask, PGT_count_mask } from '../common/page-alloc.ts'
import { hypercall } from './index.ts'

/** Each domain's pages: 0 is for arguments, the others are what is granted. */
const PAGES = 16
/** Where nothing is mapped at first. */
const FREE = TEST_BASE + 0x100000

let host: TestHost
let a: Domain
let b: Domain

const idle = () => ({ run: () => BLOCK, upcall() {} })

beforeEach(() => {
  host = scriptHost(function* () {})
  a = addDomain(host, 1, idle, { pages: PAGES })
  b = addDomain(host, 2, idle, { pages: PAGES })
  b.maxPages = PAGES + 8
})

const mfnOf = (domain: Domain, page: number): number => domain.pageMap.lookup(TEST_BASE / PAGE_SIZE + page) >>> 2
const frames = () => host.xen.heap.frames
const references = (mfn: number): number => frames().countInfo[mfn]! & PGC_count_mask
const writers = (mfn: number): number => frames().typeInfo[mfn]! & PGT_count_mask

function op(domain: Domain, command: number, at: number, count: number): number {
  let result = 0
  host.inXen((x) => {
    result = hypercall(x, domain.vcpus[0]!, __HYPERVISOR_grant_table_op, [command, at, count])
  })
  return result
}

// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
function run<S extends Struct<any>>(domain: Domain, command: number, layout: S, list: Partial<Values<S>>[]) {
  list.forEach((values, i) => {
    domain.mem.fill(TEST_BASE + i * layout.size, layout.size, 0)
    layout.write(domain.mem, TEST_BASE + i * layout.size, values as Parameters<S['write']>[2])
  })
  const result = op(domain, command, TEST_BASE, list.length)
  return {
    result,
    ops: list.map((_, i) => layout.read(domain.mem, TEST_BASE + i * layout.size) as Values<S>),
  }
}
// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
function one<S extends Struct<any>>(domain: Domain, command: number, layout: S, values: Partial<Values<S>>): Values<S> {
  const { result, ops } = run(domain, command, layout, [values])
  expect(result).toBe(0)
  return ops[0]!
}

type Entry = { flags: number; domid?: number; frame: number }
/** As the granter's kernel would, through its own mapping of the table. */
const grant = (domain: Domain, ref: number, { flags, domid = 2, frame }: Entry): void =>
  g.grant_entry.write(host.xen.mem, sharedEntry(domain.grantTable!, ref), { flags, domid, frame })
const flagsOf = (domain: Domain, ref: number): number =>
  g.grant_entry.fields.flags.get(host.xen.mem, sharedEntry(domain.grantTable!, ref))

const mapRef = (values: Partial<Values<typeof g.gnttab_map_grant_ref>>) =>
  one(b, g.GNTTABOP_map_grant_ref, g.gnttab_map_grant_ref, {
    dom: 1,
    host_addr: FREE,
    flags: g.GNTMAP_host_map,
    ...values,
  })
const unmapRef = (values: Partial<Values<typeof g.gnttab_unmap_grant_ref>>) =>
  one(b, g.GNTTABOP_unmap_grant_ref, g.gnttab_unmap_grant_ref, { host_addr: FREE, ...values })

const HOST = g.GNTMAP_host_map
const PERMIT = g.GTF_permit_access

describe('the hypercall', () => {
  test.each([
    [g.GNTTABOP_map_grant_ref, TEST_BASE, 513, -EINVAL],
    [g.GNTTABOP_map_grant_ref, TEST_BASE, 0xffffffff, -EINVAL],
    [g.GNTTABOP_map_grant_ref, TEST_BASE, 0, 0],
    [g.GNTTABOP_map_grant_ref, FREE, 1, -EFAULT],
    [g.GNTTABOP_map_grant_ref, FREE - 16, 1, -EFAULT],
    [g.GNTTABOP_setup_table, TEST_BASE, 0, -EINVAL],
    [g.GNTTABOP_setup_table, TEST_BASE, 2, -EINVAL],
    [g.GNTTABOP_query_size, TEST_BASE, 2, -EINVAL],
    [g.GNTTABOP_query_size, FREE, 1, -EFAULT],
    [g.GNTTABOP_dump_table, TEST_BASE, 1, -ENOSYS],
    [8, TEST_BASE, 1, -ENOSYS],
    [-1, TEST_BASE, 1, -ENOSYS],
  ])('%i at %i of %i: %i', (command, at, count, expected) => {
    expect(op(b, command, at, count)).toBe(expected)
  })
})

describe('setup_table and query_size', () => {
  const setup = (domain: Domain, values: Partial<Values<typeof g.gnttab_setup_table>>) =>
    one(domain, g.GNTTABOP_setup_table, g.gnttab_setup_table, {
      dom: DOMID_SELF,
      frame_list: TEST_BASE + 512,
      ...values,
    })
  const query = (domain: Domain, dom: number) => one(domain, g.GNTTABOP_query_size, g.gnttab_query_size, { dom })

  test('four frames at first, up to thirty-two, which the domain may map', () => {
    expect(query(b, DOMID_SELF)).toMatchObject({ nr_frames: 4, max_nr_frames: 32, status: 0 })
    expect(setup(b, { nr_frames: 6 }).status).toBe(0)
    expect(query(b, DOMID_SELF)).toMatchObject({ nr_frames: 6 })
    const list = Array.from({ length: 6 }, (_, i) => b.mem.read32(TEST_BASE + 512 + 8 * i))
    expect(list).toEqual(b.grantTable!.shared)
    expect(b.xenheapPages).toBe(7)
    let result = 0
    host.inXen((x) => {
      result = hypercall(x, b.vcpus[0]!, __HYPERVISOR_update_va_mapping, [FREE, pte(list[5]!), 0])
    })
    expect(result).toBe(0)
    b.mem.write32(FREE, 0x00020001)
    expect(flagsOf(b, 5 * 512)).toBe(1)
    expect(setup(b, { nr_frames: 32 }).status).toBe(0)
    expect(setup(b, { nr_frames: 4 }).status).toBe(0)
    expect(query(b, DOMID_SELF)).toMatchObject({ nr_frames: 32 })
    expect(flagsOf(b, 5 * 512)).toBe(1)
  })

  test('refusals', () => {
    expect(setup(b, { nr_frames: 33 }).status).toBe(g.GNTST_general_error)
    expect(setup(b, { nr_frames: 4, dom: 77 }).status).toBe(g.GNTST_bad_domain)
    expect(setup(b, { nr_frames: 4, dom: 1 }).status).toBe(g.GNTST_permission_denied)
    expect(query(b, 1).status).toBe(g.GNTST_permission_denied)
    expect(query(b, 77).status).toBe(g.GNTST_bad_domain)
    expect(setup(b, { nr_frames: 4, frame_list: FREE }).status).toBe(0)
    a.privileged = true
    expect(query(a, 2).status).toBe(0)
  })

  test('no Xen heap left: nothing is taken', () => {
    const taken: number[] = []
    for (let mfn = host.xen.heap.allocXenHeapPages(0); mfn !== undefined; mfn = host.xen.heap.allocXenHeapPages(0))
      taken.push(mfn)
    for (let i = 0; i < 5; i++) host.xen.heap.freeXenHeapPages(taken.pop()!, 0)
    expect(setup(b, { nr_frames: 8 }).status).toBe(g.GNTST_general_error)
    expect(b.grantTable!.shared.length).toBe(4)
    expect(host.xen.heap.availHeapPages(0, 0)).toBe(5)
  })
})

describe('map and unmap', () => {
  test('a frame to write, and back', () => {
    const frame = mfnOf(a, 3)
    const before = [references(frame), writers(frame)]
    grant(a, 9, { flags: PERMIT, frame })
    const { status, handle, dev_bus_addr } = mapRef({ ref: 9 })
    expect([status, dev_bus_addr]).toEqual([0, BigInt(frame) << 12n])
    expect(flagsOf(a, 9)).toBe(PERMIT | g.GTF_reading | g.GTF_writing)
    b.mem.write32(FREE + 100, 0xfeedface)
    expect(a.mem.read32(TEST_BASE + 3 * PAGE_SIZE + 100)).toBe(0xfeedface)
    expect([references(frame), writers(frame)]).toEqual(before.map((n) => n + 1))
    expect(unmapRef({ handle }).status).toBe(0)
    expect(flagsOf(a, 9)).toBe(PERMIT)
    expect([references(frame), writers(frame)]).toEqual(before)
    expect(() => b.mem.read8(FREE)).toThrow('page fault')
    expect(unmapRef({ handle }).status).toBe(g.GNTST_bad_handle)
    expect(b.grantTable!.mapCount).toBe(0)
  })

  test('read-only: no writing, and both can be had of one entry', () => {
    const frame = mfnOf(a, 3)
    grant(a, 9, { flags: PERMIT, frame })
    const ro = mapRef({ ref: 9, flags: HOST | g.GNTMAP_readonly })
    expect(flagsOf(a, 9)).toBe(PERMIT | g.GTF_reading)
    expect(() => b.mem.write8(FREE, 1)).toThrow('page fault: writing')
    const rw = mapRef({ ref: 9, host_addr: FREE + PAGE_SIZE })
    expect(flagsOf(a, 9)).toBe(PERMIT | g.GTF_reading | g.GTF_writing)
    // Each by its own address: rights must not change hands.
    expect(unmapRef({ handle: rw.handle }).status).toBe(g.GNTST_general_error)
    expect(unmapRef({ handle: rw.handle, host_addr: FREE + PAGE_SIZE }).status).toBe(0)
    expect(flagsOf(a, 9)).toBe(PERMIT | g.GTF_reading)
    expect(unmapRef({ handle: ro.handle }).status).toBe(0)
    expect(flagsOf(a, 9)).toBe(PERMIT)
  })

  test('for a device and for the processor: two uses, given back one by one', () => {
    const frame = mfnOf(a, 3)
    const before = [references(frame), writers(frame)]
    grant(a, 9, { flags: PERMIT, frame })
    const { handle } = mapRef({ ref: 9, flags: HOST | g.GNTMAP_device_map })
    expect(references(frame)).toBe(before[0]! + 2)
    expect(unmapRef({ handle }).status).toBe(0)
    expect(references(frame)).toBe(before[0]! + 1)
    expect(flagsOf(a, 9) & g.GTF_writing).toBeTruthy()
    // The processor's is gone already: without an address of the device's nothing is given back.
    for (let i = 0; i < 3; i++) expect(unmapRef({ handle }).status).toBe(0)
    expect(references(frame)).toBe(before[0]! + 1)
    expect(unmapRef({ handle, host_addr: 0, dev_bus_addr: 0x1000n }).status).toBe(g.GNTST_general_error)
    expect(unmapRef({ handle, host_addr: 0, dev_bus_addr: BigInt(frame) << 12n }).status).toBe(0)
    expect([references(frame), writers(frame)]).toEqual(before)
    expect(unmapRef({ handle }).status).toBe(g.GNTST_bad_handle)
  })

  test.each<[string, Entry | 'other', Partial<Values<typeof g.gnttab_map_grant_ref>>, number]>([
    ['no use at all', { flags: PERMIT, frame: -3 }, { flags: g.GNTMAP_readonly }, g.GNTST_bad_gntref],
    ['no such domain', { flags: PERMIT, frame: -3 }, { dom: 9 }, g.GNTST_bad_domain],
    ['DOMID_SELF is no name', { flags: PERMIT, frame: -3 }, { dom: DOMID_SELF }, g.GNTST_bad_domain],
    ['a reference behind the table', { flags: PERMIT, frame: -3 }, { ref: 2048 }, g.GNTST_bad_gntref],
    ['a huge reference', { flags: PERMIT, frame: -3 }, { ref: 0xffffffff }, g.GNTST_bad_gntref],
    ['nothing granted', { flags: 0, frame: -3 }, {}, g.GNTST_general_error],
    ['for a transfer', { flags: g.GTF_accept_transfer, frame: -3 }, {}, g.GNTST_general_error],
    ['to somebody else', { flags: PERMIT, domid: 3, frame: -3 }, {}, g.GNTST_general_error],
    ['read-only, to write', { flags: PERMIT | g.GTF_readonly, frame: -3 }, {}, g.GNTST_general_error],
    ['a frame of Xen', { flags: PERMIT, frame: 0x101 }, {}, g.GNTST_general_error],
    ['a frame beyond memory', { flags: PERMIT, frame: 0xffffffff }, {}, g.GNTST_general_error],
    ['an I/O frame', { flags: PERMIT, frame: 0xb8 }, {}, g.GNTST_general_error],
    ["not the granter's own", 'other', {}, g.GNTST_general_error],
    ['at an address of Xen', { flags: PERMIT, frame: -3 }, { host_addr: HYPERVISOR_VIRT_START }, g.GNTST_general_error],
    ['at no address', { flags: PERMIT, frame: -3 }, { host_addr: 2 ** 50 }, g.GNTST_general_error],
    ['into a page table', { flags: PERMIT, frame: -3 }, { flags: HOST | g.GNTMAP_contains_pte }, g.GNTST_general_error],
  ])('refused: %s', (_what, entry, values, expected) => {
    const frame = mfnOf(a, 3)
    const own = mfnOf(b, 4)
    const before = [references(frame), writers(frame), references(own)]
    const made = entry === 'other' ? { flags: PERMIT, frame: own } : entry
    grant(a, 9, { ...made, frame: made.frame === -3 ? frame : made.frame })
    const flags = flagsOf(a, 9)
    expect(mapRef({ ref: 9, ...values }).status).toBe(expected)
    expect(flagsOf(a, 9)).toBe(flags)
    expect([references(frame), writers(frame), references(own)]).toEqual(before)
    expect(b.grantTable!.mapCount).toBe(0)
    expect(a.grantTable!.pin.every((pin) => pin === 0)).toBe(true)
  })

  test('an entry in use stays as it was taken, whatever the granter writes', () => {
    const frame = mfnOf(a, 3)
    grant(a, 9, { flags: PERMIT, frame })
    const { handle } = mapRef({ ref: 9, flags: HOST | g.GNTMAP_readonly })
    grant(a, 9, { flags: 0, domid: 7, frame: mfnOf(a, 5) })
    expect(mapRef({ ref: 9, flags: HOST | g.GNTMAP_readonly, host_addr: FREE + PAGE_SIZE }).dev_bus_addr).toBe(
      BigInt(frame) << 12n,
    )
    expect(unmapRef({ handle }).status).toBe(0)
  })

  test('a count that could run over is refused', () => {
    grant(a, 9, { flags: PERMIT, frame: mfnOf(a, 3) })
    const flags = HOST | g.GNTMAP_readonly
    for (let i = 0; i < 128; i++) expect(mapRef({ ref: 9, flags, host_addr: FREE + i * PAGE_SIZE }).status).toBe(0)
    expect(mapRef({ ref: 9, flags }).status).toBe(g.GNTST_general_error)
  })

  test('what is mapped over is given back, and the grant stays in use until the domain dies', () => {
    const frame = mfnOf(a, 3)
    const before = references(frame)
    grant(a, 9, { flags: PERMIT, frame })
    const { handle } = mapRef({ ref: 9 })
    host.inXen((x) => {
      expect(hypercall(x, b.vcpus[0]!, __HYPERVISOR_update_va_mapping, [FREE, 0, 0])).toBe(0)
    })
    expect(references(frame)).toBe(before)
    expect(unmapRef({ handle }).status).toBe(g.GNTST_general_error)
    expect(flagsOf(a, 9) & g.GTF_reading).toBeTruthy()
    b.dying = true
    gnttabReleaseMappings(host.xen, b)
    expect(flagsOf(a, 9)).toBe(PERMIT)
    expect(references(frame)).toBe(before)
  })

  test('unmap and replace', () => {
    const frame = mfnOf(a, 3)
    const own = mfnOf(b, 4)
    const before = [references(frame), writers(frame), references(own), writers(own)]
    grant(a, 9, { flags: PERMIT, frame })
    const { handle } = mapRef({ ref: 9 })
    const replaced = one(b, g.GNTTABOP_unmap_and_replace, g.gnttab_unmap_and_replace, {
      host_addr: FREE,
      new_addr: TEST_BASE + 4 * PAGE_SIZE,
      handle,
    })
    expect(replaced.status).toBe(0)
    expect(b.pageMap.lookup(FREE / PAGE_SIZE) >>> 2).toBe(own)
    expect(() => b.mem.read8(TEST_BASE + 4 * PAGE_SIZE)).toThrow('page fault')
    expect([references(frame), writers(frame), references(own), writers(own)]).toEqual(before)
  })
})

describe('copy', () => {
  const copy = (values: Partial<Values<typeof g.gnttab_copy>>) =>
    one(b, g.GNTTABOP_copy, g.gnttab_copy, {
      source: 9n,
      source_domid: 1,
      dest: BigInt(mfnOf(b, 5)),
      dest_domid: DOMID_SELF,
      len: 16,
      flags: g.GNTCOPY_source_gref,
      ...values,
    }).status

  test('in and out, by references and frames', () => {
    grant(a, 9, { flags: PERMIT | g.GTF_readonly, frame: mfnOf(a, 3) })
    grant(a, 10, { flags: PERMIT, frame: mfnOf(a, 4) })
    a.mem.copyIn(
      TEST_BASE + 3 * PAGE_SIZE + 8,
      Uint8Array.from({ length: 16 }, (_, i) => i + 1),
    )
    expect(copy({ source_offset: 8, dest_offset: 4080 })).toBe(0)
    expect([...b.mem.copyOut(TEST_BASE + 5 * PAGE_SIZE + 4080, 16)]).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1),
    )
    expect(
      copy({
        source: BigInt(mfnOf(b, 5)),
        source_domid: DOMID_SELF,
        source_offset: 4080,
        dest: 10n,
        dest_domid: 1,
        flags: g.GNTCOPY_dest_gref,
      }),
    ).toBe(0)
    expect(a.mem.read8(TEST_BASE + 4 * PAGE_SIZE + 15)).toBe(16)
    expect([flagsOf(a, 9), flagsOf(a, 10)]).toEqual([PERMIT | g.GTF_readonly, PERMIT])
    expect(copy({ dest: 10n, dest_domid: 1, flags: g.GNTCOPY_source_gref | g.GNTCOPY_dest_gref, len: 4096 })).toBe(0)
    expect(copy({ len: 0 })).toBe(0)
  })

  test.each<[string, Partial<Values<typeof g.gnttab_copy>>, number]>([
    ['over the end of the source', { source_offset: 4081 }, g.GNTST_bad_copy_arg],
    ['over the end of the destination', { dest_offset: 4081 }, g.GNTST_bad_copy_arg],
    ['more than a page', { len: 4097 }, g.GNTST_bad_copy_arg],
    ["another's frame by number", { flags: 0 }, g.GNTST_permission_denied],
    ['own frame under another name', { dest_domid: 1 }, g.GNTST_permission_denied],
    ['no such domain', { source_domid: 44 }, g.GNTST_bad_domain],
    ['no such reference', { source: 99999n }, g.GNTST_bad_gntref],
    ['a reference that is not granted', { source: 11n }, g.GNTST_general_error],
    ['into what is read-only', { dest: 9n, dest_domid: 1, flags: 3 }, g.GNTST_general_error],
    ["into a frame that is not one's own", { dest: 0x101n }, g.GNTST_general_error],
    ['into no frame', { dest: 1n << 50n }, g.GNTST_general_error],
  ])('refused: %s', (_what, values, expected) => {
    grant(a, 9, { flags: PERMIT | g.GTF_readonly, frame: mfnOf(a, 3) })
    const before = [references(mfnOf(a, 3)), references(mfnOf(b, 5))]
    expect(copy(values)).toBe(expected)
    expect(flagsOf(a, 9)).toBe(PERMIT | g.GTF_readonly)
    expect([references(mfnOf(a, 3)), references(mfnOf(b, 5))]).toEqual(before)
  })
})

describe('transfer', () => {
  const give = (mfn: number, values: Partial<Values<typeof g.gnttab_transfer>> = {}) =>
    one(a, g.GNTTABOP_transfer, g.gnttab_transfer, { mfn: BigInt(mfn), domid: 2, ref: 9, ...values }).status
  const unmapped = (): number => {
    const mfn = mfnOf(a, 6)
    host.inXen((x) => hypercall(x, a.vcpus[0]!, __HYPERVISOR_update_va_mapping, [TEST_BASE + 6 * PAGE_SIZE, 0, 0]))
    return mfn
  }

  test('a frame changes hands', () => {
    grant(b, 9, { flags: g.GTF_accept_transfer, domid: 1, frame: 5 })
    // addDomain maps without counting: the mapping's reference is the frame's own.
    const mfn = unmapped()
    frames().countInfo[mfn] = PGC_allocated + 1
    frames().owner[mfn] = 1
    const total = [a.totPages, b.totPages]
    expect(give(mfn)).toBe(0)
    expect(frames().owner[mfn]).toBe(2)
    expect(flagsOf(b, 9)).toBe(g.GTF_accept_transfer | g.GTF_transfer_committed | g.GTF_transfer_completed)
    expect(g.grant_entry.fields.frame.get(host.xen.mem, sharedEntry(b.grantTable!, 9))).toBe(mfn)
    expect([a.totPages, b.totPages]).toEqual([total[0]! - 1, total[1]! + 1])
  })

  test('who cannot use a frame up there gets another, with the same in it', () => {
    a.mem.write32(TEST_BASE + 6 * PAGE_SIZE, 0x1234)
    grant(b, 9, { flags: g.GTF_accept_transfer, domid: 1, frame: 5 })
    const mfn = unmapped()
    b.physaddrBits = 27
    expect(mfn).toBeGreaterThanOrEqual(2 ** 15)
    expect(give(mfn)).toBe(0)
    const low = g.grant_entry.fields.frame.get(host.xen.mem, sharedEntry(b.grantTable!, 9))
    expect(low).toBeLessThan(2 ** 15)
    expect([frames().owner[low], host.xen.mem.read32(low * PAGE_SIZE)]).toEqual([2, 0x1234])
    expect([references(low), frames().allocated[mfn]]).toEqual([1, 0])
  })

  test('where there is none down there, the frame is lost', () => {
    const free = host.xen.heap.availDomHeapPages()
    b.physaddrBits = 13
    expect(give(unmapped())).toBe(g.GNTST_address_too_big)
    expect(host.xen.heap.availDomHeapPages()).toBe(free + 1)
  })

  test('a list that is not there is said', () => {
    expect(op(a, g.GNTTABOP_transfer, FREE, 1)).toBe(-EFAULT)
    expect(op(a, g.GNTTABOP_setup_table, FREE, 1)).toBe(-EFAULT)
    host.runFor(1e9)
    expect(host.serial).toContain('gnttab_transfer: error reading req 0/1')
    expect(host.serial).toContain('Fault while reading gnttab_setup_table_t.')
  })

  test('who does not want it: the frame is lost to its owner all the same', () => {
    const mfn = unmapped()
    frames().countInfo[mfn] = PGC_allocated + 1
    frames().owner[mfn] = 1
    const free = host.xen.heap.availDomHeapPages()
    expect(give(mfn)).toBe(g.GNTST_general_error)
    expect(host.xen.heap.availDomHeapPages()).toBe(free + 1)
    expect(give(mfn)).toBe(g.GNTST_bad_page)
    expect(give(0x101)).toBe(g.GNTST_bad_page)
    expect(give(2 ** 40)).toBe(g.GNTST_bad_page)
    expect(give(mfnOf(b, 3))).toBe(g.GNTST_bad_page)
    expect(give(a.grantTable!.shared[0]!)).toBe(g.GNTST_bad_page)
  })
})

test('anything in any order: counts are right throughout, and all comes back with the last domain', () => {
  const rng = createRng(42).fork('grants')
  const pick = (n: number): number => rng.below(n)
  const granted = Array.from({ length: 8 }, (_, i) => mfnOf(a, i + 4))
  const counts = () => granted.map((mfn) => [references(mfn), writers(mfn)])
  const before = counts()
  const heapFree = host.xen.heap.availHeapPages(0, 0)
  const held = new Map<number, { ref: number; page: number; flags: number }>()
  granted.forEach((frame, i) => {
    grant(a, i, { flags: i % 3 === 0 ? PERMIT | g.GTF_readonly : PERMIT, frame })
  })
  for (let step = 0; step < 3000; step++) {
    const ref = pick(granted.length)
    const page = pick(64)
    if (pick(2) === 0) {
      const flags = HOST | (pick(2) ? g.GNTMAP_readonly : 0) | (pick(4) === 0 ? g.GNTMAP_device_map : 0)
      if ([...held.values()].some((map) => map.page === page)) continue
      const { status, handle } = mapRef({ ref, flags, host_addr: FREE + page * PAGE_SIZE })
      expect(status).toBe(ref % 3 === 0 && (flags & g.GNTMAP_readonly) === 0 ? g.GNTST_general_error : 0)
      if (status === 0) held.set(handle, { ref, page, flags })
    } else if (pick(4) === 0) {
      const status = one(b, g.GNTTABOP_copy, g.gnttab_copy, {
        source: BigInt(ref),
        source_domid: 1,
        dest: BigInt(mfnOf(b, 1 + pick(10))),
        dest_domid: DOMID_SELF,
        len: pick(4097),
        flags: g.GNTCOPY_source_gref,
      }).status
      expect(status).toBe(0)
    } else {
      const [handle, map] = [...held][pick(Math.max(1, held.size))] ?? [pick(600), undefined]
      const { status } = unmapRef({
        handle,
        host_addr: FREE + (map?.page ?? page) * PAGE_SIZE,
        dev_bus_addr: map && map.flags & g.GNTMAP_device_map ? BigInt(granted[map.ref]!) << 12n : 0n,
      })
      expect(status).toBe(map ? 0 : g.GNTST_bad_handle)
      held.delete(handle)
    }
    if (step % 100 !== 0) continue
    const expected = before.map(([count, writable], i) => {
      let [refs, writes] = [count!, writable!]
      for (const { ref, flags } of held.values()) {
        if (ref !== i) continue
        const uses = flags & g.GNTMAP_device_map ? 2 : 1
        refs += uses
        if ((flags & g.GNTMAP_readonly) === 0) writes += uses
      }
      return [refs, writes]
    })
    expect(counts()).toEqual(expected)
    granted.forEach((_, i) => {
      const maps = [...held.values()].filter(({ ref }) => ref === i)
      const writing = maps.some(({ flags }) => (flags & g.GNTMAP_readonly) === 0)
      const wanted = (maps.length > 0 ? g.GTF_reading : 0) | (writing ? g.GTF_writing : 0)
      expect(flagsOf(a, i) & (g.GTF_reading | g.GTF_writing)).toBe(wanted)
    })
    expect(b.grantTable!.mapCount).toBe(held.size)
  }
  expect(held.size).toBeGreaterThan(0)
  // The user dies in the middle: its page map is torn down by whoever kills it.
  b.dying = true
  gnttabReleaseMappings(host.xen, b)
  const hosts = before.map(([count, writable], i) => {
    const maps = [...held.values()].filter(({ ref }) => ref === i)
    return [count! + maps.length, writable! + maps.filter(({ flags }) => (flags & g.GNTMAP_readonly) === 0).length]
  })
  expect(counts()).toEqual(hosts)
  expect(a.grantTable!.pin.every((pin) => pin === 0)).toBe(true)
  granted.forEach((_, i) => {
    expect(flagsOf(a, i) & (g.GTF_reading | g.GTF_writing)).toBe(0)
  })
  for (const domain of [a, b]) grantTableDestroy(host.xen, domain)
  expect(host.xen.heap.availHeapPages(0, 0)).toBeGreaterThanOrEqual(heapFree + 26)
})
