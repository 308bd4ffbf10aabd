/** xc_dom_check_gzip and xc_dom_do_gunzip: kernels and ramdisks are unpacked as they are loaded. RFC 1952. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { crc32 } from '#lib/crc32.ts'
import { InflateError, Inflater } from '#lib/deflate/inflate.ts'
import { XC_INTERNAL_ERROR } from '../error.ts'
import { hex, type Log, Panic } from './log.ts'
import { type Charge, logMalloc } from './memory.ts'

const Z_DATA_ERROR = -3
const Z_BUF_ERROR = -5
/** More than that cannot be meant. */
const SIZE_MAX = 1 << 30
/** What the library allocates on top. */
const SLACK_BYTES = 16

const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16

/** The size of the buffer that the unpacked blob wants; 0: it is not packed. */
export function checkGzip(blob: Uint8Array, log: Log): number {
  if (blob[0] !== 0x1f || blob[1] !== 0x8b) return 0
  let size = 0
  for (let i = 1; i <= 4; i++) size = size * 256 + (blob[blob.length - i] ?? 0)
  if (size <= SIZE_MAX) return size + SLACK_BYTES
  log(`xc_dom_check_gzip: size (zip ${blob.length}, unzip ${size}) looks insane, skip gunzip\n`)
  return 0
}

const failed = (rc: number): Panic =>
  new Panic('xc_dom_core.c:249', XC_INTERNAL_ERROR, `xc_dom_do_gunzip: inflate failed (rc=${rc})\n`)

/** Where the compressed data begin. */
function dataStart(blob: Uint8Array): number {
  const flags = blob[3] ?? 0
  if ((blob[2] ?? 8) !== 8 || flags & 0xe0) throw failed(Z_DATA_ERROR)
  let at = 10
  if (flags & FEXTRA) at += 2 + (blob[at] ?? 0) + 256 * (blob[at + 1] ?? 0)
  for (const flag of [FNAME, FCOMMENT]) {
    if (!(flags & flag)) continue
    const end = blob.indexOf(0, at)
    if (end < 0) throw failed(Z_BUF_ERROR)
    at = end + 1
  }
  if (flags & FHCRC) at += 2
  return at
}

/**
 * `blob` unpacked into a buffer of `size` bytes (what checkGzip said), which grows as it is filled: the size may be a lie. `take` is told of each
 * growth. Panics as zlib's result codes say.
 */
export function* gunzip(blob: Uint8Array, size: number, log: Log, take: (bytes: number) => Sys<void>): Sys<Uint8Array> {
  let out = new Uint8Array(0)
  const grow = function* (to: number): Sys<void> {
    yield* take(to - out.length)
    const grown = new Uint8Array(to)
    grown.set(out)
    out = grown
  }
  const inflater = new Inflater()
  inflater.push(blob.subarray(dataStart(blob)))
  inflater.end()
  let length = 0
  let crc = 0
  try {
    while (!inflater.done) {
      const { bytes, wantsInput } = inflater.run()
      if (wantsInput || length + bytes.length > size) throw failed(Z_BUF_ERROR)
      if (length + bytes.length > out.length)
        yield* grow(Math.min(size, Math.max(length + bytes.length, 2 * out.length, 4 * blob.length)))
      out.set(bytes, length)
      length += bytes.length
      crc = crc32(bytes, crc)
    }
  } catch (error) {
    if (!(error instanceof InflateError)) throw error
    throw failed(error.truncated ? Z_BUF_ERROR : Z_DATA_ERROR)
  }
  const tail = inflater.rest()
  if (tail.length < 8) throw failed(Z_BUF_ERROR)
  const word = (at: number): number =>
    (tail[at]! | (tail[at + 1]! << 8) | (tail[at + 2]! << 16) | (tail[at + 3]! << 24)) >>> 0
  if (word(0) !== crc || word(4) !== length) throw failed(Z_DATA_ERROR)
  if (out.length < size) yield* grow(size)
  log(`xc_dom_do_gunzip: unzip ok, 0x${hex(blob.length)} -> 0x${hex(size)}\n`)
  return out
}

/** xc_dom_try_gunzip: `blob` unpacked, if it is packed. */
export function* tryGunzip(blob: Uint8Array, charge: Charge, log: Log): Sys<Uint8Array> {
  const size = checkGzip(blob, log)
  if (size === 0) return blob
  logMalloc(size, log)
  return yield* gunzip(blob, size, log, (bytes) => charge.take(bytes))
}
