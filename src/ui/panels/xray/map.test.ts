/** The frames' map: how it lies, what a cursor does on it, who owns what, and which cells are drawn anew. */
import { describe, expect, it, test } from 'vitest'
import { TRACE_FREE, TRACE_NO_RAM } from '#abi/tracer.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import { FrameMap, legendRows } from './frame-map.ts'
import { addressMarks, cellAt, cellFrames, layoutMap, moveCell } from './map-layout.ts'

const MIB = 256

describe('the layout', () => {
  it.each([
    ['64 MiB', 64 * MIB, 600, 400, 4],
    ['1 GiB', 1024 * MIB, 600, 400, 4],
    ['1 GiB on a phone', 1024 * MIB, 320, 300, 4],
    ['2 GiB, two pixels in one', 2048 * MIB, 1400, 900, 8],
    ['3 GiB', 3072 * MIB, 400, 250, 4],
    ['a number that no row divides', 262_144 - 16_383, 533, 377, 4],
  ])('of %s shows every frame once, in cells that can be seen, within its room', (_, frames, width, height, least) => {
    const layout = layoutMap(frames, width, height, least)
    expect(layout.cellWidth).toBeGreaterThanOrEqual(least)
    expect(layout.cellHeight).toBeGreaterThanOrEqual(least)
    expect(layout.cellWidth * layout.columns).toBeLessThanOrEqual(width)
    expect(layout.cellHeight * layout.rows).toBeLessThanOrEqual(height)
    expect(layout.cells * layout.framesPerCell).toBeGreaterThanOrEqual(frames)
    expect((layout.cells - 1) * layout.framesPerCell).toBeLessThan(frames)
    expect(layout.rows * layout.columns).toBeGreaterThanOrEqual(layout.cells)
    expect(Math.log2(layout.framesPerCell) % 1).toBe(0)
    expect(cellFrames(layout, layout.cells - 1)[1]).toBe(frames)
  })

  it('has no finer one in that room', () => {
    const layout = layoutMap(1024 * MIB, 600, 400, 4)
    expect((layout.cells * 2 * 16) / (600 * 400)).toBeGreaterThan(1)
  })

  it('is one cell where there is no room for more', () => {
    expect(layoutMap(1024 * MIB, 3, 2, 4)).toMatchObject({ cells: 1, rows: 1, columns: 1 })
  })

  it('marks round addresses, apart from each other', () => {
    const layout = layoutMap(1024 * MIB, 600, 400, 4)
    const marks = addressMarks(layout, 34)
    expect(marks[0]).toEqual({ row: 0, mib: 0 })
    for (const [i, { row, mib }] of marks.entries()) {
      expect(row).toBe(Math.floor((mib * MIB) / (layout.columns * layout.framesPerCell)))
      expect(mib % 32).toBe(0)
      if (i > 0) expect((row - marks[i - 1]!.row) * layout.cellHeight).toBeGreaterThanOrEqual(34)
    }
  })

  it('finds the cell at a point', () => {
    const layout = layoutMap(1024 * MIB, 600, 400, 4)
    const { columns, cellWidth, cellHeight, cells } = layout
    expect(cellAt(layout, 0, 0)).toBe(0)
    expect(cellAt(layout, cellWidth * 3 + 1, cellHeight * 2)).toBe(columns * 2 + 3)
    expect(cellAt(layout, cellWidth * columns, 0)).toBeUndefined()
    expect(cellAt(layout, -1, 0)).toBeUndefined()
    expect(cellAt(layout, 0, Math.ceil(cells / columns) * cellHeight)).toBeUndefined()
  })

  it('moves a cursor by keys, and not off the map', () => {
    const layout = layoutMap(1024 * MIB, 600, 400, 4)
    const { columns, cells } = layout
    expect(moveCell(layout, 5, 'ArrowRight')).toBe(6)
    expect(moveCell(layout, 5, 'ArrowDown')).toBe(5 + columns)
    expect(moveCell(layout, 5, 'ArrowUp')).toBe(5)
    expect(moveCell(layout, 0, 'ArrowLeft')).toBe(0)
    expect(moveCell(layout, 5, 'PageUp')).toBe(0)
    expect(moveCell(layout, 5, 'End')).toBe(cells - 1)
    expect(moveCell(layout, cells - 1, 'PageDown')).toBe(cells - 1)
    expect(moveCell(layout, 5, 'x')).toBeUndefined()
    expect(moveCell(layout, 5, 'toString')).toBeUndefined()
  })
})

