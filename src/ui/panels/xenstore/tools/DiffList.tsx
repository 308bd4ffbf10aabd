/** What differs, as the tree that it makes: with signs, both values, and both sets of permissions. */
import { useMemo } from 'react'
import { lineOf } from '../values.ts'
import { type Comparable, type Difference, type DiffRow, diffRows, kindOf } from './diff.ts'
import { type Say, useWords } from './use-words.ts'
import { VirtualList } from './VirtualList.tsx'

const ROW_PX = 26
/** The same in every language. */
export const SIGNS = { added: '+', removed: '−', changed: '±' } as const

interface DiffListProps {
  readonly differences: readonly Difference[]
  readonly label: string
  readonly testId: string
  readonly onPick: (row: DiffRow) => void
  /** Whose values are shown elsewhere. */
  readonly picked?: string | undefined
}

const pathOf = ({ path }: DiffRow): string => path

export function DiffList({ differences, label, testId, onPick, picked }: DiffListProps) {
  const say = useWords()
  const rows = useMemo(() => diffRows(differences), [differences])
  return (
    <VirtualList
      items={rows}
      keyOf={pathOf}
      rowPx={ROW_PX}
      label={label}
      testId={testId}
      onPick={onPick}
      isCurrent={({ path }) => path === picked}
      className={({ difference }) => `xenstore-diff ${difference ? kindOf(difference) : ''}`}
      data={({ path, difference }) => ({ 'data-path': path, 'data-kind': difference && kindOf(difference) })}
      render={(row) => <Line row={row} say={say} />}
    />
  )
}

function Line({ row: { path, label, level, difference }, say }: { row: DiffRow; say: Say }) {
  const kind = difference && kindOf(difference)
  const what = difference ? whatOf(difference, say) : ''
  return (
    <span
      className="xenstore-diff-line"
      style={{ '--level': level } as React.CSSProperties}
      title={what === '' ? path : `${path}\n${what}`}
    >
      <span className="xenstore-sign" aria-hidden="true">
        {kind && SIGNS[kind]}
      </span>
      {kind && <span className="sr-only">{say(`compare.sign.${kind}`)}</span>}
      <span className="xenstore-name">{label}</span>
      {what !== '' && <span className="xenstore-row-value">{what}</span>}
    </span>
  )
}

function whatOf({ before, after }: Difference, say: Say): string {
  const value = (node: Comparable): string => (node.value === '' ? say('empty') : lineOf(node.value))
  if (!before || !after) {
    const node = before ?? after
    return node && node.value !== '' ? lineOf(node.value) : ''
  }
  const words: string[] = []
  if (before.value !== after.value) words.push(`${value(before)} ${say('arrow')} ${value(after)}`)
  if (before.perms !== after.perms) words.push(`${before.perms} ${say('arrow')} ${after.perms}`)
  return words.join('; ')
}
