/** Above the tree: what to show of it, and whether it follows what happens. */
import type { RefObject } from 'react'
import { FollowIcon } from '../../icons.tsx'
import { FullScreen } from '../../layout/FullScreen.tsx'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { ExplorerProps } from './explorer-of.ts'
import { Keys } from './tools/Keys.tsx'
import { useWords } from './tools/use-words.ts'

interface ToolbarProps extends ExplorerProps {
  readonly field: RefObject<HTMLInputElement | null>
  readonly keys: RefObject<HTMLDivElement | null>
  readonly panel: RefObject<HTMLElement | null>
}

export function Toolbar({ explorer, field, keys, panel }: ToolbarProps) {
  const t = useTranslate()
  const say = useWords()
  return (
    <div className="xenstore-bar">
      <input
        ref={field}
        type="search"
        className="xenstore-filter"
        value={explorer.filterText}
        placeholder={t('xenstore.filter')}
        aria-label={t('xenstore.filter')}
        data-testid={testIds.xenstoreFilter}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="none"
        onChange={(event) => explorer.filterBy(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && explorer.filterText !== '') explorer.filterBy('')
          else if (event.key === 'ArrowDown' || event.key === 'Enter') explorer.focusFirst()
          else return
          event.preventDefault()
        }}
      />
      <button
        type="button"
        className="button small xenstore-follow"
        aria-pressed={explorer.follow}
        title={t('xenstore.follow.help')}
        data-testid={testIds.xenstoreFollow}
        onClick={() => explorer.followChanges(!explorer.follow)}
      >
        <FollowIcon />
        <span>{t('xenstore.follow')}</span>
      </button>
      <button
        type="button"
        className="button small xenstore-icon"
        aria-label={t('xenstore.expand')}
        title={t('xenstore.expand')}
        data-testid={testIds.xenstoreExpand}
        onClick={() => explorer.setAll(true)}
      >
        <Fold d="M5 6.5 9 10.5l4-4M5 11.5l4 4 4-4M9 2v3" />
      </button>
      <button
        type="button"
        className="button small xenstore-icon"
        aria-label={t('xenstore.collapse')}
        title={t('xenstore.collapse')}
        data-testid={testIds.xenstoreCollapse}
        onClick={() => explorer.setAll(false)}
      >
        <Fold d="M5 6.5 9 2.5l4 4M5 11.5l4-4 4 4M9 16v-3" />
      </button>
      <Keys popover={keys} />
      <FullScreen
        panel={panel}
        label={say('full')}
        testId={testIds.xenstoreFull}
        className="button small xenstore-icon"
      />
    </div>
  )
}

const Fold = ({ d }: { d: string }) => (
  <svg
    viewBox="0 0 18 18"
    width="16"
    height="16"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
  >
    <path d={d} strokeLinecap="round" strokeLinejoin="round" />
  </svg>
)
