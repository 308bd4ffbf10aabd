/** A domain's death in one state after another: frames, heaps, timers, lists and other domains' ports are as they were before it was made. */
import { expect, test } from 'vitest'
import * as dc from '#abi/xen/domctl.ts'
import { EINVAL, ENOSPC, ESRCH } from '#abi/xen/errno.ts'
import * as ev from '#abi/xen/event_channel.ts'
import * as gt from '#abi/xen/grant_table.ts'
import type { VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { PHYSDEVOP_alloc_irq_vector, PHYSDEVOP_apic_write, physdev_apic, physdev_irq } from '#abi/xen/physdev.ts'
import { SCHEDOP_poll, sched_poll } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  VCPUOP_set_periodic_timer,
  VCPUOP_set_singleshot_timer,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_domctl,
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_vcpu_op,
  MMUEXT_SET_LDT,
  MULTICALL_ARGS,
  mmuext_op,
  multicall_entry,
  start_info,
} from '#abi/xen/xen.ts'
import {
  books,
  buildDomain,
  changes,
  createDomain,
  domctl,
  L4,
  mapForeign,
  nothing,
  pinL4,
  play,
  room,
  setContext,
  turns,
  unmap,
  writeTables,
} from '#testing/xen-builder.ts'
import { TEST_BASE } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, RUN, type ScriptGuest } from '#testing/xen-script.ts'
import { now, type Xen } from '../xen.ts'
import { sharedEntry } from './grant-table.ts'

const simple = (g: ScriptGuest, cmd: number, domid: number): number => domctl(g, cmd, domid, nothing, {}).result
const destroy = (g: ScriptGuest, domid: number): number => simple(g, dc.XEN_DOMCTL_destroydomain, domid)
const unpause = (g: ScriptGuest, domid: number): number => simple(g, dc.XEN_DOMCTL_unpausedomain, domid)

/** What else could remember a domain that is gone. */
function remembered({ domains, pcpus, credit, guestIrqs, changedDomains, xenoprof }: Xen): unknown {
  const dom0 = domains.get(0)!
  return {
    domains: [...domains.keys()],
    timers: pcpus.map(({ timers }) => timers.all().filter(({ name }) => /^d[1-9]/.test(name)).length),
    queues: pcpus.map(({ sched, curr, loaded: last }) =>
      [...sched.runq, curr, last].filter((vcpu) => vcpu && vcpu.domain !== dom0).map((vcpu) => vcpu!.domain.id),
    ),
    active: credit.activeDomains.filter((domain) => domain !== dom0).length,
    weight: credit.activeDomains.includes(dom0) ? credit.weight - dom0.sched.weight * dom0.sched.activeVcpus.length : 0,
    interrupts: [...guestIrqs.guest.values()].map(({ irq, guests }) => [irq, guests.map(({ id }) => id)]),
    changed: changedDomains.filter((domain) => domain !== dom0).length,
    profiled: xenoprof.active.length,
    dom0: [dom0.totPages, dom0.xenheapPages, dom0.refs, dom0.pirqPorts.filter((port) => port !== 0).length],
    ports: dom0.ports.filter(({ state }) => state !== 'free').length,
    mapped: dom0.grantTable!.mapCount,
  }
}

/** The kernel of all of them: its first word of page 9 says what it is to do, by a row of `ORDERS`. */
const ORDERS = {
  block: 0,
  spin: 1,
  timers: 2,
  poll: 3,
  grantsMax: 4,
  bindPirq: 5,
  multicall: 6,
  bindTo: 7,
  mapGrant: 8,
  setLdt: 9,
} as const
const ORDER_AT = TEST_BASE + 9 * PAGE_SIZE
const SCRATCH = TEST_BASE + 10 * PAGE_SIZE

