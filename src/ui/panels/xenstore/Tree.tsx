/** The rows: @headless-tree knows roles, focus and keys, the virtualizer draws only what is in sight. */
import { buildProxiedInstance, hotkeysCoreFeature, syncDataLoaderFeature } from '@headless-tree/core'
import { useTree } from '@headless-tree/react'
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { Action } from './explorer.ts'
import type { ExplorerProps } from './explorer-of.ts'
import { Row } from './Row.tsx'
import { ROOT } from './rows.ts'
import { explorerFeature } from './tree-feature.ts'

const rowPx = matchMedia('(pointer: coarse)').matches ? 38 : 26

// The same function each time: a new one would have every row measured anew.
const estimateSize = (): number => rowPx

const keys: Readonly<Record<string, Action['kind']>> = {
  F2: 'edit',
  Enter: 'edit',
  Insert: 'add',
  Delete: 'remove',
  p: 'permissions',
  P: 'permissions',
}

export function Tree({ explorer }: ExplorerProps) {
  const t = useTranslate()
  const rows = explorer.rows()
  const laidOut = useRef(rows)
  const frame = useRef<HTMLDivElement>(null)
  const selectedIndex = useMemo(
    () => rows.findIndex(({ itemId }) => itemId === explorer.selected),
    [rows, explorer.selected],
  )
  const feature = useMemo(() => explorerFeature(explorer), [explorer])
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize,
    overscan: 8,
    // What has the focus stays in the document, however far it is scrolled away.
    rangeExtractor: (range) => {
      const seen = defaultRangeExtractor(range)
      return selectedIndex < 0 || seen.includes(selectedIndex) ? seen : [...seen, selectedIndex].sort((a, b) => a - b)
    },
  })
  const tree = useTree<StoreNode>({
    rootItemId: ROOT,
    instanceBuilder: buildProxiedInstance,
    features: [syncDataLoaderFeature, hotkeysCoreFeature, feature],
    dataLoader: {
      getItem: (path) => explorer.node(path) as StoreNode,
      getChildren: (path) => [...(explorer.node(path)?.children.keys() ?? [])],
    },
    getItemName: (item) => item.getId().slice(item.getId().lastIndexOf('/') + 1),
    isItemFolder: (item) => (explorer.node(item.getId())?.children.size ?? 0) > 0,
    // Where the selected node is not among the rows, Tab comes to the first.
    state: { focusedItem: selectedIndex < 0 ? null : explorer.selected },
    setFocusedItem: (updater) => {
      const path = typeof updater === 'function' ? updater(explorer.selected) : updater
      if (path !== null) explorer.select(path)
    },
    scrollToItem: (item) => virtual.scrollToIndex(item.getItemMeta().index),
  })
  if (laidOut.current !== rows) {
    laidOut.current = rows
    tree.scheduleRebuildTree()
  }
  tree.getItems()

  const { scroll } = explorer
  const scrolled = useRef(scroll.count)
  useEffect(() => {
    if (scrolled.current === scroll.count) return
    scrolled.current = scroll.count
    const index = explorer.rows().findIndex(({ itemId }) => itemId === scroll.path)
    if (index < 0) return
    virtual.scrollToIndex(index)
    requestAnimationFrame(() => {
      const row = frame.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(scroll.path)}"]`)
      row?.scrollIntoView({ block: 'nearest' })
      if (scroll.focus) row?.focus()
    })
  }, [explorer, scroll, virtual])

  // A form below, or what the daemon says against it, takes room from the tree: what it is about stays in sight.
  useEffect(() => {
    const element = frame.current
    if (!element) return
    let height = element.clientHeight
    const observer = new ResizeObserver(() => {
      const isLess = element.clientHeight < height
      height = element.clientHeight
      const index = explorer.action ? explorer.rows().findIndex(({ itemId }) => itemId === explorer.selected) : -1
      if (isLess && index >= 0) virtual.scrollToIndex(index)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [explorer, virtual])

  function onKeyDown(event: KeyboardEvent): void {
    explorer.followChanges(false)
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const kind = keys[event.key]
    const page = event.key === 'PageDown' ? 1 : event.key === 'PageUp' ? -1 : 0
    if (kind && !event.repeat) explorer.act(kind)
    else if (page !== 0) {
      const step = Math.max(1, Math.floor((frame.current?.clientHeight ?? 0) / rowPx) - 1)
      const to = rows[Math.max(0, Math.min(rows.length - 1, Math.max(0, selectedIndex) + page * step))]
      if (to) explorer.select(to.itemId)
      explorer.focusTree()
    } else return
    event.preventDefault()
  }

  const { ref, ...container } = tree.getContainerProps(t('xenstore.tree')) as {
    ref: (element: HTMLDivElement | null) => void
  }
  const now = rows.length
  return (
    <div
      {...container}
      role="tree"
      ref={(element) => {
        frame.current = element
        ref(element)
      }}
      className="xenstore-tree"
      data-testid={testIds.xenstoreTree}
      data-rows={now}
      onKeyDown={onKeyDown}
      onWheel={() => explorer.followChanges(false)}
      onPointerDown={() => explorer.followChanges(false)}
    >
      {now === 0 ? (
        <p className="xenstore-none">
          {t('xenstore.none', { text: explorer.filterText })}{' '}
          <button type="button" className="button small" onClick={() => explorer.filterBy('')}>
            {t('xenstore.clear')}
          </button>
        </p>
      ) : (
        <div className="xenstore-rows" role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index]
            const node = row && explorer.node(row.itemId)
            return (
              node && (
                <Row
                  key={row.itemId}
                  explorer={explorer}
                  item={tree.getItemInstance(row.itemId)}
                  row={row}
                  node={node}
                  top={start}
                  height={rowPx}
                />
              )
            )
          })}
        </div>
      )}
    </div>
  )
}
