/** One half of a split device (linux-2.6.18-xen: drivers/xen/xenbus/xenbus_client.c): its state, the other half's, and what goes wrong. */
import { ENOENT } from '#abi/posix/errno.ts'
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import { Errno, fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { XenbusDevice, XenbusDriver, Xenstore, XsTransaction, XsWatch } from './xenbus.ts'

/** What `read` fails with becomes undefined. */
export function* readKey(store: Xenstore, path: string, t: XsTransaction = 0): Sleeping<string | undefined> {
  try {
    return yield* store.read(path, t)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    return undefined
  }
}

/** xenbus_read_driver_state: Unknown where there is none, or nonsense. */
export function* readState(store: Xenstore, path: string): Sleeping<XenbusState> {
  const text = yield* readKey(store, `${path}/state`)
  const state = text === undefined ? 0 : Number.parseInt(text, 10)
  return (state > 0 && state <= XenbusState.Reconfigured ? state : XenbusState.Unknown) as XenbusState
}

/** What differs between the two buses. */
export interface BusType {
  /** `xen`, `xen-backend`. */
  readonly name: string
  /** `device`, `backend`. */
  readonly root: string
  /** Components of a device's nodename. */
  readonly levels: number
  /** Keys of the device's directory that say where its other half is. */
  readonly otherend: { readonly id: string; readonly path: string }
}

export class Device implements XenbusDevice {
  readonly devicetype: string
  readonly nodename: string
  readonly bus: BusType
  otherend = ''
  otherendId = 0
  state: XenbusState = XenbusState.Initialising
  peerState: XenbusState = XenbusState.Unknown
  removed = false
  driver: XenbusDriver | undefined
  /** Its driver's thread runs. */
  live = false
  readonly #kernel: Kernel
  readonly #store: Xenstore
  readonly #changed = new WaitQueue()
  #peerWatch: XsWatch | undefined
  #onPeer: ((state: XenbusState) => void) | undefined

  constructor(kernel: Kernel, store: Xenstore, bus: BusType, nodename: string) {
    this.#kernel = kernel
    this.#store = store
    this.bus = bus
    this.nodename = nodename
    this.devicetype = nodename.split('/')[1]!
  }

  /** bus_id: `vbd-2049`, of a backend `vbd-1-2049`. */
  get busId(): string {
    return this.nodename.split('/').slice(1).join('-')
  }

  get read(): (key: string) => Sleeping<string | undefined> {
    return (key) => readKey(this.#store, `${this.nodename}/${key}`)
  }

  get readPeer(): (key: string) => Sleeping<string | undefined> {
    return (key) => readKey(this.#store, `${this.otherend}/${key}`)
  }

  *publish(keys: Readonly<Record<string, string | number>>): Sleeping<void> {
    const { nodename } = this
    const store = this.#store
    yield* store.transaction(function* (t) {
      for (const [key, value] of Object.entries(keys)) yield* store.write(`${nodename}/${key}`, String(value), t)
    })
  }

  *switchState(state: XenbusState): Sleeping<void> {
    if (state === this.state) return
    // A directory that has been removed is not to come back by this.
    if ((yield* this.read('state')) === undefined) return
    try {
      yield* this.#store.write(`${this.nodename}/state`, String(state))
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      if (state !== XenbusState.Closing) yield* this.fatal(error.errno, 'writing new state')
      return
    }
    this.state = state
    this.#changed.wakeUp()
  }

  *untilPeer(...states: readonly XenbusState[]): Sleeping<XenbusState> {
    for (;;) {
      if (this.removed) return XenbusState.Unknown
      const { peerState } = this
      if (peerState === XenbusState.Unknown || peerState === XenbusState.Closed || states.includes(peerState))
        return peerState
      yield* this.sleep()
    }
  }

  *untilKey(key: string): Sleeping<string | undefined> {
    let changes = 0
    const wake = this.#changed
    const watch = yield* this.#store.watch(`${this.nodename}/${key}`, function* () {
      changes++
      wake.wakeUp()
    })
    try {
      for (;;) {
        const seen = changes
        const value = yield* this.read(key)
        if (value !== undefined && value !== '') return value
        const alone = (): boolean => this.removed || this.peerState === XenbusState.Unknown
        while (seen === changes && !alone()) yield* this.sleep()
        if (alone()) return undefined
      }
    } finally {
      yield* watch.cancel()
    }
  }

  onPeerChange(changed: (state: XenbusState) => void): void {
    this.#onPeer = changed
  }

  *fatal(errno: number, text: string): Sleeping<void> {
    yield* this.error(errno, text)
    yield* this.switchState(XenbusState.Closing)
  }

  *error(errno: number, text: string): Sleeping<void> {
    const line = `${errno} ${text}`
    const who = `${this.driver?.devicetype ?? this.bus.name} ${this.busId}`
    const { log } = this.#kernel
    log.printk(`<3>${who}: ${line}\n`)
    try {
      yield* this.#store.write(`error/${this.nodename}/error`, line)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      log.printk(`<3>${who}: xenbus: failed to write error node for ${this.nodename} (${line})\n`)
    }
  }

  // --- For the bus ---

  /** Until the device's state, its other half's or the bus's mind changes. */
  *sleep(): Sleeping<void> {
    // State S: it may take as long as the device lives.
    yield* this.#kernel.sched.sleepOn(this.#changed)
  }

  get changed(): WaitQueue {
    return this.#changed
  }

  /** talk_to_otherend. Fails where the two keys, or what they lead to, are not there. */
  *findOtherend(): Sleeping<void> {
    const { id, path } = this.bus.otherend
    const otherendId = yield* this.read(id)
    const otherend = yield* this.read(path)
    if (otherendId === undefined || otherend === undefined || !/^\d+$/.test(otherendId)) {
      yield* this.fatal(ENOENT, `reading other end details from ${this.nodename}`)
      return fail(ENOENT)
    }
    if (otherend === '' || !(yield* this.#store.exists(otherend))) {
      yield* this.fatal(ENOENT, `unable to read other end from ${this.nodename}.  missing or inaccessible.`)
      return fail(ENOENT)
    }
    this.otherend = otherend
    this.otherendId = Number(otherendId)
    this.peerState = yield* readState(this.#store, otherend)
  }

  /** watch_otherend */
  *watchOtherend(): Sleeping<void> {
    const self = this
    const { otherend } = this
    this.#peerWatch = yield* this.#store.watch(`${otherend}/state`, function* () {
      const state = yield* readState(self.#store, otherend)
      if (state === self.peerState || self.removed) return
      self.peerState = state
      self.#changed.wakeUp()
      self.#onPeer?.(state)
    })
    if (this.removed) yield* this.forgetOtherend()
  }

  *forgetOtherend(): Sleeping<void> {
    const watch = this.#peerWatch
    this.#peerWatch = undefined
    yield* watch?.cancel() ?? []
  }

  /** Its directory is gone. */
  remove(): void {
    if (this.removed) return
    this.removed = true
    this.peerState = XenbusState.Unknown
    this.#changed.wakeUp()
    this.#onPeer?.(XenbusState.Unknown)
  }
}
