/**
 * How a machine's frames lie in a picture: rows of cells, each cell a power of two of frames, the lowest addresses on
 * top. Lengths are pixels of the screen, so that every cell is equally large.
 */

export interface MapLayout {
  readonly frames: number
  /** A power of two. */
  readonly framesPerCell: number
  readonly columns: number
  readonly rows: number
  readonly cells: number
  readonly cellWidth: number
  readonly cellHeight: number
}

/** Rows are of a multiple of so many cells. */
const COLUMNS_STEP = 8
/** A cell is at most so much longer one way than the other. */
const OBLONG_MAX = 3

/** The finest map of `frames` in `width` by `height` whose cells are at least `least` long either way; of these the one that fills most. */
export function layoutMap(frames: number, width: number, height: number, least: number): MapLayout {
  for (let framesPerCell = 1; ; framesPerCell *= 2) {
    let best: MapLayout | undefined
    let bestArea = 0
    for (let columns = COLUMNS_STEP; columns * least <= width; columns += COLUMNS_STEP) {
      const rows = Math.max(1, Math.ceil(frames / (columns * framesPerCell)))
      const cellWidth = Math.floor(width / columns)
      const cellHeight = Math.min(Math.floor(height / rows), cellWidth * OBLONG_MAX)
      if (cellWidth < least || cellHeight < least || cellWidth > cellHeight * OBLONG_MAX) continue
      const area = cellWidth * columns * cellHeight * rows
      if (area <= bestArea) continue
      bestArea = area
      const cells = Math.ceil(frames / framesPerCell)
      best = { frames, framesPerCell, columns, rows, cells, cellWidth, cellHeight }
    }
    if (best) return best
    // So little room that not even one row fits: nobody can see anything anyway.
    if (framesPerCell >= frames) {
      const [columns, cellWidth, cellHeight] = [1, Math.max(1, width), Math.max(1, height)]
      return { frames, framesPerCell, columns, rows: 1, cells: 1, cellWidth, cellHeight }
    }
  }
}

/** First frame of a cell and the first after it. */
export function cellFrames(layout: MapLayout, cell: number): readonly [first: number, end: number] {
  const first = cell * layout.framesPerCell
  return [first, Math.min(first + layout.framesPerCell, layout.frames)]
}

/** The cell at a point; undefined where there is none. */
export function cellAt(layout: MapLayout, x: number, y: number): number | undefined {
  const column = Math.floor(x / layout.cellWidth)
  const row = Math.floor(y / layout.cellHeight)
  const cell = row * layout.columns + column
  return column >= 0 && column < layout.columns && row >= 0 && cell < layout.cells ? cell : undefined
}

const MIB_FRAMES = 256

export interface AddressMark {
  /** The row in which the address is. */
  readonly row: number
  readonly mib: number
}

/** Round machine addresses, at least `apart` pixels from each other. */
export function addressMarks(layout: MapLayout, apart: number): AddressMark[] {
  const rowFrames = layout.columns * layout.framesPerCell
  const least = (Math.ceil(apart / layout.cellHeight) * rowFrames) / MIB_FRAMES
  let step = 1
  while (step < least) step *= 2
  const marks: AddressMark[] = []
  for (let mib = 0; mib * MIB_FRAMES < layout.frames; mib += step)
    marks.push({ row: Math.floor((mib * MIB_FRAMES) / rowFrames), mib })
  return marks
}

/** Where a cursor goes by a key; undefined: the key is none of its. */
export function moveCell(layout: MapLayout, cell: number, key: string): number | undefined {
  const page = layout.columns * Math.max(1, Math.floor(layout.rows / 8))
  const by: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -layout.columns,
    ArrowDown: layout.columns,
    PageUp: -page,
    PageDown: page,
    Home: -cell,
    End: layout.cells - 1 - cell,
  }
  const step = Object.hasOwn(by, key) ? by[key] : undefined
  if (step === undefined) return undefined
  const next = cell + step
  if (next >= 0 && next < layout.cells) return next
  // Up and down stop at the edge, in the same column.
  return key.startsWith('Arrow') ? cell : Math.min(Math.max(next, 0), layout.cells - 1)
}