function obey({ mem, hypercall }: VirtualCpu): VcpuExit {
  const order = mem.read32(ORDER_AT)
  const argument = mem.read32(ORDER_AT + 4)
  switch (order) {
    case ORDERS.spin:
      return RUN
    case ORDERS.timers:
      vcpu_set_periodic_timer.write(mem, SCRATCH, { period_ns: 5_000_000n })
      hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, 0, SCRATCH)
      vcpu_set_singleshot_timer.write(mem, SCRATCH, { timeout_abs_ns: 1n << 50n, flags: 0 })
      expect(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, SCRATCH)).toBe(0)
      return RUN
    case ORDERS.poll:
      mem.write32(SCRATCH + 64, argument)
      sched_poll.write(mem, SCRATCH, { ports: SCRATCH + 64, nr_ports: 1, timeout: 1n << 50n })
      return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_poll, SCRATCH] }
    case ORDERS.grantsMax:
      gt.gnttab_setup_table.write(mem, SCRATCH, { dom: 0x7ff0, nr_frames: 32, frame_list: SCRATCH + 64 })
      hypercall(__HYPERVISOR_grant_table_op, gt.GNTTABOP_setup_table, SCRATCH, 1)
      expect(gt.gnttab_setup_table.fields.status.get(mem, SCRATCH)).toBe(0)
      return BLOCK
    case ORDERS.bindPirq:
      ev.evtchn_bind_pirq.write(mem, SCRATCH, { pirq: argument })
      hypercall(__HYPERVISOR_event_channel_op, ev.EVTCHNOP_bind_pirq, SCRATCH)
      return BLOCK
    case ORDERS.multicall:
      for (let i = 0; i < 50; i++) {
        multicall_entry.write(mem, SCRATCH + 64 * i, { op: BigInt(__HYPERVISOR_event_channel_op) })
        mem.write64(SCRATCH + 64 * i + MULTICALL_ARGS, BigInt(ev.EVTCHNOP_alloc_unbound))
        mem.write64(SCRATCH + 64 * i + MULTICALL_ARGS + 8, BigInt.asUintN(64, BigInt(SCRATCH + 4000)))
      }
      mem.write32(SCRATCH + 4000, 0x7ff0)
      hypercall(__HYPERVISOR_multicall, SCRATCH, 50)
      return RUN
    case ORDERS.mapGrant:
      gt.gnttab_map_grant_ref.write(mem, SCRATCH, {
        host_addr: (TEST_BASE + 64 * PAGE_SIZE) as never,
        flags: gt.GNTMAP_host_map,
        ref: argument,
        dom: 0,
      })
      hypercall(__HYPERVISOR_grant_table_op, gt.GNTTABOP_map_grant_ref, SCRATCH, 1)
      return BLOCK
    case ORDERS.setLdt:
      mmuext_op.write(mem, SCRATCH, {
        cmd: MMUEXT_SET_LDT,
        arg1: BigInt.asUintN(64, BigInt(TEST_BASE + argument * PAGE_SIZE)),
        arg2: 512n,
      })
      hypercall(__HYPERVISOR_mmuext_op, SCRATCH, 1, 0, 0x7ff0)
      return BLOCK
    case ORDERS.bindTo:
      ev.evtchn_bind_interdomain.write(mem, SCRATCH, { remote_dom: argument >> 16, remote_port: argument & 0xffff })
      hypercall(__HYPERVISOR_event_channel_op, ev.EVTCHNOP_bind_interdomain, SCRATCH)
      return BLOCK
    default:
      return BLOCK
  }
}

function tell(g: ScriptGuest, domid: number, mfn: number, order: number, argument = 0): void {
  mapForeign(g, g.beyond, mfn, domid)
  g.vcpu.mem.write32(g.beyond, order)
  g.vcpu.mem.write32(g.beyond + 4, argument)
  unmap(g, g.beyond)
}

/** Built, told, and started on processor `cpu`. */
function start(g: ScriptGuest, order: number, { vcpus = 1, cpu = 1 } = {}): { domid: number; mfns: readonly number[] } {
  const built = buildDomain(g, { vcpus })
  tell(g, built.domid, built.mfns[9]!, order)
  g.vcpu.mem.write8(room(g, 0), 1 << cpu)
  const map = { vcpu: 0, cpumap_bitmap: room(g, 0), cpumap_nr_cpus: 8 }
  expect(domctl(g, dc.XEN_DOMCTL_setvcpuaffinity, built.domid, dc.xen_domctl_vcpuaffinity, map).result).toBe(0)
  expect(unpause(g, built.domid)).toBe(0)
  return built
}

const allocUnbound = (g: ScriptGuest, dom: number, remote_dom: number): [number, number] => {
  const [result, { port }] = g.evtchn(ev.EVTCHNOP_alloc_unbound, ev.evtchn_alloc_unbound, { dom, remote_dom })
  return [result, port]
}
const bind = (g: ScriptGuest, remote_dom: number, remote_port: number): number =>
  g.evtchn(ev.EVTCHNOP_bind_interdomain, ev.evtchn_bind_interdomain, { remote_dom, remote_port })[1].local_port
