/** Every open panel, drawn once into its own element (hosts.ts), and the slots that layouts have for these elements. */
import { createContext, Suspense, useContext, useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'
import { type PanelId, panelRow } from '../panels/registry.ts'
import type { Hosts } from './hosts.ts'

export const HostsContext = createContext<Hosts | undefined>(undefined)

export function useHosts(): Hosts {
  const hosts = useContext(HostsContext)
  if (!hosts) throw new Error('outside HostsContext')
  return hosts
}

export function Panels({ ids }: { ids: readonly PanelId[] }) {
  return ids.map((id) => <HostedPanel key={id} id={id} />)
}

function HostedPanel({ id }: { id: PanelId }) {
  const hosts = useHosts()
  const visible = useSyncExternalStore(hosts.subscribe, () => hosts.visible(id))
  // Drawn from when it is first seen: until then it costs nothing, and its code is not even fetched.
  const seen = useRef(false)
  seen.current ||= visible
  const { component: Panel } = panelRow(id)
  return createPortal(
    seen.current && (
      <Suspense>
        <Panel id={id} visible={visible} />
      </Suspense>
    ),
    hosts.of(id),
    id,
  )
}

/** The hidden lot is part of the document: what a hidden terminal says can still be read there. */
export function Lot() {
  const hosts = useHosts()
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    place.current?.append(hosts.lot)
  }, [hosts])
  return <div ref={place} hidden />
}

/** Shows one panel. Give it the panel's id as key. */
export function Slot({ id }: { id: PanelId }) {
  const hosts = useHosts()
  const slot = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const element = slot.current
    if (!element) return
    hosts.show(id, element)
    return () => hosts.hide(id, element)
  }, [hosts, id])
  return <div ref={slot} className="panel-slot" />
}
