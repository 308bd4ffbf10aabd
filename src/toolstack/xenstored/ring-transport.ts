/**
 * A domain's ring page (abi/xen/io/xs_wire.ts, xenstored_domain.c: readchn, writechn). The other side may write anything there at any time: indexes are
 * read once, together with what they speak of, and checked; nonsense costs that domain its connection.
 */

import type { Sys } from '#abi/posix/syscalls.ts'
import { xenstore_domain_interface as ring, XENSTORE_RING_SIZE } from '#abi/xen/io/xs_wire.ts'
import { load, store } from '#user/libc/syscall.ts'
import type { Connection, Outgoing } from './connection.ts'
import { advance, nextRun, type Transport } from './transport.ts'

const { req, rsp, req_cons, rsp_cons, rsp_prod } = ring.fields
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

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)

export class RingTransport implements Transport {
  readonly link: RingLink
  blocked: boolean
  #from: number
  #news: boolean
  /** The response ring's indexes as they came with this round's request. The other side may have made room since, no more. */
  #indexes: readonly [cons: number, prod: number] | undefined

  constructor(link: RingLink) {
    this.link = link
    this.blocked = false
    this.#from = 0
    this.#news = false
    this.#indexes = undefined
  }

  *receive(): Sys<Uint8Array | undefined | 'gone'> {
    const bytes = yield* load(this.link.page, ring.size)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const cons = view.getUint32(INDEXES, true)
    const prod = view.getUint32(INDEXES + 4, true)
    const length = (prod - cons) >>> 0
    if (length > XENSTORE_RING_SIZE) return 'gone'
    this.#indexes = [view.getUint32(rsp_cons.offset, true), view.getUint32(rsp_prod.offset, true)]
    if (length === 0) return undefined
    const at = cons & (XENSTORE_RING_SIZE - 1)
    const part = bytes.slice(req.offset + at, req.offset + Math.min(at + length, XENSTORE_RING_SIZE))
    yield* store(this.link.page + req_cons.offset, word(prod))
    this.#news = true
    if (part.length === length) return part
    const whole = new Uint8Array(length)
    whole.set(part)
    whole.set(bytes.subarray(req.offset, req.offset + length - part.length), part.length)
    return whole
  }

  *flush(conn: Connection, sent: (message: Outgoing) => void): Sys<boolean> {
    this.blocked = false
    if (conn.out.length === 0) return true
    const [cons, prod] = this.#indexes ?? (yield* this.#look())
    this.#indexes = undefined
    const used = (prod - cons) >>> 0
    if (used > XENSTORE_RING_SIZE) return false
    if (used < XENSTORE_RING_SIZE) {
      const bytes = nextRun(conn.out, this.#from, XENSTORE_RING_SIZE - used)
      const at = prod & (XENSTORE_RING_SIZE - 1)
      const first = bytes.subarray(0, XENSTORE_RING_SIZE - at)
      const { page } = this.link
      yield* store(page + rsp.offset + at, first)
      if (first.length < bytes.length) yield* store(page + rsp.offset, bytes.subarray(first.length))
      yield* store(page + rsp_prod.offset, word(prod + bytes.length))
      this.#from = advance(conn, this.#from, bytes.length, sent)
      this.#news = true
    }
    this.blocked = conn.out.length > 0
    return true
  }

  *#look(): Sys<readonly [cons: number, prod: number]> {
    const bytes = yield* load(this.link.page + INDEXES, INDEX_BYTES)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
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
    this.#indexes = undefined
    yield* store(this.link.page + INDEXES, new Uint8Array(INDEX_BYTES))
  }

  *close(): Sys<void> {
    yield* this.link.close(this.link.port)
  }
}
