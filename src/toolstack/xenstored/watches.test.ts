/** Watches on all kinds of paths, as a list of them would tell. */
import { expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { byteString } from '#lib/utf8.ts'
import { Connection } from './connection.ts'
import { type Watch, Watches } from './watches.ts'

const NAMES = ['a', 'ab', 'abc', 'b', '@releaseDomain']
const SPECIAL = ['@releaseDomain', '@introduceDomain', '@a/b', '@a']

/** Of special events there is none below another. */
const isBelow = (path: string, top: string): boolean =>
  top === '/' || path === top || (top.startsWith('/') && path.startsWith(`${top}/`))

test.each([1, 2, 3])('who is told, and in which order, is what a list of watches says (seed %i)', (seed) => {
  const rng = createRng(seed)
  const watches = new Watches()
  const conns = [1, 2, 3].map((serial) => new Connection(serial, 0, true, undefined))
  let list: Watch[] = []
  const pathOf = (): string =>
    rng.below(8) === 0
      ? rng.pick(['/', ...SPECIAL])
      : Array.from({ length: 1 + rng.below(rng.below(6) === 0 ? 40 : 4) }, () => `/${rng.pick(NAMES)}`).join('')
  let told = 0
  for (let step = 0; step < 2000; step++) {
    const path = pathOf()
    const conn = rng.pick(conns)
    const chance = rng.below(10)
    if (chance < (step % 1000 < 500 ? 4 : 2)) {
      const token = `t${rng.below(3)}`
      const known = list.find((one) => one.conn === conn && one.node === path && one.token === token)
      expect(watches.find(conn, path, token)).toBe(known)
      if (!known) list.push(watches.add(conn, path, token, 0))
    } else if (chance < 5 && list.length > 0) {
      const gone = rng.pick(list)
      watches.remove(gone)
      list = list.filter((one) => one !== gone)
      expect(watches.find(gone.conn, gone.node, gone.token)).toBe(undefined)
    } else if (rng.below(300) === 0) {
      watches.removeAll(conn)
      list = list.filter((one) => one.conn !== conn)
    } else {
      const recurse = rng.below(3) === 0 && path.startsWith('/')
      watches.fire(path, recurse)
      const wanted = list.filter(
        ({ node }) => isBelow(path, node) || (recurse && path !== '/' && node.startsWith('/') && isBelow(node, path)),
      )
      for (const each of conns) {
        const heard = [...each.out].map(({ bytes }) => byteString(bytes.subarray(16)))
        const due = wanted
          .filter((one) => one.conn === each)
          .map(({ node, token }) => `${isBelow(path, node) ? path : node}\0${token}\0`)
        expect(heard).toEqual(due)
        told += heard.length
        each.reset()
      }
    }
    expect(conns.flatMap((each) => each.watches).length).toBe(list.length)
  }
  expect(told).toBeGreaterThan(300)
})

test('watches of a thousand names each take a place each', () => {
  const watches = new Watches()
  const conn = new Connection(1, 1, true, undefined)
  const deep = '/a'.repeat(1500)
  let maps = 0
  const { Map: RealMap } = globalThis
  globalThis.Map = class<K, V> extends RealMap<K, V> {
    constructor(entries?: Iterable<readonly [K, V]>) {
      super(entries ?? [])
      maps++
    }
  } as MapConstructor
  try {
    for (let i = 0; i < 100; i++) watches.add(conn, `/n${i % 10}${deep}/z${i}`, 't', 0)
  } finally {
    globalThis.Map = RealMap
  }
  // And one where those part that begin alike.
  expect(maps).toBe(110)
  watches.fire(`/n7${deep}`, true)
  expect(conn.out.length).toBe(10)
})
