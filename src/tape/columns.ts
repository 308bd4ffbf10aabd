/** How many columns of a terminal a character takes: wcwidth, in the ranges of Unicode's EastAsianWidth that a console meets. */

/** First and last code point of ranges that are two columns wide. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
]

/** Ranges that combine with the character before and take no column of their own. */
const COMBINING: readonly (readonly [number, number])[] = [
  [0x0300, 0x036f],
  [0x200b, 0x200f],
  [0x20d0, 0x20ff],
  [0xfe00, 0xfe0f],
  [0xfe20, 0xfe2f],
  [0xfeff, 0xfeff],
]

const within = (ranges: readonly (readonly [number, number])[], value: number): boolean =>
  ranges.some(([first, last]) => value >= first && value <= last)

export function columnsOf(codePoint: number): 0 | 1 | 2 {
  if (codePoint < 0x300) return 1
  if (within(COMBINING, codePoint)) return 0
  return within(WIDE, codePoint) ? 2 : 1
}
