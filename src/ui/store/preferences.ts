/** What the person chose about the page itself. */
import type { Lang } from '../i18n/index.ts'
import type { PanelId } from '../panels/registry.ts'
import { defineSlice, type Theme } from './slice.ts'

export interface Preferences {
  readonly lang: Lang
  readonly theme: Theme
  /** The one panel that a phone shows. */
  readonly panel: PanelId
}

export const preferencesSlice = defineSlice<Preferences>(
  { lang: 'en', theme: 'system', panel: 'serial' },
  {
    lang: (_, { lang }) => ({ lang }),
    theme: (_, { theme }) => ({ theme }),
    panel: (_, { panel }) => ({ panel }),
  },
)
