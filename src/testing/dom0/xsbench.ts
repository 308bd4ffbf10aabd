/**
 * A program of benchmarks: a client of xenstored's that does one kind of work at a time over a tree of 1,100 nodes. It reads lines `WORK COUNT`,
 * and prints `done` after each; COUNT 0 only prepares. bench/xenstored-real/client.c does the same, for the same lines, on Debian's daemons.
 */
import type { Sys } from '#abi/posix/syscalls.ts'
import { XS_ERROR, XS_READ, XS_TRANSACTION_END, XS_TRANSACTION_START, XS_WRITE } from '#abi/xen/io/xs_wire.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { setWord } from '#lib/words.ts'
import { readMore } from '#toolstack/libxs/connection.ts'
import {
  type XsHandle,
  xsDaemonClose,
  xsDaemonOpen,
  xsDirectory,
  xsDomainOpen,
  xsRead,
  xsReadWatch,
  xsRm,
  xsTransactionEnd,
  xsTransactionStart,
  xsWatch,
  xsWrite,
} from '#toolstack/libxs/xs.ts'
import { readLineUnbuffered, STDIN, STDOUT, writeAll } from '#user/libc/stdio.ts'

const TOP = '/bench'
const DIR = `${TOP}/dir`
/** Nodes in DIR, and in each of them. */
const FOLDERS = 110
const KEYS = 9
const PIPELINED = 32
const TRANSACTION_WRITES = 10
const UNRELATED = 100
const LISTENERS = 10
const WATCHES_EACH = 10

const PATHS: readonly string[] = Array.from(
  { length: FOLDERS * KEYS },
  (_, i) => `${DIR}/n${i % FOLDERS}/k${Math.floor(i / FOLDERS)}`,
)
const pathOf = (i: number): string => PATHS[i % PATHS.length]!
const textOf = (i: number): string => `value-${1_000_000 + i}`

/** So many times that work. */
type Work = (count: number) => Sys<void>
/** Opens what the work needs; all of it is closed after it. */
type Open = (domain?: boolean) => Sys<XsHandle>

function message(type: number, t: number, payload: string): Uint8Array {
  const bytes = new Uint8Array(16 + payload.length)
  setWord(bytes, 0, type)
  setWord(bytes, 8, t)
  setWord(bytes, 12, payload.length)
  bytes.set(bytesOfString(payload), 16)
  return bytes
}

/** All of them at once, then all their answers. */
function* pipelined(h: XsHandle, messages: readonly Uint8Array[]): Sys<readonly string[]> {
  const all = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const one of messages) {
    all.set(one, at)
    at += one.length
  }
  yield* writeAll(h.fd, all)
  while (h.replies.length < messages.length) yield* readMore(h)
  const answers = h.replies.splice(0)
  const refused = answers.find(({ type }) => type === XS_ERROR)
  if (refused) throw new Error(refused.payload)
  return answers.map(({ payload }) => payload)
}

function* reads(h: XsHandle, count: number): Sys<void> {
  for (let i = 0; i < count; i++) yield* xsRead(h, 0, pathOf(i))
}

function* writes(h: XsHandle, count: number): Sys<void> {
  for (let i = 0; i < count; i++) yield* xsWrite(h, 0, pathOf(i), textOf(i))
}

function* inBatches(h: XsHandle, count: number, one: (i: number) => Uint8Array): Sys<void> {
  for (let done = 0; done < count; done += PIPELINED)
    yield* pipelined(
      h,
      Array.from({ length: PIPELINED }, (_, i) => one(done + i)),
    )
}

function* committed(h: XsHandle, t: number): Sys<void> {
  if (!(yield* xsTransactionEnd(h, t, false))) throw new Error('a transaction of the only client has failed')
}

