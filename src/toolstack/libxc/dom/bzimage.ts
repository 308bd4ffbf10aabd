/**
 * The loader of bzImages (xc_dom_bzimageloader.c): an ELF kernel lies packed inside. 3.3's takes gzip alone; how all others are unpacked, and what is
 * said of them, is a current libxc's.
 */
import { memOf } from '#abi/mem.ts'
import { ENOMEM } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Decoder, UnpackError } from '#lib/unpack/decoder.ts'
import { Lz4Decoder } from '#lib/unpack/lz4.ts'
import { XzDecoder } from '#lib/unpack/xz.ts'
import { ZstdDecoder } from '#lib/unpack/zstd.ts'
import { OsError } from '#user/libc/errno.ts'
import { XC_INTERNAL_ERROR, XC_INVALID_KERNEL, type XcErrorCode } from '../error.ts'
import { tryGunzip } from './gunzip.ts'
import { isElf } from './libelf.ts'
import { hex, type Log, Panic } from './log.ts'
import { type Charge, logMalloc } from './memory.ts'

/** The setup header of a bzImage (Linux, Documentation/i386/boot.txt): up to payload_length, which protocol 2.08 has. */
const SETUP_SECTS = 0x1f1
const HEADER = 0x202
const VERSION = 0x206
const PAYLOAD_OFFSET = 0x248
const PAYLOAD_LENGTH = 0x24c
const HEADER_BYTES = 0x250
const HDRS = 0x53726448
const PROTOCOL_WITH_PAYLOAD = 0x208

/** The kernel's makefile puts the size of what it packs behind it. */
const SIZE_BYTES = 4
/** XC_DOM_DECOMPRESS_MAX */
const DECOMPRESS_MAX = 1 << 30
/** A size may be a lie: no more than so many times the packed bytes is believed before the bytes are there. */
const BELIEVED_RATIO = 8

interface Format {
  readonly name: string
  readonly magics: readonly (readonly number[])[]
  /** Where the real one panics after a failure. */
  readonly line: number
  /** Shorter ones are not looked at. */
  readonly leastBytes: number
  readonly decoder: (packed: Uint8Array) => Decoder
  /** What is printed of an error in the data. */
  readonly failure: (words: string) => string
  /** The function that says it is done. */
  readonly where: string
}

