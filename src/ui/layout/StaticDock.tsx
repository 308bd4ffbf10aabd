/** The same arrangement without a dock: what the first moment shows, until the dock's own code has arrived. */
import { type KeyboardEvent, useEffect, useState } from 'react'
import { say } from '../i18n/index.ts'
import { type PanelId, panelRow } from '../panels/registry.ts'
import { usePage, usePlayground } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { type Arrangement, groupsOf, isSplit, type Part, type TabGroup } from './arrangement.ts'
import { Slot } from './Panels.tsx'
import { TabFace } from './TabFace.tsx'

export function StaticDock({ arrangement }: { arrangement: Arrangement }) {
  return (
    <div className="dock static-dock">
      <StaticParts parts={arrangement.parts} />
    </div>
  )
}

function StaticParts({ parts }: { parts: readonly Part[] }) {
  return parts.map((part) =>
    isSplit(part) ? (
      <div key={groupsOf(part)[0]?.front} className="static-split" style={{ flexGrow: part.size }}>
        <StaticParts parts={part.parts} />
      </div>
    ) : (
      <StaticGroup key={part.front} group={part} />
    ),
  )
}

function StaticGroup({ group }: { group: TabGroup }) {
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  const asked = usePlayground((state) => state.panel)
  const [front, setFront] = useState<PanelId>(group.front)
  useEffect(() => {
    if (group.tabs.includes(asked)) setFront(asked)
  }, [asked, group])

  function onKey(event: KeyboardEvent<HTMLElement>): void {
    const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')]
    const now = tabs.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key]
    if (to !== undefined) tabs[to]?.focus()
  }

  return (
    <section
      className="static-group"
      style={{ flexGrow: group.size }}
      data-region={panelRow(front).place === 'middle' ? 'consoles' : 'panels'}
      aria-label={say(lang, panelRow(front).title)}
    >
      <div className="static-tabs" role="tablist" tabIndex={-1} onKeyDown={onKey}>
        {group.tabs.map((id) => (
          <button
            key={id}
            type="button"
            role="tab"
            className="static-tab"
            aria-selected={id === front}
            tabIndex={id === front ? 0 : -1}
            data-testid={testIds.dockTab}
            data-panel={id}
            onClick={() => store.dispatch({ type: 'panel', panel: id })}
          >
            <TabFace id={id} />
          </button>
        ))}
      </div>
      <div className="static-content" role="tabpanel" aria-label={say(lang, panelRow(front).title)}>
        <Slot key={front} id={front} />
      </div>
    </section>
  )
}
