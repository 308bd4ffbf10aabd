/** The picture of the frames: pixels, of which only those of changed cells are made anew. */
import { TRACE_NO_RAM } from '#abi/tracer.ts'
import type { FrameMap } from './frame-map.ts'
import { layoutMap, type MapLayout } from './map-layout.ts'
import { mixPixels, type Palette } from './palette.ts'

/** A cell that has changed shows it for so long. */
const FLASH_MS = 700
const FLASH_SHARE = 0.8
/** Cells have a gap between them as soon as there is room for one. */
const GAP_FROM = 7

export class MapPicture {
  readonly #frames: FrameMap
  #layout: MapLayout | undefined
  #image: ImageData | undefined
  #pixels = new Uint32Array(0)
  #palette: Palette | undefined

  constructor(frames: FrameMap) {
    this.#frames = frames
  }

  get layout(): MapLayout | undefined {
    return this.#layout
  }

  /** Draw what has changed; true: something still flashes. `least`: of a cell's sides. */
  paint(context: CanvasRenderingContext2D, palette: Palette, least: number, nowMs: number, flashes: boolean): boolean {
    const { width, height } = context.canvas
    const frames = this.#frames
    if (frames.owners.length === 0 || width === 0 || height === 0) return false
    const layout = this.#layoutFor(width, height, least)
    const isNew = frames.isNew || this.#palette !== palette
    this.#palette = palette
    if (isNew) {
      frames.isNew = false
      this.#pixels.fill(0)
      for (let cell = 0; cell < layout.cells; cell++) this.#cell(layout, cell, palette, 0)
    }
    let [top, bottom] = [isNew ? 0 : layout.rows, isNew ? layout.rows : 0]
    let isLit = false
    for (const cell of frames.takePending()) {
      const age = nowMs - frames.changedAt(cell)
      const light = flashes && age < FLASH_MS ? 1 - age / FLASH_MS : 0
      this.#cell(layout, cell, palette, light)
      if (light > 0) {
        frames.again(cell)
        isLit = true
      }
      const row = Math.floor(cell / layout.columns)
      top = Math.min(top, row)
      bottom = Math.max(bottom, row + 1)
    }
    if (bottom > top && this.#image)
      context.putImageData(this.#image, 0, 0, 0, top * layout.cellHeight, width, (bottom - top) * layout.cellHeight)
    return isLit
  }

  #layoutFor(width: number, height: number, least: number): MapLayout {
    const count = this.#frames.owners.length
    const isSame =
      this.#image && this.#image.width === width && this.#image.height === height && this.#layout?.frames === count
    if (isSame && this.#layout) return this.#layout
    this.#layout = layoutMap(count, width, height, least)
    this.#image = new ImageData(width, height)
    this.#pixels = new Uint32Array(this.#image.data.buffer)
    this.#frames.grain(this.#layout.framesPerCell)
    return this.#layout
  }

  /** Its owner's colour; where there are several, each has a share of its height. */
  #cell(layout: MapLayout, cell: number, palette: Palette, light: number): void {
    const owner = this.#frames.soleOwner(cell)
    if (owner !== undefined) {
      this.#fill(layout, cell, 0, 1, owner, palette, light)
      return
    }
    const owners = this.#frames.cellOwners(cell)
    const total = owners.reduce((sum, [, frames]) => sum + frames, 0)
    let from = 0
    for (const [part, frames] of owners) {
      this.#fill(layout, cell, from / total, (from + frames) / total, part, palette, light)
      from += frames
    }
  }

  #fill(
    layout: MapLayout,
    cell: number,
    from: number,
    to: number,
    owner: number,
    palette: Palette,
    light: number,
  ): void {
    const { columns, cellWidth, cellHeight } = layout
    const gap = cellWidth >= GAP_FROM && cellHeight >= GAP_FROM ? 1 : 0
    const stride = this.#image!.width
    const left = (cell % columns) * cellWidth
    const top = Math.floor(cell / columns) * cellHeight
    const colour = palette.ownerPixel(owner)
    const lit =
      owner === TRACE_NO_RAM || light === 0 ? colour : mixPixels(colour, palette.textPixel, light * FLASH_SHARE)
    const high = cellHeight - gap
    for (let y = Math.round(from * high); y < Math.round(to * high); y++) {
      const start = (top + y) * stride + left
      this.#pixels.fill(lit, start, start + cellWidth - gap)
    }
  }
}
