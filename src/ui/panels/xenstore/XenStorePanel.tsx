/** XenStore as it is now, live from its daemon's trace; edited by its daemon alone, through a host link. */
import { type KeyboardEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { announce } from '../../layout/announce.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { PanelProps } from '../registry.ts'
import { Detail } from './Detail.tsx'
import { Empty } from './Empty.tsx'
import { type ExplorerProps, explorerOf } from './explorer-of.ts'
import { LastChange } from './LastChange.tsx'
import { Toolbar } from './Toolbar.tsx'
import { Tree } from './Tree.tsx'
import { copy } from './tools/copy.ts'
import { SearchRow, useMatches } from './tools/SearchRow.tsx'
import type { ShellKeeper } from './tools/ShellView.tsx'
import { type Size, type Tab, tabs } from './tools/Tabs.tsx'
import { toolsOf } from './tools/tools-of.ts'
import { useWords } from './tools/use-words.ts'
import { textOf } from './values.ts'
import './xenstore.css'
import './detail.css'
import './tools/lists.css'
import './tools/tools.css'

const never = (): (() => void) => () => {}

export default function XenStorePanel({ visible }: PanelProps) {
  const t = useTranslate()
  const { session } = usePage()
  const [explorer] = useState(() => explorerOf(session))
  // Nobody looks at a panel that stands behind another.
  const version = useSyncExternalStore(visible ? explorer.subscribe : never, explorer.version)
  const revealed = usePlayground((state) => state.revealed)
  useEffect(() => () => explorer.client.close(), [explorer])
  useEffect(() => {
    if (revealed) explorer.revealOnce(revealed)
  }, [explorer, revealed])
  const props: ExplorerProps = { explorer, version }
  const say = useWords()
  const tools = toolsOf(session)
  const { matches, step } = useMatches(props)
  const [tab, setTab] = useState<Tab>('node')
  const [size, setSize] = useState<Size>('middle')
  const panel = useRef<HTMLElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const keys = useRef<HTMLDivElement>(null)
  const keeper = useRef<ShellKeeper>({ shell: undefined })
  // The shell ends with the panel, and with the store's host.
  const isThere = explorer.root !== undefined
  useEffect(() => {
    if (!isThere) setTab('node')
    const { current } = keeper
    return () => {
      current.shell?.close()
      current.shell = undefined
    }
  }, [isThere])

  function choose(next: Tab): void {
    setTab(next)
    // Who chooses what is shown wants to see it.
    if (size === 'small') setSize('middle')
    if (next !== 'node') explorer.act(undefined)
  }

  async function copyOut(text: string): Promise<void> {
    announce(say((await copy(text)) ? 'copied' : 'copy.refused'))
  }

  function mark(): void {
    const moment = tools.moments.mark(session.store.getState().nowNs)
    if (moment) announce(say('compare.marked', { name: moment.name }))
  }

  /** What can be done with a node, beside what the tree itself knows. */
  const acts: Readonly<Record<string, () => void>> = {
    c: () => void copyOut(explorer.selected),
    v: () => void copyOut(textOf(explorer.node(explorer.selected)?.value ?? '')),
    m: mark,
    n: () => step(1, true),
    N: () => step(-1, true),
    '/': () => field.current?.focus(),
    '?': () => keys.current?.showPopover(),
  }

  function onKeyDown(event: KeyboardEvent): void {
    const { key, ctrlKey, altKey, metaKey } = event
    if (event.defaultPrevented || ctrlKey || altKey || metaKey) return
    if (!(event.target as Element).matches('[role=treeitem]')) return
    const act = acts[key] ?? acts[key.toLowerCase()]
    const number = tabs[Number(key) - 1]
    if (act) act()
    else if (number) choose(number)
    else return
    event.preventDefault()
  }

  return (
    <section
      ref={panel}
      className="panel layer-dom0 xenstore"
      data-testid={testIds.xenstorePanel}
      data-region
      aria-label={t('xenstore.title')}
      onKeyDown={onKeyDown}
    >
      {isThere ? (
        <>
          <Toolbar {...props} {...{ field, keys, panel }} />
          {explorer.filterText !== '' && <SearchRow {...props} matches={matches} step={step} />}
          <div className="xenstore-body">
            <div className="xenstore-main">
              <Tree {...props} />
              <LastChange {...props} />
            </div>
            <Detail
              {...props}
              {...{ tools, tab, visible, choose, mark, size }}
              onSize={setSize}
              keeper={keeper.current}
            />
          </div>
        </>
      ) : (
        <Empty />
      )}
    </section>
  )
}
