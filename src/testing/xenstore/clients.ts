/** The other ends of xenstored's connections: a socket's client, and a domain with its ring, which looks there only when it has been notified,
 * and notifies only when it must: it has written into an empty ring, or made room in a full one (Linux, xenbus_comms.c). */
import { memOf } from '#abi/mem.ts'
import { xenstore_domain_interface as ring, XENSTORE_RING_SIZE, xsd_sockmsg } from '#abi/xen/io/xs_wire.ts'
import { byteString } from '#lib/utf8.ts'
import type { Stream } from './daemon-host.ts'
import type { HostDomain, HostXen } from './host-xen.ts'

const HEADER = xsd_sockmsg.size

export interface Heard {
  readonly type: number
  readonly reqId: number
  readonly txId: number
  /** Byte string. */
  readonly payload: string
}

export function message(
  type: number,
  reqId: number,
  txId: number,
  payload: string,
  length = payload.length,
): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length)
  xsd_sockmsg.write(memOf(bytes), 0, { type, req_id: reqId, tx_id: txId, len: length })
  for (let i = 0; i < payload.length; i++) bytes[HEADER + i] = payload.charCodeAt(i)
  return bytes
}

/** What both kinds have in common: bytes that wait to be sent, and those that have come. */
export abstract class Client {
  /** It neither reads nor is told of what it could. */
  deaf = false
  #out: Uint8Array[] = []
  #in = new Uint8Array(0)

  abstract readonly closed: boolean
  /** Move what can be moved. False: nothing could. */
  abstract pump(): boolean

  send(bytes: Uint8Array): void {
    this.#out.push(bytes)
  }

  get waiting(): number {
    return this.#out.reduce((sum, { length }) => sum + length, 0)
  }

  /** What was not sent yet never will be. */
  forget(): void {
    this.#out = []
  }

  /** The messages that have come whole. */
  take(): Heard[] {
    const found: Heard[] = []
    let at = 0
    const mem = memOf(this.#in)
    while (this.#in.length - at >= HEADER) {
      const { type, req_id: reqId, tx_id: txId, len } = xsd_sockmsg.read(mem, at)
      if (len > 4096) throw new Error(`the daemon sends a message of ${len} bytes`)
      if (this.#in.length - at < HEADER + len) break
      found.push({ type, reqId, txId, payload: byteString(this.#in.subarray(at + HEADER, at + HEADER + len)) })
      at += HEADER + len
    }
    if (at > 0) this.#in = this.#in.slice(at)
    return found
  }

  protected next(most: number): Uint8Array | undefined {
    const first = this.#out[0]
    if (!first || most === 0) return undefined
    if (first.length <= most) return this.#out.shift()
    this.#out[0] = first.subarray(most)
    return first.subarray(0, most)
  }

  protected heard(bytes: Uint8Array): void {
    const both = new Uint8Array(this.#in.length + bytes.length)
    both.set(this.#in)
    both.set(bytes, this.#in.length)
    this.#in = both
  }
}

export class SocketClient extends Client {
  readonly stream: Stream

  constructor(stream: Stream) {
    super()
    this.stream = stream
  }

  get closed(): boolean {
    return !this.stream.daemonOpen && this.stream.toClient.length === 0
  }

  pump(): boolean {
    const { toDaemon, toClient, daemonOpen } = this.stream
    let moved = false
    for (let part = this.next(toDaemon.room); part; part = this.next(toDaemon.room)) {
      if (daemonOpen) toDaemon.push(part)
      moved = true
    }
    if (toClient.length > 0 && !this.deaf) {
      this.heard(toClient.take(toClient.length))
      moved = true
    }
    return moved
  }

  close(): void {
    this.stream.clientOpen = false
  }
}

export class RingClient extends Client {
  readonly domain: HostDomain
  port: number
  readonly #xen: HostXen

  constructor(xen: HostXen, domain: HostDomain, port: number) {
    super()
    this.#xen = xen
    this.domain = domain
    this.port = port
  }

  /** Nobody is at the other end of its channel. */
  get closed(): boolean {
    return this.domain.port(this.port)?.local === undefined
  }

  get(field: 'req_cons' | 'req_prod' | 'rsp_cons' | 'rsp_prod'): number {
    return ring.fields[field].get(this.domain.mem, 0)
  }

  set(field: 'req_cons' | 'req_prod' | 'rsp_cons' | 'rsp_prod', value: number): void {
    ring.fields[field].set(this.domain.mem, 0, value >>> 0)
  }

  kick(): void {
    this.#xen.kick(this.domain, this.port)
  }

  pump(): boolean {
    const end = this.domain.port(this.port)
    const { page } = this.domain
    let moved = false
    for (;;) {
      const prod = this.get('req_prod')
      const used = (prod - this.get('req_cons')) >>> 0
      const part = used > XENSTORE_RING_SIZE ? undefined : this.next(XENSTORE_RING_SIZE - used)
      if (!part) break
      for (let i = 0; i < part.length; i++) page[ring.fields.req.offset + ((prod + i) % XENSTORE_RING_SIZE)] = part[i]!
      this.set('req_prod', prod + part.length)
      if (used === 0) this.kick()
      moved = true
    }
    if (end?.fired && !this.deaf) {
      end.fired = false
      const cons = this.get('rsp_cons')
      const length = (this.get('rsp_prod') - cons) >>> 0
      if (length > 0 && length <= XENSTORE_RING_SIZE) {
        const at = (i: number): number => ring.fields.rsp.offset + ((cons + i) % XENSTORE_RING_SIZE)
        this.heard(Uint8Array.from({ length }, (_, i) => page[at(i)]!))
        this.set('rsp_cons', cons + length)
        if (length === XENSTORE_RING_SIZE) this.kick()
        moved = true
      }
    }
    return moved
  }
}
