import { describe, expect, test } from 'vitest'
import { EventQueue } from './events.ts'

const drain = (events: EventQueue): void => {
  while (events.nextNs() !== Number.POSITIVE_INFINITY) events.runNext()
}

describe('EventQueue', () => {
  test('runs events by time, and by age where times are equal', () => {
    const events = new EventQueue()
    const seen: string[] = []
    for (const [at, name] of [
      [30, 'c'],
      [10, 'a'],
      [30, 'd'],
      [20, 'b'],
      [30, 'e'],
    ] as const)
      events.at(at, () => seen.push(`${name}@${events.now()}`))
    drain(events)
    expect(seen).toEqual(['a@10', 'b@20', 'c@30', 'd@30', 'e@30'])
  })

  test('keeps order through thousands of pushes and cancellations', () => {
    const events = new EventQueue()
    let x = 12345
    const next = (): number => (x = (Math.imul(x, 1103515245) + 12345) >>> 0)
    const expected: [number, number][] = []
    const seen: [number, number][] = []
    for (let i = 0; i < 5000; i++) {
      const at = next() % 1000
      const timer = events.at(at, () => seen.push([at, i]))
      if (next() % 3 === 0) events.cancel(timer)
      else expected.push([at, i])
    }
    expect(events.pending).toBe(expected.length)
    drain(events)
    expected.sort((a, b) => a[0] - b[0] || a[1] - b[1])
    expect(seen).toEqual(expected)
    expect(events.pending).toBe(0)
  })

  test('forgets a cancelled event, and cancelling twice harms nothing', () => {
    const events = new EventQueue()
    const timer = events.at(5, () => expect.unreachable())
    events.cancel(timer)
    events.cancel(timer)
    expect(events.nextNs()).toBe(Number.POSITIVE_INFINITY)
    expect(events.pending).toBe(0)
  })

  test('never turns the clock back', () => {
    const events = new EventQueue()
    events.advance(100)
    let at = 0
    events.at(50, () => {
      at = events.now()
    })
    drain(events)
    expect(at).toBe(100)
  })

  test('is busy only with what does not wait for a person', () => {
    const events = new EventQueue()
    expect(events.busy()).toBe(false)
    const menu = events.at(10, () => {}, true)
    expect(events.busy()).toBe(false)
    events.at(20, () => {})
    expect(events.busy()).toBe(true)
    events.cancel(menu)
    expect(events.busy()).toBe(true)
  })

  test("shows the running processor's time while it runs", () => {
    const events = new EventQueue()
    events.followCpu(() => 777)
    expect(events.now()).toBe(777)
    events.followCpu(undefined)
    expect(events.now()).toBe(0)
  })
})
