/** Keys that a soft keyboard lacks, for fingers; and the one that switches Xen's serial input. */
import { useState } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { ctrlA3, leaveConsole } from './send-keys.ts'
import type { ConsoleTerminal, PluggedTerminal } from './terminals.ts'

/** What stands on the key is its name, where it has one that everybody reads. */
const keys = [
  { face: 'Esc', bytes: '\x1b' },
  { face: 'Tab', bytes: '\t' },
  { face: '↑', label: 'console.key.up', cursor: 'A' },
  { face: '↓', label: 'console.key.down', cursor: 'B' },
  { face: '←', label: 'console.key.left', cursor: 'D' },
  { face: '→', label: 'console.key.right', cursor: 'C' },
  { face: '⏎', label: 'console.key.enter', bytes: '\r' },
] as const

interface KeyRowProps {
  /** One that is no console of a machine has no use for the keys that only those know. */
  readonly console: PluggedTerminal & Partial<Pick<ConsoleTerminal, 'id' | 'domain'>>
}

export function KeyRow({ console }: KeyRowProps) {
  const t = useTranslate()
  const [ctrl, setCtrl] = useState(false)

  function toggleCtrl(): void {
    setCtrl(!ctrl)
    console.holdCtrl(ctrl ? undefined : () => setCtrl(false))
    console.focus()
  }

  /** Programs may have asked for cursor keys of their own kind (DECCKM). */
  const cursorKey = (final: string): string =>
    `\x1b${console.terminal.modes.applicationCursorKeysMode ? 'O' : '['}${final}`

  return (
    // A finger on a key must not take the focus, and with it the soft keyboard, from the terminal.
    <div
      className="key-row"
      role="toolbar"
      aria-label={t('keys.label')}
      data-testid={testIds.serialKeys}
      onPointerDown={(event) => event.preventDefault()}
    >
      <button type="button" className="key" aria-pressed={ctrl} title={t('console.key.ctrl.help')} onClick={toggleCtrl}>
        {t('keys.ctrl')}
      </button>
      {keys.map((key) => (
        <button
          type="button"
          key={key.face}
          className="key"
          aria-label={'label' in key ? t(key.label) : undefined}
          onClick={() => console.send('cursor' in key ? cursorKey(key.cursor) : key.bytes)}
        >
          {key.face}
        </button>
      ))}
      {console.id && !console.domain && (
        <button
          type="button"
          className="key wide layer-xen"
          title={t('console.key.ctrlA3.help')}
          onClick={() => console.send(ctrlA3.bytes)}
        >
          {ctrlA3.name}
        </button>
      )}
      {console.id && (
        <button
          type="button"
          className="key wide"
          title={t('console.key.leave.help')}
          onClick={() => console.send(leaveConsole.bytes)}
        >
          {leaveConsole.name}
        </button>
      )}
    </div>
  )
}
