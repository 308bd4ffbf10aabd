/** One client of the daemon: what it is, what it has open, what it has sent in part, and what it has not been told yet. Knows no transport. */
import { XENSTORE_PAYLOAD_MAX, XS_WATCH_EVENT } from '#abi/xen/io/xs_wire.ts'
import { byteString } from '#lib/utf8.ts'
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

/** What is to be sent: header and payload, and what the trace file wants to know of it. */
export interface Outgoing {
  readonly type: number
  readonly bytes: Uint8Array
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
  /** Oldest first. */
  readonly out: Outgoing[]
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
    this.out = []
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
    const view = new DataView(input.buffer, input.byteOffset + at, input.length - at)
    const length = view.getUint32(12, true)
    if (length > XENSTORE_PAYLOAD_MAX) return 'bad'
    if (view.byteLength < HEADER + length) return undefined
    this.#at = at + HEADER + length
    return {
      type: view.getUint32(0, true),
      reqId: view.getUint32(4, true),
      txId: view.getUint32(8, true),
      payload: byteString(input.subarray(at + HEADER, this.#at)),
    }
  }

  /** A part of a message has come, or whole ones that `next` has not given yet. */
  get hasInput(): boolean {
    return this.#at < this.#input.length
  }

  /** domain_conn_reset, the wire's part: the other side begins anew. */
  reset(): void {
    this.#input = new Uint8Array(0)
    this.#at = 0
    this.out.length = 0
    this.outBytes = 0
  }

  send(type: number, reqId: number, txId: number, payload: string): void {
    const { length } = payload
    const bytes = new Uint8Array(HEADER + length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, type, true)
    view.setUint32(4, reqId, true)
    view.setUint32(8, txId, true)
    view.setUint32(12, length, true)
    for (let i = 0; i < length; i++) bytes[HEADER + i] = payload.charCodeAt(i)
    this.out.push({ type, bytes })
    this.outBytes += bytes.length
    this.#outgoing.add(this)
  }

  event(path: string, token: string): void {
    this.send(XS_WATCH_EVENT, 0, 0, `${path}\0${token}\0`)
  }

  /** The oldest message has been sent. */
  sent(): void {
    const first = this.out.shift()
    if (first) this.outBytes -= first.bytes.length
  }
}
