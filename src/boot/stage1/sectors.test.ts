/** The two sector programs fit their sectors, and lead from the boot sector to stage2. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import {
  BLOCKLIST_FIRST,
  BOOT_SECTOR_ADDRESS,
  blocklist_entry,
  STAGE1_BOOT_DRIVE,
  STAGE1_STAGE2_SECTOR,
  STAGE2_ADDRESS,
  STAGE2_BODY_ADDRESS,
} from '#abi/pc/grub.ts'
import type { MetalEntry } from '#abi/pc/metal.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { BootRig } from '#testing/boot-rig.ts'
import { cc } from '#toolchain/cc.ts'
import { bootSectorImage, stage2StartImage } from '#toolchain/image.ts'
import { sectorBody } from '#toolchain/sector.ts'
import * as stage1 from './stage1.ts'
import * as stage2Start from './start.ts'

const bodyOf = (file: string): string => {
  const path = `boot/stage1/${file}`
  return sectorBody(cc(path, readFileSync(`src/${path}`, 'utf8')))
}

test('both fit', () => {
  expect(bootSectorImage('stage1', bodyOf('stage1.ts'))).toHaveLength(512)
  expect(stage2StartImage('start', bodyOf('start.ts'))).toHaveLength(512)
})

/** Sector n of the disk holds n everywhere. */
function numberedDisk(): SparseDisk {
  const disk = new SparseDisk(4096)
  for (let lba = 0; lba < 600; lba++) disk.write(lba, new Uint8Array(512).fill(lba & 0xff))
  return disk
}

/** The program as cc compiles it, not as the test runner does. */
const compiled =
  (file: string): MetalEntry =>
  (metal, regs) =>
    new Function('metal', 'regs', '$f', '$x', '$k', bodyOf(file))(
      metal,
      regs,
      [1e6, 0],
      () => {},
      () => {},
    )

describe.each([
  ['as written', stage1.start, stage2Start.start],
  ['as compiled', compiled('stage1.ts'), compiled('start.ts')],
])('%s', (_, stage1Start, startStart) => {
  const boot = (drive: number, sector: number, options = {}): BootRig => {
    const rig = new BootRig({ disk: numberedDisk(), ...options })
    rig.mem.write8(BOOT_SECTOR_ADDRESS + STAGE1_BOOT_DRIVE, drive)
    rig.mem.write32(BOOT_SECTOR_ADDRESS + STAGE1_STAGE2_SECTOR, sector)
    return rig.start(stage1Start)
  }

  test('stage1 fetches the first sector and jumps to it', () => {
    const rig = boot(0xff, 77)
    expect(rig.screen.text()).toBe('GRUB')
    expect(rig.exit).toEqual({ kind: 'jump', to: STAGE2_ADDRESS, regs: { edx: 0x80 } })
    expect(rig.mem.copyOut(STAGE2_ADDRESS, 512)).toEqual(new Uint8Array(512).fill(77))
  })
  test('stage1 on a drive of its own choice', () => {
    expect(boot(0x81, 77).screen.text()).toBe('GRUB Read Error')
  })
  test('stage1 stops at an error', () => {
    const rig = boot(0xff, 77, { badSectors: new Set([77]) })
    expect(rig.screen.text()).toBe('GRUB Read Error')
    expect(rig.exit).toEqual({ kind: 'hlt', interrupts: false })
  })

  const follow = (options: { badSectors?: ReadonlySet<number> } = {}): BootRig => {
    const rig = new BootRig({ disk: numberedDisk(), ...options })
    const list = memOf(new Uint8Array(512))
    const first = STAGE2_BODY_ADDRESS / 16
    blocklist_entry.write(list, BLOCKLIST_FIRST, { start: 10, length: 2, segment: first })
    blocklist_entry.write(list, BLOCKLIST_FIRST - 8, { start: 100, length: 300, segment: first + 64 })
    rig.mem.copyIn(STAGE2_ADDRESS, list.copyOut(0, 512))
    return rig.start(startStart)
  }
  test('the first sector follows the block list', () => {
    const rig = follow()
    expect(rig.screen.text()).toBe('Loading stage2..')
    expect(rig.screen.row).toBe(1)
    expect(rig.exit).toEqual({ kind: 'jump', to: STAGE2_BODY_ADDRESS, regs: { edx: 0x80 } })
    const sectors = [...Array(302).keys()].map((i) => rig.mem.read8(STAGE2_BODY_ADDRESS + i * 512))
    expect(sectors).toEqual([10, 11, ...Array.from({ length: 300 }, (_, i) => (100 + i) & 0xff)])
  })
  test('and stops at an error', () => {
    const rig = follow({ badSectors: new Set([200]) })
    expect(rig.screen.text()).toBe('Loading stage2.Read Error')
    expect(rig.exit).toEqual({ kind: 'hlt', interrupts: false })
  })
})
