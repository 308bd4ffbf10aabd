/** Whether there is a network, and whether the page does without one (scripts/vite-plugin-offline.mjs). */
import type { PlaygroundStore } from './store/store.ts'

/** `after`: the machine runs; what is fetched for later does not compete with what it needs now. */
export function watchNetwork(store: PlaygroundStore, after: Promise<unknown>): void {
  const tell = (): void => store.dispatch({ type: 'network', online: navigator.onLine })
  addEventListener('online', tell)
  addEventListener('offline', tell)
  tell()
  if (!import.meta.env.PROD || !navigator.serviceWorker) return
  // A browser that refuses has no page without a network; nothing else is missing.
  void after.then(() => register(store)).catch(() => {})
}

async function register(store: PlaygroundStore): Promise<void> {
  const { serviceWorker } = navigator
  const registration = await serviceWorker.register('./offline.js')
  const look = (): void => {
    if (registration.active && registration.waiting) store.dispatch({ type: 'network', newVersion: true })
  }
  look()
  registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look))
  await serviceWorker.ready
  store.dispatch({ type: 'network', offlineReady: true })
}
