/** Devices of a domain in the store (server/DevController.py): their directories are what makes the drivers on both sides set them up. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import { Condition } from '#user/libc/threads.ts'
import { pyReprOf } from '../sxp/python-text.ts'
import type { Sxp } from '../sxp/sxp.ts'
import { DEVICE_CREATE_TIMEOUT, DEVICE_DESTROY_TIMEOUT } from './constants.ts'
import type { Xend } from './context.ts'
import type { DeviceClass, DeviceValues } from './device-config.ts'
import { VmError } from './errors.ts'
import { domainPath, listRecursive, type Nodes, owned, type Tree, writeAllBelow } from './store.ts'

/** As much of a domain as its devices need. */
export interface DeviceOwner {
  readonly domid: number | undefined
  readonly name: string
  readonly vmpath: string
  /** The guest's layout of rings, where the builder knew it. */
  readonly nativeProtocol: string | undefined
}

/** How the wait for a back end ended, by the numbers in the log. */
const CONNECTED = 1
const ERROR = 2
const TIMEOUT = 4
const BUSY = 5
const DISCONNECTED = 6

export interface DeviceDetails {
  readonly devid: number
  readonly back: Record<string, string>
  readonly front: Record<string, string>
}

export abstract class DevController {
  readonly xend: Xend
  readonly vm: DeviceOwner
  readonly cls: DeviceClass
  /** Whether hotplug scripts set up the back end. */
  readonly hotplug: boolean

  constructor(xend: Xend, vm: DeviceOwner, cls: DeviceClass, hotplug: boolean) {
    this.xend = xend
    this.vm = vm
    this.cls = cls
    this.hotplug = hotplug
  }

  /** What is particular to the class; VmError if the configuration makes no sense. */
  abstract details(config: DeviceValues): Sys<DeviceDetails>
  /** The configuration as the store has it, to make the device again from. */
  abstract configuration(devid: number): Sys<DeviceValues>
  /** A device's number from what a person calls it. */
  abstract deviceNumber(name: string): Sys<number>

  /** Write both directories in one transaction; the value is the device's number. */
  *createDevice(config: DeviceValues): Sys<number> {
    const { store, log, domains } = this.xend
    const { devid, back, front } = yield* this.details(config)
    const backend = String(config['backend'] ?? '')
    const backDomain = backend === '' ? 0 : domains.lookup(backend)?.domid
    if (backDomain === undefined) throw new VmError(`Cannot configure device for unknown backend ${backend}`)
    const domid = this.vm.domid!
    const frontPath = this.frontendPath(devid)
    const backPath = `${domainPath(backDomain)}/backend/${this.cls}/${domid}/${devid}`
    front['backend'] = backPath
    front['backend-id'] = String(backDomain)
    front['state'] = String(XenbusState.Initialising)
    if (this.vm.nativeProtocol !== undefined) front['protocol'] ??= this.vm.nativeProtocol
    Object.assign(back, { domain: this.vm.name, frontend: frontPath, 'frontend-id': String(domid) })
    Object.assign(back, { state: String(XenbusState.Initialising), online: '1' })
    // A disk by its name in the guest, too.
    const shown = back['dev'] === undefined ? `${devid} (${this.cls})` : `${back['dev']} (${devid}, ${this.cls})`
    let said = false
    const ids = this.deviceIds.bind(this)
    yield* store.transaction(function* (nodes): Sys<void> {
      if ((yield* ids(nodes)).includes(devid)) throw new VmError(`Device ${shown} is already connected.`)
      if (!said) {
        yield* log.debug('DevController:121', `DevController: writing ${pyReprOf(front)} to ${frontPath}.`)
        yield* log.debug('DevController:123', `DevController: writing ${pyReprOf(back)} to ${backPath}.`)
        said = true
      }
      yield* nodes.rm(frontPath)
      yield* nodes.rm(backPath)
      yield* nodes.mkdir(backPath)
      yield* nodes.setPermissions(backPath, owned(backDomain, domid))
      yield* nodes.mkdir(frontPath)
      yield* nodes.setPermissions(frontPath, owned(domid, backDomain))
      yield* writeAllBelow(nodes, frontPath, front)
      yield* writeAllBelow(nodes, backPath, back)
    })
    return devid
  }

  /** Until the back end of each device is there. VmError if that fails; the device is then gone. */
  *waitForDevices(): Sys<void> {
    yield* this.xend.log.debug('DevController:155', `Waiting for devices ${this.cls}.`)
    for (const devid of yield* this.deviceIds()) yield* this.waitForDevice(devid)
  }

  *waitForDevice(devid: number): Sys<void> {
    yield* this.xend.log.debug('DevController:160', `Waiting for ${devid}.`)
    if (!this.hotplug) return
    const back = yield* this.xend.store.read(`${this.frontendPath(devid)}/backend`)
    const failed = `Device ${devid} (${this.cls}) could not be connected.`
    // Nothing to destroy: it has gone already.
    if (back === undefined) throw new VmError(`${failed} Device not found.`)
    const status = yield* this.#hotplugStatus(back)
    if (status === CONNECTED) return
    const error = yield* this.xend.store.read(`${back}/hotplug-error`)
    yield* this.destroyDevice(devid, false)
    if (status === TIMEOUT) throw new VmError(`${failed} Hotplug scripts not working.`)
    if (status === BUSY) throw new VmError(`${failed}\n${error ?? 'Busy.'}`)
    throw new VmError(`${failed} ${error ?? 'Backend device not found.'}`)
  }

