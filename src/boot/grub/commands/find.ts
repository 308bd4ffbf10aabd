import { type Device, DRIVES_MAX, deviceName, FIRST_HARD_DISK } from '../disk/device.ts'
import { isExtended } from '../disk/disks.ts'
import { openFile } from '../disk/file.ts'
import { Err, errorOf, fail } from '../errors.ts'
import type { Grub } from '../grub.ts'
import type { Command } from './command.ts'

/** Every partition of every hard disk. Floppies would come first, but this machine has no drive for them. */
function devices({ disks }: Grub): Device[] {
  const found: Device[] = []
  for (let drive = FIRST_HARD_DISK; drive < FIRST_HARD_DISK + DRIVES_MAX; drive++)
    errorOf(() => {
      for (const { word, type } of disks.partitions(drive))
        if (!isExtended(type)) found.push({ drive, partition: word })
    })
  return found
}

export const find: Command = {
  name: 'find',
  usage: 'find FILENAME',
  help:
    'Search for the filename FILENAME in all of partitions and print the list of' +
    ' the devices which contain the file.',
  listed: true,
  *run(grub, arg) {
    let found = false
    for (const device of devices(grub)) {
      if (errorOf(() => void openFile(grub.disks, grub.metal.natives, device, arg)) !== undefined) continue
      found = true
      yield* grub.tty.print(` ${deviceName(device)}\n`)
    }
    if (!found) fail(Err.fileNotFound)
  },
}
