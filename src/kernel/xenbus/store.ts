/**
 * What the kernel asks of xenstored (linux-2.6.18-xen: drivers/xen/xenbus/xenbus_xs.c): requests by whoever wants to know, answers sorted by the
 * thread `xenbus`, watches called by the thread `xenwatch`.
 */
import { EAGAIN, EEXIST, EINVAL, EIO, ENOENT } from '#abi/posix/errno.ts'
import {
  XENSTORE_PAYLOAD_MAX,
  XS_DIRECTORY,
  XS_ERROR,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
  xsd_errors,
  xsd_sockmsg,
} from '#abi/xen/io/xs_wire.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { setWord, word } from '#lib/words.ts'
import { Errno, fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import { Mutex } from '../vfs/mutex.ts'
import type { StoreRing } from './comms.ts'
import type { Xenstore, XsTransaction, XsWatch } from './xenbus.ts'

const UNINTERRUPTIBLE = { interruptible: false } as const
/** Somebody else has been faster so many times. */
const TRANSACTION_TRIES_MAX = 1000
/** Events that wait for xenwatch; equal ones wait once. What comes beyond is dropped, and said. */
const EVENTS_MAX = 4096
const HEADER = xsd_sockmsg.size

/** A message of the store's protocol. */
export function storeMessage(type: number, id: number, tx: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER + body.length)
  setWord(message, 0, type)
  setWord(message, 4, id)
  setWord(message, 8, tx)
  setWord(message, 12, body.length)
  message.set(body, HEADER)
  return message
}

export interface StoreReply {
  readonly type: number
  readonly body: Uint8Array
}

interface Waiting {
  readonly queue: WaitQueue
  reply: StoreReply | undefined
}

interface Watch extends XsWatch {
  readonly token: string
  readonly changed: (path: string, token: string) => Sleeping<void>
}

/** The strings of a message, each with its NUL. */
const strings = (text: string): string[] => text.split('\0').slice(0, -1)
const errorOf = (name: string): number => xsd_errors.find(([, errstring]) => errstring === name)?.[0] ?? EINVAL

export class XenstoreClient implements Xenstore {
  ready = false
  readonly #kernel: Kernel
  readonly #ring: StoreRing
  readonly #sending = new Mutex()
  readonly #requests = new Map<number, Waiting>()
  #lastId = 0
  readonly #watches = new Map<string, Watch>()
  #lastToken = 0
  /** By token and path: each is to be told once. */
  readonly #events = new Map<string, { readonly watch: Watch; readonly path: string }>()
  readonly #eventCame = new WaitQueue()
  readonly #work: (() => Sleeping<void>)[] = []
  #dropped = false

  constructor(kernel: Kernel, ring: StoreRing) {
    this.#kernel = kernel
    this.#ring = ring
  }

  /** xs_init: both threads. */
  start(): void {
    this.#kernel.sched.kthread('xenwatch', () => this.#xenwatch())
    this.#kernel.sched.kthread('xenbus', () => this.#xenbus())
  }

  /** schedule_work: `work` is done by xenwatch, before the events that wait. From interrupt context too. */
  schedule(work: () => Sleeping<void>): void {
    this.#work.push(work)
    this.#eventCame.wakeUp()
  }

  // --- Requests ---

  /** xenbus_dev_request_and_reply: the message is sent under a number of our own; errors are answers too. */
  *request(type: number, tx: number, body: Uint8Array): Sleeping<StoreReply> {
    if (body.length > XENSTORE_PAYLOAD_MAX) fail(EINVAL)
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#requests.has(this.#lastId))
    const id = this.#lastId
    const waiting: Waiting = { queue: new WaitQueue(), reply: undefined }
    const message = storeMessage(type, id, tx, body)
    this.#requests.set(id, waiting)
    try {
      yield* this.#sending.lock(this.#kernel)
      try {
        yield* this.#ring.write(message)
      } finally {
        this.#sending.unlock()
      }
      while (!waiting.reply) yield* this.#kernel.sched.sleepOn(waiting.queue, UNINTERRUPTIBLE)
    } finally {
      this.#requests.delete(id)
    }
    return waiting.reply
  }