/** 64 frames: Xen's, dom0's, free ones, and two that are no RAM. */
const small = (): Uint16Array => {
  const owners = new Uint16Array(64).fill(TRACE_FREE)
  owners.fill(DOMID_XEN, 0, 8).fill(0, 8, 24).fill(TRACE_NO_RAM, 62)
  return owners
}

function mapOf(owners: Uint16Array, framesPerCell = 16): FrameMap {
  const map = new FrameMap()
  map.reset(owners)
  map.grain(framesPerCell)
  map.isNew = false
  return map
}

describe('the owners', () => {
  it('are counted, and kept counted while frames change hands', () => {
    const owners = small()
    const map = mapOf(owners)
    expect([...map.counts]).toEqual([
      [DOMID_XEN, 8],
      [0, 16],
      [TRACE_FREE, 38],
      [TRACE_NO_RAM, 2],
    ])
    expect(map.change(20, 12, 1, 5)).toBe(true)
    owners.fill(1, 20, 32)
    expect(map.counts.get(0)).toBe(12)
    expect(map.counts.get(1)).toBe(12)
    expect(map.counts.get(TRACE_FREE)).toBe(30)
    expect([...map.counts.values()].reduce((sum, frames) => sum + frames)).toBe(64)
  })

  it('are those of a cell, most frames first', () => {
    const map = mapOf(small())
    expect(map.soleOwner(0)).toBeUndefined()
    expect(map.cellOwners(1)).toEqual([
      [0, 8],
      [TRACE_FREE, 8],
    ])
    expect(map.soleOwner(2)).toBe(TRACE_FREE)
  })

  it('change only the cells whose frames have moved', () => {
    const map = mapOf(small())
    map.change(14, 20, 0, 7)
    // 14 to 23 were dom0's before.
    expect(map.takePending()).toEqual([1, 2])
    expect(map.changedAt(2)).toBe(7)
    expect(map.changedAt(0)).toBe(-1)
    expect(map.takePending()).toEqual([])
    map.again(2)
    expect(map.takePending()).toEqual([2])
  })

  it.each([
    [60, 8],
    [-1, 2],
    [1e9, 1],
  ])('of frames that are not on the map are none: %d and %d more', (first, count) => {
    const map = mapOf(small())
    expect(map.change(first, count, 1, 0)).toBe(false)
    expect(map.counts.has(1)).toBe(false)
  })
})

test('the legend’s rounded figures add up to the total’s', () => {
  const counts = new Map([
    [TRACE_FREE, 1000],
    [3, 0],
    [1, 333],
    [DOMID_XEN, 333],
    [0, 333],
    [TRACE_NO_RAM, 4096],
  ])
  const rows = legendRows(counts, (owner) => (owner === DOMID_XEN ? -1 : owner))
  expect(rows.map(({ owner }) => owner)).toEqual([DOMID_XEN, 0, 1, TRACE_FREE])
  expect(rows.reduce((sum, { tenths }) => sum + tenths, 0)).toBe(Math.round(1999 / 25.6))
  for (const { frames, tenths } of rows.slice(0, -1)) expect(tenths).toBe(Math.round(frames / 25.6))
  // Whole MiB stay what they are.
  expect(legendRows(new Map([[1, 128 * MIB]]), (owner) => owner)).toEqual([
    { owner: 1, frames: 128 * MIB, tenths: 1280 },
  ])
})
