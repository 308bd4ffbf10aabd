/** UTF-8 by pieces: what a piece ends in the middle of comes with the next one; what is no UTF-8 becomes the replacement character. */
const REPLACEMENT = '\ufffd'

export function utf8Stream(): (bytes: Uint8Array) => string {
  let code = 0
  let missing = 0
  let least = 0
  return (bytes) => {
    let text = ''
    for (const byte of bytes) {
      if (missing > 0 && (byte & 0xc0) === 0x80) {
        code = (code << 6) | (byte & 0x3f)
        missing--
        if (missing === 0) text += isCharacter(code, least) ? String.fromCodePoint(code) : REPLACEMENT
        continue
      }
      if (missing > 0) text += REPLACEMENT
      missing = 0
      if (byte < 0x80) text += String.fromCharCode(byte)
      else if (byte >= 0xc2 && byte <= 0xf4) {
        missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
        least = missing === 1 ? 0x80 : missing === 2 ? 0x800 : 0x10000
        code = byte & (0x3f >> missing)
      } else text += REPLACEMENT
    }
    return text
  }
}

const isCharacter = (code: number, least: number): boolean =>
  code >= least && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
