/** What the daemon said against it, in its own word, and what that means. */
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { Refusal } from './use-ask.ts'

const meanings = {
  ENOENT: 'xenstore.error.ENOENT',
  EACCES: 'xenstore.error.EACCES',
  EINVAL: 'xenstore.error.EINVAL',
  ENOSPC: 'xenstore.error.ENOSPC',
  E2BIG: 'xenstore.error.E2BIG',
} as const

export function Refused({ refusal }: { refusal: Refusal | undefined }) {
  const t = useTranslate()
  if (!refusal) return null
  const { word, byDaemon } = refusal
  const meaning = byDaemon && Object.hasOwn(meanings, word) ? t(meanings[word as keyof typeof meanings]) : undefined
  return (
    <p className="xenstore-error" role="alert" data-testid={testIds.xenstoreError}>
      {t(byDaemon ? 'xenstore.refused' : 'xenstore.unreached')} <code>{word}</code>
      {meaning && ` (${meaning})`}
    </p>
  )
}
