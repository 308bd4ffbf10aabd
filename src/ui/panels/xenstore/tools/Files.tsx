/** A subtree out of the store, and one into it: what an import would change is seen before it is done. */
import { useId, useMemo, useRef, useState } from 'react'
import { saveAs } from '../../../disk/download.ts'
import { useTranslate } from '../../../session-context.tsx'
import { testIds } from '../../../test-ids.ts'
import type { Explorer } from '../explorer.ts'
import { descendants } from '../rows.ts'
import { applyImport, ImportRefused, planImport, type Refused } from './apply.ts'
import { CopyButton } from './CopyButton.tsx'
import { DiffList } from './DiffList.tsx'
import { countKinds } from './diff.ts'
import {
  exportCommands,
  exportJson,
  FILE_BYTES_MAX,
  FileFault,
  fileName,
  isPath,
  parseFile,
  type Subtree,
} from './transfer.ts'
import { useWords } from './use-words.ts'

export function Files({ explorer }: { explorer: Explorer }) {
  return (
    <div className="xenstore-files">
      <Export explorer={explorer} />
      <Import explorer={explorer} />
    </div>
  )
}

function Export({ explorer }: { explorer: Explorer }) {
  const say = useWords()
  const path = explorer.selected
  const root = explorer.node(path)
  if (!root) return null
  const subtree: Subtree = { path, root }
  const save = (text: string, type: string, ending: string): void =>
    saveAs(new Blob([text], { type }), fileName(path, ending))
  return (
    <section className="xenstore-form" aria-label={say('files.export')}>
      <p className="xenstore-form-title">{say('files.export')}</p>
      <p className="xenstore-files-what">{say('files.what', { path, count: descendants(root) + 1 })}</p>
      <div className="xenstore-buttons">
        <button
          type="button"
          className="button small"
          title={say('files.json.help')}
          data-testid={testIds.xenstoreExport}
          onClick={() => save(exportJson(subtree), 'application/json', 'json')}
        >
          {say('files.json')}
        </button>
        <button
          type="button"
          className="button small"
          title={say('files.sh.help')}
          data-testid={testIds.xenstoreExportCommands}
          onClick={() => save(exportCommands(subtree), 'text/x-shellscript', 'sh')}
        >
          {say('files.sh')}
        </button>
        <CopyButton
          text={() => exportCommands(subtree)}
          label={say('files.copy')}
          testId={testIds.xenstoreCopyCommands}
        />
      </div>
    </section>
  )
}

type Said =
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'fault'; readonly text: string }
  | { readonly kind: 'refused'; readonly refused: readonly Refused[] }

/** Of many refusals so many are shown. */
const REFUSALS_SHOWN = 20

function Import({ explorer }: { explorer: Explorer }) {
  const say = useWords()
  const input = useRef<HTMLInputElement>(null)
  const [file, setFile] = useState<{ readonly name: string; readonly subtree: Subtree }>()
  const [said, setSaid] = useState<Said>()

  async function choose(chosen: File): Promise<void> {
    setFile(undefined)
    setSaid(undefined)
    try {
      if (chosen.size > FILE_BYTES_MAX) throw new FileFault('fault.large', { mib: FILE_BYTES_MAX >> 20 })
      setFile({ name: chosen.name, subtree: parseFile(await chosen.text()) })
    } catch (error) {
      // Each text has its own values; the fault brings those of its key.
      const text = error instanceof FileFault ? (say as Loose)(error.key, error.values) : String(error)
      setSaid({ kind: 'fault', text })
    }
  }

  return (
    <section className="xenstore-form" aria-label={say('files.import')}>
      <p className="xenstore-form-title">{say('files.import')}</p>
      <p className="xenstore-files-what">{say('files.import.what')}</p>
      <div className="xenstore-buttons">
        <button type="button" className="button small" onClick={() => input.current?.click()}>
          {file?.name ?? say('files.choose')}
        </button>
        <input
          ref={input}
          type="file"
          accept=".json,application/json"
          hidden
          data-testid={testIds.xenstoreImportFile}
          onChange={({ target }) => {
            const chosen = target.files?.[0]
            if (chosen) void choose(chosen)
            target.value = ''
          }}
        />
      </div>
      {said && <Answer said={said} />}
      {file && (
        <Plan
          key={file.name}
          explorer={explorer}
          subtree={file.subtree}
          onSaid={(next) => {
            setSaid(next)
            if (next?.kind === 'done') setFile(undefined)
          }}
          onCancel={() => {
            setSaid(undefined)
            setFile(undefined)
          }}
        />
      )}
    </section>
  )
}

