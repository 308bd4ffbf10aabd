import { describe, expect, test } from 'vitest'
import * as abi from '#abi/pc/i8042.ts'
import { lab } from '../lab.ts'
import { i8042 } from './i8042.ts'

const MS = 1_000_000

function build({ config = 0x45 } = {}) {
  const bench = lab()
  const irq = bench.line()
  let resets = 0
  const chip = i8042({ clock: bench.clock, irq, reset: () => resets++ })
  const command = (value: number): void => chip.write(4, value)
  const data = (value: number): void => chip.write(0, value)
  command(abi.I8042_CMD_WRITE_CONFIG)
  data(config)
  /** Everything that comes within 50 ms. */
  const drain = (): number[] => {
    const bytes: number[] = []
    for (let i = 0; i < 50; i++) {
      while (chip.read(4) & abi.I8042_STATUS_OBF) bytes.push(chip.read(0))
      bench.run(MS)
    }
    return bytes
  }
  return { ...bench, chip, irq, command, data, drain, resets: () => resets }
}

describe('keys', () => {
  test('come one at a time, each with an interrupt', () => {
    const { chip, irq, run, drain } = build()
    chip.type([0x1e, 0x9e, 0x30, 0xb0])
    expect(irq.high()).toBe(false)
    run(MS)
    expect(irq.high()).toBe(true)
    run(20 * MS)
    expect(irq.edges()).toBe(1)
    expect(drain()).toEqual([0x1e, 0x9e, 0x30, 0xb0])
    expect(irq.edges()).toBe(4)
  })

  test('what nobody reads fills the buffer of the keyboard, then it says so', () => {
    const { chip, drain, clock, run } = build()
    chip.type(Array.from({ length: 40 }, (_, n) => n + 1))
    run(100 * MS)
    expect(clock.pending).toBe(0)
    const bytes = drain()
    expect(bytes.length).toBe(16)
    expect(bytes.at(-1)).toBe(abi.KEYBOARD_OVERRUN)
    expect(drain()).toEqual([])
  })

  test.each([
    ['with the interrupt off there is only the status', 0x44, true, 0],
    ['with the keyboard off nothing comes', 0x55, false, 0],
  ])('%s', (_name, config, full, edges) => {
    const { chip, run, irq } = build({ config })
    chip.type([0x1e])
    run(5 * MS)
    expect((chip.read(4) & abi.I8042_STATUS_OBF) !== 0).toBe(full)
    expect(irq.edges()).toBe(edges)
  })

  test('the processor that polls sees a key in time', () => {
    const { chip, poll } = build()
    chip.type([0x1e])
    expect(poll(MS, () => chip.read(4) & abi.I8042_STATUS_OBF)).toBe(1)
  })
})

describe('controller commands', () => {
  test.each([
    ['read configuration', [abi.I8042_CMD_READ_CONFIG], [0x45]],
    ['self test', [abi.I8042_CMD_SELF_TEST], [0x55]],
    ['interface test', [abi.I8042_CMD_INTERFACE_TEST], [0x00]],
    ['unknown', [0x77], []],
  ])('%s', (_name, commands, answer) => {
    const { command, drain } = build()
    for (const value of commands) command(value)
    expect(drain()).toEqual(answer)
  })

  test('disable, enable', () => {
    const { chip, command, drain } = build()
    command(abi.I8042_CMD_DISABLE_KEYBOARD)
    chip.type([0x1e])
    expect(drain()).toEqual([])
    command(abi.I8042_CMD_ENABLE_KEYBOARD)
    expect(drain()).toEqual([0x1e])
  })

  test.each([
    ['pulse line 0', 0xfe, undefined, 1],
    ['pulse all', 0xf0, undefined, 1],
    ['pulse none', 0xff, undefined, 0],
    ['pulse another line', 0xfd, undefined, 0],
    ['output port without bit 0', 0xd1, 0xfe, 1],
    ['A20 on', 0xd1, 0xdf, 0],
  ])('reset: %s', (_name, value, byte, times) => {
    const { command, data, resets } = build()
    command(value)
    if (byte !== undefined) data(byte)
    expect(resets()).toBe(times)
  })
})

describe('keyboard commands', () => {
  test.each([
    ['LEDs', [0xed, 0x02], [0xfa, 0xfa]],
    ['identify', [0xf2], [0xfa, 0xab, 0x41]],
    ['echo', [0xee], [0xee]],
    ['reset', [0xff], [0xfa, 0xaa]],
    ['rate', [0xf3, 0x20], [0xfa, 0xfa]],
    ['ask scan set', [0xf0, 0x00], [0xfa, 0xfa, 0x02]],
    ['nonsense', [0x12], [0xfe]],
  ])('%s', (_name, bytes, answer) => {
    const { data, run, chip } = build()
    const got: number[] = []
    for (const byte of bytes) {
      data(byte)
      for (let i = 0; i < 5; i++) {
        run(MS)
        if (chip.read(4) & abi.I8042_STATUS_OBF) got.push(chip.read(0))
      }
    }
    expect(got).toEqual(answer)
  })

  test('no scanning, no keys', () => {
    const { chip, data, drain } = build()
    data(0xf5)
    expect(drain()).toEqual([0xfa])
    chip.type([0x1e])
    expect(drain()).toEqual([])
    data(0xf4)
    chip.type([0x1f])
    expect(drain()).toEqual([0xfa, 0x1f])
  })
})
