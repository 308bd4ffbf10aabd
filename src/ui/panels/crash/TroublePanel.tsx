/** The worker itself is gone, hung, or never got its memory: what happened, what is safe, and one button. */
import type { Words } from '../../i18n/index.ts'
import { say } from '../../i18n/index.ts'
import { usePage, usePlayground } from '../../session-context.tsx'
import { memoryRefused } from '../../store/status.ts'
import { testIds } from '../../test-ids.ts'

/** Offered where the browser refuses the machine's memory (design D3). */
const smallMemoryMiB = 512

export function TroublePanel() {
  const worker = usePlayground((state) => state.worker)
  const workerMessage = usePlayground((state) => state.workerMessage)
  const memoryMiB = usePlayground((state) => state.options.memoryMiB)
  const lang = usePlayground((state) => state.lang)
  const { session } = usePage()
  if (worker !== 'dead' && worker !== 'hung') return null
  const words = (found: Words) => say(lang, found)
  const refused = memoryRefused({ worker, workerMessage })
  const title: Words = refused
    ? { key: 'trouble.memory.title', values: { mib: memoryMiB } }
    : { key: `trouble.${worker}.title` }
  const text: Words = { key: refused ? 'trouble.memory.text' : `trouble.${worker}.text` }
  const smaller = refused && memoryMiB > smallMemoryMiB
  const action: Words = smaller
    ? { key: 'trouble.memory.action', values: { mib: smallMemoryMiB } }
    : { key: 'trouble.action' }
  return (
    <section className="panel trouble" role="alert" data-testid={testIds.troublePanel} aria-labelledby="trouble-title">
      <header className="panel-head">
        <h2 id="trouble-title">{words(title)}</h2>
      </header>
      <p className="prose">{words(text)}</p>
      {workerMessage !== '' && (
        <details>
          <summary>{words({ key: 'trouble.details' })}</summary>
          <pre className="stack">{workerMessage}</pre>
        </details>
      )}
      <button
        type="button"
        className="button primary"
        data-testid={testIds.troubleAction}
        onClick={() => void session.newMachine(smaller ? { memoryMiB: smallMemoryMiB } : {})}
      >
        {words(action)}
      </button>
    </section>
  )
}
