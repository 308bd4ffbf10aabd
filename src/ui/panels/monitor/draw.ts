/**
 * The monitor's picture: pixels, whatever made them. VGA text is painted with the page's own character generator; what has a frame of pixels of its
 * own only needs `showPicture`.
 */
import type { TextScreen } from '#protocol/machine.ts'
import { colourToken, pixelOf } from '../../colours.ts'
import { GLYPH_COLUMNS, GLYPH_ROWS, glyphRows } from './glyphs.ts'

export interface Picture {
  readonly width: number
  readonly height: number
  /** Red, green, blue, alpha in memory's order. */
  readonly pixels: Uint32Array<ArrayBuffer>
}

/** The sixteen VGA colours, dark ones first, as pixels. */
export type Palette = Uint32Array

export function readPalette(): Palette {
  return Uint32Array.from({ length: 16 }, (_, i) => pixelOf(colourToken(`vga-${i}`)))
}

/** The cursor's scan lines. */
const CURSOR_FIRST_ROW = 13
const CURSOR_LAST_ROW = 14

/** `cursorLit`: the cursor's half of its blink. */
export function paintText(screen: TextScreen, palette: Palette, cursorLit: boolean): Picture {
  const { columns, rows, cells, cursor } = screen
  const width = columns * GLYPH_COLUMNS
  const height = rows * GLYPH_ROWS
  const pixels = new Uint32Array(width * height)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = 2 * (row * columns + column)
      const attribute = cells[at + 1]!
      // Bit 7 would blink; like most firmware's choice, it is taken for a bright background.
      const [ink, paper] = [palette[attribute & 15]!, palette[attribute >> 4]!]
      const under = cursorLit && cursor.visible && cursor.row === row && cursor.column === column
      const glyph = glyphRows(cells[at]!)
      for (let y = 0; y < GLYPH_ROWS; y++) {
        const lit = under && y >= CURSOR_FIRST_ROW && y <= CURSOR_LAST_ROW ? (1 << GLYPH_COLUMNS) - 1 : glyph[y]!
        let pixel = (row * GLYPH_ROWS + y) * width + column * GLYPH_COLUMNS
        for (let bit = 1 << (GLYPH_COLUMNS - 1); bit > 0; bit >>= 1) pixels[pixel++] = lit & bit ? ink : paper
      }
    }
  }
  return { width, height, pixels }
}

/** In CSS pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** As large as `room` allows: each pixel a whole number of the screen's, if there is room for one; else all of the picture, smaller. */
export function shownSize({ width, height }: Picture, room: Size, ratio: number): Size & { readonly whole: boolean } {
  const fits = Math.min((room.width * ratio) / width, (room.height * ratio) / height)
  const whole = fits >= 1
  const scale = (whole ? Math.floor(fits) : fits) / ratio
  return { width: width * scale, height: height * scale, whole }
}

export function showPicture(canvas: HTMLCanvasElement, picture: Picture, room: Size): void {
  const { width, height, pixels } = picture
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  const size = shownSize(picture, room, window.devicePixelRatio || 1)
  canvas.style.width = `${size.width}px`
  canvas.style.height = `${size.height}px`
  canvas.style.imageRendering = size.whole ? 'pixelated' : 'auto'
  const bytes = new Uint8ClampedArray(pixels.buffer)
  canvas.getContext('2d', { alpha: false })?.putImageData(new ImageData(bytes, width, height), 0, 0)
}
