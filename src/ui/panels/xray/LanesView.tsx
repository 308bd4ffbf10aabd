/** The schedule: who ran when on which processor, and what each vCPU did meanwhile, in a window of virtual time that can be stopped and moved. */
import { useEffect, useRef, useState } from 'react'
import { PauseIcon, RunIcon } from '../../icons.tsx'
import { testIds } from '../../test-ids.ts'
import { type LanesPlace, lanesHeight, paintLanes, ROW_LEAST } from './draw-lanes.ts'
import { LanesTable } from './LanesTable.tsx'
import { type LaneRow, laneRows } from './lane-rows.ts'
import { lanesWords } from './lane-words.ts'
import type { ViewProps } from './MapView.tsx'
import { Keep } from './Tools.tsx'
import { freeze, pan, SPANS_NS, type TimeRange, type TimeView, viewEnd, zoom } from './timeline.ts'
import { useFigures } from './use-figures.ts'
import { motionIsReduced, useStage } from './use-stage.ts'
import { useTimePointer } from './use-time-pointer.ts'
import { useWords } from './use-words.ts'

const SECOND_NS = 1e9
/** Of so short a window another picture comes each quarter of a second: nobody could follow it going by. */
const STILL_MS = 250
const REDUCED_MS = 1000
/** The cursor goes through the window in so many steps. */
const STEPS = 50

interface LanesProps extends ViewProps {
  /** In a part of the panel: the picture alone. */
  readonly brief: boolean
}

