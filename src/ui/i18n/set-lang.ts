/** Changes the page's language, once its texts are here. */
import type { PlaygroundStore } from '../store/store.ts'
import { type Lang, loadLang } from './index.ts'

/** Resolves when it is done. Texts that cannot be fetched stay English. */
export async function setLang(store: PlaygroundStore, lang: Lang): Promise<void> {
  await loadLang(lang).catch(() => {})
  store.dispatch({ type: 'lang', lang })
}
