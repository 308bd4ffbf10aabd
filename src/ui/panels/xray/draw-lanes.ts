/** The schedule's picture: a lane for each processor and each vCPU over a window of virtual time. */
import { RUNSTATE_blocked, RUNSTATE_runnable, RUNSTATE_running } from '#abi/xen/vcpu.ts'
import type { LaneRow } from './lane-rows.ts'
import { coverage, domidOf, IDLE, stateOf, UNKNOWN } from './lanes.ts'
import type { Palette } from './palette.ts'
import { secondsText, timeMarks } from './timeline.ts'
import type { Stage } from './use-stage.ts'

const AXIS_HEIGHT = 22
const ROW_MOST = 34
export const ROW_LEAST = 20
const HEAD_GAP = 10
const MARK_APART = 96
const LABEL_GAP = 8
/** However short it was, it can be seen: so much of a lane's height at least. */
const LEAST_SHARE = 0.3

export interface LanesPicture {
  readonly rows: readonly LaneRow[]
  readonly label: (row: LaneRow) => string
  readonly seconds: (seconds: string) => string
  readonly startNs: number
  readonly endNs: number
  /** The present: nothing is known beyond. */
  readonly nowNs: number
  /** Where somebody looks. */
  readonly cursorNs: number | undefined
  /** How far rows have been scrolled up. */
  readonly scrollTop: number
}

/** Where the lanes are in the picture. */
export interface LanesPlace {
  readonly left: number
  readonly width: number
}

/** As high as all rows need. */
export const lanesHeight = (rows: number): number => AXIS_HEIGHT + HEAD_GAP + rows * ROW_LEAST

export function paintLanes(stage: Stage, picture: LanesPicture): LanesPlace {
  const { context, width, height, ratio, palette } = stage
  const { rows, startNs, endNs } = picture
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  const room = (height - AXIS_HEIGHT - HEAD_GAP) / Math.max(rows.length, 1)
  const rowHeight = Math.max(ROW_LEAST, Math.min(ROW_MOST, Math.floor(room)))
  context.font = `${width < 420 ? 11 : 12.5}px ${palette.fontUi}`
  const labels = rows.map(picture.label)
  const longest = Math.max(0, ...labels.map((label) => context.measureText(label).width))
  const left = Math.ceil(Math.min(longest + LABEL_GAP * 2, width * 0.36))
  const place = { left, width: Math.max(1, Math.floor(width - left - LABEL_GAP)) }
  paintAxis(stage, picture, place)
  context.save()
  context.beginPath()
  context.rect(0, AXIS_HEIGHT, width, height - AXIS_HEIGHT)
  context.clip()
  let top = AXIS_HEIGHT - picture.scrollTop
  rows.forEach((row, i) => {
    if (row.kind === 'vcpu' && rows[i - 1]?.kind === 'cpu') {
      top += HEAD_GAP
      context.fillStyle = palette.lineStrong
      context.fillRect(0, Math.round(top - HEAD_GAP / 2), width, 1)
    }
    if (top + rowHeight > AXIS_HEIGHT && top < height) {
      paintLabel(context, labels[i]!, left, top, rowHeight, row, palette)
      paintRow(context, row, picture, place, top + 2, rowHeight - 4, palette)
    }
    top += rowHeight
  })
  context.restore()
  if (picture.cursorNs !== undefined && picture.cursorNs >= startNs && picture.cursorNs <= endNs) {
    const x = place.left + ((picture.cursorNs - startNs) / (endNs - startNs)) * place.width
    context.fillStyle = palette.text
    context.fillRect(Math.round(x), AXIS_HEIGHT - 6, 1, top - AXIS_HEIGHT + 6)
  }
  return place
}

