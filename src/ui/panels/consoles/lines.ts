/** What a terminal is plugged into: a serial line of the machine, or a domain's console. */
import { type FollowedConsole, type FollowedPlace, followDomainConsole } from '#protocol/domain-console.ts'
import type { SerialLine } from '#protocol/machine.ts'
import type { Session } from '../../session.ts'
import { SendQueue } from './send-queue.ts'

export interface ConsoleLine {
  readonly queue: SendQueue
  write(bytes: Uint8Array): void
}

/** 115200 baud, eight bits, no parity. The machine's own queue has no bound; but what lies there cannot be called back. */
const SERIAL_BYTES_PER_SECOND = 11520
const SERIAL_BURST_BYTES = 4096
const SERIAL_PART_MAX = 16384
/** Time stands while the machine has nothing to do: look again then. */
const SERIAL_LOOK_MS = 250
/** What is typed, and answers of the terminal, go at once. */
const TYPED_BYTES = 256

export function serialLine(session: Session, line: SerialLine): ConsoleLine {
  const queue = new SendQueue()
  let timer: number | undefined
  let sentNs = 0

  const send = (count: number): void => session.serialIn(line, [...queue.take(count)])

  /** As many bytes as the line has carried since the last time. */
  function pump(nowNs: number): void {
    if (timer === undefined) return
    const carried = Math.floor(((nowNs - sentNs) * SERIAL_BYTES_PER_SECOND) / 1e9)
    sentNs = nowNs
    // A machine that was made anew counts from zero.
    if (queue.pending > 0) send(carried > 0 ? Math.min(carried, SERIAL_PART_MAX) : SERIAL_BURST_BYTES)
    rest()
  }

  function rest(): void {
    window.clearTimeout(timer)
    timer = queue.pending > 0 ? window.setTimeout(() => pump(sentNs), SERIAL_LOOK_MS) : undefined
  }

  session.onMessage((message) => {
    if (message.type === 'clock') pump(message.nowNs)
  })

  return {
    queue,
    write(bytes) {
      if (queue.pending === 0 && bytes.length <= TYPED_BYTES) {
        session.serialIn(line, [...bytes])
        return
      }
      queue.push(bytes)
      if (timer !== undefined) return
      sentNs = session.store.getState().nowNs
      send(SERIAL_BURST_BYTES)
      rest()
    },
  }
}

export interface DomainLine extends ConsoleLine {
  /** Undefined while nobody wants it: then it is not attached. */
  readonly place: FollowedPlace | undefined
  subscribe(listener: () => void): () => void
  /** Whether somebody looks at it. */
  want(wanted: boolean): void
  retry(): void
}

const LINK_PART_BYTES = 16384

/** `deliver` calls `shown` when the bytes have been dealt with: no more than a window of them is ever under way. */
export function domainLine(
  session: Session,
  name: string,
  deliver: (bytes: Uint8Array, shown: () => void) => void,
): DomainLine {
  const queue = new SendQueue()
  const listeners = new Set<() => void>()
  let followed: FollowedConsole | undefined
  let unsubscribe: (() => void) | undefined
  let place: FollowedPlace | undefined
  let blocked = false

  function show(next: FollowedPlace | undefined): void {
    place = next
    for (const listener of listeners) listener()
  }

  function pump(): void {
    while (followed && !blocked && queue.pending > 0) blocked = !followed.write(queue.take(LINK_PART_BYTES))
  }

  return {
    queue,
    get place() {
      return place
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    write(bytes) {
      queue.push(bytes)
      pump()
    },
    want(wanted) {
      if (wanted === (followed !== undefined)) return
      if (wanted) {
        followed = followDomainConsole(session.openLink, session.xenstore, name, {
          data: (bytes, taken) => deliver(bytes, () => taken(bytes.length)),
          place(next) {
            // Another line: what was meant for the old one is not for it.
            blocked = false
            queue.cancel()
            show(next)
          },
          drain() {
            blocked = false
            pump()
          },
        })
        unsubscribe = session.onXenstore(() => followed?.look())
        show(followed.place)
        return
      }
      unsubscribe?.()
      followed?.stop()
      followed = undefined
      blocked = false
      queue.cancel()
      show(undefined)
    },
    retry: () => followed?.retry(),
  }
}
