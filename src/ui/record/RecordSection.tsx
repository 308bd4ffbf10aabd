/** The run as a whole: its input log, saved and replayed; what the serial lines said, as asciicast; a tape, played; and who else may drive. */
import { type ReactNode, useId, useRef, useState } from 'react'
import type { SerialLine, WorldRecord } from '#protocol/machine.ts'
import type { Playground } from '#protocol/playground.ts'
import { parseRecord } from '#protocol/record.ts'
import { saveAs } from '../disk/download.ts'
import { canBeKept } from '../embed/slice.ts'
import { say, type Words } from '../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import './record.css'

interface Result {
  readonly kind: 'busy' | 'done' | 'refused'
  readonly words: Words
  readonly digest?: string
  /** The tape's or the machine's own words. */
  readonly detail?: string
}

type Run = (busy: Words, act: () => Promise<Omit<Result, 'kind'> & { readonly kind?: Result['kind'] }>) => void

export function RecordSection() {
  const t = useTranslate()
  const title = useId()
  const [result, setResult] = useState<Result>()
  const busy = result?.kind === 'busy'
  const run: Run = (words, act) => {
    setResult({ kind: 'busy', words })
    act().then(
      (done) => setResult({ kind: 'done', ...done }),
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        setResult({ kind: 'refused', words: { key: 'record.failed', values: { why } } })
      },
    )
  }
  return (
    <section className="record" aria-labelledby={title} data-testid={testIds.recordSection}>
      <h3 id={title}>{t('record.title')}</h3>
      <p className="caption">{t('record.what')}</p>
      <fieldset className="record-acts" disabled={busy} aria-labelledby={title}>
        <RunButtons run={run} />
        <TapeForm run={run} />
      </fieldset>
      <output className={`record-result ${result?.kind ?? ''}`} aria-live="polite" data-testid={testIds.recordResult}>
        {result && <ResultText result={result} />}
      </output>
      <LetIn />
    </section>
  )
}

function ResultText({ result: { words, digest, detail } }: { result: Result }) {
  const lang = usePlayground((state) => state.lang)
  return (
    <>
      {say(lang, words)}
      {digest !== undefined && <code className="mono">{digest}</code>}
      {detail !== undefined && <pre className="mono">{detail}</pre>}
    </>
  )
}

/** In live time the machine may go on between two questions: they are asked again until both are of one instant. */
const DIGEST_ATTEMPTS = 20

async function recordWithDigest({ machine }: Playground): Promise<{ record: WorldRecord; digest: string | undefined }> {
  for (let attempt = 1; ; attempt++) {
    const [record, digest, after] = await Promise.all([machine.record(), machine.digest(), machine.record()])
    if (record.endNs === after.endNs && record.inputs.length === after.inputs.length) return { record, digest }
    if (attempt === DIGEST_ATTEMPTS) return { record, digest: undefined }
  }
}

function RunButtons({ run }: { run: Run }) {
  const t = useTranslate()
  const { playground } = window
  const saveLog = () =>
    run({ key: 'record.save' }, async () => {
      const { record, digest } = await recordWithDigest(playground)
      saveAs(
        new Blob([JSON.stringify(record), '\n'], { type: 'application/json' }),
        `xen-playground-${record.seed}.json`,
      )
      const values = { count: record.inputs.length, seconds: (record.endNs / 1e9).toFixed(3) }
      return { words: { key: 'record.saved', values }, ...(digest === undefined ? {} : { digest }) }
    })
  const replay = (file: File) =>
    run({ key: 'record.replaying' }, async () => {
      const digest = await playground.machine.replay(parseRecord(await file.text()))
      return { words: { key: 'record.replayed' }, digest }
    })
  const cast = (line: SerialLine) =>
    run({ key: 'record.cast', values: { line: line.toUpperCase() } }, async () => {
      const text = playground.asciicast(line)
      saveAs(new Blob([text], { type: 'application/x-asciicast' }), `${line}.cast`)
      // A header, and a line for each piece.
      const count = text.split('\n').length - 2
      return { words: { key: 'record.cast.saved', values: { line: line.toUpperCase(), count } } }
    })
  return (
    <div className="record-buttons">
      <button type="button" className="button small" data-testid={testIds.recordSave} onClick={saveLog}>
        {t('record.save')}
      </button>
      <FileButton accept=".json,application/json" testId={testIds.recordReplay} onFile={replay}>
        {t('record.replay')}
      </FileButton>
      <button
        type="button"
        className="button small"
        data-testid={testIds.recordDigest}
        onClick={() =>
          run({ key: 'record.digest' }, async () => ({
            words: { key: 'record.is' },
            digest: await playground.machine.digest(),
          }))
        }
      >
        {t('record.digest')}
      </button>
      {(['com1', 'com2'] as const).map((line) => (
        <button
          type="button"
          key={line}
          className="button small"
          data-testid={testIds.recordCast}
          data-line={line}
          onClick={() => cast(line)}
        >
          {t('record.cast', { line: line.toUpperCase() })}
        </button>
      ))}
    </div>
  )
}

function TapeForm({ run }: { run: Run }) {
  const t = useTranslate()
  const id = useId()
  const [tape, setTape] = useState('')
  const play = () =>
    run({ key: 'record.playing' }, async () => {
      const { error, digest } = await window.playground.runTape(tape)
      if (error === undefined) return { words: { key: 'record.played' }, digest }
      return { kind: 'refused', words: { key: 'record.unmet' }, detail: error }
    })
  return (
    <div className="record-tape">
      <label htmlFor={id}>{t('record.tape')}</label>
      <textarea
        id={id}
        className="mono"
        rows={4}
        spellCheck={false}
        value={tape}
        aria-describedby={`${id}-help`}
        data-testid={testIds.recordTape}
        onChange={(event) => setTape(event.target.value)}
      />
      <p className="caption" id={`${id}-help`}>
        {t('record.tape.help')}
      </p>
      <div className="record-buttons">
        <FileButton accept=".tape,text/plain" onFile={(file) => void file.text().then(setTape)}>
          {t('record.tape.open')}
        </FileButton>
        <button
          type="button"
          className="button small primary"
          disabled={tape.trim() === ''}
          data-testid={testIds.recordPlay}
          onClick={play}
        >
          {t('record.play')}
        </button>
      </div>
    </div>
  )
}

interface FileButtonProps {
  readonly accept: string
  readonly testId?: string
  readonly onFile: (file: File) => void
  readonly children: ReactNode
}

function FileButton({ accept, testId, onFile, children }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" className="button small" onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        data-testid={testId}
        onChange={({ target }) => {
          const file = target.files?.[0]
          if (file) onFile(file)
          // The same file may be chosen again.
          target.value = ''
        }}
      />
    </>
  )
}

/** Pages of other origins that may drive this machine, each to be sent away. */
function LetIn() {
  const t = useTranslate()
  const { store } = usePage().session
  const once = usePlayground((state) => state.embedOnce)
  const always = usePlayground((state) => state.embedAlways)
  const origins = [...new Set([...once, ...always])]
  if (origins.length === 0) return null
  return (
    <div>
      <h4>{t('embed.may')}</h4>
      <ul className="record-origins">
        {origins.map((origin) => (
          <li key={origin}>
            <span className="mono">{canBeKept(origin) ? origin : t('embed.nameless')}</span>
            <button
              type="button"
              className="button small"
              aria-label={t('embed.revoke.of', { origin: canBeKept(origin) ? origin : t('embed.nameless') })}
              data-testid={testIds.embedRevoke}
              onClick={() => store.dispatch({ type: 'embed-revoke', origin })}
            >
              {t('embed.revoke')}
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
