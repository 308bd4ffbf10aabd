/** Wheel, drag and pinch on a picture of time: the wheel and two fingers zoom, one pans, a pointer that only passes points. */
import { type PointerEvent, useCallback, useRef } from 'react'

export interface TimeActs {
  /** `factor` above 1 shows more time; `x` stays where it is. */
  zoom(factor: number, x: number): void
  pan(pixels: number): void
  /** Undefined: it points at nothing any more. */
  point(x: number | undefined): void
}

const WHEEL_STEP = 0.0016
/** A finger that has moved less was only pressed. */
const SLACK_PX = 4

export function useTimePointer(acts: TimeActs) {
  const newest = useRef(acts)
  newest.current = acts
  /** Pointers that are down, with where they are. */
  const down = useRef(new Map<number, number>())
  const slack = useRef(0)

  const attach = useCallback((element: HTMLElement | null) => {
    if (!element) return
    // React listens to wheels passively: the page would scroll, too.
    const onWheel = (event: WheelEvent) => {
      // More rows than there is room for: the wheel scrolls them, and zooms with Control, as two fingers on a pad do.
      const scrolls = [...element.children].some(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)
      if (scrolls && !event.ctrlKey && !event.shiftKey && Math.abs(event.deltaY) > Math.abs(event.deltaX)) return
      event.preventDefault()
      const x = event.clientX - element.getBoundingClientRect().left
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        newest.current.pan(-(event.deltaX || event.deltaY))
      else newest.current.zoom(Math.exp(event.deltaY * WHEEL_STEP), x)
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [])

  const xOf = (event: PointerEvent): number => event.clientX - event.currentTarget.getBoundingClientRect().left
  const other = (id: number): number | undefined => [...down.current].find(([pointer]) => pointer !== id)?.[1]

  return {
    attach,
    handlers: {
      onPointerDown(event: PointerEvent) {
        down.current.set(event.pointerId, xOf(event))
        slack.current = SLACK_PX
        event.currentTarget.setPointerCapture(event.pointerId)
      },
      onPointerMove(event: PointerEvent) {
        const x = xOf(event)
        const before = down.current.get(event.pointerId)
        if (before === undefined) return acts.point(x)
        const second = other(event.pointerId)
        if (second !== undefined) {
          const [apart, wasApart] = [Math.abs(x - second), Math.abs(before - second)]
          if (apart > 0 && wasApart > 0) acts.zoom(wasApart / apart, (x + second) / 2)
        } else if (slack.current > 0 && Math.abs(x - before) < slack.current) return
        else {
          slack.current = 0
          acts.pan(x - before)
        }
        down.current.set(event.pointerId, x)
      },
      onPointerUp(event: PointerEvent) {
        down.current.delete(event.pointerId)
        if (slack.current > 0) acts.point(xOf(event))
      },
      onPointerCancel: (event: PointerEvent) => void down.current.delete(event.pointerId),
      onPointerLeave(event: PointerEvent) {
        if (event.pointerType === 'mouse' && down.current.size === 0) acts.point(undefined)
      },
    },
  }
}
