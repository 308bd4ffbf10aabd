/**
 * The second disk, with Debian's guests: one ext2 labelled "guests" that domain 0 mounts at /guests (default/files/etc/rc.d/rc.sysinit). A pure function of
 * what Debian's packages hold: the same packages always make the same bytes.
 */
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { mkfs } from '#lib/ondisk/ext2/mkfs.ts'
import { PARTITION_LINUX, partition, writePartitions } from '#lib/ondisk/mbr.ts'
import { CHUNK_BYTES, SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { createRng } from '#lib/prng.ts'
import { utf8Encode } from '#lib/utf8.ts'

export interface GuestKernel {
  /** The guest's name, and that of its configuration. */
  readonly name: string
  readonly version: string
  readonly vmlinuz: Uint8Array
  readonly initrd: Uint8Array
}

export interface GuestsDiskOptions {
  readonly kernels: readonly GuestKernel[]
  /** Every time on the disk. */
  readonly epochSeconds: number
  /** For the uuids and the disk's signature. */
  readonly seed: number
}

export interface GuestsDisk {
  readonly disk: SparseDisk
  /** The guests' own disk, as it lies on the other. */
  readonly data: SparseDisk
}

const MIB_SECTORS = 2048
const DISK_MIB = 96
const DATA_MIB = 16
const DATA_FILE = '/images/debian.img'
/** On a boundary of the chunks in which disks are kept. */
const PARTITION_START = 2048
/** Files here are large. */
const BLOCK_BYTES = 4096
const DISK_SIGNATURE = 440
/** Where domain 0 mounts it. */
const MOUNT_POINT = '/guests'

/** What there must be room for beside the kernels: the data, tables, and some for whoever adds a kernel. */
const ROOM_MIB = DATA_MIB + 8

/** Error where the kernels are too large for the disk. */
export function buildGuestsDisk({ kernels, epochSeconds, seed }: GuestsDiskOptions): GuestsDisk {
  const bytes = kernels.reduce((sum, { vmlinuz, initrd }) => sum + vmlinuz.length + initrd.length, 0)
  if (bytes > (DISK_MIB - ROOM_MIB) * MIB_SECTORS * SECTOR_BYTES)
    throw new Error(`${Math.ceil(bytes / 2 ** 20)} MiB of kernels do not fit the disk of ${DISK_MIB} MiB`)
  const rng = createRng(seed).fork('guests disk')
  const make = (store: BlockStore, label: string): Ext2 => {
    const uuid = rng.fork(label).bytes(16)
    mkfs(store, { blockBytes: BLOCK_BYTES, uuid, nowSeconds: epochSeconds, label })
    return Ext2.mount(store, { now: () => epochSeconds })
  }

  const data = new SparseDisk(DATA_MIB * MIB_SECTORS)
  const dataFs = make(data, 'debian')
  dataFs.writeFile('/README', utf8Encode('This disk is yours: a file of domain 0.\n'), 0o644)
  dataFs.unmount()

  const disk = new SparseDisk(DISK_MIB * MIB_SECTORS)
  const first = disk.read(0, 1)
  first.set(rng.fork('signature').bytes(4), DISK_SIGNATURE)
  disk.write(0, first)
  const entry = {
    active: false,
    type: PARTITION_LINUX,
    start: PARTITION_START,
    sectors: disk.sectors - PARTITION_START,
  }
  writePartitions(disk, [entry])
  const fs = make(partition(disk, entry), 'guests')
  for (const name of ['/boot', '/xen', '/images']) fs.mkdir(name, 0o755)
  for (const kernel of kernels) {
    fs.writeFile(`/boot/vmlinuz-${kernel.version}`, kernel.vmlinuz, 0o644)
    fs.writeFile(`/boot/initrd.img-${kernel.version}`, kernel.initrd, 0o644)
    fs.writeFile(`/xen/${kernel.name}`, utf8Encode(configuration(kernel)), 0o644)
  }
  const image = fs.create(DATA_FILE, 0o600)
  for (const [chunk, bytes] of data.chunks()) fs.writeAt(image, chunk * CHUNK_BYTES, bytes)
  fs.truncate(image, data.sectors * SECTOR_BYTES)
  fs.unmount()
  return { disk, data }
}

const configuration = ({
  name,
  version,
}: GuestKernel): string => `# ${name}: Debian's own kernel, as it comes, with busybox.  xm create ${name} -c
#
# This is Python: what xm create reads are the variables.

kernel  = "/boot/vmlinuz-${version}"
ramdisk = "/boot/initrd.img-${version}"
memory  = 256
name    = "${name}"
vcpus   = 1

# In the guest: mount /dev/xvda /mnt
disk    = ['file:${MOUNT_POINT}${DATA_FILE},xvda,w']
# A third of its start would be the kernel's own tests of its ciphers.
extra   = "console=hvc0 cryptomgr.notests=1"

on_poweroff = 'destroy'
on_reboot   = 'restart'
on_crash    = 'destroy'
`
