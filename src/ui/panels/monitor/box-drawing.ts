/**
 * Line and block characters, computed, so that they join from cell to cell. Each entry says, for left, up, right and down, whether no (0),
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

/** Blocks as parts of the cell: first and last column, first and last row. */
const blocks: Readonly<Record<string, readonly [number, number, number, number]>> = {
  '█': [0, 8, 0, 15],
  '▄': [0, 8, 8, 15],
  '▀': [0, 8, 0, 7],
  '▌': [0, 3, 0, 15],
  '▐': [4, 8, 0, 15],
}

/** Of each four pixels in a square, how many are lit. */
const shades: Readonly<Record<string, number>> = { '░': 1, '▒': 2, '▓': 3 }

const COLUMNS = 9
const ROWS = 16
/** A single line's place; a double one's two are beside it. */
const MIDDLE_COLUMN = 4
const MIDDLE_ROW = 7

/** The cell of `character`: sixteen rows, the leftmost of nine columns in bit 8. Undefined: it is an ordinary character. */
export function lineGlyph(character: string): Uint16Array | undefined {
  const block = blocks[character]
  if (block) {
    const [left, right, top, bottom] = block
    return painted((x, y) => x >= left && x <= right && y >= top && y <= bottom)
  }
  const shade = shades[character]
  if (shade !== undefined) return painted((x, y) => shadeLit(shade, x, y))
  const lines = arms[character]
  return lines === undefined ? undefined : armsGlyph(lines)
}

function painted(lit: (x: number, y: number) => boolean): Uint16Array {
  return Uint16Array.from({ length: ROWS }, (_, y) => {
    let row = 0
    for (let x = 0; x < COLUMNS; x++) if (lit(x, y)) row |= 1 << (COLUMNS - 1 - x)
    return row
  })
}

function shadeLit(shade: number, x: number, y: number): boolean {
  if (shade === 2) return (x + y) % 2 === 0
  const sparse = x % 2 === 0 && (x + 2 * y) % 4 === 0
  return shade === 1 ? sparse : !sparse
}

/** A line's distances from the middle of a double one, and of a single one. */
const OFFSETS: readonly (readonly number[])[] = [[], [0], [-1, 1]]

/**
 * How far from the middle a line of an arm ends, on the arm's own side (1), in it or beyond it (-1), so that doubles make hollow corners.
 * `offset`: the line's own; `before`, `after`: the arms across on the side of -1 and of 1; `opposite`: the arm that goes on.
 */
function armEnd(offset: number, before: number, after: number, opposite: number): number {
  if (offset === 0) {
    if (opposite > 0 || (before !== 2 && after !== 2)) return 0
    return before === after ? 1 : -1
  }
  const [near, far] = offset < 0 ? [before, after] : [after, before]
  if (near === 2) return 1
  return near === 0 && far === 2 ? -1 : 0
}

function armsGlyph(lines: string): Uint16Array {
  const [left, up, right, down] = Array.from(lines, Number) as [number, number, number, number]
  const lit = (along: number, across: number, negative: number, positive: number, before: number, after: number) =>
    (OFFSETS[negative]!.includes(across) && -along >= armEnd(across, before, after, positive)) ||
    (OFFSETS[positive]!.includes(across) && along >= armEnd(across, before, after, negative))
  return painted((x, y) => {
    const dx = x - MIDDLE_COLUMN
    const dy = y - MIDDLE_ROW
    return lit(dx, dy, left, right, up, down) || lit(dy, dx, up, down, left, right)
  })
}
