/** The bar on top: power lamp, the machine's buttons, its clock and disk, and the page's own language, colours, layout and help. */
import { lazy, type ReactNode, Suspense, useRef } from 'react'
import { DiskLamp } from '../../disk/DiskLamp.tsx'
import { type Lang, languages } from '../../i18n/index.ts'
import { setLang } from '../../i18n/set-lang.ts'
import { ColoursIcon, HelpIcon, LanguageIcon, LayoutIcon, Logo, NmiIcon, PowerIcon, ResetIcon } from '../../icons.tsx'
import { Menu } from '../../layout/Menu.tsx'
import { resetLayout } from '../../layout/reset.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import type { Theme } from '../../store/slice.ts'
import { testIds } from '../../test-ids.ts'
import { BarClock } from './BarClock.tsx'
import './bar.css'

/** Fetched when somebody asks for it. */
const HelpDialog = lazy(async () => ({ default: (await import('../guide/HelpDialog.tsx')).HelpDialog }))

const themes = ['dark', 'light', 'system'] as const satisfies readonly Theme[]

export function TopBar({ wide }: { wide: boolean }) {
  const t = useTranslate()
  const embed = usePlayground((state) => state.embed)
  return (
    <header className="top-bar" data-region="bar">
      <h1 className={embed ? 'sr-only' : 'brand'}>
        {!embed && <Logo />}
        <span className="brand-name">{t('app.name')}</span>
      </h1>
      <Controls />
      <BarClock />
      <DiskLamp />
      {!embed && <Choices wide={wide} />}
    </header>
  )
}

function Controls() {
  const t = useTranslate()
  const { session } = usePage()
  const on = usePlayground((state) => state.power !== 'off')
  const press = (button: 'reset' | 'nmi') => session.input({ kind: 'button', button })
  return (
    <fieldset className="group" aria-label={t('bar.label')}>
      <span className={on ? 'lamp on' : 'lamp'} role="img" aria-label={t(on ? 'bar.lamp.on' : 'bar.lamp.off')} />
      <BarButton id={testIds.barPower} face={<PowerIcon />} onClick={() => void session.power()}>
        {t(on ? 'bar.power.off' : 'bar.power.on')}
      </BarButton>
      <BarButton id={testIds.barReset} face={<ResetIcon />} disabled={!on} onClick={() => press('reset')}>
        {t('bar.reset')}
      </BarButton>
      <BarButton
        id={testIds.barNmi}
        rare
        face={<NmiIcon />}
        disabled={!on}
        help={t('bar.nmi.help')}
        onClick={() => press('nmi')}
      >
        {t('bar.nmi')}
      </BarButton>
    </fieldset>
  )
}

function BarButton(props: {
  id: string
  face: ReactNode
  children: string
  disabled?: boolean
  help?: string
  /** Not on the narrowest of bars. */
  rare?: boolean
  onClick: () => void
}) {
  return (
    <button
      type="button"
      className={props.rare ? 'button bar-button rare' : 'button bar-button'}
      data-testid={props.id}
      disabled={props.disabled}
      title={props.help ?? props.children}
      onClick={props.onClick}
    >
      {props.face}
      <span className="bar-label">{props.children}</span>
    </button>
  )
}

function Choices({ wide }: { wide: boolean }) {
  const t = useTranslate()
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  const theme = usePlayground((state) => state.theme)
  const guideOpen = usePlayground((state) => state.guideOpen)
  const helpOpen = usePlayground((state) => state.helpOpen)
  // Once it was there it stays, closed: so it gives the focus back to who opened it.
  const helpWanted = useRef(false)
  helpWanted.current ||= helpOpen
  return (
    <div className="group choices">
      <span className="choice">
        <LanguageIcon />
        <select
          aria-label={t('bar.lang')}
          title={t('bar.lang')}
          value={lang}
          data-testid={testIds.barLang}
          onChange={(event) => void setLang(store, event.target.value as Lang)}
        >
          {Object.entries(languages).map(([id, name]) => (
            <option key={id} value={id} lang={id}>
              {name}
            </option>
          ))}
        </select>
      </span>
      <span className="choice">
        <ColoursIcon />
        <select
          aria-label={t('bar.theme')}
          title={t('bar.theme')}
          value={theme}
          data-testid={testIds.barTheme}
          onChange={(event) => store.dispatch({ type: 'theme', theme: event.target.value as Theme })}
        >
          {themes.map((id) => (
            <option key={id} value={id}>
              {t(`bar.theme.${id}`)}
            </option>
          ))}
        </select>
      </span>
      {wide && (
        <Menu
          label={t('layout.menu')}
          icon={LayoutIcon}
          testId={testIds.layoutMenu}
          items={() => [
            [
              {
                id: 'guide',
                label: t(guideOpen ? 'layout.guide.hide' : 'layout.guide.show'),
                run: () => store.dispatch({ type: 'guide', open: !guideOpen }),
              },
              { id: 'reset', label: t('layout.reset'), run: resetLayout },
            ],
          ]}
        />
      )}
      <button
        type="button"
        className="icon-button"
        aria-label={t('layout.help')}
        title={t('layout.help')}
        aria-haspopup="dialog"
        data-testid={testIds.layoutHelp}
        onClick={() => store.dispatch({ type: 'help', open: true })}
      >
        <HelpIcon />
      </button>
      {helpWanted.current && (
        <Suspense>
          <HelpDialog />
        </Suspense>
      )}
    </div>
  )
}
