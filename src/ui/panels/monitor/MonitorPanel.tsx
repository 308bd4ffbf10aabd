/** The machine's own screen and keyboard: a picture for the eye, the same text for a screen reader, keys while it has the focus. */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { textRows } from '#tape/consoles.ts'
import { scanCodes } from '#tape/keyboard.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { monitorCaption } from '../../store/status.ts'
import { testIds } from '../../test-ids.ts'
import { drawScreen, readPalette } from './draw.ts'

/** What app.css keeps free around the picture. */
const bezelPx = 4

export function MonitorPanel() {
  const t = useTranslate()
  const [focused, setFocused] = useState(false)
  const caption = usePlayground((state) => monitorCaption(state, focused))
  const off = usePlayground((state) => state.power === 'off')
  return (
    <section
      className="panel layer-machine monitor"
      data-testid={testIds.monitorPanel}
      data-region
      aria-labelledby="monitor-title"
    >
      <header className="panel-head">
        <h2 id="monitor-title">{t('monitor.title')}</h2>
      </header>
      <Screen off={off} onFocused={setFocused} />
      <p className="caption" data-testid={testIds.monitorCaption}>
        {t(caption)}
      </p>
    </section>
  )
}

function Screen({ off, onFocused }: { off: boolean; onFocused: (focused: boolean) => void }) {
  const t = useTranslate()
  const { session } = usePage()
  const frame = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const text = useRef<HTMLDivElement>(null)
  /** Keys that went down here: whatever ends the capture lets them up again. */
  const held = useRef(new Set<string>())

  useEffect(() => {
    const palette = readPalette()
    const draw = () => {
      const screen = session.screen()
      if (!screen || !canvas.current || !frame.current) return
      const width = frame.current.clientWidth - 2 * bezelPx
      if (width > 0) drawScreen(canvas.current, screen, width, palette)
    }
    const unsubscribe = session.onScreen((screen) => {
      draw()
      if (text.current) mirror(text.current, textRows(screen))
    })
    const observer = new ResizeObserver(draw)
    if (frame.current) observer.observe(frame.current)
    return () => {
      unsubscribe()
      observer.disconnect()
    }
  }, [session])

  function send(code: string, pressed: boolean): boolean {
    const codes = scanCodes(code, pressed)
    if (!codes) return false
    if (pressed) held.current.add(code)
    else held.current.delete(code)
    session.input({ kind: 'keyboard', scancodes: codes })
    return true
  }

  function onKey(event: KeyboardEvent, pressed: boolean): void {
    // F6 leaves; keys with Meta belong to the person's own system.
    if (event.key === 'F6' || event.metaKey) return
    if (send(event.code, pressed)) event.preventDefault()
  }

  function leave(): void {
    for (const code of [...held.current]) send(code, false)
    onFocused(false)
  }

  return (
    <div
      ref={frame}
      className={off ? 'monitor-screen off' : 'monitor-screen'}
      data-testid={testIds.monitorScreen}
      data-region-focus
      role="application"
      aria-label={t('monitor.screen')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is a keyboard
      tabIndex={0}
      onKeyDown={(event) => onKey(event, true)}
      onKeyUp={(event) => onKey(event, false)}
      onFocus={() => onFocused(true)}
      onBlur={leave}
    >
      <div aria-hidden="true">
        <canvas ref={canvas} width={0} height={0} />
      </div>
      <div
        ref={text}
        className="sr-only"
        data-testid={testIds.monitorText}
        role="document"
        aria-label={t('monitor.text')}
      />
    </div>
  )
}

/** One element a row, changed only where the text changed, so that a screen reader keeps its place. */
function mirror(host: HTMLElement, rows: readonly string[]): void {
  while (host.childElementCount < rows.length) host.append(document.createElement('div'))
  rows.forEach((row, i) => {
    const element = host.children[i]!
    if (element.textContent !== row) element.textContent = row
  })
}
