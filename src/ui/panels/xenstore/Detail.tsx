/** Below the tree, or beside it where there is room: the selected node; who changed what; what differs; files; a shell. */
import { useId } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { ExplorerProps } from './explorer-of.ts'
import { NodeView } from './NodeView.tsx'
import { ancestorsOf, ROOT } from './rows.ts'
import { Changes } from './tools/Changes.tsx'
import { Compare } from './tools/Compare.tsx'
import { CopyButton } from './tools/CopyButton.tsx'
import { Files } from './tools/Files.tsx'
import { type ShellKeeper, ShellView } from './tools/ShellView.tsx'
import { type Size, type Tab, Tabs } from './tools/Tabs.tsx'
import type { Tools } from './tools/tools-of.ts'
import { useWords } from './tools/use-words.ts'

interface DetailProps extends ExplorerProps {
  readonly tools: Tools
  readonly keeper: ShellKeeper
  readonly tab: Tab
  readonly visible: boolean
  readonly choose: (tab: Tab) => void
  readonly size: Size
  readonly onSize: (size: Size) => void
  /** Keep this moment, to compare with. */
  readonly mark: () => void
}

export function Detail(props: DetailProps) {
  const { explorer, version, tools, keeper, tab, visible, choose, mark, size, onSize } = props
  const t = useTranslate()
  const say = useWords()
  const id = useId()
  // Whoever does something to a node by a key of the tree wants to see it.
  const shown = explorer.action ? 'node' : tab
  return (
    <section
      className="xenstore-detail"
      aria-label={t('xenstore.detail')}
      data-testid={testIds.xenstoreDetail}
      data-view={shown}
      data-acting={explorer.action !== undefined}
      data-size={size === 'small' && explorer.action ? 'middle' : size}
    >
      <Tabs shown={shown} choose={choose} panelId={id} size={size} onSize={onSize} />
      {shown === 'node' && (
        <div className="xenstore-way">
          <Crumbs explorer={explorer} version={version} />
          <CopyButton text={() => explorer.selected} label={say('copy.path')} testId={testIds.xenstoreCopyPath} />
        </div>
      )}
      <div id={id} role="tabpanel" aria-label={say(`tab.${shown}`)} className="xenstore-view">
        {shown === 'node' && <NodeView explorer={explorer} version={version} />}
        {shown === 'changes' && <Changes explorer={explorer} history={tools.history} visible={visible} />}
        {shown === 'compare' && <Compare explorer={explorer} moments={tools.moments} mark={mark} />}
        {shown === 'files' && <Files explorer={explorer} />}
        {shown === 'shell' && <ShellView explorer={explorer} keeper={keeper} />}
      </div>
    </section>
  )
}

function Crumbs({ explorer }: ExplorerProps) {
  const t = useTranslate()
  const { selected } = explorer
  const way = [...ancestorsOf(selected), selected]
  return (
    <nav className="xenstore-crumbs" aria-label={t('xenstore.crumbs')}>
      {way.map((path) => (
        <button
          type="button"
          key={path}
          aria-current={path === selected ? 'location' : undefined}
          onClick={() => explorer.reveal(path)}
        >
          {path === ROOT ? ROOT : path.slice(path.lastIndexOf('/') + 1)}
        </button>
      ))}
    </nav>
  )
}
