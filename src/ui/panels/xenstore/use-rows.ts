/** Rows of one height, of which only those in sight are in the document: which they are, and what keeps them where they are. */
import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react'
import type { Explorer } from './explorer.ts'

/** Above and below what is in sight. */
const MORE_ROWS = 6

export interface RowsInSight {
  readonly first: number
  /** The first one after them. */
  readonly end: number
  readonly onScroll: () => void
  /** Brings this row into sight. */
  readonly show: (index: number) => void
}

/** What the frame shows, as it was last seen: to ask the document would have it laid out. */
interface Sight {
  readonly top: number
  readonly height: number
  /** The row at its upper edge, where something is above that, and how much of it is. */
  readonly edge: string | undefined
  readonly hiddenPx: number
}

export function useRows(explorer: Explorer, frame: RefObject<HTMLDivElement | null>, rowPx: number): RowsInSight {
  const [{ top, height }, setPlace] = useState({ top: 0, height: 0 })
  const sight = useRef<Sight>({ top: 0, height: 0, edge: undefined, hiddenPx: 0 })

  const look = useCallback(() => {
    const element = frame.current
    if (!element) return
    const { scrollTop, clientHeight } = element
    const row = scrollTop > 0 ? explorer.rowAt(Math.floor(scrollTop / rowPx)) : undefined
    const hiddenPx = row ? scrollTop - row.index * rowPx : 0
    sight.current = { top: scrollTop, height: clientHeight, edge: row?.path, hiddenPx }
    setPlace((before) =>
      before.top === scrollTop && before.height === clientHeight ? before : { top: scrollTop, height: clientHeight },
    )
  }, [explorer, frame, rowPx])

  const show = useCallback(
    (index: number) => {
      const element = frame.current
      const { current } = sight
      const rowTop = index * rowPx
      if (!element || (rowTop >= current.top && rowTop + rowPx <= current.top + current.height)) return
      element.scrollTop = rowTop < current.top ? rowTop : rowTop + rowPx - current.height
      look()
    },
    [frame, rowPx, look],
  )

  useLayoutEffect(() => {
    const element = frame.current
    if (!element) return
    const observer = new ResizeObserver(look)
    observer.observe(element)
    return () => observer.disconnect()
  }, [frame, look])

  // Rows that come and go above what is looked at do not move it.
  useLayoutEffect(() => {
    const element = frame.current
    const { edge, hiddenPx, top: before } = sight.current
    const index = edge === undefined ? -1 : explorer.indexOf(edge)
    if (!element || index < 0 || index * rowPx + hiddenPx === before) return
    // Where somebody has scrolled since, that holds.
    if (element.scrollTop === before) element.scrollTop = index * rowPx + hiddenPx
    look()
  })

  const end = Math.min(explorer.rowCount, Math.ceil((top + height) / rowPx) + MORE_ROWS)
  const first = Math.min(end, Math.max(0, Math.floor(top / rowPx) - MORE_ROWS))
  return { first, end, onScroll: look, show }
}
