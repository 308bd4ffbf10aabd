import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { xencons_interface } from '#abi/xen/io/console.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { LIMIT_MAX, Output } from './output.ts'
import { inputRoom, putInput, takeOutput } from './ring.ts'

const RING = 0x10000

/** Runs `call` over one mapped page; brk counts. */
function run<T>(call: Sys<T>, page: Uint8Array = new Uint8Array(4096), heap = { bytes: 0 }): T {
  let step = call.next()
  while (!step.done) {
    const [nr, first, second] = step.value as readonly [number, number, Uint8Array | number]
    let result: unknown
    if (nr === SYSCALL_NR.load) result = page.slice(first - RING, first - RING + (second as number))
    else if (nr === SYSCALL_NR.store) page.set(second as Uint8Array, first - RING)
    else if (nr === SYSCALL_NR.brk) {
      if (first > 0) heap.bytes = first
      result = heap.bytes
    } else throw new Error(`call ${nr}`)
    step = call.next(result)
  }
  return step.value
}

function ringWith(indexes: { in_cons?: number; in_prod?: number; out_cons?: number; out_prod?: number }): Uint8Array {
  const page = new Uint8Array(4096)
  for (let i = 0; i < 2048; i++) page[1024 + i] = 65 + (i % 26)
  xencons_interface.write(memOf(page), 0, indexes)
  return page
}

describe('the ring', () => {
  test.each<[string, number, number, number]>([
    ['nothing', 5, 5, 0],
    ['three bytes', 0, 3, 3],
    ['all of it', 0, 2048, 2048],
    ['across its end', 2047, 2050, 3],
    ['across 2^32', 0xffffffff, 2, 3],
    ['hostile: more than it holds', 0, 2049, 0],
    ['hostile: backwards', 10, 9, 0],
    ['hostile: far away', 0x80000000, 0, 0],
  ])('output: %s', (_name, out_cons, out_prod, length) => {
    const page = ringWith({ out_cons, out_prod })
    const bytes = run(takeOutput(RING), page)
    expect(bytes.length).toBe(length)
    for (let i = 0; i < length; i++) expect(bytes[i]).toBe(65 + (((out_cons + i) % 2048) % 26))
    expect(xencons_interface.fields.out_cons.get(memOf(page), 0)).toBe(length > 0 ? out_prod : out_cons)
  })

  test.each<[number, number, number]>([
    [0, 0, 1024],
    [0, 1000, 24],
    [0xfffffff0, 0x10, 992],
    [0, 1024, 0],
    [0, 1025, 0],
    [1, 0, 0],
  ])('room for input with consumer %i and producer %i: %i', (in_cons, in_prod, room) => {
    expect(run(inputRoom(RING), ringWith({ in_cons, in_prod }))).toBe(room)
  })

  test('input goes around its end', () => {
    const page = ringWith({ in_cons: 1022, in_prod: 1022 })
    run(putInput(RING, bytesOfString('abcd')), page)
    expect(byteString(page.slice(1022, 1024)) + byteString(page.slice(0, 2))).toBe('abcd')
    expect(xencons_interface.fields.in_prod.get(memOf(page), 0)).toBe(1026)
  })
})

describe('output that nobody reads', () => {
  const all = (output: Output): string => byteString(output.next(LIMIT_MAX))

  test('is kept, and goes in pieces', () => {
    const output = new Output()
    run(output.append(bytesOfString('hello '), true))
    run(output.append(bytesOfString('world'), true))
    expect(byteString(output.next(3))).toBe('hel')
    run(output.advance(3))
    expect(all(output)).toBe('lo world')
    run(output.advance(8))
    expect(output.empty).toBe(true)
  })

  test('loses its middle: the oldest and the newest stay', () => {
    const output = new Output()
    output.limit = 10
    run(output.append(bytesOfString('0123456789'), true))
    run(output.append(bytesOfString('abc'), true))
    expect(all(output)).toBe('0123456abc')
    run(output.append(bytesOfString('d'), true))
    expect(all(output)).toBe('0123456abd')
  })

  test('is never lost with keep', () => {
    const output = new Output()
    output.limit = 10
    run(output.append(bytesOfString('0123456789abc'), false))
    expect(all(output)).toBe('0123456789abc')
    expect(output.full).toBe(true)
  })

  test('survives a limit that the domain has made tiny', () => {
    const output = new Output()
    output.limit = 2
    run(output.append(bytesOfString('abcdefgh'), true))
    expect(all(output)).toBe('gh')
    run(output.advance(1))
    run(output.append(bytesOfString('ij'), true))
    expect(output.next(100).length).toBeLessThanOrEqual(2)
  })

  test('is charged to the daemon, and given back', () => {
    const heap = { bytes: 1000 }
    const output = new Output()
    output.limit = 4096
    for (let i = 0; i < 100; i++) run(output.append(new Uint8Array(2048), true), undefined, heap)
    expect(heap.bytes).toBeGreaterThan(4096)
    expect(heap.bytes).toBeLessThan(40_000)
    run(output.advance(4096), undefined, heap)
    expect(heap.bytes).toBe(1000)
  })
})
