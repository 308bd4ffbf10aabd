/** The machine's own screen and keyboard: a picture for the eye, the same text for a screen reader, keys while it has the focus. */
import { useEffect, useRef, useState } from 'react'
import { textRows } from '#tape/consoles.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { monitorCaption } from '../../store/status.ts'
import { testIds } from '../../test-ids.ts'
import type { PanelProps } from '../registry.ts'
import { paintText, readPalette, showPicture } from './draw.ts'
import { KeyboardCapture } from './KeyboardCapture.tsx'
import './screen.css'

/** What the style sheet keeps free around the picture, both sides together. */
const bezelPx = 8
/** Half of the cursor's blink: 16 fields of 60. */
const blinkMs = 267

export function MonitorPanel({ visible }: PanelProps) {
  const t = useTranslate()
  const [captured, setCaptured] = useState(false)
  const caption = usePlayground((state) => monitorCaption(state, captured))
  const off = usePlayground((state) => state.power === 'off')
  const frame = useRef<HTMLDivElement>(null)
  return (
    <section className="panel layer-machine monitor" data-testid={testIds.monitorPanel} aria-labelledby="monitor-title">
      <header className="panel-head">
        <h2 id="monitor-title">{t('monitor.title')}</h2>
      </header>
      <div ref={frame} className={`monitor-screen${off ? ' off' : ''}${captured ? ' captured' : ''}`}>
        <Picture frame={frame} visible={visible} />
        <KeyboardCapture onCaptured={setCaptured} />
        <MirroredText />
      </div>
      <div className="monitor-foot">
        <p className="caption" data-testid={testIds.monitorCaption}>
          {t(caption)}
        </p>
        {captured && (
          <button
            type="button"
            className="button small"
            data-testid={testIds.monitorRelease}
            onClick={() => (document.activeElement as HTMLElement | null)?.blur()}
          >
            {t('monitor.release')}
          </button>
        )}
      </div>
    </section>
  )
}

function Picture({ frame, visible }: { frame: React.RefObject<HTMLDivElement | null>; visible: boolean }) {
  const { session } = usePage()
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const around = frame.current
    if (!visible || !around) return
    const palette = readPalette()
    let lit = true
    const draw = () => {
      const screen = session.screen()
      if (!screen || !canvas.current) return
      const room = { width: around.clientWidth - bezelPx, height: around.clientHeight - bezelPx }
      if (room.width > 0 && room.height > 0) showPicture(canvas.current, paintText(screen, palette, lit), room)
    }
    const unsubscribe = session.onScreen(draw)
    const observer = new ResizeObserver(draw)
    observer.observe(around)
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    const timer = still
      ? undefined
      : setInterval(() => {
          lit = !lit
          if (session.screen()?.cursor.visible) draw()
        }, blinkMs)
    return () => {
      clearInterval(timer)
      unsubscribe()
      observer.disconnect()
    }
  }, [session, frame, visible])
  return (
    <div aria-hidden="true" className="monitor-picture">
      <canvas ref={canvas} width={0} height={0} />
    </div>
  )
}

/** One element a row, changed only where the text changed, so that a screen reader keeps its place. */
function MirroredText() {
  const t = useTranslate()
  const { session } = usePage()
  const host = useRef<HTMLDivElement>(null)
  useEffect(
    () =>
      session.onScreen((screen) => {
        const element = host.current
        if (!element) return
        const rows = textRows(screen)
        while (element.childElementCount < rows.length) element.append(document.createElement('div'))
        rows.forEach((row, i) => {
          const child = element.children[i]!
          if (child.textContent !== row) child.textContent = row
        })
      }),
    [session],
  )
  return (
    <div
      ref={host}
      className="sr-only"
      data-testid={testIds.monitorText}
      role="document"
      aria-label={t('monitor.text')}
    />
  )
}
