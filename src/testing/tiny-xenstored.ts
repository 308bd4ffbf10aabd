/** For tests of a guest kernel: a store at the other end of its ring, as much of xenstored as it needs. Answers come before the notification returns. */
import type { Mem } from '#abi/mem.ts'
import {
  XENSTORE_RING_SIZE,
  XS_DIRECTORY,
  XS_ERROR,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
  xenstore_domain_interface,
} from '#abi/xen/io/xs_wire.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'

const { req, rsp, req_cons, req_prod, rsp_cons, rsp_prod } = xenstore_domain_interface.fields

interface Transaction {
  readonly tree: Map<string, string>
  readonly changed: Set<string>
  readonly generation: number
}

export class TinyXenstored {
  tree = new Map<string, string>()
  readonly watches: { readonly path: string; readonly token: string }[] = []
  /** Requests so far, `type path`. */
  readonly log: string[] = []
  /** So many commits are refused with EAGAIN. */
  refuseCommits = 0
  /** Instead of the true answer to a request of this type. */
  readonly lies = new Map<number, (id: number) => Uint8Array>()
  readonly #transactions = new Map<number, Transaction>()
  #generation = 0
  #lastTransaction = 0
  readonly #mem: Mem
  readonly #page: number
  readonly #notify: () => void
  readonly #home: string
  #input: Uint8Array = new Uint8Array(0)
  #output: Uint8Array = new Uint8Array(0)

