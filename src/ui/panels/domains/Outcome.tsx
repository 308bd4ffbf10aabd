/** What was asked of xend last: the command that does the same, and what came of it. */
import { useRef, useState } from 'react'
import { CloseIcon, CopyIcon, TickIcon } from '../../icons.tsx'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { ActOutcome } from './use-acts.ts'

export function Outcome({ outcome, onDismiss }: { outcome: ActOutcome; onDismiss?: () => void }) {
  const t = useTranslate()
  const { kind, command, state, why } = outcome
  const [copied, setCopied] = useState('')
  const code = useRef<HTMLElement>(null)

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(command)
      setCopied(command)
    } catch {
      // Where a page may not, its user still can: Ctrl-C.
      if (code.current) getSelection()?.selectAllChildren(code.current)
    }
  }

  return (
    <fieldset className="domains-outcome" data-state={state} aria-label={t('domains.last')}>
      <div className="domains-command">
        <span>{t('domains.command')}</span>
        <code ref={code} data-testid={testIds.domainsCommand}>
          {command}
        </code>
        <button
          type="button"
          className="icon-button small"
          aria-label={t(copied === command ? 'domains.copied' : 'domains.copy')}
          title={t(copied === command ? 'domains.copied' : 'domains.copy')}
          data-testid={testIds.domainsCopy}
          onClick={() => void copy()}
        >
          {copied === command ? <TickIcon /> : <CopyIcon />}
        </button>
        {onDismiss && (
          <button
            type="button"
            className="icon-button small"
            aria-label={t('domains.dismiss')}
            title={t('domains.dismiss')}
            onClick={onDismiss}
          >
            <CloseIcon />
          </button>
        )}
      </div>
      <p
        className="domains-result"
        role={state === 'refused' ? 'alert' : 'status'}
        data-testid={testIds.domainsResult}
        data-state={state}
      >
        {state === 'waiting' && t('domains.waiting')}
        {state === 'done' && t(`domains.done.${kind}`)}
        {state === 'refused' && t('domains.refused', { why })}
      </p>
    </fieldset>
  )
}
