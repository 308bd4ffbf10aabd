/** For other panels: show a node of XenStore in the explorer, wherever that is. */
import type { PlaygroundStore } from '../../store/store.ts'

export function revealPath(store: PlaygroundStore, path: string): void {
  store.dispatch({ type: 'reveal', path })
  store.dispatch({ type: 'panel', panel: 'xenstore' })
}