  constructor(mem: Mem, page: number, notify: () => void, domid = 1) {
    this.#mem = mem
    this.#page = page
    this.#notify = notify
    this.#home = `/local/domain/${domid}`
    this.set(this.#home, '')
  }

  /** As another connection would. */
  set(path: string, value: string | undefined): void {
    this.#change(this.tree, this.#absolute(path), value)
    this.#generation++
    this.#fire([this.#absolute(path)])
    this.#flush()
  }

  get(path: string): string | undefined {
    return this.tree.get(this.#absolute(path))
  }

  /** The guest has notified. */
  serve(): void {
    const mem = this.#mem
    const page = this.#page
    for (;;) {
      const cons = req_cons.get(mem, page)
      const there = req_prod.get(mem, page) - cons
      if (there === 0) break
      const at = cons % XENSTORE_RING_SIZE
      const part = Math.min(there, XENSTORE_RING_SIZE - at)
      const more = mem.copyOut(page + req.offset + at, part)
      req_cons.set(mem, page, (cons + part) >>> 0)
      this.#input = joined(this.#input, more)
    }
    for (;;) {
      if (this.#input.length < 16) break
      const words = new DataView(this.#input.buffer, this.#input.byteOffset)
      const length = words.getUint32(12, true)
      if (this.#input.length < 16 + length) break
      const [type, id, tx] = [0, 4, 8].map((at) => words.getUint32(at, true)) as [number, number, number]
      const body = byteString(this.#input.subarray(16, 16 + length))
      this.#input = this.#input.slice(16 + length)
      this.#request(type, id, tx, body)
    }
    this.#flush()
  }

  /** Bytes of whatever kind go to the guest. */
  raw(bytes: Uint8Array): void {
    this.#output = joined(this.#output, bytes)
    this.#flush()
  }

  send(type: number, id: number, tx: number, body: string): void {
    this.#output = joined(this.#output, message(type, id, tx, body))
  }

  #flush(): void {
    const mem = this.#mem
    const page = this.#page
    while (this.#output.length > 0) {
      const prod = rsp_prod.get(mem, page)
      const room = XENSTORE_RING_SIZE - (prod - rsp_cons.get(mem, page))
      if (room <= 0) break
      const at = prod % XENSTORE_RING_SIZE
      const part = this.#output.subarray(0, Math.min(room, XENSTORE_RING_SIZE - at))
      mem.copyIn(page + rsp.offset + at, part)
      rsp_prod.set(mem, page, (prod + part.length) >>> 0)
      this.#output = this.#output.slice(part.length)
    }
    this.#notify()
  }

  #absolute(path: string): string {
    return path.startsWith('/') || path.startsWith('@') ? path : `${this.#home}/${path}`
  }

  #change(tree: Map<string, string>, path: string, value: string | undefined): void {
    if (value === undefined) {
      for (const each of [...tree.keys()]) if (each === path || each.startsWith(`${path}/`)) tree.delete(each)
      return
    }
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))
      if (!tree.has(path.slice(0, end))) tree.set(path.slice(0, end), '')
    tree.set(path, value)
  }

  #fire(paths: Iterable<string>): void {
    for (const path of paths)
      for (const watch of this.watches) {
        const watched = this.#absolute(watch.path)
        const relative = !watch.path.startsWith('/') && !watch.path.startsWith('@')
        const shown = (at: string): string => (relative ? at.slice(this.#home.length + 1) : at)
        if (path === watched || path.startsWith(`${watched}/`))
          this.send(XS_WATCH_EVENT, 0, 0, `${shown(path)}\0${watch.token}\0`)
        else if (watched.startsWith(`${path}/`) && !this.tree.has(path))
          this.send(XS_WATCH_EVENT, 0, 0, `${watch.path}\0${watch.token}\0`)
      }
  }

  #request(type: number, id: number, tx: number, body: string): unknown {
    const [first = '', second = ''] = body.split('\0')
    this.log.push(`${type} ${first}`)
    const lie = this.lies.get(type)
    if (lie) {
      this.#output = joined(this.#output, lie(id))
      return undefined
    }
    const transaction = this.#transactions.get(tx)
    const error = (name: string): void => this.send(XS_ERROR, id, tx, `${name}\0`)
    if (tx !== 0 && !transaction) return error('ENOENT')
    const tree = transaction?.tree ?? this.tree
    const path = this.#absolute(first)
    const ok = (answer = 'OK\0'): void => this.send(type, id, tx, answer)
    const write = (value: string | undefined): void => {
      this.#change(tree, path, value)
      ok()
      if (transaction) transaction.changed.add(path)
      else {
        this.#generation++
        this.#fire([path])
      }
    }
    switch (type) {
      case XS_DIRECTORY: {
        if (!tree.has(path)) return error('ENOENT')
        const names = [...tree.keys()].filter((each) => each.startsWith(`${path}/`))
        const children = new Set(names.map((each) => each.slice(path.length + 1).split('/')[0]!))
        return ok([...children].map((name) => `${name}\0`).join(''))
      }
      case XS_READ:
        return tree.has(path) ? ok(tree.get(path)) : error('ENOENT')
      case XS_WRITE:
        return write(body.slice(first.length + 1))
      case XS_MKDIR:
        return tree.has(path) ? ok() : write('')
      case XS_RM:
        return tree.has(path) ? write(undefined) : error('ENOENT')
      case XS_WATCH:
        if (this.watches.some((each) => each.path === first && each.token === second)) return error('EEXIST')
        this.watches.push({ path: first, token: second })
        ok()
        return this.send(XS_WATCH_EVENT, 0, 0, `${first}\0${second}\0`)
      case XS_UNWATCH: {
        const at = this.watches.findIndex((each) => each.path === first && each.token === second)
        if (at < 0) return error('ENOENT')
        this.watches.splice(at, 1)
        return ok()
      }
      case XS_TRANSACTION_START:
        this.#transactions.set(++this.#lastTransaction, {
          tree: new Map(this.tree),
          changed: new Set(),
          generation: this.#generation,
        })
        return ok(`${this.#lastTransaction}\0`)
      case XS_TRANSACTION_END: {
        if (!transaction) return error('ENOENT')
        this.#transactions.delete(tx)
        if (first !== 'T') return ok()
        if (this.refuseCommits > 0 || transaction.generation !== this.#generation) {
          this.refuseCommits = Math.max(0, this.refuseCommits - 1)
          return error('EAGAIN')
        }
        this.tree = transaction.tree
        this.#generation++
        ok()
        return this.#fire(transaction.changed)
      }
      default:
        return error('ENOSYS')
    }
  }
}

export function message(type: number, id: number, tx: number, body: string): Uint8Array {
  const bytes = new Uint8Array(16 + body.length)
  const words = new DataView(bytes.buffer)
  ;[type, id, tx, body.length].forEach((word, i) => {
    words.setUint32(i * 4, word, true)
  })
  bytes.set(bytesOfString(body), 16)
  return bytes
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
