/**
 * Decompression of a whole file that lies in memory, into one array that is its own window: what libxc does with kernels. A decoder works in
 * steps of a bounded amount of work, so that a program can be preempted between two.
 */

/** A step makes about so many bytes, if it is not all one. */
export const STEP_BYTES = 65536

/** Bytes that are not what they say they are. The words are those of the library that is in use for the format. */
export class UnpackError extends Error {
  /** Whether it is just the end that is missing. */
  readonly truncated: boolean
  constructor(message: string, truncated = false) {
    super(message)
    this.truncated = truncated
  }
}

export interface Decoder {
  readonly done: boolean
  /** How many bytes of the input have been used. */
  readonly at: number
  /** Room that a step of a sound file needs at most, behind what there is. */
  readonly room: number
  /** Go on behind the `length` bytes of `out` that are there; how many there are then. What does not fit into `out`, and all else, is an UnpackError. */
  step(out: Uint8Array, length: number): number
}

const SHORT = 16

/** `length` bytes that repeat what lies `distance` bytes before `to`; both were checked. */
export function copyMatch(out: Uint8Array, to: number, distance: number, length: number): void {
  if (length < SHORT) {
    for (const end = to + length; to < end; to++) out[to] = out[to - distance]!
    return
  }
  const from = to - distance
  // What repeats itself is twice as long after each copy.
  for (let made = 0; made < length; ) {
    const part = Math.min(distance + made, length - made)
    out.copyWithin(to + made, from, from + part)
    made += part
  }
}
