/** Asking the daemon for a change: that somebody waits, and what it said against it. */
import { useRef, useState } from 'react'
import { XenstoreError } from '#protocol/xenstore-client.ts'

export interface Refusal {
  /** The daemon's word, or why it was not reached. */
  readonly word: string
  readonly byDaemon: boolean
}

export interface Ask {
  readonly waiting: boolean
  readonly refusal: Refusal | undefined
  /** `done` is called when the daemon has agreed. */
  ask(request: () => Promise<void>, done: () => void): void
}

export function useAsk(): Ask {
  const [waiting, setWaiting] = useState(false)
  const [refusal, setRefusal] = useState<Refusal>()
  /** The last request: what an earlier one answers is no news. */
  const last = useRef(0)
  return {
    waiting,
    refusal,
    ask(request, done) {
      last.current++
      const mine = last.current
      setWaiting(true)
      setRefusal(undefined)
      request().then(
        () => {
          if (mine !== last.current) return
          setWaiting(false)
          done()
        },
        (error: unknown) => {
          if (mine !== last.current) return
          setWaiting(false)
          const word = error instanceof Error ? error.message : String(error)
          setRefusal({ word, byDaemon: error instanceof XenstoreError })
        },
      )
    },
  }
}
