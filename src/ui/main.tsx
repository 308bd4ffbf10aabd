/** The page's entry: make the session, hand out the public interface, draw, press the power button. */
import './theme.css'
import './layout/base.css'
import './layout/controls.css'
import './layout/panel.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import { asTheme, readAddress } from './address.ts'
import {
  defaultDisk,
  defaultDiskRest,
  diskId,
  guestsDisk,
  guestsTranslations,
  machineCodeText,
  workerText,
} from './assets.ts'
import { tabLock } from './disk/lock.ts'
import { diskStore } from './disk/store.ts'
import { followLink, startsByTape } from './embed/link.ts'
import { createEmbedServer } from './embed/server.ts'
import { chooseLang } from './i18n/index.ts'
import { setLang } from './i18n/set-lang.ts'
import { keepLiveClock } from './live-clock.ts'
import { watchNetwork } from './offline.ts'
import { createTerminals } from './panels/consoles/terminals.ts'
import { isPanelId } from './panels/registry.ts'
import { createPlayground } from './playground.ts'
import { load, save } from './saved.ts'
import { createSession } from './session.ts'
import { PageContext } from './session-context.tsx'

const asked = readAddress(location.search)
/** Other playgrounds may live in other folders of this origin: each has a disk of its own. */
const place = `xen-playground${new URL('.', location.href).pathname}`
const session = createSession({
  workerText,
  machineCodeText,
  guestsDisk,
  guestsTranslations,
  disk: {
    keep: asked.disk === 'keep' && diskId !== undefined,
    shipped: { id: diskId ?? '', first: defaultDisk, rest: defaultDiskRest },
    store: diskStore(place, `${Date.now()}-${Math.random()}`),
    lock: (onLost) =>
      tabLock(place, onLost, { locks: navigator.locks, channel: new BroadcastChannel(place), page: window }),
    onFirstStored: () => void navigator.storage?.persist?.().catch(() => {}),
  },
})
const { store } = session

const speaks = setLang(store, chooseLang(asked.lang, load('lang'), navigator.languages))
store.dispatch({ type: 'theme', theme: asked.theme ?? asTheme(load('theme')) ?? 'system' })
store.dispatch({ type: 'embed', embed: asked.embed, panels: asked.panels?.filter(isPanelId) })
store.dispatch({ type: 'next-options', options: asked.options })
store.subscribe(({ lang, theme }, before) => {
  if (lang !== before.lang) save('lang', lang)
  if (theme !== before.theme) save('theme', theme)
})

const playground = createPlayground(session)
Object.defineProperty(window, 'playground', { value: playground, enumerable: true })
const embedServer = createEmbedServer({
  origin: location.origin,
  mayAsk: (source) => source !== null && (source === window.parent || source === window.opener),
  playground,
  store,
  kept: { load: () => load('embed'), save: (text) => save('embed', text) },
})
addEventListener('message', ({ data, origin, source }) => embedServer.receive(data, origin, source))
followLink(asked, { store, playground, base: location.href })
document.addEventListener('visibilitychange', () => session.client.visible(document.visibilityState === 'visible'))
const terminals = createTerminals(session)
// What happens to XenStore is remembered from its first moment, long before anybody looks.
void import('./panels/xenstore/tools/tools-of.ts').then(({ toolsOf }) => toolsOf(session))
watchNetwork(store, playground.ready)
keepLiveClock(store, {
  nowMs: () => performance.now(),
  every: (ms, run) => void setInterval(run, ms),
  hidden: () => document.hidden,
})

function draw(): void {
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <PageContext value={{ session, terminals }}>
        <App />
      </PageContext>
    </StrictMode>,
  )
}

/** The machine's worker starts on the other core while this one draws: it first gets what it needs from here, if that comes soon. */
const headStartMs = 300
if (asked.power && !startsByTape(asked.tape, location.href)) {
  const soon = new Promise<void>((resolve) => setTimeout(resolve, headStartMs))
  void Promise.all([Promise.race([session.power(), soon]), speaks]).then(draw)
} else void speaks.then(draw)
