/** Rates, the graph of channels and grants, hypercalls by name, and the model that folds records into all of them. */
import { describe, expect, it } from 'vitest'
import {
  TRACE_event,
  TRACE_FREE,
  TRACE_GRANT_copy,
  TRACE_GRANT_map,
  TRACE_GRANT_unmap,
  TRACE_grant,
  TRACE_hypercall,
  TRACE_pages,
  TRACE_port,
  TRACE_runstate,
  TRACE_vcpu,
} from '#abi/tracer.ts'
import {
  EVTCHNSTAT_closed,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_ipi,
  EVTCHNSTAT_pirq,
  EVTCHNSTAT_unbound,
  EVTCHNSTAT_virq,
} from '#abi/xen/event_channel.ts'
import { RUNSTATE_blocked, RUNSTATE_running } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_event_channel_op, __HYPERVISOR_sched_op, DOMID_XEN } from '#abi/xen/xen.ts'
import type { XraySnapshot } from '#protocol/xray.ts'
import { HypercallCounts, hypercallName, PLOT_SECONDS } from './calls.ts'
import { portLine } from './channels.ts'
import { niceCeiling } from './draw-calls.ts'
import { layoutGraph } from './graph-layout.ts'
import { XrayModel } from './model.ts'
import { Rate } from './rate.ts'

const SECOND = 1e9

describe('a rate', () => {
  it('is that of the last second that is over', () => {
    const rate = new Rate()
    for (let i = 0; i < 100; i++) rate.add(i * 20e6)
    expect(rate.perSecond(2 * SECOND)).toBe(50)
    expect(rate.perSecond(2.5 * SECOND)).toBe(25)
    expect(rate.perSecond(4 * SECOND)).toBe(0)
    expect(rate.total).toBe(100)
  })

  it('takes what comes a little late', () => {
    const rate = new Rate()
    rate.add(1.25 * SECOND)
    rate.add(1.15 * SECOND)
    rate.add(0.01 * SECOND)
    expect(rate.perSecond(1.31 * SECOND)).toBe(2)
  })

  it('has a history', () => {
    const rate = new Rate(2)
    rate.add(0.05 * SECOND, 3)
    rate.add(1.95 * SECOND, 7)
    const series = rate.series(2 * SECOND)
    expect(series).toHaveLength(20)
    expect(series[0]).toBe(30)
    expect(series[19]).toBe(70)
    expect(series.reduce((sum, value) => sum + value)).toBe(100)
  })
})

const nothing: XraySnapshot = { atNs: 0, owners: new Uint16Array(0), ports: [], grants: [], vcpus: [] }

/** A machine of 1024 frames, half dom0's, and what happens then. */
function machine(...records: readonly (readonly number[])[]): XrayModel {
  const model = new XrayModel({ nowMs: () => 1, nowNs: () => 0 })
  const owners = new Uint16Array(1024).fill(TRACE_FREE).fill(0, 0, 512)
  model.snapshot({ ...nothing, atNs: SECOND, owners, vcpus: [{ domid: 0, vcpu: 0, state: 2, cpu: 0, sinceNs: 0 }] })
  happen(model, ...records)
  return model
}

function happen(model: XrayModel, ...records: readonly (readonly number[])[]): void {
  const flat = records.flatMap(([atNs, event, ...rest]) => [
    atNs!,
    event!,
    0,
    ...rest,
    ...new Array(5 - rest.length).fill(0),
  ])
  model.batch({ records: Float64Array.from(flat), lost: 0, resync: undefined })
}

