import { expect, test } from 'vitest'
import { keepLiveClock } from './live-clock.ts'
import { createPlaygroundStore } from './store/store.ts'

function started() {
  const store = createPlaygroundStore()
  let nowMs = 0
  let tick = (): void => {}
  let hidden = false
  keepLiveClock(store, { nowMs: () => nowMs, every: (_, run) => (tick = run), hidden: () => hidden })
  store.dispatch({ type: 'worker', status: 'ready', message: '' })
  store.dispatch({ type: 'state', state: 'xen' })
  const hear = (mode: 'live' | 'turbo' | 'paused', seconds: number) =>
    store.dispatch({ type: 'clock', mode, settled: true, nowNs: seconds * 1e9 })
  return {
    store,
    hear,
    /** Seconds of virtual time that the page shows after so much of real time. */
    after(ms: number) {
      nowMs += ms
      tick()
      return store.getState().nowNs / 1e9
    },
    hide: () => (hidden = true),
  }
}

test('a live machine that is silent is as late as the wall clock says', () => {
  const { hear, after } = started()
  hear('live', 10)
  expect([after(1000), after(1500), after(1000)]).toEqual([11, 12.5, 13.5])
  hear('live', 13.4)
  expect(after(1000)).toBeCloseTo(14.4)
})

test.each(['turbo', 'paused'] as const)('%s tells its own time', (mode) => {
  const { hear, after } = started()
  hear(mode, 10)
  expect(after(5000)).toBe(10)
})

test('a machine that is off, gone or unseen is not counted', () => {
  const { store, hear, after, hide } = started()
  hear('live', 10)
  store.dispatch({ type: 'worker', status: 'hung', message: '' })
  expect(after(1000)).toBe(10)
  store.dispatch({ type: 'worker', status: 'ready', message: '' })
  hide()
  expect(after(1000)).toBe(10)
})
