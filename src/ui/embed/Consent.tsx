/** What a link or another page wants of this one: asked for where it is seen, above everything, and never answered by itself. */
import { useEffect, useState } from 'react'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { playLinkTape } from './link.ts'
import { canBeKept, type EmbedAnswer, type LinkTape } from './slice.ts'
import './embed.css'

/** A bar that has only just come must not catch a click that was meant for what was there before. */
const QUIET_MS = 600

export function Consent() {
  const origin = usePlayground((state) => state.embedAsking[0])
  const tape = usePlayground((state) => state.linkTape)
  if (origin === undefined && !tape) return null
  return (
    <div className="embed-bars">
      {origin !== undefined && <AskingBar key={origin} origin={origin} />}
      {tape && <TapeBar key={tape.kind} tape={tape} />}
    </div>
  )
}

function useQuiet(): boolean {
  const [quiet, setQuiet] = useState(true)
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(false), QUIET_MS)
    return () => clearTimeout(timer)
  }, [])
  return quiet
}

function AskingBar({ origin }: { origin: string }) {
  const t = useTranslate()
  const quiet = useQuiet()
  const { store } = usePage().session
  const answer = (answer: EmbedAnswer) => store.dispatch({ type: 'embed-answer', origin, answer })
  return (
    <section className="embed-bar" role="alertdialog" aria-labelledby="embed-title" data-testid={testIds.embedConsent}>
      <p>
        <strong id="embed-title">{canBeKept(origin) ? t('embed.asks', { origin }) : t('embed.asks.nameless')}</strong>
        <span className="embed-why">{t('embed.why')}</span>
      </p>
      <div className="embed-acts">
        <button
          type="button"
          className="button small primary"
          disabled={quiet}
          data-testid={testIds.embedOnce}
          onClick={() => answer('once')}
        >
          {t('embed.once')}
        </button>
        {canBeKept(origin) && (
          <button
            type="button"
            className="button small"
            disabled={quiet}
            data-testid={testIds.embedAlways}
            onClick={() => answer('always')}
          >
            {t('embed.always')}
          </button>
        )}
        <button
          type="button"
          className="button small"
          data-testid={testIds.embedRefuse}
          onClick={() => answer('refuse')}
        >
          {t('embed.refuse')}
        </button>
      </div>
    </section>
  )
}

function TapeBar({ tape }: { tape: LinkTape }) {
  const t = useTranslate()
  const quiet = useQuiet()
  const { store } = usePage().session
  const { playground } = window
  const close = () => store.dispatch({ type: 'link-tape', tape: undefined })
  const { name } = tape
  return (
    <section className="embed-bar" role="status" data-testid={testIds.embedTape}>
      <p>
        {tape.kind === 'offered' && <strong>{t('embed.tape.offered')}</strong>}
        {tape.kind === 'playing' && <strong>{t('embed.tape.playing', { name })}</strong>}
        {tape.kind === 'played' && <strong>{t('embed.tape.played', { name })}</strong>}
        {tape.kind === 'played' && tape.error !== undefined && <span className="embed-why mono">{tape.error}</span>}
        {tape.kind === 'offered' && <span className="embed-why">{t('embed.tape.why')}</span>}
      </p>
      {tape.kind !== 'playing' && (
        <div className="embed-acts">
          {tape.kind === 'offered' && (
            <button
              type="button"
              className="button small primary"
              disabled={quiet}
              data-testid={testIds.embedTapePlay}
              onClick={() => void playLinkTape(name, tape.text, { store, playground })}
            >
              {t('embed.tape.play')}
            </button>
          )}
          <button type="button" className="button small" data-testid={testIds.embedTapeClose} onClick={close}>
            {tape.kind === 'offered' ? t('embed.refuse') : t('embed.close')}
          </button>
        </div>
      )}
    </section>
  )
}
