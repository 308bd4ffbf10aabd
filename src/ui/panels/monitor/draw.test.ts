/** The monitor's picture, pixel by pixel. */
import { expect, test } from 'vitest'
import type { TextScreen } from '#protocol/machine.ts'
import { longHex, pixelOf } from '../../colours.ts'
import { paintText, shownSize } from './draw.ts'
import { glyphRows } from './glyphs.ts'

const palette = Uint32Array.from({ length: 16 }, (_, i) => 100 + i)

function screen(cells: readonly number[], visible: boolean): TextScreen {
  return {
    columns: cells.length / 2,
    rows: 1,
    cells: Uint8Array.from(cells),
    cursor: { row: 0, column: 1, visible },
  }
}

test('a cell has its ink on its paper, and the ninth column is part of it', () => {
  const { width, height, pixels } = paintText(screen([0x41, 0x17, 0xdb, 0xf4], false), palette, true)
  expect([width, height]).toEqual([18, 16])
  for (let y = 0; y < 16; y++)
    for (let x = 0; x < 9; x++) {
      expect(pixels[y * width + x]).toBe(glyphRows(0x41)[y]! & (1 << (8 - x)) ? 107 : 101)
      expect(pixels[y * width + 9 + x]).toBe(104)
    }
})

test('the cursor is two lines under its cell, in the light half of its blink', () => {
  const rowsLit = (visible: boolean, lit: boolean): number[] => {
    const { width, pixels } = paintText(screen([0x20, 7, 0x20, 7], visible), palette, lit)
    return Array.from({ length: 16 }, (_, y) => y).filter((y) => pixels[y * width + 9] === 107)
  }
  expect([rowsLit(true, true), rowsLit(true, false), rowsLit(false, true)]).toEqual([[13, 14], [], []])
})

test.each([
  [1440, 800, 1, 1440, 800, true],
  [1439, 2000, 1, 720, 400, true],
  [1000, 500, 2, 720, 400, true],
  [360, 400, 1, 360, 200, false],
])('in %i x %i at %i', (width, height, ratio, shownWidth, shownHeight, whole) => {
  const picture = { width: 720, height: 400, pixels: new Uint32Array(0) }
  expect(shownSize(picture, { width, height }, ratio)).toEqual({ width: shownWidth, height: shownHeight, whole })
})

test('colours are read as they stand in the style sheet, or shorter', () => {
  expect(longHex('#a50')).toBe('#aa5500')
  expect(longHex('#0a1b2c')).toBe('#0a1b2c')
  expect([...new Uint8Array(Uint32Array.of(pixelOf('#aa5500')).buffer)]).toEqual([0xaa, 0x55, 0, 255])
})
