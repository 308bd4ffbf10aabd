/** Real time as the run loop needs it. The worker's own, and in tests a clock that is moved by hand. */
export interface Host {
  /** Milliseconds from any fixed point, never backwards. */
  nowMs(): number
  /** Call `run` once after `ms`. Returns what cancels it. */
  after(ms: number, run: () => void): () => void
  /** Call `run` once as soon as waiting messages have had their turn: setTimeout would wait 4 ms. */
  soon(run: () => void): void
}

/** Longest wait that setTimeout can count. */
const timeoutMsMax = 2 ** 31 - 1

/** The worker's clock. Functions are taken now, so that what an image does to the realm later cannot matter. */
export function workerHost(): Host {
  const { setTimeout, clearTimeout, performance } = self
  const now = performance.now.bind(performance)
  const { port1, port2 } = new MessageChannel()
  const queue: (() => void)[] = []
  port1.onmessage = () => queue.shift()?.()
  return {
    nowMs: now,
    after(ms, run) {
      const id = setTimeout(run, Math.min(ms, timeoutMsMax))
      return () => clearTimeout(id)
    },
    soon(run) {
      queue.push(run)
      port2.postMessage(0)
    },
  }
}
