/** What has been kept makes the same store again, wherever its daemon ended; what is damaged is told from what is whole. */
import { expect, test } from 'vitest'
import type { Sys } from '#abi/posix/syscalls.ts'
import { createRng } from '#lib/prng.ts'
import { bytesOfString } from '#lib/utf8.ts'
import type { Connection } from './connection.ts'
import { Damaged, Restorer, unsentOf } from './restorer.ts'
import { connectionsRecords, record, treeRecords } from './state.ts'
import { frameOf, framesOf } from './state-file.ts'
import { Store } from './store.ts'

const TYPES = {
  watch: 4,
  unwatch: 5,
  start: 6,
  end: 7,
  introduce: 8,
  release: 9,
  write: 11,
  mkdir: 12,
  rm: 13,
  perms: 14,
  target: 19,
}
const DOMAINS = [1, 2, 3]

/** Everything that another daemon has to know. */
const facts = (store: Store): string =>
  JSON.stringify([
    [...treeRecords(store.tree)],
    store.domains.map((domain) => [
      domain.domid,
      domain.mfn,
      domain.remotePort,
      domain.shutdown,
      domain.entries,
      domain.watches,
    ]),
    store.domains.map((domain) => {
      const conn = store.connectionOf(domain)!
      const watches = conn.watches.map(({ node, token, hidden }) => [node, token, hidden])
      return [conn.serial, conn.target, watches, [...conn.transactions.keys()], conn.lastTransactionId]
    }),
  ])

function restored(text: string): Store {
  const store = new Store()
  store.clear()
  const restorer = new Restorer(store)
  for (let at = 0; at < text.length; ) at = restorer.apply(text, at)
  return store
}

function run<T>(sys: Sys<T>): T {
  const step = sys.next()
  if (!step.done) throw new Error('a system call')
  return step.value
}

test.each([1, 2, 3, 4])(
  'any life of a store is what its records say, from its beginning or from the midst of it (seed %i)',
  (seed) => {
    const rng = createRng(seed)
    let text = ''
    const store = new Store({ merges: seed % 2 === 0, keep: (line) => (text += line) })
    text = [...treeRecords(store.tree)].join('')
    const socket = store.connect(true)
    store.addDomain(0, -1, 0)
    const ask = (conn: Connection, type: number, payload: string, txId = 0): void => {
      const errand = store.handle(conn, { type, reqId: 0, txId, payload })
      if (errand) store.finish(errand, 0)
      for (const each of store.connections) each.reset()
    }
    for (let i = 0; i < 3000; i++) {
      const conns = [socket, ...store.domains.map((domain) => store.connectionOf(domain)!)]
      const conn = rng.pick(conns)
      const domid = rng.pick(DOMAINS)
      const path = `/${['a', 'b', 'local/domain/1', 'local/domain/2'][rng.below(4)]}${['', '/x', '/x/y'][rng.below(3)]}`
      const txId = rng.below(3) === 0 ? (rng.pick([0, ...conn.transactions.keys()]) ?? 0) : 0
      const value = String.fromCharCode(...rng.bytes(rng.below(6)))
      const requests: [number, string][] = [
        [TYPES.write, `${path}\0${value}`],
        [TYPES.mkdir, `${path}\0`],
        [TYPES.rm, `${path}\0`],
        [TYPES.perms, `${path}\0b${rng.below(3)}\0r${domid}\0`],
        [TYPES.watch, `${path}\0t${rng.below(3)}\0`],
        [TYPES.unwatch, `${path}\0t${rng.below(3)}\0`],
        [TYPES.start, '\0'],
        [TYPES.end, rng.below(3) ? 'T\0' : 'F\0'],
        [TYPES.introduce, `${domid}\0${domid + 7}\0${1 + rng.below(9)}\0`],
        [TYPES.target, `${domid}\0${rng.pick(DOMAINS)}\0`],
      ]
      if (rng.below(40) === 0) requests.push([TYPES.release, `${domid}\0`])
      const [type, payload] = rng.pick(requests)
      ask(conn, type, payload, txId)
      // Without a break, or hardly any would end well.
      if (rng.below(20) === 0) {
        ask(conn, TYPES.start, '\0')
        const id = conn.lastTransactionId
        for (let left = conn.transactions.has(id) ? 4 : 0; left > 0; left--) {
          const [change, what] = rng.pick(requests.slice(0, 4))
          ask(conn, change, what, id)
          if (rng.below(3) === 0) ask(conn, TYPES.rm, `${path}\0`, id)
        }
        ask(conn, TYPES.end, 'T\0', id)
      }
      if (rng.below(100) === 0) {
        store.keepDomains()
        expect(facts(restored(text))).toBe(facts(store))
        // As after the file has been written anew.
        if (rng.below(2)) text = [...treeRecords(store.tree)].join('') + connectionsRecords(store, false)
      }
    }
    expect(store.generation).toBeGreaterThan(200)
  },
)

