/** A tar header block: GNU's (magic `ustar  `) is written; POSIX's ustar and the old one of V7 are read too. GNU tar: tar.h. */
import { byteString, bytesOfString } from '#lib/utf8.ts'

export const BLOCK = 512
/** Twenty blocks: what tar reads and writes at once. */
export const RECORD = 20 * BLOCK

export const REGTYPE = '0'
export const LNKTYPE = '1'
export const SYMTYPE = '2'
export const CHRTYPE = '3'
export const BLKTYPE = '4'
export const DIRTYPE = '5'
export const FIFOTYPE = '6'
export const GNU_LONGLINK = 'K'
export const GNU_LONGNAME = 'L'
/** Extended headers of pax. */
export const XHDTYPE = 'x'
export const XGLTYPE = 'g'

const NAME_BYTES = 100

export interface Header {
  /** A byte string, as stored: directories end in a slash. */
  readonly name: string
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly type: string
  readonly linkname: string
  readonly uname: string
  readonly gname: string
  readonly major: number
  readonly minor: number
}

/** Octal, or GNU's base 256 for what does not fit. */
function number(block: Uint8Array, at: number, width: number, value: number): void {
  const digits = value.toString(8)
  if (digits.length < width) {
    text(block, at, width, digits.padStart(width - 1, '0'))
    return
  }
  let rest = value
  for (let i = width - 1; i > 0; i--) {
    block[at + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  block[at] = 0x80
}

function text(block: Uint8Array, at: number, width: number, value: string): void {
  block.set(bytesOfString(value.slice(0, width)), at)
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
function checksum(block: Uint8Array): number {
  let sum = 8 * 32
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i]!
  return sum
}

/** The blocks of one header: names that are too long go before it. */
export function encodeHeader(header: Header): Uint8Array[] {
  const blocks: Uint8Array[] = []
  if (header.linkname.length > NAME_BYTES) blocks.push(...longName(GNU_LONGLINK, header.linkname))
  if (header.name.length > NAME_BYTES) blocks.push(...longName(GNU_LONGNAME, header.name))
  blocks.push(oneHeader(header))
  return blocks
}

function longName(type: string, name: string): Uint8Array[] {
  const size = name.length + 1
  const data = new Uint8Array(Math.ceil(size / BLOCK) * BLOCK)
  data.set(bytesOfString(name))
  const common = { mode: 0, uid: 0, gid: 0, mtime: 0, linkname: '', major: 0, minor: 0 }
  return [oneHeader({ ...common, name: '././@LongLink', size, type, uname: 'root', gname: 'root' }), data]
}

function oneHeader(header: Header): Uint8Array {
  const block = new Uint8Array(BLOCK)
  text(block, 0, NAME_BYTES, header.name)
  number(block, 100, 8, header.mode)
  number(block, 108, 8, header.uid)
  number(block, 116, 8, header.gid)
  number(block, 124, 12, header.size)
  number(block, 136, 12, Math.max(0, header.mtime))
  text(block, 156, 1, header.type)
  text(block, 157, NAME_BYTES, header.linkname)
  text(block, 257, 8, 'ustar  ')
  text(block, 265, 31, header.uname)
  text(block, 297, 31, header.gname)
  if (header.type === CHRTYPE || header.type === BLKTYPE) {
    number(block, 329, 8, header.major)
    number(block, 337, 8, header.minor)
  }
  text(block, 148, 8, `${checksum(block).toString(8).padStart(6, '0')}\0 `)
  return block
}

const field = (block: Uint8Array, at: number, width: number): string => {
  const end = block.subarray(at, at + width).indexOf(0)
  return byteString(block.subarray(at, at + (end < 0 ? width : end)))
}

function value(block: Uint8Array, at: number, width: number): number {
  if (block[at] === 0x80) {
    let sum = 0
    for (let i = 1; i < width; i++) sum = sum * 256 + block[at + i]!
    return Number.isSafeInteger(sum) ? sum : Number.NaN
  }
  const digits = field(block, at, width).trim()
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

export const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

/** Undefined where the block is no header. */
export function decodeHeader(block: Uint8Array): Header | undefined {
  if (value(block, 148, 8) !== checksum(block)) return undefined
  const magic = field(block, 257, 6)
  const prefix = magic === 'ustar' ? field(block, 345, 155) : ''
  const name = field(block, 0, NAME_BYTES)
  const whole = prefix === '' ? name : `${prefix}/${name}`
  const letter = String.fromCharCode(block[156]!)
  const size = value(block, 124, 12)
  if (Number.isNaN(size)) return undefined
  // Before there was a type for directories, their names said it; 7 is a contiguous file.
  const plain = letter === '\0' || letter === '7' ? REGTYPE : letter
  return {
    name: whole,
    mode: value(block, 100, 8) & 0o7777,
    uid: value(block, 108, 8) || 0,
    gid: value(block, 116, 8) || 0,
    size: plain === LNKTYPE || plain === SYMTYPE || plain === DIRTYPE ? 0 : size,
    mtime: value(block, 136, 12) || 0,
    type: plain === REGTYPE && whole.endsWith('/') ? DIRTYPE : plain,
    linkname: field(block, 157, NAME_BYTES),
    uname: magic.startsWith('ustar') ? field(block, 265, 32) : '',
    gname: magic.startsWith('ustar') ? field(block, 297, 32) : '',
    major: value(block, 329, 8) || 0,
    minor: value(block, 337, 8) || 0,
  }
}
