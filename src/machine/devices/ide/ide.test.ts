import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import * as abi from '#abi/pc/ide.ts'
import { lab } from '../lab.ts'
import { ideChannel } from './ide.ts'

const SECTORS = 4096
const IDENTITY = { model: 'TEST DISK', serial: 'S1', firmware: '1' }

function build({ present = true } = {}) {
  const bench = lab()
  const irq = bench.line()
  const bytes = new Uint8Array(SECTORS * 512)
  for (let n = 0; n < SECTORS; n++) new DataView(bytes.buffer).setUint32(n * 512, n, true)
  const ram = new Uint8Array(1 << 20)
  let flushes = 0
  const chip = ideChannel({
    clock: bench.clock,
    irq,
    mem: memOf(ram),
    disk: present
      ? {
          sectors: SECTORS,
          read: (lba, count) => bytes.slice(lba * 512, (lba + count) * 512),
          write: (lba, part) => bytes.set(part, lba * 512),
        }
      : undefined,
    identity: IDENTITY,
    flushed: () => flushes++,
  })
  const out = (offset: number, value: number): void => chip.write(offset, 1, value)
  const command = (value: number, lba = 0, count = 0): void => {
    out(abi.ATA_COUNT, count)
    for (let n = 0; n < 3; n++) out(abi.ATA_LBA_LOW + n, (lba >> (8 * n)) & 255)
    out(abi.ATA_DEVICE, 0xe0 | ((lba >> 24) & 15))
    out(abi.ATA_COMMAND, value)
  }
  /** Wait until the drive is no longer busy; its status. */
  const settle = (): number => {
    for (let i = 0; i < 1000 && chip.readControl() & abi.ATA_STATUS_BSY; i++) bench.run(100_000)
    return chip.read(abi.ATA_STATUS, 1)
  }
  const sector = (): Uint8Array => {
    const data = new Uint8Array(512)
    for (let i = 0; i < 512; i += 2) {
      const word = chip.read(abi.ATA_DATA, 2)
      data[i] = word & 255
      data[i + 1] = word >> 8
    }
    return data
  }
  const prd = (entries: readonly (readonly [number, number, number])[]): void => {
    const view = new DataView(ram.buffer)
    entries.forEach(([at, length, flags], i) => {
      view.setUint32(0x1000 + 8 * i, at, true)
      view.setUint16(0x1004 + 8 * i, length & 0xffff, true)
      view.setUint16(0x1006 + 8 * i, flags, true)
    })
    for (let n = 0; n < 4; n++) chip.writeBusMaster(abi.BM_PRD_TABLE + n, (0x1000 >> (8 * n)) & 255)
  }
  return { ...bench, chip, irq, bytes, ram, out, command, settle, sector, prd, flushes: () => flushes }
}

const READY = abi.ATA_STATUS_DRDY | abi.ATA_STATUS_DSC

test('IDENTIFY says what the drive is', () => {
  const { command, settle, sector, irq } = build()
  command(abi.ATA_CMD_IDENTIFY)
  expect(irq.high()).toBe(false)
  expect(settle()).toBe(READY | abi.ATA_STATUS_DRQ)
  expect(irq.edges()).toBe(1)
  expect(irq.high()).toBe(false)
  const data = sector()
  const view = new DataView(data.buffer)
  let model = ''
  for (let i = 54; i < 94; i += 2) model += String.fromCharCode(data[i + 1]!, data[i]!)
  expect(model.trimEnd()).toBe('TEST DISK')
  expect(view.getUint32(120, true)).toBe(SECTORS)
  expect(view.getBigUint64(200, true)).toBe(BigInt(SECTORS))
})

