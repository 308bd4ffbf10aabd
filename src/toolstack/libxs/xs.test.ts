/** The library against the daemon's core, and against daemons that answer nonsense. */
import { expect, test } from 'vitest'
import type { Sys } from '#abi/posix/syscalls.ts'
import { SYSCALL_NR } from '#abi/posix/syscalls.ts'
import { XS_ERROR, XS_READ, XS_WATCH_EVENT } from '#abi/xen/io/xs_wire.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { Store } from '#toolstack/xenstored/store.ts'
import { OsError } from '#user/libc/errno.ts'
import { type XsHandle, xsHandle } from './connection.ts'
import * as xs from './xs.ts'

/** Runs `call` over a connection to `store`, whose answers come in portions of so many bytes. */
class Wire {
  readonly store = new Store()
  readonly conn = this.store.connect(true)
  readonly h: XsHandle = xsHandle(7)
  #back: number[] = []
  readonly #portion: number
  closed = false

  constructor(portion = 10_000) {
    this.#portion = portion
  }

  /** As if the daemon had said it. */
  says(type: number, payload: string, length = payload.length): void {
    const bytes = new Uint8Array(16 + payload.length)
    new DataView(bytes.buffer).setUint32(0, type, true)
    new DataView(bytes.buffer).setUint32(12, length, true)
    bytes.set(bytesOfString(payload), 16)
    this.#back.push(...bytes)
  }

  run<T>(call: Sys<T>, deaf = false): T {
    for (let step = call.next(); ; ) {
      if (step.done) return step.value
      const [nr, , arg] = step.value as [number, number, Uint8Array]
      if (nr === SYSCALL_NR.write) {
        // A pipe that takes only a part.
        const part = arg.slice(0, 9)
        if (!deaf) this.conn.feed(part)
        for (let next = this.conn.next(); next && next !== 'bad'; next = this.conn.next())
          this.store.handle(this.conn, next)
        for (; this.conn.out.length > 0; this.conn.sent()) this.#back.push(...this.conn.out.at(0)!.bytes)
        step = call.next(part.length)
      } else if (nr === SYSCALL_NR.read) step = call.next(Uint8Array.from(this.#back.splice(0, this.#portion)))
      else {
        expect(nr).toBe(SYSCALL_NR.close)
        this.closed = true
        step = call.next(0)
      }
    }
  }

  errno(call: Sys<unknown>, deaf = false): number {
    try {
      this.run(call, deaf)
      return 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return error.errno
    }
  }
}

test.each([1, 7, 16, 17, 10_000])('answers in portions of %i bytes', (portion) => {
  const wire = new Wire(portion)
  const { h } = wire
  const all = byteString(Uint8Array.from({ length: 256 }, (_, i) => i))
  wire.run(xs.xsWrite(h, 0, '/a/b', all))
  wire.run(xs.xsMkdir(h, 0, '/a/c'))
  expect(wire.run(xs.xsRead(h, 0, '/a/b'))).toBe(all)
  expect(wire.run(xs.xsDirectory(h, 0, '/a'))).toEqual(['b', 'c'])
  expect(wire.run(xs.xsDirectory(h, 0, '/a/c'))).toEqual([])
  wire.run(
    xs.xsSetPermissions(h, 0, '/a', [
      { id: 5, perms: xs.XS_PERM_NONE },
      { id: 6, perms: 3 },
    ]),
  )
  expect(wire.run(xs.xsGetPermissions(h, 0, '/a'))).toEqual([
    { id: 5, perms: 0 },
    { id: 6, perms: 3 },
  ])
  wire.run(xs.xsRm(h, 0, '/a'))
  expect(wire.errno(xs.xsRead(h, 0, '/a'))).toBe(2)
  expect(wire.run(xs.xsGetDomainPath(h, 5))).toBe('/local/domain/5')
  expect(wire.run(xs.xsIsDomainIntroduced(h, 5))).toBe(false)
  expect(wire.errno(xs.xsReleaseDomain(h, 5))).toBe(2)
})

test('events that come with answers are kept, in their order', () => {
  const wire = new Wire()
  const { h } = wire
  wire.run(xs.xsWatch(h, '/a', 't'))
  wire.run(xs.xsWrite(h, 0, '/a', '1'))
  wire.run(xs.xsWrite(h, 0, '/a/b', '1'))
  const seen: string[] = []
  while (xs.xsPending(h)) {
    const { path, token } = wire.run(xs.xsReadWatch(h))
    seen.push(`${path} ${token}`)
  }
  expect(seen).toEqual(['/a t', '/a t', '/a/b t'])
  wire.run(xs.xsUnwatch(h, '/a', 't'))
  expect(wire.errno(xs.xsUnwatch(h, '/a', 't'))).toBe(2)
  wire.says(XS_WATCH_EVENT, '/later\0u\0')
  expect(wire.run(xs.xsReadWatch(h))).toEqual({ path: '/later', token: 'u' })
})

test('transactions: false is EAGAIN, and xsTransaction does it again', () => {
  const wire = new Wire()
  const { h } = wire
  const t = wire.run(xs.xsTransactionStart(h))
  wire.run(xs.xsWrite(h, 0, '/else', '1'))
  expect(wire.run(xs.xsTransactionEnd(h, t, false))).toBe(false)
  expect(wire.errno(xs.xsTransactionEnd(h, t, false))).toBe(2)
  let runs = 0
  wire.run(
    xs.xsTransaction(h, function* (t) {
      yield* xs.xsWrite(h, t, '/n', String(++runs))
      if (runs < 3) yield* xs.xsWrite(h, 0, '/else', '2')
    }),
  )
  expect([runs, wire.run(xs.xsRead(h, 0, '/n'))]).toEqual([3, '3'])
  const failing = xs.xsTransaction(h, function* (t) {
    yield* xs.xsWrite(h, t, '/n', 'no')
    yield* xs.xsRead(h, t, '/none')
  })
  expect(wire.errno(failing)).toBe(2)
  expect([wire.conn.transactions.size, wire.run(xs.xsRead(h, 0, '/n'))]).toEqual([0, '3'])
})

test('more than a message holds is E2BIG, and harms nothing', () => {
  const wire = new Wire()
  expect(wire.errno(xs.xsWrite(wire.h, 0, '/a', 'v'.repeat(4094)))).toBe(7)
  expect(wire.errno(xs.xsWrite(wire.h, 0, '/a', 'v'.repeat(4093)))).toBe(0)
})

test.each([
  ['an answer of another type', XS_READ + 1, 'x', 9, true],
  ['an unknown error', XS_ERROR, 'EWHAT\0', 22, false],
  ['a known error', XS_ERROR, 'EISCONN\0', 106, false],
])('%s', (_title, type, payload, errno, closes) => {
  const wire = new Wire()
  wire.says(type, payload)
  expect(wire.errno(xs.xsRead(wire.h, 0, '/a'), true)).toBe(errno)
  expect(wire.closed).toBe(closes)
  if (closes) expect(wire.errno(xs.xsRead(wire.h, 0, '/a'))).toBe(9)
})

test('the end of the connection is EBADF, once and for all', () => {
  const wire = new Wire()
  expect(wire.errno(xs.xsRead(wire.h, 0, '/a'), true)).toBe(9)
  expect([wire.closed, wire.h.fd]).toEqual([true, -1])
  expect(wire.errno(xs.xsRead(wire.h, 0, '/tool'))).toBe(9)
})