/** By the names that bench/xenstore.ts asks for. */
export const WORKS: Readonly<Record<string, (open: Open) => Sys<Work>>> = {
  *reads(open) {
    const h = yield* open()
    return (count) => reads(h, count)
  },
  *writes(open) {
    const h = yield* open()
    return (count) => writes(h, count)
  },
  *'ring-reads'(open) {
    const h = yield* open(true)
    return (count) => reads(h, count)
  },
  *'ring-writes'(open) {
    const h = yield* open(true)
    return (count) => writes(h, count)
  },
  *directories(open) {
    const h = yield* open()
    return function* (count) {
      for (let i = 0; i < count; i++)
        if ((yield* xsDirectory(h, 0, DIR)).length !== FOLDERS) throw new Error('not all of them')
    }
  },
  *transactions(open) {
    const h = yield* open()
    return function* (count) {
      for (let i = 0; i < count; i++) {
        const t = yield* xsTransactionStart(h)
        yield* xsRead(h, t, pathOf(i))
        yield* xsWrite(h, t, pathOf(i + 1), textOf(i))
        yield* committed(h, t)
      }
    }
  },
  *'long-transactions'(open) {
    const h = yield* open()
    return function* (count) {
      for (let i = 0; i < count; i++) {
        const t = yield* xsTransactionStart(h)
        for (let k = 0; k < TRANSACTION_WRITES; k++) yield* xsWrite(h, t, pathOf(i + k), textOf(i))
        yield* committed(h, t)
      }
    }
  },
  *'pipelined-reads'(open) {
    const h = yield* open()
    return (count) => inBatches(h, count, (i) => message(XS_READ, 0, `${pathOf(i)}\0`))
  },
  *'pipelined-writes'(open) {
    const h = yield* open()
    return (count) => inBatches(h, count, (i) => message(XS_WRITE, 0, `${pathOf(i)}\0${textOf(i)}`))
  },
  /** The next one's start goes with this one's end: only its number has to be waited for. */
  *'pipelined-transactions'(open) {
    const h = yield* open()
    const start = message(XS_TRANSACTION_START, 0, '\0')
    return function* (count) {
      let [id] = yield* pipelined(h, [start])
      for (let i = 0; i < count; i++) {
        const t = Number.parseInt(id!, 10)
        const answers = yield* pipelined(h, [
          message(XS_READ, t, `${pathOf(i)}\0`),
          message(XS_WRITE, t, `${pathOf(i + 1)}\0${textOf(i)}`),
          message(XS_TRANSACTION_END, t, 'T\0'),
          start,
        ])
        id = answers[3]
      }
      yield* xsTransactionEnd(h, Number.parseInt(id!, 10), true)
    }
  },
  *'watched-writes'(open) {
    const h = yield* open()
    yield* xsWatch(h, `${TOP}/own`, 'own')
    yield* xsReadWatch(h)
    return function* (count) {
      for (let i = 0; i < count; i++) {
        yield* xsWrite(h, 0, `${TOP}/own`, textOf(i))
        yield* xsReadWatch(h)
      }
    }
  },
  *'writes-beside-watches'(open) {
    const other = yield* open()
    for (let i = 0; i < UNRELATED; i++) {
      yield* xsWatch(other, `${TOP}/other/${i}`, `other ${i}`)
      yield* xsReadWatch(other)
    }
    const h = yield* open()
    return (count) => writes(h, count)
  },
  *'fan-out'(open) {
    const h = yield* open()
    yield* xsWrite(h, 0, `${TOP}/fan`, '')
    const listeners: XsHandle[] = []
    for (let i = 0; i < LISTENERS; i++) listeners.push(yield* open())
    for (const listener of listeners)
      for (let k = 0; k < WATCHES_EACH; k++) {
        yield* xsWatch(listener, `${TOP}/fan`, `fan ${k}`)
        yield* xsReadWatch(listener)
      }
    return function* (count) {
      for (let i = 0; i < count; i++) {
        yield* xsWrite(h, 0, `${TOP}/fan`, textOf(i))
        for (const listener of listeners) for (let k = 0; k < WATCHES_EACH; k++) yield* xsReadWatch(listener)
      }
    }
  },
}

export function* main(): Sys<number> {
  const first = yield* xsDaemonOpen()
  yield* writes(first, PATHS.length)
  yield* writeAll(STDOUT, bytesOfString('ready\n'))
  const opened: XsHandle[] = []
  function* open(domain = false): Sys<XsHandle> {
    const h = yield* domain ? xsDomainOpen() : xsDaemonOpen()
    opened.push(h)
    return h
  }
  let current = ''
  let work: Work | undefined
  for (;;) {
    const [name = '', count] = ((yield* readLineUnbuffered(STDIN)) ?? 'quit').trim().split(' ')
    if (name === 'quit') break
    if (name !== current) {
      for (const h of opened.splice(0)) yield* xsDaemonClose(h)
      work = yield* WORKS[name]!(open)
      current = name
    }
    yield* work!(Number(count))
    yield* writeAll(STDOUT, bytesOfString('done\n'))
  }
  yield* xsRm(first, 0, TOP)
  return 0
}
