/** The disk, in the machine's panel: what becomes of it, out and in as an image, back to what it was, and a file for it. */
import { type DragEvent, useId, useRef, useState } from 'react'
import { say, type Words } from '../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { AddFile } from './AddFile.tsx'
import { AddKernel } from './AddKernel.tsx'
import { exportDisk, importDisk, takeOver } from './actions.ts'
import { addKernel, hasKernel } from './add-kernel.ts'
import { stateWords } from './state-words.ts'
import './disk.css'

/** What was asked for and how it went. */
type Result = { readonly kind: 'busy' | 'done' | 'refused'; readonly words: Words }

/** What is lost is asked about first. */
type Question = { readonly kind: 'discard' } | { readonly kind: 'import'; readonly file: File }

export type Act = (act: () => Promise<Words>) => void

export function DiskSection() {
  const t = useTranslate()
  const title = useId()
  const { session } = usePage()
  const lang = usePlayground((state) => state.lang)
  const disk = usePlayground((state) => state.disk)
  const offline = usePlayground((state) => state.offlineReady)
  const newVersion = usePlayground((state) => state.newVersion)
  const [result, setResult] = useState<Result>()
  const [question, setQuestion] = useState<Question>()
  const [over, setOver] = useState(false)
  const act: Act = (run) => {
    setQuestion(undefined)
    setResult({ kind: 'busy', words: { key: 'disk.busy' } })
    run().then(
      (words) => setResult({ kind: 'done', words }),
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        setResult({ kind: 'refused', words: { key: 'disk.failed', values: { why } } })
      },
    )
  }
  const dropped = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    const files = [...event.dataTransfer.files]
    const [file] = files
    if (!file) return
    void hasKernel(files).then((found) => {
      if (found) void addKernel(session, files)
      else setQuestion({ kind: 'import', file })
    })
  }
  const elsewhere = disk.kind === 'temporary' && (disk.why === 'other-tab' || disk.why === 'lost-lock')
  return (
    <section
      className={over ? 'disk-section over' : 'disk-section'}
      aria-labelledby={title}
      data-testid={testIds.diskSection}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      <h3 id={title}>{t('disk.title')}</h3>
      <p className="disk-state" data-state={disk.kind} data-testid={testIds.diskState}>
        <span className="disk-light" aria-hidden="true" />
        <span>{over ? t('disk.drop') : t(stateWords(disk))}</span>
      </p>
      <fieldset className="disk-acts" disabled={result?.kind === 'busy'} aria-labelledby={title}>
        <div className="disk-buttons">
          {elsewhere && (
            <button
              type="button"
              className="button small primary"
              title={t('disk.take-over.help')}
              data-testid={testIds.diskTakeOver}
              onClick={() => void takeOver(session)}
            >
              {t('disk.take-over')}
            </button>
          )}
          <button
            type="button"
            className="button small"
            title={t('disk.export.help')}
            data-testid={testIds.diskExport}
            onClick={() =>
              act(async () => {
                await exportDisk(session)
                return { key: 'disk.done.export' }
              })
            }
          >
            {t('disk.export')}
          </button>
          <ImportButton onFile={(file) => setQuestion({ kind: 'import', file })} />
          <button
            type="button"
            className="button small"
            title={t('disk.discard.help')}
            data-testid={testIds.diskDiscard}
            onClick={() => setQuestion({ kind: 'discard' })}
          >
            {t('disk.discard')}
          </button>
        </div>
        {question && <Confirm question={question} act={act} onNo={() => setQuestion(undefined)} />}
        <AddFile act={act} />
        <AddKernel />
      </fieldset>
      <output className={`disk-result ${result?.kind ?? ''}`} aria-live="polite" data-testid={testIds.diskResult}>
        {result && say(lang, result.words)}
      </output>
      {(newVersion || offline) && <p className="disk-note">{t(newVersion ? 'disk.new-version' : 'disk.offline')}</p>}
    </section>
  )
}

function ImportButton({ onFile }: { onFile: (file: File) => void }) {
  const t = useTranslate()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button
        type="button"
        className="button small"
        title={t('disk.import.help')}
        data-testid={testIds.diskImport}
        onClick={() => input.current?.click()}
      >
        {t('disk.import')}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        data-testid={testIds.diskImportFile}
        onChange={({ target }) => {
          const file = target.files?.[0]
          if (file) onFile(file)
          // The same file again is a choice, too.
          target.value = ''
        }}
      />
    </>
  )
}

function Confirm({ question, act, onNo }: { question: Question; act: Act; onNo: () => void }) {
  const t = useTranslate()
  const { session } = usePage()
  const on = usePlayground((state) => state.power !== 'off')
  const yes = (): void => {
    if (question.kind === 'discard')
      act(async () => {
        await session.discardDisk()
        return { key: 'disk.done.discard' }
      })
    else
      act(async () => {
        await importDisk(session, question.file)
        return { key: 'disk.done.import' }
      })
  }
  return (
    <fieldset className="disk-question">
      <p>
        {question.kind === 'discard'
          ? t('disk.confirm.discard')
          : t('disk.confirm.import', { name: question.file.name })}
        {on && ` ${t('disk.confirm.power')}`}
      </p>
      <div className="disk-buttons">
        <button type="button" className="button small danger" data-testid={testIds.diskConfirm} onClick={yes}>
          {t(question.kind === 'discard' ? 'disk.confirm.discard.yes' : 'disk.confirm.import.yes')}
        </button>
        <button type="button" className="button small" data-testid={testIds.diskCancel} onClick={onNo}>
          {t('disk.confirm.no')}
        </button>
      </div>
    </fieldset>
  )
}
