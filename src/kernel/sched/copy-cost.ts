/**
 * What moving bytes costs (design D5). The engine copies in one native stroke that no fuel count sees; a processor of the era moves some 3 GB/s. The loop is
 * what takes the time here: one count of 24 cycles for 32 bytes.
 */

const BYTES_PER_COUNT = 32
/** Engines keep so few bytes with the array itself, and make a buffer when they are asked for it: that costs more than a copy. */
export const IN_PLACE_BYTES = 64

/** Nobody else has a view of these bytes, for all that is cheap to say. */
export const isOwn = (bytes: Uint8Array): boolean =>
  bytes.length > IN_PLACE_BYTES && bytes.length === bytes.buffer.byteLength

/** copy_to_user, copy_from_user, clear_page: `bytes` have been moved. Returns the counts it took. */
export function moved(bytes: number): number {
  const counts = Math.floor(bytes / BYTES_PER_COUNT)
  let done = 0
  while (done < counts) done++
  return done
}