test('transactions that were open end by EAGAIN, whatever the rule', () => {
  for (const merges of [false, true]) {
    const store = new Store({ merges })
    const conn = store.addDomain(0, -1, 0)
    store.lostTransaction(conn, 7)
    store.handle(conn, { type: TYPES.end, reqId: 0, txId: 7, payload: 'T\0' })
    expect(String.fromCharCode(...conn.out.at(0)!.bytes.subarray(16))).toBe('EAGAIN\0')
    expect(conn.transactions.size).toBe(0)
  }
})

test('frames: the last may be cut short, nothing else may be', () => {
  const frames = ['xenstored state 1\none', 'two', '\0\xff three'].map(frameOf)
  const all = Uint8Array.from(frames.flatMap((frame) => [...frame]))
  expect(run(framesOf(all))).toEqual(['one', 'two', '\0\xff three'])
  const two = frames[0]!.length + frames[1]!.length
  for (let length = two; length < all.length; length++)
    expect(run(framesOf(all.subarray(0, length)))).toEqual(['one', 'two'])
  for (let at = 0; at < two; at++) {
    const spoiled = all.slice()
    spoiled[at]! ^= 1 + (at % 255)
    let got: unknown
    try {
      got = run(framesOf(spoiled))
    } catch (error) {
      got = error
    }
    // A length that reaches past the end looks like a frame that is cut short.
    if (!(got instanceof Damaged)) expect([[], ['one']]).toContainEqual(got)
  }
})

test('no record of any kind does more than be refused', () => {
  const rng = createRng(5)
  const good = record('d1\x000\0-1\x000\x000\x000\0\x000') + record('n/a\0n0\0v') + record('w1\x000\0/a\0t')
  for (let i = 0; i < 3000; i++) {
    const bytes = bytesOfString(good)
    for (let spoiled = 1 + rng.below(4); spoiled > 0; spoiled--) bytes[rng.below(bytes.length)] = rng.below(256)
    try {
      expect(restored(String.fromCharCode(...bytes)).tree.check()).toEqual([])
    } catch (error) {
      if (!(error instanceof Damaged)) throw error
    }
  }
})

test('of kept answers those are sent again that are not in the ring, around the end of 32 bits too', () => {
  const ring = {
    cons: 0,
    input: '',
    port: undefined,
    output: [
      [0xfffffffe, 'abcd'],
      [2, 'ef'],
    ] as [number, string][],
  }
  const left = (prod: number): string => String.fromCharCode(...unsentOf(ring, prod))
  expect([0xfffffffe, 0, 1, 2, 3, 4].map(left)).toEqual(['abcdef', 'cdef', 'def', 'ef', 'f', ''])
})

test('domains whose changes make a transaction of dom0’s fail wait until it gets through', () => {
  const store = new Store()
  const dom0 = store.connect(true)
  const guest = store.addDomain(1, 9, 9)
  const ask = (conn: Connection, type: number, payload: string, txId = 0): void =>
    void store.handle(conn, { type, reqId: 0, txId, payload })
  ask(dom0, TYPES.perms, '/tool\0b0\0')
  for (const [id, hindering] of [
    [1, 1],
    [2, 0],
  ] as const) {
    ask(dom0, TYPES.start, '\0')
    if (id === 1) ask(guest, TYPES.write, '/tool/x\0')
    ask(dom0, TYPES.end, 'T\0', id)
    expect(store.hindering.size).toBe(hindering)
  }
})
