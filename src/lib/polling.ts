/**
 * Straight-line code as a processor's code: a generator that yields wherever the real thing would spin or halt.
 * Boot loaders run this way, with interrupts served by nobody (the BIOS's own handlers are the machine's business).
 */
export interface PollingCode<Exit> {
  run(deadlineNs: number): Exit
  interrupt(vector: number): void
  nmi(): void
}

/** `whenDone` is what the processor does for ever once the generator has returned. */
export function pollingCode<Exit>(steps: Generator<Exit, Exit>, whenDone: Exit): PollingCode<Exit> {
  let last: Exit | undefined
  return {
    run() {
      if (last !== undefined) return whenDone
      const { done, value } = steps.next()
      if (done) last = value
      return value
    },
    interrupt() {},
    nmi() {},
  }
}
