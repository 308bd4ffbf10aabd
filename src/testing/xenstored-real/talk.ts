/** The wire protocol spoken from a test, to a real daemon's socket or, as a domain, over the ring page that the shim maps. */
import { once } from 'node:events'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { xenstore_domain_interface as ring, XENSTORE_RING_SIZE } from '#abi/xen/io/xs_wire.ts'

const HEADER = 16
const POLL_MS = 1
/** shim.c's. */
const FIRST_DOMAIN_PORT = 100
export const DOM_EXC_PORT = 1

export interface Heard {
  readonly type: number
  readonly reqId: number
  readonly txId: number
  /** Byte string. */
  readonly payload: string
}

/** Messages as they come, whatever they are. `heard` ends with undefined when the daemon has ended the connection. */
export abstract class Talk {
  #partial = Buffer.alloc(0)
  readonly #messages: Heard[] = []
  #wake: () => void = () => {}
  #over = false

  protected come(bytes: Buffer): void {
    this.#partial = Buffer.concat([this.#partial, bytes])
    for (let rest = this.#partial; rest.length >= HEADER; rest = this.#partial) {
      const end = HEADER + rest.readUInt32LE(12)
      if (rest.length < end) break
      const payload = rest.toString('latin1', HEADER, end)
      this.#messages.push({
        type: rest.readUInt32LE(0),
        reqId: rest.readUInt32LE(4),
        txId: rest.readUInt32LE(8),
        payload,
      })
      this.#partial = rest.subarray(end)
    }
    this.#wake()
  }

  protected end(): void {
    this.#over = true
    this.#wake()
  }

  async heard(): Promise<Heard | undefined> {
    while (this.#messages.length === 0 && !this.#over)
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
    return this.#messages.shift()
  }

  async ask(type: number, txId: number, payload: string, reqId = 1): Promise<Heard | undefined> {
    const bytes = Buffer.alloc(HEADER + payload.length)
    for (const [i, word] of [type, reqId, txId, payload.length].entries()) bytes.writeUInt32LE(word, 4 * i)
    bytes.write(payload, HEADER, 'latin1')
    await this.send(bytes)
    return this.heard()
  }

  abstract send(bytes: Buffer): Promise<void>
  abstract close(): void
}

export class SocketTalk extends Talk {
  readonly #socket: Socket

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    socket.on('data', (bytes) => this.come(bytes as Buffer))
    socket.on('error', () => this.end())
    socket.on('close', () => this.end())
  }

  /** They let one wait to be accepted, and no more: that is EAGAIN. */
  static async at(path: string): Promise<SocketTalk> {
    for (;;) {
      const socket = connect(path)
      const [error] = await Promise.race([once(socket, 'connect'), once(socket, 'close')])
        .then(() => [])
        .catch((why: NodeJS.ErrnoException) => [why])
      if (!error) return new SocketTalk(socket)
      if (error.code !== 'EAGAIN') throw error
      await new Promise((wait) => setTimeout(wait, POLL_MS))
    }
  }

  async send(bytes: Buffer): Promise<void> {
    this.#socket.write(bytes)
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** The domain's side of a ring: RealXenstored.addDomain made the page's file; dom0's is xsd_kva. */
export class RingTalk extends Talk {
  readonly #page: number
  readonly #events: number
  readonly #domid: number
  readonly #timer: ReturnType<typeof setInterval>

  constructor(folder: string, domid: number, file = `domain-${domid}`) {
    super()
    this.#domid = domid
    this.#page = openSync(join(folder, file), 'r+')
    this.#events = openSync(join(folder, 'events'), 'r+')
    this.#timer = setInterval(() => this.#receive(), POLL_MS)
  }

  /** An event at the daemon. */
  notify(port = FIRST_DOMAIN_PORT + this.#domid): void {
    writeSync(this.#events, Buffer.from(Uint32Array.of(port).buffer))
  }

  #word(at: number): number {
    const word = Buffer.alloc(4)
    readSync(this.#page, word, 0, 4, at)
    return word.readUInt32LE(0)
  }

  setWord(at: number, value: number): void {
    writeSync(this.#page, Buffer.from(Uint32Array.of(value).buffer), 0, 4, at)
  }

  #receive(): void {
    const cons = this.#word(ring.fields.rsp_cons.offset)
    const bytes = Buffer.alloc((this.#word(ring.fields.rsp_prod.offset) - cons) >>> 0)
    if (bytes.length === 0) return
    const at = cons % XENSTORE_RING_SIZE
    const first = Math.min(bytes.length, XENSTORE_RING_SIZE - at)
    readSync(this.#page, bytes, 0, first, ring.fields.rsp.offset + at)
    if (first < bytes.length) readSync(this.#page, bytes, first, bytes.length - first, ring.fields.rsp.offset)
    this.setWord(ring.fields.rsp_cons.offset, (cons + bytes.length) >>> 0)
    this.notify()
    this.come(bytes)
  }

  async send(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const prod = this.#word(ring.fields.req_prod.offset)
      const free = XENSTORE_RING_SIZE - ((prod - this.#word(ring.fields.req_cons.offset)) >>> 0)
      const at = prod % XENSTORE_RING_SIZE
      const part = Math.min(free, bytes.length - done, XENSTORE_RING_SIZE - at)
      if (part === 0) {
        await new Promise((wait) => setTimeout(wait, POLL_MS))
        continue
      }
      writeSync(this.#page, bytes, done, part, ring.fields.req.offset + at)
      this.setWord(ring.fields.req_prod.offset, (prod + part) >>> 0)
      this.notify()
      done += part
    }
  }

  close(): void {
    clearInterval(this.#timer)
    closeSync(this.#page)
    closeSync(this.#events)
  }
}
