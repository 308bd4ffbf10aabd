/** The tree: only rows in sight are drawn, and drawn again only when they have changed. Its keys are those that trees have. */
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { Action, Explorer } from './explorer.ts'
import type { ExplorerProps } from './explorer-of.ts'
import { Row } from './Row.tsx'
import { domainNameAt } from './rows.ts'
import { useRows } from './use-rows.ts'

const rowPx = matchMedia('(pointer: coarse)').matches ? 38 : 26

const keys: Readonly<Record<string, Action['kind']>> = {
  F2: 'edit',
  Enter: 'edit',
  Insert: 'add',
  Delete: 'remove',
  p: 'permissions',
  P: 'permissions',
}

/** Keys that go to another row: how many rows on, where a page has so many. */
const steps: Readonly<Record<string, (page: number) => number>> = {
  ArrowDown: () => 1,
  ArrowUp: () => -1,
  PageDown: (page) => page,
  PageUp: (page) => -page,
  Home: () => Number.NEGATIVE_INFINITY,
  End: () => Number.POSITIVE_INFINITY,
}

function goTo(explorer: Explorer, index: number): void {
  const row = explorer.rowAt(Math.max(0, Math.min(explorer.rowCount - 1, index)))
  if (row) explorer.focusTree(row.path)
}

/** Into what is shut, then down; out of what is open, then up. */
function turn(explorer: Explorer, index: number, isIn: boolean): void {
  const row = explorer.rowAt(index)
  if (!row) return
  const isOpen = row.node.children.size > 0 && explorer.isOpen(row.path)
  if (isIn) {
    if (isOpen || row.node.children.size === 0) goTo(explorer, index + 1)
    else explorer.open(row.path)
  } else if (isOpen) explorer.shut(row.path)
  else if (row.level > 0) explorer.focusTree(row.parent)
}

export function Tree({ explorer }: ExplorerProps) {
  const t = useTranslate()
  const frame = useRef<HTMLDivElement>(null)
  const { first, end, onScroll, show } = useRows(explorer, frame, rowPx)
  const count = explorer.rowCount
  const selectedIndex = explorer.indexOf(explorer.selected)
  // Where the selected node is not among the rows, Tab comes to the first.
  const focusIndex = Math.max(0, selectedIndex)

  const { scroll } = explorer
  const scrolled = useRef(scroll.count)
  useLayoutEffect(() => {
    if (scrolled.current === scroll.count) return
    scrolled.current = scroll.count
    const index = explorer.indexOf(scroll.path)
    if (index < 0) return
    show(index)
    if (scroll.focus)
      frame.current
        ?.querySelector<HTMLElement>(`[data-path="${CSS.escape(scroll.path)}"]`)
        ?.focus({ preventScroll: true })
  }, [explorer, scroll, show])

  // A form below, or what the daemon says against it, takes room from the tree: what it is about stays in sight.
  useEffect(() => {
    const element = frame.current
    if (!element) return
    let height = element.clientHeight
    const observer = new ResizeObserver(() => {
      const isLess = element.clientHeight < height
      height = element.clientHeight
      const index = isLess && explorer.action ? explorer.indexOf(explorer.selected) : -1
      if (index >= 0) show(index)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [explorer, show])

  function onKeyDown(event: KeyboardEvent): void {
    explorer.followChanges(false)
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const kind = keys[event.key]
    const step = steps[event.key]
    const page = Math.max(1, Math.floor((frame.current?.clientHeight ?? 0) / rowPx) - 1)
    if (kind) {
      if (!event.repeat) explorer.act(kind)
    } else if (step) goTo(explorer, focusIndex + step(page))
    else if (event.key === 'ArrowRight') turn(explorer, focusIndex, true)
    else if (event.key === 'ArrowLeft') turn(explorer, focusIndex, false)
    else return
    event.preventDefault()
  }

  const indexes = Array.from({ length: end - first }, (_, i) => first + i)
  // What has the focus stays in the document, however far it is scrolled away.
  if (focusIndex < first) indexes.unshift(focusIndex)
  else if (focusIndex >= end && focusIndex < count) indexes.push(focusIndex)
  return (
    <div
      role="tree"
      aria-label={t('xenstore.tree')}
      aria-busy={explorer.isWorking}
      ref={frame}
      className="xenstore-tree"
      data-testid={testIds.xenstoreTree}
      data-rows={count}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      onWheel={() => explorer.followChanges(false)}
      onPointerDown={() => explorer.followChanges(false)}
    >
      {count === 0 && !explorer.isWorking ? (
        <p className="xenstore-none">
          {t('xenstore.none', { text: explorer.filterText })}{' '}
          <button type="button" className="button small" onClick={() => explorer.filterBy('')}>
            {t('xenstore.clear')}
          </button>
        </p>
      ) : (
        <div className="xenstore-rows" role="presentation" style={{ height: count * rowPx }}>
          {indexes.map((index) => {
            const row = explorer.rowAt(index)
            if (!row || !explorer.root) return null
            const domain = domainNameAt(explorer.root, row.path)
            return (
              <Row
                key={row.path}
                explorer={explorer}
                path={row.path}
                node={row.node}
                level={row.level}
                top={index * rowPx}
                height={rowPx}
                posInSet={row.posInSet}
                setSize={row.setSize}
                isOpen={explorer.isOpen(row.path)}
                isSelected={row.path === explorer.selected}
                isTabStop={index === focusIndex}
                isMatch={explorer.matches(row.path, row.node)}
                flash={explorer.flashes.get(row.path)}
                domainName={domain?.name}
                domainId={domain?.domid}
              />
            )
          })}
        </div>
      )}
    </div>
  )
}
