/** What a byte or a code point looks like on a VGA screen (Linux 2.6.18: drivers/char/consolemap.c, cp437.uni): the font is code page 437. */
import { cp437 } from '#lib/cp437.ts'

/** LAT1_MAP, GRAF_MAP, IBMPC_MAP; there is no user map but the straight one. */
export type Charset = 'latin1' | 'graphics' | 'ibm' | 'user'

/** VT100's line drawing: code points for 0x5f to 0x7e. */
const GRAPHICS = '\u00a0◆▒␉␌␍␊°±░␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·'
const GRAPHICS_FROM = 0x5f
const GRAPHICS_ARROWS: Readonly<Record<number, string>> = { 43: '→', 44: '←', 45: '↑', 46: '↓', 48: '█' }

/** Code points that look like one that the font has. */
const LOOKALIKES: readonly (readonly [string, string])[] = [
  ['◆', '♦'],
  ['⎺⎻⎼⎽━', '─'],
  ['┃', '│'],
  ['‘’', "'"],
  ['“”', '"'],
  ['–—', '-'],
  ['ÀÁÂÃ', 'A'],
  ['ÈÊË', 'E'],
  ['ÌÍÎÏ', 'I'],
  ['ÒÓÔÕ', 'O'],
  ['ÙÚÛ', 'U'],
  ['ã', 'a'],
  ['õ', 'o'],
  ['´', "'"],
  ['¨', '"'],
  ['¸', ','],
  ['©', 'c'],
  ['®', 'r'],
]
/** What stands for a code point that the font has not: U+FFFD's glyph. */
const REPLACEMENT = 0xfe

export interface Font {
  /** The glyph of a code point; what is not in the font looks like U+FFFD. */
  glyph(codePoint: number): number
  /** A byte in one of the character sets, as a code point; 0: nothing is shown. */
  translate(charset: Charset, byte: number): number
}

/** Unicode's private zone that names glyphs by their place in the font. */
const DIRECT = 0xf000

export function makeFont(): Font {
  const glyphs = new Map<number, number>()
  for (let code = 255; code > 0; code--) glyphs.set(cp437(code).codePointAt(0)!, code)
  // Both of these look like others in IBM's set.
  glyphs.set(0xa0, 0x20)
  glyphs.set(0x20, 0x20)
  glyphs.set(0x3b2, 0xe1)
  for (const [like, known] of LOOKALIKES) {
    const glyph = glyphs.get(known.codePointAt(0)!)
    if (glyph !== undefined)
      for (const letter of like) if (!glyphs.has(letter.codePointAt(0)!)) glyphs.set(letter.codePointAt(0)!, glyph)
  }
  const graphics = [...GRAPHICS].map((letter) => letter.codePointAt(0)!)
  return {
    glyph(codePoint) {
      if (codePoint >= 0x20 && codePoint < 0x7f) return codePoint
      if (codePoint >= DIRECT && codePoint < DIRECT + 256) return codePoint - DIRECT
      return glyphs.get(codePoint) ?? REPLACEMENT
    },
    translate(charset, byte) {
      switch (charset) {
        case 'latin1':
          return byte
        case 'graphics':
          return GRAPHICS_ARROWS[byte]?.codePointAt(0) ?? graphics[byte - GRAPHICS_FROM] ?? byte
        default:
          return DIRECT + byte
      }
    },
  }
}
