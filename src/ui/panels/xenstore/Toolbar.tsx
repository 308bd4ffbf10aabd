/** Above the tree: what to show of it, and whether it follows what happens. */
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { ExplorerProps } from './explorer-of.ts'

export function Toolbar({ explorer }: ExplorerProps) {
  const t = useTranslate()
  return (
    <div className="xenstore-bar">
      <input
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
        className="button small"
        aria-pressed={explorer.follow}
        title={t('xenstore.follow.help')}
        data-testid={testIds.xenstoreFollow}
        onClick={() => explorer.followChanges(!explorer.follow)}
      >
        {t('xenstore.follow')}
      </button>
      <button
        type="button"
        className="button small xenstore-icon"
        aria-label={t('xenstore.expand')}
        title={t('xenstore.expand')}
        data-testid={testIds.xenstoreExpand}
        onClick={() => explorer.openAll()}
      >
        <Fold d="M5 6.5 9 10.5l4-4M5 11.5l4 4 4-4M9 2v3" />
      </button>
      <button
        type="button"
        className="button small xenstore-icon"
        aria-label={t('xenstore.collapse')}
        title={t('xenstore.collapse')}
        data-testid={testIds.xenstoreCollapse}
        onClick={() => explorer.shutAll()}
      >
        <Fold d="M5 6.5 9 2.5l4 4M5 11.5l4-4 4 4M9 16v-3" />
      </button>
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
