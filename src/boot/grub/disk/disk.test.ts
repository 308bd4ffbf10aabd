/** Device names, partitions and the order that GRUB counts them in, block lists. */
import { describe, expect, test } from 'vitest'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { BootRig } from '#testing/boot-rig.ts'
import { Err, errorOf } from '../errors.ts'
import { deviceName, parseDevice, partitionWord, scanDevice, WHOLE_DISK } from './device.ts'
import { Disks } from './disks.ts'
import { openFile } from './file.ts'

const SAVED = { drive: 0x81, partition: partitionWord(2) }

describe('device names', () => {
  const good: [string, number, number, string][] = [
    ['(hd0)', 0x80, WHOLE_DISK, ''],
    ['(hd0,0)/boot', 0x80, partitionWord(0), '/boot'],
    ['(hd7,4)1+1', 0x87, partitionWord(4), '1+1'],
    ['(fd0)', 0, WHOLE_DISK, ''],
    ['(0x80,1)', 0x80, partitionWord(1), ''],
    ['(hd0,0,a)', 0x80, 0x000000ff, ''],
    ['(hd0,b)', 0x80, 0xff01ff, ''],
    ['()', 0x81, WHOLE_DISK, ''],
    ['(,3)', 0x81, partitionWord(3), ''],
    ['(hd0,)', 0x80, SAVED.partition, ''],
  ]
  test.each(good)('%s', (text, drive, partition, rest) => {
    expect(parseDevice(text, SAVED)).toEqual({ device: { drive, partition }, rest })
  })

  const bad: [string, number][] = [
    ['hd0', Err.devFormat],
    ['', Err.devFormat],
    ['(', Err.devFormat],
    ['(hd0', Err.devFormat],
    ['(hd0,0', Err.devFormat],
    ['(hd0 ,0)', Err.devFormat],
    ['(hd0,x)', Err.devFormat],
    ['(hd0,255)', Err.devFormat],
    ['(hd0,99999999999)', Err.devFormat],
    ['(fd0,0)', Err.devFormat],
    ['(hd8)', Err.devValues],
    ['(fd9)', Err.devValues],
    ['(1000)', Err.devValues],
    ['(hx0)', Err.numberParsing],
    ['(cd)', Err.numberParsing],
    ['(hd99999999999)', Err.numberOverflow],
  ]
  test.each(bad)('%s is error %i', (text, number) => {
    expect(errorOf(() => parseDevice(text, SAVED))).toBe(number)
  })

  test.each([
    ['(', ''],
    ['(h', 'h'],
    ['(hd', 'h'],
    ['(fd', 'f'],
  ])('%s may become any disk', (text, disk) => {
    expect(scanDevice(text, SAVED)).toMatchObject({ rest: undefined, disk })
  })

  test('written out again', () => {
    for (const name of ['(hd0)', '(hd3,7)', '(hd0,0,a)', '(fd1)'])
      expect(deviceName(parseDevice(name, SAVED).device)).toBe(name)
  })
})

/** A table at `lba`: type, start, sectors for each slot. */
function table(disk: SparseDisk, lba: number, ...slots: readonly (readonly [number, number, number])[]): void {
  const sector = new Uint8Array(512)
  const view = new DataView(sector.buffer)
  slots.forEach(([type, start, sectors], slot) => {
    const at = 446 + 16 * slot
    sector[at + 4] = type
    view.setUint32(at + 8, start, true)
    view.setUint32(at + 12, sectors, true)
  })
  view.setUint16(510, 0xaa55, true)
  disk.write(lba, sector)
}

const disksOn = (disk: SparseDisk): Disks => new Disks(new BootRig({ disk, memoryMiB: 2 }).metal)

describe('partitions', () => {
  const disk = new SparseDisk(20000)
  table(disk, 0, [0x83, 63, 900], [0, 0, 0], [0x82, 1000, 100], [0x05, 2000, 8000])
  table(disk, 2000, [0x83, 63, 500], [0x05, 1000, 900])
  table(disk, 3000, [0x0c, 63, 400])
  const disks = disksOn(disk)

  test('primary ones keep their slot, logical ones follow from 4 on', () => {
    expect(disks.partitions(0x80)).toEqual([
      { word: partitionWord(0), type: 0x83, start: 63, sectors: 900 },
      { word: partitionWord(2), type: 0x82, start: 1000, sectors: 100 },
      { word: partitionWord(3), type: 0x05, start: 2000, sectors: 8000 },
      { word: partitionWord(4), type: 0x83, start: 2063, sectors: 500 },
      { word: partitionWord(5), type: 0x0c, start: 3063, sectors: 400 },
    ])
  })
  test('described as geometry does it, without the extended one', () => {
    expect(disks.describePartitions(0x80)).toEqual([
      '   Partition num: 0,  Filesystem type unknown, partition type 0x83',
      '   Partition num: 2,  Filesystem type unknown, partition type 0x82',
      '   Partition num: 4,  Filesystem type unknown, partition type 0x83',
      '   Partition num: 5,  Filesystem type unknown, partition type 0xc',
    ])
  })
  test('a chain of tables that leads back ends', () => {
    const loop = new SparseDisk(20000)
    table(loop, 0, [0x05, 2000, 8000])
    table(loop, 2000, [0x83, 63, 500], [0x05, 0, 900])
    expect(errorOf(() => disksOn(loop).partitions(0x80))).toBe(Err.badPartTable)
  })
  test('a table outside the disk', () => {
    const outside = new SparseDisk(20000)
    table(outside, 0, [0x05, 30000, 8000])
    expect(errorOf(() => disksOn(outside).partitions(0x80))).toBe(Err.geom)
  })
})

describe('block lists', () => {
  const disk = new SparseDisk(20000)
  table(disk, 0, [0x83, 100, 50])
  for (let lba = 100; lba < 150; lba++) disk.write(lba, new Uint8Array(512).fill(lba))
  const disks = disksOn(disk)
  const home = { drive: 0x80, partition: partitionWord(0) }
  const open = (name: string) => openFile(disks, { inflate: () => undefined }, home, name)

  test('read in order, also across pieces', () => {
    const file = open('3+2,10+1,20+1')
    expect(file.size).toBe(2048)
    expect([...new Set(file.read(0, 2048))]).toEqual([103, 104, 110, 120])
    expect([...file.read(1020, 8)]).toEqual([104, 104, 104, 104, 110, 110, 110, 110])
    expect(file.read(2040, 100)).toHaveLength(8)
  })
  test('a last number is the length', () => {
    expect(open('3+2,700').size).toBe(700)
  })
  test('end at a blank or a slash', () => {
    expect(open('0+1 args').size).toBe(512)
    expect(open('0+1/x').size).toBe(512)
  })
  const bad: [string, number][] = [
    ['x', Err.badFilename],
    ['', Err.badFilename],
    ['1+', Err.badFilename],
    ['1+0', Err.badFilename],
    ['1+1x', Err.badFilename],
    ['1+1,2000', Err.badFilename],
    ['+', Err.badFilename],
  ]
  test.each(bad)('%s is error %i', (name, number) => {
    expect(errorOf(() => open(name))).toBe(number)
  })
  test('outside the partition', () => {
    expect(errorOf(() => open('49+2').read(0, 1024))).toBe(Err.outsidePart)
  })
})
