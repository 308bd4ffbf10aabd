/** How components reach the session: the store by narrow selectors, acts by the session itself. */
import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import { type Translate, translator } from './i18n/index.ts'
import type { Terminals } from './panels/consoles/terminals.ts'
import type { Session } from './session.ts'
import type { PlaygroundState } from './store/store.ts'

export interface Page {
  readonly session: Session
  readonly terminals: Terminals
}

export const PageContext = createContext<Page | undefined>(undefined)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (!page) throw new Error('outside PageContext')
  return page
}

export function usePlayground<T>(selector: (state: PlaygroundState) => T): T {
  return useStore(usePage().session.store, selector)
}

export function useTranslate(): Translate {
  return translator(usePlayground((state) => state.lang))
}
