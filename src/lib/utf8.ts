/**
 * Text and bytes without the host's TextEncoder: UTF-8 (RFC 3629), and *byte strings*, whose characters are bytes (0 to 255), for
 * names that a disk holds as bytes of no particular encoding.
 */

/** UTF-8 of `text`. A lone surrogate becomes U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    if (code >= 0xd800 && code < 0xe000) {
      const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0
      if (code < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00)
        i++
      } else code = 0xfffd
    }
    if (code < 0x80) bytes[length++] = code
    else {
      if (code < 0x800) bytes[length++] = 0xc0 | (code >> 6)
      else {
        if (code < 0x10000) bytes[length++] = 0xe0 | (code >> 12)
        else {
          bytes[length++] = 0xf0 | (code >> 18)
          bytes[length++] = 0x80 | ((code >> 12) & 63)
        }
        bytes[length++] = 0x80 | ((code >> 6) & 63)
      }
      bytes[length++] = 0x80 | (code & 63)
    }
  }
  return bytes.slice(0, length)
}

/** Smallest code point that a sequence with so many continuation bytes may stand for. */
const SMALLEST = [0, 0x80, 0x800, 0x10000]

/** The text of UTF-8 bytes. Each byte that is no part of a valid sequence becomes U+FFFD. */
export function utf8Decode(bytes: Uint8Array): string {
  const parts: string[] = []
  let units: number[] = []
  let asciiEnd = 0
  for (let i = 0; i < bytes.length; i++) {
    if (i >= asciiEnd) {
      asciiEnd = asciiRunEnd(bytes, i)
      if (asciiEnd - i >= RUN_MIN) {
        parts.push(String.fromCharCode(...units), characters(bytes.subarray(i, asciiEnd)))
        units = []
        i = asciiEnd - 1
        continue
      }
    }
    const first = bytes[i]!
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1
    let code = more <= 0 ? first : first & (63 >> more)
    let valid = more >= 0 && i + more < bytes.length
    for (let k = 1; valid && k <= more; k++) {
      const next = bytes[i + k]!
      if ((next & 0xc0) !== 0x80) valid = false
      code = (code << 6) | (next & 63)
    }
    if (!valid || code < SMALLEST[more]! || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) units.push(0xfffd)
    else {
      i += more
      if (code < 0x10000) units.push(code)
      else units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff))
    }
    if (units.length >= PIECE) {
      parts.push(String.fromCharCode(...units))
      units = []
    }
  }
  parts.push(String.fromCharCode(...units))
  return parts.join('')
}

/** String.fromCharCode takes its arguments from the stack, so a long text goes in pieces. */
const PIECE = 4096
/** Shorter runs are not worth a string of their own. */
const RUN_MIN = 64

/** Where the ASCII that begins at `from` ends, a piece's length away at most. */
function asciiRunEnd(bytes: Uint8Array, from: number): number {
  const end = Math.min(bytes.length, from + PIECE)
  let at = from
  while (at < end && bytes[at]! < 0x80) at++
  return at
}

/** Engines keep so few bytes with the array itself: any view of them makes them a buffer first, which costs more than a copy. */
const IN_PLACE_BYTES = 64

/** `apply` takes a typed array as it is; a spread would make a list of it first. */
const characters = (bytes: Uint8Array): string => String.fromCharCode.apply(null, bytes as unknown as number[])

/** The byte string of `bytes`: one character a byte. */
export const byteString = (bytes: Uint8Array): string => byteStringOf(bytes, 0, bytes.length)

/** The same of a part of them. */
export function byteStringOf(bytes: Uint8Array, from: number, end: number): string {
  if (end - from <= IN_PLACE_BYTES)
    return characters(from === 0 && end === bytes.length ? bytes : bytes.slice(from, end))
  if (end - from <= PIECE) return characters(bytes.subarray(from, end))
  const parts: string[] = []
  for (let i = from; i < end; i += PIECE) parts.push(characters(bytes.subarray(i, Math.min(end, i + PIECE))))
  return parts.join('')
}

/** The bytes of a byte string. RangeError for a character above 255. */
export function bytesOfString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 255) throw new RangeError('not a byte string')
    bytes[i] = code
  }
  return bytes
}
