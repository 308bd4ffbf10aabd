/** A window on virtual time: how much of it is seen, where it ends, and whether it goes with the present. */

export interface TimeView {
  readonly spanNs: number
  /** The right edge; undefined: now, whenever that is. */
  readonly endNs: number | undefined
}

const MS = 1e6
export const SPANS_NS = [10 * MS, 100 * MS, 1000 * MS, 10_000 * MS] as const
const SPAN_LEAST_NS = 10_000
const SPAN_MOST_NS = 60_000 * MS

/** What there is to look at. */
export interface TimeRange {
  readonly startNs: number
  readonly nowNs: number
}

export const viewEnd = ({ endNs }: TimeView, { nowNs }: TimeRange): number => endNs ?? nowNs

export const freeze = (view: TimeView, range: TimeRange): TimeView => ({ ...view, endNs: viewEnd(view, range) })

/** Half a window beyond either end may be seen, so that what is there can be brought to the middle. */
function within(view: TimeView, range: TimeRange): TimeView {
  const { spanNs, endNs } = view
  if (endNs === undefined) return view
  const least = Math.min(range.startNs + spanNs / 2, range.nowNs)
  return { spanNs, endNs: Math.min(Math.max(endNs, least), range.nowNs + spanNs / 2) }
}

/** To earlier times with `byNs` below 0. What moves stands still from then on. */
export function pan(view: TimeView, byNs: number, range: TimeRange): TimeView {
  return within({ ...view, endNs: viewEnd(view, range) + byNs }, range)
}

/** `factor` above 1 shows more time. What lies at `atNs` stays where it is; a live view keeps its right edge. */
export function zoom(view: TimeView, factor: number, atNs: number, range: TimeRange): TimeView {
  const spanNs = Math.min(Math.max(view.spanNs * factor, SPAN_LEAST_NS), SPAN_MOST_NS)
  if (view.endNs === undefined) return { ...view, spanNs }
  return within({ spanNs, endNs: atNs + (view.endNs - atNs) * (spanNs / view.spanNs) }, range)
}

/** Marks of a time axis: round times, `apart` pixels from each other or more. */
export function timeMarks(startNs: number, spanNs: number, width: number, apart: number): number[] {
  const least = (spanNs * apart) / Math.max(width, 1)
  let step = 1
  while (step < least) step *= String(step).startsWith('2') ? 2.5 : 2
  const marks: number[] = []
  for (let mark = Math.ceil(startNs / step) * step; mark <= startNs + spanNs; mark += step) marks.push(mark)
  return marks
}

/** Seconds with as many decimals as `stepNs` needs. */
export function secondsText(ns: number, stepNs: number): string {
  let decimals = 0
  while (decimals < 9 && Math.round(stepNs) % 10 ** (9 - decimals) !== 0) decimals++
  return (ns / 1e9).toFixed(decimals)
}
