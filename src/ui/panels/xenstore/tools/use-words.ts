/** Texts of the explorer's tools in the page's language. */
import { panelWords, type SayOf } from '../../../i18n/panel-words.ts'
import { en } from './words.ts'
import { zh } from './words.zh.ts'

export type ToolsKey = keyof typeof en
export type Say = SayOf<typeof en>

export const useWords = panelWords(en, zh)
