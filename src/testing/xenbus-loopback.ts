/**
 * For tests of split drivers: both halves in one kernel, joined without Xen and without xenstored. The tree is a map, a watch is a wake-up, an event
 * channel a call of the other end's handler.
 */
import { ENOENT } from '#abi/posix/errno.ts'
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import { fail } from '#kernel/errno.ts'
import type { Interrupts, Kernel } from '#kernel/kernel.ts'
import { type Sleeping, WaitQueue } from '#kernel/sched/wait.ts'
import type { Xenbus, XenbusDevice, XenbusDriver, Xenstore } from '#kernel/xenbus/xenbus.ts'
import { LOOPBACK_DOMID } from './fake-grants.ts'

type Events = Pick<Interrupts, 'bindListening' | 'bindInterdomain' | 'notify' | 'unbind'>

/** Event channels between drivers of this kernel; an event to an end that nobody has is lost. */
function joinEvents(kernel: Kernel): ReadonlyMap<number, unknown> {
  const ends = new Map<number, { handler: () => void; other: number }>()
  let next = 100
  const events: Events = {
    bindListening(_domid, _name, handler) {
      ends.set(next, { handler, other: 0 })
      return next++
    },
    bindInterdomain(_domid, remotePort, _name, handler) {
      const far = ends.get(remotePort)
      if (far?.other !== 0) fail(22)
      far!.other = next
      ends.set(next, { handler, other: remotePort })
      return next++
    },
    notify: (port) => ends.get(ends.get(port)?.other ?? 0)?.handler(),
    unbind(port) {
      const end = ends.get(port)
      ends.delete(port)
      const far = end && ends.get(end.other)
      if (far) far.other = 0
    },
  }
  Object.assign(kernel.irq, events)
  return ends
}

class LoopDevice implements XenbusDevice {
  readonly devicetype = 'vbd'
  readonly nodename: string
  readonly otherend: string
  readonly otherendId = LOOPBACK_DOMID
  removed = false
  readonly #bus: Loopback
  #onPeer: ((state: XenbusState) => void) | undefined
  #lastPeer: XenbusState = XenbusState.Unknown

  constructor(bus: Loopback, nodename: string, otherend: string) {
    this.#bus = bus
    this.nodename = nodename
    this.otherend = otherend
  }

  get state(): XenbusState {
    return this.#stateAt(this.nodename)
  }
  get peerState(): XenbusState {
    return this.removed ? XenbusState.Unknown : this.#stateAt(this.otherend)
  }
  #stateAt(path: string): XenbusState {
    return Number(this.#bus.tree.get(`${path}/state`) ?? 0) as XenbusState
  }
  *read(key: string): Sleeping<string | undefined> {
    return this.#bus.tree.get(`${this.nodename}/${key}`)
  }
  *readPeer(key: string): Sleeping<string | undefined> {
    return this.#bus.tree.get(`${this.otherend}/${key}`)
  }
  *publish(keys: Readonly<Record<string, string | number>>): Sleeping<void> {
    for (const [key, value] of Object.entries(keys)) this.#bus.set(`${this.nodename}/${key}`, String(value))
  }
  *switchState(state: XenbusState): Sleeping<void> {
    if (this.#bus.tree.has(`${this.nodename}/state`)) this.#bus.set(`${this.nodename}/state`, String(state))
  }
  *untilPeer(...states: readonly XenbusState[]): Sleeping<XenbusState> {
    for (;;) {
      const { peerState } = this
      if (peerState === XenbusState.Unknown || peerState === XenbusState.Closed || states.includes(peerState))
        return peerState
      yield* this.#bus.sleep()
    }
  }
  *untilKey(key: string): Sleeping<string | undefined> {
    while (!this.removed) {
      const value = this.#bus.tree.get(`${this.nodename}/${key}`)
      if (value !== undefined) return value
      yield* this.#bus.sleep()
    }
    return undefined
  }
  onPeerChange(changed: (state: XenbusState) => void): void {
    this.#onPeer = changed
    this.#lastPeer = this.peerState
  }
  looked(): void {
    const { peerState } = this
    if (peerState === this.#lastPeer) return
    this.#lastPeer = peerState
    this.#onPeer?.(peerState)
  }
  *fatal(errno: number, text: string): Sleeping<void> {
    yield* this.error(errno, text)
    yield* this.switchState(XenbusState.Closing)
  }
  *error(errno: number, text: string): Sleeping<void> {
    this.#bus.set(`error/${this.nodename}/error`, `${errno} ${text}`)
  }
}

export class Loopback implements Xenbus {
  readonly store: Xenstore = undefined as unknown as Xenstore
  /** Every key with its value. */
  readonly tree = new Map<string, string>()
  /** Ports that are bound. */
  readonly ports: ReadonlyMap<number, unknown>
  readonly #kernel: Kernel
  readonly #changed = new WaitQueue()
  readonly #drivers: Record<'device' | 'backend', XenbusDriver | undefined> = { device: undefined, backend: undefined }
  readonly #devices = new Set<LoopDevice>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.ports = joinEvents(kernel)
  }

  registerFrontend(driver: XenbusDriver): void {
    this.#drivers.device = driver
  }
  registerBackend(driver: XenbusDriver): void {
    this.#drivers.backend = driver
  }

  /** As the tool stack, a script or a hostile half would. */
  set(path: string, value: string | undefined): void {
    if (value === undefined) this.tree.delete(path)
    else this.tree.set(path, value)
    this.#changed.wakeUp()
    for (const device of this.#devices) device.looked()
  }

  /** Remove a half's directory. */
  remove(nodename: string): void {
    for (const path of [...this.tree.keys()]) if (path.startsWith(`${nodename}/`)) this.tree.delete(path)
    for (const device of this.#devices) if (device.nodename === nodename) device.removed = true
    this.set('', undefined)
  }

  *sleep(): Sleeping<void> {
    yield* this.#kernel.sched.sleepOn(this.#changed, { interruptible: false })
  }

  /** Start one half of a device: its driver's thread. `ended` once it has run to its end. */
  start(bus: 'device' | 'backend', nodename: string, otherend: string, keys: Readonly<Record<string, string>>) {
    for (const [key, value] of Object.entries({ ...keys, state: '1' })) this.tree.set(`${nodename}/${key}`, value)
    const device = new LoopDevice(this, nodename, otherend)
    this.#devices.add(device)
    const life = { device, ended: false }
    const driver = this.#drivers[bus] ?? fail(ENOENT)
    this.#kernel.sched.kthread(`${bus}-thread`, function* () {
      yield* driver.run(device)
      life.ended = true
    })
    return life
  }
}
