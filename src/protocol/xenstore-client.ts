/**
 * A client of XenStore's daemon, speaking its wire protocol (abi/xen/io/xs_wire.ts) over a host link, for whoever acts on the store from outside:
 * the daemon sees one more socket. Works in a page and under Node. Values are byte strings here; `textOfValue` and `valueOfText` are for people.
 */
import {
  XENSTORE_PAYLOAD_MAX,
  XS_DIRECTORY,
  XS_ERROR,
  XS_GET_PERMS,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_SET_PERMS,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_WATCH_EVENT,
  XS_WRITE,
} from '#abi/xen/io/xs_wire.ts'
import { byteString, bytesOfString, utf8Decode, utf8Encode } from '#lib/utf8.ts'
import type { HostLink } from './links.ts'
import type { OpenLink } from './open-link.ts'

export const XENSTORED_SOCKET = '/var/run/xenstored/socket'

const HEADER_BYTES = 16

export const textOfValue = (value: string): string => utf8Decode(bytesOfString(value))
export const valueOfText = (text: string): string => byteString(utf8Encode(text))

/** The daemon has refused; the message is its own word: `ENOENT`, `EACCES`, `EINVAL`, ... */
export class XenstoreError extends Error {
  override readonly name = 'XenstoreError'
}

interface Asked {
  readonly type: number
  readonly resolve: (payload: string) => void
  readonly reject: (error: Error) => void
}

/** A link, and what has been asked over it. */
interface Session {
  link: HostLink | undefined
  readonly asked: Map<number, Asked>
  /** What has come of a message that is not whole yet. */
  partial: Uint8Array
  /** Why it is over. */
  over: string | undefined
}

/** What can be asked of the daemon, in a transaction or by itself. */
export abstract class XenstoreRequests {
  read(path: string): Promise<string> {
    return this.ask(XS_READ, [path])
  }

  /** Names of the children, oldest first. */
  async directory(path: string): Promise<string[]> {
    return strings(await this.ask(XS_DIRECTORY, [path]))
  }

  /** Makes what is missing of the path. */
  async write(path: string, value: string): Promise<void> {
    await this.ask(XS_WRITE, [path], value)
  }

  async mkdir(path: string): Promise<void> {
    await this.ask(XS_MKDIR, [path])
  }

  /** With all below it. */
  async rm(path: string): Promise<void> {
    await this.ask(XS_RM, [path])
  }

  /** As `['n0', 'r5']`: the owner first, with what all others may. */
  async getPerms(path: string): Promise<string[]> {
    return strings(await this.ask(XS_GET_PERMS, [path]))
  }

  async setPerms(path: string, perms: readonly string[]): Promise<void> {
    await this.ask(XS_SET_PERMS, [path, ...perms])
  }

  /** `words` go with a NUL each, `rest` as it is. */
  protected abstract ask(type: number, words: readonly string[], rest?: string): Promise<string>
}

type Ask = (type: number, words: readonly string[], rest?: string) => Promise<string>

class Transaction extends XenstoreRequests {
  readonly #ask: Ask

  constructor(ask: Ask) {
    super()
    this.#ask = ask
  }

  protected ask(...request: Parameters<Ask>): Promise<string> {
    return this.#ask(...request)
  }
}

/** So often a transaction is tried that others spoil. */
const TRANSACTION_ATTEMPTS_MAX = 20

export class XenstoreClient extends XenstoreRequests {
  readonly #openLink: OpenLink
  readonly #to: string
  #session: Session | undefined
  #lastId = 0

  constructor(openLink: OpenLink, to = XENSTORED_SOCKET) {
    super()
    this.#openLink = openLink
    this.#to = to
  }

  /**
   * All of it or nothing: what `body` asks is seen by others when it has ended, and never if it throws. Where others were quicker (EAGAIN) it is done
   * anew, from its beginning; at last the daemon's EAGAIN is the answer.
   */
  async transaction<T>(body: (xs: XenstoreRequests) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const session = this.#session ?? this.#connect()
      const id = Number.parseInt(await this.#askIn(session, 0, XS_TRANSACTION_START, ['']), 10)
      const ask: Ask = (...request) => this.#askIn(session, id, ...request)
      let result: T
      try {
        result = await body(new Transaction(ask))
      } catch (error) {
        // Where the connection is gone, so is the transaction.
        await ask(XS_TRANSACTION_END, ['F']).catch(() => {})
        throw error
      }
      try {
        await ask(XS_TRANSACTION_END, ['T'])
        return result
      } catch (error) {
        const spoilt = error instanceof XenstoreError && error.message === 'EAGAIN'
        if (!spoilt || attempt === TRANSACTION_ATTEMPTS_MAX) throw error
      }
    }
  }

