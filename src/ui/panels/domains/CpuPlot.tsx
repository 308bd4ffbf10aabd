/** Processor use over the last minute of virtual time. The canvas is drawn by uPlot; its colours are the theme's. */
import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { type CpuPoints, HISTORY_SECONDS } from './history.ts'

const HEIGHT = 56
const LABEL_STEPS = [10, 20, 30, 60]

interface CpuPlotProps {
  readonly points: CpuPoints
  readonly vcpus: number
  readonly name: string
  readonly percent: number
  readonly visible: boolean
}

export default function CpuPlot({ points, vcpus, name, percent, visible }: CpuPlotProps) {
  const t = useTranslate()
  const holder = useRef<HTMLDivElement>(null)
  const [plot, setPlot] = useState<uPlot>()
  const theme = usePlayground((state) => state.theme)
  const lang = usePlayground((state) => state.lang)
  const most = Math.max(1, vcpus) * 100
  const [width, setWidth] = useState(0)

  useEffect(() => {
    const element = holder.current
    if (!element) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // A canvas knows no custom properties: another theme is another plot, and so is another language of its labels.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the words are the language's, the colours the theme's
  useEffect(() => {
    const element = holder.current
    if (!element) return
    let made: uPlot | undefined
    // The document has a new theme's colours once the whole page has been rendered: this is a part of it.
    const frame = requestAnimationFrame(() => {
      made = new uPlot(
        options(element, most, (seconds) => t('domains.axis.seconds', { seconds })),
        [[], []],
        element,
      )
      setPlot(made)
    })
    return () => {
      cancelAnimationFrame(frame)
      made?.destroy()
      setPlot(undefined)
    }
  }, [theme, lang, most])

  useEffect(() => {
    // Nobody looks at a panel that stands behind another.
    if (!plot || !visible || width === 0) return
    if (plot.width !== width) plot.setSize({ width, height: HEIGHT })
    plot.setData([points.seconds, points.percent])
  }, [plot, points, visible, width])

  return (
    <div
      ref={holder}
      className="domains-plot"
      role="img"
      data-testid={testIds.domainsPlot}
      aria-label={t('domains.cpu.plot', { name, seconds: HISTORY_SECONDS, percent })}
    />
  )
}

function options(element: HTMLElement, most: number, label: (seconds: number) => string): uPlot.Options {
  const style = getComputedStyle(element)
  const token = (name: string): string => style.getPropertyValue(name).trim()
  const muted = token('--text-muted')
  const line = token('--line')
  const stepped = uPlot.paths.stepped?.({ align: -1 })
  const font = `10px ${token('--font-ui')}`
  return {
    width: Math.max(element.clientWidth, 60),
    height: HEIGHT,
    padding: [7, 14, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    // A machine that is younger than the window fills it from the left.
    scales: {
      x: {
        time: false,
        range: (_, __, last) => [Math.max(0, last - HISTORY_SECONDS), Math.max(last, HISTORY_SECONDS)],
      },
      y: { range: [0, most] },
    },
    series: [
      {},
      {
        stroke: token('--hue'),
        fill: token('--hue-soft'),
        width: 1.5,
        points: { show: false },
        ...(stepped ? { paths: stepped } : {}),
      },
    ],
    axes: [
      {
        stroke: muted,
        font,
        size: 16,
        gap: 2,
        incrs: LABEL_STEPS,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        values: (_, splits) => splits.map((second) => (second < 0 ? '' : label(second))),
      },
      {
        stroke: muted,
        font,
        size: 30,
        gap: 2,
        splits: [0, most],
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        values: (_, splits) => splits.map((percent) => `${percent}`),
      },
    ],
  }
}