  /** xs_talkv: the answer's bytes; errors are thrown. */
  *#talk(type: number, tx: number, body: string): Sleeping<string> {
    const reply = yield* this.request(type, tx, bytesOfString(body))
    const text = byteString(reply.body)
    if (reply.type === XS_ERROR) fail(errorOf(strings(text)[0] ?? ''))
    if (reply.type !== type) {
      this.#kernel.log.printk(`<4>XENBUS unexpected type [${reply.type}], expected [${type}]\n`)
      fail(EINVAL)
    }
    return text
  }

  *directory(path: string, t: XsTransaction = 0): Sleeping<readonly string[]> {
    return strings(yield* this.#talk(XS_DIRECTORY, t, `${path}\0`))
  }

  *read(path: string, t: XsTransaction = 0): Sleeping<string> {
    return yield* this.#talk(XS_READ, t, `${path}\0`)
  }

  /** xenbus_exists asks for the directory: whatever goes wrong, it is not there. */
  *exists(path: string, t: XsTransaction = 0): Sleeping<boolean> {
    try {
      yield* this.directory(path, t)
      return true
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      return false
    }
  }

  *write(path: string, value: string, t: XsTransaction = 0): Sleeping<void> {
    yield* this.#talk(XS_WRITE, t, `${path}\0${value}`)
  }

  *mkdir(path: string, t: XsTransaction = 0): Sleeping<void> {
    yield* this.#talk(XS_MKDIR, t, `${path}\0`)
  }

  *rm(path: string, t: XsTransaction = 0): Sleeping<void> {
    yield* this.#talk(XS_RM, t, `${path}\0`)
  }

  *transaction<T>(body: (t: XsTransaction) => Sleeping<T>): Sleeping<T> {
    for (let tries = 0; tries < TRANSACTION_TRIES_MAX; tries++) {
      const t = Number.parseInt(yield* this.#talk(XS_TRANSACTION_START, 0, '\0'), 10)
      if (!(t > 0 && t < 2 ** 32)) fail(EIO)
      let value: T
      try {
        value = yield* body(t)
      } catch (error) {
        yield* this.#end(t, 'F')
        throw error
      }
      if (yield* this.#end(t, 'T')) return value
    }
    return fail(EAGAIN)
  }

  /** False: it is to be done again. */
  *#end(t: XsTransaction, how: 'T' | 'F'): Sleeping<boolean> {
    try {
      yield* this.#talk(XS_TRANSACTION_END, t, `${how}\0`)
      return true
    } catch (error) {
      if (!(error instanceof Errno) || (how === 'T' && error.errno !== EAGAIN)) throw error
      return false
    }
  }

  // --- Watches ---

  *watch(path: string, changed: (path: string, token: string) => Sleeping<void>): Sleeping<XsWatch> {
    this.#lastToken++
    const token = this.#lastToken.toString(16).toUpperCase()
    const watch: Watch = { node: path, token, changed, cancel: () => this.#cancel(watch) }
    // Its first event may come before the answer.
    this.#watches.set(token, watch)
    try {
      yield* this.#talk(XS_WATCH, 0, `${path}\0${token}\0`)
    } catch (error) {
      if (!(error instanceof Errno) || error.errno !== EEXIST) {
        this.#watches.delete(token)
        throw error
      }
    }
    return watch
  }

  *#cancel(watch: Watch): Sleeping<void> {
    if (!this.#watches.delete(watch.token)) return
    for (const [key, event] of this.#events) if (event.watch === watch) this.#events.delete(key)
    try {
      yield* this.#talk(XS_UNWATCH, 0, `${watch.node}\0${watch.token}\0`)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      if (error.errno !== ENOENT)
        this.#kernel.log.printk(`<4>XENBUS Failed to release watch ${watch.node}: ${-error.errno}\n`)
    }
  }

  // --- The threads ---

  *#xenbus(): Sleeping<void> {
    for (;;) {
      try {
        yield* this.#processMessage()
      } catch (error) {
        if (!(error instanceof Errno)) throw error
        this.#kernel.log.printk(`<4>XENBUS error ${-error.errno} while reading message\n`)
      }
    }
  }

  *#processMessage(): Sleeping<void> {
    const header = yield* this.#ring.read(HEADER)
    const [type, id, length] = [word(header, 0), word(header, 4), word(header, 12)]
    if (length > XENSTORE_PAYLOAD_MAX) fail(EINVAL)
    const body = yield* this.#ring.read(length)
    if (type === XS_WATCH_EVENT) {
      this.#event(byteString(body))
      return
    }
    const waiting = this.#requests.get(id)
    // An answer to nobody's question.
    if (!waiting) return
    waiting.reply ??= { type, body }
    waiting.queue.wakeUp()
  }

  #event(body: string): void {
    const [path, token] = strings(body)
    if (path === undefined || token === undefined) fail(EINVAL)
    const watch = this.#watches.get(token)
    if (!watch) return
    if (this.#events.size >= EVENTS_MAX) {
      if (!this.#dropped) this.#kernel.log.printk('<4>XENBUS too many watch events, some are lost\n')
      this.#dropped = true
      return
    }
    this.#events.set(`${token}\0${path}`, { watch, path })
    this.#eventCame.wakeUp()
  }

  *#xenwatch(): Sleeping<void> {
    for (;;) {
      const [first] = this.#events
      const work = this.#work.shift()
      if (work) yield* quietly(work())
      else if (first) {
        const [key, { watch, path }] = first
        this.#events.delete(key)
        yield* quietly(watch.changed(path, watch.token))
      } else yield* this.#kernel.sched.sleepOn(this.#eventCame)
    }
  }
}

/** What is refused is not there, or comes with the next event. */
export function* quietly(work: Sleeping<unknown>): Sleeping<void> {
  try {
    yield* work
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}
