import { describe, expect, test } from 'vitest'
import type { DomainProbe } from '#abi/probe.ts'
import { XEN_DOMINF_blocked } from '#abi/xen/domctl.ts'
import { parseAccess } from '#protocol/xenstore-tree.ts'
import type { UiEvent } from '../../store/slice.ts'
import { fold, initialState } from '../../store/store.ts'
import { defaultOptions } from '../machine/slice.ts'
import { durationWords, memoryRange } from './figures.ts'
import { addToHistory, cpuPoints, type DomainHistory } from './history.ts'

const S = 1e9
const probe = (domid: number, more: Partial<DomainProbe> = {}): DomainProbe => ({
  domid,
  handle: '0'.repeat(32),
  flags: XEN_DOMINF_blocked,
  onlineVcpus: 1,
  totPages: 32768,
  maxPages: 32832,
  cpuNs: 0,
  atNs: 0,
  ...more,
})
const told = (...changed: DomainProbe[]): UiEvent => ({ type: 'domains', changed, gone: [] })
const lines = (...stored: string[]): UiEvent => ({
  type: 'xenstore-changes',
  changes: stored.map((line) => parseAccess(line)!),
})
const named = (domid: number, name: string) => lines(`set\t0\t3\t/local/domain/${domid}/name\tn0\t${name}`)
const stateAfter = (...events: UiEvent[]) => events.reduce(fold, initialState)

describe('the page’s domains', () => {
  const two: UiEvent[] = [{ type: 'state', state: 'xen' }, told(probe(0), probe(1)), named(1, 'sebastian')]

  test('come by the frame, with their names', () => {
    const { domains, domainHistory } = stateAfter(...two)
    expect(Object.keys(domains)).toEqual(['0', '1'])
    expect(domains[1]).toMatchObject({ name: 'sebastian', state: 'blocked', memoryKiB: 131072 })
    expect(domainHistory[1]!.peakKiB).toBe(131072)
  })

  test('that nothing was said of stay the very same objects', () => {
    const before = stateAfter(...two)
    const next = fold(before, told(probe(1, { cpuNs: 5 })))
    expect(next.domains[0]).toBe(before.domains[0])
    expect(next.domains[1]).not.toBe(before.domains[1])
    expect(fold(next, lines('set\t0\t3\t/vm/x\tn0\ty'))).toBe(next)
  })

  test('go one by one', () => {
    const { domains, domainHistory } = stateAfter(...two, { type: 'domains', changed: [], gone: [1] })
    expect([Object.keys(domains), Object.keys(domainHistory)]).toEqual([['0'], ['0']])
  })

  test.each<[string, UiEvent]>([
    ['Xen', { type: 'state', state: 'firmware' }],
    ['a panic', { type: 'state', state: 'panicked' }],
    ['another machine', { type: 'powering', options: defaultOptions }],
    ['the worker', { type: 'worker', status: 'dead', message: '' }],
  ])('go all with %s, names and all', (_, event) => {
    const gone = stateAfter(...two, event)
    expect(gone.domains).toEqual({})
    expect(fold(gone, told(probe(1))).domains[1]!.name).toBeUndefined()
  })

  test('stay while a worker only thinks long', () => {
    expect(Object.keys(stateAfter(...two, { type: 'worker', status: 'hung', message: '' }).domains)).toHaveLength(2)
  })
})

describe('use of processors', () => {
  const history = (...heard: [atNs: number, cpuNs: number][]): DomainHistory | undefined =>
    heard.reduce<DomainHistory | undefined>(
      (before, [atNs, cpuNs]) => addToHistory(before, probe(1, { atNs, cpuNs })),
      undefined,
    )

  test('is what it had of each second', () => {
    const points = cpuPoints(
      history([1.2 * S, 0.1 * S], [1.9 * S, 0.5 * S], [2.5 * S, 1 * S], [4.5 * S, 1.25 * S]),
      4.5 * S,
      1,
    )
    expect(points.seconds).toEqual([0, 1, 2, 3, 4])
    // Nothing was heard in the fourth second: it did not run. Of the last only half is over.
    expect(points.percent).toEqual([null, 50, 50, 0, 50])
  })

  test('goes back a minute, and no more is kept than that takes', () => {
    const all = history(...Array.from({ length: 300 }, (_, i): [number, number] => [i * S + S / 2, (i * S) / 4]))!
    expect(all.cpu.length).toBeLessThan(64)
    const { seconds, percent } = cpuPoints(all, 299.5 * S, 1)
    expect([seconds[0], seconds.at(-1)]).toEqual([239, 299])
    expect(percent.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 25))
  })

  test('is nothing after a long silence, and never more than there is', () => {
    expect(cpuPoints(history([5 * S, 90 * S]), 5.5 * S, 2).percent.at(-1)).toBe(200)
    expect(cpuPoints(history([5 * S, 3 * S]), 500 * S, 1).percent.every((percent) => percent === 0)).toBe(true)
    expect(cpuPoints(history([5 * S, 3 * S], [400 * S, 3 * S]), 500 * S, 1).percent.every((p) => p === 0)).toBe(true)
    expect(cpuPoints(undefined, 3 * S, 1).percent).toEqual([null, null, null, null])
  })
})

test.each([
  [0, 'domains.seconds', { seconds: 0 }],
  [59.9 * S, 'domains.seconds', { seconds: 59 }],
  [61 * S, 'domains.minutes', { minutes: 1, seconds: '01' }],
  [2 * 3600 * S + 125 * S, 'domains.hours', { hours: 2, minutes: '02' }],
  [-5, 'domains.seconds', { seconds: 0 }],
])('%d ns in words', (ns, key, values) => {
  expect(durationWords(ns)).toEqual({ key, values })
})

describe('how far memory may be set', () => {
  const view = (more: Partial<DomainProbe>) => {
    const { domains, domainHistory } = stateAfter(told(probe(more.domid ?? 1, more)))
    const domid = more.domid ?? 1
    return memoryRange(domains[domid]!, domainHistory[domid])
  }
  test.each([
    ['a guest', { maxPages: 32832 }, { leastMib: 8, mostMib: 128, limitMib: 128 }],
    [
      'dom0, whose limit is no number',
      { domid: 0, totPages: 65536, maxPages: 0xffffffff },
      { leastMib: 128, mostMib: 256, limitMib: undefined },
    ],
    ['a tiny one', { totPages: 1024, maxPages: 1024 }, { leastMib: 4, mostMib: 4, limitMib: 4 }],
    ['one that is not built yet', { totPages: 0, maxPages: 0 }, { leastMib: 1, mostMib: 1, limitMib: 0 }],
  ])('%s', (_, more, range) => {
    expect(view(more)).toEqual(range)
  })

  test('dom0 that gave some away may have it back', () => {
    const { domains, domainHistory } = stateAfter(
      told(probe(0, { totPages: 65536, maxPages: 0xffffffff })),
      told(probe(0, { totPages: 40000, maxPages: 0xffffffff })),
    )
    expect(memoryRange(domains[0]!, domainHistory[0])).toMatchObject({ mostMib: 256 })
  })
})