  /** Gives the link up; the next call opens another. */
  close(): void {
    const session = this.#session
    if (session) this.#hangUp(session, 'the connection was given up')
  }

  protected ask(type: number, words: readonly string[], rest = ''): Promise<string> {
    return this.#askIn(undefined, 0, type, words, rest)
  }

  /** `within`: over no other link than that one. */
  async #askIn(
    within: Session | undefined,
    transaction: number,
    type: number,
    words: readonly string[],
    rest = '',
  ): Promise<string> {
    const payload = message(words, rest)
    const session = within ?? this.#session ?? this.#connect()
    this.#lastId = (this.#lastId + 1) >>> 0
    const id = this.#lastId
    const bytes = new Uint8Array(HEADER_BYTES + payload.length)
    const header = new DataView(bytes.buffer)
    header.setUint32(0, type, true)
    header.setUint32(4, id, true)
    header.setUint32(8, transaction, true)
    header.setUint32(12, payload.length, true)
    bytes.set(payload, HEADER_BYTES)
    if (session.over !== undefined) throw new Error(session.over)
    return new Promise((resolve, reject) => {
      session.asked.set(id, { type, resolve, reject })
      session.link?.write(bytes)
    })
  }

  #connect(): Session {
    const session: Session = { link: undefined, asked: new Map(), partial: new Uint8Array(0), over: undefined }
    this.#session = session
    session.link = this.#openLink(this.#to, {
      data: (bytes, taken) => {
        taken(bytes.length)
        if (!this.#receive(session, bytes)) this.#hangUp(session, 'what answers is not XenStore’s daemon')
      },
      end: () => this.#hangUp(session, 'the daemon has closed the connection'),
      close: (reason) => this.#over(session, reason),
    })
    return session
  }

  /** False: that was no answer. */
  #receive(session: Session, bytes: Uint8Array): boolean {
    const all = new Uint8Array(session.partial.length + bytes.length)
    all.set(session.partial)
    all.set(bytes, session.partial.length)
    const view = new DataView(all.buffer)
    let at = 0
    while (all.length - at >= HEADER_BYTES) {
      const length = view.getUint32(at + 12, true)
      if (length > XENSTORE_PAYLOAD_MAX) return false
      const end = at + HEADER_BYTES + length
      if (end > all.length) break
      const type = view.getUint32(at, true)
      const id = view.getUint32(at + 4, true)
      if (!this.#answered(session, type, id, byteString(all.subarray(at + HEADER_BYTES, end)))) return false
      at = end
    }
    session.partial = all.slice(at)
    return true
  }

  /** False: nobody has asked for that. */
  #answered(session: Session, type: number, id: number, payload: string): boolean {
    // Nothing is watched here.
    if (type === XS_WATCH_EVENT) return false
    const asked = session.asked.get(id)
    if (!asked || (type !== XS_ERROR && type !== asked.type)) return false
    session.asked.delete(id)
    if (type === XS_ERROR) asked.reject(new XenstoreError(payload.replace(/\0$/, '')))
    else asked.resolve(payload)
    return true
  }

  #hangUp(session: Session, reason: string): void {
    session.link?.close()
    this.#over(session, reason)
  }

  #over(session: Session, reason: string): void {
    session.over ??= reason
    if (this.#session === session) this.#session = undefined
    const waiting = [...session.asked.values()]
    session.asked.clear()
    for (const { reject } of waiting) reject(new Error(reason))
  }
}

const strings = (payload: string): string[] => payload.split('\0').slice(0, -1)

/** Refused here is what would mean something else there, or would make the daemon hang up without a word (xs_talkv). */
function message(words: readonly string[], rest: string): Uint8Array {
  if (words.some((word) => /[^\x01-\xff]/.test(word))) throw new XenstoreError('EINVAL')
  const bytes = bytesOfString(words.map((word) => `${word}\0`).join('') + rest)
  if (bytes.length > XENSTORE_PAYLOAD_MAX) throw new XenstoreError('E2BIG')
  return bytes
}
