/** The machine's clock in the bar: virtual time, and how it passes. */
import { PauseIcon } from '../../icons.tsx'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

export function BarClock() {
  const t = useTranslate()
  const { session } = usePage()
  const mode = usePlayground((state) => state.mode)
  const seconds = usePlayground((state) => Math.floor(state.nowNs / 1e8) / 10)
  const choice = (id: 'live' | 'turbo' | 'paused', testId: string) => (
    <button
      type="button"
      className="segment"
      aria-pressed={mode === id}
      title={t(id === 'paused' ? 'layout.pause.help' : `bar.${id}.help`)}
      aria-label={id === 'paused' ? t('layout.pause') : undefined}
      data-testid={testId}
      onClick={() => session.clock(id)}
    >
      {id === 'paused' ? <PauseIcon /> : t(`bar.${id}`)}
    </button>
  )
  return (
    <fieldset className="group clock" aria-label={t('bar.clock')}>
      <div className="segments">
        {choice('live', testIds.barLive)}
        {choice('turbo', testIds.barTurbo)}
        {choice('paused', testIds.layoutPause)}
      </div>
      <output
        className="time mono"
        title={t('bar.time')}
        aria-label={t('bar.time')}
        aria-live="off"
        data-testid={testIds.barTime}
      >
        {seconds.toFixed(1)} s
      </output>
    </fieldset>
  )
}
