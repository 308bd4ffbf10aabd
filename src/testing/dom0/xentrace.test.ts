/** Xen traced from both sides: by xentrace in dom0, and by an observer outside, on the whole host. */
import { beforeAll, describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import type { DomainProbe } from '#abi/probe.ts'
import { TRACE_FREE } from '#abi/tracer.ts'
import {
  TRC_LOST_RECORDS,
  TRC_SCHED_BLOCK,
  TRC_SCHED_DOM_ADD,
  TRC_SCHED_SWITCH,
  TRC_SCHED_WAKE,
  TRC_TRACE_CPU_CHANGE,
  TRC_TRACE_WRAP_BUFFER,
} from '#abi/xen/trace.ts'
import { DOMID_IDLE } from '#abi/xen/xen.ts'
import { XrayFold } from '#protocol/xray-fold.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

let host: Dom0Host
const fold = new XrayFold()
const domains = new Map<number, DomainProbe>()

beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.world.onTrace((...record) => fold.apply(...record))
  host.world.onProbe((probe) => {
    if (probe.kind === 'domain') domains.set(probe.domid, probe)
    if (probe.kind === 'domain-gone') domains.delete(probe.domid)
  })
  host.boot()
}, 120_000)

/** As xentrace_format reads a file. */
function records(bytes: Uint8Array): { readonly cpu: number; readonly event: number; readonly extra: number[] }[] {
  const mem = memOf(bytes)
  const found = []
  let cpu = -1
  let at = 0
  const next = (): number => {
    at += 4
    return mem.read32(at - 4)
  }
  while (at < bytes.length) {
    const head = next()
    const event = head & 0x0fffffff
    if (head >>> 31) at += 8
    const extra = Array.from({ length: (head >>> 28) & 7 }, next)
    if (event === TRC_TRACE_CPU_CHANGE) cpu = extra[0]!
    else if (event !== TRC_TRACE_WRAP_BUFFER) found.push({ cpu, event, extra })
  }
  return found
}

/** Frames by owner. */
function owned(): Map<number, number> {
  const counts = new Map<number, number>()
  for (const owner of fold.owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return counts
}

describe('xentrace', () => {
  test('writes what the scheduler does until it is interrupted', () => {
    host.run('xentrace -e sched -S 8 -s 50 /root/sched.trace & sleep 1')
    expect(host.run('xm create minimal').status).toBe(0)
    host.runFor(2)
    expect(host.run('kill %1; wait; xm destroy minimal; sync').status).toBe(0)
    const found = records(host.file('/root/sched.trace'))
    expect(found.length).toBeGreaterThan(200)
    expect(new Set(found.map(({ cpu }) => cpu))).toEqual(new Set([0, 1]))
    const of = (event: number): number[][] => found.filter((each) => each.event === event).map(({ extra }) => extra)
    expect(of(TRC_SCHED_DOM_ADD)).toEqual([[1, 0]])
    for (const event of [TRC_SCHED_WAKE, TRC_SCHED_BLOCK])
      expect(new Set(of(event).map(([domid]) => domid))).toEqual(new Set([0, 1]))
    // Nothing is lost: each processor goes on from where it went to.
    expect(of(TRC_LOST_RECORDS)).toEqual([])
    for (const cpu of [0, 1]) {
      const switches = found.filter((each) => each.event === TRC_SCHED_SWITCH && each.cpu === cpu)
      expect(switches.length).toBeGreaterThan(10)
      for (const [i, { extra }] of switches.entries())
        if (i > 0) expect(extra.slice(0, 2)).toEqual(switches[i - 1]!.extra.slice(2))
      expect(switches.some(({ extra }) => extra[0] === DOMID_IDLE && extra[1] === cpu)).toBe(true)
    }
  })

  test('says what it cannot do', () => {
    expect(host.run('xentrace --version').output).toBe('xentrace v1.2')
    expect(host.run('xentrace').output).toContain('Usage: xentrace [OPTION...] [output file]\n')
    const invalid = host.run('xentrace -e 0xzz /tmp/x 2>&1 | head -1')
    expect(invalid.output).toBe('Invalid option argument: 0xzz')
    expect(host.run('xentrace /dev/tty')).toEqual({
      output: 'Cannot output to a TTY, specify a log file.',
      status: 1,
    })
    expect(host.run('xentrace /no/where').output).toBe('Could not open output file: No such file or directory')
  })
})

test('the observer’s frames are those that xm list counts', () => {
  const before = owned()
  expect(host.run('xm create minimal name=two; xm mem-set Domain-0 240; xm list').status).toBe(0)
  host.runFor(3)
  const now = owned()
  expect(domains.size).toBe(2)
  for (const { domid, totPages } of domains.values()) {
    // And what of Xen's heap they share.
    expect(now.get(domid)! - totPages).toBeGreaterThan(0)
    expect(now.get(domid)! - totPages).toBeLessThan(40)
  }
  expect(now.get(0)).toBeLessThan(before.get(0)!)
  expect([...fold.grants].some(({ granter, user }) => granter > 0 && user === 0)).toBe(true)
  expect([...fold.ports].some(({ domid, remoteDomid }) => domid === 0 && remoteDomid > 0)).toBe(true)
  expect(host.run('xm destroy two').status).toBe(0)
  host.runFor(1)
  const after = owned()
  expect([...after.keys()].filter((owner) => owner < 0x7ff0)).toEqual([0])
  expect(after.get(0)! + after.get(TRACE_FREE)!).toBe(before.get(0)! + before.get(TRACE_FREE)!)
  expect([...fold.vcpus].map(({ domid }) => domid)).toEqual([0, 0])
  expect([...fold.grants]).toEqual([])
})