describe('PIO', () => {
  test('reads several sectors, an interrupt for each', () => {
    const { command, settle, sector, irq } = build()
    command(abi.ATA_CMD_READ_SECTORS, 7, 3)
    for (let n = 0; n < 3; n++) {
      expect(settle()).toBe(READY | abi.ATA_STATUS_DRQ)
      expect(new DataView(sector().buffer).getUint32(0, true)).toBe(7 + n)
    }
    expect(settle()).toBe(READY)
    expect(irq.edges()).toBe(3)
  })

  test('writes, and the disk has it when the drive says so', () => {
    const { command, settle, chip, bytes, irq, run } = build()
    command(abi.ATA_CMD_WRITE_SECTORS, 9, 1)
    expect(irq.edges()).toBe(0)
    expect(settle()).toBe(READY | abi.ATA_STATUS_DRQ)
    for (let i = 0; i < 256; i++) chip.write(abi.ATA_DATA, 2, 0xabcd)
    expect(bytes[9 * 512]).toBe(9)
    expect(settle()).toBe(READY)
    expect([bytes[9 * 512], bytes[9 * 512 + 511], irq.edges()]).toEqual([0xcd, 0xab, 1])
    run(1)
  })

  test('48-bit addresses', () => {
    const { out, settle, sector } = build()
    for (const [offset, value] of [
      [abi.ATA_COUNT, 0],
      [abi.ATA_LBA_LOW, 0],
      [abi.ATA_LBA_MID, 0],
      [abi.ATA_LBA_HIGH, 0],
      [abi.ATA_COUNT, 1],
      [abi.ATA_LBA_LOW, 0x34],
      [abi.ATA_LBA_MID, 0x02],
      [abi.ATA_LBA_HIGH, 0],
      [abi.ATA_DEVICE, 0x40],
      [abi.ATA_COMMAND, abi.ATA_CMD_READ_SECTORS_EXT],
    ] as const)
      out(offset, value)
    settle()
    expect(new DataView(sector().buffer).getUint32(0, true)).toBe(0x234)
  })

  test('cylinder, head, sector', () => {
    const { out, settle, sector } = build()
    out(abi.ATA_COUNT, 1)
    out(abi.ATA_LBA_LOW, 2)
    out(abi.ATA_LBA_MID, 1)
    out(abi.ATA_LBA_HIGH, 0)
    out(abi.ATA_DEVICE, 0xa3)
    out(abi.ATA_COMMAND, abi.ATA_CMD_READ_SECTORS)
    settle()
    expect(new DataView(sector().buffer).getUint32(0, true)).toBe((16 + 3) * 63 + 1)
  })
})

describe('DMA', () => {
  const toMemory = abi.BM_COMMAND_TO_MEMORY
  test('reads through a table of regions', () => {
    const { command, prd, chip, run, ram, irq } = build()
    prd([
      [0x2000, 512, 0],
      [0x8000, 1024, abi.PRD_END],
    ])
    chip.writeBusMaster(abi.BM_COMMAND, toMemory)
    command(abi.ATA_CMD_READ_DMA, 5, 3)
    chip.writeBusMaster(abi.BM_COMMAND, toMemory | abi.BM_COMMAND_START)
    expect(chip.readBusMaster(abi.BM_STATUS) & 1).toBe(1)
    run(10_000_000)
    const view = new DataView(ram.buffer)
    expect([0x2000, 0x8000, 0x8200].map((at) => view.getUint32(at, true))).toEqual([5, 6, 7])
    expect(irq.high()).toBe(true)
    expect(chip.readBusMaster(abi.BM_STATUS) & 7).toBe(abi.BM_STATUS_INTERRUPT)
    expect(chip.read(abi.ATA_STATUS, 1)).toBe(READY)
    expect(irq.high()).toBe(false)
    chip.writeBusMaster(abi.BM_STATUS, abi.BM_STATUS_INTERRUPT)
    expect(chip.readBusMaster(abi.BM_STATUS) & 7).toBe(0)
  })

  test('writes', () => {
    const { command, prd, chip, run, ram, bytes } = build()
    ram.fill(0x77, 0x3000, 0x3400)
    prd([[0x3000, 1024, abi.PRD_END]])
    command(abi.ATA_CMD_WRITE_DMA, 5, 2)
    chip.writeBusMaster(abi.BM_COMMAND, abi.BM_COMMAND_START)
    run(90_000)
    expect(bytes[5 * 512]).toBe(5)
    run(100_000)
    expect([bytes[5 * 512], bytes[7 * 512 - 1], bytes[7 * 512]]).toEqual([0x77, 0x77, 7])
  })

  test('the drive waits for the bus master, whichever is started first', () => {
    const { command, prd, chip, run, irq } = build()
    prd([[0x3000, 512, abi.PRD_END]])
    command(abi.ATA_CMD_READ_DMA, 5, 1)
    run(100_000_000)
    expect(irq.edges()).toBe(0)
    chip.writeBusMaster(abi.BM_COMMAND, toMemory | abi.BM_COMMAND_START)
    run(0)
    expect(irq.edges()).toBe(1)
  })

  test.each([
    ['a table that is too short', [[0x3000, 512, abi.PRD_END]], toMemory, 0, 0],
    ['the wrong direction', [[0x3000, 1024, abi.PRD_END]], 0, abi.BM_STATUS_ERROR, 0],
    ['a table that is too long', [[0x3000, 2048, abi.PRD_END]], toMemory, abi.BM_STATUS_INTERRUPT, 1],
  ] as const)('%s', (_name, table, direction, status, edges) => {
    const { command, prd, chip, run, irq } = build()
    prd(table)
    command(abi.ATA_CMD_READ_DMA, 5, 2)
    chip.writeBusMaster(abi.BM_COMMAND, direction | abi.BM_COMMAND_START)
    run(10_000_000)
    expect(irq.edges()).toBe(edges)
    expect(chip.readBusMaster(abi.BM_STATUS) & 6).toBe(status)
  })
})

