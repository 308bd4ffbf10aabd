/** UTF-8 (RFC 3629), without the host's TextEncoder, so that all engines agree on what is malformed. */

/** Lone surrogates become U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text))
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      bytes[at++] = unit
      continue
    }
    const point = codePoint(text, i, unit)
    if (point > 0xffff) i++
    if (point < 0x800) bytes[at++] = 0xc0 | (point >> 6)
    else {
      if (point < 0x10000) bytes[at++] = 0xe0 | (point >> 12)
      else {
        bytes[at++] = 0xf0 | (point >> 18)
        bytes[at++] = 0x80 | ((point >> 12) & 63)
      }
      bytes[at++] = 0x80 | ((point >> 6) & 63)
    }
    bytes[at++] = 0x80 | (point & 63)
  }
  return bytes
}

/** How many bytes `utf8Encode` makes of `text`. */
export function utf8Length(text: string): number {
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) length++
    else if (unit < 0x800) length += 2
    else if (codePoint(text, i, unit) > 0xffff) {
      length += 4
      i++
    } else length += 3
  }
  return length
}

function codePoint(text: string, at: number, unit: number): number {
  if (unit < 0xd800 || unit > 0xdfff) return unit
  const low = text.charCodeAt(at + 1)
  return unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd
}

/** Undefined where the bytes are not UTF-8: a cut or overlong sequence, a surrogate, a stray byte. */
export function utf8Decode(bytes: Uint8Array): string | undefined {
  const parts: string[] = []
  let units: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at++]!
    let point = first
    if (first >= 0x80) {
      const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
      if (first < 0xc2 || first > 0xf4 || at + more > bytes.length) return undefined
      point = first & (0x3f >> more)
      for (let i = 0; i < more; i++) {
        const next = bytes[at++]!
        if ((next & 0xc0) !== 0x80) return undefined
        point = (point << 6) | (next & 63)
      }
      if (point < LEAST[more]! || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff) return undefined
    }
    if (point > 0xffff) units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff))
    else units.push(point)
    if (units.length >= 4096) {
      parts.push(String.fromCharCode(...units))
      units = []
    }
  }
  parts.push(String.fromCharCode(...units))
  return parts.join('')
}

/** The least code point that needs so many continuation bytes. */
const LEAST: readonly number[] = [0, 0x80, 0x800, 0x10000]

/** A *byte string* of `bytes`: one character a byte (0 to 255), for names and text of no particular encoding. */
export function byteString(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += 4096) parts.push(String.fromCharCode(...bytes.subarray(i, i + 4096)))
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
