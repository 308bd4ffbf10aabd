/** Opening a file as grub_open does: a path or a block list, on the root device or on one that is named, gzipped or not. */
import { SECTOR_BYTES } from '#abi/pc/bios.ts'
import type { Natives } from '#abi/pc/metal.ts'
import { Ext2Error } from '#lib/ondisk/ext2/errors.ts'
import type { Inode } from '#lib/ondisk/ext2/inode.ts'
import type { Ext2Reader } from '#lib/ondisk/ext2/reader.ts'
import { Err, errorOf, fail, GrubError } from '../errors.ts'
import { firstWord, isSpace, parseNumber } from '../text.ts'
import { type Device, parseDevice } from './device.ts'
import type { Disks, Extent } from './disks.ts'
import { gzipEnvelope } from './gzip.ts'

/** Symbolic links that may follow one another: MAX_LINK_COUNT of fsys_ext2fs.c. */
const LINKS_MAX = 5

/** What is packed into more fits no memory. */
const PACKED_BYTES_MAX = 128 * 1024 * 1024
/** 258 bytes for two bits is the best that DEFLATE can do. */
const DEFLATE_RATIO_MAX = 1032

/** Sectors of the file in order, counted from the extent's first one. `lba` undefined: a hole. */
export interface FileRun {
  readonly lba: number | undefined
  readonly count: number
}

export interface OpenFile {
  readonly extent: Extent
  /** Bytes, as read: unpacked where it is gzipped. */
  readonly size: number
  /** Up to `length` bytes from `offset` on, fewer at the end. Errors 3, 16, 24, 25. */
  read(offset: number, length: number): Uint8Array
  /** Where the file (packed, if it is) lies. */
  runs(): readonly FileRun[]
}

/** What the ext2 reader refuses, in GRUB's numbers. */
function asGrubError(caught: unknown): unknown {
  if (!(caught instanceof Ext2Error)) return caught
  switch (caught.code) {
    case 'ENOENT':
    case 'ENAMETOOLONG':
      return new GrubError(Err.fileNotFound)
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EINVAL':
      return new GrubError(Err.badFiletype)
    case 'ELOOP':
      return new GrubError(Err.symlinkLoop)
    case 'ENXIO':
      return new GrubError(Err.outsidePart)
    default:
      return new GrubError(Err.fsysCorrupt)
  }
}

export function onFilesystem<T>(act: () => T): T {
  try {
    return act()
  } catch (caught) {
    throw asGrubError(caught)
  }
}

export interface Place {
  readonly extent: Extent
  /** A path (`/boot/xen.gz`) or a block list, to the end of the line. */
  readonly name: string
}

/** Device and name in `filename`; the device is looked for, but not yet mounted. */
export function placeOf(disks: Disks, root: Device, filename: string): Place {
  const { device, rest } = filename[0] === '(' ? parseDevice(filename, root) : { device: root, rest: filename }
  return { extent: disks.open(device), name: rest }
}

/** What `path` names on a file system, links followed. */
export const lookup = (reader: Ext2Reader, path: string): Inode =>
  onFilesystem(() => reader.lookup(path, { followLimit: LINKS_MAX }))

interface Raw {
  readonly size: number
  read(offset: number, length: number): Uint8Array
  runs(): readonly FileRun[]
}

function openPath(disks: Disks, { extent, name }: Place): Raw {
  const reader = disks.mount(extent) ?? fail(Err.fsysMount)
  const inode = lookup(reader, firstWord(name))
  if (!inode.isFile) fail(Err.badFiletype)
  return {
    size: inode.size,
    read: (offset, length) => onFilesystem(() => reader.readAt(inode, offset, length)),
    runs: () => onFilesystem(() => reader.fileBlocks(inode)),
  }
}

/** `0+1`, `(hd0)1+16,20+5`: error 1 for anything else. A last number without `+` is the length in bytes. */
function openBlockList(disks: Disks, { extent, name }: Place): Raw {
  const runs: { lba: number; count: number }[] = []
  let size = 0
  let rest = name
  for (;;) {
    const first = optionalNumber(rest)
    rest = first.rest
    if (rest[0] !== '+') {
      const ended = rest === '' || rest[0] === '/' || isSpace(rest[0])
      if (!ended || first.value === 0 || first.value > size) fail(Err.badFilename)
      size = first.value
      break
    }
    const count = optionalNumber(rest.slice(1))
    rest = count.rest
    const ended = rest === '' || rest[0] === ',' || rest[0] === '/' || isSpace(rest[0])
    if (count.value === 0 || !ended) fail(Err.badFilename)
    runs.push({ lba: first.value, count: count.value })
    size += count.value * SECTOR_BYTES
    if (rest[0] !== ',') break
    rest = rest.slice(1)
  }
  return {
    size,
    runs: () => runs,
    read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
      let runStart = 0
      for (const { lba, count } of runs) {
        const runEnd = runStart + count * SECTOR_BYTES
        const from = Math.max(offset, runStart)
        const to = Math.min(offset + bytes.length, runEnd)
        if (from < to) {
          const first = Math.floor((from - runStart) / SECTOR_BYTES)
          const last = Math.floor((to - 1 - runStart) / SECTOR_BYTES)
          const sectors = disks.readIn(extent, lba + first, last - first + 1)
          const skip = from - runStart - first * SECTOR_BYTES
          bytes.set(sectors.subarray(skip, skip + to - from), from - offset)
        }
        runStart = runEnd
      }
      return bytes
    },
  }
}

function optionalNumber(text: string): { value: number; rest: string } {
  let number = { value: 0, rest: text }
  errorOf(() => {
    number = parseNumber(text)
  })
  return number
}

/**
 * Open `filename`, up to its first white space. Errors 1, 2, 11, 12, 15 to 17, 21 to 26; 4 for a gzip header that makes no sense,
 * unless `decompress` is false.
 */
export function openFile(
  disks: Disks,
  natives: Natives,
  root: Device,
  filename: string,
  { decompress = true }: { readonly decompress?: boolean } = {},
): OpenFile {
  const place = placeOf(disks, root, filename)
  const raw = place.name[0] === '/' ? openPath(disks, place) : openBlockList(disks, place)
  const envelope = decompress ? gzipEnvelope(raw.size, raw.read) : undefined
  if (!envelope) return { extent: place.extent, ...raw }
  let unpacked: Uint8Array | undefined
  return {
    extent: place.extent,
    size: envelope.size,
    runs: raw.runs,
    read(offset, length) {
      if (!unpacked) {
        if (envelope.to - envelope.from > PACKED_BYTES_MAX) fail(Err.wontFit)
        const packed = raw.read(envelope.from, envelope.to - envelope.from)
        // A cut file has anything for a length; DEFLATE cannot even reach most of it, so nobody allocates that much.
        if (envelope.size > packed.length * DEFLATE_RATIO_MAX) fail(Err.badGzipData)
        unpacked = natives.inflate(packed, envelope.size) ?? fail(Err.badGzipData)
        // GRUB believes the length at the end of the file: it stops there, and goes astray where the data end before.
        if (unpacked.length < envelope.size) fail(Err.badGzipData)
      }
      return unpacked.slice(offset, Math.min(offset + length, envelope.size))
    },
  }
}
