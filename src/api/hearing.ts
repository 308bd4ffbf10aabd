/** What a script hears of a console: everything since its last send, which `waitFor` looks at, without escape sequences. */
import { utf8Stream } from '#lib/utf8-stream.ts'
import type { Console } from '#protocol/playground.ts'
import { pattern as checkedPattern, timeout } from './check.ts'
import type { Timers, Unsubscribe } from './host.ts'
import { found, waitUntil } from './wait.ts'

/** So much output since the last send can be looked at. */
const HEARD_MAX = 1_000_000
const SHOWN_MAX = 500

/** Escape sequences, which no pattern should have to spell. */
const ESCAPES = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-B]|[=>78DEHMNOZc])/g

export interface Hearing {
  hear(bytes: Uint8Array): void
  forget(): void
  text(): string
  onNews(listener: () => void): Unsubscribe
}

export function createHearing(): Hearing {
  let decode = utf8Stream()
  let heard = ''
  const listeners = new Set<() => void>()
  return {
    hear(bytes) {
      heard = (heard + decode(bytes)).slice(-HEARD_MAX)
      for (const listener of listeners) listener()
    },
    forget() {
      heard = ''
      decode = utf8Stream()
    },
    text: () => heard.replace(ESCAPES, ''),
    onNews: (listener) => subscribe(listeners, listener),
  }
}

export function waitsFor(
  heard: () => string,
  onNews: (listener: () => void) => Unsubscribe,
  timers: Timers,
): Console['waitFor'] {
  return async (wanted, options) => {
    const pattern = checkedPattern(wanted)
    return waitUntil({
      look: () => found(pattern, heard()),
      onNews,
      why: (ms) => `no ${pattern} within ${ms} ms; heard: ${JSON.stringify(heard().slice(-SHOWN_MAX))}`,
      timeoutMs: timeout(options),
      timers,
    })
  }
}

export function subscribe<T>(listeners: Set<T>, listener: T): Unsubscribe {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
