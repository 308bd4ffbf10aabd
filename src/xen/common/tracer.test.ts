/** What is told of Xen's doings: all of it, in order, at no cost. The lives in domain-destroy.test.ts are checked against it, too. */
import { describe, expect, test } from 'vitest'
import {
  TRACE_event,
  TRACE_GRANT_copy,
  TRACE_GRANT_map,
  TRACE_GRANT_transfer,
  TRACE_GRANT_unmap,
  TRACE_grant,
  TRACE_hypercall,
  TRACE_NO_RAM,
  TRACE_pages,
} from '#abi/tracer.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_ipi,
  EVTCHNOP_send,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_ipi,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_send,
} from '#abi/xen/event_channel.ts'
import {
  GNTCOPY_source_gref,
  GNTMAP_host_map,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_transfer,
  GNTTABOP_unmap_grant_ref,
  GTF_accept_transfer,
  GTF_permit_access,
  gnttab_copy,
  gnttab_map_grant_ref,
  gnttab_transfer,
  gnttab_unmap_grant_ref,
} from '#abi/xen/grant_table.ts'
import { XENMEM_decrease_reservation, XENMEM_populate_physmap, xen_memory_reservation } from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_xen_version,
  DOMID_SELF,
  DOMID_XEN,
  multicall_entry,
  start_info,
} from '#abi/xen/xen.ts'
import { createDomain, play } from '#testing/xen-builder.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte, RUN, type ScriptGuest } from '#testing/xen-script.ts'
import { untold } from '#testing/xen-xray.ts'
import { domainPauseByController } from './domain-shutdown.ts'
import { sharedEntry } from './grant-table.ts'

const count = (owners: Uint16Array, owner: number): number =>
  owners.reduce((sum, each) => sum + Number(each === owner), 0)

/** What `host` tells of `event` from now on, without the processor. */
function listen(host: TestHost, ...events: readonly number[]): number[][] {
  const told: number[][] = []
  host.onTrace = (_cpu, ...record) => {
    if (events.includes(record[0])) told.push(record)
  }
  return told
}

/** Frame of dom0's `n`th page behind the boot region: mapped nowhere. */
function spare(g: ScriptGuest, n: number): number {
  const { mem, startInfo } = g.vcpu
  const pfn = Math.ceil((g.beyond + 0x80000000) / PAGE_SIZE) + n
  return mem.read32(start_info.fields.mfn_list.get(mem, startInfo) + 8 * pfn)
}

describe('memory', () => {
  test('from the first frame on: Xen’s own, dom0’s, what is free, what is none', () => {
    const host = scriptHost(function* () {})
    expect(untold(host)).toEqual([])
    const { owners } = host.xray
    const { totPages, xenheapPages } = host.xen.domains.get(0)!
    expect(count(owners, 0)).toBe(totPages + xenheapPages)
    expect(count(owners, DOMID_XEN)).toBeGreaterThan(1000)
    // The first megabyte.
    expect(count(owners, TRACE_NO_RAM)).toBe(256)
    host.runFor(1e9)
    expect(untold(host)).toEqual([])
  })

  test('bad pages are not Xen’s to give', () => {
    const host = scriptHost(function* () {}, 'badpage=0x3000-0x3002')
    expect([...host.xray.owners.subarray(0x2fff, 0x3004)].map((owner) => owner === TRACE_NO_RAM)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ])
    expect(count(host.xray.owners, TRACE_NO_RAM)).toBe(256 + 3)
  })

  test('a balloon, down and up', () => {
    play(function* (g, host) {
      const { mem } = g.vcpu
      const list = g.scratch + 1024
      yield RUN
      const own = count(host.xray.owners, 0)
      for (let i = 0; i < 50; i++) mem.write64(list + 8 * i, BigInt(spare(g, i)))
      const reserve = (command: number, nr_extents: bigint): number =>
        g.op(__HYPERVISOR_memory_op, command, xen_memory_reservation, {
          extent_start: list,
          nr_extents,
          domid: DOMID_SELF,
        })[0]
      expect(reserve(XENMEM_decrease_reservation, 50n)).toBe(50)
      expect(count(host.xray.owners, 0)).toBe(own - 50)
      expect(untold(host)).toEqual([])
      expect(reserve(XENMEM_populate_physmap, 20n)).toBe(20)
      expect(count(host.xray.owners, 0)).toBe(own - 30)
      expect(untold(host)).toEqual([])
    })
  })

  test('an extent is told of once', () => {
    play(function* (g, host) {
      yield RUN
      const { domid } = createDomain(g, { pages: 0 })
      const told = listen(host, TRACE_pages)
      const { xen } = host
      xen.domains.get(domid)!.maxPages = 1000
      g.vcpu.mem.write64(g.scratch + 1024, 0n)
      g.op(__HYPERVISOR_memory_op, XENMEM_populate_physmap, xen_memory_reservation, {
        extent_start: g.scratch + 1024,
        nr_extents: 1n,
        extent_order: 9,
        domid,
      })
      expect(told).toEqual([[TRACE_pages, expect.any(Number), 512, domid, 0, 0]])
      host.onTrace = undefined
      yield RUN
    })
  })
})

