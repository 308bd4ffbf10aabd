/**
 * How arithmetic rounds and what it raises: the control and status bits that MXCSR and the x87 control and status words
 * have in common (Intel SDM volume 1, sections 4.9, 8.1 and 10.2.3).
 */

/**
 * Exceptions, as bits 0 to 5 of MXCSR and of the x87 status word: invalid, denormal operand, division by zero,
 * overflow, underflow, inexact.
 */
export const IE = 1
export const DE = 2
export const ZE = 4
export const OE = 8
export const UE = 16
export const PE = 32
export const ALL_EXCEPTIONS = 63
/** What is known before there is a result: unmasked, there is none. */
export const BEFORE_RESULT = IE | DE | ZE

/** The field RC of both control words. */
export const NEAREST = 0
export const DOWN = 1
export const UP = 2
export const ZERO = 3

/** Of two NaNs SSE takes the first operand, x87 the one with the larger significand (SDM volume 1, table 4-7). */
export type Unit = 'sse' | 'x87'

export class Environment {
  /** What has been raised. */
  flags = 0
  /** x87's C1: the last rounding increased the magnitude. */
  roundedUp = false
  readonly unit: Unit
  readonly rounding: number
  /** The exceptions that are masked: a bit each. */
  readonly masks: number
  readonly flushToZero: boolean
  readonly denormalsAreZero: boolean

  constructor(unit: Unit, rounding: number, masks: number, flushToZero = false, denormalsAreZero = false) {
    this.unit = unit
    this.rounding = rounding
    this.masks = masks
    this.flushToZero = flushToZero
    this.denormalsAreZero = denormalsAreZero
  }

  /** Raised and not masked. An exception before the result hides those that the result would have had. */
  unmasked(): number {
    if ((this.flags & ~this.masks & BEFORE_RESULT) !== 0) this.flags &= BEFORE_RESULT
    return this.flags & ~this.masks
  }
}
