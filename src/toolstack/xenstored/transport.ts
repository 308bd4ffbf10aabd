/** How a connection's bytes come and go. The daemon's loop serves each for a bounded while, then the next. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Connection } from './connection.ts'
import type { Outbox, Outgoing } from './outbox.ts'

export interface Transport {
  /** What has come: some bytes, none yet (undefined), or `gone` when nothing will ever come again. */
  receive(): Sys<Uint8Array | undefined | 'gone'>
  /** Send as much of the queue as the other side takes now; each message that is through is told to `sent`. False: the other side is gone. */
  flush(conn: Connection, sent: (message: Outgoing) => void): Sys<boolean>
  /** The rest of the queue waits for room. */
  readonly blocked: boolean
  /** Everything of this round is done: let the other side know. */
  notify(): Sys<void>
  close(): Sys<void>
}

/** The queue's next bytes, at most `most`; `from` of its first message have been sent already. */
export function nextRun(out: Outbox, from: number, most: number): Uint8Array {
  const first = out.at(0)!.bytes
  if (out.length === 1 && from === 0 && first.length <= most) return first
  if (out.length === 1 || first.length - from >= most) return first.subarray(from, Math.min(first.length, from + most))
  let waiting = -from
  for (let i = 0; i < out.length && waiting < most; i++) waiting += out.at(i)!.bytes.length
  const bytes = new Uint8Array(Math.min(most, waiting))
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const part = out
      .at(i)!
      .bytes.subarray(i === 0 ? from : 0)
      .subarray(0, bytes.length - at)
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** So many more bytes are through: takes the messages off the queue that are complete. The value: how much of the now first one. */
export function advance(conn: Connection, from: number, bytes: number, sent: (message: Outgoing) => void): number {
  let through = from + bytes
  for (let first = conn.out.at(0); first && through >= first.bytes.length; first = conn.out.at(0)) {
    through -= first.bytes.length
    conn.sent()
    sent(first)
  }
  return through
}
