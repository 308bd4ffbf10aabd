/** However a domain has lived and wherever it stops: when it is gone, the host is as it was. */
import { describe, expect, test } from 'vitest'
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_unpausedomain,
  xen_domctl_createdomain,
  xen_domctl_max_vcpus,
} from '#abi/xen/domctl.ts'
import { ENOMEM } from '#abi/xen/errno.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_virq,
  evtchn_close,
} from '#abi/xen/event_channel.ts'
import {
  GNTMAP_host_map,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_grant_ref,
  GTF_permit_access,
  gnttab_map_grant_ref,
  gnttab_unmap_grant_ref,
} from '#abi/xen/grant_table.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import { XENMEM_decrease_reservation, xen_memory_reservation } from '#abi/xen/memory.ts'
import { SCHEDOP_remote_shutdown, SCHEDOP_shutdown, SCHEDOP_yield, sched_remote_shutdown } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VCPUOP_register_vcpu_info, VCPUOP_set_singleshot_timer } from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_vcpu_op,
  start_info,
  VIRQ_DEBUG,
  VIRQ_DOM_EXC,
  VIRQ_TIMER,
} from '#abi/xen/xen.ts'
import { createRng } from '#lib/prng.ts'
import {
  books,
  changes,
  createDomain,
  domainInfo,
  domctl,
  L4,
  mapForeign,
  nothing,
  pinL4,
  play,
  room,
  START_INFO,
  setContext,
  turns,
  unmap,
  writeTables,
} from '#testing/xen-builder.ts'
import { TEST_BASE } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { BLOCK, pte, RUN, type ScriptGuest } from '#testing/xen-script.ts'
import { untold } from '#testing/xen-xray.ts'
import { sharedEntry } from './grant-table.ts'

const LIVES = 200
const STAGES = [
  'created',
  'with memory',
  'with tables',
  'pinned',
  'with context',
  'started',
  'paused',
  'shut down',
] as const
/** Of the dom0 script's spare addresses: where it maps frames, and grants. */
const FRAMES_AT = 16 * PAGE_SIZE

const simple = (g: ScriptGuest, cmd: number, domid: number): number => domctl(g, cmd, domid, nothing, {}).result

/** A guest that takes what it can get, then throws, shuts down, blocks or computes. */
function greedy(below: (n: number) => number): (vcpu: VirtualCpu) => ReturnType<Parameters<typeof kernel>[0]> {
  return (vcpu) => {
    const { mem } = vcpu
    const at = TEST_BASE + 5 * PAGE_SIZE
    const words = (...list: number[]): number => {
      for (const [i, word] of list.entries()) mem.write32(at + 4 * i, word >>> 0)
      return at
    }
    const pages = start_info.fields.nr_pages.get(mem, vcpu.startInfo)
    const own = (page: number): number => mem.read32(TEST_BASE + 6 * PAGE_SIZE + 4 * (page % pages))
    for (let i = 0; i < 8; i++) {
      const va = TEST_BASE + (20 + below(3000)) * PAGE_SIZE
      vcpu.hypercall(__HYPERVISOR_update_va_mapping, va, pte(own(7 + below(20)), below(2) === 0), 0)
    }
    const shared = start_info.fields.shared_info.get(mem, vcpu.startInfo)
    vcpu.hypercall(__HYPERVISOR_update_va_mapping, -0x10000000 - below(100) * PAGE_SIZE, shared + 0x67, 0)
    if (below(2)) vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, words(VIRQ_TIMER, 0, 0))
    if (below(2)) vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, words(VIRQ_DEBUG, 0, 0))
    if (below(2)) vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, words(0x7ff0, 0))
    // Bound to itself.
    if (below(2)) {
      vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, words(0x7ff07ff0, 0))
      vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, words(0x7ff0, mem.read32(at + 4), 0))
    }
    if (below(2)) vcpu.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, words(own(7), 0, 128, 0))
    if (below(2)) vcpu.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, words(0x7fffffff, below(4), 0))
    switch (below(6)) {
      case 0:
        throw new Error('enough')
      case 1:
        return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_shutdown, words(below(5))] }
      case 2:
        return RUN
      case 3:
        return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_yield, 0] }
      default:
        return BLOCK
    }
  }
}

