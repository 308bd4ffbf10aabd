import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { memOf } from '../../mem.ts'
import { BackRing, FrontRing, ringSize } from './ring.ts'

const REQ_PROD = 0
const RSP_PROD = 8

function pair(entryBytes = 112) {
  const mem = memOf(new Uint8Array(4096).fill(0xaa))
  const front = new FrontRing(mem, 0, entryBytes)
  return { mem, front, back: new BackRing(mem, 0, entryBytes) }
}
const send = (front: FrontRing, count: number): boolean => {
  for (let i = 0; i < count; i++) front.request()
  return front.push()
}
const serve = (back: BackRing, count: number): boolean => {
  for (let i = 0; i < count; i++) {
    if (back.request() === undefined) throw new Error('no request')
    back.response()
  }
  return back.push()
}

test.each([
  [112, 32],
  [108, 32],
  [12, 256],
  [8, 256],
  [2016, 2],
  [4032, 1],
])('entries of %i bytes: %i', (bytes, size) => {
  expect(ringSize(bytes)).toBe(size)
})

describe('two ends', () => {
  test('begin empty, wanting to be told of the first', () => {
    const { mem, front, back } = pair()
    expect([0, 4, 8, 12].map((at) => mem.read32(at))).toEqual([0, 1, 0, 1])
    expect([front.free, front.response(), back.request(), front.broken, back.broken]).toEqual([
      32,
      undefined,
      undefined,
      false,
      false,
    ])
  })

  test('one event for what comes while the other is at work', () => {
    const { front, back } = pair()
    expect(send(front, 1)).toBe(true)
    expect(send(front, 2)).toBe(false)
    expect(serve(back, 3)).toBe(true)
    expect(back.finalCheck()).toBe(false)
    expect(send(front, 1)).toBe(true)
    expect(back.finalCheck()).toBe(true)
  })

  test('the last look finds what came just before', () => {
    const { front, back } = pair()
    send(front, 1)
    serve(back, 1)
    front.response()
    expect(front.finalCheck()).toBe(false)
    send(front, 2)
    expect(serve(back, 1)).toBe(true)
    expect(front.finalCheck()).toBe(true)
    front.response()
    expect(front.finalCheck()).toBe(false)
    expect(serve(back, 1)).toBe(true)
  })

  test('indexes run over, and entries keep their order', () => {
    const { mem, front, back } = pair(8)
    const rng = createRng(3).fork('ring')
    let sent = 0
    let seen = 0
    let answered = 0
    for (let step = 0; step < 400; step++) {
      for (let n = rng.below(front.free + 1); n > 0; n--) mem.write32(front.request(), sent++)
      front.push()
      for (let n = rng.below(300); n > 0; n--) {
        const at = back.request()
        if (at === undefined) break
        if (mem.read32(at) !== seen) throw new Error('out of order')
        mem.write32(back.response(), seen++ ^ 0xffff)
      }
      back.push()
      for (let at = front.response(); at !== undefined; at = front.response())
        if (mem.read32(at) !== (answered++ ^ 0xffff)) throw new Error('out of order')
    }
    expect(sent).toBeGreaterThan(10_000)
    expect([front.broken, back.broken, front.free]).toEqual([false, false, 256 - (sent - answered)])
  })
})

describe('an end that lies', () => {
  test.each([33, 64, 0x7fffffff, 0x80000000, 0xffffffff])('requests up to %i: none is believed', (prod) => {
    const { mem, back } = pair()
    mem.write32(REQ_PROD, prod)
    expect(back.broken).toBe(true)
    expect(back.request()).toBeUndefined()
  })

  test('as many as there are places: fine; one more before an answer: broken', () => {
    const { mem, front, back } = pair()
    send(front, 32)
    expect(back.broken).toBe(false)
    for (let i = 0; i < 32; i++) expect(back.request()).toBeDefined()
    mem.write32(REQ_PROD, 33)
    expect([back.broken, back.request()]).toEqual([true, undefined])
    back.response()
    back.push()
    expect(back.request()).toBeDefined()
  })

  test('an index that goes back', () => {
    const { mem, front, back } = pair()
    send(front, 5)
    serve(back, 5)
    mem.write32(REQ_PROD, 3)
    expect([back.broken, back.request()]).toEqual([true, undefined])
  })

  test.each([2, 33, 0xffffffff])('responses up to %i, to one request', (prod) => {
    const { mem, front } = pair()
    send(front, 1)
    mem.write32(RSP_PROD, prod)
    expect([front.broken, front.response()]).toEqual([true, undefined])
  })

  test('events anywhere: a notice too many or too few, nothing worse', () => {
    const { mem, front, back } = pair()
    mem.write32(4, 0xdeadbeef)
    mem.write32(12, 0x12345678)
    send(front, 3)
    serve(back, 3)
    expect(front.response()).toBeDefined()
  })
})
