/** The one screen: bar, consoles in the middle, monitor and machine at the side; on a phone one panel at a time. */
import { type ReactNode, Suspense, useEffect } from 'react'
import { languages, say } from './i18n/index.ts'
import { CrashPanel } from './panels/crash/CrashPanel.tsx'
import { TroublePanel } from './panels/crash/TroublePanel.tsx'
import { StatusLine } from './panels/machine/StatusLine.tsx'
import { TopBar } from './panels/machine/TopBar.tsx'
import { panels } from './panels/registry.ts'
import { installRegionKey } from './regions.ts'
import { usePage, usePlayground, useTranslate } from './session-context.tsx'
import { testIds } from './test-ids.ts'

export function App() {
  const t = useTranslate()
  useDocument()
  useEffect(installRegionKey, [])
  return (
    <div className="app">
      <button
        type="button"
        className="skip"
        onClick={() => document.querySelector<HTMLElement>('.serial .xterm-helper-textarea')?.focus()}
      >
        {t('app.skip')}
      </button>
      <TopBar />
      <main className="panels">
        <h2 className="sr-only">{t('app.regions')}</h2>
        <Place place="middle" />
        <Place place="right">
          <TroublePanel />
          <CrashPanel />
        </Place>
      </main>
      <StatusLine />
      <TabBar />
    </div>
  )
}

/** One place of the wide layout; a phone shows only the chosen panel, and troubles over every panel. */
function Place({ place, children }: { place: 'middle' | 'right'; children?: ReactNode }) {
  const chosen = usePlayground((state) => state.panel)
  return (
    <div className={`place ${place}`}>
      {children}
      {panels
        .filter((panel) => panel.place === place)
        .map(({ id, component: Panel }) => (
          <div key={id} className={id === chosen ? 'slot chosen' : 'slot'} data-panel={id}>
            <Suspense>
              <Panel id={id} visible />
            </Suspense>
          </div>
        ))}
    </div>
  )
}

function TabBar() {
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  const { store } = usePage().session
  const chosen = usePlayground((state) => state.panel)
  return (
    <nav className="tab-bar" aria-label={t('tabs.label')} data-testid={testIds.tabs} data-region>
      {panels.map(({ id, title, icon: Icon }) => (
        <button
          type="button"
          key={id}
          aria-current={id === chosen ? 'page' : undefined}
          onClick={() => store.dispatch({ type: 'panel', panel: id })}
        >
          <Icon />
          {say(lang, title)}
        </button>
      ))}
    </nav>
  )
}

/** Language and colours belong to the whole document, and to the terminals, which know no CSS. */
function useDocument(): void {
  const { terminals } = usePage()
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  const theme = usePlayground((state) => state.theme)
  // biome-ignore lint/correctness/useExhaustiveDependencies: t changes with lang
  useEffect(() => {
    const root = document.documentElement
    root.lang = lang === 'zh' ? 'zh-Hans' : Object.keys(languages).find((id) => id === lang)!
    if (theme === 'system') delete root.dataset['theme']
    else root.dataset['theme'] = theme
    const restyle = () =>
      terminals.restyle({
        com1: t('serial.terminal', { line: 'COM1' }),
        com2: t('serial.terminal', { line: 'COM2' }),
      })
    restyle()
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', restyle)
    return () => system.removeEventListener('change', restyle)
  }, [lang, theme, terminals])
}
