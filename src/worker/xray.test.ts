import { beforeEach, describe, expect, test } from 'vitest'
import { TRACE_event, TRACE_hypercall, TRACE_pages, TRACE_runstate, TRACE_vcpu, TRACE_WORDS } from '#abi/tracer.ts'
import type { FromWorker } from '#protocol/messages.ts'
import { XRAY_BATCH_MAX, type XrayWatch } from '#protocol/xray.ts'
import { XRAY_STATE, XrayFold } from '#protocol/xray-fold.ts'
import type { TraceListener } from '#world/probes.ts'
import { createXray, type TracedWorld, type Xray } from './xray.ts'

class FakeWorld implements TracedWorld {
  listener: TraceListener | undefined
  events = 0
  onTrace(listener: TraceListener | undefined, events = -1): void {
    this.listener = listener
    this.events = events
  }
  tell(event: number, a: number, b: number, c: number): void {
    if (this.events & (1 << event)) this.listener?.(1, event, 0, a, b, c, 0, 0)
  }
}

const NOTHING: XrayWatch = { frames: false, lanes: false, channels: false, hypercalls: false }
const FRAMES: XrayWatch = { ...NOTHING, frames: true }

let sent: FromWorker[]
let world: FakeWorld
let xray: Xray

beforeEach(() => {
  sent = []
  world = new FakeWorld()
  xray = createXray((message) => sent.push(message))
  xray.follow(world)
})

const snapshots = () => sent.flatMap((message) => (message.type === 'xray-snapshot' ? [message.snapshot] : []))
const batches = () => sent.flatMap((message) => (message.type === 'xray' ? [message.batch] : []))

describe('the tracer’s way to the page', () => {
  test('nobody watches: state alone is listened to, and nothing is sent', () => {
    expect(world.events).toBe(XRAY_STATE)
    world.tell(TRACE_pages, 0, 4, 1)
    expect(xray.waits()).toBe(false)
    xray.flush()
    expect(sent).toEqual([])
  })

  test('who begins to watch is told how things are, then what happens', () => {
    world.tell(TRACE_pages, 0, 4, 1)
    xray.watch(FRAMES)
    expect(snapshots().map(({ owners }) => [...owners])).toEqual([[1, 1, 1, 1]])
    world.tell(TRACE_vcpu, 0, 0, 1)
    expect(xray.waits()).toBe(false)
    world.tell(TRACE_pages, 2, 1, 9)
    expect(xray.waits()).toBe(true)
    xray.flush()
    expect(batches()).toEqual([
      { records: Float64Array.of(1, TRACE_pages, 0, 2, 1, 9, 0, 0), lost: 0, resync: undefined },
    ])
    xray.watch(undefined)
    world.tell(TRACE_pages, 2, 1, 9)
    expect(xray.waits()).toBe(false)
  })

  test('frames that follow each other are one record', () => {
    xray.watch(FRAMES)
    for (let mfn = 100; mfn < 200; mfn++) world.tell(TRACE_pages, mfn, 1, 3)
    world.tell(TRACE_pages, 200, 1, 4)
    world.tell(TRACE_pages, 202, 1, 4)
    xray.flush()
    const fold = new XrayFold()
    fold.restore(snapshots()[0]!)
    fold.applyBatch(batches()[0]!.records)
    expect(batches()[0]!.records).toHaveLength(3 * TRACE_WORDS)
    expect(fold.owners.subarray(100, 200).every((owner) => owner === 3)).toBe(true)
  })

  test('too much for a message: how much, and how things are in the end', () => {
    xray.watch({ ...NOTHING, lanes: true, hypercalls: true })
    world.tell(TRACE_vcpu, 0, 0, 1)
    for (let i = 0; i < XRAY_BATCH_MAX; i++) world.tell(TRACE_hypercall, 0, 0, 17)
    xray.flush()
    // Of what is no state none is missed.
    expect(batches()[0]).toMatchObject({ lost: 1, resync: undefined })
    for (let i = 0; i < XRAY_BATCH_MAX + 9; i++) world.tell(TRACE_runstate, 0, 0, i & 1)
    xray.flush()
    expect(batches()[1]).toMatchObject({ lost: 9, resync: { vcpus: [{ domid: 0, vcpu: 0, state: 0 }] } })
    expect(batches()[1]!.records).toHaveLength(XRAY_BATCH_MAX * TRACE_WORDS)
    world.tell(TRACE_event, 0, 0, 0)
    expect(xray.waits()).toBe(false)
  })

  test('off and on again: nothing is left; a panic leaves everything', () => {
    world.tell(TRACE_pages, 0, 4, 1)
    xray.watch(FRAMES)
    world.tell(TRACE_pages, 0, 1, 2)
    xray.state('panicked')
    expect(snapshots()).toHaveLength(1)
    xray.state('firmware')
    expect(xray.waits()).toBe(false)
    expect(snapshots().map(({ owners }) => owners.length)).toEqual([4, 0])
  })

  test('the same once more: only the end is told', () => {
    xray.watch(FRAMES)
    world.tell(TRACE_pages, 0, 4, 1)
    xray.flush()
    const again = new FakeWorld()
    xray.rehearse()
    xray.follow(again)
    expect(world.listener).toBeUndefined()
    again.tell(TRACE_pages, 0, 4, 1)
    expect(xray.waits()).toBe(false)
    again.tell(TRACE_pages, 1, 1, 5)
    xray.rehearsed()
    expect(snapshots().map(({ owners }) => [...owners])).toEqual([[], [1, 5, 1, 1]])
  })
})
