/**
 * Which split devices there are (linux-2.6.18-xen: drivers/xen/xenbus/xenbus_probe.c, xenbus_probe_backend.c): one half's directories below `device`, the
 * other's below `backend`, found at the start and by a watch on each.
 */
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import { Errno } from '../errno.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import { hotplug } from '../sched/usermodehelper.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import { type BusType, Device, readState } from './device.ts'
import { quietly, type XenstoreClient } from './store.ts'
import type { Xenbus, XenbusDriver } from './xenbus.ts'

const FRONTENDS: BusType = {
  name: 'xen',
  root: 'device',
  levels: 2,
  otherend: { id: 'backend-id', path: 'backend' },
}
const BACKENDS: BusType = {
  name: 'xen-backend',
  root: 'backend',
  levels: 3,
  otherend: { id: 'frontend-id', path: 'frontend' },
}
const NS = 1_000_000_000
const WAIT_SECONDS = 300
const WAIT_STEP_SECONDS = 5

interface Bus {
  readonly type: BusType
  readonly drivers: Map<string, XenbusDriver>
  /** By nodename. */
  readonly devices: Map<string, Device>
}

const busOf = (type: BusType): Bus => ({ type, drivers: new Map(), devices: new Map() })

export class XenbusProbe implements Xenbus {
  readonly store: XenstoreClient
  readonly #kernel: Kernel
  readonly #frontends = busOf(FRONTENDS)
  readonly #backends = busOf(BACKENDS)
  /** register_xenstore_notifier: called once xenstored is there. */
  readonly #notifiers: (() => Sleeping<void>)[] = []
  #begun = false
  /** A device has come, gone, or changed its state. */
  readonly #changed = new WaitQueue()

  constructor(kernel: Kernel, store: XenstoreClient) {
    this.#kernel = kernel
    this.store = store
  }

