import { parseDevice } from '../disk/device.ts'
import { Err, fail } from '../errors.ts'
import { hex } from '../text.ts'
import type { Command } from './command.ts'

export const geometry: Command = {
  name: 'geometry',
  usage: 'geometry DRIVE [CYLINDER HEAD SECTOR [TOTAL_SECTOR]]',
  help:
    'Print the information for a drive DRIVE. In the grub shell, you can' +
    ' set the geometry of the drive arbitrarily. The number of the cylinders,' +
    ' the one of the heads, the one of the sectors and the one of the total' +
    ' sectors are set to CYLINDER, HEAD, SECTOR and TOTAL_SECTOR,' +
    ' respectively. If you omit TOTAL_SECTOR, then it will be calculated based' +
    ' on the C/H/S values automatically.',
  listed: true,
  *run({ tty, disks, root }, arg) {
    const { drive } = parseDevice(arg, root).device
    const { cylinders, heads, sectorsPerTrack, sectors } = disks.geometry(drive) ?? fail(Err.noDisk)
    disks.read(drive, 0, 1)
    yield* tty.print(
      `drive ${hex(drive)}: C/H/S = ${cylinders}/${heads}/${sectorsPerTrack}, ` +
        `The number of sectors = ${sectors}, LBA\n`,
    )
    for (const line of disks.describePartitions(drive)) yield* tty.print(line + '\n')
  },
}
