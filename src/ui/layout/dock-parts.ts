/** What dockview is given to work with: slots for panels, faces for tabs, a menu for each group; and our names on what it makes. */
import type {
  DockviewApi,
  DockviewComponentOptions,
  DockviewGroupPanel,
  IContentRenderer,
  IHeaderActionsRenderer,
  ITabRenderer,
} from 'dockview-react'
import { isDomainConsole, isPanelId, type PanelId, panelRow } from '../panels/registry.ts'
import { testIds } from '../test-ids.ts'
import type { Arrangement } from './arrangement.ts'
import { toDockview } from './dockview-json.ts'
import type { Hosts } from './hosts.ts'

/** A place that dockview has made and React draws into. */
export type Part =
  | { readonly kind: 'tab'; readonly key: string; readonly element: HTMLElement; readonly id: PanelId }
  | {
      readonly kind: 'menu'
      readonly key: string
      readonly element: HTMLElement
      readonly group: DockviewGroupPanel
      readonly api: DockviewApi
    }

export interface DockParts {
  readonly options: DockviewComponentOptions
  /** After each change: our names on tabs and groups, panels into the slots that are in front. */
  settle(api: DockviewApi): void
  dispose(): void
}

/** `onClose`: Delete was pressed on the tab of a panel that may go. */
export function makeParts(
  root: HTMLElement,
  hosts: Hosts,
  onParts: (parts: readonly Part[]) => void,
  onClose: (id: PanelId, group: Element | null) => void,
): DockParts {
  const parts = new Map<HTMLElement, Part>()
  const slots = new Map<PanelId, HTMLElement>()
  let keys = 0
  let disposed = false
  const tell = () => {
    if (!disposed) onParts([...parts.values()])
  }
  const element = (className: string): HTMLElement => {
    const made = document.createElement('div')
    made.className = className
    return made
  }
  const remove = (part: HTMLElement) => {
    if (parts.delete(part)) tell()
  }

  function slot(name: string): IContentRenderer {
    const made = element('panel-slot')
    if (!isPanelId(name)) return { element: made, init() {} }
    const id = name
    slots.set(id, made)
    return {
      element: made,
      init: ({ api }) => {
        api.onDidVisibilityChange(({ isVisible }) => (isVisible ? hosts.show(id, made) : hosts.hide(id, made)))
      },
      dispose() {
        hosts.hide(id, made)
        if (slots.get(id) === made) slots.delete(id)
      },
    }
  }

  function tab(name: string): ITabRenderer {
    const made = element('tab-place')
    return {
      element: made,
      init() {
        if (!isPanelId(name)) return
        parts.set(made, { kind: 'tab', key: `tab-${++keys}`, element: made, id: name })
        tell()
      },
      dispose: () => remove(made),
    }
  }

  function menu(group: DockviewGroupPanel): IHeaderActionsRenderer {
    const made = element('group-menu')
    return {
      element: made,
      init({ containerApi: api }) {
        parts.set(made, { kind: 'menu', key: `menu-${++keys}`, element: made, group, api })
        tell()
      },
      dispose: () => remove(made),
    }
  }

  function settle(api: DockviewApi): void {
    for (const panel of api.panels) {
      if (!isPanelId(panel.id)) continue
      const made = slots.get(panel.id)
      if (made && panel.api.isVisible) hosts.show(panel.id, made)
      else if (made) hosts.hide(panel.id, made)
    }
    for (const group of api.groups) {
      const front = group.activePanel?.id
      const place = front !== undefined && isPanelId(front) ? panelRow(front).place : 'right'
      group.element.dataset['region'] = place === 'middle' ? 'consoles' : 'panels'
    }
    for (const { kind, element, ...part } of parts.values()) {
      const outer = kind === 'tab' ? element.closest<HTMLElement>('.dv-tab') : null
      if (!outer || !('id' in part)) continue
      outer.dataset['testid'] = testIds.dockTab
      outer.dataset['panel'] = part.id
      if (isDomainConsole(part.id)) outer.setAttribute('aria-keyshortcuts', 'Delete')
    }
  }

  /** dockview closes what Delete is pressed on, without asking; only a domain's console may go, and the page's state has to say so. */
  function onKey(event: KeyboardEvent): void {
    if (event.key !== 'Delete' && event.key !== 'Backspace') return
    const on = event.target as HTMLElement
    const id = on.matches('.dv-tab') ? on.dataset['panel'] : undefined
    if (id === undefined || !isPanelId(id)) return
    event.preventDefault()
    event.stopPropagation()
    if (isDomainConsole(id)) onClose(id, on.closest('.dv-groupview'))
  }
  root.addEventListener('keydown', onKey, { capture: true })

  return {
    options: {
      theme: {
        name: 'front-panel',
        className: 'front-panel-dock',
        gap: 8,
        dndOverlayMounting: 'absolute',
        dndPanelOverlay: 'group',
      },
      disableFloatingGroups: true,
      scrollbars: 'native',
      // We say it ourselves, in the person's language.
      announcements: false,
      createComponent: ({ id }) => slot(id),
      createTabComponent: ({ id }) => tab(id),
      createRightHeaderActionComponent: menu,
    },
    settle,
    dispose() {
      disposed = true
      root.removeEventListener('keydown', onKey, { capture: true })
    },
  }
}

export function fillDock(
  api: DockviewApi,
  element: HTMLElement,
  arrangement: Arrangement,
  title: (id: PanelId) => string,
): void {
  const { width, height } = element.getBoundingClientRect()
  api.layout(width, height)
  api.fromJSON(toDockview(arrangement, { width, height }, title))
}
