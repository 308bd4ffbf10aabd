/**
 * hostlinkd: joins host links to sockets, terminals, programs and files of this domain (open-end.ts). What happens to links comes in frames from /dev/hostlink (abi/pc/hostlink.ts); each side gives
 * the other credit for what it has passed on, so a slow reader at either end slows down the writer at the other, and nobody else.
 */

import * as hl from '#abi/pc/hostlink.ts'
import { EAGAIN, EINTR } from '#abi/posix/errno.ts'
import { F_SETFD, FD_CLOEXEC } from '#abi/posix/fcntl.ts'
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { SIG_IGN, SIGCHLD, SIGPIPE } from '#abi/posix/signal.ts'
import { SHUT_WR } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { Heap } from '#user/libc/heap.ts'
import { close, fcntl, fsync, poll, read, rt_sigaction, shutdown, write } from '#user/libc/syscall.ts'
import { type End, type EndKind, openEnd } from './open-end.ts'

const READ_BYTES = 65536
/** Credit is given in pieces of this, or when nothing is left to pass on. */
const CREDIT_STEP = 16384
const NOTHING = new Uint8Array(0)

/** A terminal whose other side is gone has no errno of its own. */
const HUNG_UP = 'Hangup'

interface Link {
  readonly id: number
  readonly fd: number
  readonly kind: EndKind
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
      const reads = link.window > 0 && !link.insideEnded && link.kind !== 'file'
      const events = (reads ? POLLIN : 0) | (link.waiting.length > 0 ? POLLOUT : 0)
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
        yield* this.#outsideEnd(link)
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
    let end: End | undefined
    try {
      end = yield* openEnd(to)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return yield* refuse(strerror(error.errno))
    }
    if (!end) return yield* refuse('not a socket')
    const window = hl.HOSTLINK_WINDOW
    const empty = { waiting: [], waitingBytes: 0, taken: 0, outsideEnded: false, insideEnded: false }
    this.links.set(id, { ...empty, ...end, id, window })
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
      if (error.errno !== EAGAIN) return yield* this.#abort(link, strerror(error.errno))
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
      if (error.errno === EAGAIN) return
      if (link.kind !== 'program') return yield* this.#abort(link, strerror(error.errno))
      // EIO: nobody has the terminal open any more, and all that was written to it has been read.
      data = NOTHING
    }
    if (data.length > 0) {
      link.window -= data.length
      yield* this.#send(hl.HOSTLINK_DATA, link.id, data)
      return
    }
    if (link.kind === 'terminal') return yield* this.#abort(link, HUNG_UP)
    if (link.kind === 'program') return yield* this.#over(link)
    link.insideEnded = true
    yield* this.#send(hl.HOSTLINK_END, link.id, NOTHING)
    if (link.outsideEnded && link.waiting.length === 0) yield* this.#forget(link)
  }

  *#outsideEnd(link: Link): Sys<void> {
    link.outsideEnded = true
    if (link.kind === 'terminal' || link.kind === 'program') {
      // What it says from now on is for whoever reads it next.
      link.insideEnded = true
      yield* this.#send(hl.HOSTLINK_END, link.id, NOTHING)
    }
    if (link.waiting.length === 0) yield* this.#finish(link)
  }

  /** No more comes from outside, and the inside has had it all. */
  *#finish(link: Link): Sys<void> {
    if (link.insideEnded) return yield* this.#forget(link)
    if (link.kind === 'socket') {
      yield* shutdown(link.fd, SHUT_WR)
      return
    }
    try {
      // A file's end says that it is on the disk: whoever wrote it may pull the plug now.
      if (link.kind === 'file') yield* fsync(link.fd)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return yield* this.#abort(link, strerror(error.errno))
    }
    yield* this.#over(link)
  }

  /** Nothing is left of the inside, in order. */
  *#over(link: Link): Sys<void> {
    yield* this.#forget(link)
    yield* this.#send(hl.HOSTLINK_END, link.id, NOTHING)
  }

  *#abort(link: Link, reason: string): Sys<void> {
    yield* this.#forget(link)
    yield* this.#send(hl.HOSTLINK_CLOSE, link.id, reason)
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
  // Programs that have ended are not asked how.
  yield* rt_sigaction(SIGCHLD, SIG_IGN, 0, 0)
  yield* fcntl(device, F_SETFD, FD_CLOEXEC)
  const links = new Hostlinks(device)
  for (;;) {
    try {
      yield* links.turn()
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== EINTR) throw error
    }
  }
}
