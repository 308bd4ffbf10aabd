/** Which panels there are and which one somebody asked to see; where they stand is the dock's own affair (layout/). */
import type { PanelId } from '../panels/registry.ts'
import { defineSlice } from '../store/slice.ts'

export interface LayoutSlice {
  /** The one panel that a phone shows, and the last that was asked for. */
  readonly panel: PanelId
  /** How often a panel was asked for: asking for the same one again is news, too. */
  readonly asked: number
  /** Names of domains whose consoles are open. */
  readonly domainConsoles: readonly string[]
  readonly guideOpen: boolean
}

const PREFIX = 'domain:'

export const layoutSlice = defineSlice<LayoutSlice>(
  { panel: 'com1', asked: 0, domainConsoles: [], guideOpen: true },
  {
    panel: ({ asked, domainConsoles }, { panel }) => {
      const name = panel.startsWith(PREFIX) ? panel.slice(PREFIX.length) : undefined
      const opens = name !== undefined && !domainConsoles.includes(name)
      return { panel, asked: asked + 1, domainConsoles: opens ? [...domainConsoles, name] : domainConsoles }
    },
    'close-panel': (state, { panel }) => ({
      panel: state.panel === panel ? 'com1' : state.panel,
      domainConsoles: state.domainConsoles.filter((name) => PREFIX + name !== panel),
    }),
    guide: (_, { open }) => ({ guideOpen: open }),
  },
)
