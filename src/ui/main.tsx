/** The page's entry: make the session, hand out the public interface, draw, press the power button. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import { asTheme, readAddress } from './address.ts'
import { defaultDisk, defaultDiskRest, workerText } from './assets.ts'
import { chooseLang } from './i18n/index.ts'
import { createTerminals } from './panels/consoles/terminals.ts'
import { createPlayground } from './playground.ts'
import { load, save } from './saved.ts'
import { createSession } from './session.ts'
import { PageContext } from './session-context.tsx'
import './theme.css'
import './app.css'

const asked = readAddress(location.search)
const session = createSession({ workerText, disk: defaultDisk, diskRest: defaultDiskRest })
const { store } = session

store.dispatch({ type: 'lang', lang: chooseLang(asked.lang, load('lang'), navigator.languages) })
store.dispatch({ type: 'theme', theme: asked.theme ?? asTheme(load('theme')) ?? 'system' })
store.dispatch({ type: 'next-options', options: asked.options })
store.subscribe(({ lang, theme }, before) => {
  if (lang !== before.lang) save('lang', lang)
  if (theme !== before.theme) save('theme', theme)
})

Object.defineProperty(window, 'playground', { value: createPlayground(session), enumerable: true })
document.addEventListener('visibilitychange', () => session.client.visible(document.visibilityState === 'visible'))
const terminals = createTerminals(session)

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
if (asked.power) {
  const soon = new Promise<void>((resolve) => setTimeout(resolve, headStartMs))
  void Promise.race([session.power(), soon]).then(draw)
} else draw()