  /** xenstored is there: look what it has. From interrupt context too. */
  begin(): void {
    this.store.ready = true
    this.store.schedule(() => this.#probe())
  }

  /** `callback` runs in xenwatch once xenstored is there. */
  onReady(callback: () => Sleeping<void>): void {
    if (this.#begun) this.store.schedule(callback)
    else this.#notifiers.push(callback)
  }

  registerFrontend(driver: XenbusDriver): void {
    this.#register(this.#frontends, driver)
  }

  registerBackend(driver: XenbusDriver): void {
    this.#register(this.#backends, driver)
  }

  /** Of both buses, by the bus's name: for sysfs. */
  devices(bus: 'xen' | 'xen-backend'): readonly Device[] {
    return [...(bus === 'xen' ? this.#frontends : this.#backends).devices.values()]
  }

  driverNames(bus: 'xen' | 'xen-backend'): Iterable<string> {
    return (bus === 'xen' ? this.#frontends : this.#backends).drivers.keys()
  }

  #register(bus: Bus, driver: XenbusDriver): void {
    bus.drivers.set(driver.devicetype, driver)
    for (const device of bus.devices.values()) this.#attach(bus, device)
  }

  *#probe(): Sleeping<void> {
    for (const bus of [this.#frontends, this.#backends])
      yield* quietly(this.store.watch(bus.type.root, (path) => this.#devChanged(bus, path)))
    for (const bus of [this.#frontends, this.#backends]) yield* quietly(this.#scan(bus))
    this.#begun = true
    this.#changed.wakeUp()
    for (const notify of this.#notifiers) yield* quietly(notify())
  }

  /** xenbus_probe_devices: all that is below the bus's root. */
  *#scan(bus: Bus): Sleeping<void> {
    const { store } = this
    function* below(path: string, levels: number): Sleeping<string[]> {
      if (levels === 0) return [path]
      const found: string[] = []
      let names: readonly string[] = []
      try {
        names = yield* store.directory(path)
      } catch (error) {
        if (!(error instanceof Errno)) throw error
      }
      for (const name of names) found.push(...(yield* below(`${path}/${name}`, levels - 1)))
      return found
    }
    for (const nodename of yield* below(bus.type.root, bus.type.levels)) yield* this.#probeNode(bus, nodename)
  }

  /** dev_changed: something at or below a device's directory. */
  *#devChanged(bus: Bus, path: string): Sleeping<void> {
    const parts = path.split('/')
    if (parts[0] !== bus.type.root) return
    if (!(yield* this.store.exists(path))) {
      // xenbus_cleanup_devices: the node and all below it.
      for (const [nodename, device] of [...bus.devices])
        if (nodename === path || nodename.startsWith(`${path}/`)) yield* this.#remove(bus, device)
      return
    }
    if (parts.length <= bus.type.levels) return
    yield* this.#probeNode(bus, parts.slice(0, bus.type.levels + 1).join('/'))
  }

  /** xenbus_probe_node: only what is new. */
  *#probeNode(bus: Bus, nodename: string): Sleeping<void> {
    if (bus.devices.has(nodename)) return
    const state = yield* readState(this.store, nodename)
    if (state !== XenbusState.Initialising || bus.devices.has(nodename)) return
    const device = new Device(this.#kernel, this.store, bus.type, nodename)
    bus.devices.set(nodename, device)
    this.#hotplug('add', device)
    this.#attach(bus, device)
    this.#changed.wakeUp()
  }

  /** A driver is there for it: its life begins. */
  #attach(bus: Bus, device: Device): void {
    const driver = bus.drivers.get(device.devicetype)
    if (!driver || device.driver || device.removed) return
    device.driver = driver
    const self = this
    this.#kernel.sched.kthread(device.busId, function* () {
      yield* self.#live(bus, device, driver)
    })
  }

  /** xenbus_dev_probe, and what follows. */
  *#live(bus: Bus, device: Device, driver: XenbusDriver): Sleeping<void> {
    let failed = false
    device.live = true
    try {
      yield* device.findOtherend()
      yield* device.watchOtherend()
      yield* driver.run(device)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      failed = true
      yield* device.error(error.errno, `xenbus_dev_probe on ${device.nodename}`)
      yield* quietly(device.switchState(XenbusState.Closed))
    }
    yield* device.forgetOtherend()
    device.live = false
    // device_unregister: a front end, or what no driver wanted, stays as long as its directory does.
    if (device.removed || (bus === this.#backends && !failed)) this.#unregister(bus, device)
  }

  *#remove(bus: Bus, device: Device): Sleeping<void> {
    device.remove()
    // Its driver may have much to put away yet; the nodename is free for another at once.
    if (bus.devices.get(device.nodename) === device) bus.devices.delete(device.nodename)
    yield* device.forgetOtherend()
    if (!device.live) this.#hotplug('remove', device)
    this.#changed.wakeUp()
  }

  #unregister(bus: Bus, device: Device): void {
    if (bus.devices.get(device.nodename) === device) bus.devices.delete(device.nodename)
    this.#hotplug('remove', device)
    this.#changed.wakeUp()
  }

  /** xenbus_uevent_backend */
  #hotplug(action: 'add' | 'remove', { bus, devicetype, nodename, busId }: Device): void {
    if (bus !== BACKENDS) return
    hotplug(this.#kernel, action, bus.name, `/devices/${bus.name}/${busId}`, [
      `XENBUS_TYPE=${devicetype}`,
      `XENBUS_PATH=${nodename}`,
      `XENBUS_BASE_PATH=${bus.root}`,
    ])
  }

  /** wait_for_devices: the root may be on one of them. */
  *waitForDevices(): Sleeping<void> {
    const { sched, log, time } = this.#kernel
    while (!this.#begun) yield* sched.sleepOn(this.#changed, { interruptible: false })
    const start = time.nowNs()
    let waited = 0
    for (;;) {
      const connecting = this.devices('xen').filter(({ driver, state }) => driver && state < XenbusState.Connected)
      if (connecting.length === 0) break
      const queues = [this.#changed, ...connecting.map(({ changed }) => changed)]
      const next = start + (waited + WAIT_STEP_SECONDS) * NS
      if (time.nowNs() < next) {
        yield* sched.sleepOn(queues, { timeoutNs: next - time.nowNs() })
        continue
      }
      if (waited === 0) log.printk('<4>XENBUS: Waiting for devices to initialise: ')
      waited += WAIT_STEP_SECONDS
      log.printk(`${WAIT_SECONDS - waited}s...`)
      if (waited === WAIT_SECONDS) break
    }
    if (waited > 0) log.printk('\n')
    for (const { driver, nodename, state, peerState } of this.devices('xen')) {
      if (!driver) log.printk(`<6>XENBUS: Device with no driver: ${nodename}\n`)
      else if (state < XenbusState.Connected)
        log.printk(
          `<4>XENBUS: Timeout connecting to device: ${nodename} (local state ${state}, remote state ${peerState})\n`,
        )
    }
  }
}

/** boot_wait_for_devices, the last of the initcalls. */
export const waitForDevicesInit: Initcall = function* (kernel) {
  if (!kernel.dom0) yield* (kernel.xenbus as XenbusProbe | undefined)?.waitForDevices() ?? []
}
