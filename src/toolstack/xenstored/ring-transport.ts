/**
 * A domain's ring page (abi/xen/io/xs_wire.ts, xenstored_domain.c: readchn, writechn). The other side may write anything there at any time: indexes are
 * read once, together with what they speak of, and checked; nonsense costs that domain its connection.
 *
 * A daemon may be killed at any moment, and the next one goes on with the same page: so a request stays in the ring until its answer is in the other
 * one, and both indexes move by one step. What cannot stay (half of a message) or does not fit (more answers than there is room) is kept in the state
 * file first, and so is all that answers a change, which must not be made twice.
 *
 * The other side may notify only when it has written into an empty ring, or made room in a full one, as Linux does (xenbus_comms.c). So the rest of half a
 * message comes unheard unless that half has been taken, and after an index has moved it is looked again.
 */

import type { Sys } from '#abi/posix/syscalls.ts'
import { xenstore_domain_interface as ring, XENSTORE_RING_SIZE } from '#abi/xen/io/xs_wire.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { setWord } from '#lib/words.ts'
import { load, store, store2 } from '#user/libc/syscall.ts'
import type { Connection } from './connection.ts'
import type { Outbox, Outgoing } from './outbox.ts'
import { type RingState, unsentOf } from './restorer.ts'
import { record } from './state.ts'
import { advance, nextRun, type Transport } from './transport.ts'

const { req, rsp, req_cons, req_prod, rsp_cons, rsp_prod } = ring.fields
const INDEXES = req_cons.offset
const INDEX_BYTES = 16

export interface RingLink {
  /** Where the page is mapped. */
  readonly page: number
  /** The local end of its event channel; 0: it could not be bound. */
  port: number
  notify(port: number): Sys<void>
  /** Unmap the page, unbind the port. */
  close(port: number): Sys<void>
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  setWord(bytes, 0, value)
  return bytes
}

export class RingTransport implements Transport {
  readonly link: RingLink
  blocked: boolean
  /** More requests have come since those that the last `flush` was done with. */
  more: boolean
  #from: number
  #news: boolean
  /** Bytes taken of the requests that the other side has not been told of. */
  #ahead: number
  #reqCons: number
  /** No room for more requests. */
  #full: boolean
  /** The position up to which answers have been kept, or were sent. */
  #kept: number
  /** The response ring's indexes as they came with this round's request. The other side may have made room since, no more. */
  #indexes: readonly [cons: number, prod: number] | undefined

  constructor(link: RingLink) {
    this.link = link
    this.blocked = false
    this.more = false
    this.#from = 0
    this.#news = false
    this.#ahead = 0
    this.#reqCons = 0
    this.#full = false
    this.#kept = 0
    this.#indexes = undefined
  }

