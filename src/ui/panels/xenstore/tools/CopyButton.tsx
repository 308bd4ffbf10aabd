/** A small button that copies something, and says whether it could. */
import { useState } from 'react'
import { CopyIcon } from '../../../icons.tsx'
import { announce } from '../../../layout/announce.ts'
import { copy } from './copy.ts'
import { useWords } from './use-words.ts'

interface CopyButtonProps {
  /** Made when it is asked for. */
  readonly text: () => string
  readonly label: string
  readonly testId: string
}

export function CopyButton({ text, label, testId }: CopyButtonProps) {
  const say = useWords()
  const [said, setSaid] = useState<'copied' | 'copy.refused'>()
  async function run(): Promise<void> {
    const done = (await copy(text())) ? 'copied' : 'copy.refused'
    setSaid(done)
    announce(say(done))
  }
  return (
    <span className="xenstore-copy">
      <button
        type="button"
        className="icon-button small"
        aria-label={label}
        title={label}
        data-testid={testId}
        onClick={() => void run()}
        onBlur={() => setSaid(undefined)}
        onPointerLeave={() => setSaid(undefined)}
      >
        <CopyIcon />
      </button>
      {said && (
        <span className="xenstore-copied" aria-hidden="true">
          {say(said)}
        </span>
      )}
    </span>
  )
}
