/** A value that changes often, followed as often as it is cheap to look at. */
import { useEffect, useRef, useState } from 'react'

/** What a look costs is so small a part of the time until the next one. */
const PART = 10

export interface Followed<T> {
  /** The newest, or one from shortly before. */
  readonly value: T
  /** Does the looking, and notes what it costs. */
  look<R>(at: () => R): R
}

/** Another `since`, and the newest value is looked at, whatever it costs. */
export function useFollowed<T>(newest: T, since: unknown): Followed<T> {
  const [shown, setShown] = useState({ value: newest, since })
  const last = useRef({ atMs: 0, tookMs: 0 })
  const isNow = shown.value === newest || shown.since !== since
  useEffect(() => {
    if (shown.value === newest && shown.since === since) return
    const waitMs = isNow ? 0 : last.current.atMs + PART * last.current.tookMs - performance.now()
    const timer = setTimeout(() => setShown({ value: newest, since }), Math.max(0, waitMs))
    return () => clearTimeout(timer)
  }, [newest, since, shown, isNow])
  return {
    value: isNow ? newest : shown.value,
    look(at) {
      const from = performance.now()
      const seen = at()
      const atMs = performance.now()
      last.current = { atMs, tookMs: atMs - from }
      return seen
    },
  }
}