type Loose = (key: string, values: Readonly<Record<string, string | number>>) => string

function Answer({ said }: { said: Said }) {
  const t = useTranslate()
  const say = useWords()
  if (said.kind === 'done')
    return (
      <p role="status" className="xenstore-done" data-testid={testIds.xenstoreImportResult}>
        {said.text}
      </p>
    )
  if (said.kind === 'fault')
    return (
      <p role="alert" className="xenstore-error" data-testid={testIds.xenstoreImportResult}>
        {said.text}
      </p>
    )
  const more = said.refused.length - REFUSALS_SHOWN
  return (
    <div role="alert" className="xenstore-error" data-testid={testIds.xenstoreImportResult}>
      {say('files.refused')}
      <ul>
        {said.refused.slice(0, REFUSALS_SHOWN).map(({ path, word }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a node may be refused twice
          <li key={i}>
            <code>{word}</code> {path}
          </li>
        ))}
      </ul>
      {more > 0 && say('files.refused.more', { count: more })}
      {said.refused.some(({ word }) => word === 'ENOSPC') && t('xenstore.error.ENOSPC')}
    </div>
  )
}

interface PlanProps {
  readonly explorer: Explorer
  readonly subtree: Subtree
  readonly onSaid: (said: Said | undefined) => void
  readonly onCancel: () => void
}

function Plan({ explorer, subtree, onSaid, onCancel }: PlanProps) {
  const t = useTranslate()
  const say = useWords()
  const id = useId()
  const [into, setInto] = useState(subtree.path)
  const [others, setOthers] = useState(false)
  const [waiting, setWaiting] = useState(false)
  const valid = isPath(into)
  const now = valid ? explorer.node(into) : undefined
  const plan = useMemo(
    () => (valid ? planImport(now, subtree.root, into, others) : []),
    [valid, now, subtree, into, others],
  )
  const counts = useMemo(() => countKinds(plan), [plan])

  async function run(): Promise<void> {
    setWaiting(true)
    onSaid(undefined)
    try {
      await applyImport(explorer.client, plan)
      onSaid({ kind: 'done', text: say('files.done', counts) })
      explorer.reveal(into)
    } catch (error) {
      setWaiting(false)
      if (error instanceof ImportRefused) onSaid({ kind: 'refused', refused: error.refused })
      else {
        const word = error instanceof Error ? error.message : String(error)
        onSaid({ kind: 'fault', text: word === 'EAGAIN' ? say('files.busy') : `${t('xenstore.unreached')} ${word}` })
      }
    }
  }

  return (
    <>
      <div className="xenstore-field">
        <label htmlFor={id}>{say('files.into')}</label>
        <input
          id={id}
          type="text"
          className="mono"
          value={into}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="none"
          aria-invalid={!valid}
          aria-describedby={valid ? undefined : `${id}-wrong`}
          data-testid={testIds.xenstoreImportPath}
          onChange={({ target }) => setInto(target.value)}
        />
        {!valid && <small id={`${id}-wrong`}>{say('files.into.wrong')}</small>}
      </div>
      <label className="xenstore-check">
        <input
          type="checkbox"
          checked={others}
          data-testid={testIds.xenstoreImportOthers}
          onChange={({ target }) => setOthers(target.checked)}
        />
        {say('files.others')}
      </label>
      <p className="xenstore-counts" role="status" data-testid={testIds.xenstoreImportCounts}>
        {plan.length === 0
          ? valid && say('files.same')
          : [
              say('compare.added', { count: counts.added }),
              say('compare.changed', { count: counts.changed }),
              say('compare.removed', { count: counts.removed }),
            ].join(' · ')}
      </p>
      {plan.length > 0 && (
        <DiffList
          differences={plan}
          label={say('files.list')}
          testId={testIds.xenstoreImportDiff}
          onPick={({ path }) => explorer.reveal(path)}
        />
      )}
      <div className="xenstore-buttons">
        <button
          type="button"
          className="button small primary"
          disabled={waiting || plan.length === 0}
          data-testid={testIds.xenstoreImport}
          onClick={() => void run()}
        >
          {say('files.do')}
        </button>
        <button type="button" className="button small" onClick={onCancel}>
          {say('files.cancel')}
        </button>
        <span className="xenstore-waiting" role="status">
          {waiting && say('files.doing')}
        </span>
      </div>
    </>
  )
}
