import { beforeAll, beforeEach, expect, test } from 'vitest'
import * as g from '#abi/xen/grant_table.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_grant_table_op } from '#abi/xen/xen.ts'
import { complaints } from '#testing/fuzz/invariants.ts'
import { entry, type TableDomain, tableDomain, X86, X86_BASE } from '#testing/x86-domain.ts'
import { scriptHost } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK } from '#testing/xen-script.ts'
import { domainKill } from '../common/domain-destroy.ts'
import { sharedEntry } from '../common/grant-table.ts'
import { hypercall } from '../hypercalls/index.ts'

const ARGS = X86_BASE + 8 * PAGE_SIZE
const HERE = X86_BASE + 20 * PAGE_SIZE
const THERE = X86_BASE + 21 * PAGE_SIZE
const NO_TABLE = X86_BASE + 2 ** 21
const REF = 9
/** Present, accessed, dirty, user, global: what 3.3 makes of GRANT_PTE_FLAGS. */
const FLAGS = 0x165

let host: TestHost
let next = 1
/** Who grants page 5, and who maps it. */
let granter: TableDomain
let d: TableDomain
let granted: number

beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})
beforeEach(() => {
  granter = tableDomain(host, next++)
  d = tableDomain(host, next++)
  granted = granter.mfns[5]!
  g.grant_entry.write(host.xen.mem, sharedEntry(granter.domain.grantTable!, REF), {
    flags: g.GTF_permit_access,
    domid: d.domain.id,
    frame: granted,
  })
})

const slot = (n: number): bigint => host.xen.mem.read64(d.mfns[X86.l1]! * PAGE_SIZE + 8 * n)
const pteAt = (n: number): number => d.mfns[X86.l1]! * PAGE_SIZE + 8 * n
function call(command: number): void {
  host.inXen((xen) => expect(hypercall(xen, d.vcpu, __HYPERVISOR_grant_table_op, [command, ARGS, 1])).toBe(0))
}
function map(host_addr: number, flags: number): { readonly status: number; readonly handle: number } {
  const values = { dom: granter.domain.id, ref: REF, host_addr, flags: g.GNTMAP_host_map | flags }
  g.gnttab_map_grant_ref.write(d.vcpu.mem, ARGS, values)
  call(g.GNTTABOP_map_grant_ref)
  return g.gnttab_map_grant_ref.read(d.vcpu.mem, ARGS)
}
function unmap(host_addr: number, handle: number): number {
  g.gnttab_unmap_grant_ref.write(d.vcpu.mem, ARGS, { host_addr, handle, dev_bus_addr: 0n })
  call(g.GNTTABOP_unmap_grant_ref)
  return g.gnttab_unmap_grant_ref.fields.status.get(d.vcpu.mem, ARGS)
}

test.each([
  ['an address of its own', HERE],
  ['the entry itself', -1],
])('mapped by %s, and away again', (_name, addr) => {
  const at = addr === -1 ? pteAt(20) : addr
  const how = addr === -1 ? g.GNTMAP_contains_pte : 0
  const { status, handle } = map(at, how)
  expect(status).toBe(g.GNTST_okay)
  expect(slot(20)).toBe(entry(granted, FLAGS | 2))
  d.vcpu.mem.write32(HERE, 0xabad1dea)
  expect(granter.vcpu.mem.read32(X86_BASE + 5 * PAGE_SIZE)).toBe(0xabad1dea)
  expect(complaints(host.xen)).toEqual([])
  d.told.length = 0
  expect(unmap(at, handle)).toBe(g.GNTST_okay)
  expect(slot(20)).toBe(0n)
  expect(d.told).toContain('flush')
  expect(complaints(host.xen)).toEqual([])
})

test('read-only; one that was not mapped there stays', () => {
  const { handle } = map(HERE, g.GNTMAP_readonly)
  expect(slot(20)).toBe(entry(granted, FLAGS))
  expect(unmap(X86_BASE + 5 * PAGE_SIZE, handle)).toBe(g.GNTST_general_error)
  expect(unmap(NO_TABLE, handle)).toBe(g.GNTST_general_error)
  expect(complaints(host.xen)).toEqual([])
  expect(unmap(HERE, handle)).toBe(g.GNTST_okay)
  expect(complaints(host.xen)).toEqual([])
})

test('refused where there is no entry of the first level', () => {
  const refused = [
    map(NO_TABLE, 0),
    map(d.mfns[X86.l2]! * PAGE_SIZE + 8, g.GNTMAP_contains_pte),
    map(d.mfns[5]! * PAGE_SIZE, g.GNTMAP_contains_pte),
    map(granter.mfns[X86.l1]! * PAGE_SIZE + 8 * 20, g.GNTMAP_contains_pte),
    map(pteAt(20) + 4, g.GNTMAP_contains_pte),
  ]
  for (const { status } of refused) expect(status).toBe(g.GNTST_general_error)
  expect(complaints(host.xen)).toEqual([])
})

test('unmap_and_replace: the entry of another address takes its place', () => {
  const { handle } = map(HERE, 0)
  host.xen.mem.write32(granted * PAGE_SIZE, 1)
  d.vcpu.mem.write32(X86_BASE + 9 * PAGE_SIZE, 2)
  g.gnttab_unmap_and_replace.write(d.vcpu.mem, ARGS, { host_addr: HERE, new_addr: X86_BASE + 9 * PAGE_SIZE, handle })
  call(g.GNTTABOP_unmap_and_replace)
  expect(g.gnttab_unmap_and_replace.fields.status.get(d.vcpu.mem, ARGS)).toBe(g.GNTST_okay)
  expect(d.vcpu.mem.read32(HERE)).toBe(2)
  expect(slot(9)).toBe(0n)
  expect(slot(21)).toBe(0n)
  expect(() => d.vcpu.mem.read32(THERE)).toThrow()
  expect(complaints(host.xen)).toEqual([])
})

test('whoever of both ends first, all of it comes back', () => {
  const { heap, domains } = host.xen
  const free = heap.availDomHeapPages() + 32
  map(HERE, 0)
  map(pteAt(21), g.GNTMAP_contains_pte | g.GNTMAP_readonly)
  host.inXen((xen) => domainKill(xen, domains.get(0)!, granter.domain))
  expect(complaints(host.xen)).toEqual([])
  expect(domains.has(granter.domain.id)).toBe(true)
  host.inXen((xen) => domainKill(xen, domains.get(0)!, d.domain))
  expect([domains.has(granter.domain.id), domains.has(d.domain.id)]).toEqual([false, false])
  expect(heap.availDomHeapPages()).toBe(free)
  expect(complaints(host.xen)).toEqual([])
})