describe('what domains do with each other', () => {
  const idle = () => ({ run: () => BLOCK, upcall() {} })
  const PAGES = 12
  /** Where nothing is mapped, and frame `n` of a domain of addDomain's. */
  const FREE = TEST_BASE + 0x100000

  /** dom0 and domain 1, as the script's own side sees them. */
  function pair(body: (g: ScriptGuest, host: TestHost) => void): void {
    play(function* (g, host) {
      yield RUN
      // Out of the guest: a domain cannot be made within its turn.
      const one = addDomain(host, 1, idle, { pages: PAGES })
      one.maxPages = PAGES + 4
      body(g, host)
      expect(untold(host)).toEqual([])
      // It does not look at its events: it would never sleep.
      domainPauseByController(host.xen, one)
      yield RUN
    })
  }

  test('events, by sender and receiver', () => {
    pair((g, host) => {
      // Where its upcall finds what is pending, and clears it.
      const { mem, startInfo } = g.vcpu
      const shared = start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE
      g.call(__HYPERVISOR_update_va_mapping, g.beyond, pte(shared), 0)
      g.shared = g.beyond
      const theirs = g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: 1, remote_dom: 0 })[1].port
      const bound = { remote_dom: 1, remote_port: theirs }
      const own = g.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, bound)[1].local_port
      const ipi = g.evtchn(EVTCHNOP_bind_ipi, evtchn_bind_ipi, { vcpu: 0 })[1].port
      expect(host.xray.port(0, own)).toMatchObject({ remoteDomid: 1, remote: theirs })
      expect(host.xray.port(1, theirs)).toMatchObject({ remoteDomid: 0, remote: own })
      const told = listen(host, TRACE_event)
      g.evtchn(EVTCHNOP_send, evtchn_send, { port: own })
      g.evtchn(EVTCHNOP_send, evtchn_send, { port: ipi })
      expect(told).toEqual([
        [TRACE_event, 0, own, 1, theirs, EVTCHNSTAT_interdomain],
        [TRACE_event, 0, ipi, 0, ipi, EVTCHNSTAT_ipi],
      ])
      host.onTrace = undefined
    })
  })

  test('grants: mapped, copied, taken back, given for good', () => {
    pair((g, host) => {
      const { xen } = host
      const { mem } = g.vcpu
      const one = xen.domains.get(1)!
      const entry = (ref: number, flags: number, frame: number): void => {
        const at = sharedEntry(one.grantTable!, ref)
        xen.mem.write16(at, flags)
        xen.mem.write16(at + 2, 0)
        xen.mem.write32(at + 4, frame)
      }
      const theirs = one.pageMap.lookup(TEST_BASE / PAGE_SIZE + 3) >>> 2
      entry(8, GTF_permit_access, theirs)
      entry(9, GTF_accept_transfer, 0)
      const told = listen(host, TRACE_grant)
      const call = (command: number): number => g.call(__HYPERVISOR_grant_table_op, command, g.scratch, 1)
      gnttab_map_grant_ref.write(mem, g.scratch, { host_addr: FREE, flags: GNTMAP_host_map, ref: 8, dom: 1 })
      expect(call(GNTTABOP_map_grant_ref)).toBe(0)
      const { handle, status } = gnttab_map_grant_ref.read(mem, g.scratch)
      expect(status).toBe(0)
      expect([...host.xray.grants]).toEqual([{ granter: 1, user: 0, mapped: 1 }])
      expect(untold(host)).toEqual([])
      const given = spare(g, 7)
      gnttab_copy.write(mem, g.scratch, {
        source: 8n,
        source_domid: 1,
        dest: BigInt(given),
        dest_domid: DOMID_SELF,
        len: 100,
        flags: GNTCOPY_source_gref,
      })
      expect(call(GNTTABOP_copy)).toBe(0)
      gnttab_unmap_grant_ref.write(mem, g.scratch, { host_addr: FREE, dev_bus_addr: 0n, handle })
      expect(call(GNTTABOP_unmap_grant_ref)).toBe(0)
      expect([...host.xray.grants]).toEqual([])
      gnttab_transfer.write(mem, g.scratch, { mfn: BigInt(given), domid: 1, ref: 9 })
      expect(call(GNTTABOP_transfer)).toBe(0)
      expect(told).toEqual([
        [TRACE_grant, 1, 0, 8, TRACE_GRANT_map, 0],
        [TRACE_grant, 1, 0, 8, TRACE_GRANT_copy, 100],
        [TRACE_grant, 1, 0, 8, TRACE_GRANT_unmap, 0],
        [TRACE_grant, 1, 0, 9, TRACE_GRANT_transfer, PAGE_SIZE],
      ])
      expect(host.xray.owners[given]).toBe(1)
      host.onTrace = undefined
    })
  })
})

test('hypercalls, those of a multicall too', () => {
  play(function* (g, host) {
    yield RUN
    const { mem } = g.vcpu
    for (const [i, nr] of [__HYPERVISOR_xen_version, __HYPERVISOR_event_channel_op].entries())
      multicall_entry.write(mem, g.scratch + i * multicall_entry.size, { op: BigInt(nr) })
    const told = listen(host, TRACE_hypercall)
    g.call(__HYPERVISOR_multicall, g.scratch, 2)
    expect(told).toEqual([
      [TRACE_hypercall, 0, 0, __HYPERVISOR_multicall, g.scratch, 0],
      [TRACE_hypercall, 0, 0, __HYPERVISOR_xen_version, 0, 0],
      [TRACE_hypercall, 0, 0, __HYPERVISOR_event_channel_op, 0, 0],
    ])
    host.onTrace = undefined
  })
})
