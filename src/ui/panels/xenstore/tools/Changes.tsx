/** "Who changed this": the time line of one node, of what is below it, or of the whole store. */
import { useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { ClearIcon } from '../../../icons.tsx'
import { useTranslate } from '../../../session-context.tsx'
import { testIds } from '../../../test-ids.ts'
import type { Explorer } from '../explorer.ts'
import { hueOf } from '../hue.ts'
import { ROOT } from '../rows.ts'
import { lineOf } from '../values.ts'
import { ENTRIES_MAX, type Entry, type History, type Wanted } from './history.ts'
import { type Say, useWords } from './use-words.ts'
import { VirtualList } from './VirtualList.tsx'

const scopes = ['node', 'below', 'all'] as const satisfies readonly Wanted['scope'][]
const EVERYBODY = 'all'
const ROW_PX = 42

const secondsOf = (ns: number): string => (ns / 1e9).toFixed(3)

interface ChangesProps {
  readonly explorer: Explorer
  readonly history: History
  /** Somebody looks. */
  readonly visible: boolean
}

const never = (): (() => void) => () => {}

export function Changes({ explorer, history, visible }: ChangesProps) {
  const t = useTranslate()
  const say = useWords()
  const version = useSyncExternalStore(visible ? history.subscribe : never, history.version)
  const [scope, setScope] = useState<Wanted['scope']>('below')
  const [domid, setDomid] = useState<number>()
  const [paused, setPaused] = useState<{ readonly version: number; readonly newest: number }>()
  const path = useSubject(explorer)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for what the history holds
  const live = useMemo(
    () => history.select({ scope, path: path.now, domid }),
    [history, scope, path.now, domid, paused?.version ?? version],
  )
  const entries = useMemo(() => (paused ? live.filter(({ number }) => number <= paused.newest) : live), [live, paused])
  const { size, dropped, newest } = history
  const count =
    dropped > 0
      ? say('changes.dropped', { count: entries.length, dropped, max: ENTRIES_MAX })
      : say('changes.count', { count: entries.length })
  return (
    <div className="xenstore-changes">
      <div className="xenstore-tools">
        <select
          value={scope}
          aria-label={say('changes.scope')}
          data-testid={testIds.xenstoreChangesScope}
          onChange={({ target }) => setScope(target.value as Wanted['scope'])}
        >
          {scopes.map((each) => (
            <option key={each} value={each}>
              {say(`changes.${each}`)}
            </option>
          ))}
        </select>
        <select
          value={domid ?? EVERYBODY}
          aria-label={say('changes.domain')}
          data-testid={testIds.xenstoreChangesDomain}
          onChange={({ target }) => setDomid(target.value === EVERYBODY ? undefined : Number(target.value))}
        >
          <option value={EVERYBODY}>{say('changes.everybody')}</option>
          {history.domids().map((each) => (
            <option key={each} value={each}>
              {say('changes.by', { domain: t('xenstore.domain', { domid: each }) })}
            </option>
          ))}
        </select>
        <button
          type="button"
          className="button small"
          aria-pressed={paused !== undefined}
          title={say('changes.pause.help')}
          data-testid={testIds.xenstoreChangesPause}
          onClick={() => setPaused(paused ? undefined : { version, newest })}
        >
          {say('changes.pause')}
        </button>
      </div>
      <div className="xenstore-tools">
        <span className="xenstore-count" data-testid={testIds.xenstoreChangesCount}>
          {count}
          {paused && newest > paused.newest && ` · ${say('changes.since', { count: newest - paused.newest })}`}
        </span>
        <button
          type="button"
          className="icon-button small xenstore-forget"
          aria-label={say('changes.forget')}
          title={say('changes.forget.help')}
          disabled={size === 0}
          onClick={() => {
            setPaused(undefined)
            history.forget()
          }}
        >
          <ClearIcon />
        </button>
      </div>
      {scope !== 'all' && <p className="mono xenstore-subject">{path.now}</p>}
      {entries.length === 0 ? (
        <p className="xenstore-none">
          {scope === 'all' ? say('changes.none.all') : say('changes.none.node', { path: path.now })}
        </p>
      ) : (
        <VirtualList
          items={entries}
          keyOf={numberOf}
          rowPx={ROW_PX}
          label={say('changes.list')}
          testId={testIds.xenstoreChanges}
          growsAtTop
          onPick={(entry) => entry.kind !== 'new' && path.goTo(entry.path)}
          className={({ kind, writer }) => (kind === 'new' ? 'layer-dom0' : hueOf(writer.domid))}
          data={({ path: at, kind, writer }) => ({ 'data-path': at, 'data-kind': kind, 'data-domid': writer.domid })}
          render={(entry) => <Line entry={entry} base={scope === 'all' ? ROOT : path.now} say={say} />}
        />
      )}
    </div>
  )
}

const numberOf = ({ number }: Entry): number => number

/** The selected node; but to go where the list leads does not change what the list is about. */
function useSubject(explorer: Explorer): { readonly now: string; readonly goTo: (path: string) => void } {
  const subject = useRef({ now: explorer.selected, reached: explorer.selected })
  if (explorer.selected !== subject.current.reached)
    subject.current = { now: explorer.selected, reached: explorer.selected }
  const { now } = subject.current
  return {
    now,
    goTo(path) {
      explorer.reveal(path)
      subject.current = { now, reached: explorer.selected }
    },
  }
}

function Line({ entry, base, say }: { entry: Entry; base: string; say: Say }) {
  const t = useTranslate()
  const { kind, path, atNs, writer, client } = entry
  const time = <span className="xenstore-time">{say('changes.at', { seconds: secondsOf(atNs) })}</span>
  if (kind === 'new')
    return (
      <>
        <span className="xenstore-entry-head">
          {time}
          <span className="xenstore-entry-by">{say('changes.new')}</span>
        </span>
        <span />
      </>
    )
  const domain = t('xenstore.domain', { domid: writer.domid })
  const connection = say('changes.connection', { connection: writer.connection })
  const who = client ? say('changes.client', client) : connection
  return (
    <>
      <span className="xenstore-entry-head" title={`${domain}, ${who}, ${connection}`}>
        {time}
        <span className="xenstore-entry-by">{domain}</span>
        <span className="xenstore-entry-act">{actOf(entry, say)}</span>
        <span className="xenstore-entry-who">{client ? `${who} · ${connection}` : who}</span>
      </span>
      <What entry={entry} label={labelOf(path, base)} say={say} />
    </>
  )
}

/** Below the list's subject its path is known. */
function labelOf(path: string, base: string): string {
  if (base !== ROOT && path.startsWith(`${base}/`)) return path.slice(base.length + 1)
  return path === base && base !== ROOT ? path.slice(path.lastIndexOf('/') + 1) : path
}

function actOf({ kind, before, after, below }: Entry, say: Say): string {
  if (kind === 'rm') return below > 0 ? say('changes.removed.below', { count: below }) : say('changes.removed')
  if (!before) return say('changes.created')
  const perms = before.perms !== after?.perms
  if (before.value !== after?.value)
    return perms ? `${say('changes.wrote')}, ${say('changes.perms')}` : say('changes.wrote')
  return say(perms ? 'changes.perms' : 'changes.same')
}

function What({ entry: { before, after, path }, label, say }: { entry: Entry; label: string; say: Say }) {
  const shown = (value: string): string => (value === '' ? say('empty') : lineOf(value))
  const words: string[] = []
  if (!before) words.push(shown(after?.value ?? ''))
  else if (!after) words.push(shown(before.value))
  else if (before.value !== after.value) words.push(`${shown(before.value)} ${say('arrow')} ${shown(after.value)}`)
  else if (before.perms === after.perms) words.push(shown(after.value))
  if (before && after && before.perms !== after.perms) words.push(`${before.perms} ${say('arrow')} ${after.perms}`)
  const what = words.join('; ')
  return (
    <span className="xenstore-entry-what" title={`${path}\n${what}`}>
      <span className="xenstore-entry-path">
        <bdi>{label}</bdi>
      </span>{' '}
      <span className="xenstore-entry-value">{what}</span>
    </span>
  )
}
