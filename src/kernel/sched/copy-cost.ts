/**
 * What moving bytes costs (design D5). The engine copies in one native stroke that no fuel count sees; a processor of the era moves some 3 GB/s. The loop is
 * what takes the time here: one count of 24 cycles for 32 bytes.
 */

const BYTES_PER_COUNT = 32

/** copy_to_user, copy_from_user, clear_page: `bytes` have been moved. Returns the counts it took. */
export function moved(bytes: number): number {
  const counts = Math.floor(bytes / BYTES_PER_COUNT)
  let done = 0
  while (done < counts) done++
  return done
}
