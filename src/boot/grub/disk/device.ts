/**
 * Device names and GRUB's words for them (stage2/disk_io.c): a BIOS drive, and a partition word whose bits 16-23 are the number of
 * the partition and bits 8-15 that of a BSD slice in it, 0xff each for none.
 */
import { Err, fail, GrubError } from '../errors.ts'
import { parseNumber } from '../text.ts'

export interface Device {
  /** BIOS number: 0 to 7 floppies, 0x80 to 0x87 hard disks. */
  readonly drive: number
  readonly partition: number
}

export const WHOLE_DISK = 0xffffff
export const FIRST_HARD_DISK = 0x80
export const DRIVES_MAX = 8

export const isHardDisk = (drive: number): boolean => (drive & FIRST_HARD_DISK) !== 0

/** The word for partition `number`: 0 to 3 primary, from 4 logical. */
export const partitionWord = (number: number): number => number * 0x10000 + 0xffff

/** The number of the partition in the word; 0xff: none. */
export const partitionNumber = (word: number): number => word >> 16

const bsdSlice = (word: number): number => (word >> 8) & 0xff

/** `hd0` */
export const driveName = (drive: number): string => (isHardDisk(drive) ? 'hd' : 'fd') + (drive & ~FIRST_HARD_DISK)

/** `(hd0,0)`, `(hd0)`, `(hd0,0,a)` */
export function deviceName({ drive, partition }: Device): string {
  const number = partitionNumber(partition) === 0xff ? '' : `,${partitionNumber(partition)}`
  const slice = bsdSlice(partition) === 0xff ? '' : ',' + String.fromCharCode(97 + bsdSlice(partition))
  return `(${driveName(drive)}${number}${slice})`
}

/** Error 12 unless both words can be meant. */
function sane(device: Device): Device {
  const { drive, partition } = device
  const good =
    partition <= WHOLE_DISK &&
    (drive & ~FIRST_HARD_DISK) < DRIVES_MAX &&
    (bsdSlice(partition) === 0xff || bsdSlice(partition) < 8) &&
    (partitionNumber(partition) === 0xff || isHardDisk(drive))
  return good ? device : fail(Err.devValues)
}

/** How far a device string that may end anywhere has got: what TAB completes. */
export interface PartialDevice {
  readonly device: Device
  /** What follows the closing parenthesis; undefined where there is none. */
  readonly rest: string | undefined
  /** Ended inside the name of the disk, which may still be any of this kind (`h`, `f`) or any at all (''). */
  readonly disk?: 'h' | 'f' | ''
  /** Ended in a partition: behind the comma, or with a number already there. */
  readonly part?: 'open' | 'number'
  /** Ended behind a disk's number. */
  readonly named?: boolean
}

/**
 * The device at the start of `text`: `(hd0,0)/boot`. `saved` stands in for what is left out: `()`, `(,1)`, `(hd0,)`.
 * Errors 11 (form), 12 (values), 23 and 35 (numbers). Where the text ends before its `)`, the result says how far it got.
 */
export function scanDevice(text: string, saved: Device): PartialDevice {
  let device: Device = { drive: saved.drive, partition: WHOLE_DISK }
  if (text[0] !== '(') fail(Err.devFormat)
  let at = 1
  if (at === text.length) return { device, rest: undefined, disk: '' }
  let named = false
  const kind = text[at]!
  if (kind !== ',' && kind !== ')') {
    if (kind === 'h' || kind === 'f') {
      if (at + 1 === text.length || text.slice(at + 1) === 'd') return { device, rest: undefined, disk: kind }
      if (text[at + 1] !== 'd') fail(Err.numberParsing)
      at += 2
    }
    const number = parseNumber(text.slice(at))
    at = text.length - number.rest.length
    device = { drive: number.value + (kind === 'h' ? FIRST_HARD_DISK : 0), partition: WHOLE_DISK }
    named = true
  }
  if (text[at] === ')') return { device: sane(device), rest: text.slice(at + 1) }
  if (text[at] !== ',') {
    sane(device)
    return at === text.length ? { device, rest: undefined, named } : fail(Err.devFormat)
  }
  at++
  const slice = (): number | undefined => {
    const letter = text[at]
    if (letter === undefined || letter < 'a' || letter > 'h') return undefined
    at++
    return letter.charCodeAt(0) - 97
  }
  let partition = WHOLE_DISK
  let chosen = false
  if (text[at] !== undefined && text[at]! >= '0' && text[at]! <= '9') {
    let number: { value: number; rest: string }
    try {
      number = parseNumber(text.slice(at))
    } catch (caught) {
      throw caught instanceof GrubError ? new GrubError(Err.devFormat) : caught
    }
    if (!isHardDisk(device.drive) || number.value > 254) fail(Err.devFormat)
    at = text.length - number.rest.length
    partition = partitionWord(number.value)
    if (text[at] === ',') at++
    const bsd = slice()
    if (bsd !== undefined) partition = (partition & 0xff00ff) | (bsd << 8)
    chosen = true
  } else {
    const bsd = slice()
    if (bsd !== undefined) {
      partition = 0xff00ff | (bsd << 8)
      chosen = true
    }
  }
  if (text[at] === ')')
    return {
      device: sane({ drive: device.drive, partition: chosen ? partition : saved.partition }),
      rest: text.slice(at + 1),
    }
  device = sane({ drive: device.drive, partition })
  return at === text.length ? { device, rest: undefined, part: chosen ? 'number' : 'open' } : fail(Err.devFormat)
}

/** A whole device and what follows it. Error 11 where the text ends early. */
export function parseDevice(text: string, saved: Device): { device: Device; rest: string } {
  const { device, rest } = scanDevice(text, saved)
  return rest === undefined ? fail(Err.devFormat) : { device, rest }
}