describe('the model', () => {
  it('follows frames, also those of which nothing was known', () => {
    const model = machine([2 * SECOND, TRACE_pages, 500, 100, 1])
    expect(model.frames.counts.get(1)).toBe(100)
    expect(model.frames.counts.get(0)).toBe(500)
    happen(model, [2 * SECOND, TRACE_pages, 1024, 1024, 2])
    expect(model.fold.owners).toHaveLength(2048)
    expect(model.frames.counts.get(2)).toBe(1024)
    expect(model.frames.counts.get(1)).toBe(100)
  })

  it('begins anew with another machine, and with none', () => {
    const model = machine([2 * SECOND, TRACE_hypercall, 0, 0, __HYPERVISOR_sched_op])
    model.snapshot(nothing)
    expect(model.isThere).toBe(false)
    expect(model.lanes.vcpus.size).toBe(0)
    expect(model.calls.byDomain(3 * SECOND, () => true)).toEqual([])
  })

  it('takes what was lost from how things are', () => {
    const model = machine()
    const owners = new Uint16Array(1024).fill(3)
    model.batch({ records: new Float64Array(0), lost: 17, resync: { ...nothing, atNs: 3 * SECOND, owners } })
    expect(model.lost).toBe(17)
    expect([...model.frames.counts]).toEqual([[3, 1024]])
    expect(model.nowNs).toBe(3 * SECOND)
  })

  it('keeps as much of the schedule as was asked for', () => {
    const model = machine(
      [2 * SECOND, TRACE_vcpu, 1, 0, 1],
      [3 * SECOND, TRACE_runstate, 1, 0, RUNSTATE_running, 0],
      [5 * SECOND, TRACE_runstate, 1, 0, RUNSTATE_blocked, 0],
    )
    expect(model.lanes.cpus[0]!.startNs).toBe(SECOND)
    model.keep(SECOND)
    expect(model.lanes.cpus[0]!.startNs).toBe(3 * SECOND)
    expect(model.lanes.cpus[0]!.length).toBe(2)
  })

  it('makes a graph of channels, grants and interrupts', () => {
    const model = machine(
      [SECOND, TRACE_vcpu, 1, 0, 1],
      [SECOND, TRACE_port, 0, 9, EVTCHNSTAT_interdomain, 1, 2],
      [SECOND, TRACE_port, 1, 2, EVTCHNSTAT_interdomain, 0, 9],
      [SECOND, TRACE_port, 0, 10, EVTCHNSTAT_interdomain, 1, 3],
      [SECOND, TRACE_port, 1, 3, EVTCHNSTAT_interdomain, 0, 10],
      [SECOND, TRACE_port, 0, 1, EVTCHNSTAT_virq, 0, 2],
      [SECOND, TRACE_port, 0, 3, EVTCHNSTAT_pirq, 0, 14],
      [SECOND, TRACE_port, 1, 7, EVTCHNSTAT_unbound, 0, 0],
      [SECOND, TRACE_port, 1, 8, EVTCHNSTAT_unbound, 0, 0],
      [SECOND, TRACE_port, 1, 8, EVTCHNSTAT_closed, 0, 0],
      [1.5 * SECOND, TRACE_event, 1, 2, 0, 9, EVTCHNSTAT_interdomain],
      [1.5 * SECOND, TRACE_event, 0, 9, 1, 2, EVTCHNSTAT_interdomain],
      [1.5 * SECOND, TRACE_event, DOMID_XEN, 2, 0, 1, EVTCHNSTAT_virq],
      [1.5 * SECOND, TRACE_grant, 1, 0, 8, TRACE_GRANT_map, 0],
      [1.5 * SECOND, TRACE_grant, 1, 0, 9, TRACE_GRANT_map, 0],
      [1.5 * SECOND, TRACE_grant, 1, 0, 9, TRACE_GRANT_unmap, 0],
      [1.5 * SECOND, TRACE_grant, 1, 0, 12, TRACE_GRANT_copy, 1500],
      [2 * SECOND, TRACE_pages, 0, 1, 0],
    )
    const { nodes, channels, grants } = model.graph()
    expect(nodes).toEqual([
      { domid: 0, virqs: 1, virqsPerSecond: 1, pirqs: 1, pirqsPerSecond: 0, ipis: 0, unbound: 0 },
      { domid: 1, virqs: 0, virqsPerSecond: 0, pirqs: 0, pirqsPerSecond: 0, ipis: 0, unbound: 1 },
    ])
    expect(channels).toEqual([{ kind: 'channels', id: 'channels-0-1', a: 0, b: 1, count: 2, perSecond: 2 }])
    expect(grants).toEqual([{ kind: 'grants', id: 'grants-1-0', granter: 1, user: 0, mapped: 1, copiesPerSecond: 1 }])
    expect(model.activity.uses(1, 0).map(({ ref, how }) => [ref, how])).toEqual([
      [12, TRACE_GRANT_copy],
      [9, TRACE_GRANT_unmap],
      [8, TRACE_GRANT_map],
    ])
    expect(model.activity.takeSent().map(({ from, to }) => [from, to])).toEqual([
      [1, 0],
      [0, 1],
      [DOMID_XEN, 0],
    ])
    expect(model.activity.takeSent()).toEqual([])
  })
})