function paintAxis({ context, height, palette }: Stage, picture: LanesPicture, { left, width }: LanesPlace): void {
  const { startNs, endNs } = picture
  const marks = timeMarks(startNs, endNs - startNs, width, MARK_APART)
  const step = marks.length > 1 ? marks[1]! - marks[0]! : endNs - startNs
  context.textBaseline = 'middle'
  for (const mark of marks) {
    if (mark < 0) continue
    const x = left + ((mark - startNs) / (endNs - startNs)) * width
    context.fillStyle = palette.line
    context.fillRect(Math.round(x), AXIS_HEIGHT - 5, 1, height - AXIS_HEIGHT + 5)
    const text = picture.seconds(secondsText(mark, step))
    const half = context.measureText(text).width / 2
    context.fillStyle = palette.muted
    // Half a number is worse than none.
    if (x - half >= 0 && x + half <= left + width + LABEL_GAP) context.fillText(text, x - half, AXIS_HEIGHT / 2 - 1)
  }
}

function paintLabel(
  context: CanvasRenderingContext2D,
  label: string,
  left: number,
  top: number,
  height: number,
  row: LaneRow,
  palette: Palette,
): void {
  context.save()
  context.beginPath()
  context.rect(0, top, left - LABEL_GAP / 2, height)
  context.clip()
  context.textBaseline = 'middle'
  context.fillStyle = row.kind === 'cpu' ? palette.xen : palette.domain(row.domid)
  context.fillRect(0, top + 4, 3, height - 8)
  context.fillStyle = palette.text
  context.fillText(label, LABEL_GAP, top + height / 2)
  context.restore()
}

function paintRow(
  context: CanvasRenderingContext2D,
  row: LaneRow,
  { startNs, endNs, nowNs }: LanesPicture,
  place: LanesPlace,
  top: number,
  height: number,
  palette: Palette,
): void {
  const { left, width } = place
  const knownNs = Math.min(endNs, nowNs)
  if (knownNs <= startNs) return
  const columns = Math.max(1, Math.round((width * (knownNs - startNs)) / (endNs - startNs)))
  const kindOf = row.kind === 'cpu' ? (value: number) => (value < 0 ? value : domidOf(value)) : stateOf
  const kinds = coverage(row.lane, startNs, knownNs, columns, kindOf)
  // A line along the bottom: it is there, and has nothing to do.
  const resting = kinds.get(row.kind === 'cpu' ? IDLE : RUNSTATE_blocked)
  if (resting) paintColumns(context, resting, left, top + height - 2, 2, palette.lineStrong)
  const unknown = kinds.get(UNKNOWN)
  if (unknown) paintColumns(context, unknown, left, top, height, palette.raised)
  const under = new Float32Array(columns)
  const stack = (kind: number, colour: string): void => {
    const parts = kinds.get(kind)
    if (parts) paintColumns(context, parts, left, top, height, colour, under)
  }
  if (row.kind === 'cpu')
    for (const domid of [...kinds.keys()].filter((kind) => kind >= 0).sort((a, b) => a - b))
      stack(domid, palette.domain(domid))
  else {
    stack(RUNSTATE_running, palette.domain(row.domid))
    stack(RUNSTATE_runnable, palette.machine)
  }
}

/** Runs of equal columns are one rectangle; a part of a column is as much lower. On top of `under`, which grows by it. */
function paintColumns(
  context: CanvasRenderingContext2D,
  parts: Float32Array,
  left: number,
  top: number,
  height: number,
  colour: string,
  under?: Float32Array,
): void {
  context.fillStyle = colour
  for (let x = 0; x < parts.length; ) {
    const part = parts[x]!
    const base = under?.[x] ?? 0
    let end = x + 1
    while (end < parts.length && parts[end] === part && (under?.[end] ?? 0) === base) end++
    const high = part > 0 ? Math.max(part * height, base > 0 ? 1 : LEAST_SHARE * height) : 0
    if (high > 0) context.fillRect(left + x, top + height - base * height - high, end - x, high)
    if (under) for (let i = x; i < end; i++) under[i]! += part
    x = end
  }
}
