/** Native helpers for images: work that would need millions of instructions, charged by size (design D5). */

import { Inflate, inflateSync } from 'fflate'
import type { Natives } from '#abi/pc/metal.ts'
import { INFLATE_NS_PER_BYTE } from './time.ts'

/** A compressed file that makes more than this is refused: it would not fit the machine anyway. */
export const INFLATED_BYTES_MAX = 512 * 1024 * 1024
const CHUNK_BYTES = 65536

export function natives(charge: (ns: number) => void): Natives {
  return {
    inflate(deflated, sizeHint) {
      const inflated = sizeHint === undefined ? inflatePieces(deflated) : inflateAtMost(deflated, sizeHint)
      charge((deflated.length + (inflated?.length ?? 0)) * INFLATE_NS_PER_BYTE)
      return inflated
    },
  }
}

/** At once, into room for `sizeHint` bytes and one more, which tells that there is too much. Undefined as below. */
function inflateAtMost(deflated: Uint8Array, sizeHint: number): Uint8Array | undefined {
  if (sizeHint > INFLATED_BYTES_MAX) return undefined
  try {
    const whole = inflateSync(deflated, { out: new Uint8Array(sizeHint + 1) })
    return whole.length > sizeHint ? undefined : whole.slice()
  } catch {
    // fflate throws for corrupt and for truncated data alike; its words are of no use to a guest.
    return undefined
  }
}

/** Piece by piece, so that a bomb is noticed before it fills the heap. Undefined for what is corrupt, cut short or too large. */
function inflatePieces(deflated: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  let length = 0
  let ended = false
  const stream = new Inflate((part, final) => {
    parts.push(part)
    length += part.length
    ended = final
  })
  try {
    for (let at = 0; at < deflated.length && length <= INFLATED_BYTES_MAX; at += CHUNK_BYTES) {
      stream.push(deflated.subarray(at, at + CHUNK_BYTES), at + CHUNK_BYTES >= deflated.length)
    }
  } catch {
    return undefined
  }
  if (!ended || length > INFLATED_BYTES_MAX) return undefined
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
