import { describe, expect, test } from 'vitest'
import { EAGAIN, EINVAL } from '#abi/posix/errno.ts'
import { O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import {
  XS_DIRECTORY,
  XS_INTRODUCE,
  XS_READ,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WRITE,
} from '#abi/xen/io/xs_wire.ts'
import { byteString } from '#lib/utf8.ts'
import { bareDomU, procFile } from '#testing/domu-rig.ts'
import { message } from '#testing/tiny-xenstored.ts'
import type { Kernel } from '../kernel.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { File } from '../vfs/file.ts'
import { xenbusInit } from './init.ts'

function openRig(keys: Readonly<Record<string, string>> = {}, flags = O_RDWR) {
  const rig = bareDomU(xenbusInit, keys)
  const open = () => {
    const ops = procFile(rig, 'xen/xenbus').ops!()
    const file = { ops, flags } as unknown as File
    return {
      ops,
      write: (bytes: Uint8Array) => rig.run(() => ops.write!(file, bytes, 0)),
      read: (count = 4096) => rig.run(() => ops.read!(file, count, 0)),
      poll: () => ops.poll!(file),
      close: () => rig.run(() => ops.release!(file)),
      /** Request and answer: type and body. */
      ask(type: number, body: string, tx = 0): readonly [number, string] {
        rig.run(() => ops.write!(file, message(type, 77, tx, body), 0))
        return parse(rig.run(() => ops.read!(file, 4096, 0)))[0]!
      },
    }
  }
  return { rig, open }
}

/** Messages as [type, body]; each with the request's id or an event's 0. */
function parse(bytes: Uint8Array): (readonly [number, string])[] {
  const all: (readonly [number, string])[] = []
  for (let at = 0; at < bytes.length; ) {
    const words = new DataView(bytes.buffer, bytes.byteOffset + at)
    const length = words.getUint32(12, true)
    const type = words.getUint32(0, true)
    expect(words.getUint32(4, true)).toBe(type === 15 ? 0 : 77)
    all.push([type, byteString(bytes.subarray(at + 16, at + 16 + length))])
    at += 16 + length
  }
  return all
}

test('requests and answers, however they are cut', () => {
  const { open } = openRig({ name: 'x'.repeat(600) })
  const file = open()
  expect(file.poll()).toBe(0)
  for (const byte of message(XS_READ, 77, 0, 'name\0')) file.write(Uint8Array.of(byte))
  expect(file.poll()).toBe(1)
  let text = ''
  while (file.poll() !== 0) text += byteString(file.read(7))
  expect(text.slice(16)).toBe('x'.repeat(600))
  expect(file.ask(XS_WRITE, 'data/a\0value')).toEqual([XS_WRITE, 'OK\0'])
  expect(file.ask(XS_DIRECTORY, 'data\0')).toEqual([XS_DIRECTORY, 'a\0'])
  expect(file.ask(XS_READ, 'none\0')).toEqual([16, 'ENOENT\0'])
})

describe('transactions', () => {
  test('are who began them alone', () => {
    const { rig, open } = openRig({ a: '1' })
    const [one, two] = [open(), open()]
    const tx = Number.parseInt(one.ask(XS_TRANSACTION_START, '\0')[1], 10)
    expect(one.ask(XS_WRITE, 'a\x002', tx)).toEqual([XS_WRITE, 'OK\0'])
    expect(two.ask(XS_READ, 'a\0', tx)).toEqual([16, 'ENOENT\0'])
    expect(two.ask(XS_TRANSACTION_END, 'T\0', tx)).toEqual([16, 'ENOENT\0'])
    expect(rig.store.get('a')).toBe('1')
    expect(one.ask(XS_TRANSACTION_END, 'T\0', tx)).toEqual([XS_TRANSACTION_END, 'OK\0'])
    expect(one.ask(XS_TRANSACTION_END, 'T\0', tx)).toEqual([16, 'ENOENT\0'])
    expect(rig.store.get('a')).toBe('2')
  })

  test('end with EAGAIN too, and with the file', () => {
    const { rig, open } = openRig({ a: '1' })
    const file = open()
    const begin = () => Number.parseInt(file.ask(XS_TRANSACTION_START, '\0')[1], 10)
    let tx = begin()
    rig.store.refuseCommits = 1
    expect(file.ask(XS_TRANSACTION_END, 'T\0', tx)).toEqual([16, 'EAGAIN\0'])
    expect(file.ask(XS_READ, 'a\0', tx)).toEqual([16, 'ENOENT\0'])
    tx = begin()
    file.close()
    expect(rig.store.log.at(-1)).toBe(`${XS_TRANSACTION_END} F`)
  })
})

describe('watches', () => {
  test('tell each file its own, after the answer', () => {
    const { rig, open } = openRig({ a: '' })
    const [one, two] = [open(), open()]
    one.write(message(XS_WATCH, 77, 0, 'a\0mine\0'))
    two.write(message(XS_WATCH, 77, 0, 'a\0mine\0'))
    rig.settle()
    for (const file of [one, two])
      expect(parse(file.read())).toEqual([
        [XS_WATCH, 'OK\0'],
        [15, 'a\0mine\0'],
      ])
    expect(one.ask(XS_WATCH, 'a\0mine\0')).toEqual([16, 'EEXIST\0'])
    expect(one.ask(XS_UNWATCH, 'a\0other\0')).toEqual([16, 'ENOENT\0'])
    expect(one.ask(XS_UNWATCH, 'a\0mine\0')).toEqual([XS_UNWATCH, 'OK\0'])
    rig.store.set('a/b', 'x')
    rig.settle()
    expect([one.poll(), two.poll()]).toEqual([0, 1])
    expect(parse(two.read())).toEqual([[15, 'a/b\0mine\0']])
    two.close()
    expect(rig.store.watches.some(({ path }) => path === 'a')).toBe(false)
  })

  test('that nobody reads do not pile up for ever', () => {
    const { rig, open } = openRig({ a: '' })
    const file = open()
    file.write(message(XS_WATCH, 77, 0, `a\0${'t'.repeat(2000)}\0`))
    for (let i = 0; i < 800; i++) {
      rig.store.set(`a/${i}`, '')
      rig.settle()
    }
    let bytes = 0
    while (file.poll() !== 0) bytes += file.read(65536).length
    expect(bytes).toBeLessThan((1 << 20) + 4096)
  })
})

describe('refused', () => {
  test.each([
    ['an unknown type', message(99, 1, 0, '\0')],
    ['what is the daemon’s own business', message(XS_INTRODUCE, 1, 0, '5\x001\x0010\0')],
    ['a watch without a token', message(XS_WATCH, 1, 0, 'a\0')],
    ['a watch of nothing', message(XS_WATCH, 1, 0, '')],
    ['more than a page', new Uint8Array(5000)],
    ['more than a page by its header', message(XS_READ, 1, 0, 'a'.repeat(4000)).fill(0xff, 12, 16), true],
  ])('%s', (_name, bytes, rest = false) => {
    const { open } = openRig()
    const file = open()
    expect(() => {
      file.write(bytes)
      if (rest) file.write(new Uint8Array(100))
    }).toThrow(expect.objectContaining({ errno: EINVAL }))
    // And the next is heard.
    expect(file.ask(XS_DIRECTORY, '/local\0')).toEqual([XS_DIRECTORY, 'domain\0'])
  })

  test('a read of nothing does not wait with O_NONBLOCK', () => {
    const file = openRig({}, O_RDWR | O_NONBLOCK).open()
    expect(() => file.read()).toThrow(expect.objectContaining({ errno: EAGAIN }))
  })

  test('a read waits for what comes', () => {
    const { rig, open } = openRig({ a: '' })
    const file = open()
    file.write(message(XS_WATCH, 77, 0, 'a\0t\0'))
    rig.settle()
    file.read()
    let got = 0
    rig.kernel.sched.kthread('reader', function* (): Sleeping<void> {
      got = (yield* file.ops.read!({ flags: 0 } as File, 4096, 0)).length
    })
    rig.xen.kick()
    rig.settle()
    expect(got).toBe(0)
    rig.store.set('a', 'y')
    rig.settle()
    expect(got).toBe(20)
  })
})

test('dom0 shows its page and port', () => {
  const rig = bareDomU(xenbusInit, {}, { domU: false })
  const [port] = rig.xen.unbound
  expect(procFile(rig, 'xen/xsd_port').read!()).toBe(String(port))
  const ops = procFile(rig, 'xen/xsd_kva').ops!()
  const read = (count: number, at: number) => rig.run(() => ops.read!({} as File, count, at))
  const text = byteString(read(64, 0))
  expect(text).toMatch(/^0xffff88[\da-f]{10}$/)
  expect([byteString(read(4, 2)), read(64, 18).length]).toEqual(['ffff', 0])
  const page = Number(BigInt.asIntN(64, BigInt(text)))
  expect(rig.kernel.mem.copyOut(page, 4096).every((byte) => byte === 0)).toBe(true)
  const mapped: unknown[] = []
  const vma = (pages: number, offset: number, error = 0) =>
    ({
      pages,
      offset,
      insert(...args: unknown[]) {
        mapped.push(args)
        return error
      },
    }) as never
  rig.run(() => ops.mmap!({} as File, vma(1, 0)))
  expect(mapped).toHaveLength(1)
  for (const [pages, offset, error, errno] of [
    [2, 0, 0, EINVAL],
    [1, 4096, 0, EINVAL],
    [1, 0, -14, 14],
  ] as const)
    expect(() => rig.run(() => ops.mmap!({} as File, vma(pages, offset, error)))).toThrow(
      expect.objectContaining({ errno }),
    )
  expect((rig.kernel as Kernel).xenbus!.store.ready).toBe(false)
})
