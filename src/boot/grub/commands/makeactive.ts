import { PARTITION_TABLE } from '#abi/pc/grub.ts'
import { isHardDisk, partitionNumber } from '../disk/device.ts'
import { Err, fail } from '../errors.ts'
import type { Command } from './command.ts'

const ENTRY_BYTES = 16
const PRIMARIES = 4
const ACTIVE = 0x80

export const makeactive: Command = {
  name: 'makeactive',
  usage: 'makeactive',
  help:
    "Set the active partition on the root disk to GRUB's root device." +
    ' This command is limited to _primary_ PC partitions on a hard disk.',
  listed: true,
  run({ disks, root: { drive, partition } }) {
    if (!isHardDisk(drive)) fail(Err.devValues)
    const number = partitionNumber(partition)
    if (number >= PRIMARIES) fail(Err.noPart)
    const sector = disks.read(drive, 0, 1)
    const flag = (entry: number): number => PARTITION_TABLE + entry * ENTRY_BYTES
    if (sector[flag(number)] === ACTIVE) return
    for (let entry = 0; entry < PRIMARIES; entry++) sector[flag(entry)] = entry === number ? ACTIVE : 0
    disks.write(drive, 0, sector)
  },
}
