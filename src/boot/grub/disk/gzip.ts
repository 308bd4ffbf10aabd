/** gzip's envelope as stage2/gunzip.c takes it apart (RFC 1952). The data between is inflated natively. */
import { Err, fail } from '../errors.ts'

const DEFLATED = 8
const EXTRA_FIELD = 0x04
const ORIGINAL_NAME = 0x08
const COMMENT = 0x10
/** Continuation, encrypted, reserved bits. */
const UNSUPPORTED_FLAGS = 0x02 | 0x20 | 0xc0
const HEADER_BYTES = 10
const TRAILER_BYTES = 8

export interface GzipEnvelope {
  /** Where the deflated data begin and end. */
  readonly from: number
  readonly to: number
  /** Length when unpacked, by the file's last four bytes. */
  readonly size: number
}

/** Undefined for a file that is not gzipped. Error 4 for one whose header makes no sense, 3 for an impossible length. */
export function gzipEnvelope(
  size: number,
  read: (offset: number, length: number) => Uint8Array,
): GzipEnvelope | undefined {
  const header = read(0, HEADER_BYTES)
  if (header.length < HEADER_BYTES) return undefined
  const magic = header[0]! | (header[1]! << 8)
  if (magic !== 0x8b1f && magic !== 0x9e1f) return undefined
  const flags = header[3]!
  if (header[2] !== DEFLATED || (flags & UNSUPPORTED_FLAGS) !== 0) fail(Err.badGzipHeader)
  let from = HEADER_BYTES
  const byte = (): number => {
    const [value] = read(from++, 1)
    return value ?? fail(Err.badGzipHeader)
  }
  if (flags & EXTRA_FIELD) {
    const length = byte() | (byte() << 8)
    from += length
    if (from > size) fail(Err.badGzipHeader)
  }
  if (flags & ORIGINAL_NAME) while (byte() !== 0);
  if (flags & COMMENT) while (byte() !== 0);
  const to = size - TRAILER_BYTES
  if (to < from) fail(Err.badGzipHeader)
  const trailer = read(to, TRAILER_BYTES)
  const unpacked = trailer[4]! | (trailer[5]! << 8) | (trailer[6]! << 16) | (trailer[7]! << 24)
  // A signed number to GRUB, which loses its way below 0. A file that was cut short ends in anything.
  if (unpacked < 0) fail(Err.badGzipData)
  return { from, to, size: unpacked }
}
