/** Memory: every frame of the machine as part of a cell, in its owner's colour; beside it who owns how much. */
import { type PointerEvent, useEffect, useRef, useState } from 'react'
import { testIds } from '../../test-ids.ts'
import { MapPicture } from './draw-map.ts'
import { Legend } from './Legend.tsx'
import { addressMarks, cellAt, cellFrames, type MapLayout, moveCell } from './map-layout.ts'
import type { XrayModel } from './model.ts'
import type { Names } from './names.ts'
import { useFigures } from './use-figures.ts'
import { motionIsReduced, useStage } from './use-stage.ts'
import { type Say, useWords } from './use-words.ts'

const LEAST_CELL = 4
const MARKS_APART = 34
const FRAME_KIB = 4
const MIB_KIB = 1024

export interface ViewProps {
  readonly model: XrayModel
  readonly names: Names
  readonly visible: boolean
}

export function MapView({ model, names, visible }: ViewProps) {
  const say = useWords()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [picture] = useState(() => new MapPicture(model.frames))
  /** As drawn, with the pixels of the screen in one of style sheets. */
  const [drawn, setDrawn] = useState<{ readonly layout: MapLayout; readonly ratio: number }>()
  const [cursor, setCursor] = useState<number>()
  const [hovered, setHovered] = useState<number>()

  const ask = useStage(canvas, visible, ({ context, ratio, palette }) => {
    const lit = picture.paint(context, palette, LEAST_CELL * ratio, performance.now(), !motionIsReduced())
    const { layout } = picture
    if (layout && (drawn?.layout !== layout || drawn.ratio !== ratio)) setDrawn({ layout, ratio })
    return lit ? 0 : undefined
  })
  useEffect(() => (visible ? model.onChange(ask) : undefined), [model, visible, ask])

  const layout = drawn?.layout
  const shown = hovered ?? cursor
  const text = useFigures(visible, () =>
    layout && shown !== undefined ? cellText(model, names, say, layout, shown) : '',
  )

  function at(event: PointerEvent): number | undefined {
    if (!drawn) return undefined
    const box = event.currentTarget.getBoundingClientRect()
    return cellAt(drawn.layout, (event.clientX - box.left) * drawn.ratio, (event.clientY - box.top) * drawn.ratio)
  }

  return (
    <div className="xray-map-view">
      <div className="xray-map-side">
        <div className="xray-map">
          {drawn && <Axis layout={drawn.layout} ratio={drawn.ratio} say={say} />}
          <div
            className="xray-map-place"
            role="slider"
            tabIndex={0}
            aria-label={say('map.label')}
            aria-valuemin={0}
            aria-valuemax={Math.max(0, (layout?.cells ?? 1) - 1)}
            aria-valuenow={cursor ?? 0}
            aria-valuetext={layout ? cellText(model, names, say, layout, cursor ?? 0) : ''}
            data-testid={testIds.xrayMap}
            data-region-focus
            onPointerMove={(event) => setHovered(at(event))}
            onPointerLeave={() => setHovered(undefined)}
            onPointerDown={(event) => setCursor(at(event) ?? cursor)}
            onFocus={() => setCursor(cursor ?? 0)}
            onKeyDown={(event) => {
              const next = layout && moveCell(layout, Math.min(cursor ?? 0, layout.cells - 1), event.key)
              if (next === undefined) return
              event.preventDefault()
              setHovered(undefined)
              setCursor(next)
            }}
          >
            <div aria-hidden="true" className="xray-picture">
              <canvas ref={canvas} />
            </div>
            {drawn && cursor !== undefined && cursor < drawn.layout.cells && <Cursor {...drawn} cell={cursor} />}
          </div>
        </div>
        <Legend model={model} names={names} visible={visible} />
      </div>
      <p className="xray-says mono" data-testid={testIds.xrayMapCursor}>
        {text || (layout ? grainText(say, layout) : '')}
      </p>
    </div>
  )
}

function Axis({ layout, ratio, say }: { layout: MapLayout; ratio: number; say: Say }) {
  return (
    <div className="xray-axis" aria-hidden="true">
      {addressMarks(layout, MARKS_APART * ratio).map(({ row, mib }) => (
        <span key={row} style={{ top: `${(row * layout.cellHeight) / ratio}px` }}>
          {say('map.address', { mib })}
        </span>
      ))}
    </div>
  )
}

function Cursor({ layout, ratio, cell }: { layout: MapLayout; ratio: number; cell: number }) {
  const { columns, cellWidth, cellHeight } = layout
  return (
    <span
      className="xray-map-cursor"
      style={{
        left: `${((cell % columns) * cellWidth) / ratio}px`,
        top: `${(Math.floor(cell / columns) * cellHeight) / ratio}px`,
        width: `${cellWidth / ratio}px`,
        height: `${cellHeight / ratio}px`,
      }}
    />
  )
}

function grainText(say: Say, { framesPerCell }: MapLayout): string {
  const kib = framesPerCell * FRAME_KIB
  const frames = framesPerCell
  const grain =
    frames === 1
      ? say('map.cell.one')
      : kib < MIB_KIB
        ? say('map.cell', { frames, kib })
        : say('map.cell.mib', { frames, mib: kib / MIB_KIB })
  return `${grain}. ${say('map.hint')}`
}

const hex = (value: number): string => `0x${value.toString(16)}`

/** `mfn 0x1a2b0-0x1a2bf: sebastian (1)` */
function cellText(model: XrayModel, names: Names, say: Say, layout: MapLayout, cell: number): string {
  const [first, end] = cellFrames(layout, cell)
  const owners = model.frames.cellOwners(cell)
  const owner =
    owners.length === 1
      ? names.owner(owners[0]![0])
      : owners.map(([of, frames]) => say('map.part', { owner: names.owner(of), frames })).join(', ')
  if (end - first === 1) return say('map.frame', { first: hex(first), owner })
  return say('map.frames', { first: hex(first), last: hex(end - 1), owner })
}