it.each([
  [{ status: EVTCHNSTAT_unbound, remoteDomid: 3, remote: 0 }, '   7: s=2 d=3'],
  [{ status: EVTCHNSTAT_interdomain, remoteDomid: 1, remote: 12 }, '   7: s=3 d=1 p=12'],
  [{ status: EVTCHNSTAT_pirq, remoteDomid: -1, remote: 14 }, '   7: s=4 p=14'],
  [{ status: EVTCHNSTAT_virq, remoteDomid: -1, remote: 2 }, '   7: s=5 v=2'],
  [{ status: EVTCHNSTAT_ipi, remoteDomid: -1, remote: 1 }, '   7: s=6'],
])('a port’s line is that of key e: %j', (port, line) => expect(portLine({ domid: 0, port: 7, ...port })).toBe(line))

describe('hypercalls', () => {
  it('are counted by domain and name, the most frequent first', () => {
    const calls = new HypercallCounts()
    for (let i = 0; i < 30; i++) calls.add(SECOND + i * 1e6, 0, __HYPERVISOR_event_channel_op)
    for (let i = 0; i < 50; i++) calls.add(SECOND + i * 1e6, 0, __HYPERVISOR_sched_op)
    calls.add(SECOND, 1, 99_999)
    const [dom0, guest] = calls.byDomain(2 * SECOND, () => true)
    expect(dom0).toMatchObject({ domid: 0, perSecond: 80 })
    expect(dom0!.rows.map(({ nr, perSecond }) => [hypercallName(nr), perSecond])).toEqual([
      ['sched_op', 50],
      ['event_channel_op', 30],
    ])
    expect(dom0!.series).toHaveLength(PLOT_SECONDS * 10)
    expect(Math.max(...dom0!.series)).toBe(800)
    expect(guest!.rows.map(({ nr }) => hypercallName(nr))).toEqual(['64'])
    expect(calls.byDomain(2 * SECOND, (domid) => domid === 1).map(({ domid }) => domid)).toEqual([1])
  })

  it('have names as in the header', () => {
    expect(hypercallName(0)).toBe('set_trap_table')
    expect(hypercallName(22)).toBe('update_va_mapping_otherdomain')
    expect(hypercallName(11)).toBe('11')
  })

  it.each([
    [0, 10],
    [11, 20],
    [21, 50],
    [51, 100],
    [7000, 10_000],
  ])('of %d a second are drawn up to %d', (value, most) => expect(niceCeiling(value)).toBe(most))
})

describe('the graph’s plan', () => {
  const node = (domid: number) => ({
    domid,
    virqs: 2,
    virqsPerSecond: 0,
    pirqs: 0,
    pirqsPerSecond: 0,
    ipis: 0,
    unbound: 0,
  })
  const channel = (b: number) => ({ kind: 'channels', id: `channels-0-${b}`, a: 0, b, count: 3, perSecond: 0 }) as const
  const grants = (granter: number) =>
    ({ kind: 'grants', id: `grants-${granter}-0`, granter, user: 0, mapped: 3, copiesPerSecond: 0 }) as const
  const domids = (count: number) => Array.from({ length: count }, (_, i) => i)

  it.each([
    [2, 800, 400],
    [4, 360, 300],
    [12, 800, 300],
    [1, 300, 100],
  ])('of %d domains in %d by %d keeps boxes and labels apart', (count, width, height) => {
    const guests = domids(count).slice(1)
    const plan = layoutGraph(
      { nodes: domids(count).map(node), channels: guests.map(channel), grants: guests.map(grants) },
      width,
      height,
    )
    expect(plan.nodes).toHaveLength(count)
    expect(plan.edges).toHaveLength(guests.length * 2)
    const ground = plan.height - plan.floor
    for (const box of plan.nodes) {
      expect(box.x).toBeGreaterThanOrEqual(0)
      expect(box.x + box.width).toBeLessThanOrEqual(width)
      expect(box.y + box.height).toBeLessThanOrEqual(ground)
    }
    const middles = plan.edges.map(({ label }) => label.y).sort((a, b) => a - b)
    for (let i = 1; i < middles.length; i++) expect(middles[i]! - middles[i - 1]!).toBeGreaterThanOrEqual(19)
  })
})
