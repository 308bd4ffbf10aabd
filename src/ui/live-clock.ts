/**
 * In live mode virtual time follows the wall's, and a machine that sleeps says nothing meanwhile: it costs no timer (worker/run-loop.ts). So the page goes
 * on counting from what it heard last, once a second, for those who look.
 */
import type { PlaygroundStore } from './store/store.ts'

const TICK_MS = 1000

export interface LiveClockParts {
  readonly nowMs: () => number
  readonly every: (ms: number, run: () => void) => void
  /** Nobody looks. */
  readonly hidden: () => boolean
}

export function keepLiveClock(store: PlaygroundStore, { nowMs, every, hidden }: LiveClockParts): void {
  let heardNs = store.getState().nowNs
  let heardMs = nowMs()
  let counting = false
  store.subscribe(({ nowNs, mode, power }, before) => {
    if (counting || (nowNs === before.nowNs && mode === before.mode && power === before.power)) return
    heardNs = nowNs
    heardMs = nowMs()
  })
  every(TICK_MS, () => {
    const { mode, settled, power, worker } = store.getState()
    if (hidden() || mode !== 'live' || power === 'off' || worker !== 'ready') return
    counting = true
    store.dispatch({ type: 'clock', mode, settled, nowNs: heardNs + (nowMs() - heardMs) * 1e6 })
    counting = false
  })
}
