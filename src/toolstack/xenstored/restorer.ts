/** Makes a store out of an earlier daemon's records (state.ts), which may be damaged or forged: what does not fit is refused. */
import { bytesOfString } from '#lib/utf8.ts'
import { type XsPermission, xsPermFromString } from '../libxs/perms.ts'
import type { Connection } from './connection.ts'
import { isValidNodename } from './permissions.ts'
import type { Store } from './store.ts'
import { parentOf } from './tree.ts'

/** A ring as its records say. */
export interface RingState {
  cons: number
  input: string
  /** Answers and events by the position of their first byte. */
  output: [prod: number, bytes: string][]
  /** What the old daemon's end of its channel was, if that is still bound. */
  port: number | undefined
}

/** A client of the socket, after a live update. */
export interface SocketState {
  readonly fd: number
  readonly input: string
  readonly output: string
}

/** The daemon's own descriptors, after a live update. */
export interface Descriptors {
  readonly socket: number
  readonly readOnlySocket: number
  readonly evtchn: number
  readonly domExcPort: number
  readonly pidFile: number
  readonly access: number
  readonly lines: string
}

/** What is no state that a daemon has written. */
export class Damaged extends Error {}

const damaged = (why: string): never => {
  throw new Damaged(why)
}

/** `count` fields; the last has the rest. */
function fieldsOf(body: string, count: number): string[] {
  const fields: string[] = []
  let at = 1
  for (let i = 1; i < count; i++) {
    const nul = body.indexOf('\0', at)
    if (nul < 0) damaged(`a record ${body[0]} of too few fields`)
    fields.push(body.slice(at, nul))
    at = nul + 1
  }
  fields.push(body.slice(at))
  return fields
}

const whole = (text: string | undefined): number => {
  const value = Number(text)
  return text !== '' && Number.isSafeInteger(value) ? value : damaged('a number that is none')
}

function permsOf(text: string): XsPermission[] {
  return text.split(',').map((one) => xsPermFromString(one) ?? damaged('permissions that are none'))
}

/** Brings a store into the state that records tell of, without a word to anybody. */
export class Restorer {
  readonly rings: Map<Connection, RingState>
  readonly sockets: Map<Connection, SocketState>
  descriptors: Descriptors | undefined
  readonly #store: Store
  readonly #bySerial: Map<number, Connection>

  constructor(store: Store) {
    this.#store = store
    this.rings = new Map()
    this.sockets = new Map()
    this.descriptors = undefined
    this.#bySerial = new Map()
  }

  /** The record at `at`; where the next begins. Throws Damaged. */
  apply(text: string, at: number): number {
    const blank = text.indexOf(' ', at)
    const length = blank < 0 || blank - at > 10 ? Number.NaN : whole(text.slice(at, blank))
    if (!(length > 0) || blank + 1 + length > text.length) damaged('a record without an end')
    this.#apply(text.slice(blank + 1, blank + 1 + length))
    return blank + 1 + length
  }