  *receive(): Sys<Uint8Array | undefined | 'gone'> {
    const bytes = yield* load(this.link.page, ring.size)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const cons = view.getUint32(INDEXES, true)
    const prod = view.getUint32(INDEXES + 4, true)
    const waiting = (prod - cons) >>> 0
    if (waiting > XENSTORE_RING_SIZE || waiting < this.#ahead) return 'gone'
    this.#indexes = [view.getUint32(rsp_cons.offset, true), view.getUint32(rsp_prod.offset, true)]
    this.#reqCons = cons
    this.#full = waiting === XENSTORE_RING_SIZE
    const length = waiting - this.#ahead
    if (length === 0) return undefined
    const at = (cons + this.#ahead) & (XENSTORE_RING_SIZE - 1)
    const part = bytes.slice(req.offset + at, req.offset + Math.min(at + length, XENSTORE_RING_SIZE))
    this.#ahead += length
    if (part.length === length) return part
    const whole = new Uint8Array(length)
    whole.set(part)
    whole.set(bytes.subarray(req.offset, req.offset + length - part.length), part.length)
    return whole
  }

  /** How many of the requests' bytes are done with. Whole messages that wait for their turn stay, if the ring is not full of them. */
  #done(conn: Connection): number {
    if (conn.isPartial) return this.#ahead
    const done = Math.max(0, this.#ahead - conn.input.length)
    return done === 0 && this.#full ? this.#ahead : done
  }

  /**
   * What has to be in the state file before `flush`. `changed`: this round has changed what is in it; `whole`: it begins anew, and has nothing of this
   * ring. Empty: nothing.
   */
  *record(conn: Connection, changed: boolean, whole: boolean): Sys<string> {
    const { input } = conn
    const done = this.#done(conn)
    const unsent = conn.outBytes - this.#from
    if (done === 0 && unsent === 0 && !whole) return ''
    this.#indexes ??= yield* this.#look()
    const [cons, prod] = this.#indexes
    const room = XENSTORE_RING_SIZE - ((prod - cons) >>> 0)
    // Of the unprocessed bytes the last are still in the ring.
    const lost = input.subarray(0, Math.max(0, input.length - (this.#ahead - done)))
    if (!changed && !whole && unsent <= room && lost.length === 0) return ''
    const known = whole ? 0 : Math.min(Math.max(0, (this.#kept - prod) | 0), unsent)
    // Who does not listen may notify as often as it likes.
    if (!whole && done === 0 && known === unsent && lost.length === 0) return ''
    const { serial } = conn
    const numbers = `${(this.#reqCons + done) >>> 0}\0${(prod + known) >>> 0}\0${lost.length}`
    this.#kept = (prod + unsent) >>> 0
    return record(`R${serial}\0${numbers}\0${byteString(lost)}${byteString(lastOf(conn.out, unsent - known))}`)
  }

  *flush(conn: Connection, sent: (message: Outgoing) => void): Sys<boolean> {
    let done = this.#done(conn)
    let indexes = this.#indexes
    this.#indexes = undefined
    const moves = done > 0
    while (conn.out.length > 0) {
      const isFresh = indexes === undefined
      const [cons, prod] = indexes ?? (yield* this.#look())
      indexes = undefined
      const used = (prod - cons) >>> 0
      if (used > XENSTORE_RING_SIZE) return false
      if (used < XENSTORE_RING_SIZE) {
        yield* this.#answer(conn, prod, XENSTORE_RING_SIZE - used, done, sent)
        done = 0
      } else if (isFresh) break
    }
    this.blocked = conn.out.length > 0
    if (done > 0) yield* store(this.link.page + req_cons.offset, this.#taken(done))
    this.more = moves && (yield* this.#hasMore())
    return true
  }

  /** Fill the room with answers; `done` bytes of requests are done with then. */
  *#answer(conn: Connection, prod: number, room: number, done: number, sent: (message: Outgoing) => void): Sys<void> {
    const { page } = this.link
    const bytes = nextRun(conn.out, this.#from, room)
    const at = prod & (XENSTORE_RING_SIZE - 1)
    const end = XENSTORE_RING_SIZE - at
    const first = bytes.length <= end ? bytes : bytes.subarray(0, end)
    yield* store(page + rsp.offset + at, first)
    if (first.length < bytes.length) yield* store(page + rsp.offset, bytes.subarray(first.length))
    const filled = (prod + bytes.length) >>> 0
    if (done === 0) yield* store(page + rsp_prod.offset, word(filled))
    else yield* store2(page + rsp_prod.offset, word(filled), page + req_cons.offset, this.#taken(done))
    this.#from = advance(conn, this.#from, bytes.length, sent)
    if (((this.#kept - filled) | 0) < 0) this.#kept = filled
    this.#news = true
  }

  /** Of the requests, more than have been taken. */
  *#hasMore(): Sys<boolean> {
    const bytes = yield* load(this.link.page + req_prod.offset, 4)
    const prod = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    return prod !== (this.#reqCons + this.#ahead) >>> 0
  }

  /** The requests' new index: so many more bytes are done with. */
  #taken(done: number): Uint8Array {
    this.#ahead -= done
    this.#reqCons = (this.#reqCons + done) >>> 0
    this.#full = false
    this.#news = true
    return word(this.#reqCons)
  }

  /** Go on where another daemon was. */
  *resume(conn: Connection, state: RingState): Sys<void> {
    const [, prod] = yield* this.#look()
    const output = unsentOf(state, prod)
    // Requests that changed nothing have been answered since without a word in the file: what it says is older than the ring then.
    const older = state.cons >= 0 && ((this.#reqCons - state.cons) | 0) > 0
    if (state.cons >= 0 && !older) yield* store(this.link.page + req_cons.offset, word(state.cons))
    this.#kept = (prod + output.length) >>> 0
    conn.resume(bytesOfString(older ? '' : state.input), output)
  }

  *#look(): Sys<readonly [cons: number, prod: number]> {
    const bytes = yield* load(this.link.page + INDEXES, INDEX_BYTES)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    // As long as nothing has been taken of the requests, their index is what the page says.
    if (this.#ahead === 0) this.#reqCons = view.getUint32(req_cons.offset - INDEXES, true)
    return [view.getUint32(rsp_cons.offset - INDEXES, true), view.getUint32(rsp_prod.offset - INDEXES, true)]
  }

  *notify(): Sys<void> {
    this.#indexes = undefined
    if (!this.#news) return
    this.#news = false
    if (this.link.port !== 0) yield* this.link.notify(this.link.port)
  }

  /** domain_conn_reset: both rings are empty, and what was sent in part is forgotten. */
  *reset(): Sys<void> {
    this.#from = 0
    this.#ahead = 0
    this.#full = false
    this.#kept = 0
    this.#indexes = undefined
    yield* store(this.link.page + INDEXES, new Uint8Array(INDEX_BYTES))
  }

  *close(): Sys<void> {
    yield* this.link.close(this.link.port)
  }
}

/** The queue's last `count` bytes. */
function lastOf(out: Outbox, count: number): Uint8Array {
  const bytes = new Uint8Array(count)
  let left = count
  for (let i = out.length - 1; i >= 0 && left > 0; i--) {
    const part = out.at(i)!.bytes
    const from = Math.max(0, part.length - left)
    bytes.set(part.subarray(from), left - (part.length - from))
    left -= part.length - from
  }
  return bytes
}
