/** The tabs below the tree, worked by the keyboard as the ARIA practices have it. */
import type { KeyboardEvent } from 'react'
import { ArrowDownIcon, ArrowUpIcon } from '../../../icons.tsx'
import { testIds } from '../../../test-ids.ts'
import { useWords } from './use-words.ts'

export const tabs = ['node', 'changes', 'compare', 'files', 'shell'] as const
export type Tab = (typeof tabs)[number]

/** How much of the panel is below the tree: but the tabs, a part, nearly all. */
export const sizes = ['small', 'middle', 'large'] as const
export type Size = (typeof sizes)[number]

interface TabsProps {
  readonly shown: Tab
  readonly choose: (tab: Tab) => void
  readonly panelId: string
  readonly size: Size
  readonly onSize: (size: Size) => void
}

export function Tabs({ shown, choose, panelId, size, onSize }: TabsProps) {
  const say = useWords()
  function onKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    const next = tabs[(tabs.indexOf(shown) + by + tabs.length) % tabs.length]!
    choose(next)
    event.currentTarget.querySelector<HTMLElement>(`[data-view=${next}]`)?.focus()
  }
  return (
    <div className="xenstore-tabs">
      <div role="tablist" aria-label={say('tabs')} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab}
            type="button"
            role="tab"
            className="xenstore-tab"
            aria-selected={tab === shown}
            aria-controls={panelId}
            tabIndex={tab === shown ? 0 : -1}
            data-testid={testIds.xenstoreTab}
            data-view={tab}
            onClick={() => choose(tab)}
          >
            {say(`tab.${tab}`)}
          </button>
        ))}
      </div>
      <div className="xenstore-sizes">
        {([-1, 1] as const).map((by) => {
          const next = sizes[sizes.indexOf(size) + by]
          const label = say(by > 0 ? 'size.more' : 'size.less')
          return (
            <button
              key={by}
              type="button"
              className="icon-button small"
              // At its end it keeps the focus.
              aria-disabled={next === undefined}
              aria-label={label}
              title={label}
              data-testid={by > 0 ? testIds.xenstoreMore : testIds.xenstoreLess}
              onClick={() => next && onSize(next)}
            >
              {by > 0 ? <ArrowUpIcon /> : <ArrowDownIcon />}
            </button>
          )
        })}
      </div>
    </div>
  )
}
