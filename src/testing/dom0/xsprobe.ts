/**
 * A program of tests: a client of xenstored's that does not behave.
 *
 *   xsprobe flood SECONDS     asks and asks, and reads no answer
 *   xsprobe deaf SECONDS      watches all, and reads nothing
 *   xsprobe long              says that a message of 5000 bytes comes; prints what the daemon does
 *   xsprobe half              the first bytes of a message, then the end
 *   xsprobe noise             bytes of no sense
 *   xsprobe many COUNT        as many connections as it says, one request each
 *   xsprobe pipe COUNT        COUNT reads sent at once; prints how many answers came
 *   xsprobe cost              how many system calls a read and a write take
 */
import { EAGAIN } from '#abi/posix/errno.ts'
import { F_SETFL, O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { XS_READ, XS_WATCH } from '#abi/xen/io/xs_wire.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { readMore, type XsHandle, xsDaemonOpen } from '#toolstack/libxs/connection.ts'
import { xsDomainOpen, xsRead, xsWrite } from '#toolstack/libxs/xs.ts'
import { OsError } from '#user/libc/errno.ts'
import { STDOUT, writeAll } from '#user/libc/stdio.ts'
import { fcntl, nanosleep, raw, write } from '#user/libc/syscall.ts'

const print = (text: string): Sys<void> => writeAll(STDOUT, bytesOfString(`${text}\n`))

function message(type: number, payload: string, length = payload.length): Uint8Array {
  const bytes = new Uint8Array(16 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(12, length, true)
  bytes.set(bytesOfString(payload), 16)
  return bytes
}

/** What the daemon does now: answers, or ends the connection. */
function* reaction(h: XsHandle): Sys<string> {
  try {
    while (h.replies.length === 0) yield* readMore(h)
    return 'answered'
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return `ended ${error.errno}`
  }
}

function* flood(h: XsHandle, seconds: number): Sys<void> {
  yield* fcntl(h.fd, F_SETFL, O_RDWR | O_NONBLOCK)
  const one = message(XS_READ, '/tool\0')
  const many = new Uint8Array(one.length * 100)
  for (let i = 0; i < 100; i++) many.set(one, i * one.length)
  for (let tenths = seconds * 10; tenths > 0; ) {
    const done = yield* raw(SYSCALL_NR.write, h.fd, many)
    if (typeof done === 'number' && done < 0) {
      if (done !== -EAGAIN) return yield* print(`ended ${-done}`)
      yield* nanosleep(100_000_000)
      tenths--
    }
  }
  yield* print('still connected')
}

function* counted(call: Sys<unknown>): Sys<number> {
  let count = 0
  for (let step = call.next(); !step.done; ) {
    if (step.value) count++
    step = call.next(yield step.value)
  }
  return count
}

function* pipelined(h: XsHandle, count: number): Sys<void> {
  const one = message(XS_READ, '/tool\0')
  for (let i = 0; i < count; i++) yield* write(h.fd, one)
  while (h.replies.length < count) yield* readMore(h)
  yield* print(`${h.replies.length} answers`)
}

export function* main(argv: readonly string[]): Sys<number> {
  const count = Number(argv[2] ?? 0)
  const h = yield* xsDaemonOpen()
  switch (argv[1]) {
    case 'flood':
      yield* flood(h, count)
      break
    case 'deaf':
      for (let i = 0; i < 50; i++) yield* write(h.fd, message(XS_WATCH, `/\0${i}${'t'.repeat(2000)}\0`))
      yield* nanosleep(count * 1e9)
      break
    case 'long':
      yield* write(h.fd, message(XS_READ, '/tool\0', 5000))
      yield* print(yield* reaction(h))
      break
    case 'half':
      yield* write(h.fd, message(XS_READ, '/tool\0').subarray(0, 10))
      break
    case 'noise':
      yield* raw(SYSCALL_NR.write, h.fd, bytesOfString('GET / HTTP/1.0\r\n\r\n'.repeat(10)))
      yield* print(yield* reaction(h))
      break
    case 'many': {
      const all: XsHandle[] = [h]
      while (all.length < count) all.push(yield* xsDaemonOpen())
      for (const one of all) yield* xsRead(one, 0, '/tool')
      yield* print(`${all.length} connections`)
      break
    }
    case 'pipe':
      yield* pipelined(h, count)
      break
    case 'cost': {
      const ring = yield* xsDomainOpen()
      for (const [name, one] of [
        ['socket', h],
        ['ring', ring],
      ] as const) {
        const reads = yield* counted(xsRead(one, 0, '/tool'))
        const writes = yield* counted(xsWrite(one, 0, '/cost', 'x'))
        yield* print(`${name}: read ${reads}, write ${writes}`)
      }
    }
  }
  return 0
}
