/** X-ray: what Xen does, live from its tracer. Watches only while somebody looks, and no more than the views that are shown need. */
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { XrayWatch } from '#protocol/xray.ts'
import { FullScreen } from '../../layout/FullScreen.tsx'
import { load, save } from '../../saved.ts'
import { usePage, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { NotYet } from '../NotYet.tsx'
import type { PanelProps } from '../registry.ts'
import { CallsView } from './CallsView.tsx'
import { GraphView } from './GraphView.tsx'
import { LanesView } from './LanesView.tsx'
import { MapView } from './MapView.tsx'
import { modelOf } from './model-of.ts'
import { useNames } from './names.ts'
import { Lost } from './Tools.tsx'
import { useWords } from './use-words.ts'
import './xray.css'

const VIEWS = ['map', 'lanes', 'graph', 'calls'] as const
type View = (typeof VIEWS)[number]
type Choice = View | 'all'

/** All four side by side need so much room. */
const ALL_WIDTH = 700
const ALL_HEIGHT = 460

const isChoice = (text: string | null): text is Choice => text === 'all' || VIEWS.some((view) => view === text)

/** Of the schedule everything is kept, so that it is there for whoever turns to it; calls come by the hundred thousand. */
const watchOf = (shown: Choice, isThere: boolean): XrayWatch => ({
  // By its memory one knows that Xen is there.
  frames: shown === 'all' || shown === 'map' || !isThere,
  lanes: true,
  channels: shown === 'all' || shown === 'graph',
  hypercalls: shown === 'all' || shown === 'calls',
})

export default function XrayPanel({ visible }: PanelProps) {
  const t = useTranslate()
  const say = useWords()
  const { session } = usePage()
  const model = modelOf(session)
  const names = useNames()
  const panel = useRef<HTMLElement>(null)
  const [isWide, setWide] = useState(true)
  const [choice, setChoice] = useState<Choice>(() => {
    const saved = load('xray-view')
    return isChoice(saved) ? saved : 'all'
  })
  const [selected, setSelected] = useState('')
  const shown = choice === 'all' && !isWide ? 'map' : choice
  const isThere = useSyncExternalStore(model.onChange, () => model.isThere)
  const watch = useMemo(() => watchOf(shown, isThere), [shown, isThere])

  useEffect(() => {
    if (!visible) return
    const unwatch = session.watchXray(watch, {
      snapshot: (snapshot) => model.snapshot(snapshot),
      batch: (batch) => model.batch(batch),
    })
    return () => {
      unwatch()
      model.pause()
    }
  }, [session, model, visible, watch])

  useEffect(() => {
    const element = panel.current
    if (!element) return
    const observer = new ResizeObserver(() =>
      setWide(element.clientWidth >= ALL_WIDTH && element.clientHeight >= ALL_HEIGHT),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  function choose(next: Choice): void {
    setChoice(next)
    save('xray-view', next)
  }

  const brief = shown === 'all'
  const common = { model, names, visible, brief }
  const drawn: Readonly<Record<View, React.ReactNode>> = {
    map: <MapView {...common} />,
    lanes: <LanesView {...common} />,
    graph: (
      <GraphView
        {...common}
        selected={selected}
        onSelect={(id) => {
          setSelected(id)
          if (brief) choose('graph')
        }}
      />
    ),
    calls: <CallsView {...common} />,
  }
  const id = useId()
  return (
    <section
      ref={panel}
      className="panel layer-xen xray"
      data-testid={testIds.xrayPanel}
      data-region
      aria-label={t('xray.title')}
    >
      {isThere ? (
        <>
          <div className="xray-bar-top">
            <Tabs choices={isWide ? ['all', ...VIEWS] : VIEWS} shown={shown} choose={choose} panelId={id} />
            <FullScreen panel={panel} label={say('full')} testId={testIds.xrayFull} />
          </div>
          <Lost model={model} />
          <div id={id} role="tabpanel" aria-label={say(`view.${shown}`)} className={`xray-views ${shown}`}>
            {VIEWS.filter((view) => brief || view === shown).map((view) => (
              <section key={view} className="xray-view" aria-label={say(`view.${view}`)}>
                {brief && <h3>{say(`view.${view}`)}</h3>}
                {drawn[view]}
              </section>
            ))}
          </div>
        </>
      ) : (
        <NotYet what={say('empty.what')} testId={testIds.xrayEmpty} nextId={testIds.xrayNext} />
      )}
    </section>
  )
}

interface TabsProps {
  readonly choices: readonly Choice[]
  readonly shown: Choice
  readonly choose: (choice: Choice) => void
  readonly panelId: string
}

function Tabs({ choices, shown, choose, panelId }: TabsProps) {
  const say = useWords()
  function onKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    const next = choices[(choices.indexOf(shown) + by + choices.length) % choices.length]!
    choose(next)
    event.currentTarget.querySelector<HTMLElement>(`[data-view=${next}]`)?.focus()
  }
  return (
    <div role="tablist" className="segments xray-tabs" aria-label={say('views')} onKeyDown={onKeyDown}>
      {choices.map((choice) => (
        <button
          key={choice}
          type="button"
          role="tab"
          className="segment small"
          aria-selected={choice === shown}
          aria-controls={panelId}
          tabIndex={choice === shown ? 0 : -1}
          data-testid={testIds.xrayTab}
          data-view={choice}
          onClick={() => choose(choice)}
        >
          {say(`view.${choice}`)}
        </button>
      ))}
    </div>
  )
}
