/** The schedule: lanes of who ran when, what a pixel of them holds, and the window on them. */
import { describe, expect, it, test } from 'vitest'
import { RUNSTATE_blocked, RUNSTATE_offline, RUNSTATE_runnable, RUNSTATE_running } from '#abi/xen/vcpu.ts'
import { DOMID_IDLE } from '#abi/xen/xen.ts'
import { laneRows, laneState, sharesOf } from './lane-rows.ts'
import { coverage, cpuOf, IDLE, Lane, LaneHistory, stateOf, UNKNOWN, vcpuKey } from './lanes.ts'
import { freeze, pan, secondsText, type TimeView, timeMarks, zoom } from './timeline.ts'

const piecesOf = (lane: Lane, from: number, to: number): [number, number, number][] => {
  const pieces: [number, number, number][] = []
  lane.pieces(from, to, (...piece) => pieces.push(piece))
  return pieces
}

describe('a lane', () => {
  it('is cut to what is asked for', () => {
    const lane = new Lane()
    lane.push(10, 1)
    lane.push(20, 2)
    lane.push(30, 1)
    expect(piecesOf(lane, 0, 40)).toEqual([
      [10, 20, 1],
      [20, 30, 2],
      [30, 40, 1],
    ])
    expect(piecesOf(lane, 12, 25)).toEqual([
      [12, 20, 1],
      [20, 25, 2],
    ])
    expect(piecesOf(lane, 0, 10)).toEqual([])
    expect([lane.valueAt(9), lane.valueAt(10), lane.valueAt(29), lane.valueAt(99)]).toEqual([UNKNOWN, 1, 2, 1])
  })

  it('does not repeat itself, and never goes back in time', () => {
    const lane = new Lane()
    lane.push(10, 1)
    lane.push(15, 1)
    lane.push(8, 2)
    expect(lane.length).toBe(2)
    expect(piecesOf(lane, 0, 20)).toEqual([[10, 20, 2]])
  })

  it('forgets what was over, but not what still is', () => {
    const lane = new Lane()
    for (let i = 0; i < 1000; i++) lane.push(i * 10, i % 7)
    lane.trim(5005)
    expect(lane.startNs).toBe(5000)
    expect(lane.length).toBe(500)
    expect(lane.valueAt(5005)).toBe(500 % 7)
    lane.trim(1e9)
    expect(lane.length).toBe(1)
    expect(lane.last).toBe(999 % 7)
  })

  it('is bounded: the oldest go first', () => {
    const lane = new Lane()
    const many = (1 << 17) + 100
    for (let i = 0; i < many; i++) lane.push(i, i % 2)
    expect(lane.length).toBe(1 << 17)
    expect(lane.startNs).toBe(100)
    expect(lane.valueAt(many - 1)).toBe((many - 1) % 2)
  })
})

test('a pixel holds as much of a value as the value has of its time', () => {
  const lane = new Lane()
  lane.push(0, 1)
  lane.push(15, 2)
  lane.push(16, 1)
  lane.push(40, 2)
  const parts = coverage(lane, 0, 50, 5, (value) => value)
  expect([...parts.get(1)!].map((part) => Math.round(part * 10) / 10)).toEqual([1, 0.9, 1, 1, 0])
  expect([...parts.get(2)!].map((part) => Math.round(part * 10) / 10)).toEqual([0, 0.1, 0, 0, 1])
})

const dom0 = vcpuKey(0, 0)
const guest = vcpuKey(1, 0)

/** dom0 and a guest take turns on CPU 1. */
function turns(): LaneHistory {
  const history = new LaneHistory()
  history.vcpu(0, 0, 0, true)
  history.vcpu(5, 1, 0, true)
  history.runstate(10, 0, 0, RUNSTATE_running, 1)
  history.runstate(15, 1, 0, RUNSTATE_runnable, 1)
  history.runstate(20, 0, 0, RUNSTATE_blocked, 1)
  history.runstate(20, DOMID_IDLE, 1, RUNSTATE_runnable, 1)
  history.runstate(20, 1, 0, RUNSTATE_running, 1)
  history.runstate(30, 1, 0, RUNSTATE_blocked, 1)
  history.runstate(30, DOMID_IDLE, 1, RUNSTATE_running, 1)
  return history
}

