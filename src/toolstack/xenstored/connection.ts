/** One client of the daemon: what it is, what it has open, what it has sent in part, and what it has not been told yet. Knows no transport. */
import { XENSTORE_PAYLOAD_MAX, XS_WATCH_EVENT } from '#abi/xen/io/xs_wire.ts'
import { byteStringOf } from '#lib/utf8.ts'
import { setWord, word } from '#lib/words.ts'
import { Outbox, RESUMED } from './outbox.ts'
import type { Transaction } from './transactions.ts'
import type { Watch } from './watches.ts'

const HEADER = 16

/** A domain that has been introduced. */
export interface Domain {
  readonly domid: number
  /** /local/domain/N: what its relative paths begin with. */
  readonly path: string
  /** The ring page and the domain's end of the channel: what a second introduction is compared with. -1: dom0's own, which was not introduced. */
  readonly mfn: number
  remotePort: number
  /** Its shutdown has been announced. */
  shutdown: boolean
  /** Nodes of its own, and watches: what quotas look at. */
  entries: number
  watches: number
}

export interface Message {
  readonly type: number
  readonly reqId: number
  readonly txId: number
  /** Byte string. */
  readonly payload: string
}

export class Connection {
  /** In the order of connecting; what the trace file shows as an address. */
  readonly serial: number
  /** The domain it speaks for. Sockets: 0. */
  readonly id: number
  /** socket_ro: false. */
  readonly canWrite: boolean
  readonly domain: Domain | undefined
  /** SET_TARGET: a domain whose rights it has besides. */
  target: number | undefined
  readonly watches: Watch[]
  readonly transactions: Map<number, Transaction>
  lastTransactionId: number
  /** The store's generation after the last change that it made outside of transactions. */
  changedAt: number
  /** Who is at the other end of a socket; 0 if nobody knows. */
  pid: number
  /** Oldest first. */
  readonly out: Outbox
  /** Bytes in `out`. */
  outBytes: number
  closed: boolean
  /** All that have something to be sent. */
  readonly #outgoing: Set<Connection>
  #input: Uint8Array
  #at: number

  constructor(
    serial: number,
    id: number,
    canWrite: boolean,
    domain: Domain | undefined,
    outgoing: Set<Connection> = new Set(),
  ) {
    this.serial = serial
    this.id = id
    this.canWrite = canWrite
    this.domain = domain
    this.target = undefined
    this.watches = []
    this.transactions = new Map()
    this.lastTransactionId = 0
    this.changedAt = 0
    this.pid = 0
    this.out = new Outbox()
    this.outBytes = 0
    this.closed = false
    this.#outgoing = outgoing
    this.#input = new Uint8Array(0)
    this.#at = 0
  }

  /** Quotas are for it. */
  get unprivileged(): boolean {
    return this.domain !== undefined && this.domain.domid !== 0
  }

  /** Bytes have come. */
  feed(bytes: Uint8Array): void {
    const rest = this.#input.length - this.#at
    if (rest === 0) this.#input = bytes
    else {
      const joined = new Uint8Array(rest + bytes.length)
      joined.set(this.#input.subarray(this.#at))
      joined.set(bytes, rest)
      this.#input = joined
    }
    this.#at = 0
  }

  /** The next message that is complete. `bad`: it says that it is longer than any may be, so nobody knows where the next begins. */
  next(): Message | undefined | 'bad' {
    const input = this.#input
    const at = this.#at
    if (input.length - at < HEADER) return undefined
    const length = word(input, at + 12)
    if (length > XENSTORE_PAYLOAD_MAX) return 'bad'
    if (this.isPartial) return undefined
    this.#at = at + HEADER + length
    return {
      type: word(input, at),
      reqId: word(input, at + 4),
      txId: word(input, at + 8),
      payload: byteStringOf(input, at + HEADER, this.#at),
    }
  }

  /** What `next` has not given yet begins with less than a message. */
  get isPartial(): boolean {
    const there = this.#input.length - this.#at
    return there > 0 && (there < HEADER || there < HEADER + word(this.#input, this.#at + 12))
  }

  /** A part of a message has come, or whole ones that `next` has not given yet. */
  get hasInput(): boolean {
    return this.#at < this.#input.length
  }

  /** Bytes that `next` has not given yet. */
  get input(): Uint8Array {
    return this.#input.subarray(this.#at)
  }

  /** An earlier daemon's: bytes that had come already, and such that were still to be sent. */
  resume(input: Uint8Array, output: Uint8Array): void {
    this.#input = input
    this.#at = 0
    if (output.length === 0) return
    this.out.push({ type: RESUMED, bytes: output })
    this.outBytes += output.length
    this.#outgoing.add(this)
  }

  /** domain_conn_reset, the wire's part: the other side begins anew. */
  reset(): void {
    this.#input = new Uint8Array(0)
    this.#at = 0
    this.out.clear()
    this.outBytes = 0
  }

  send(type: number, reqId: number, txId: number, payload: string): void {
    const { length } = payload
    const bytes = new Uint8Array(HEADER + length)
    setWord(bytes, 0, type)
    setWord(bytes, 4, reqId)
    setWord(bytes, 8, txId)
    setWord(bytes, 12, length)
    for (let i = 0; i < length; i++) bytes[HEADER + i] = payload.charCodeAt(i)
    this.out.push({ type, bytes })
    this.outBytes += bytes.length
    this.#outgoing.add(this)
  }

  event(path: string, token: string): void {
    this.send(XS_WATCH_EVENT, 0, 0, `${path}\0${token}\0`)
  }

  /** The newest message, of which nothing has been sent yet, is not to be sent. */
  takeBack(): void {
    const last = this.out.pop()
    if (last) this.outBytes -= last.bytes.length
  }

  /** The oldest message has been sent. */
  sent(): void {
    const first = this.out.shift()
    if (first) this.outBytes -= first.bytes.length
  }
}
