/** What the person chose about the page itself, and what its address asked of it. */
import type { Lang } from '../i18n/index.ts'
import type { PanelId } from '../panels/registry.ts'
import { defineSlice, type Theme } from './slice.ts'

export interface Preferences {
  readonly lang: Lang
  readonly theme: Theme
  /** In another page's frame: without brand, guide and choices. */
  readonly embed: boolean
  /** The only panels that are shown; undefined: all. */
  readonly panels: readonly PanelId[] | undefined
}

export const preferencesSlice = defineSlice<Preferences>(
  { lang: 'en', theme: 'system', embed: false, panels: undefined },
  {
    lang: (_, { lang }) => ({ lang }),
    theme: (_, { theme }) => ({ theme }),
    // Names that no panel has are no choice at all.
    embed: (_, { embed, panels }) => ({ embed, panels: panels?.length ? panels : undefined }),
  },
)
