/** Hypercalls a second over the last seconds, each domain's on top of the one before. */
import { type DomainCalls, PLOT_SECONDS } from './calls.ts'
import { count } from './use-figures.ts'
import type { Stage } from './use-stage.ts'

const AXIS_HEIGHT = 18
const TOP = 16

/** 1, 2, 5, 10, ...: the next that is not less. */
export function niceCeiling(value: number): number {
  let step = 10
  while (step < value) step *= String(step).startsWith('2') ? 2.5 : 2
  return step
}

export function paintCalls(stage: Stage, domains: readonly DomainCalls[], words: (seconds: number) => string): void {
  const { context, width, height, ratio, palette } = stage
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  const parts = domains[0]?.series.length ?? 0
  const sums = Array.from({ length: parts }, (_, i) => domains.reduce((sum, { series }) => sum + (series[i] ?? 0), 0))
  const most = niceCeiling(Math.max(0, ...sums))
  const [bottom, room] = [height - AXIS_HEIGHT, height - AXIS_HEIGHT - TOP]
  context.font = `11px ${palette.fontUi}`
  context.textBaseline = 'middle'
  context.fillStyle = palette.line
  for (const share of [0, 0.5, 1]) context.fillRect(0, Math.round(bottom - share * room), width, 1)
  const under = new Float64Array(parts)
  const part = width / Math.max(parts, 1)
  for (const { domid, series } of domains) {
    context.fillStyle = palette.domain(domid)
    series.forEach((value, i) => {
      const [base, high] = [(under[i]! / most) * room, (value / most) * room]
      // Whole pixels, side by side: no seams.
      const [from, to] = [Math.round(i * part), Math.round((i + 1) * part)]
      context.fillRect(from, bottom - base - high, to - from, high)
      under[i]! += value
    })
  }
  context.fillStyle = palette.muted
  context.fillText(count(most), 2, TOP / 2)
  for (let second = 0; second <= PLOT_SECONDS; second += 2) {
    const text = words(second - PLOT_SECONDS)
    const x = (second / PLOT_SECONDS) * width
    const half = context.measureText(text).width / 2
    context.fillText(text, Math.min(Math.max(x - half, 0), width - half * 2), height - AXIS_HEIGHT / 2)
  }
}
