/** Two moments of the store, and what differs between them. */
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { useTranslate } from '../../../session-context.tsx'
import { testIds } from '../../../test-ids.ts'
import type { Explorer } from '../explorer.ts'
import { parsePermissions, permissionWords } from '../permissions.ts'
import { nodeAt } from '../rows.ts'
import { textOf } from '../values.ts'
import { DiffList, SIGNS } from './DiffList.tsx'
import type { Comparable, Difference, DifferenceKind } from './diff.ts'
import type { Moment, Moments } from './moments.ts'
import { NO_DIFFERENCE, overview } from './overview.ts'
import { useFollowed } from './use-followed.ts'
import { useWords } from './use-words.ts'

const NOW = ''
const kinds = ['added', 'changed', 'removed'] as const satisfies readonly DifferenceKind[]

interface CompareProps {
  readonly explorer: Explorer
  readonly moments: Moments
  readonly mark: () => void
}

export function Compare({ explorer, moments, mark }: CompareProps) {
  const say = useWords()
  const list = useSyncExternalStore(moments.subscribe, moments.list)
  const [from, setFrom] = useState<string>()
  const [to, setTo] = useState(NOW)
  const [hidden, setHidden] = useState<readonly DifferenceKind[]>([])
  const [picked, setPicked] = useState<string>()
  const newest = list.at(-1)
  // What was marked last is what one compares with, until one says otherwise.
  useEffect(() => {
    setFrom(newest?.name)
    setTo(NOW)
  }, [newest])
  const before = moments.get(from ?? '') ?? newest
  const { value: live, look } = useFollowed(explorer.root, before)
  const after = to === NOW ? live : moments.get(to)?.root
  // biome-ignore lint/correctness/useExhaustiveDependencies: to look does not change what is seen
  const { counts, listed } = useMemo(() => {
    if (!before || !after) return NO_DIFFERENCE
    return look(() => overview(before.root, after, (kind) => !hidden.includes(kind)))
  }, [before, after, hidden])
  const differ = kinds.filter((kind) => counts[kind] > 0)
  const shown = differ.reduce((sum, kind) => sum + (hidden.includes(kind) ? 0 : counts[kind]), 0)
  const chosen = before && after && picked !== undefined ? differenceAt(picked, before.root, after) : undefined
  return (
    <div className="xenstore-compare">
      <div className="xenstore-tools">
        <button type="button" className="button small" data-testid={testIds.xenstoreMark} onClick={mark}>
          {say('compare.mark')}
        </button>
        {before &&
          kinds.map((kind) => (
            <button
              key={kind}
              type="button"
              className={`button small xenstore-kind ${kind}`}
              aria-pressed={!hidden.includes(kind)}
              aria-label={say(`compare.${kind}`, { count: counts[kind] })}
              title={say(`compare.${kind}`, { count: counts[kind] })}
              data-testid={testIds.xenstoreCompareKind}
              data-kind={kind}
              data-count={counts[kind]}
              onClick={() =>
                setHidden(hidden.includes(kind) ? hidden.filter((one) => one !== kind) : [...hidden, kind])
              }
            >
              {`${SIGNS[kind]}${counts[kind]}`}
            </button>
          ))}
      </div>
      {before ? (
        <div className="xenstore-tools">
          <MomentField
            label={say('compare.from')}
            testId={testIds.xenstoreCompareFrom}
            list={list}
            value={before.name}
            onValue={setFrom}
          />
          <MomentField
            label={say('compare.to')}
            testId={testIds.xenstoreCompareTo}
            list={list}
            value={to}
            onValue={setTo}
            now
          />
        </div>
      ) : (
        <p className="xenstore-none">{say('compare.what')}</p>
      )}
      {before && shown === 0 && (
        <p className="xenstore-none" role="status">
          {say(differ.length === 0 ? 'compare.none' : 'compare.hidden')}
        </p>
      )}
      {shown > listed.length && <p className="xenstore-count">{say('compare.first', { count: listed.length })}</p>}
      {shown > 0 && (
        <DiffList
          differences={listed}
          label={say('compare.list')}
          testId={testIds.xenstoreDiff}
          picked={picked}
          onPick={({ path }) => {
            setPicked(path)
            explorer.reveal(path)
          }}
        />
      )}
      {chosen && <Both difference={chosen} />}
    </div>
  )
}

function differenceAt(path: string, before: StoreNode, after: StoreNode): Difference | undefined {
  const was = nodeAt(before, path)
  const is = nodeAt(after, path)
  if (was?.value === is?.value && was?.perms === is?.perms) return undefined
  return { path, before: was, after: is }
}

interface MomentFieldProps {
  readonly label: string
  readonly testId: string
  readonly list: readonly Moment[]
  readonly value: string
  readonly onValue: (name: string) => void
  readonly now?: boolean
}

function MomentField({ label, testId, list, value, onValue, now }: MomentFieldProps) {
  const say = useWords()
  return (
    <label>
      {label}
      <select value={value} data-testid={testId} onChange={({ target }) => onValue(target.value)}>
        {list.map(({ name, atNs }) => (
          <option key={name} value={name}>
            {say('compare.moment', { name, seconds: (atNs / 1e9).toFixed(1) })}
          </option>
        ))}
        {now && <option value={NOW}>{say('compare.now')}</option>}
      </select>
    </label>
  )
}

/** One node, as it was and as it is. */
function Both({ difference: { path, before, after } }: { difference: Difference }) {
  const say = useWords()
  return (
    <section className="xenstore-both" aria-label={path} data-testid={testIds.xenstoreBoth}>
      <Side title={say('compare.before')} node={before} />
      <Side title={say('compare.after')} node={after} />
    </section>
  )
}

function Side({ title, node }: { title: string; node: Comparable | undefined }) {
  const t = useTranslate()
  const say = useWords()
  return (
    <div className="xenstore-side">
      <h4>{title}</h4>
      {node ? (
        <>
          {node.value === '' ? (
            <p className="xenstore-nothing">{say('empty')}</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
            <pre tabIndex={0}>{textOf(node.value)}</pre>
          )}
          <p>
            {permissionWords(t, parsePermissions(node.perms))} <code className="xenstore-raw">{node.perms}</code>
          </p>
        </>
      ) : (
        <p className="xenstore-nothing">{say('compare.absent')}</p>
      )}
    </div>
  )
}
