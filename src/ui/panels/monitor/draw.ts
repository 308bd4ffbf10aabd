/** VGA text on a canvas: cells of whole device pixels, sixteen colours from theme.css, lines that join. */
import { cp437 } from '#lib/cp437.ts'
import type { TextScreen } from '#protocol/machine.ts'
import { drawLineCharacter } from './box-drawing.ts'

export interface MonitorPalette {
  /** The sixteen VGA colours, dark ones first. */
  readonly colours: readonly string[]
  readonly font: string
}

export function readPalette(): MonitorPalette {
  const style = getComputedStyle(document.documentElement)
  return {
    colours: Array.from({ length: 16 }, (_, i) => style.getPropertyValue(`--vga-${i}`).trim()),
    font: style.getPropertyValue('--font-mono').trim(),
  }
}

/** VGA's character cell is 9 x 16. */
const cellShape = 16 / 9
/** Whole-pixel cells that leave more of the width than this unused are drawn too large instead, and scaled down. */
const unusedMax = 0.03

/** Draw `screen` as wide as `widthPx` CSS pixels, or a little narrower where that makes its cells whole device pixels. */
export function drawScreen(
  canvas: HTMLCanvasElement,
  screen: TextScreen,
  widthPx: number,
  palette: MonitorPalette,
): void {
  const { columns, rows, cells, cursor } = screen
  const ratio = window.devicePixelRatio || 1
  const roomPx = widthPx * ratio
  const wholeCell = Math.floor(roomPx / columns)
  const scaled = wholeCell * columns < roomPx * (1 - unusedMax)
  const cellWidth = scaled ? 2 * (wholeCell + 1) : wholeCell
  const cellHeight = Math.round(cellWidth * cellShape)
  const width = cellWidth * columns
  const height = cellHeight * rows
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  const shownPx = scaled ? widthPx : width / ratio
  canvas.style.width = `${shownPx}px`
  canvas.style.height = `${(shownPx * height) / width}px`
  const context = canvas.getContext('2d', { alpha: false })
  if (!context) return
  context.font = `${cellHeight * 0.8}px ${palette.font}`
  context.textBaseline = 'alphabetic'
  const glyphWidth = context.measureText('M').width
  const squeeze = glyphWidth > 0 ? cellWidth / glyphWidth : 1
  const baseline = Math.round(cellHeight * 0.78)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = 2 * (row * columns + column)
      const attribute = cells[at + 1]!
      const x = column * cellWidth
      const y = row * cellHeight
      // Bit 7 would blink; like most firmware's choice, it is taken for a bright background.
      context.fillStyle = palette.colours[attribute >> 4]!
      context.fillRect(x, y, cellWidth, cellHeight)
      const character = cp437(cells[at]!)
      if (character === ' ' || character === '\u00a0') continue
      context.fillStyle = palette.colours[attribute & 15]!
      if (drawLineCharacter(context, character, x, y, cellWidth, cellHeight)) continue
      context.setTransform(squeeze, 0, 0, 1, x, y)
      context.fillText(character, 0, baseline)
      context.setTransform(1, 0, 0, 1, 0, 0)
    }
  }
  if (!cursor.visible) return
  const under = cells[2 * (cursor.row * columns + cursor.column) + 1] ?? 7
  context.fillStyle = palette.colours[under & 15]!
  const tall = Math.max(1, Math.round(cellHeight / 8))
  context.fillRect(cursor.column * cellWidth, (cursor.row + 1) * cellHeight - tall, cellWidth, tall)
}
