/**
 * hostlinkd: joins host links to sockets of this domain. What happens to links comes in frames from /dev/hostlink (abi/pc/hostlink.ts); each side gives
 * the other credit for what it has passed on, so a slow reader at either end slows down the writer at the other, and nobody else.
 */

import * as hl from '#abi/pc/hostlink.ts'
import { EAGAIN, EINTR } from '#abi/posix/errno.ts'
import { F_SETFL, O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { SIG_IGN, SIGPIPE } from '#abi/posix/signal.ts'
import { AF_UNIX, SHUT_WR, SOCK_STREAM, sockaddrUn, UNIX_PATH_MAX } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { Heap } from '#user/libc/heap.ts'
import { close, connect, fcntl, poll, read, rt_sigaction, shutdown, socket, write } from '#user/libc/syscall.ts'

const READ_BYTES = 65536
/** Credit is given in pieces of this, or when nothing is left to pass on. */
const CREDIT_STEP = 16384
const NOTHING = new Uint8Array(0)

interface Link {
  readonly id: number
  readonly fd: number
  /** From outside, not yet taken by the socket. */
  readonly waiting: Uint8Array[]
  waitingBytes: number
  /** Taken by the socket, and not yet given credit for. */
  taken: number
  /** What may still be sent outside. */
  window: number
  outsideEnded: boolean
  insideEnded: boolean
}

export class Hostlinks {
  readonly #device: number
  readonly #heap = new Heap()
  readonly links = new Map<number, Link>()

  constructor(device: number) {
    this.#device = device
  }

  /** Wait for something to happen, and do what follows from it. */
  *turn(): Sys<void> {
    const links = [...this.links.values()]
    const wanted = [this.#device, POLLIN]
    for (const link of links) {
      const events = (link.window > 0 && !link.insideEnded ? POLLIN : 0) | (link.waiting.length > 0 ? POLLOUT : 0)
      // A socket that nothing is wanted of says all the same that it has been hung up, again and again.
      wanted.push(events === 0 ? -1 : link.fd, events)
    }
    const events = yield* poll(wanted, -1)
    if (events[0]! & POLLIN) yield* this.#frames()
    for (let i = 0; i < links.length; i++) {
      const link = links[i]!
      const happened = events[i + 1]!
      if (happened === 0 || this.links.get(link.id) !== link) continue
      if (happened & (POLLOUT | POLLERR) && link.waiting.length > 0) yield* this.#pass(link)
      if (happened & (POLLIN | POLLERR | POLLHUP) && this.links.get(link.id) === link) yield* this.#collect(link)
    }
  }

  *#frames(): Sys<void> {
    const bytes = yield* read(this.#device, READ_BYTES)
    for (let at = 0; at < bytes.length; ) {
      const frame = hl.readFrame(bytes, at)
      if (!frame) return
      at += hl.HOSTLINK_HEADER_BYTES + frame.data.length
      yield* this.#frame(frame)
    }
  }

  *#frame(frame: hl.HostlinkFrame): Sys<void> {
    if (frame.kind === hl.HOSTLINK_OPEN) {
      yield* this.#open(frame.link, String.fromCharCode(...frame.data))
      return
    }
    const link = this.links.get(frame.link)
    if (!link) return
    switch (frame.kind) {
      case hl.HOSTLINK_DATA:
        yield* this.#heap.keep(frame.data.length)
        link.waiting.push(frame.data)
        link.waitingBytes += frame.data.length
        yield* this.#pass(link)
        break
      case hl.HOSTLINK_END:
        link.outsideEnded = true
        if (link.waiting.length === 0) yield* this.#finish(link)
        break
      case hl.HOSTLINK_CREDIT:
        link.window += hl.creditOf(frame)
        break
      case hl.HOSTLINK_CLOSE:
        yield* this.#forget(link)
        break
    }
  }

  *#open(id: number, to: string): Sys<void> {
    const refuse = (reason: string): Sys<void> => this.#send(hl.HOSTLINK_CLOSE, id, `${to}: ${reason}`)
    if (to.startsWith('tcp:')) return yield* refuse('this domain has no network')
    if (!to.startsWith('/') || to.length >= UNIX_PATH_MAX || to.includes('\0')) return yield* refuse('not a socket')
    let fd = -1
    try {
      fd = yield* socket(AF_UNIX, SOCK_STREAM, 0)
      yield* fcntl(fd, F_SETFL, O_NONBLOCK)
      yield* connect(fd, sockaddrUn(to))
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (fd >= 0) yield* close(fd)
      return yield* refuse(strerror(error.errno))
    }
    const window = hl.HOSTLINK_WINDOW
    const empty = { waiting: [], waitingBytes: 0, taken: 0, outsideEnded: false, insideEnded: false }
    this.links.set(id, { ...empty, id, fd, window })
  }

  /** Outside to socket, as far as it takes it. */
  *#pass(link: Link): Sys<void> {
    try {
      for (let first = link.waiting[0]; first; first = link.waiting[0]) {
        const count = yield* write(link.fd, first)
        link.waiting.shift()
        if (count < first.length) link.waiting.unshift(first.subarray(count))
        link.taken += count
        link.waitingBytes -= count
        this.#heap.free(count)
      }
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno !== EAGAIN) return yield* this.#abort(link, error)
    }
    if (link.taken >= CREDIT_STEP || link.waiting.length === 0) {
      const { taken } = link
      link.taken = 0
      if (taken > 0) yield* this.#send(hl.HOSTLINK_CREDIT, link.id, hl.creditBytes(taken))
    }
    if (link.outsideEnded && link.waiting.length === 0) yield* this.#finish(link)
  }

  /** Socket to outside, as far as there is credit. */
  *#collect(link: Link): Sys<void> {
    if (link.window === 0 || link.insideEnded) return
    let data: Uint8Array
    try {
      data = yield* read(link.fd, Math.min(link.window, hl.HOSTLINK_DATA_BYTES))
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno !== EAGAIN) yield* this.#abort(link, error)
      return
    }
    if (data.length > 0) {
      link.window -= data.length
      yield* this.#send(hl.HOSTLINK_DATA, link.id, data)
      return
    }
    link.insideEnded = true
    yield* this.#send(hl.HOSTLINK_END, link.id, NOTHING)
    if (link.outsideEnded && link.waiting.length === 0) yield* this.#forget(link)
  }

  /** No more comes from outside, and the socket has had it all. */
  *#finish(link: Link): Sys<void> {
    if (link.insideEnded) return yield* this.#forget(link)
    yield* shutdown(link.fd, SHUT_WR)
  }

  *#abort(link: Link, { errno }: OsError): Sys<void> {
    yield* this.#forget(link)
    yield* this.#send(hl.HOSTLINK_CLOSE, link.id, strerror(errno))
  }

  *#forget(link: Link): Sys<void> {
    this.links.delete(link.id)
    this.#heap.free(link.waitingBytes)
    yield* close(link.fd)
  }

  *#send(kind: number, link: number, content: Uint8Array | string): Sys<void> {
    const data = typeof content === 'string' ? Uint8Array.from(content, (letter) => letter.charCodeAt(0)) : content
    yield* write(this.#device, hl.frameBytes({ kind, link, data }))
  }
}

/** Runs as long as the device does. */
export function* serve(device: number): Sys<void> {
  yield* rt_sigaction(SIGPIPE, SIG_IGN, 0, 0)
  const links = new Hostlinks(device)
  for (;;) {
    try {
      yield* links.turn()
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== EINTR) throw error
    }
  }
}
