/** The command that does the same in dom0, to be learnt and copied. */
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { CopyButton } from './tools/CopyButton.tsx'

export function Command({ text }: { text: string }) {
  const t = useTranslate()
  return (
    <div className="xenstore-command">
      <span className="xenstore-label">{t('xenstore.command')}</span>

      <code data-testid={testIds.xenstoreCommand}>{text}</code>
      <CopyButton text={() => text} label={t('xenstore.copy')} testId={testIds.xenstoreCopy} />
    </div>
  )
}
