import { deviceName, parseDevice } from '../disk/device.ts'
import type { Grub } from '../grub.ts'
import type { Run } from '../run.ts'
import type { Command } from './command.ts'

/** Say where root is: ` (hd0,0): Filesystem type is ext2fs, partition type 0x83`. */
function* show({ tty, disks, root }: Grub): Run {
  yield* tty.print(` ${deviceName(root)}:${disks.describe(disks.open(root))}\n`)
}

export const root: Command = {
  name: 'root',
  usage: 'root [DEVICE [HDBIAS]]',
  help:
    'Set the current "root device" to the device DEVICE, then' +
    ' attempt to mount it to get the partition size (for passing the' +
    " partition descriptor in `ES:ESI', used by some chain-loaded" +
    ' bootloaders), the BSD drive-type (for booting BSD kernels using' +
    ' their native boot format), and correctly determine ' +
    ' the PC partition where a BSD sub-partition is located. The' +
    ' optional HDBIAS parameter is a number to tell a BSD kernel' +
    ' how many BIOS drive numbers are on controllers before the current' +
    ' one. For example, if there is an IDE disk and a SCSI disk, and your' +
    " FreeBSD root partition is on the SCSI disk, then use a `1' for HDBIAS.",
  listed: true,
  *run(grub, arg) {
    if (arg === '') return yield* show(grub)
    const { device } = parseDevice(arg, grub.root)
    const extent = grub.disks.open(device)
    const description = grub.disks.describe(extent)
    grub.root = device
    yield* grub.tty.print(description + '\n')
  },
}

export const rootnoverify: Command = {
  name: 'rootnoverify',
  usage: 'rootnoverify [DEVICE [HDBIAS]]',
  help:
    "Similar to `root', but don't attempt to mount the partition. This" +
    ' is useful for when an OS is outside of the area of the disk that' +
    ' GRUB can read, but setting the correct root device is still' +
    " desired. Note that the items mentioned in `root' which" +
    ' derived from attempting the mount will NOT work correctly.',
  listed: true,
  *run(grub, arg) {
    if (arg === '') return yield* show(grub)
    // Not even a partition that is not there is an error.
    grub.root = parseDevice(arg, grub.root).device
  },
}
