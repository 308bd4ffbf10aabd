/** Waiting for what is going to be so, for at most so long of real time. */
import type { Timers, Unsubscribe } from './host.ts'

export const WAIT_MS = 30_000

export interface Waiting<T> {
  /** Undefined: not yet. Asked at once, and after each news. */
  readonly look: () => T | undefined
  readonly onNews: (listener: () => void) => Unsubscribe
  /** Why nothing came, for the error. */
  readonly why: (timeoutMs: number) => string
  readonly timeoutMs: number
  readonly timers: Timers
}

export function waitUntil<T>({ look, onNews, why, timeoutMs, timers }: Waiting<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const first = look()
    if (first !== undefined) {
      resolve(first)
      return
    }
    const finish = (): void => {
      timers.clearTimeout(timer)
      unsubscribe()
    }
    const unsubscribe = onNews(() => {
      let found: T | undefined
      try {
        found = look()
      } catch (error) {
        finish()
        reject(error)
        return
      }
      if (found === undefined) return
      finish()
      resolve(found)
    })
    const timer = timers.setTimeout(() => {
      finish()
      reject(new Error(why(timeoutMs)))
    }, timeoutMs)
  })
}

/** What of `text` matches, undefined if nothing does. */
export function found(pattern: RegExp | string, text: string): string | undefined {
  if (typeof pattern === 'string') return text.includes(pattern) ? pattern : undefined
  // A pattern with the flag g or y remembers where it was.
  pattern.lastIndex = 0
  return pattern.exec(text)?.[0]
}