describe('lives', () => {
  test.each([1, 2])(`${LIVES / 2} of them end somewhere, seed %d`, (seed) => {
    const { below } = createRng(seed)
    const ends = new Map<string, number>()
    const count = { grants: 0, frames: 0, ports: 0, zombies: 0 }
    const host = play(
      function* (g, host) {
        const { xen } = host
        const { mem } = g.vcpu
        g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_DOM_EXC, vcpu: 0 })
        yield RUN
        const before = books(xen)
        for (let life = 0; life < LIVES / 2; life++) {
          const stage = below(STAGES.length)
          const pages = 10 + below(20)
          const ports: number[] = []
          const mapped: number[] = []
          const handles: [number, number][] = []
          const { domid, mfns } = createDomain(g, {
            pages: stage === 0 ? 0 : pages,
            vcpus: below(4) + (stage > 3 ? 1 : 0),
          })
          if (stage >= 2) {
            writeTables(g, domid, mfns)
            mapForeign(g, g.beyond, mfns[START_INFO]!, domid)
            mapForeign(g, g.beyond + PAGE_SIZE, mfns[6]!, domid)
            start_info.write(mem, g.beyond, {
              nr_pages: pages,
              shared_info: domainInfo(g, domid)!.shared_info_frame * PAGE_SIZE,
            })
            for (const [i, mfn] of mfns.entries()) mem.write32(g.beyond + PAGE_SIZE + 4 * i, mfn)
            unmap(g, g.beyond)
            unmap(g, g.beyond + PAGE_SIZE)
          }
          if (stage >= 3) expect(pinL4(g, mfns[L4]!, domid)).toBe(0)
          if (stage >= 4) expect(setContext(g, domid, mfns[L4]!)).toBe(0)
          // Channels, frames and grants that dom0 uses.
          for (let i = below(4); i > 0; i--) {
            const theirs = g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: domid, remote_dom: 0 })[1].port
            const bound = { remote_dom: domid, remote_port: theirs }
            ports.push(g.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, bound)[1].local_port)
          }
          for (let i = below(4); i > 0 && mfns.length > 0; i--) {
            const va = g.beyond + FRAMES_AT + mapped.length * PAGE_SIZE
            if (mapForeign(g, va, mfns[below(pages)]!, domid, below(2) === 0) === 0) mapped.push(va)
          }
          const info = domainInfo(g, domid)!
          const va = g.beyond + FRAMES_AT * 2
          if (below(3) === 0 && mapForeign(g, va, info.shared_info_frame, domid) === 0) mapped.push(va)
          if (below(2) === 0 && mfns.length > 0) {
            const ref = 8 + below(100)
            const entry = sharedEntry(xen.domains.get(domid)!.grantTable!, ref)
            xen.mem.write16(entry, GTF_permit_access)
            xen.mem.write32(entry + 4, mfns[9]!)
            const at = g.beyond + FRAMES_AT * 3
            gnttab_map_grant_ref.write(mem, g.scratch, {
              host_addr: at as never,
              flags: GNTMAP_host_map,
              ref,
              dom: domid,
            })
            g.call(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, g.scratch, 1)
            const { status, handle } = gnttab_map_grant_ref.read(mem, g.scratch)
            if (status === 0) handles.push([handle, at])
          }
          if (below(4) === 0 && stage === 1) {
            mem.write64(room(g, 0), BigInt(mfns[below(pages)]!))
            const values = { extent_start: room(g, 0), nr_extents: 1n, domid }
            g.op(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, xen_memory_reservation, values)
          }
          if (stage >= 5) {
            simple(g, XEN_DOMCTL_unpausedomain, domid)
            yield* turns(below(40))
          }
          if (stage === 6) simple(g, XEN_DOMCTL_pausedomain, domid)
          if (stage === 7) {
            sched_remote_shutdown.write(mem, g.scratch, { domain_id: domid, reason: below(5) })
            expect(g.call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, g.scratch)).toBe(0)
          }
          count.grants += handles.length
          count.frames += mapped.length
          count.ports += ports.length
          expect(untold(host)).toEqual([])
          ends.set(STAGES[stage]!, (ends.get(STAGES[stage]!) ?? 0) + 1)
          if (below(2)) yield* turns(below(3))
          expect(simple(g, XEN_DOMCTL_destroydomain, domid)).toBe(0)
          yield* turns(below(3))
          if (domainInfo(g, domid)) count.zombies++
          expect(untold(host)).toEqual([])
          for (const port of ports) expect(g.evtchn(EVTCHNOP_close, evtchn_close, { port })[0]).toBe(0)
          for (const each of mapped) unmap(g, each)
          for (const [handle, at] of handles) {
            gnttab_unmap_grant_ref.write(mem, g.scratch, { host_addr: at as never, dev_bus_addr: 0n as never, handle })
            g.call(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, g.scratch, 1)
            unmap(g, at)
          }
          if (domainInfo(g, domid)) throw new Error(`life ${life}, ${STAGES[stage]}: it is still there`)
          if (life % 10 === 0) expect({ life, changes: changes(before, books(xen)) }).toEqual({ life, changes: [] })
        }
        expect(changes(before, books(xen))).toEqual([])
        expect([...xen.domains.keys()]).toEqual([0])
        expect(xen.credit.activeDomains.every(({ id }) => id === 0)).toBe(true)
        const stats = xen.credit.stats
        expect(stats.vcpu_init - stats.vcpu_destroy).toBe(2)
        expect(stats.dom_destroy).toBe(LIVES / 2)
      },
      loaded(kernel(greedy(below))),
    )
    expect(ends.size).toBe(STAGES.length)
    expect(host.serial).not.toMatch(/BUG|Panic/)
    expect(host.serial).toContain('test-kernel: enough')
    for (const some of Object.values(count)) expect(some).toBeGreaterThan(10)
  })

  test('when memory runs out in the middle of its making, nothing of it stays', () => {
    play(function* (g, { xen }) {
      yield RUN
      const { heap } = xen
      // All of the Xen heap but a few frames is taken.
      const taken: number[] = []
      for (let mfn = heap.allocXenHeapPages(0); mfn !== undefined; mfn = heap.allocXenHeapPages(0)) taken.push(mfn)
      for (let left = 0; left < 16; left++) {
        const before = books(xen)
        const { result, domain } = domctl(g, XEN_DOMCTL_createdomain, 0, xen_domctl_createdomain, {})
        if (result !== 0) {
          expect(result).toBe(-ENOMEM)
          expect(changes(before, books(xen))).toEqual([])
        } else {
          const more = domctl(g, XEN_DOMCTL_max_vcpus, domain, xen_domctl_max_vcpus, { max: 32 }).result
          expect(more).toBe(-ENOMEM)
          expect(simple(g, XEN_DOMCTL_destroydomain, domain)).toBe(0)
          expect(changes(before, books(xen))).toEqual([])
        }
        heap.freeXenHeapPages(taken.pop()!, 0)
      }
    })
  })
})
