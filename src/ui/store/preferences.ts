/** What the person chose about the page itself. */
import type { Lang } from '../i18n/index.ts'
import { defineSlice, type Theme } from './slice.ts'

export interface Preferences {
  readonly lang: Lang
  readonly theme: Theme
}

export const preferencesSlice = defineSlice<Preferences>(
  { lang: 'en', theme: 'system' },
  {
    lang: (_, { lang }) => ({ lang }),
    theme: (_, { theme }) => ({ theme }),
  },
)
