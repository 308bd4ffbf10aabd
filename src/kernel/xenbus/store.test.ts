import { describe, expect, test } from 'vitest'
import { EAGAIN, EINVAL, EIO, ENOENT, ENOSYS } from '#abi/posix/errno.ts'
import {
  XENSTORE_RING_SIZE,
  XS_DIRECTORY,
  XS_ERROR,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_TRANSACTION_START,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
  xenstore_domain_interface,
} from '#abi/xen/io/xs_wire.ts'
import { bareDomU } from '#testing/domu-rig.ts'
import { message } from '#testing/tiny-xenstored.ts'
import type { Kernel } from '../kernel.ts'
import type { Sleeping } from '../sched/wait.ts'
import { xenbusInit } from './init.ts'
import type { XenbusProbe } from './probe.ts'

const rigOf = (keys: Readonly<Record<string, string>> = {}) => bareDomU(xenbusInit, keys)
const storeOf = (kernel: Kernel) => (kernel.xenbus as XenbusProbe).store

describe('requests', () => {
  test('of all kinds', () => {
    const rig = rigOf({ '/vm/1': 'x', name: 'prospero' })
    const said = rig.run(function* (kernel) {
      const store = storeOf(kernel)
      yield* store.write('data/a', 'one\n\xff\0two')
      yield* store.mkdir('data/b')
      const answers: unknown[] = [store.ready, yield* store.read('name'), yield* store.read('/vm/1')]
      answers.push(yield* store.read('data/a'), yield* store.directory('data'), yield* store.exists('data/b'))
      yield* store.rm('data/b')
      answers.push(yield* store.exists('data/b'), yield* store.directory('data/a'))
      return answers
    })
    expect(said).toEqual([true, 'prospero', 'x', 'one\n\xff\0two', ['a', 'b'], true, false, []])
  })

  test.each([
    ['nothing there', (kernel: Kernel) => storeOf(kernel).read('none'), ENOENT],
    ['too long', (kernel: Kernel) => storeOf(kernel).write('a', 'x'.repeat(4096)), EINVAL],
  ])('fail: %s', (_name, work: (kernel: Kernel) => Sleeping<unknown>, errno) => {
    const rig = rigOf()
    expect(() => rig.run(work)).toThrow(expect.objectContaining({ errno }))
  })

  test('longer than the ring go through it in pieces', () => {
    const rig = rigOf()
    const value = Array.from({ length: 4000 }, (_, i) => String.fromCharCode(i & 255)).join('')
    const back = rig.run(function* (kernel) {
      for (let i = 0; i < 20; i++) yield* storeOf(kernel).write(`big/${i}`, value)
      return yield* storeOf(kernel).read('big/19')
    })
    expect(back).toBe(value)
    expect(rig.store.get('big/0')).toBe(value)
  })

  test('of many tasks at once each get their own answer', () => {
    const rig = rigOf()
    for (let i = 0; i < 50; i++) rig.store.set(`many/${i}`, String(i).repeat(100))
    const answers = new Map<number, string>()
    rig.run(function* (kernel) {
      for (let i = 0; i < 50; i++)
        kernel.sched.kthread(`reader${i}`, function* () {
          answers.set(i, yield* storeOf(kernel).read(`many/${i}`))
        })
      while (answers.size < 50) yield* kernel.sched.yieldNow()
    })
    for (const [i, answer] of answers) expect(answer).toBe(String(i).repeat(100))
  })
})

describe('transactions', () => {
  test('a hundred, each refused once', () => {
    const rig = rigOf({ count: '0' })
    let tries = 0
    rig.run(function* (kernel) {
      const store = storeOf(kernel)
      for (let i = 0; i < 100; i++) {
        rig.store.refuseCommits = 1
        yield* store.transaction(function* (t) {
          tries++
          yield* store.write('count', String(Number(yield* store.read('count', t)) + 1), t)
        })
      }
    })
    expect([rig.store.get('count'), tries]).toEqual(['100', 200])
  })

  test('what is never let through is given up', () => {
    const rig = rigOf()
    rig.store.refuseCommits = 1e9
    expect(() => rig.run((kernel) => storeOf(kernel).transaction(function* () {}))).toThrow(
      expect.objectContaining({ errno: EAGAIN }),
    )
  })

  test('what throws inside is undone', () => {
    const rig = rigOf({ a: '1' })
    expect(() =>
      rig.run((kernel) =>
        storeOf(kernel).transaction(function* (t) {
          yield* storeOf(kernel).write('a', '2', t)
          yield* storeOf(kernel).read('missing', t)
        }),
      ),
    ).toThrow(expect.objectContaining({ errno: ENOENT }))
    expect(rig.store.get('a')).toBe('1')
    expect(rig.store.log.at(-1)).toBe('7 F')
  })
})

describe('watches', () => {
  test('two hundred, each its own', () => {
    const rig = rigOf()
    const seen = new Map<string, number>()
    const watches = rig.run(function* (kernel) {
      const all = []
      for (let i = 0; i < 200; i++)
        all.push(
          yield* storeOf(kernel).watch(`w/${i}`, function* (path) {
            seen.set(path, (seen.get(path) ?? 0) + 1)
            yield* storeOf(kernel).exists(path)
          }),
        )
      return all
    })
    rig.settle()
    expect(seen.size).toBe(200)
    rig.store.set('w/7/deep', 'x')
    rig.settle()
    expect([seen.get('w/7'), seen.get('w/7/deep'), seen.get('w/8')]).toEqual([1, 1, 1])
    rig.run(function* () {
      for (const watch of watches) yield* watch.cancel()
    })
    expect(rig.store.watches.filter(({ path }) => path.startsWith('w/'))).toEqual([])
    rig.store.set('w/7', 'y')
    rig.settle()
    expect(seen.get('w/7')).toBe(1)
  })

  test('a flood of one path is one event at a time', () => {
    const rig = rigOf()
    let events = 0
    rig.run((kernel) =>
      storeOf(kernel).watch('f', function* () {
        events++
        yield* kernel.sched.sleepFor(1e6)
      }),
    )
    rig.settle()
    for (let i = 0; i < 10_000; i++) rig.store.set('f', String(i))
    rig.settle()
    expect(events).toBeLessThan(2000)
    expect(rig.kernel.sched.tasks.some(({ comm }) => comm === 'xenwatch')).toBe(true)
  })
})

