/** The envelope of a gzip file (RFC 1952), read and written as it streams. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { crc32 } from '#lib/crc32.ts'
import { Deflater } from '#lib/deflate/deflate.ts'
import { InflateError, Inflater } from '#lib/deflate/inflate.ts'
import { CHUNK, writeAll } from '../libc/stdio.ts'
import { read } from '../libc/syscall.ts'

const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16
/** Bits that gzip knows no meaning for. */
const RESERVED = 0xc0
const ENCRYPTED = 0x20
const DEFLATE = 8
const OS_UNIX = 3

/** What is wrong with a file; the words after its name. */
export class FormatError extends Error {}

export interface Member {
  /** As stored: '' if it was not. */
  readonly name: string
  /** 0 if it was not stored. */
  readonly mtime: number
}

export interface Totals {
  /** Of the whole file. */
  bytesIn: number
  bytesOut: number
  /** What of `bytesIn` is envelope: gzip's ratios leave it out. */
  headerBytes: number
  crc: number
}

export const totals = (): Totals => ({ bytesIn: 0, bytesOut: 0, headerBytes: 0, crc: 0 })

/** Bytes of a descriptor one by one, or as they come. */
export class Source {
  readonly fd: number
  bytes: Uint8Array
  at: number
  count: number

  constructor(fd: number) {
    this.fd = fd
    this.bytes = new Uint8Array(0)
    this.at = 0
    this.count = 0
  }

  /** Whether there is another byte. */
  *more(): Sys<boolean> {
    if (this.at < this.bytes.length) return true
    this.bytes = yield* read(this.fd, CHUNK)
    this.at = 0
    this.count += this.bytes.length
    return this.bytes.length > 0
  }

  *byte(): Sys<number> {
    if (!(yield* this.more())) throw new FormatError('unexpected end of file')
    return this.bytes[this.at++]!
  }

  *little(bytes: number): Sys<number> {
    let value = 0
    for (let i = 0; i < bytes; i++) value += (yield* this.byte()) * 2 ** (8 * i)
    return value
  }

  /** What is here, or what one read brings; empty at the end. */
  *some(): Sys<Uint8Array> {
    if (!(yield* this.more())) return new Uint8Array(0)
    const part = this.bytes.subarray(this.at)
    this.at = this.bytes.length
    return part
  }

  /** Bytes that were taken too early. */
  back(bytes: Uint8Array): void {
    const rest = this.bytes.subarray(this.at)
    const all = new Uint8Array(bytes.length + rest.length)
    all.set(bytes)
    all.set(rest, bytes.length)
    this.bytes = all
    this.at = 0
  }
}

/** The header, after its two magic bytes. FormatError. */
export function* readHeader(source: Source): Sys<Member> {
  const method = yield* source.byte()
  if (method !== DEFLATE) throw new FormatError(`unknown method ${method} -- not supported`)
  const flags = yield* source.byte()
  if (flags & ENCRYPTED) throw new FormatError('is encrypted -- not supported')
  if (flags & RESERVED) throw new FormatError(`has flags 0x${flags.toString(16)} -- not supported`)
  const mtime = yield* source.little(4)
  yield* source.little(2)
  if (flags & FEXTRA) for (let left = yield* source.little(2); left > 0; left--) yield* source.byte()
  let name = ''
  if (flags & FNAME)
    for (let byte = yield* source.byte(); byte !== 0; byte = yield* source.byte()) name += String.fromCharCode(byte)
  if (flags & FCOMMENT) while ((yield* source.byte()) !== 0);
  if (flags & FHCRC) yield* source.little(2)
  return { name, mtime }
}

/** The data behind a header, to `out` (nowhere if it is undefined), and the trailer behind it. FormatError. */
export function* inflateMember(source: Source, out: number | undefined, sums: Totals): Sys<void> {
  const inflater = new Inflater()
  let crc = 0
  let length = 0
  try {
    while (!inflater.done) {
      const { bytes, wantsInput } = inflater.run()
      if (bytes.length > 0) {
        crc = crc32(bytes, crc)
        length += bytes.length
        if (out !== undefined) yield* writeAll(out, bytes)
      }
      if (!wantsInput) continue
      const part = yield* source.some()
      if (part.length === 0) inflater.end()
      else inflater.push(part)
    }
  } catch (error) {
    if (!(error instanceof InflateError)) throw error
    throw new FormatError(error.truncated ? 'unexpected end of file' : 'invalid compressed data--format violated')
  }
  source.back(inflater.rest().slice())
  sums.bytesOut += length
  sums.crc = crc
  if ((yield* source.little(4)) !== crc) throw new FormatError('invalid compressed data--crc error')
  if ((yield* source.little(4)) !== length % 2 ** 32) throw new FormatError('invalid compressed data--length error')
}

const put32 = (bytes: Uint8Array, at: number, value: number): void => {
  for (let i = 0; i < 4; i++) bytes[at + i] = (value / 2 ** (8 * i)) & 255
}

/** All of `fd` as one member on `out`. */
export function* deflateMember(fd: number, out: number, level: number, member: Member): Sys<Totals> {
  const header = new Uint8Array(10)
  header.set([0x1f, 0x8b, DEFLATE, member.name === '' ? 0 : FNAME])
  put32(header, 4, member.mtime)
  header[8] = level === 9 ? 2 : level === 1 ? 4 : 0
  header[9] = OS_UNIX
  const name = member.name === '' ? '' : `${member.name}\0`
  const sums = totals()
  const head = new Uint8Array(header.length + name.length)
  head.set(header)
  for (let i = 0; i < name.length; i++) head[header.length + i] = name.charCodeAt(i)
  yield* writeAll(out, head)
  const deflater = new Deflater(level)
  let packed = 0
  while (!deflater.done) {
    const { bytes, wantsInput } = deflater.run()
    if (bytes.length > 0) yield* writeAll(out, bytes)
    packed += bytes.length
    if (!wantsInput) continue
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) deflater.end()
    else {
      sums.crc = crc32(part, sums.crc)
      sums.bytesIn += part.length
      deflater.push(part)
    }
  }
  const trailer = new Uint8Array(8)
  put32(trailer, 0, sums.crc)
  put32(trailer, 4, sums.bytesIn)
  yield* writeAll(out, trailer)
  sums.headerBytes = head.length + trailer.length
  sums.bytesOut = sums.headerBytes + packed
  return sums
}

export const isMagic = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** The first two bytes, left in place; fewer at the end of the file. */
export function* peekMagic(source: Source): Sys<Uint8Array> {
  const first: number[] = []
  while (first.length < 2 && (yield* source.more())) first.push(yield* source.byte())
  const bytes = Uint8Array.from(first)
  source.back(bytes)
  return bytes
}

/** For lists: the last eight bytes of a file. */
export const trailerOf = (bytes: Uint8Array): { crc: number; length: number } => {
  const little = (at: number): number => bytes.subarray(at, at + 4).reduceRight((value, byte) => value * 256 + byte, 0)
  return { crc: little(0), length: little(4) }
}
