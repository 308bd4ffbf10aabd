import { describe, expect, test } from 'vitest'
import { lab } from '../lab.ts'
import { vga } from './vga.ts'

function build() {
  const bench = lab()
  const chip = vga({ clock: bench.clock })
  const crtc = (index: number, value: number): void => {
    chip.ports.write(0x14, index)
    chip.ports.write(0x15, value)
  }
  return { ...bench, chip, crtc }
}

test('cells come from memory, the cursor from the CRT controller', () => {
  const { chip, crtc } = build()
  chip.write(160, 2, 0x1f41)
  crtc(0x0e, 0)
  crtc(0x0f, 85)
  const { cells, cursor, columns, rows } = chip.screen()
  expect([columns, rows, cells.length]).toEqual([80, 25, 4000])
  expect([...cells.subarray(160, 164)]).toEqual([0x41, 0x1f, 0x20, 0x07])
  expect(cursor).toEqual({ row: 1, column: 5, visible: true })
  crtc(0x0a, 0x20)
  expect(chip.screen().cursor.visible).toBe(false)
})

test('the start address scrolls, memory wraps', () => {
  const { chip, crtc } = build()
  chip.write(160, 1, 0x42)
  crtc(0x0d, 80)
  expect(chip.screen().cells[0]).toBe(0x42)
  const last = 0x4000 - 80
  crtc(0x0c, last >> 8)
  crtc(0x0d, last & 0xff)
  expect(chip.screen().cells[2 * 160]).toBe(0x42)
  expect(chip.screen().cursor.visible).toBe(false)
})

test('the version changes with what can be seen, and only then', () => {
  const { chip, crtc } = build()
  const seen = [chip.version()]
  const changed = (act: () => void): boolean => {
    act()
    seen.push(chip.version())
    return seen.at(-1) !== seen.at(-2)
  }
  expect(changed(() => chip.write(0, 1, 0x41))).toBe(true)
  expect(changed(() => chip.write(0, 1, 0x41))).toBe(false)
  expect(changed(() => crtc(0x0f, 1))).toBe(true)
  expect(changed(() => crtc(0x0f, 1))).toBe(false)
  expect(changed(() => chip.ports.write(0x0e, 5))).toBe(false)
  expect(changed(() => chip.blank())).toBe(true)
})

describe('registers', () => {
  test.each([
    ['sequencer', 0x04, 0x05, 2],
    ['graphics', 0x0e, 0x0f, 6],
    ['CRT controller', 0x14, 0x15, 0x0a],
  ])('%s keeps what is written', (_name, index, data, register) => {
    const { chip } = build()
    chip.ports.write(index, register)
    chip.ports.write(data, 0x15)
    expect(chip.ports.read(data)).toBe(0x15)
    chip.ports.write(index, 0x7f)
    chip.ports.write(data, 0x15)
    expect(chip.ports.read(data)).toBe(0)
  })

  test('CRT registers 0 to 7 are protected by the bit in 0x11', () => {
    const { chip, crtc } = build()
    crtc(0x00, 0x12)
    chip.ports.write(0x14, 0)
    expect(chip.ports.read(0x15)).toBe(0x5f)
    crtc(0x11, 0x0e)
    crtc(0x00, 0x12)
    chip.ports.write(0x14, 0)
    expect(chip.ports.read(0x15)).toBe(0x12)
  })

  test('the attribute port alternates, input status resets it', () => {
    const { chip } = build()
    chip.ports.read(0x1a)
    chip.ports.write(0x00, 0x01)
    chip.ports.write(0x00, 0x3f)
    chip.ports.read(0x1a)
    chip.ports.write(0x00, 0x01)
    expect(chip.ports.read(0x01)).toBe(0x3f)
  })

  test('the palette is read back in threes', () => {
    const { chip } = build()
    chip.ports.write(0x08, 5)
    for (const value of [1, 2, 0xff]) chip.ports.write(0x09, value)
    chip.ports.write(0x07, 5)
    expect([1, 2, 3].map(() => chip.ports.read(0x09))).toEqual([1, 2, 0x3f])
  })

  test('vertical retrace comes once a frame', () => {
    const { chip, run } = build()
    let frames = 0
    let was = false
    for (let i = 0; i < 1000; i++) {
      run(20_000)
      const now = (chip.ports.read(0x1a) & 8) !== 0
      if (now && !was) frames++
      was = now
    }
    expect(frames).toBe(1)
  })
})
