/**
 * Code that takes virtual time: a generator that yields wherever the real one spins, delays or halts. Everything else in Xen runs to
 * completion.
 */
import type { Exit } from '#abi/pc/metal.ts'

export type Steps = Generator<Exit, void>

export const RUN_AGAIN: Exit = { kind: 'run' }
/** The idle loop's HLT. */
export const IDLE: Exit = { kind: 'hlt', interrupts: true }
/** CLI; HLT. */
export const DEAD: Exit = { kind: 'hlt', interrupts: false }

export const pauseUntil = (untilNs: number): Exit => ({ kind: 'pause', untilNs, forInput: false })

/** Thrown by what never returns to its caller, as machine_restart: the processor goes on with `steps` and with nothing else. */
export class NeverReturns {
  readonly steps: Steps

  constructor(steps: Steps) {
    this.steps = steps
  }
}
