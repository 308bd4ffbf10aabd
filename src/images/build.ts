/**
 * The default disk: 128 MiB; an active Linux partition from sector 63 with an ext2 of 1 KiB blocks (what fdisk and mke2fs of 2009
 * would have made), the files of default/ and GRUB; two more partitions and a file as disks for guests. A pure function: the same arguments
 * always make the same bytes.
 */
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { mkfs } from '#lib/ondisk/ext2/mkfs.ts'
import {
  FIRST_PARTITION_LBA,
  HEADS,
  PARTITION_LINUX,
  type PartitionEntry,
  partition,
  SECTORS_PER_TRACK,
  writePartitions,
} from '#lib/ondisk/mbr.ts'
import { CHUNK_BYTES, SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { createRng } from '#lib/prng.ts'
import { compileImages, type Gzip, type Images } from './compile.ts'
import { IDLE_DOM0_ENTRY, MANIFEST } from './default/manifest.ts'
import { type FileSystemRecipe, fill } from './filesystem.ts'
import { grubInstall } from './grub-install.ts'
import { guest, minimalGuest } from './guests.ts'
import { PACKAGES } from './packages.ts'
import type { SourceTree } from './source-tree.ts'

export interface DefaultDiskOptions {
  /** What the images are compiled from: all of src/. */
  readonly sources: SourceTree
  /** The files of default/files, by their path on the disk: '/boot/grub/menu.lst'. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Of domu/files and minimal/files: what guests have instead of the host's files. */
  readonly guestFiles: ReadonlyMap<string, Uint8Array>
  readonly minimalFiles: ReadonlyMap<string, Uint8Array>
  /** Every time on the disk (design D13). */
  readonly epochSeconds: number
  /** For the file system's uuid and the disk's signature. */
  readonly seed: number
  /** How Xen and the kernels are packed: `gzip -9`, or something that takes longer. */
  readonly gzip?: Gzip
}

export interface DefaultDisk {
  readonly disk: SparseDisk
  readonly images: Images
  /** Hashes of the images' code, for loaders that need not verify it again. */
  readonly known: readonly string[]
}

const MIB_SECTORS = 2048
const DISK_SECTORS = 128 * MIB_SECTORS
/** The host's root, prospero's disk, the disk of the small ones. */
const PARTITION_MIB = [88, 24, 8]
/** Of sebastian's, in a file with holes. */
const GUEST_FILE = '/var/lib/xen/images/sebastian.img'
const GUEST_FILE_MIB = 24
const BLOCK_BYTES = 1024
const CYLINDER_SECTORS = HEADS * SECTORS_PER_TRACK
/** In sector 0, where Linux looks for the disk's signature. */
const DISK_SIGNATURE = 440

/** Build it. CompileError for sources that do not compile, Error for a manifest that does not fit the files. */
export function buildDefaultDisk(options: DefaultDiskOptions): DefaultDisk {
  const { epochSeconds } = options
  const rng = createRng(options.seed).fork('default disk')
  const { images, known } = compileImages(options.sources, options.gzip)
  const disk = new SparseDisk(DISK_SECTORS)

  const first = disk.read(0, 1)
  first.set(rng.fork('signature').bytes(4), DISK_SIGNATURE)
  disk.write(0, first)
  const entries = partitionTable()
  writePartitions(disk, entries)
  const make = (store: BlockStore, name: string, recipe: FileSystemRecipe, label = ''): Ext2 => {
    mkfs(store, { blockBytes: BLOCK_BYTES, uuid: uuid(rng.fork(name).bytes(16)), nowSeconds: epochSeconds, label })
    const fs = Ext2.mount(store, { now: () => epochSeconds })
    fill(fs, recipe, images)
    return fs
  }
  const files = withIdleDom0(options.files, images)
  checkFiles(files)
  const [root, second, third] = entries.map((entry) => partition(disk, entry))
  make(second!, 'prospero', guest('prospero', files, options.guestFiles)).unmount()
  make(third!, 'minimal', minimalGuest(files, options.minimalFiles)).unmount()
  const inFile = new SparseDisk(GUEST_FILE_MIB * MIB_SECTORS)
  make(inFile, 'sebastian', guest('sebastian', files, options.guestFiles)).unmount()
  const fs = make(root!, 'uuid', { manifest: MANIFEST, files, packages: PACKAGES, complete: true }, '/')
  const image = fs.create(GUEST_FILE, 0o600)
  for (const [chunk, bytes] of inFile.chunks()) fs.writeAt(image, chunk * CHUNK_BYTES, bytes)
  fs.truncate(image, GUEST_FILE_MIB * MIB_SECTORS * SECTOR_BYTES)
  fs.unmount()

  grubInstall(disk, {
    partition: 0,
    stage1: '/boot/grub/stage1',
    stage2: '/boot/grub/stage2',
    configFile: '/boot/grub/menu.lst',
  })
  return { disk, images, known }
}

/** One after the other; each ends on a cylinder, as fdisk makes them. */
function partitionTable(): PartitionEntry[] {
  const entries: PartitionEntry[] = []
  let start = FIRST_PARTITION_LBA
  for (const mib of PARTITION_MIB) {
    const end = Math.floor((start + mib * MIB_SECTORS) / CYLINDER_SECTORS) * CYLINDER_SECTORS
    entries.push({ active: entries.length === 0, type: PARTITION_LINUX, start, sectors: end - start })
    start = end
  }
  return entries
}

/** A random (version 4) UUID, RFC 4122. */
function uuid(bytes: Uint8Array): Uint8Array {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes
}

/** The menu offers the idle domain 0 only where there is one. */
function withIdleDom0(files: DefaultDiskOptions['files'], images: Images): Map<string, Uint8Array> {
  const all = new Map(files)
  const menu = all.get('/boot/grub/menu.lst')
  const entry = all.get(IDLE_DOM0_ENTRY)
  all.delete(IDLE_DOM0_ENTRY)
  if (menu && entry && images.has('idle-dom0.gz')) all.set('/boot/grub/menu.lst', Uint8Array.from([...menu, ...entry]))
  return all
}

function checkFiles(files: ReadonlyMap<string, Uint8Array>): void {
  const rows = new Set(MANIFEST.flatMap((row) => (row.kind === 'file' ? [row.path] : [])))
  for (const path of rows) if (!files.has(path)) throw new Error(`default disk: no file for ${path}`)
  for (const path of files.keys()) if (!rows.has(path)) throw new Error(`default disk: no row for ${path}`)
}
