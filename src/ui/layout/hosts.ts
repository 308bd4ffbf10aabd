/**
 * Where panels live: each has one element of its own for as long as it is open, and whichever layout is there at the time (the plain one of the
 * first moment, the dock, a phone's) takes that element in. So a panel keeps its state, its terminal and the keyboard's focus when the layout
 * changes around it. A panel that nobody shows waits in the hidden lot: out of sight, still in the document.
 */
import type { PanelId } from '../panels/registry.ts'

/** A dock shows its panels some frames after it has taken them. */
const FOCUS_FRAMES = 30

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
  /** What had the focus last: an element that is moved loses it, and nobody is told. */
  let held: HTMLElement | undefined
  document.addEventListener('focusin', ({ target }) => {
    held = target instanceof HTMLElement ? target : undefined
  })

  /** The focus comes back with its panel, as soon as that can be seen, unless somebody else has been given it since. */
  function restore(host: HTMLElement, wanted: HTMLElement, frames: number): void {
    const active = document.activeElement
    if (!host.contains(wanted) || !(active === null || active === document.body)) return
    wanted.focus({ preventScroll: true })
    if (document.activeElement !== wanted && frames > 0) requestAnimationFrame(() => restore(host, wanted, frames - 1))
  }

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
    to.append(host)
    for (const listener of listeners) listener()
  }

  return {
    lot,
    of,
    show(id, slot) {
      const host = of(id)
      move(host, slot)
      if (held) restore(host, held, FOCUS_FRAMES)
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
