import { describe, expect, test } from 'vitest'
import {
  TRACE_FREE,
  TRACE_GRANT_copy,
  TRACE_GRANT_map,
  TRACE_GRANT_unmap,
  TRACE_grant,
  TRACE_NO_RAM,
  TRACE_pages,
  TRACE_port,
  TRACE_runstate,
  TRACE_vcpu,
} from '#abi/tracer.ts'
import {
  EVTCHNSTAT_closed,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_unbound,
  EVTCHNSTAT_virq,
} from '#abi/xen/event_channel.ts'
import { RUNSTATE_blocked, RUNSTATE_offline } from '#abi/xen/vcpu.ts'
import { createRng } from '#lib/prng.ts'
import { XrayFold } from './xray-fold.ts'

/** At 0, by processor 0. */
const folded = (...records: readonly (readonly number[])[]): XrayFold => {
  const fold = new XrayFold()
  fold.applyBatch(
    Float64Array.from(
      records.flatMap(([event = 0, a = 0, b = 0, c = 0, d = 0, e = 0]) => [5, event, 0, a, b, c, d, e]),
    ),
  )
  return fold
}

describe('a fold of the tracer’s records', () => {
  test('frames: the last word counts, gaps are no RAM', () => {
    const fold = folded([TRACE_pages, 4, 2, 7], [TRACE_pages, 0, 3, TRACE_FREE], [TRACE_pages, 1, 1, 9])
    expect([...fold.owners]).toEqual([TRACE_FREE, 9, TRACE_FREE, TRACE_NO_RAM, 7, 7])
  })

  test('ports, until they are closed', () => {
    const fold = folded(
      [TRACE_port, 0, 5, EVTCHNSTAT_unbound, 1],
      [TRACE_port, 1, 5, EVTCHNSTAT_virq, 0, 3],
      [TRACE_port, 0, 5, EVTCHNSTAT_interdomain, 1, 9],
    )
    expect(fold.port(0, 5)).toEqual({ domid: 0, port: 5, status: EVTCHNSTAT_interdomain, remoteDomid: 1, remote: 9 })
    expect(fold.port(1, 5)).toEqual({ domid: 1, port: 5, status: EVTCHNSTAT_virq, remoteDomid: -1, remote: 3 })
    fold.apply(6, TRACE_port, 0, 0, 5, EVTCHNSTAT_closed, 0, 0)
    expect([...fold.ports]).toHaveLength(1)
  })

  test('grants: what is mapped now', () => {
    const map = [TRACE_grant, 3, 0, 8, TRACE_GRANT_map]
    const unmap = [TRACE_grant, 3, 0, 8, TRACE_GRANT_unmap]
    expect([...folded(map, map, [TRACE_grant, 3, 0, 8, TRACE_GRANT_copy, 99], unmap).grants]).toEqual([
      { granter: 3, user: 0, mapped: 1 },
    ])
    expect([...folded(map, unmap, unmap).grants]).toEqual([])
  })

  test('vCPUs come and go; of others nothing is believed', () => {
    const fold = folded([TRACE_vcpu, 2, 1, 1], [TRACE_runstate, 9, 0, RUNSTATE_blocked, 1])
    expect([...fold.vcpus]).toEqual([{ domid: 2, vcpu: 1, state: RUNSTATE_offline, cpu: 0, sinceNs: 5 }])
    fold.apply(7, TRACE_runstate, 0, 2, 1, RUNSTATE_blocked, 1, 0)
    expect(fold.vcpu(2, 1)).toEqual({ domid: 2, vcpu: 1, state: RUNSTATE_blocked, cpu: 1, sinceNs: 7 })
    fold.apply(8, TRACE_vcpu, 0, 2, 1, 0, 0, 0)
    expect([...fold.vcpus]).toEqual([])
  })

  test('a snapshot is all of it, and goes its own way afterwards', () => {
    const fold = folded([TRACE_pages, 0, 4, 1], [TRACE_port, 0, 5, EVTCHNSTAT_unbound, 1], [TRACE_vcpu, 0, 0, 1])
    const other = new XrayFold()
    const snapshot = fold.snapshot()
    other.restore(snapshot)
    expect(other.snapshot()).toEqual(snapshot)
    other.apply(9, TRACE_pages, 0, 1, 2, 77, 0, 0)
    expect([...fold.owners]).toEqual([1, 1, 1, 1])
    expect([...snapshot.owners]).toEqual([1, 1, 1, 1])
    fold.clear()
    expect(fold.snapshot()).toMatchObject({ owners: new Uint16Array(0), ports: [], grants: [], vcpus: [] })
  })

  test('whatever an image tells: no more than a machine can have', () => {
    const { below } = createRng(3)
    const wild = [-1, 0, 1, 0x7ff2, 0xffff, 0x10000, 2 ** 21, 2 ** 31, 2 ** 53, -(2 ** 53)]
    const fold = new XrayFold()
    const any = (): number => wild[below(wild.length)]!
    for (let i = 0; i < 5000; i++) fold.apply(any(), below(12), any(), any(), any(), any(), any(), any())
    expect(fold.owners.length).toBeLessThanOrEqual(2 ** 21)
    for (const { domid, port } of fold.ports) expect(Math.max(domid, port)).toBeLessThan(0x10000)
    for (const { mapped } of fold.grants) expect(mapped).toBeGreaterThan(0)
  })
})
