/** A long list of which only what is in sight is drawn; one Tab comes to it, arrows go along it. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef, useState } from 'react'

interface VirtualListProps<Item> {
  readonly items: readonly Item[]
  readonly keyOf: (item: Item) => string | number
  readonly rowPx: number
  readonly label: string
  readonly testId: string
  readonly onPick: (item: Item) => void
  readonly render: (item: Item) => ReactNode
  readonly isCurrent?: (item: Item) => boolean
  readonly className?: (item: Item) => string
  /** Data for whoever looks from outside. */
  readonly data?: (item: Item) => Readonly<Record<`data-${string}`, string | number | undefined>>
  /** What is new comes at the top: who has scrolled down goes on reading where they were. */
  readonly growsAtTop?: boolean
}

export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const { items, keyOf, rowPx, label, testId, onPick, render, isCurrent, className, data, growsAtTop } = props
  const frame = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState<string | number>()
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowPx,
    overscan: 6,
  })
  const first = items[0] === undefined ? undefined : keyOf(items[0])
  const firstBefore = useRef(first)
  useLayoutEffect(() => {
    const before = firstBefore.current
    firstBefore.current = first
    const element = frame.current
    if (!growsAtTop || !element || before === undefined || before === first || element.scrollTop < rowPx) return
    const at = items.findIndex((item) => keyOf(item) === before)
    if (at > 0) element.scrollTop += at * rowPx
  }, [first, growsAtTop, items, keyOf, rowPx])

  const drawn = virtual.getVirtualItems()
  const seen = drawn.some(({ index }) => keyOf(items[index]!) === active)

  function onKeyDown(event: KeyboardEvent): void {
    const now = items.findIndex((item) => keyOf(item) === active)
    const last = items.length - 1
    const page = Math.max(1, Math.floor((frame.current?.clientHeight ?? 0) / rowPx) - 1)
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: now + 1,
      ArrowUp: now - 1,
      PageDown: now + page,
      PageUp: now - page,
      Home: 0,
      End: last,
    }
    const wanted = steps[event.key]
    if (wanted === undefined || last < 0 || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    const to = Math.max(0, Math.min(last, wanted))
    setActive(keyOf(items[to]!))
    virtual.scrollToIndex(to)
    requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`[data-index="${to}"] > button`)?.focus())
  }

  return (
    <div ref={frame} className="xenstore-list" data-testid={testId} data-count={items.length}>
      <ul className="xenstore-list-rows" aria-label={label} style={{ height: virtual.getTotalSize() }}>
        {drawn.map(({ index, start }, i) => {
          const item = items[index]!
          const key = keyOf(item)
          return (
            <li
              key={key}
              data-index={index}
              aria-setsize={items.length}
              aria-posinset={index + 1}
              className="xenstore-list-item"
              style={{ transform: `translateY(${start}px)`, height: rowPx }}
            >
              <button
                type="button"
                className={className ? `xenstore-entry ${className(item)}` : 'xenstore-entry'}
                tabIndex={key === active || (!seen && i === 0) ? 0 : -1}
                aria-current={isCurrent?.(item) || undefined}
                onFocus={() => setActive(key)}
                onClick={() => onPick(item)}
                onKeyDown={onKeyDown}
                {...data?.(item)}
              >
                {render(item)}
              </button>
            </li>
          )
        })}
      </ul>
    </div>
  )
}