describe('the history', () => {
  it('knows of each processor whose turn it was', () => {
    const history = turns()
    expect(history.cpus).toHaveLength(2)
    expect(piecesOf(history.cpus[1]!, 0, 40)).toEqual([
      [10, 20, dom0],
      [20, 30, guest],
      [30, 40, IDLE],
    ])
  })

  it('knows what each vCPU did meanwhile', () => {
    const history = turns()
    const states = piecesOf(history.vcpus.get(guest)!, 0, 40).map(([from, to, value]) => [from, to, laneState(value)])
    expect(states).toEqual([
      [5, 15, 'offline'],
      [15, 20, 'runnable'],
      [20, 30, 'running'],
      [30, 40, 'blocked'],
    ])
    expect(cpuOf(history.vcpus.get(guest)!.last)).toBe(1)
    expect(stateOf(history.vcpus.get(guest)!.last)).toBe(RUNSTATE_blocked)
    expect(sharesOf(history.vcpus.get(guest)!, 15, 35)).toEqual({ running: 50, runnable: 25, blocked: 25 })
    expect(sharesOf(history.vcpus.get(guest)!, 0, 5)).toBeUndefined()
  })

  it('follows a vCPU that goes to another processor while it runs', () => {
    const history = turns()
    history.runstate(40, 1, 0, RUNSTATE_running, 0)
    history.runstate(45, 1, 0, RUNSTATE_running, 1)
    expect(piecesOf(history.cpus[0]!, 0, 50)).toEqual([
      [40, 45, guest],
      [45, 50, IDLE],
    ])
  })

  it('has a gap where nobody watched', () => {
    const history = turns()
    history.resume(35, 100, [{ domid: 0, vcpu: 0, state: RUNSTATE_running, cpu: 0, sinceNs: 90 }])
    expect(history.cpus[1]!.valueAt(32)).toBe(IDLE)
    expect(history.cpus[1]!.valueAt(50)).toBe(UNKNOWN)
    expect(history.cpus[1]!.valueAt(100)).toBe(IDLE)
    expect(history.cpus[0]!.valueAt(100)).toBe(dom0)
    // The guest went away meanwhile.
    expect(history.vcpus.get(guest)!.last).toBe(UNKNOWN)
    expect(laneRows(history, 101).map((row) => (row.kind === 'cpu' ? `cpu${row.cpu}` : `dom${row.domid}`))).toEqual([
      'cpu0',
      'cpu1',
      'dom0',
    ])
  })

  it('shows a vCPU that is gone as long as its end can be seen', () => {
    const history = turns()
    history.vcpu(50, 1, 0, false)
    const domids = (startNs: number) =>
      laneRows(history, startNs).flatMap((row) => (row.kind === 'vcpu' ? [row.domid] : []))
    expect(domids(49)).toEqual([0, 1])
    expect(domids(50)).toEqual([0])
    history.trim(60)
    expect([...history.vcpus.keys()]).toEqual([dom0])
  })

  it('takes no processor from a hostile number', () => {
    const history = new LaneHistory()
    history.runstate(1, 1, 0, RUNSTATE_running, 1e9)
    history.runstate(1, 1, 0, RUNSTATE_running, -1)
    expect(history.cpus).toHaveLength(0)
    expect(laneState(77)).toBe('unknown')
    expect(laneState(RUNSTATE_offline)).toBe('offline')
  })
})

describe('the window', () => {
  const range = { startNs: 0, nowNs: 10_000 }
  const live: TimeView = { spanNs: 1000, endNs: undefined }

  it('goes with the present until it is moved', () => {
    expect(zoom(live, 2, 9500, range)).toEqual({ spanNs: 10_000, endNs: undefined })
    expect(freeze(live, range)).toEqual({ spanNs: 1000, endNs: 10_000 })
    expect(pan(live, -500, range)).toEqual({ spanNs: 1000, endNs: 9500 })
  })

  it('keeps what is under the pointer where it is', () => {
    const wide = { startNs: 0, nowNs: 10_000_000 }
    const view = { spanNs: 1_000_000, endNs: 6_000_000 }
    const zoomed = zoom(view, 0.5, 5_250_000, wide)
    const share = (of: TimeView) => (5_250_000 - (of.endNs! - of.spanNs)) / of.spanNs
    expect(share(zoomed)).toBeCloseTo(share(view), 9)
  })

  it('stays near what there is', () => {
    expect(pan({ spanNs: 1000, endNs: 9000 }, 1e9, range).endNs).toBe(10_500)
    expect(pan({ spanNs: 1000, endNs: 9000 }, -1e9, range).endNs).toBe(500)
  })

  it('has marks at round times, apart from each other', () => {
    const marks = timeMarks(12_345_678, 1e9, 600, 96)
    expect(marks).toEqual([200e6, 400e6, 600e6, 800e6, 1000e6])
    expect(timeMarks(0, 10e6, 600, 96)).toEqual([0, 2e6, 4e6, 6e6, 8e6, 10e6])
  })

  it.each([
    [12.5e9, 1e9, '13'],
    [12.5e9, 5e8, '12.5'],
    [12.3456e9, 2e6, '12.346'],
    [1234, 1, '0.000001234'],
  ])('says %d ns in steps of %d as %s', (ns, step, text) => expect(secondsText(ns, step)).toBe(text))
})
