/** How far a paste has come, while it lasts: the line carries eleven kilobytes a second. */
import { useSyncExternalStore } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { SendQueue } from './send-queue.ts'

/** Less than this is sent before anybody could stop it. */
const shownBytes = 8192
const kilo = (bytes: number): number => Math.ceil(bytes / 1024)

export function Sending({ queue }: { queue: SendQueue }) {
  const t = useTranslate()
  const progress = useSyncExternalStore(
    (listener) => queue.subscribe(listener),
    () => queue.progress,
  )
  if (!progress || progress.total < shownBytes) return null
  const { sent, total } = progress
  const text = t('console.sending', { sent: kilo(sent), total: kilo(total) })
  return (
    <div className="console-notice" data-testid={testIds.consoleSending}>
      <progress max={total} value={sent} aria-label={text} />
      <span>{text}</span>
      <button
        type="button"
        className="button small"
        data-testid={testIds.consoleSendingStop}
        onClick={() => queue.cancel()}
      >
        {t('console.sending.cancel')}
      </button>
    </div>
  )
}
