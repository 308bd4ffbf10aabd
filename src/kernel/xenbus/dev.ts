/**
 * /proc/xen/xenbus (linux-2.6.18-xen: drivers/xen/xenbus/xenbus_dev.c): the store's protocol for processes, over the kernel's own connection. Each open
 * file has transactions and watches of its own, which go when it is closed.
 */
import { EAGAIN, EINTR, EINVAL } from '#abi/posix/errno.ts'
import { O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import {
  XS_DIRECTORY,
  XS_ERROR,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RM,
  XS_SET_PERMS,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
  xsd_errors,
  xsd_sockmsg,
} from '#abi/xen/io/xs_wire.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { word } from '#lib/words.ts'
import { MISC_DYNAMIC_MINOR } from '../drivers/misc/misc.ts'
import { Errno, fail } from '../errno.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { FileOps } from '../vfs/file.ts'
import type { XenbusProbe } from './probe.ts'
import { storeMessage, type XenstoreClient } from './store.ts'
import type { XsWatch } from './xenbus.ts'

const HEADER = xsd_sockmsg.size
/** Answers that nobody reads: events beyond are lost. */
const UNREAD_BYTES_MAX = 1 << 20

/** What goes to the daemon as it is. */
const PASSED = new Set([
  XS_DIRECTORY,
  XS_READ,
  XS_GET_PERMS,
  XS_RELEASE,
  XS_GET_DOMAIN_PATH,
  XS_IS_DOMAIN_INTRODUCED,
  XS_WRITE,
  XS_MKDIR,
  XS_RM,
  XS_SET_PERMS,
  XS_TRANSACTION_START,
  XS_TRANSACTION_END,
])

const NOTHING = new Uint8Array(0)

class OpenXenbus {
  readonly #kernel: Kernel
  readonly #store: XenstoreClient
  /** u->u.buffer: a message that is not yet whole. */
  #message: Uint8Array = NOTHING
  #unread: Uint8Array[] = []
  #unreadBytes = 0
  readonly readers = new WaitQueue()
  readonly #transactions = new Set<number>()
  readonly #watches = new Map<string, XsWatch>()

  constructor(kernel: Kernel, store: XenstoreClient) {
    this.#kernel = kernel
    this.#store = store
  }

  get readable(): boolean {
    return this.#unread.length > 0
  }

  *read(count: number, nonblock: boolean): Sleeping<Uint8Array> {
    while (!this.readable) {
      if (nonblock) fail(EAGAIN)
      if ((yield* this.#kernel.sched.sleepOn(this.readers)) === 'signal') fail(EINTR)
    }
    return this.take(count)
  }

  /** What there is, when it is `readable`. */
  take(count: number): Uint8Array {
    const only = this.#unread.length === 1 && this.#unread[0]!.length <= count ? this.#unread.pop() : undefined
    if (only) {
      this.#unreadBytes -= only.length
      return only
    }
    const parts: Uint8Array[] = []
    let length = 0
    while (length < count && this.readable) {
      const first = this.#unread[0]!
      const part = first.subarray(0, count - length)
      if (part.length === first.length) this.#unread.shift()
      else this.#unread[0] = first.subarray(part.length)
      parts.push(part)
      length += part.length
    }
    this.#unreadBytes -= length
    const bytes = new Uint8Array(length)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }

  *write(bytes: Uint8Array): Sleeping<number> {
    const { length } = this.#message
    if (length + bytes.length > PAGE_SIZE) {
      this.#message = NOTHING
      fail(EINVAL)
    }
    const message = new Uint8Array(length + bytes.length)
    message.set(this.#message)
    message.set(bytes, length)
    this.#message = message
    if (message.length < HEADER) return bytes.length
    const body = word(message, 12)
    if (message.length - HEADER < body) return bytes.length
    // Only one request at a time is in the buffer; what was written behind it is lost, as there.
    this.#message = NOTHING
    yield* this.#request(word(message, 0), word(message, 4), word(message, 8), message.slice(HEADER, HEADER + body))
    return bytes.length
  }

  *release(): Sleeping<void> {
    for (const tx of [...this.#transactions]) yield* this.#store.request(XS_TRANSACTION_END, tx, bytesOfString('F\0'))
    this.#transactions.clear()
    const watches = [...this.#watches.values()]
    this.#watches.clear()
    for (const watch of watches) yield* watch.cancel()
  }

  *#request(type: number, id: number, tx: number, body: Uint8Array): Sleeping<void> {
    if (type === XS_WATCH || type === XS_UNWATCH) {
      yield* this.#watch(type, id, byteString(body))
      return
    }
    if (!PASSED.has(type)) fail(EINVAL)
    // The connection is everybody's: a transaction is only for who has begun it.
    if (tx !== 0 && !this.#transactions.has(tx)) {
      this.#answer(XS_ERROR, id, tx, bytesOfString('ENOENT\0'))
      return
    }
    const reply = yield* this.#store.request(type, tx, body)
    if (reply.type !== XS_ERROR) {
      if (type === XS_TRANSACTION_START) this.#transactions.add(Number.parseInt(byteString(reply.body), 10))
    }
    // EAGAIN ends it too.
    if (type === XS_TRANSACTION_END) this.#transactions.delete(tx)
    this.#answer(reply.type, id, tx, reply.body)
  }

  *#watch(type: number, id: number, body: string): Sleeping<void> {
    const [path, token, rest] = body.split('\0')
    if (path === undefined || token === undefined || rest === undefined) fail(EINVAL)
    const key = `${path}\0${token}`
    const known = this.#watches.get(key)
    const error = (name: string): void => this.#answer(XS_ERROR, id, 0, bytesOfString(`${name}\0`))
    if (type === XS_UNWATCH) {
      if (!known) return error('ENOENT')
      this.#watches.delete(key)
      yield* known.cancel()
    } else {
      if (known) return error('EEXIST')
      // Its first event is told after the answer.
      const early: string[] = []
      let answered = false
      const self = this
      try {
        const watch = yield* this.#store.watch(path, function* (changed) {
          if (answered) self.#event(changed, token)
          else early.push(changed)
        })
        this.#watches.set(key, watch)
      } catch (thrown) {
        if (!(thrown instanceof Errno)) throw thrown
        return error(xsd_errors.find(([errno]) => errno === thrown.errno)?.[1] ?? 'EINVAL')
      }
      this.#answer(type, id, 0, bytesOfString('OK\0'))
      answered = true
      for (const changed of early) this.#event(changed, token)
      return
    }
    this.#answer(type, id, 0, bytesOfString('OK\0'))
  }

  #event(path: string, token: string): void {
    if (this.#unreadBytes > UNREAD_BYTES_MAX) return
    this.#answer(XS_WATCH_EVENT, 0, 0, bytesOfString(`${path}\0${token}\0`))
  }

  #answer(type: number, id: number, tx: number, body: Uint8Array): void {
    const message = storeMessage(type, id, tx, body)
    this.#unread.push(message)
    this.#unreadBytes += message.length
    this.readers.wakeUp()
  }
}

/** /dev/xen/xenbus, as later kernels have it. */
export const xenbusDevInit: Initcall = function* (kernel) {
  const store = (kernel.xenbus as XenbusProbe | undefined)?.store
  if (store) kernel.misc?.register(MISC_DYNAMIC_MINOR, 'xenbus', () => opened(xenbusDevice(kernel, store)))
}

function* opened(ops: FileOps): Sleeping<FileOps> {
  return ops
}

/** xenbus_dev_open. */
export function xenbusDevice(kernel: Kernel, store: XenstoreClient): FileOps {
  const open = new OpenXenbus(kernel, store)
  return {
    seekable: false,
    read: (file, count) => open.read(count, (file.flags & O_NONBLOCK) !== 0),
    readNow: (_file, count) => (open.readable ? open.take(count) : undefined),
    readWait: (file) => (file.flags & O_NONBLOCK ? undefined : open.readers),
    write: (_file, bytes) => open.write(bytes),
    poll: () => (open.readable ? POLLIN : 0),
    pollQueues: () => [open.readers],
    release: () => open.release(),
  }
}