describe('refusals', () => {
  test.each([
    ['past the end', abi.ATA_CMD_READ_SECTORS, SECTORS - 1, 2, abi.ATA_ERROR_ID_NOT_FOUND],
    ['writing past the end', abi.ATA_CMD_WRITE_DMA, SECTORS, 1, abi.ATA_ERROR_ID_NOT_FOUND],
    ['a packet command', 0xa1, 0, 0, abi.ATA_ERROR_ABORTED],
    ['READ MULTIPLE', 0xc4, 0, 1, abi.ATA_ERROR_ABORTED],
    ['an unknown feature', abi.ATA_CMD_SET_FEATURES, 0, 0, abi.ATA_ERROR_ABORTED],
  ])('%s', (_name, value, lba, count, error) => {
    const { command, settle, chip, irq } = build()
    command(value, lba, count)
    expect(irq.edges()).toBe(1)
    expect(settle() & abi.ATA_STATUS_ERR).toBe(abi.ATA_STATUS_ERR)
    expect(chip.read(abi.ATA_ERROR, 1)).toBe(error)
  })

  test('a command to a busy drive is not heard', () => {
    const { command, settle, sector } = build()
    command(abi.ATA_CMD_READ_SECTORS, 3, 1)
    command(abi.ATA_CMD_IDENTIFY)
    settle()
    expect(new DataView(sector().buffer).getUint32(0, true)).toBe(3)
  })
})

test('FLUSH tells that what was written is a batch', () => {
  const { command, settle, flushes } = build()
  command(abi.ATA_CMD_FLUSH)
  expect(flushes()).toBe(0)
  settle()
  expect(flushes()).toBe(1)
})

test('nIEN keeps the interrupt in', () => {
  const { chip, command, run, irq } = build()
  chip.writeControl(abi.ATA_CONTROL_NIEN)
  command(abi.ATA_CMD_IDENTIFY)
  run(1_000_000)
  expect(irq.high()).toBe(false)
  chip.writeControl(0)
  expect(irq.high()).toBe(true)
})

test('software reset: busy, then the ATA signature', () => {
  const { chip, command, settle } = build()
  command(abi.ATA_CMD_READ_SECTORS, 3, 1)
  chip.writeControl(abi.ATA_CONTROL_SRST)
  expect(chip.readControl()).toBe(abi.ATA_STATUS_BSY)
  chip.writeControl(0)
  expect(chip.readControl()).toBe(abi.ATA_STATUS_BSY)
  expect(settle()).toBe(READY)
  expect([2, 3, 4, 5].map((n) => chip.read(n, 1))).toEqual([1, 1, 0, 0])
})

test('nobody on the channel, nobody as slave', () => {
  const empty = build({ present: false })
  expect(empty.chip.read(abi.ATA_STATUS, 1)).toBe(0x7f)
  empty.command(abi.ATA_CMD_IDENTIFY)
  expect(empty.clock.pending).toBe(0)
  const { out, chip } = build()
  out(abi.ATA_DEVICE, 0xb0)
  out(abi.ATA_COMMAND, abi.ATA_CMD_IDENTIFY)
  expect(chip.read(abi.ATA_STATUS, 1)).toBe(0)
})
