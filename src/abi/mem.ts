/**
 * Memory as its users see it: opaque, translated on every access, copied in and out (docs/adr/0001, design D3).
 * Addresses are byte addresses in whatever space the holder was given: physical for the boot loader and Xen, a page map's
 * for a guest. All words are little-endian and need no alignment. Nobody outside machine/ holds the bytes themselves.
 */
export interface Mem {
  read8(at: number): number
  read16(at: number): number
  /** Unsigned. */
  read32(at: number): number
  /** All 64 bits. */
  read64(at: number): bigint
  write8(at: number, value: number): void
  write16(at: number, value: number): void
  write32(at: number, value: number): void
  write64(at: number, value: bigint): void
  /** A fresh copy of `length` bytes from `at`. */
  copyOut(at: number, length: number): Uint8Array
  /** Store `bytes` at `at`. */
  copyIn(at: number, bytes: Uint8Array): void
  /** Store `length` copies of `byte` from `at` on. */
  fill(at: number, length: number, byte: number): void
}

/** A `Mem` over a byte array of one's own: file headers, sectors, tests. Throws RangeError outside of it. */
export function memOf(bytes: Uint8Array): Mem {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    read8: (at) => view.getUint8(at),
    read16: (at) => view.getUint16(at, true),
    read32: (at) => view.getUint32(at, true),
    read64: (at) => view.getBigUint64(at, true),
    write8: (at, value) => view.setUint8(at, value),
    write16: (at, value) => view.setUint16(at, value, true),
    write32: (at, value) => view.setUint32(at, value, true),
    write64: (at, value) => view.setBigUint64(at, value, true),
    copyOut: (at, length) => {
      if (at < 0 || at + length > bytes.length) throw new RangeError('outside the byte array')
      return bytes.slice(at, at + length)
    },
    copyIn: (at, part) => bytes.set(part, at),
    fill: (at, length, byte) => {
      bytes.fill(byte, at, at + length)
    },
  }
}
