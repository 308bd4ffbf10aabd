/** One command of a page: what is typed, a tick once it was, a button that types it, and one that copies it. */
import { useEffect, useState } from 'react'
import { say } from '../../i18n/index.ts'
import { CopyIcon, RunIcon, TickIcon } from '../../icons.tsx'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { actText, type Command, obstacle, perform } from './acts.ts'

export function CommandBlock({ command }: { command: Command }) {
  const t = useTranslate()
  const { session } = usePage()
  const text = actText(command.act)
  const isDone = usePlayground((state) => state.guideDone.includes(command.id))
  const why = usePlayground((state) => {
    const found = obstacle(state, command)
    return found && say(state.lang, found)
  })
  return (
    <div
      className={`guide-command${isDone ? ' done' : ''}`}
      data-testid={testIds.guideCommand}
      data-name={command.id}
      data-done={isDone}
    >
      <button
        type="button"
        className="guide-run"
        aria-label={t(isDone ? 'guide.run.done' : 'guide.run', { text }) + (why === undefined ? '' : `. ${why}`)}
        aria-disabled={why !== undefined}
        title={why ?? t(isDone ? 'guide.run.done' : 'guide.run', { text })}
        onClick={() => why === undefined && perform(session, command)}
      >
        {isDone ? <TickIcon /> : <RunIcon />}
        <code>{text}</code>
      </button>
      {command.act.kind === 'line' && <Copy text={text} />}
    </div>
  )
}

const copiedShownMs = 1500

function Copy({ text }: { text: string }) {
  const t = useTranslate()
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), copiedShownMs)
    return () => clearTimeout(timer)
  }, [isCopied])
  return (
    <button
      type="button"
      className="guide-copy"
      aria-label={isCopied ? t('guide.copied') : t('guide.copy', { text })}
      title={t('guide.copy', { text })}
      data-testid={testIds.guideCopy}
      onClick={() =>
        // A frame without the right to the clipboard is refused: the text can still be selected.
        void navigator.clipboard?.writeText(text).then(
          () => setCopied(true),
          () => setCopied(false),
        )
      }
    >
      {isCopied ? <TickIcon /> : <CopyIcon />}
    </button>
  )
}
