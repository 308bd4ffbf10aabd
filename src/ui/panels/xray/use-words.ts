/** The panel's texts in the page's language. */
import { panelWords, type SayOf } from '../../i18n/panel-words.ts'
import { en } from './words.ts'
import { zh } from './words.zh.ts'

export type XrayKey = keyof typeof en
export type Say = SayOf<typeof en>

export const useWords = panelWords(en, zh)
