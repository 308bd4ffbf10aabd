/** A vCPU's registers as memory, for who keeps it: nothing beside them is in reach. */
import type { Mem } from '#abi/mem.ts'
import { R_XMM } from '#abi/pc/ring3.ts'

/** Taken now: an image cannot put another in its place. */
const { isInteger } = Number

const REGISTER_BYTES = R_XMM + 16 * 16

/** `check` throws where nobody may look at them. */
export function registerFile(view: DataView, base: number, check: () => void): Mem {
  const place = (at: number, bytes: number): number => {
    check()
    if (!isInteger(at) || !isInteger(bytes) || at < 0 || bytes < 0 || at + bytes > REGISTER_BYTES)
      throw new RangeError('ring3: no such register')
    return base + at
  }
  const bytes = new Uint8Array(view.buffer)
  return {
    read8: (at) => view.getUint8(place(at, 1)),
    read16: (at) => view.getUint16(place(at, 2), true),
    read32: (at) => view.getUint32(place(at, 4), true),
    read64: (at) => view.getBigUint64(place(at, 8), true),
    write8: (at, value) => view.setUint8(place(at, 1), value),
    write16: (at, value) => view.setUint16(place(at, 2), value, true),
    write32: (at, value) => view.setUint32(place(at, 4), value, true),
    write64: (at, value) => view.setBigUint64(place(at, 8), value, true),
    copyOut(at, length) {
      const from = place(at, length)
      return bytes.slice(from, from + length)
    },
    copyIn(at, part) {
      const copy = Uint8Array.from(part)
      bytes.set(copy, place(at, copy.length))
    },
    fill(at, length, byte) {
      const from = place(at, length)
      bytes.fill(byte, from, from + length)
    },
  }
}
