/** The page's parts in their places, wide or narrow; all there is of it in somebody else's frame. */
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useShallow } from 'zustand/shallow'
import { say } from '../i18n/index.ts'
import { Troubles } from '../panels/crash/Troubles.tsx'
import { Strip } from '../panels/guide/Strip.tsx'
import { StatusLine } from '../panels/machine/StatusLine.tsx'
import { TopBar } from '../panels/machine/TopBar.tsx'
import { isDomainConsole, type PanelId, panelRow, panels } from '../panels/registry.ts'
import { installRegionKey } from '../regions.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { announce, installAnnouncer } from './announce.ts'
import { NarrowDesk, WideDesk } from './Desk.tsx'
import { GuideSide } from './GuideSide.tsx'
import { createHosts } from './hosts.ts'
import { HostsContext, Lot, Panels } from './Panels.tsx'
import { PhoneBar } from './PhoneBar.tsx'
import './shell.css'
import './phone.css'

/** From here on the page is wide. The same number stands in the style sheets. */
const wide = matchMedia('(min-width: 900px)')

function useWide(): boolean {
  return useSyncExternalStore(
    (changed) => {
      wide.addEventListener('change', changed)
      return () => wide.removeEventListener('change', changed)
    },
    () => wide.matches,
  )
}

export function Shell() {
  const t = useTranslate()
  const [hosts] = useState(createHosts)
  const isWide = useWide()
  const embed = usePlayground((state) => state.embed)
  const only = usePlayground((state) => state.panels)
  const domains = usePlayground(useShallow((state) => state.domainConsoles.map((name): PanelId => `domain:${name}`)))
  const fixed = useMemo(
    () =>
      only ??
      panels
        .map(({ id }) => id)
        // In a frame the guide is its owner's affair.
        .filter((id) => !(embed && id === 'guide')),
    [only, embed],
  )
  const docked = useMemo(() => fixed.filter((id) => !isDomainConsole(id) && panelRow(id).place !== 'left'), [fixed])
  const all = useMemo(() => [...new Set([...fixed, ...domains])], [fixed, domains])
  const single = all.length === 1 && docked.length === 1
  useRegionKey()
  return (
    <HostsContext value={hosts}>
      <div className={`app ${isWide ? 'wide' : 'narrow'}${embed ? ' embedded' : ''}`}>
        <button
          type="button"
          className="skip"
          onClick={() => document.querySelector<HTMLElement>('.panel-slot .xterm-helper-textarea')?.focus()}
        >
          {t('app.skip')}
        </button>
        <Announcer />
        <TopBar wide={isWide} />
        <div className="notices">
          {!embed && <Strip />}
          <Troubles />
        </div>
        <main className="desk">
          <h2 className="sr-only">{t('app.regions')}</h2>
          {isWide && fixed.includes('guide') && <GuideSide />}
          {isWide && !single ? (
            <WideDesk key={docked.join()} ids={docked} kept={!embed && only === undefined} />
          ) : (
            <NarrowDesk ids={all} />
          )}
        </main>
        {!embed && <StatusLine wide={isWide} />}
        {!isWide && !single && <PhoneBar ids={all} />}
        <Lot />
        <Panels ids={all} />
      </div>
    </HostsContext>
  )
}

function Announcer() {
  const element = useRef<HTMLParagraphElement>(null)
  useEffect(() => (element.current ? installAnnouncer(element.current) : undefined), [])
  return <p ref={element} className="sr-only" aria-live="polite" data-testid={testIds.layoutAnnouncer} />
}

const regionNames = ['bar', 'strip', 'guide', 'consoles', 'panels', 'status', 'tabs'] as const

/** F6, and what it says: the region, and the panel that is in front there. */
function useRegionKey(): void {
  const { store } = usePage().session
  const t = useTranslate()
  useEffect(
    () =>
      installRegionKey((element) => {
        const name = regionNames.find((region) => region === element.dataset['region'])
        const region = name ? t(`layout.region.${name}`) : (element.querySelector('h1, h2')?.textContent ?? '')
        const id = element.querySelector<HTMLElement>('.panel-host')?.dataset['panel'] as PanelId | undefined
        const panel = id === undefined || id === 'guide' ? undefined : say(store.getState().lang, panelRow(id).title)
        announce(panel === undefined ? region : t('layout.region.says', { region, panel }))
      }),
    [store, t],
  )
}
