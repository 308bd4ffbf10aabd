/** The default disk as it ships: made of the sources as they are now, through the script that the page's build uses. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'fflate'
import { beforeAll, describe, expect, test } from 'vitest'
import { addDiskPart, unpackDisk } from '#lib/ondisk/disk-container.ts'
import { openExt2 } from '#lib/ondisk/ext2/reader.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { buildDefaultDiskNow, buildDisk, buildDiskParts } from '../../scripts/disk.mjs'

/** Of the first load's 1 MB (design D15); page and worker are some 280 KB. */
const FIRST_PART_MAX = 710_000

describe('the default disk of these sources', () => {
  let gzipped = new Uint8Array(0)
  let disk = new SparseDisk(1)
  beforeAll(async () => {
    gzipped = await buildDisk()
    disk = unpackDisk(gunzipSync(gzipped))
  })

  test('is small enough to be waited for, as far as it is', async () => {
    const [first, rest] = await buildDiskParts()
    expect(first!.length).toBeLessThan(FIRST_PART_MAX)
    expect(first!.length).toBeGreaterThan(rest!.length / 4)
    const whole = unpackDisk(gunzipSync(first!))
    addDiskPart(whole, gunzipSync(rest!))
    expect(whole.hash()).toBe(disk.hash())
  }, 60_000)

  test('is what the same sources made before', async () => {
    const again = (await buildDefaultDiskNow()) as { disk: SparseDisk }
    expect(again.disk.hash()).toBe(disk.hash())
    expect(Buffer.compare(await buildDisk(), gzipped)).toBe(0)
  })

  test('holds what its menu boots', () => {
    const entry = readPartitions(disk)![0]!
    const fs = openExt2(partition(disk, entry))!
    const menu = String.fromCharCode(...fs.readFile('/boot/grub/menu.lst', 10_000))
    const files = [...menu.matchAll(/^\s*(?:kernel|module) (\S+)/gm)].map(([, path]) => path!)
    expect(files.length).toBeGreaterThanOrEqual(2)
    for (const path of files) expect(fs.lookup(path).isFile, path).toBe(true)
    expect(fs.lookup('/boot/grub/stage1').size).toBe(512)
  })

  test.skipIf(!hasE2fsprogs)('has nothing for e2fsck to find', () => {
    const entry = readPartitions(disk)![0]!
    const { status, output } = e2fsck(partition(disk, entry))
    expect(status, output).toBe(0)
  })
})

describe('scripts/disk.mjs', () => {
  const run = (args: readonly string[]) => {
    try {
      return {
        status: 0,
        text: execFileSync(process.execPath, ['scripts/disk.mjs', ...args], { encoding: 'utf8', stdio: 'pipe' }),
      }
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string }
      return { status, text: stderr }
    }
  }

  test('writes the disk sector by sector', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'disk-'))
    try {
      const path = join(dir, 'disk.raw')
      expect(run(['--out', path, '--raw'])).toEqual({ status: 0, text: `${path}: ${128 << 20} bytes\n` })
      const disk = unpackDisk(gunzipSync(await buildDisk()))
      expect(SparseDisk.fromRaw(new Uint8Array(readFileSync(path))).hash()).toBe(disk.hash())
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test.each([[[]], [['--raw']]])('says how it is used: %j', (args) => {
    expect(run(args)).toEqual({ status: 2, text: 'usage: node scripts/disk.mjs --out FILE [--raw]\n' })
  })
})
