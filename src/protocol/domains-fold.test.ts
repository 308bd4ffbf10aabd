import { describe, expect, test } from 'vitest'
import type { DomainProbe } from '#abi/probe.ts'
import {
  XEN_DOMINF_blocked,
  XEN_DOMINF_dying,
  XEN_DOMINF_paused,
  XEN_DOMINF_running,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
} from '#abi/xen/domctl.ts'
import { type Domains, domainState, foldDomains, foldStore, NO_DOMAINS } from './domains-fold.ts'
import { parseAccess, type StoreChange } from './xenstore-tree.ts'

const probe = (domid: number, more: Partial<DomainProbe> = {}): DomainProbe => ({
  domid,
  handle: '0123456789abcdef0123456789abcdef',
  flags: XEN_DOMINF_blocked,
  onlineVcpus: 1,
  totPages: 32768,
  maxPages: 32832,
  cpuNs: 5,
  atNs: 100,
  ...more,
})
const told = (domains: Domains, ...changed: DomainProbe[]) => foldDomains(domains, { changed, gone: [] })
const gone = (domains: Domains, ...domids: number[]) => foldDomains(domains, { changed: [], gone: domids })
const set = (path: string, value: string) => `set\t0\t3\t${path}\tn0\t${value}`
const rm = (path: string) => `rm\t0\t3\t${path}`
const store = (domains: Domains, ...lines: string[]) =>
  foldStore(
    domains,
    lines.map(parseAccess).filter((change): change is StoreChange => change !== undefined),
  )

describe('a state in one word', () => {
  const shutdown = (reason: number) => XEN_DOMINF_shutdown | (reason << XEN_DOMINF_shutdownshift)
  test.each([
    [0, 'running'],
    [XEN_DOMINF_running, 'running'],
    [XEN_DOMINF_blocked, 'blocked'],
    [XEN_DOMINF_blocked | XEN_DOMINF_running, 'running'],
    [XEN_DOMINF_blocked | XEN_DOMINF_paused, 'paused'],
    [shutdown(0) | XEN_DOMINF_blocked, 'shutdown'],
    [shutdown(1), 'shutdown'],
    [shutdown(3), 'crashed'],
    [(shutdown(255) >>> 0) | XEN_DOMINF_paused, 'shutdown'],
    [shutdown(3) | XEN_DOMINF_dying, 'dying'],
  ])('0x%x: %s', (flags, word) => {
    expect(domainState(flags)).toBe(word)
  })

  test('with the reason of a shutdown', () => {
    const reasonOf = (flags: number) => told(NO_DOMAINS, probe(1, { flags })).views.get(1)!.shutdownReason
    expect([0, 1, 2, 3, 77].map((reason) => reasonOf(shutdown(reason)))).toEqual([
      'poweroff',
      'reboot',
      'suspend',
      'crash',
      undefined,
    ])
    expect(reasonOf(XEN_DOMINF_blocked)).toBeUndefined()
  })
})

test('what Xen says and what XenStore says come together, whichever is first', () => {
  const lines = [set('/local/domain/1/name', 'sebastian'), set('/local/domain/1/memory/target', '131072')]
  const one = store(told(NO_DOMAINS, probe(1)), ...lines)
  const other = told(store(NO_DOMAINS, ...lines), probe(1))
  expect(one.views.get(1)).toEqual({
    domid: 1,
    name: 'sebastian',
    uuid: '01234567-89ab-cdef-0123-456789abcdef',
    state: 'blocked',
    shutdownReason: undefined,
    vcpus: 1,
    memoryKiB: 131072,
    maxMemoryKiB: 131328,
    targetKiB: 131072,
    cpuNs: 5,
    sinceNs: 100,
    atNs: 100,
  })
  expect(other).toEqual(one)
})

test('a limit that is none is none', () => {
  expect(told(NO_DOMAINS, probe(0, { maxPages: 0xffffffff })).views.get(0)).toMatchObject({ maxMemoryKiB: undefined })
})

test('a domain is as old as the first word of it; one that came again under its number is new', () => {
  let domains = told(told(NO_DOMAINS, probe(1)), probe(1, { atNs: 500, cpuNs: 9 }))
  expect(domains.views.get(1)).toMatchObject({ sinceNs: 100, atNs: 500, cpuNs: 9 })
  domains = foldDomains(domains, { gone: [1], changed: [probe(1, { atNs: 700 })] })
  expect(domains.views.get(1)).toMatchObject({ sinceNs: 700 })
})

test('by number, whoever comes when', () => {
  const domains = told(NO_DOMAINS, probe(5), probe(0), probe(12), probe(3))
  expect([...domains.views.keys()]).toEqual([0, 3, 5, 12])
  expect([...gone(domains, 3, 99).views.keys()]).toEqual([0, 5, 12])
})

describe('what is removed from XenStore is no longer said', () => {
  const full = store(
    told(NO_DOMAINS, probe(0), probe(1)),
    set('/local/domain/0/name', 'Domain-0'),
    set('/local/domain/1/name', 'a'),
    set('/local/domain/1/memory/target', '4096'),
  )
  test.each<[string, string, { name: string | undefined; targetKiB: number | undefined }]>([
    ['the name', rm('/local/domain/1/name'), { name: undefined, targetKiB: 4096 }],
    ['the target', rm('/local/domain/1/memory/target'), { name: 'a', targetKiB: undefined }],
    ['its directory', rm('/local/domain/1/memory'), { name: 'a', targetKiB: undefined }],
    ['the domain', rm('/local/domain/1'), { name: undefined, targetKiB: undefined }],
    ['all domains', rm('/local/domain'), { name: undefined, targetKiB: undefined }],
    ['a target that is no number', set('/local/domain/1/memory/target', 'x'), { name: 'a', targetKiB: undefined }],
    ['by a daemon that begins anew', 'new', { name: undefined, targetKiB: undefined }],
    ['nothing of another', rm('/local/domain/10'), { name: 'a', targetKiB: 4096 }],
  ])('%s', (_, line, expected) => {
    const domains = store(full, line)
    expect(domains.views.get(1)).toMatchObject(expected)
  })

  test('a domain that has gone and come again has not the old name', () => {
    const again = told(store(gone(full, 1), rm('/local/domain/1')), probe(1))
    expect(again.views.get(1)!.name).toBeUndefined()
  })
})

test('what is no affair of a domain’s leaves everything the very same', () => {
  const domains = told(NO_DOMAINS, probe(1))
  expect(store(domains, set('/local/domain/1/console/tty', '/dev/pts/0'), rm('/vm/x'))).toBe(domains)
})

test('a name is UTF-8', () => {
  expect(store(told(NO_DOMAINS, probe(1)), set('/local/domain/1/name', '\xc3\xa4')).views.get(1)!.name).toBe('ä')
})
