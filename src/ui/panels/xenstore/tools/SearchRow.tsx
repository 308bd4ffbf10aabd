/** Under the filter while something is typed there: where it is looked for, how much was found, and the way from one match to the next. */
import { useEffect, useMemo, useState } from 'react'
import { ArrowDownIcon, ArrowUpIcon } from '../../../icons.tsx'
import { testIds } from '../../../test-ids.ts'
import type { ExplorerProps } from '../explorer-of.ts'
import { Matches } from './matches.ts'
import { matcherOf, parseQuery, type Scope, scopes, spellQuery } from './query.ts'
import { useWords } from './use-words.ts'

/** Counting takes so much of a picture. */
const WORK_MS = 5

/** To the next match or the one before, and the keyboard with it where it is in the tree. */
type Step = (by: 1 | -1, focus?: boolean) => void

/** The matches of what is typed; `total` is undefined while they are counted. */
export function useMatches({ explorer }: ExplorerProps): {
  readonly matches: Matches
  readonly step: Step
} {
  const matches = useMemo(() => new Matches(matcherOf(explorer.filterText)), [explorer.filterText])
  const [, setCounted] = useState<object>()
  const { root } = explorer
  useEffect(() => {
    if (explorer.filterText === '' || !root) return
    let frame = 0
    const work = (): void => {
      const end = performance.now() + WORK_MS
      if (matches.work(() => performance.now() > end)) setCounted({})
      else frame = requestAnimationFrame(work)
    }
    matches.look(root)
    work()
    return () => cancelAnimationFrame(frame)
  }, [explorer.filterText, matches, root])

  function step(by: 1 | -1, focus = false): void {
    if (explorer.filterText === '' || !root) return
    // Whoever asks does not wait for the next picture.
    matches.look(root)
    matches.work(() => false)
    const { total } = matches
    if (!total) return
    const rank = matches.rank(explorer.selected)
    // What is selected may be before the first match, or between two.
    const isOne = rank > 0 && matches.nth(rank) === explorer.selected
    const to = by > 0 ? rank + 1 : isOne ? rank - 1 : rank
    const path = matches.nth(to > total ? 1 : to < 1 ? total : to)
    if (path !== undefined) explorer.reveal(path, focus)
  }
  return { matches, step }
}

interface SearchRowProps extends ExplorerProps {
  readonly matches: Matches
  readonly step: Step
}

export function SearchRow({ explorer, matches, step }: SearchRowProps) {
  const say = useWords()
  const query = parseQuery(explorer.filterText)
  const { total } = matches
  const rank = total ? matches.rank(explorer.selected) : 0
  const isOne = rank > 0 && matches.nth(rank) === explorer.selected
  return (
    <div className="xenstore-search">
      <select
        value={query.scope}
        aria-label={say('search.scope')}
        data-testid={testIds.xenstoreSearchScope}
        onChange={({ target }) => explorer.filterBy(spellQuery({ ...query, scope: target.value as Scope }))}
      >
        {scopes.map((scope) => (
          <option key={scope} value={scope}>
            {say(`search.${scope}`)}
          </option>
        ))}
      </select>
      <span role="status" className="xenstore-count" data-testid={testIds.xenstoreSearchCount}>
        {total === 0
          ? say('search.none')
          : total && (isOne ? say('search.count', { now: rank, all: total }) : say('search.found', { all: total }))}
      </span>
      {([-1, 1] as const).map((by) => (
        <button
          key={by}
          type="button"
          className="icon-button small"
          aria-label={say(by > 0 ? 'search.next' : 'search.previous')}
          title={say(by > 0 ? 'search.next' : 'search.previous')}
          disabled={!total}
          data-testid={by > 0 ? testIds.xenstoreSearchNext : testIds.xenstoreSearchPrevious}
          onClick={() => step(by)}
        >
          {by > 0 ? <ArrowDownIcon /> : <ArrowUpIcon />}
        </button>
      ))}
    </div>
  )
}
