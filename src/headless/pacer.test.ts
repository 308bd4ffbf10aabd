import { expect, test } from 'vitest'
import type { Input } from '#protocol/machine.ts'
import type { StopReason } from '#protocol/sync-machine.ts'
import { LAG_NS_MAX, type PacedWorld, Pacer } from './pacer.ts'

const MS = 1_000_000

/** A world with one event at `dueNs`, and a wall clock that only the test moves. */
class FakeWorld implements PacedWorld {
  now = 0
  dueNs = Number.POSITIVE_INFINITY
  ran: number[] = []
  inputs: { atMs: number; input: Input }[] = []
  /** Work that turbo finds, in slices. */
  slices = 0

  nowNs = () => this.now
  state = () => 'xen' as const
  screen = () => {
    throw new Error('nobody looks')
  }
  onSerial = () => () => {}
  onLink = () => () => {}
  onProbe = () => () => {}
  settled = () => this.slices === 0
  nextNs = () => this.dueNs
  input = (input: Input) => {
    this.inputs.push({ atMs: this.now / MS, input })
  }

  runUntil(deadlineNs: number, _stop: () => boolean, untilSettled = false): StopReason {
    if (untilSettled) {
      if (this.slices === 0) return 'settled'
      this.slices--
      this.now += 1000 * MS
      return 'slice'
    }
    this.ran.push(deadlineNs / MS)
    if (deadlineNs >= this.dueNs) this.dueNs = Number.POSITIVE_INFINITY
    this.now = deadlineNs
    return this.dueNs === Number.POSITIVE_INFINITY ? 'idle' : 'deadline'
  }
}

const serial = (byte: number): Input => ({ kind: 'serial', line: 'com1', bytes: [byte] })

test('live follows the wall clock and sleeps until the next event', () => {
  const world = new FakeWorld()
  let wallMs = 1000
  const pacer = new Pacer(world, () => wallMs, false)
  world.dueNs = 30 * MS
  expect(pacer.turn()).toBe(30)
  wallMs += 20
  expect(pacer.turn()).toBe(10)
  expect(world.ran).toEqual([0, 20])
  wallMs += 10
  expect(pacer.turn()).toBe(Number.POSITIVE_INFINITY)
  expect(world.now).toBe(30 * MS)
})

test('an event that is almost due does not make a busy loop', () => {
  const world = new FakeWorld()
  world.dueNs = 0.1 * MS
  expect(new Pacer(world, () => 0, false).turn()).toBe(2)
})

test('a suspended process does not race to catch up', () => {
  const world = new FakeWorld()
  let wallMs = 0
  const pacer = new Pacer(world, () => wallMs, false)
  world.dueNs = 10 * MS
  wallMs = 3_600_000
  pacer.turn()
  expect(world.now).toBe(10 * MS + LAG_NS_MAX)
  wallMs += 5
  pacer.turn()
  expect(world.now).toBe(15 * MS + LAG_NS_MAX)
})

test('with nothing to do, an hour is only an hour', () => {
  const world = new FakeWorld()
  let wallMs = 0
  const pacer = new Pacer(world, () => wallMs, false)
  wallMs = 3_600_000
  pacer.input(serial(1))
  expect(world.inputs).toEqual([{ atMs: 3_600_000, input: serial(1) }])
})

test('input enters at the present of the wall clock', () => {
  const world = new FakeWorld()
  let wallMs = 0
  const pacer = new Pacer(world, () => wallMs, false)
  wallMs = 7
  pacer.input(serial(65))
  expect(world.inputs).toEqual([{ atMs: 7, input: serial(65) }])
})

test('turbo runs freely until settled, then is live from there', () => {
  const world = new FakeWorld()
  let wallMs = 0
  const pacer = new Pacer(world, () => wallMs, true)
  world.slices = 3
  expect(pacer.turn()).toBe(Number.POSITIVE_INFINITY)
  expect(world.now).toBe(3000 * MS)
  wallMs = 4
  pacer.input(serial(1))
  expect(world.inputs[0]!.atMs).toBe(3004)
})

test('a turn ends even when the work does not', () => {
  const world = new FakeWorld()
  world.slices = 1e9
  let wallMs = 0
  const pacer = new Pacer(world, () => wallMs++, true)
  expect(pacer.turn()).toBe(0)
  expect(world.slices).toBeGreaterThan(1e9 - 20)
})
