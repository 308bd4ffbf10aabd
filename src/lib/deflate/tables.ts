/** DEFLATE's alphabets (RFC 1951, 3.2.5 to 3.2.7). */

export const WINDOW_BYTES = 32768
export const MIN_MATCH = 3
export const MAX_MATCH = 258
export const END_OF_BLOCK = 256
/** Literals, the end of a block, lengths. */
export const LITERALS = 286
export const DISTANCES = 30
export const MAX_BITS = 15

/** Codes 257 to 285: the smallest length of each, and how many bits follow. */
export const LENGTH_BASE = Uint16Array.of(
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227],
  258,
)
export const LENGTH_EXTRA = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5],
  0,
)
export const DISTANCE_BASE = Uint16Array.of(
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073],
  ...[4097, 6145, 8193, 12289, 16385, 24577],
)
export const DISTANCE_EXTRA = Uint8Array.of(
  ...[0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13],
)

/** The order in which a dynamic block tells the lengths of its code lengths' codes. */
export const CODE_LENGTH_ORDER = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

/** Code lengths of a block with fixed codes. */
export const FIXED_LITERAL_LENGTHS = Uint8Array.from({ length: 288 }, (_, symbol) =>
  symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
)
export const FIXED_DISTANCE_LENGTHS = new Uint8Array(30).fill(5)
