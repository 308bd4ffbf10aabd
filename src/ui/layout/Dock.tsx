/**
 * The dock of a wide screen, a chunk of its own: groups of tabs that can be moved and resized. dockview arranges slots; the panels themselves
 * live outside it (hosts.ts), so nothing is lost when they move.
 */
import { createDockview, type DockviewApi } from 'dockview-react'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useShallow } from 'zustand/shallow'
import { say } from '../i18n/index.ts'
import { isPanelId, type PanelId, panelRow } from '../panels/registry.ts'
import { usePage, usePlayground } from '../session-context.tsx'
import type { Arrangement } from './arrangement.ts'
import { fillDock, makeParts, type Part } from './dock-parts.ts'
import { fromDockview } from './dockview-json.ts'
import { GroupMenu } from './GroupMenu.tsx'
import { useHosts } from './Panels.tsx'
import { TabFace } from './TabFace.tsx'
import 'dockview-react/dist/styles/dockview.css'
import './dock.css'

export interface DockProps {
  /** As it is to stand now; a new one is a reset. */
  readonly arrangement: Arrangement
  /** It was changed by hand. */
  readonly onChange: (arrangement: Arrangement) => void
}

export default function Dock({ arrangement, onChange }: DockProps) {
  const hosts = useHosts()
  const { store } = usePage().session
  const root = useRef<HTMLDivElement>(null)
  const dock = useRef<DockviewApi>(undefined)
  /** Tabs and menus that dockview has places for: React draws into them. */
  const [parts, setParts] = useState<readonly Part[]>([])
  const lang = usePlayground((state) => state.lang)
  const changed = useRef(onChange)
  changed.current = onChange

  useLayoutEffect(() => {
    const element = root.current
    if (!element) return
    const made = makeParts(element, hosts, setParts, (panel, group) => {
      store.dispatch({ type: 'close-panel', panel })
      // The tab that had the focus is gone: its neighbour takes it.
      requestAnimationFrame(() => group?.querySelector<HTMLElement>('[role=tab][aria-selected=true]')?.focus())
    })
    const api = createDockview(element, made.options)
    dock.current = api
    const title = (id: PanelId) => say(store.getState().lang, panelRow(id).title)
    fillDock(api, element, arrangement, title)
    made.settle(api)
    const listeners = [
      api.onDidActivePanelChange(({ panel }) => {
        const { panel: before } = store.getState()
        if (panel && isPanelId(panel.id) && panel.id !== before) store.dispatch({ type: 'panel', panel: panel.id })
      }),
      api.onDidLayoutChange(() => {
        made.settle(api)
        const now = fromDockview(api.toJSON())
        if (now) changed.current(now)
      }),
    ]
    return () => {
      for (const listener of listeners) listener.dispose()
      made.dispose()
      api.dispose()
      dock.current = undefined
    }
  }, [arrangement, hosts, store])

  useDomainConsoles(dock)
  useAsked(dock)
  useEffect(() => {
    for (const panel of dock.current?.panels ?? [])
      if (isPanelId(panel.id)) panel.setTitle(say(lang, panelRow(panel.id).title))
  }, [lang])

  return (
    <>
      <div ref={root} className="dock" />
      {parts.map((part) =>
        createPortal(
          part.kind === 'tab' ? <TabFace id={part.id} /> : <GroupMenu group={part.group} api={part.api} />,
          part.element,
          part.key,
        ),
      )}
    </>
  )
}

/** A tab for each domain's console that is open, beside COM1. */
function useDomainConsoles(dock: { readonly current: DockviewApi | undefined }): void {
  const lang = usePlayground((state) => state.lang)
  const wanted = usePlayground(useShallow((state) => state.domainConsoles.map((name): PanelId => `domain:${name}`)))
  // biome-ignore lint/correctness/useExhaustiveDependencies: the language alone is no reason
  useLayoutEffect(() => {
    const api = dock.current
    if (!api) return
    for (const panel of api.panels)
      if (panel.id.startsWith('domain:') && !wanted.some((id) => id === panel.id)) api.removePanel(panel)
    for (const id of wanted) {
      if (api.getPanel(id)) continue
      const beside = api.getPanel('com1')
      api.addPanel({
        id,
        component: 'panel',
        tabComponent: 'tab',
        title: say(lang, panelRow(id).title),
        ...(beside ? { position: { referencePanel: beside } } : {}),
      })
    }
  }, [wanted, dock])
}

/** What somebody asked for comes to the front. */
function useAsked(dock: { readonly current: DockviewApi | undefined }): void {
  const panel = usePlayground((state) => state.panel)
  const asked = usePlayground((state) => state.asked)
  // biome-ignore lint/correctness/useExhaustiveDependencies: asking for the same panel again is news, too
  useLayoutEffect(() => {
    const found = dock.current?.getPanel(panel)
    if (found && dock.current?.activePanel !== found) found.api.setActive()
  }, [panel, asked, dock])
}
