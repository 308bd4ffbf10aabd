/** The command that does the same in dom0, to be learnt and copied. */
import { useRef, useState } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

export function Command({ text }: { text: string }) {
  const t = useTranslate()
  const [copied, setCopied] = useState('')
  const code = useRef<HTMLElement>(null)

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(text)
    } catch {
      // Where a page may not, its user still can: Ctrl-C.
      if (code.current) getSelection()?.selectAllChildren(code.current)
    }
  }

  return (
    <div className="xenstore-command">
      <span className="xenstore-label">{t('xenstore.command')}</span>

      <code ref={code} data-testid={testIds.xenstoreCommand}>
        {text}
      </code>
      <button
        type="button"
        className="button small"
        aria-label={t('xenstore.copy')}
        data-testid={testIds.xenstoreCopy}
        onClick={() => void copy()}
      >
        {copied === text ? t('xenstore.copied') : <CopyIcon />}
      </button>
    </div>
  )
}

const CopyIcon = () => (
  <svg
    viewBox="0 0 18 18"
    width="15"
    height="15"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
  >
    <rect x="6" y="6" width="9" height="9" rx="1.5" />
    <path d="M12 3.5A1.5 1.5 0 0 0 10.5 2.5H4A1.5 1.5 0 0 0 2.5 4v6.5A1.5 1.5 0 0 0 3.5 12" />
  </svg>
)
