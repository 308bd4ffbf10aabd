/** SHA-256 of a state, fed piece by piece in a fixed order. */
import { sha256 } from '@noble/hashes/sha2.js'

const hex = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16)
  return text
}

export interface Digest {
  bytes(part: Uint8Array): Digest
  text(part: string): Digest
  number(value: number): Digest
  hex(): string
}

export function digest(): Digest {
  const hash = sha256.create()
  const word = new Uint8Array(8)
  const view = new DataView(word.buffer)
  const self: Digest = {
    bytes(part) {
      hash.update(part)
      return self
    },
    text(part) {
      const units = new Uint8Array(part.length * 2)
      for (let i = 0; i < part.length; i++) {
        const unit = part.charCodeAt(i)
        units[2 * i] = unit & 255
        units[2 * i + 1] = unit >> 8
      }
      hash.update(units)
      return self.number(part.length)
    },
    number(value) {
      view.setFloat64(0, value, true)
      hash.update(word)
      return self
    },
    hex: () => hex(hash.digest()),
  }
  return self
}