  *#hotplugStatus(back: string): Sys<number> {
    const { log, store } = this.xend
    const path = `${back}/hotplug-status`
    return yield* this.#untilWatched(path, DEVICE_CREATE_TIMEOUT, TIMEOUT, function* () {
      yield* log.debug('DevController:645', `hotplugStatusCallback ${path}.`)
      const value = yield* store.read(path)
      if (value === undefined) return undefined
      const status = value === 'error' ? ERROR : value === 'busy' ? BUSY : CONNECTED
      yield* log.debug('DevController:659', `hotplugStatusCallback ${status}.`)
      return status
    })
  }

  /** Until the back end's scripts have cleaned up after it. */
  *waitForDestroyed(devid: number, back: string): Sys<void> {
    const { log, store } = this.xend
    yield* log.debug('DevController:196', `Waiting for ${devid} - destroyDevice.`)
    if (!this.hotplug) return
    const path = `${back}/hotplug-status`
    const status = yield* this.#untilWatched(path, DEVICE_DESTROY_TIMEOUT, TIMEOUT, function* () {
      yield* log.debug('DevController:666', `deviceDestroyCallback ${path}.`)
      if ((yield* store.read(path)) !== undefined) return undefined
      yield* log.debug('DevController:675', `deviceDestroyCallback ${DISCONNECTED}.`)
      return DISCONNECTED
    })
    if (status === TIMEOUT) throw new VmError(`Device ${devid} (${this.cls}) could not be disconnected. `)
  }

  /** Asks `answer` whenever `path` changes until it has one; `late` after so many seconds. */
  *#untilWatched(path: string, seconds: number, late: number, answer: () => Sys<number | undefined>): Sys<number> {
    const { store, threads } = this.xend
    const condition = new Condition()
    let result: number | undefined
    const watch = yield* store.watch(path, function* () {
      result = yield* answer()
      if (result === undefined) return true
      condition.notify()
      return false
    })
    // The watch's first event comes by itself, so a value that is there already is seen.
    if (result === undefined) yield* threads.wait({ condition, timeoutMs: seconds * 1000 })
    yield* store.unwatch(watch)
    return result ?? late
  }

  /** Tell both sides to close. By force: take both directories away at once. */
  *destroyDevice(devid: number, force: boolean): Sys<void> {
    const { store } = this.xend
    const front = this.frontendPath(devid)
    const back = yield* store.read(`${front}/backend`)
    if (back === undefined) throw new VmError(`Device ${devid} not connected`)
    // In this order: the drivers watch the state.
    yield* store.write(`${back}/online`, '0')
    yield* store.write(`${back}/state`, String(XenbusState.Closing))
    if (force) {
      yield* store.rm(back)
      yield* store.rm(front)
    }
    yield* store.rm(`${this.vm.vmpath}/device/${this.cls}/${devid}`)
  }

  /** Numbers of the devices that domain 0 is the back end of. */
  *deviceIds(nodes: Nodes = this.xend.store): Sys<number[]> {
    return (yield* nodes.list(`${domainPath(0)}/backend/${this.cls}/${this.vm.domid}`)).map(Number)
  }

  /** All devices as `(vbd (uname ...) ...)`. */
  *configurations(): Sys<[DeviceClass, DeviceValues][]> {
    const all: [DeviceClass, DeviceValues][] = []
    for (const devid of yield* this.deviceIds()) all.push([this.cls, yield* this.configuration(devid)])
    return all
  }

  /** The front ends' directories as lists: what `xm block-list` looks at. */
  sxprs(): Sys<Tree> {
    return listRecursive(this.xend.store, this.frontendRoot)
  }

  sxpr(devid: number | undefined): Sxp {
    return [this.cls, ['dom', this.vm.domid, 'id', devid]]
  }

  get frontendRoot(): string {
    return `${domainPath(this.vm.domid!)}/device/${this.cls}`
  }

  frontendPath(devid: number): string {
    return `${this.frontendRoot}/${devid}`
  }

  *readFrontend(devid: number, name: string): Sys<string | undefined> {
    return yield* this.xend.store.read(`${this.frontendPath(devid)}/${name}`)
  }

  *readBackend(devid: number, name: string): Sys<string | undefined> {
    const back = yield* this.readFrontend(devid, 'backend')
    if (back === undefined) throw new VmError(`Device ${devid} not connected`)
    return yield* this.xend.store.read(`${back}/${name}`)
  }

  /** The next number of a class that counts its devices. */
  *allocateDeviceId(): Sys<number> {
    const path = `${domainPath(this.vm.domid!)}/device-misc/${this.cls}/nextDeviceID`
    return yield* this.xend.store.transaction(function* (nodes) {
      const next = Number((yield* nodes.read(path)) ?? 0)
      yield* nodes.write(path, String(next + 1))
      return next
    })
  }
}
