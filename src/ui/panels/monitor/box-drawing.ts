/**
 * Line and block characters as strokes: a font's own leave gaps between rows. Each entry says, for left, up, right and down, whether no (0),
 * a single (1) or a double (2) line leaves the middle of the cell.
 */
const arms: Readonly<Record<string, string>> = {
  '─': '1010',
  '│': '0101',
  '┌': '0011',
  '┐': '1001',
  '└': '0110',
  '┘': '1100',
  '├': '0111',
  '┤': '1101',
  '┬': '1011',
  '┴': '1110',
  '┼': '1111',
  '═': '2020',
  '║': '0202',
  '╔': '0022',
  '╗': '2002',
  '╚': '0220',
  '╝': '2200',
  '╠': '0222',
  '╣': '2202',
  '╦': '2022',
  '╩': '2220',
  '╬': '2222',
  '╒': '0021',
  '╕': '2001',
  '╘': '0120',
  '╛': '2100',
  '╞': '0121',
  '╡': '2101',
  '╤': '2021',
  '╧': '2120',
  '╪': '2121',
  '╓': '0012',
  '╖': '1002',
  '╙': '0210',
  '╜': '1200',
  '╟': '0212',
  '╢': '1202',
  '╥': '1012',
  '╨': '1210',
  '╫': '1212',
}

/** Blocks as parts of the cell: x, y, width, height, each in halves. */
const blocks: Readonly<Record<string, readonly [number, number, number, number]>> = {
  '█': [0, 0, 2, 2],
  '▄': [0, 1, 2, 1],
  '▀': [0, 0, 2, 1],
  '▌': [0, 0, 1, 2],
  '▐': [1, 0, 1, 2],
}

const shades: Readonly<Record<string, number>> = { '░': 0.25, '▒': 0.5, '▓': 0.75 }

/** Draw `character` into the cell at (x, y), in the context's fill colour; false when it is an ordinary character. */
export function drawLineCharacter(
  context: CanvasRenderingContext2D,
  character: string,
  x: number,
  y: number,
  width: number,
  height: number,
): boolean {
  const block = blocks[character]
  if (block) {
    const midX = Math.round(width / 2)
    const midY = Math.round(height / 2)
    const [left, top, wide, tall] = block
    context.fillRect(
      x + left * midX,
      y + top * midY,
      wide === 2 ? width : left ? width - midX : midX,
      tall === 2 ? height : top ? height - midY : midY,
    )
    return true
  }
  const shade = shades[character]
  if (shade !== undefined) {
    context.globalAlpha = shade
    context.fillRect(x, y, width, height)
    context.globalAlpha = 1
    return true
  }
  const lines = arms[character]
  if (!lines) return false
  drawArms(context, lines, x, y, width, height)
  return true
}

function drawArms(
  context: CanvasRenderingContext2D,
  lines: string,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  const pen = Math.max(1, Math.round(width / 9))
  const midX = x + Math.floor((width - pen) / 2)
  const midY = y + Math.floor((height - pen) / 2)
  const [left, up, right, down] = Array.from(lines, Number) as [number, number, number, number]
  // A double line is two pens at one pen's distance on either side of the middle.
  const offsets = (kind: number) => (kind === 2 ? [-pen, pen] : kind === 1 ? [0] : [])
  const acrossDouble = up === 2 || down === 2 ? pen : 0
  const alongDouble = left === 2 || right === 2 ? pen : 0
  for (const dy of offsets(left)) context.fillRect(x, midY + dy, midX - x + pen + acrossDouble, pen)
  for (const dy of offsets(right))
    context.fillRect(midX - acrossDouble, midY + dy, x + width - midX + acrossDouble, pen)
  for (const dx of offsets(up)) context.fillRect(midX + dx, y, pen, midY - y + pen + alongDouble)
  for (const dx of offsets(down)) context.fillRect(midX + dx, midY - alongDouble, pen, y + height - midY + alongDouble)
}
