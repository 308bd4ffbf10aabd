/** A terminal's font, scaled to its panel. */
import type { Terminal } from '@xterm/xterm'

const fontPxMin = 4
const fontPxMax = 28
/** Rows are pulled apart this far where there is room. */
export const lineHeightMin = 1.05
const lineHeightMax = 1.35
/** Room at the right for xterm's scroll bar. A finger needs none of it: the style sheet makes it a line. */
const scrollbarPx = matchMedia('(pointer: coarse)').matches ? 5 : 14

/** The largest font with which all columns and rows fit into `host`; then rows as far apart as the height allows. */
export function fitTo(host: HTMLElement, terminal: Terminal): void {
  const screen = terminal.element?.querySelector<HTMLElement>('.xterm-screen')
  const { width, height } = host.getBoundingClientRect()
  if (!screen || width === 0 || height === 0) return
  const { options } = terminal
  const fits = (): boolean => {
    const box = screen.getBoundingClientRect()
    return box.width <= width - scrollbarPx && box.height <= height
  }
  options.lineHeight = lineHeightMin
  // Cells are whole device pixels, so the size is found by looking, from an estimate down.
  const before = screen.getBoundingClientRect()
  const scale = before.width > 0 ? Math.min((width - scrollbarPx) / before.width, height / before.height) : 1
  const estimate = Math.floor(((options.fontSize ?? 15) * scale + 0.75) * 4) / 4
  for (let px = Math.min(fontPxMax, Math.max(fontPxMin, estimate)); px >= fontPxMin; px -= 0.25) {
    options.fontSize = px
    if (fits()) break
  }
  const room = height / screen.getBoundingClientRect().height
  options.lineHeight = Math.max(lineHeightMin, Math.min(lineHeightMax, lineHeightMin * room))
  while (!fits() && options.lineHeight > lineHeightMin)
    options.lineHeight = Math.max(lineHeightMin, options.lineHeight - 0.02)
}
