/** ls's columns: as many as fit, tabs between them (coreutils' ls.c: calculate_columns, indent). */

const TAB = 8
const NARROWEST = 3

/** A cell and how wide it looks. */
export interface Cell {
  readonly text: string
  readonly width: number
}

/** Blanks from one column to another, tabs where they reach. */
function indent(from: number, to: number): string {
  let text = ''
  let at = from
  while (at < to) {
    if (Math.floor(to / TAB) > Math.floor((at + 1) / TAB)) {
      text += '\t'
      at += TAB - (at % TAB)
    } else {
      text += ' '
      at++
    }
  }
  return text
}

/** Widths of the columns that the largest number of columns takes. */
function layout(cells: readonly Cell[], lineWidth: number, down: boolean): number[] {
  const most = Math.min(Math.max(1, Math.floor(lineWidth / NARROWEST)), cells.length)
  for (let count = most; count > 1; count--) {
    const widths = new Array<number>(count).fill(NARROWEST)
    const rows = Math.ceil(cells.length / count)
    let total = count * NARROWEST
    for (let i = 0; i < cells.length && total < lineWidth; i++) {
      const column = down ? Math.floor(i / rows) : i % count
      const width = cells[i]!.width + (column === count - 1 ? 0 : 2)
      if (width > widths[column]!) {
        total += width - widths[column]!
        widths[column] = width
      }
    }
    if (total < lineWidth) return widths
  }
  return [cells.reduce((widest, { width }) => Math.max(widest, width), 0)]
}

/** The rows, each without its newline. `down`: sorted down the columns (-C), not along the rows (-x). */
export function columns(cells: readonly Cell[], lineWidth: number, down: boolean): string[] {
  if (cells.length === 0) return []
  const widths = layout(cells, lineWidth, down)
  const rows = Math.ceil(cells.length / widths.length)
  const lines: string[] = []
  for (let row = 0; row < rows; row++) {
    let line = ''
    let at = 0
    let start = 0
    for (let column = 0; column < widths.length; column++) {
      const cell = cells[down ? column * rows + row : row * widths.length + column]
      if (!cell) break
      if (column > 0) line += indent(at, start)
      line += cell.text
      at = start + cell.width
      start += widths[column]!
    }
    lines.push(line)
  }
  return lines
}

/** -m: commas, as many as fit on a line. */
export function commas(cells: readonly Cell[], lineWidth: number): string[] {
  const lines: string[] = []
  let line = ''
  let at = 0
  cells.forEach(({ text, width }, i) => {
    const more = i < cells.length - 1 ? 2 : 0
    if (at > 0 && at + width + more >= lineWidth) {
      lines.push(line.trimEnd())
      line = ''
      at = 0
    }
    line += text + (more ? ', ' : '')
    at += width + more
  })
  if (cells.length > 0) lines.push(line)
  return lines
}