const FORMATS: readonly Format[] = [
  {
    name: 'XZ',
    magics: [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
    line: 886,
    leastBytes: 8,
    decoder: (packed) => new XzDecoder(packed),
    failure: (words) => `_xc_try_lzma_decode: XZ decompression error: ${words}`,
    where: '_xc_try_lzma_decode',
  },
  {
    name: 'ZSTD',
    magics: [[0x28, 0xb5, 0x2f, 0xfd]],
    line: 897,
    leastBytes: 10,
    decoder: (packed) => new ZstdDecoder(packed),
    failure: (words) => `ZSTD: error: ${words}`,
    where: 'xc_try_zstd_decode',
  },
  {
    name: 'LZ4',
    // Kernels have the old framing, of whose magic number libxc looks at no more; the new one is what `lz4` makes today.
    magics: [
      [0x02, 0x21],
      [0x04, 0x22, 0x4d, 0x18],
    ],
    line: 930,
    leastBytes: 9,
    decoder: (packed) => new Lz4Decoder(packed),
    failure: (words) => `LZ4: ${words}`,
    where: 'xc_try_lz4_decode',
  },
]
/** libxc can be built without their libraries, as it is here. */
const UNAVAILABLE: readonly (readonly [name: string, magic: readonly number[], where: string, line: number])[] = [
  ['BZIP2', [0x42, 0x5a, 0x68], 'xc_try_bzip2_decode', 148],
  ['LZMA', [0x5d, 0x00], 'xc_try_lzma_decode', 318],
  ['LZO1x', [0x89, 0x4c, 0x5a, 0x4f], 'xc_try_lzo1x_decode', 538],
]

const begins = (bytes: Uint8Array, magic: readonly number[]): boolean => magic.every((byte, i) => bytes[i] === byte)

const panicAt = (line: number, text: string, code: XcErrorCode = XC_INVALID_KERNEL): Panic =>
  new Panic(`xc_dom_bzimageloader.c:${line}`, code, `${text}\n`)

/** xc_dom_probe_bzimage_kernel: the blob that the next loader sees, and whether it is for this one. */
export function* probeBzImage(blob: Uint8Array, charge: Charge, log: Log): Sys<readonly [Uint8Array, boolean]> {
  if (blob.length < HEADER_BYTES) return [blob, false]
  const mem = memOf(blob)
  if (mem.read32(HEADER) !== HDRS) return [blob, false]
  let payload = blob
  try {
    const version = mem.read16(VERSION)
    if (version < PROTOCOL_WITH_PAYLOAD)
      throw panicAt(832, `xc_dom_probe_bzimage_kernel: boot protocol too old (${hex(version).padStart(4, '0')})`)
    const at = (mem.read8(SETUP_SECTS) + 1) * 512 + mem.read32(PAYLOAD_OFFSET)
    if (at >= blob.length) throw panicAt(846, 'xc_dom_probe_bzimage_kernel: payload offset overflow')
    const end = at + mem.read32(PAYLOAD_LENGTH)
    if (end > blob.length) throw panicAt(852, 'xc_dom_probe_bzimage_kernel: payload length overflow')
    payload = blob.subarray(at, end)
    const kernel = yield* unpacked(payload, charge, log)
    return [kernel, isElf(kernel)]
  } catch (error) {
    if (!(error instanceof Panic)) throw error
    log(`${error.where}: panic: ${error.text}`)
    return [payload, false]
  }
}

function* unpacked(payload: Uint8Array, charge: Charge, log: Log): Sys<Uint8Array> {
  const format = FORMATS.find(({ magics }) => magics.some((magic) => begins(payload, magic)))
  if (format) {
    const kernel = yield* decompress(format, payload, charge, log)
    if (kernel) return kernel
    throw panicAt(format.line, `xc_dom_probe_bzimage_kernel unable to ${format.name} decompress kernel`)
  }
  for (const [name, magic, where, line] of UNAVAILABLE)
    if (begins(payload, magic))
      throw panicAt(line, `${where}: ${name} decompress support unavailable`, XC_INTERNAL_ERROR)
  // 3.3's takes what is not packed at all.
  const kernel = yield* tryGunzip(payload, charge, log)
  if (kernel === payload && !isElf(payload))
    throw panicAt(938, 'xc_dom_probe_bzimage_kernel: unknown compression format')
  return kernel
}

/** xc_try_xz_decode and its like. Undefined: it cannot be unpacked, and the log says why. */
function* decompress(format: Format, payload: Uint8Array, charge: Charge, log: Log): Sys<Uint8Array | undefined> {
  const { name, where } = format
  const refuse = (text: string): undefined => {
    log(`${text}\n`)
    return undefined
  }
  if (payload.length < format.leastBytes) return refuse(`${name}: insufficient input data`)
  const packed = payload.subarray(0, payload.length - SIZE_BYTES)
  const size = memOf(payload).read32(packed.length)
  if (size > DECOMPRESS_MAX) return refuse(`kernel image too large\n${name}: output too large`)
  logMalloc(size, log)
  try {
    const kernel = yield* unpack(format.decoder(packed), packed.length, size, charge)
    if (kernel.length !== size) return refuse(`${name}: got 0x${hex(kernel.length)} bytes instead of 0x${hex(size)}`)
    log(`${where}: ${name} decompress OK, 0x${hex(payload.length)} -> 0x${hex(size)}\n`)
    return kernel
  } catch (error) {
    if (error instanceof UnpackError) return refuse(format.failure(error.message))
    if (error instanceof OsError && error.errno === ENOMEM) return refuse(`${name}: failed to alloc memory`)
    throw error
  }
}

/** Up to `size` bytes of what `decoder` makes of `packedBytes`, in memory that grows as it is filled. */
function* unpack(decoder: Decoder, packedBytes: number, size: number, charge: Charge): Sys<Uint8Array> {
  let out = new Uint8Array(0)
  let length = 0
  while (!decoder.done) {
    if (out.length < size && out.length - length < decoder.room) {
      const wanted = Math.max(length + decoder.room, 2 * length, BELIEVED_RATIO * packedBytes)
      const grown = Math.min(size, wanted)
      yield* charge.take(grown - out.length)
      const old = out
      out = new Uint8Array(grown)
      out.set(old.subarray(0, length))
    }
    length = decoder.step(out, length)
  }
  return out.subarray(0, length)
}