  #apply(body: string): void {
    switch (body[0]) {
      case 'n':
      case 'v':
      case 'p':
      case 'r':
        this.#node(body)
        return
      case 'd':
        this.#domain(fieldsOf(body, 8))
        return
      case 's':
        this.#socket(fieldsOf(body, 7))
        return
      case 'R':
        this.#ring(fieldsOf(body, 5))
        return
      case 'l':
        this.#own(fieldsOf(body, 7))
        return
      default:
        this.#ofConnection(body)
    }
  }

  #ofConnection(body: string): void {
    const fields = fieldsOf(body, body[0] === 'w' ? 4 : body[0] === 'u' ? 3 : 'tec'.includes(body[0]!) ? 2 : 1)
    const conn = this.#bySerial.get(whole(fields[0])) ?? damaged('a connection that is not there')
    const [, second = '', third = '', fourth = ''] = fields
    const { watches } = this.#store
    switch (body[0]) {
      case 'x':
        this.#bySerial.delete(conn.serial)
        this.rings.delete(conn)
        this.#store.forget(conn)
        return
      case 'z':
        watches.removeAll(conn)
        conn.transactions.clear()
        this.rings.delete(conn)
        return
      case 'w':
        if (!third.startsWith('@') && !isValidNodename(third)) damaged('a watch of no path')
        watches.add(conn, third, fourth, whole(second))
        return
      case 'u':
        watches.remove(watches.find(conn, second, third) ?? damaged('a watch that is not there'))
        return
      case 't':
        this.#store.lostTransaction(conn, whole(second))
        return
      case 'e':
        conn.transactions.delete(whole(second))
        return
      case 'c':
        this.#ringOf(conn).port = whole(second)
        return
      default:
        damaged(`a record ${body[0]}`)
    }
  }

  #node(body: string): void {
    const { tree } = this.#store
    const [path = '', second = '', third = ''] = fieldsOf(body, body[0] === 'n' ? 3 : body[0] === 'r' ? 1 : 2)
    if (!isValidNodename(path)) damaged('a node of no name')
    const there = tree.get(path)
    if (body[0] === 'n' && !there) {
      if (!tree.get(parentOf(path))) damaged('a node without a parent')
      tree.add(path, third, permsOf(second))
      return
    }
    if (body[0] === 'r' && path !== '/') {
      // What a transaction has made and removed again never was there.
      if (there) tree.remove(path, () => {})
      return
    }
    if (!there || body[0] === 'r') damaged('a node that is not there')
    if (body[0] !== 'p') tree.setValue(path, body[0] === 'n' ? third : second)
    if (body[0] !== 'v') tree.setPerms(path, permsOf(second))
  }

  #domain(fields: readonly string[]): void {
    const [serial, domid, mfn, port, shutdown, entries] = fields.slice(0, 6).map(whole) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    let conn = this.#bySerial.get(serial)
    if (!conn) {
      if (this.#store.domain(domid)) damaged('a domain that is there twice')
      conn = this.#store.addDomain(domid, mfn, port, serial)
      this.#bySerial.set(serial, conn)
    }
    const domain = conn.domain ?? damaged('a domain that is none')
    domain.remotePort = port
    domain.shutdown = shutdown !== 0
    domain.entries = entries
    conn.target = fields[6] === '' ? undefined : whole(fields[6])
    conn.lastTransactionId = whole(fields[7])
  }

  #socket(fields: readonly string[]): void {
    const [serial, fd, mayWrite, last, pid, length] = fields.slice(0, 6).map(whole) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    if (this.#bySerial.has(serial)) damaged('a connection that is there twice')
    const conn = this.#store.connect(mayWrite !== 0, serial)
    conn.lastTransactionId = last
    conn.pid = pid
    this.#bySerial.set(serial, conn)
    const bytes = fields[6]!
    this.sockets.set(conn, { fd, input: bytes.slice(0, length), output: bytes.slice(length) })
  }

  #ringOf(conn: Connection): RingState {
    let ring = this.rings.get(conn)
    if (!ring) {
      ring = { cons: -1, input: '', output: [], port: undefined }
      this.rings.set(conn, ring)
    }
    return ring
  }

  #ring(fields: readonly string[]): void {
    const conn = this.#bySerial.get(whole(fields[0])) ?? damaged('a ring of nobody')
    const ring = this.#ringOf(conn)
    const length = whole(fields[3])
    const bytes = fields[4]!
    ring.cons = whole(fields[1])
    ring.input = bytes.slice(0, length)
    if (bytes.length > length) ring.output.push([whole(fields[2]), bytes.slice(length)])
  }

  #own(fields: readonly string[]): void {
    const [socket, readOnlySocket, evtchn, domExcPort, pidFile, access] = fields.slice(0, 6).map(whole) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    this.descriptors = { socket, readOnlySocket, evtchn, domExcPort, pidFile, access, lines: fields[6]! }
  }
}

/** Of a ring's kept answers those that are not in it yet, which is filled up to `prod`. */
export function unsentOf({ output }: RingState, prod: number): Uint8Array {
  let text = ''
  for (const [from, bytes] of output) {
    const through = (prod - from) | 0
    if (through < bytes.length) text += bytes.slice(Math.max(0, through))
  }
  return bytesOfString(text)
}
