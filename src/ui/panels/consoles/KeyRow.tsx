/** Keys that a soft keyboard lacks, and the one that switches Xen's serial input. */
import { useState } from 'react'
import type { SerialLine } from '#protocol/machine.ts'
import type { MessageKey } from '../../i18n/index.ts'
import { usePage, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

const ctrlA = 0x01

const keys: readonly {
  readonly label: Extract<MessageKey, `keys.${string}`>
  readonly face?: string
  readonly bytes: readonly number[]
}[] = [
  { label: 'keys.esc', bytes: [0x1b] },
  { label: 'keys.tab', bytes: [0x09] },
  { label: 'keys.up', face: '↑', bytes: [0x1b, 0x5b, 0x41] },
  { label: 'keys.down', face: '↓', bytes: [0x1b, 0x5b, 0x42] },
  { label: 'keys.left', face: '←', bytes: [0x1b, 0x5b, 0x44] },
  { label: 'keys.right', face: '→', bytes: [0x1b, 0x5b, 0x43] },
  { label: 'keys.enter', face: '⏎', bytes: [0x0d] },
]

export function KeyRow({ line }: { line: SerialLine }) {
  const t = useTranslate()
  const { session, terminals } = usePage()
  const [ctrl, setCtrl] = useState(false)

  function toggleCtrl(): void {
    setCtrl(!ctrl)
    terminals[line].holdCtrl(ctrl ? undefined : () => setCtrl(false))
    terminals[line].focus()
  }

  return (
    <div className="key-row" role="toolbar" aria-label={t('keys.label')} data-testid={testIds.serialKeys}>
      <button
        type="button"
        className="key phone-only"
        aria-pressed={ctrl}
        title={t('keys.ctrl.help')}
        onClick={toggleCtrl}
      >
        {t('keys.ctrl')}
      </button>
      {keys.map(({ label, face, bytes }) => (
        <button
          type="button"
          key={label}
          className="key"
          aria-label={face ? t(label) : undefined}
          onClick={() => session.serialIn(line, bytes)}
        >
          {face ?? t(label)}
        </button>
      ))}
      <button
        type="button"
        className="key wide layer-xen"
        title={t('keys.ctrlA3.help')}
        onClick={() => session.serialIn(line, [ctrlA, ctrlA, ctrlA])}
      >
        {t('keys.ctrlA3')}
      </button>
    </div>
  )
}
