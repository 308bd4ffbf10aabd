/** fdisk -l and sfdisk's table: util-linux 2.13's listing of a disk's partitions. */

import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { BLKGETSIZE64 } from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { HEADS, SECTORS_PER_TRACK } from '#lib/ondisk/mbr.ts'
import { OsError } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, Out, readFile, STDOUT } from '../libc/stdio.ts'
import { close, open, read } from '../libc/syscall.ts'
import { ioctlBytes } from '../libc/termios.ts'

const SYSTEMS: Readonly<Record<number, string>> = {
  1: 'FAT12',
  4: 'FAT16 <32M',
  5: 'Extended',
  6: 'FAT16',
  7: 'HPFS/NTFS',
  11: 'W95 FAT32',
  12: 'W95 FAT32 (LBA)',
  15: "W95 Ext'd (LBA)",
  130: 'Linux swap / Solaris',
  131: 'Linux',
  142: 'Linux LVM',
  253: 'Linux raid autodetect',
}
const CYLINDER = HEADS * SECTORS_PER_TRACK

export const fdisk = program({
  name: 'fdisk',
  usage: 'fdisk -l [-u] [DISK...]',
  help: 'List the partition tables of the disks, by default of all in /proc/partitions.\n  -l   list: the only thing that this fdisk does\n  -u   in sectors instead of cylinders',
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'lu')
    const has = (code: string): boolean => options.some((option) => option.code === code)
    if (error !== undefined || !has('l')) {
      yield* eprint(
        `${error === undefined ? '' : `fdisk: ${error}\n`}\nUsage: fdisk [-u] -l [disk...]   List partition table(s)\n`,
      )
      return 1
    }
    const out = new Out(STDOUT)
    for (const disk of operands.length > 0 ? operands : yield* allDisks()) {
      const text = yield* table(disk, has('u'))
      if (text === undefined) {
        if (operands.length > 0) yield* eprint(`\nUnable to open ${disk}\n`)
      } else yield* out.print(text)
    }
    yield* out.flush()
    return 0
  },
})

function* allDisks(): Sys<string[]> {
  try {
    return (yield* readFile('/proc/partitions'))
      .split('\n')
      .slice(2)
      .map((row) => row.trim().split(/\s+/)[3] ?? '')
      .filter((name) => name !== '' && !/\d$/.test(name))
      .map((name) => `/dev/${name}`)
  } catch (error) {
    if (error instanceof OsError) return []
    throw error
  }
}

function* table(disk: string, inSectors: boolean): Sys<string | undefined> {
  let sector: Uint8Array
  let bytes: number
  try {
    const fd = yield* open(disk, O_RDONLY, 0)
    sector = yield* read(fd, 512)
    const size = yield* ioctlBytes(fd, BLKGETSIZE64)
    const view = new DataView(size.buffer, size.byteOffset, size.length)
    bytes = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
    yield* close(fd)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
  const sectors = Math.floor(bytes / 512)
  const cylinders = Math.floor(sectors / CYLINDER)
  const mb = Math.floor((bytes + 500_000) / 1_000_000)
  const amount = mb < 10_000 ? `${mb} MB` : `${(mb / 1000).toFixed(1)} GB`
  let text = `\nDisk ${disk}: ${amount}, ${bytes} bytes\n${HEADS} heads, ${SECTORS_PER_TRACK} sectors/track, ${cylinders} cylinders`
  if (inSectors) text += `, total ${sectors} sectors`
  text += inSectors
    ? '\nUnits = sectors of 1 * 512 = 512 bytes\n\n'
    : `\nUnits = cylinders of ${CYLINDER} * 512 = ${CYLINDER * 512} bytes\n\n`
  if (sector.length < 512 || sector[510] !== 0x55 || sector[511] !== 0xaa)
    return `${text}Disk ${disk} doesn't contain a valid partition table\n`
  const view = new DataView(sector.buffer, sector.byteOffset, 512)
  const width = Math.max(disk.length + 2, 8)
  text += `${'Device'.padStart(width)} Boot      Start         End      Blocks   Id  System\n`
  for (let i = 0; i < 4; i++) {
    const at = 446 + 16 * i
    const type = sector[at + 4]!
    const start = view.getUint32(at + 8, true)
    const count = view.getUint32(at + 12, true)
    if (type === 0 || count === 0) continue
    const unit = (lba: number): number => (inSectors ? lba : Math.floor(lba / CYLINDER) + 1)
    const odd = count % 2 === 1 ? '+' : ' '
    const name = `${disk}${i + 1}`.padStart(width)
    const columns = [unit(start), unit(start + count - 1), Math.floor(count / 2)].map((n) => String(n).padStart(11))
    const id = type.toString(16).padStart(2)
    text += `${name} ${sector[at] === 0x80 ? ' *' : '  '} ${columns.join(' ')}${odd}  ${id}  ${SYSTEMS[type] ?? 'Unknown'}\n`
  }
  return text
}