export function LanesView({ model, names, visible, brief }: LanesProps) {
  const say = useWords()
  const canvas = useRef<HTMLCanvasElement>(null)
  const scroll = useRef<HTMLDivElement>(null)
  const place = useRef<LanesPlace>({ left: 0, width: 1 })
  const [view, setView] = useState<TimeView>({ spanNs: SECOND_NS, endNs: undefined })
  const [cursorNs, setCursorNs] = useState<number>()
  const words = lanesWords(say, names, brief)
  const range = (): TimeRange => {
    const { nowNs } = model
    return { startNs: Math.min(model.lanes.startNs, nowNs), nowNs }
  }
  const rowsNow = (): LaneRow[] => laneRows(model.lanes, viewEnd(view, range()) - view.spanNs)
  const rowCount = useFigures(visible, () => rowsNow().length)
  const isLive = view.endNs === undefined

  const ask = useStage(canvas, visible, (stage) => {
    const { nowNs } = model
    const endNs = viewEnd(view, { startNs: 0, nowNs })
    place.current = paintLanes(stage, {
      rows: rowsNow(),
      label: words.label,
      seconds: (seconds) => say('lanes.seconds', { seconds }),
      startNs: endNs - view.spanNs,
      endNs,
      nowNs,
      cursorNs,
      scrollTop: scroll.current?.scrollTop ?? 0,
    })
    if (!isLive) return undefined
    if (motionIsReduced()) return REDUCED_MS
    // No sooner than there is another pixel to see.
    return view.spanNs < SECOND_NS / 2 ? STILL_MS : Math.max(0, view.spanNs / 1e6 / place.current.width - 1)
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is shown is drawn
  useEffect(ask, [ask, view, cursorNs, say, names])
  // What stands still still learns of names and of memory that was forgotten.
  useEffect(() => (visible && !isLive ? model.onChange(ask) : undefined), [model, visible, isLive, ask])

  const timeAt = (x: number): number => {
    const { left, width } = place.current
    return viewEnd(view, range()) - view.spanNs + (Math.min(Math.max(x - left, 0), width) / width) * view.spanNs
  }
  const pointer = useTimePointer({
    zoom: (factor, x) => setView(zoom(view, factor, timeAt(x), range())),
    pan: (pixels) => setView(pan(view, (-pixels / place.current.width) * view.spanNs, range())),
    point: (x) => setCursorNs(x === undefined ? undefined : timeAt(x)),
  })

  function onKey(key: string): boolean {
    const still = freeze(view, range())
    const endNs = viewEnd(still, range())
    const startNs = endNs - view.spanNs
    const at = Math.min(Math.max(cursorNs ?? endNs, startNs), endNs)
    const step = view.spanNs / STEPS
    const move = (toNs: number): void => {
      const beyond = toNs < startNs ? toNs - startNs : toNs > endNs ? toNs - endNs : 0
      setView(beyond === 0 ? still : pan(still, beyond, range()))
      setCursorNs(toNs)
    }
    if (key === 'ArrowLeft') move(at - step)
    else if (key === 'ArrowRight') move(Math.min(at + step, range().nowNs))
    else if (key === 'PageUp') setView(pan(still, -view.spanNs / 2, range()))
    else if (key === 'PageDown') setView(pan(still, view.spanNs / 2, range()))
    else if (key === 'Home') move(range().startNs)
    else if (key === 'End') setView({ ...view, endNs: undefined })
    else if (key === '+' || key === '=') setView(zoom(view, 0.5, at, range()))
    else if (key === '-') setView(zoom(view, 2, at, range()))
    else if (key === 'ArrowUp') scroll.current?.scrollBy(0, -ROW_LEAST)
    else if (key === 'ArrowDown') scroll.current?.scrollBy(0, ROW_LEAST)
    else if (key === ' ') setView(isLive ? still : { ...view, endNs: undefined })
    else return false
    return true
  }

  const atNs = cursorNs ?? viewEnd(view, range())
  const text = useFigures(visible, () => words.at(rowsNow(), atNs, view.spanNs))
  return (
    <div className="xray-lanes-view">
      <div className="xray-tools">
        <fieldset className="segments" aria-label={say('lanes.span')}>
          {SPANS_NS.map((spanNs) => (
            <button
              key={spanNs}
              type="button"
              className="segment small"
              aria-pressed={view.spanNs === spanNs}
              data-testid={testIds.xraySpan}
              onClick={() => setView(zoom(view, spanNs / view.spanNs, viewEnd(view, range()), range()))}
            >
              {spanNs < SECOND_NS
                ? say('lanes.span.ms', { ms: spanNs / 1e6 })
                : say('lanes.span.s', { s: spanNs / SECOND_NS })}
            </button>
          ))}
        </fieldset>
        <button
          type="button"
          className="button small"
          data-testid={testIds.xrayPause}
          onClick={() => setView(isLive ? freeze(view, range()) : { ...view, endNs: undefined })}
        >
          {isLive ? <PauseIcon /> : <RunIcon />}
          {say(isLive ? 'lanes.pause' : 'lanes.go')}
        </button>
        {!brief && <Keep model={model} />}
        <StatesKey say={say} />
      </div>
      <div
        className="xray-lanes"
        role="slider"
        tabIndex={0}
        aria-label={words.window(viewEnd(view, range()), view.spanNs)}
        aria-valuemin={0}
        aria-valuemax={Math.max(1, Math.round(range().nowNs / 1e3))}
        aria-valuenow={Math.round(atNs / 1e3)}
        aria-valuetext={text}
        data-testid={testIds.xrayLanes}
        data-live={isLive}
        onKeyDown={(event) => {
          if (!event.ctrlKey && !event.metaKey && !event.altKey && onKey(event.key)) event.preventDefault()
        }}
        ref={pointer.attach}
        {...pointer.handlers}
      >
        <div aria-hidden="true" className="xray-picture">
          <canvas ref={canvas} />
        </div>
        <div ref={scroll} className="xray-scroll" onScroll={ask}>
          <div style={{ height: `${lanesHeight(rowCount)}px` }} />
        </div>
      </div>
      <p className="xray-says" data-testid={testIds.xrayLanesCursor}>
        {cursorNs === undefined && !brief ? say('lanes.hint') : text}
      </p>
      {!brief && <LanesTable model={model} names={names} visible={visible} view={view} />}
    </div>
  )
}

const KEYS = ['running', 'runnable', 'blocked'] as const

function StatesKey({ say }: { say: ReturnType<typeof useWords> }) {
  return (
    <ul className="xray-key">
      {KEYS.map((state) => (
        <li key={state}>
          <span className={`xray-state ${state}`} aria-hidden="true" />
          {say(`lanes.${state}`)}
        </li>
      ))}
    </ul>
  )
}