describe('a daemon that is not to be trusted', () => {
  const bytes = (...all: readonly Uint8Array[]) => Uint8Array.from(all.flatMap((part) => [...part]))
  test.each([
    ['another type', (id: number) => message(XS_WRITE, id, 0, 'OK\0'), EINVAL],
    ['an unknown error', (id: number) => message(XS_ERROR, id, 0, 'EWHAT\0'), EINVAL],
    ['an error without a name', (id: number) => message(XS_ERROR, id, 0, ''), EINVAL],
    ['an error of its own', (id: number) => message(XS_ERROR, id, 0, 'ENOSYS\0'), ENOSYS],
    [
      'somebody else’s answer first',
      (id: number) => bytes(message(XS_READ, id + 77, 0, 'no'), message(XS_READ, id, 0, 'yes')),
      0,
    ],
    ['two answers', (id: number) => bytes(message(XS_READ, id, 0, 'yes'), message(XS_READ, id, 0, 'no')), 0],
    [
      'an event for nobody',
      (id: number) => bytes(message(XS_WATCH_EVENT, 0, 0, 'a\0FFF\0'), message(XS_READ, id, 0, 'yes')),
      0,
    ],
    ['half an event', (id: number) => bytes(message(XS_WATCH_EVENT, 0, 0, 'a'), message(XS_READ, id, 0, 'yes')), 0],
    ['an empty event', (id: number) => bytes(message(XS_WATCH_EVENT, 0, 0, ''), message(XS_READ, id, 0, 'yes')), 0],
  ])('%s', (_name, lie, errno) => {
    const rig = rigOf({ a: 'yes' })
    rig.store.lies.set(XS_READ, lie)
    const work = () => rig.run((kernel) => storeOf(kernel).read('a'))
    if (errno === 0) expect(work()).toBe('yes')
    else expect(work).toThrow(expect.objectContaining({ errno }))
    rig.store.lies.clear()
    expect(rig.run((kernel) => storeOf(kernel).read('a'))).toBe('yes')
  })

  test.each(['', 'x', '-1\0', '0\0', '99999999999\0'])('transaction %j', (id) => {
    const rig = rigOf()
    rig.store.lies.set(XS_TRANSACTION_START, (request) => message(XS_TRANSACTION_START, request, 0, id))
    expect(() => rig.run((kernel) => storeOf(kernel).transaction(function* () {}))).toThrow(
      expect.objectContaining({ errno: EIO }),
    )
  })

  test.each([
    ['directory', XS_DIRECTORY, 'no nul at the end'],
    ['watch', XS_WATCH, ''],
    ['mkdir', XS_MKDIR, '\0\0\0'],
    ['rm', XS_RM, 'x'.repeat(4096)],
  ])('what it likes as the answer to %s', (_name, type, answer) => {
    const rig = rigOf({ x: '' })
    rig.store.lies.set(type, (id) => message(type, id, 0, answer))
    rig.run(function* (kernel) {
      const store = storeOf(kernel)
      if (type === XS_DIRECTORY) yield* store.directory('x')
      yield* store.mkdir('x')
      yield* store.rm('x')
      yield* store.watch('x', function* () {})
    })
    expect(rig.xen.shutdown).toBeUndefined()
  })

  const { rsp_prod, rsp_cons, req_cons } = xenstore_domain_interface.fields
  test.each([
    ['an answer of 1 GB', (rig: ReturnType<typeof rigOf>) => rig.store.raw(message(XS_READ, 1, 0, '').fill(0x3f, 12))],
    [
      'an index far away',
      (rig: ReturnType<typeof rigOf>) => rsp_prod.set(rig.xen.memory, rig.xen.store.at, 0x80000000),
    ],
    [
      'an index behind',
      (rig: ReturnType<typeof rigOf>) =>
        rsp_prod.set(rig.xen.memory, rig.xen.store.at, (rsp_cons.get(rig.xen.memory, rig.xen.store.at) - 1) >>> 0),
    ],
  ])('%s is said, and goes by', (_name, spoil) => {
    const rig = rigOf()
    spoil(rig)
    rig.xen.raise(rig.xen.store.port)
    rig.xen.kick()
    rig.settle()
    expect(rig.kernel.log.text()).toMatch(/XENBUS error -(5|22) while reading message\n/)
    expect(rig.xen.shutdown).toBeUndefined()
  })

  test('a spoilt request index fails the request alone', () => {
    const rig = rigOf({ a: 'yes' })
    const { memory, store } = rig.xen
    req_cons.set(memory, store.at, (req_cons.get(memory, store.at) - XENSTORE_RING_SIZE - 1) >>> 0)
    expect(() => rig.run((kernel) => storeOf(kernel).read('a'))).toThrow(expect.objectContaining({ errno: EIO }))
    expect(rig.run((kernel) => storeOf(kernel).read('a'))).toBe('yes')
  })
})
