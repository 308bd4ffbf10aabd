/** Exceptions of the processor (Intel SDM volume 3, chapter 6; AMD APM volume 2, chapter 8). */

export const DE = 0
export const DB = 1
export const BP = 3
export const OF = 4
export const BR = 5
export const UD = 6
export const NM = 7
export const NP = 11
export const SS_FAULT = 12
export const GP = 13
export const PF = 14
export const MF = 16
export const AC = 17
export const XM = 19

/** Bits of a page fault's error code. */
export const PF_PRESENT = 1
export const PF_WRITE = 2
export const PF_USER = 4
export const PF_RESERVED = 8
export const PF_FETCH = 16

/**
 * Thrown by helpers and by the interpreter's emitter, caught by whoever runs instructions: nothing of the instruction has happened. Faults have RIP at the
 * instruction, traps (`int3`, `int n`) are exits, not faults (state.ts).
 */
export class Fault {
  readonly vector: number
  /** Undefined: the vector has none. */
  readonly code: number | undefined
  /** CR2 of a page fault. */
  readonly address: bigint

  constructor(vector: number, code?: number, address = 0n) {
    this.vector = vector
    this.code = code
    this.address = address
  }
}
