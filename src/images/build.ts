/**
 * The default disk: 64 MiB, one active Linux partition from sector 63 with an ext2 of 1 KiB blocks (what fdisk and mke2fs of 2009
 * would have made), the files of default/, GRUB installed. A pure function: the same arguments always make the same bytes.
 */
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { mkfs } from '#lib/ondisk/ext2/mkfs.ts'
import {
  FIRST_PARTITION_LBA,
  HEADS,
  PARTITION_LINUX,
  partition,
  SECTORS_PER_TRACK,
  writePartitions,
} from '#lib/ondisk/mbr.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { createRng } from '#lib/prng.ts'
import { utf8Encode } from '#lib/utf8.ts'
import type { Package } from '#user/libc/program.ts'
import { compileImages, type Images } from './compile.ts'
import { IDLE_DOM0_ENTRY, MANIFEST, type ManifestRow } from './default/manifest.ts'
import { grubInstall } from './grub-install.ts'
import { manPages } from './man-pages.ts'
import { MODULES, modulePath, PACKAGES } from './packages.ts'
import type { SourceTree } from './source-tree.ts'

export interface DefaultDiskOptions {
  /** What the images are compiled from: all of src/. */
  readonly sources: SourceTree
  /** The files of default/files, by their path on the disk: '/boot/grub/menu.lst'. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Every time on the disk (design D13). */
  readonly epochSeconds: number
  /** For the file system's uuid and the disk's signature. */
  readonly seed: number
}

export interface DefaultDisk {
  readonly disk: SparseDisk
  readonly images: Images
  /** Hashes of the images' code, for loaders that need not verify it again. */
  readonly known: readonly string[]
}

const DISK_SECTORS = 64 * 2048
const BLOCK_BYTES = 1024
const CYLINDER_SECTORS = HEADS * SECTORS_PER_TRACK
/** In sector 0, where Linux looks for the disk's signature. */
const DISK_SIGNATURE = 440

/** Build it. CompileError for sources that do not compile, Error for a manifest that does not fit the files. */
export function buildDefaultDisk(options: DefaultDiskOptions): DefaultDisk {
  const { epochSeconds } = options
  const rng = createRng(options.seed).fork('default disk')
  const { images, known } = compileImages(options.sources)
  const disk = new SparseDisk(DISK_SECTORS)

  const first = disk.read(0, 1)
  first.set(rng.fork('signature').bytes(4), DISK_SIGNATURE)
  disk.write(0, first)
  // Partitions end on a cylinder, as fdisk makes them.
  const end = Math.floor(DISK_SECTORS / CYLINDER_SECTORS) * CYLINDER_SECTORS
  const entry = {
    active: true,
    type: PARTITION_LINUX,
    start: FIRST_PARTITION_LBA,
    sectors: end - FIRST_PARTITION_LBA,
  }
  writePartitions(disk, [entry])

  const store = partition(disk, entry)
  mkfs(store, { blockBytes: BLOCK_BYTES, uuid: uuid(rng.fork('uuid').bytes(16)), nowSeconds: epochSeconds, label: '/' })
  const fs = Ext2.mount(store, { now: () => epochSeconds })
  const files = withIdleDom0(options.files, images)
  checkFiles(files)
  for (const row of MANIFEST) place(fs, row, files, images)
  const installer = new Installer(fs)
  for (const { pkg } of PACKAGES) installer.package(pkg, images.get(pkg.name)!)
  for (const module of MODULES) installer.file(modulePath(module), images.get(`${module.name}.ko`)!, 0o644)
  for (const { path, text } of manPages(PACKAGES.map(({ pkg }) => pkg))) installer.file(path, utf8Encode(text), 0o644)
  fs.unmount()

  grubInstall(disk, {
    partition: 0,
    stage1: '/boot/grub/stage1',
    stage2: '/boot/grub/stage2',
    configFile: '/boot/grub/menu.lst',
  })
  return { disk, images, known }
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

function place(fs: Ext2, row: ManifestRow, files: ReadonlyMap<string, Uint8Array>, images: Images): void {
  const owner = { uid: row.uid ?? 0, gid: row.gid ?? 0 }
  switch (row.kind) {
    case 'dir':
      fs.mkdir(row.path, row.mode, owner)
      break
    case 'link':
      fs.symlink(row.target, row.path, owner)
      break
    case 'file':
      fs.writeFile(row.path, files.get(row.path)!, row.mode, owner)
      break
    case 'empty':
      fs.writeFile(row.path, new Uint8Array(0), row.mode, owner)
      break
    case 'node':
      fs.mknod(row.path, row.mode, { major: row.major, minor: row.minor }, owner)
      break
    case 'image': {
      const bytes = images.get(row.image)
      if (bytes) fs.writeFile(row.path, bytes, row.mode, owner)
    }
  }
}

/** Puts packages and modules where they belong; directories that the manifest has not made are made. */
class Installer {
  readonly #fs: Ext2
  readonly #dirs = new Set<string>([''])

  constructor(fs: Ext2) {
    this.#fs = fs
    for (const row of MANIFEST) if (row.kind === 'dir') this.#dirs.add(row.path)
  }

  /** A package is one file; its programs are hard links of it. */
  package({ programs, mode = 0o755 }: Package, image: Uint8Array): void {
    const [first, ...others] = programs.map(([path]) => path)
    if (first === undefined) return
    this.file(first, image, mode)
    for (const path of others) {
      this.#dirsOf(path)
      this.#fs.link(first, path)
    }
  }

  file(path: string, bytes: Uint8Array, mode: number): void {
    this.#dirsOf(path)
    this.#fs.writeFile(path, bytes, mode)
  }

  #dirsOf(path: string): void {
    const dir = path.slice(0, path.lastIndexOf('/'))
    if (this.#dirs.has(dir)) return
    this.#dirsOf(dir)
    this.#fs.mkdir(dir, 0o755)
    this.#dirs.add(dir)
  }
}
