/**
 * What of a disk is needed until somebody has logged in: found by doing just that, on a machine of its own. A page begins with this much and
 * fetches the rest meanwhile.
 */
import { SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { openExt2 } from '#lib/ondisk/ext2/reader.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { CHUNK_SECTORS, type SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { createWorld } from '#world/world.ts'

/** A boot takes a few virtual seconds; one that fails must not hang the build. */
const PATIENCE_NS = 120e9
const LOGIN = 'login: '
/** What a BIOS and a boot loader may read, whatever somebody types there. */
const BOOT_FILES = ['/boot', '/boot/grub']
const FILE_BYTES_MAX = 16 << 20

/** Numbers of chunks. Error where no login prompt comes. */
export function firstPart(disk: SparseDisk, known: readonly string[]): ReadonlySet<number> {
  const touched = new Set<number>()
  const copy = disk.clone()
  const note = (lba: number, count: number): void => {
    for (let chunk = Math.floor(lba / CHUNK_SECTORS); chunk * CHUNK_SECTORS < lba + count; chunk++) touched.add(chunk)
  }
  const noting = {
    sectors: copy.sectors,
    read(lba: number, count: number): Uint8Array {
      note(lba, count)
      return copy.read(lba, count)
    },
    write(lba: number, bytes: Uint8Array): void {
      note(lba, bytes.length / SECTOR_BYTES)
      copy.write(lba, bytes)
    },
  }
  const fs = openExt2(partition(noting, readPartitions(noting)![0]!))!
  for (const dir of BOOT_FILES)
    for (const { name } of fs.list(fs.lookup(dir))) {
      const file = fs.lookup(`${dir}/${name}`)
      if (file.isFile) fs.readFile(`${dir}/${name}`, FILE_BYTES_MAX)
    }
  const world = createWorld({
    disk: noting,
    diskHash: '',
    memoryMiB: 1024,
    seed: 1,
    build: '',
    loader: new ImageLoader(known),
    // A world that wants it before the login ends here.
    createRing3s: () => undefined,
  })
  let tail = ''
  world.onSerial((_, byte) => {
    tail = (tail + String.fromCharCode(byte)).slice(-LOGIN.length)
  })
  world.powerOn()
  for (;;) {
    const reason = world.runUntil(PATIENCE_NS, () => tail === LOGIN)
    if (reason === 'stopped') return touched
    if (reason !== 'slice') throw new Error(`the default disk came to no login prompt (${reason})`)
  }
}
