/**
 * Where panels live: each has one element of its own for as long as it is open, and whichever layout is there at the time (the plain one of the
 * first moment, the dock, a phone's) takes that element in. So a panel keeps its state, its terminal and the keyboard's focus when the layout
 * changes around it. A panel that nobody shows waits in the hidden lot: out of sight, still in the document.
 */
import type { PanelId } from '../panels/registry.ts'

export interface Hosts {
  readonly lot: HTMLElement
  of(id: PanelId): HTMLElement
  show(id: PanelId, slot: HTMLElement): void
  /** Back to the lot, unless another slot than `slot` has taken the panel over meanwhile. */
  hide(id: PanelId, slot: HTMLElement): void
  visible(id: PanelId): boolean
  subscribe(listener: () => void): () => void
}

export function createHosts(): Hosts {
  const lot = document.createElement('div')
  lot.hidden = true
  const hosts = new Map<PanelId, HTMLElement>()
  const listeners = new Set<() => void>()
  /** What had the focus inside a panel when that panel was taken away. */
  let lost: HTMLElement | undefined

  function of(id: PanelId): HTMLElement {
    let host = hosts.get(id)
    if (!host) {
      host = document.createElement('div')
      host.className = 'panel-host'
      host.dataset['panel'] = id
      lot.append(host)
      hosts.set(id, host)
    }
    return host
  }

  function move(host: HTMLElement, to: HTMLElement): void {
    if (host.parentElement === to) return
    const active = document.activeElement
    if (active instanceof HTMLElement && host.contains(active)) lost = active
    to.append(host)
    for (const listener of listeners) listener()
  }

  return {
    lot,
    of,
    show(id, slot) {
      const host = of(id)
      move(host, slot)
      // Nobody has been given the focus since: it comes back with the panel.
      const nowhere = document.activeElement === null || document.activeElement === document.body
      if (lost && nowhere && host.contains(lost)) lost.focus({ preventScroll: true })
      if (lost && host.contains(lost)) lost = undefined
    },
    hide(id, slot) {
      const host = of(id)
      if (host.parentElement === slot) move(host, lot)
    },
    visible: (id) => of(id).parentElement !== lot,
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
