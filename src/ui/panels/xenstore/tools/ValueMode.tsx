/** A value as text, or byte by byte. */
import { testIds } from '../../../test-ids.ts'
import { useWords } from './use-words.ts'

export type ValueMode = 'text' | 'hex'

interface ValueModeProps {
  readonly mode: ValueMode
  readonly onMode: (mode: ValueMode) => void
  /** Not now. */
  readonly disabled?: boolean
}

export function ValueMode({ mode, onMode, disabled }: ValueModeProps) {
  const say = useWords()
  return (
    <button
      type="button"
      className="button xenstore-mode"
      aria-pressed={mode === 'hex'}
      disabled={disabled}
      title={say('value.as')}
      data-testid={testIds.xenstoreValueMode}
      onClick={() => onMode(mode === 'hex' ? 'text' : 'hex')}
    >
      {say('value.hex')}
    </button>
  )
}
