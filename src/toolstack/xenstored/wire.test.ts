/** What clients may send: bytes in any portions, nonsense, floods; and rings whose other side lies. */
import { expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { xenstore_domain_interface as ring, XENSTORE_RING_SIZE } from '#abi/xen/io/xs_wire.ts'
import { createRng } from '#lib/prng.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { Connection } from './connection.ts'
import { RingTransport } from './ring-transport.ts'
import { OUTPUT_BYTES_MAX, Store } from './store.ts'
import { Tree } from './tree.ts'

/** A message as bytes. */
function message(type: number, payload: string, length = payload.length): Uint8Array {
  const bytes = new Uint8Array(16 + payload.length)
  new DataView(bytes.buffer).setUint32(0, type, true)
  new DataView(bytes.buffer).setUint32(12, length, true)
  bytes.set(bytesOfString(payload), 16)
  return bytes
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

test('messages come in any portions', () => {
  const all = joined(message(2, '/a\0'), message(0, ''), message(11, `/b\0${'v'.repeat(4000)}`), message(2, '/c\0'))
  for (const portion of [1, 2, 15, 16, 17, 1000, 9000]) {
    const conn = new Connection(1, 0, true, undefined)
    const got: string[] = []
    for (let at = 0; at < all.length; at += portion) {
      conn.feed(all.subarray(at, at + portion))
      for (let next = conn.next(); next && next !== 'bad'; next = conn.next())
        got.push(`${next.type} ${next.payload.length}`)
    }
    expect(got).toEqual(['2 3', '0 0', '11 4003', '2 3'])
    expect(conn.hasInput).toBe(false)
  }
})

test.each([
  ['the longest payload', 4096, undefined],
  ['one byte more', 4097, 'bad'],
  ['a negative length', 0xffffffff, 'bad'],
])('%s', (_title, length, wanted) => {
  const conn = new Connection(1, 0, true, undefined)
  conn.feed(message(2, '', length))
  expect(conn.next()).toBe(wanted)
})

test('bytes of no sense are answered by errors, or cost the connection', () => {
  const rng = createRng(7)
  for (let round = 0; round < 300; round++) {
    const store = new Store()
    store.addDomain(2, 9, 9)
    const conn = rng.below(2) ? store.connect(true) : store.addDomain(1, 8, 8)
    const requests: Uint8Array[] = []
    for (let i = 0; i < 20; i++) {
      const words = ['/', '/tool', '@releaseDomain', 'x', '1', 'T', 'n0', '\0', '\0', '\0', byteString(rng.bytes(3))]
      let payload = ''
      for (let k = rng.below(6); k >= 0; k--) payload += rng.pick(words)
      requests.push(message(rng.below(22), payload, rng.below(30) ? payload.length : rng.u32()))
    }
    conn.feed(joined(...requests))
    let asked = 0
    for (let next = conn.next(); next && next !== 'bad'; next = conn.next()) {
      const errand = store.handle(conn, next)
      if (errand) store.finish(errand, rng.below(2) ? 0 : 3)
      asked++
    }
    expect([...conn.out].filter(({ type }) => type !== 15).length).toBe(conn.closed ? 0 : asked)
    expect(store.tree.check()).toEqual([])
    expect(store.tree.get('/')).toBeDefined()
  }
})

test('who does not listen loses its connection, and nobody else', () => {
  const store = new Store()
  const writer = store.connect(true)
  const deaf = store.addDomain(1, 8, 8)
  const heard = store.connect(true)
  const ask = (conn: Connection, type: number, payload: string): void =>
    void store.handle(conn, { type, reqId: 0, txId: 0, payload })
  for (let i = 0; i < 40; i++) ask(deaf, 4, `/\0${i}${'t'.repeat(3000)}\0`)
  let writes = 0
  for (; !deaf.closed && writes < 10_000; writes++) {
    ask(writer, 11, '/a\0v')
    for (const conn of [writer, heard]) while (conn.out.length > 0) conn.sent()
  }
  expect(writes).toBeLessThan(OUTPUT_BYTES_MAX / 3000 / 30)
  expect(store.connections.size).toBe(2)
  expect(store.ended).toEqual([deaf])
  expect(deaf.watches).toEqual([])
  ask(writer, 2, '/a\0')
  expect(writer.out.length).toBe(1)
})

test('nor may many small events wait for anybody', () => {
  const store = new Store()
  const writer = store.connect(true)
  const deaf = store.addDomain(1, 8, 8)
  store.handle(deaf, { type: 4, reqId: 0, txId: 0, payload: '/\0t\0' })
  let most = 0
  for (let i = 0; !deaf.closed && i < 100_000; i++) {
    most = deaf.out.length
    store.handle(writer, { type: 11, reqId: 0, txId: 0, payload: '/a\0' })
    writer.sent()
  }
  expect(deaf.closed).toBe(true)
  expect(most).toBeLessThan(OUTPUT_BYTES_MAX / 128)
})

test('what waits is sent in its order, however much has gone', () => {
  const rng = createRng(9)
  const conn = new Connection(1, 0, true, undefined)
  const waiting: number[] = []
  let next = 0
  for (let i = 0; i < 6000; i++) {
    const grows = i % 2000 < 1000 ? 7 : 3
    if (rng.below(10) < grows) {
      conn.send(2, next, 0, '')
      waiting.push(next++)
    } else if (rng.below(50) === 0) {
      conn.takeBack()
      waiting.pop()
    } else {
      expect(conn.out.at(0)?.bytes[4]).toBe(waiting[0] === undefined ? undefined : waiting[0] & 0xff)
      conn.sent()
      waiting.shift()
    }
    expect(conn.out.length).toBe(waiting.length)
    expect(conn.outBytes).toBe(16 * waiting.length)
  }
  expect([...conn.out].map(({ bytes }) => new DataView(bytes.buffer).getUint32(4, true))).toEqual(waiting)
  expect(conn.out.at(-1)).toBe([...conn.out].at(-1))
})

test('a path of a thousand names costs a look, not a thousand', () => {
  let kept = ''
  const store = new Store({ keep: (line) => (kept += line), access: () => {}, merges: true })
  const conn = store.connect(true)
  const ask = (type: number, payload: string, txId = 0): void =>
    void store.handle(conn, { type, reqId: 0, txId, payload })
  const { get, nearest } = Tree.prototype
  let looks = 0
  Tree.prototype.get = function (path) {
    looks++
    return get.call(this, path)
  }
  Tree.prototype.nearest = function (path) {
    looks++
    return nearest.call(this, path)
  }
  try {
    ask(12, `${'/a'.repeat(1000)}\0`)
    ask(2, `${'/a'.repeat(500)}${'/b'.repeat(500)}\0`)
    ask(6, '\0')
    ask(2, `${'/a'.repeat(500)}${'/b'.repeat(500)}\0`, 1)
  } finally {
    Object.assign(Tree.prototype, { get, nearest })
  }
  expect(get.call(store.tree, '/a'.repeat(1000))).toBeDefined()
  expect(kept.split('\0n0\0').length).toBe(1001)
  expect(looks).toBeLessThan(15)
})

test("a dead domain's connection ends, a shut down one's does not; each is told once", () => {
  const store = new Store()
  const watcher = store.connect(true)
  store.handle(watcher, { type: 4, reqId: 0, txId: 0, payload: '@releaseDomain\0t\0' })
  store.addDomain(0, -1, 0)
  for (const domid of [1, 2, 3]) store.addDomain(domid, domid, domid)
  const scan = (states: Readonly<Record<number, string>>): number => {
    while (watcher.out.length > 0) watcher.sent()
    store.scanDomains((domid) => {
      const state = domid === 0 ? 'running' : states[domid]
      return state === undefined ? undefined : { shutdown: state === 'shutdown', dying: state === 'dying' }
    })
    return watcher.out.length
  }
  const alive = (): number[] => store.domains.map(({ domid }) => domid).sort()
  expect(scan({ 1: 'running', 2: 'running', 3: 'running' })).toBe(0)
  expect(scan({ 1: 'shutdown', 2: 'shutdown', 3: 'running' })).toBe(1)
  expect(scan({ 1: 'shutdown', 2: 'shutdown', 3: 'running' })).toBe(0)
  expect(alive()).toEqual([0, 1, 2, 3])
  expect(scan({ 1: 'dying', 2: 'shutdown', 3: 'running' })).toBe(1)
  expect(alive()).toEqual([0, 2, 3])
  expect(scan({ 2: 'shutdown' })).toBe(1)
  expect(alive()).toEqual([0, 2])
  store.handle(watcher, { type: 18, reqId: 0, txId: 0, payload: '2\0' })
  expect(scan({ 2: 'shutdown' })).toBe(1)
})

/** The page, and whoever runs a transport's system calls on it. */
class Page {
  readonly bytes = new Uint8Array(4096)
  readonly mem = memOf(this.bytes)
  notified = 0
  readonly transport: RingTransport

  constructor() {
    const count = (): void => void this.notified++
    function* notify(): Sys<void> {
      count()
    }
    this.transport = new RingTransport({ page: 0x1000, port: 5, notify, close: notify })
  }

  run<T>(sys: Sys<T>): T {
    for (let next = sys.next(); ; ) {
      if (next.done) return next.value
      if (!next.value) throw new Error('a yield of nothing')
      const [nr, address, arg, then, more] = next.value as [number, number, number | Uint8Array, number, Uint8Array]
      if (nr === SYSCALL_NR.load)
        next = sys.next(this.bytes.slice(address - 0x1000, address - 0x1000 + (arg as number)))
      else {
        this.bytes.set(arg as Uint8Array, address - 0x1000)
        if (nr === SYSCALL_NR.store2) this.bytes.set(more, then - 0x1000)
        next = sys.next(0)
      }
    }
  }

  get(field: 'req_cons' | 'req_prod' | 'rsp_cons' | 'rsp_prod'): number {
    return ring.fields[field].get(this.mem, 0)
  }

  set(field: 'req_cons' | 'req_prod' | 'rsp_cons' | 'rsp_prod', value: number): void {
    ring.fields[field].set(this.mem, 0, value >>> 0)
  }

  /** As a guest: put bytes into the request ring. */
  ask(bytes: Uint8Array): void {
    const prod = this.get('req_prod')
    for (let i = 0; i < bytes.length; i++) this.bytes[(prod + i) % XENSTORE_RING_SIZE] = bytes[i]!
    this.set('req_prod', prod + bytes.length)
  }

  /** As a guest: take what has been answered. */
  hear(): Uint8Array {
    const cons = this.get('rsp_cons')
    const length = (this.get('rsp_prod') - cons) >>> 0
    this.set('rsp_cons', cons + length)
    return Uint8Array.from({ length }, (_, i) => this.bytes[1024 + ((cons + i) % XENSTORE_RING_SIZE)]!)
  }
}

test.each([0, 1000, 0xffffff00])('a ring carries bytes around its end and past 2^32 (from %i)', (start) => {
  const page = new Page()
  const { transport } = page
  for (const field of ['req_cons', 'req_prod', 'rsp_cons', 'rsp_prod'] as const) page.set(field, start)
  const conn = new Connection(1, 1, true, undefined)
  const rng = createRng(3)
  const sent: number[] = []
  const heard: number[] = []
  for (let i = 0; i < 100; i++) {
    const request = rng.bytes(rng.below(1024))
    page.ask(request)
    const got = page.run(transport.receive())
    expect(got ?? new Uint8Array(0)).toEqual(request)
    const payload = byteString(rng.bytes(rng.below(3000)))
    conn.send(2, i, 0, payload)
    sent.push(...conn.out.at(-1)!.bytes)
    do {
      expect(page.run(transport.flush(conn, () => {}))).toBe(true)
      heard.push(...page.hear())
    } while (transport.blocked)
  }
  expect(heard).toEqual(sent)
  page.run(transport.notify())
  page.run(transport.notify())
  expect(page.notified).toBe(1)
})

test('half a message is taken, and what comes behind it while nobody notifies is seen', () => {
  const page = new Page()
  const { transport } = page
  const conn = new Connection(1, 1, true, undefined)
  const whole = message(2, '/a\0')
  const round = (): void => {
    const bytes = page.run(transport.receive())
    if (bytes instanceof Uint8Array) conn.feed(bytes)
    // Before the index moves: nobody notifies of that.
    page.ask(whole.subarray(16))
    while (conn.next());
    page.run(transport.flush(conn, () => {}))
  }
  page.ask(whole.subarray(0, 16))
  round()
  expect([page.get('req_cons'), transport.more]).toEqual([16, true])
  conn.feed(page.run(transport.receive()) as Uint8Array)
  expect(conn.next()).toMatchObject({ payload: '/a\0' })
  page.run(transport.flush(conn, () => {}))
  expect([page.get('req_cons'), transport.more]).toEqual([19, false])
})

test('room that was made since is filled before anything waits for more', () => {
  const page = new Page()
  const { transport } = page
  const conn = new Connection(1, 1, true, undefined)
  conn.send(2, 0, 0, 'v'.repeat(1000))
  page.run(transport.flush(conn, () => {}))
  page.run(transport.receive())
  page.hear()
  conn.send(2, 1, 0, 'w'.repeat(500))
  page.run(transport.flush(conn, () => {}))
  expect([transport.blocked, page.hear().length]).toEqual([false, 516])
})

test('a full ring takes no more until somebody reads', () => {
  const page = new Page()
  const conn = new Connection(1, 1, true, undefined)
  conn.send(2, 0, 0, 'v'.repeat(2000))
  for (let i = 0; i < 3; i++) {
    expect(page.run(page.transport.flush(conn, () => {}))).toBe(true)
    expect(page.transport.blocked).toBe(true)
    expect(page.get('rsp_prod')).toBe(1024)
  }
  expect(page.hear().length).toBe(1024)
  page.run(page.transport.flush(conn, () => {}))
  expect([page.transport.blocked, page.hear().length, conn.out.length]).toEqual([false, 992, 0])
})

test('of what waits for room only what is new goes into the state file', () => {
  const page = new Page()
  const { transport } = page
  const conn = new Connection(1, 1, true, undefined)
  const round = (): string => {
    const kept = page.run(transport.record(conn, true, false))
    page.run(transport.flush(conn, () => {}))
    page.run(transport.notify())
    return kept
  }
  conn.send(2, 0, 0, 'v'.repeat(2000))
  expect(round()).toMatch(/^2025 R1\0\d+\0\d+\x000\0[\s\S]{16}v{2000}$/)
  expect(round()).toBe('')
  conn.send(2, 0, 0, 'w')
  expect(round()).toMatch(/^\d+ R1\0\d+\x002016\x000\0[\s\S]{16}w$/)
  page.hear()
  expect(round()).toBe('')
  page.hear()
  page.ask(message(2, '/a\0'))
  conn.feed(page.run(transport.receive()) as Uint8Array)
  conn.next()
  expect(round()).toMatch(/^\d+ R1\x0019\x002033\x000\0$/)
})

test.each([
  ['req_prod', 1025],
  ['req_prod', 0x80000000],
  ['req_cons', 1],
])('a request ring with %s = %i ends the connection', (field, value) => {
  const page = new Page()
  page.set(field as 'req_prod', value)
  expect(page.run(page.transport.receive())).toBe('gone')
})

test.each([
  ['rsp_prod', 1025],
  ['rsp_cons', 1],
])('a response ring with %s = %i ends the connection', (field, value) => {
  const page = new Page()
  const conn = new Connection(1, 1, true, undefined)
  conn.send(2, 0, 0, 'x')
  page.set(field as 'rsp_prod', value)
  const before = page.bytes.slice()
  expect(page.run(page.transport.flush(conn, () => {}))).toBe(false)
  expect(page.bytes).toEqual(before)
})

test('any page at all: bytes, an end, or nothing', () => {
  const rng = createRng(11)
  for (let i = 0; i < 500; i++) {
    const page = new Page()
    page.bytes.set(rng.bytes(64), 2048)
    if (rng.below(2)) page.set('req_prod', page.get('req_cons') + rng.below(1100))
    const got = page.run(page.transport.receive())
    const length = (page.get('req_prod') - page.get('req_cons')) >>> 0
    if (got === 'gone') expect(length).toBeGreaterThan(XENSTORE_RING_SIZE)
    else expect(length).toBe(got?.length ?? 0)
    if (got === 'gone') continue
    page.run(page.transport.flush(new Connection(1, 1, true, undefined), () => {}))
    expect(page.get('req_cons')).toBe(page.get('req_prod'))
  }
})