const close = (g: ScriptGuest, port: number): number => g.evtchn(ev.EVTCHNOP_close, ev.evtchn_close, { port })[0]

type Life = (g: ScriptGuest, host: TestHost) => Generator<VcpuExit, void, number>

const lives: Readonly<Record<string, Life>> = {
  *'never unpaused'(g) {
    expect(destroy(g, buildDomain(g).domid)).toBe(0)
  },
  *'never given anything'(g) {
    expect(destroy(g, createDomain(g, { pages: 0, vcpus: 0 }).domid)).toBe(0)
  },
  *'tables refused half way'(g) {
    const { domid, mfns } = createDomain(g)
    // The last entry but one of the L1 is of nobody's frame: what was taken before it is given back at once.
    writeTables(g, domid, mfns, (level, slot, entry) => (level === 1 && slot === 14 ? 0x7fffffff067n : entry))
    expect(pinL4(g, mfns[L4]!, domid)).toBe(-EINVAL)
    expect(destroy(g, domid)).toBe(0)
  },
  *'tables pinned, no context'(g) {
    const { domid, mfns } = createDomain(g)
    writeTables(g, domid, mfns)
    expect(pinL4(g, mfns[L4]!, domid)).toBe(0)
    expect(destroy(g, domid)).toBe(0)
  },
  *'a context, then none again'(g) {
    const { domid, mfns } = createDomain(g)
    writeTables(g, domid, mfns)
    pinL4(g, mfns[L4]!, domid)
    expect(setContext(g, domid, mfns[L4]!)).toBe(0)
    const reset = { vcpu: 0, ctxt: 0 }
    expect(domctl(g, dc.XEN_DOMCTL_setvcpucontext, domid, dc.xen_domctl_vcpucontext, reset).result).toBe(0)
    expect(destroy(g, domid)).toBe(0)
  },
  *'a GDT in its context, an LDT of its own'(g) {
    const { domid, mfns } = createDomain(g)
    // Descriptors lie where nobody can write.
    writeTables(g, domid, mfns, (level, slot, entry) =>
      level === 1 && (slot === 11 || slot === 12) ? entry - 2n : entry,
    )
    expect(pinL4(g, mfns[L4]!, domid)).toBe(0)
    const gdt_frames = new Uint8Array(128)
    new DataView(gdt_frames.buffer).setBigUint64(0, BigInt(mfns[11]!), true)
    expect(setContext(g, domid, mfns[L4]!, { gdt_frames, gdt_ents: 512n })).toBe(0)
    tell(g, domid, mfns[9]!, ORDERS.setLdt, 12)
    unpause(g, domid)
    yield* turns(20)
    expect(destroy(g, domid)).toBe(0)
  },
  *'a grant of dom0’s mapped'(g, { xen }) {
    const { domid, mfns } = buildDomain(g)
    const dom0 = xen.domains.get(0)!
    const { grantTable } = dom0
    const ref = 100
    const entry = sharedEntry(grantTable!, ref)
    const frame = g.vcpu.mem.read32(start_info.fields.mfn_list.get(g.vcpu.mem, g.vcpu.startInfo) + 8 * 5000)
    xen.mem.write16(entry, gt.GTF_permit_access)
    xen.mem.write16(entry + 2, domid)
    xen.mem.write32(entry + 4, frame)
    tell(g, domid, mfns[9]!, ORDERS.mapGrant, ref)
    unpause(g, domid)
    yield* turns(20)
    expect(grantTable!.pin[ref]).not.toBe(0)
    expect(xen.mem.read16(entry)).toBe(gt.GTF_permit_access | gt.GTF_reading | gt.GTF_writing)
    expect(destroy(g, domid)).toBe(0)
    expect(grantTable!.pin[ref]).toBe(0)
    expect(xen.mem.read16(entry)).toBe(gt.GTF_permit_access)
    xen.mem.write16(entry, 0)
  },
  *'running on the other processor'(g, { xen }) {
    const { domid } = start(g, ORDERS.spin)
    yield* turns(20)
    expect(xen.pcpus[1]!.curr?.domain.id).toBe(domid)
    expect(destroy(g, domid)).toBe(0)
    expect(xen.pcpus[1]!.curr).toBeUndefined()
  },
  *'making multicalls on the other processor'(g) {
    const { domid } = start(g, ORDERS.multicall)
    yield* turns(7)
    expect(destroy(g, domid)).toBe(0)
  },
  *'timers running, its own and those of a poll'(g, { xen }) {
    const first = start(g, ORDERS.timers)
    yield* turns(20)
    // 'd<id>v0 periodic' and 'singleshot'.
    const named = (id: number): string[] =>
      xen.pcpus
        .flatMap(({ timers }) => timers.all().map(({ name }) => name))
        .filter((name) => name.startsWith(`d${id}v`))
    expect(named(first.domid).sort()).toEqual([`d${first.domid}v0 periodic`, `d${first.domid}v0 singleshot`])
    const second = start(g, ORDERS.poll)
    // Not before the first's time slice is over.
    yield g.poll([], now(xen) + 50e6)
    expect(named(second.domid)).toContain(`d${second.domid}v0 poll`)
    expect([destroy(g, first.domid), destroy(g, second.domid)]).toEqual([0, 0])
  },
  *'an NMI pending'(g) {
    const { domid } = buildDomain(g)
    const nmi = { trigger: dc.XEN_DOMCTL_SENDTRIGGER_NMI }
    for (let i = 0; i < 2; i++)
      expect(domctl(g, dc.XEN_DOMCTL_sendtrigger, domid, dc.xen_domctl_sendtrigger, nmi).result).toBe(0)
    expect(destroy(g, domid)).toBe(0)
  },
  *'32 vCPUs'(g) {
    const { domid } = start(g, ORDERS.block, { vcpus: 32 })
    yield* turns(5)
    expect(destroy(g, domid)).toBe(0)
  },
  *'all ports taken, many bound'(g, { xen }) {
    const { domid } = buildDomain(g)
    const mine: number[] = []
    for (;;) {
      const [result, port] = allocUnbound(g, domid, 0)
      if (result !== 0) {
        expect(result).toBe(-ENOSPC)
        break
      }
      if (port % 10 === 0) mine.push(bind(g, domid, port))
    }
    expect(xen.domains.get(domid)!.ports.every(({ state }) => state !== 'free')).toBe(true)
    expect(destroy(g, domid)).toBe(0)
    // dom0's ends wait for it again.
    for (const port of mine) {
      const [, status] = g.evtchn(ev.EVTCHNOP_status, ev.evtchn_status, { dom: 0x7ff0, port })
      expect([status.status, status.u & 0xffff]).toEqual([ev.EVTCHNSTAT_unbound, domid])
      expect(close(g, port)).toBe(0)
    }
  },
  *'all grant frames taken, one grant mapped twice'(g, { xen }) {
    const { domid, mfns } = start(g, ORDERS.grantsMax)
    yield* turns(20)
    const table = xen.domains.get(domid)!.grantTable!
    const entry = sharedEntry(table, 32 * 512 - 1)
    xen.mem.write16(entry, gt.GTF_permit_access)
    xen.mem.write32(entry + 4, mfns[12]!)
    const { mem } = g.vcpu
    const handles = [0, 1].map((i) => {
      const flags = i ? gt.GNTMAP_host_map | gt.GNTMAP_readonly : gt.GNTMAP_host_map
      const host_addr = (g.beyond + (16 + i) * PAGE_SIZE) as never
      gt.gnttab_map_grant_ref.write(mem, g.scratch, { host_addr, flags, ref: 32 * 512 - 1, dom: domid })
      g.call(__HYPERVISOR_grant_table_op, gt.GNTTABOP_map_grant_ref, g.scratch, 1)
      const { status, handle } = gt.gnttab_map_grant_ref.read(mem, g.scratch)
      expect(status).toBe(0)
      return handle
    })
    expect(destroy(g, domid)).toBe(0)
    for (const [i, handle] of handles.entries()) {
      // As long as a mapping of its is left it is there, without anything else.
      expect(xen.domains.get(domid)).toMatchObject({ dead: true, totPages: 1 })
      const host_addr = (g.beyond + (16 + i) * PAGE_SIZE) as never
      gt.gnttab_unmap_grant_ref.write(mem, g.scratch, { host_addr, dev_bus_addr: 0n as never, handle })
      g.call(__HYPERVISOR_grant_table_op, gt.GNTTABOP_unmap_grant_ref, g.scratch, 1)
      expect(gt.gnttab_unmap_grant_ref.fields.status.get(mem, g.scratch)).toBe(0)
    }
  },
  *'another domain polls a port that leads to it'(g, { xen }) {
    const poller = buildDomain(g)
    const [, theirs] = allocUnbound(g, poller.domid, poller.domid + 1)
    tell(g, poller.domid, poller.mfns[9]!, ORDERS.poll, theirs)
    const { domid, mfns } = buildDomain(g)
    tell(g, domid, mfns[9]!, ORDERS.bindTo, poller.domid * 65536 + theirs)
    unpause(g, domid)
    yield* turns(20)
    const { ports } = xen.domains.get(poller.domid)!
    expect(ports[theirs]).toMatchObject({ state: 'interdomain', remoteDom: domid })
    // The notice of the binding.
    xen.mem.fill(xen.domains.get(poller.domid)!.sharedInfo * PAGE_SIZE + 2048, 512, 0)
    unpause(g, poller.domid)
    // They share a processor; the other has an event that it does not take.
    yield g.poll([], now(xen) + 50e6)
    const vcpu = xen.domains.get(poller.domid)!.vcpus[0]!
    expect(vcpu.polling).toBe(true)
    expect(destroy(g, domid)).toBe(0)
    yield* turns(5)
    expect(ports[theirs]).toMatchObject({ state: 'unbound', remoteDom: domid })
    // Nobody has sent anything.
    expect(vcpu.polling).toBe(true)
    expect(destroy(g, poller.domid)).toBe(0)
  },
  *'an interrupt of the machine bound'(g, { xen }) {
    const irq = 12
    const { domid, mfns } = buildDomain(g)
    const permit = { pirq: irq, allow_access: 1 }
    expect(domctl(g, dc.XEN_DOMCTL_irq_permission, domid, dc.xen_domctl_irq_permission, permit).result).toBe(0)
    tell(g, domid, mfns[9]!, ORDERS.bindPirq, irq)
    const desc = xen.guestIrqs.guest.get(irq)!
    unpause(g, domid)
    yield* turns(20)
    expect(desc.guests.map(({ id }) => id)).toEqual([domid])
    expect(destroy(g, domid)).toBe(0)
    expect(desc.guests).toEqual([])
    expect((desc.ioApic.read(0x10 + 2 * desc.pin) >>> 16) & 1).toBe(1)
  },
  *'destroyed twice, in one multicall'(g) {
    const { domid } = buildDomain(g)
    const { mem } = g.vcpu
    const at = room(g, 0)
    dc.xen_domctl.write(mem, at, {
      cmd: dc.XEN_DOMCTL_destroydomain,
      interface_version: dc.XEN_DOMCTL_INTERFACE_VERSION,
      domain: domid,
    })
    for (const i of [0, 1]) {
      multicall_entry.write(mem, g.scratch + 64 * i, { op: BigInt(__HYPERVISOR_domctl), result: 1n })
      mem.write64(g.scratch + 64 * i + MULTICALL_ARGS, BigInt.asUintN(64, BigInt(at)))
    }
    expect(g.call(__HYPERVISOR_multicall, g.scratch, 2)).toBe(0)
    const results = [0, 1].map((i) => BigInt.asIntN(64, multicall_entry.read(mem, g.scratch + 64 * i).result))
    expect(results).toEqual([0n, BigInt(-ESRCH)])
  },
  *'made again with the same id, again and again'(g) {
    for (let i = 0; i < 5; i++) {
      expect(buildDomain(g, { id: 321 }).domid).toBe(321)
      expect(domctl(g, dc.XEN_DOMCTL_createdomain, 321, dc.xen_domctl_createdomain, {}).result).toBe(-EINVAL)
      unpause(g, 321)
      yield* turns(3)
      expect(destroy(g, 321)).toBe(0)
    }
  },
}

test.each(Object.entries(lives))('%s', (_name, life) => {
  const host = play(
    function* (g, host) {
      const { xen } = host
      // The mouse's pin is dom0's to set up; nobody has bound it.
      const [, { vector }] = g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, physdev_irq, { irq: 12 })
      const entry = { apic_physbase: 0xfec00000n, reg: 0x10 + 2 * 12, value: vector }
      expect(g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_write, physdev_apic, entry)[0]).toBe(0)
      yield RUN
      const before = books(xen)
      const memory = remembered(xen)
      yield* life(g, host)
      expect(changes(before, books(xen))).toEqual([])
      // The scheduler looks away from who is gone at its next turn.
      yield* turns(30)
      expect(remembered(xen)).toEqual(memory)
    },
    loaded(kernel(obey)),
  )
  expect(host.serial).not.toMatch(/BUG|Panic/)
})
