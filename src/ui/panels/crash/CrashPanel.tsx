/** An image threw, ran without end or was refused: what it was and where, in its own source. */
import type { CrashReport } from '#protocol/machine.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

export function CrashPanel() {
  const crash = usePlayground((state) => state.crash)
  return crash ? <Report crash={crash} /> : null
}

function Report({ crash }: { crash: CrashReport }) {
  const t = useTranslate()
  const { store } = usePage().session
  const { image, message, file, line, stack, atNs } = crash
  const where = file === undefined ? t('crash.where.unknown') : line === undefined ? file : `${file}:${line}`
  return (
    <section className="panel trouble" role="alert" data-testid={testIds.crashPanel} aria-labelledby="crash-title">
      <header className="panel-head">
        <h2 id="crash-title">{t('crash.title')}</h2>
        <button
          type="button"
          className="button small"
          data-testid={testIds.crashDismiss}
          onClick={() => store.dispatch({ type: 'dismiss-crash' })}
        >
          {t('crash.dismiss')}
        </button>
      </header>
      <dl className="facts">
        <dt>{t('crash.image')}</dt>
        <dd className="mono">{image}</dd>
        <dt>{t('crash.message')}</dt>
        <dd className="mono">{message}</dd>
        <dt>{t('crash.where')}</dt>
        <dd className="mono">{where}</dd>
        <dt>{t('crash.at')}</dt>
        <dd>{t('crash.at.value', { seconds: (atNs / 1e9).toFixed(6) })}</dd>
      </dl>
      {stack.length > 0 && (
        <details>
          <summary>{t('crash.stack')}</summary>
          <pre className="stack">{stack.join('\n')}</pre>
        </details>
      )}
      <p className="caption">{t('crash.safe')}</p>
    </section>
  )
}
