/** Where the panels stand: a dock on a wide screen (the same without one until it has arrived), one panel at a time on a narrow one. */
import { type ComponentType, useEffect, useLayoutEffect, useMemo, useState } from 'react'
import { flushSync } from 'react-dom'
import { type PanelId, panelRow } from '../panels/registry.ts'
import { load, save } from '../saved.ts'
import { usePlayground, useTranslate } from '../session-context.tsx'
import { announce } from './announce.ts'
import { type Arrangement, defaultArrangement, readArrangement, writeArrangement } from './arrangement.ts'
import type { DockProps } from './Dock.tsx'
import { Slot } from './Panels.tsx'
import { onResetLayout } from './reset.ts'
import { StaticDock } from './StaticDock.tsx'

const savedAs = 'layout'

/** `kept`: what a person arranges is remembered; a page in a frame or with chosen panels is not that person's own. */
export function WideDesk({ ids, kept }: { ids: readonly PanelId[]; kept: boolean }) {
  const t = useTranslate()
  const standard = useMemo(() => defaultArrangement(ids.map(panelRow)), [ids])
  const [arrangement, setArrangement] = useState<Arrangement>(
    () => (kept ? readArrangement(load(savedAs), ids) : undefined) ?? standard,
  )
  const Dock = useDock()
  useLayoutEffect(
    () =>
      onResetLayout(() => {
        if (kept) save(savedAs, '')
        // A new object even where it says the same: the dock begins anew.
        setArrangement({ ...standard })
        announce(t('layout.was.reset'))
      }),
    [standard, kept, t],
  )
  if (!Dock) return <StaticDock arrangement={arrangement} />
  return <Dock arrangement={arrangement} onChange={(changed) => kept && save(savedAs, writeArrangement(changed))} />
}

/** The dock's code is fetched once there is something to look at. */
function useDock(): ComponentType<DockProps> | undefined {
  const [dock, setDock] = useState<{ readonly component: ComponentType<DockProps> }>()
  useEffect(() => {
    let gone = false
    const begin = () =>
      import('./Dock.tsx').then(
        // In one go: panels leave the plain layout and enter the dock before anything is painted or typed.
        ({ default: component }) => !gone && flushSync(() => setDock({ component })),
        // Without it (a deployment has replaced the files) the plain layout stays, and works.
        () => {},
      )
    const frame = requestAnimationFrame(() => setTimeout(begin))
    return () => {
      gone = true
      cancelAnimationFrame(frame)
    }
  }, [])
  return dock?.component
}

/** The panel that was asked for last, alone. */
export function NarrowDesk({ ids }: { ids: readonly PanelId[] }) {
  const asked = usePlayground((state) => state.panel)
  const shown = ids.includes(asked) ? asked : ids[0]
  if (shown === undefined) return null
  return (
    <div className="narrow-desk" data-region={panelRow(shown).place === 'middle' ? 'consoles' : 'panels'}>
      <Slot key={shown} id={shown} />
    </div>
  )
}
