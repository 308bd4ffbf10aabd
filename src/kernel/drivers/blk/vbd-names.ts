/** What a virtual device number is called (linux-2.6.18-xen: drivers/xen/blkfront/vbd.c): the numbers are those of real disks' devices. */

interface VbdName {
  readonly name: string
  readonly major: number
  readonly minor: number
  /** 1: it is a partition by its number, and is a disk of its own all the same. */
  readonly minors: number
  /** As /proc/devices has the major. */
  readonly driver: string
}

const IDE_MAJORS = [3, 22, 33, 34, 56, 57, 88, 89, 90, 91]
const SCSI_MAJORS = [8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135]
/** Numbers from here on are of another kind, which this era's front end does not know. */
const EXTENDED = 2 ** 28
const LETTERS = 26

/** Undefined: there is no such device. */
export function vbdName(vdevice: number): VbdName | undefined {
  if (!(vdevice > 0 && vdevice < EXTENDED)) return undefined
  const major = (vdevice >> 8) & 0xfff
  const minor = vdevice & 0xff
  if (vdevice >> 20 !== 0) return undefined
  const ide = IDE_MAJORS.indexOf(major)
  const scsi = SCSI_MAJORS.indexOf(major)
  const kind =
    ide >= 0
      ? { driver: 'ide', disk: 'hd', shift: 6, first: ide * 2 }
      : scsi >= 0
        ? { driver: 'sd', disk: 'sd', shift: 4, first: scsi * 16 }
        : { driver: 'xvd', disk: 'xvd', shift: 4, first: 0 }
  const part = minor & ((1 << kind.shift) - 1)
  const disk = kind.first + (minor >> kind.shift)
  const letter = (n: number): string => String.fromCharCode(97 + n)
  const letters = disk < LETTERS ? letter(disk) : letter(Math.floor(disk / LETTERS) - 1) + letter(disk % LETTERS)
  return {
    name: `${kind.disk}${letters}${part === 0 ? '' : part}`,
    major,
    minor,
    minors: part === 0 ? 1 << kind.shift : 1,
    driver: kind.driver,
  }
}

/** %i and %x of what the store has: a number within a word, or NaN. */
export function numberOf(text: string | undefined): number {
  if (text === undefined || !/^(0x[0-9a-f]{1,12}|[0-9]{1,15})$/i.test(text)) return Number.NaN
  return Number(text)
}
