/** The bar on top: power lamp, the machine's buttons, its clock, and the page's own language and colours. */
import type { ReactNode } from 'react'
import { type Lang, languages } from '../../i18n/index.ts'
import { ColoursIcon, LanguageIcon, Logo, NmiIcon, PowerIcon, ResetIcon } from '../../icons.tsx'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import type { Theme } from '../../store/slice.ts'
import { testIds } from '../../test-ids.ts'

const themes = ['dark', 'light', 'system'] as const satisfies readonly Theme[]

export function TopBar() {
  const t = useTranslate()
  return (
    <header className="top-bar" data-region>
      <h1 className="brand">
        <Logo />
        <span className="brand-name">{t('app.name')}</span>
      </h1>
      <Controls />
      <Clock />
      <Choices />
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
  onClick: () => void
}) {
  return (
    <button
      type="button"
      className="button bar-button"
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

function Clock() {
  const t = useTranslate()
  const { session } = usePage()
  const mode = usePlayground((state) => state.mode)
  const seconds = usePlayground((state) => Math.floor(state.nowNs / 1e8) / 10)
  const choice = (id: 'live' | 'turbo', testId: string) => (
    <button
      type="button"
      className="segment"
      aria-pressed={mode === id}
      title={t(`bar.${id}.help`)}
      data-testid={testId}
      onClick={() => session.clock(id)}
    >
      {t(`bar.${id}`)}
    </button>
  )
  return (
    <fieldset className="group clock" aria-label={t('bar.clock')}>
      <output
        className="time mono"
        title={t('bar.time')}
        aria-label={t('bar.time')}
        aria-live="off"
        data-testid={testIds.barTime}
      >
        {seconds.toFixed(1)} s
      </output>
      <div className="segments">
        {choice('live', testIds.barLive)}
        {choice('turbo', testIds.barTurbo)}
      </div>
    </fieldset>
  )
}

function Choices() {
  const t = useTranslate()
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  const theme = usePlayground((state) => state.theme)
  return (
    <div className="group choices">
      <span className="choice">
        <LanguageIcon />
        <select
          aria-label={t('bar.lang')}
          title={t('bar.lang')}
          value={lang}
          data-testid={testIds.barLang}
          onChange={(event) => store.dispatch({ type: 'lang', lang: event.target.value as Lang })}
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
    </div>
  )
}
