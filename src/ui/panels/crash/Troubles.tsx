/** What is wrong, above all panels on every screen: what happened, what is safe, and one button. */
import { useState } from 'react'
import { useShallow } from 'zustand/shallow'
import type { CrashReport } from '#protocol/machine.ts'
import { discardOld, dismissNotice, exportDisk, keepOld, takeOver } from '../../disk/actions.ts'
import { say, type Words } from '../../i18n/index.ts'
import { CloseIcon } from '../../icons.tsx'
import type { Session } from '../../session.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import './trouble.css'
import { factNames, type Remedy, type Trouble, troublesOf } from './troubles.ts'

/** Only these are looked at: the page draws anew when one of them changes. */
function pick<T, K extends keyof T>(whole: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, whole[name]])) as Pick<T, K>
}

export function Troubles() {
  const facts = usePlayground(useShallow((state) => pick(state, factNames)))
  const found = troublesOf(facts)
  return found.map((trouble) => <TroubleBox key={trouble.id} trouble={trouble} crash={facts.crash} />)
}

function TroubleBox({ trouble, crash }: { trouble: Trouble; crash: CrashReport | undefined }) {
  const t = useTranslate()
  const { session } = usePage()
  const lang = usePlayground((state) => state.lang)
  const [isAway, setAway] = useState(false)
  const { id, tone, remedy, others = [], details } = trouble
  const words = (found: Words) => say(lang, found)
  const title = `trouble-${id}`
  const report = id === 'crash' ? crash : undefined
  if (isAway) return null
  return (
    <section
      className={`trouble ${tone}`}
      // A thing that stopped the machine is said at once, all else when there is a pause.
      role={tone === 'stop' ? 'alert' : 'status'}
      aria-labelledby={title}
      data-testid={tone === 'note' ? testIds.troubleNote : report ? testIds.crashPanel : testIds.troublePanel}
      data-name={id}
      // F6 comes here: whoever has heard of it need not look for its button.
      data-region="trouble"
    >
      <div className="trouble-words">
        <h2 id={title}>{words(trouble.title)}</h2>
        <p>{words(trouble.text)}</p>
        <p className="trouble-safe">{words(trouble.safe)}</p>
        {report && <Report report={report} />}
        {details !== undefined && details !== '' && (
          <details>
            <summary>{t('trouble.details')}</summary>
            <pre className="stack">{details}</pre>
          </details>
        )}
      </div>
      <div className="trouble-buttons">
        <button
          type="button"
          className="button primary"
          data-testid={testIds.troubleAction}
          onClick={() => run(session, remedy)}
        >
          {words(trouble.action)}
        </button>
        {others.map((other) => (
          <button type="button" key={other.words.key} className="button" onClick={() => run(session, other.remedy)}>
            {words(other.words)}
          </button>
        ))}
      </div>
      {(tone === 'note' || report) && (
        <button
          type="button"
          className="icon-button trouble-away"
          aria-label={t('trouble.dismiss')}
          title={t('trouble.dismiss')}
          data-testid={report ? testIds.crashDismiss : testIds.troubleDismiss}
          onClick={() => {
            if (report) session.store.dispatch({ type: 'dismiss-crash' })
            else setAway(true)
          }}
        >
          <CloseIcon />
        </button>
      )}
    </section>
  )
}

/** What an image was at when it crashed, in its own source. */
function Report({ report: { message, file, line, stack, atNs } }: { report: CrashReport }) {
  const t = useTranslate()
  const where = file === undefined ? t('trouble.crash.where.unknown') : line === undefined ? file : `${file}:${line}`
  return (
    <>
      <dl className="facts">
        <dt>{t('trouble.crash.message')}</dt>
        <dd className="mono">{message}</dd>
        <dt>{t('trouble.crash.where')}</dt>
        <dd className="mono">{where}</dd>
        <dt>{t('trouble.crash.at')}</dt>
        <dd>{t('trouble.crash.at.value', { seconds: (atNs / 1e9).toFixed(6) })}</dd>
      </dl>
      {stack.length > 0 && (
        <details>
          <summary>{t('trouble.crash.stack')}</summary>
          <pre className="stack">{stack.join('\n')}</pre>
        </details>
      )}
    </>
  )
}

function run(session: Session, remedy: Remedy): void {
  switch (remedy.kind) {
    case 'power':
      void session.power()
      break
    case 'reset':
      session.input({ kind: 'button', button: 'reset' })
      break
    case 'new-machine':
      void session.newMachine()
      break
    case 'smaller-machine':
      void session.newMachine({ memoryMiB: remedy.memoryMiB })
      break
    case 'export-disk':
      void exportDisk(session)
      break
    case 'take-over':
      void takeOver(session)
      break
    case 'keep-disk':
      void keepOld(session)
      break
    case 'discard-disk':
      void discardOld(session)
      break
    case 'choose-file':
      dismissNotice(session)
      session.store.dispatch({ type: 'panel', panel: 'machine' })
      break
    case 'forget-link':
      session.store.dispatch({ type: 'link-trouble', trouble: undefined })
  }
}
