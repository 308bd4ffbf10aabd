/** Which keys the explorer knows. */
import { type RefObject, useId } from 'react'
import { testIds } from '../../../test-ids.ts'
import { type ToolsKey, useWords } from './use-words.ts'

/** Names of keys are the same in every language. */
const keys = [
  ['↑ ↓ ← →', 'keys.move'],
  ['F2, Enter', 'keys.edit'],
  ['Insert', 'keys.add'],
  ['Delete', 'keys.remove'],
  ['P', 'keys.chmod'],
  ['C', 'keys.copy'],
  ['V', 'keys.copyValue'],
  ['M', 'keys.mark'],
  ['/', 'keys.find'],
  ['N, Shift-N', 'keys.next'],
  ['1 2 3 4 5', 'keys.tabs'],
  ['?', 'keys.help'],
] as const satisfies readonly (readonly [string, ToolsKey])[]

const elsewhere = [
  ['Enter, Escape', 'keys.search'],
  ['↑ ↓ Enter', 'keys.list'],
] as const satisfies readonly (readonly [string, ToolsKey])[]

export function Keys({ popover }: { popover: RefObject<HTMLDivElement | null> }) {
  const say = useWords()
  const id = useId()
  return (
    <>
      <button
        type="button"
        className="button small xenstore-icon"
        popoverTarget={id}
        aria-label={say('keys.show')}
        title={say('keys.show')}
        data-testid={testIds.xenstoreKeys}
      >
        ?
      </button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        className="xenstore-keys"
        role="dialog"
        aria-label={say('keys.show')}
        data-testid={testIds.xenstoreKeysList}
      >
        <h3>{say('keys.tree')}</h3>
        <List rows={keys} />
        <List rows={elsewhere} />
      </div>
    </>
  )
}

function List({ rows }: { rows: readonly (readonly [string, ToolsKey])[] }) {
  const say = useWords()
  return (
    <dl>
      {rows.map(([key, what]) => (
        <div key={what}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{(say as (key: ToolsKey) => string)(what)}</dd>
        </div>
      ))}
    </dl>
  )
}
