/** One domain (xen.xend.XendDomainInfo): its record, its directories in the store, its devices, its end. construct.ts makes it. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Condition, Lock } from '#user/libc/threads.ts'
import type { XcDominfo } from '../libxc/domain.ts'
import {
  DOM0_ID,
  type PowerState,
  STATE_CRASHED,
  STATE_HALTED,
  STATE_PAUSED,
  STATE_RUNNING,
  XS_VMROOT,
} from './constants.ts'
import type { Xend } from './context.ts'
import { makeController } from './controllers.ts'
import type { DevController, DeviceOwner } from './dev-controller.ts'
import { DEVICE_CLASSES, type DeviceClass, isDeviceClass } from './device-config.ts'
import { exceptionText, VmError, XendError } from './errors.ts'
import { domGet } from './hypervisor.ts'
import { handleShutdownWatch, refreshShutdown } from './shutdown.ts'
import { domainPath, owned, type Watch } from './store.ts'
import { storeChanged, vcpuAvailability } from './store-details.ts'
import { setMemory, updateWithInfo, type VmConfig } from './vm-config.ts'

export class DomainInfo implements DeviceOwner {
  readonly xend: Xend
  config: VmConfig
  /** Undefined while it is not running. */
  domid: number | undefined
  vmpath: string
  storePort: number | undefined
  storeMfn: number | undefined
  consolePort: number | undefined
  consoleMfn: number | undefined
  nativeProtocol: string | undefined
  shutdownStartTime: number | undefined
  vmWatch: Watch | undefined
  shutdownWatch: Watch | undefined
  /** The console is one of its devices: its port stays while it runs. */
  consoleKnown = false
  /** Somebody acts upon its shutdown already. */
  ending = false
  /** A thread waits for its shutdown to be overdue. */
  shutdownTimer = false
  /** It is no running domain any more. */
  readonly gone: Condition = new Condition()
  /** Held while its state is looked at and acted upon. */
  readonly refreshLock: Lock = new Lock()
  readonly #controllers: Map<DeviceClass, DevController> = new Map()

  constructor(xend: Xend, config: VmConfig, vmpath: string, domid?: number) {
    this.xend = xend
    this.config = config
    this.vmpath = vmpath
    this.domid = domid
  }

  get name(): string {
    return this.config.name
  }

  get uuid(): string {
    return this.config.uuid
  }

  get dompath(): string {
    return domainPath(this.domid ?? -1)
  }

  /** Halted, running and so on, as the hypervisor has it at this moment. */
  *state(): Sys<PowerState> {
    const info = yield* domGet(this.xend.xc, this.domid)
    if (!info || info.shutdown) return STATE_HALTED
    return info.crashed ? STATE_CRASHED : info.paused ? STATE_PAUSED : STATE_RUNNING
  }

  *isRunning(...more: readonly PowerState[]): Sys<boolean> {
    const state = yield* this.state()
    return state === STATE_RUNNING || state === STATE_PAUSED || more.includes(state)
  }

  /** Names are letters, digits and _-.:/+, and belong to one domain. */
  checkName(name: string): void {
    if (name === '') throw new VmError('Missing VM Name')
    if (!/^[A-Za-z0-9_\-.:/+]+$/.test(name)) throw new VmError('Invalid VM Name')
    const other = this.xend.domains.lookup(name)
    if (other && other.uuid !== this.uuid)
      throw new VmError(
        `VM name '${name}' already exists${other.domid === undefined ? '' : ` as domain ${other.domid}`}`,
      )
  }

  // The two directories.

  readVm(name: string): Sys<string | undefined> {
    return this.xend.store.read(`${this.vmpath}/${name}`)
  }

  writeVm(name: string, value: string): Sys<void> {
    return this.xend.store.write(`${this.vmpath}/${name}`, value)
  }

  removeVm(name: string): Sys<void> {
    return this.xend.store.rm(`${this.vmpath}/${name}`)
  }

  readDom(name: string): Sys<string | undefined> {
    return this.xend.store.read(`${this.dompath}/${name}`)
  }

  writeDom(name: string, value: string): Sys<void> {
    return this.xend.store.write(`${this.dompath}/${name}`, value)
  }

  /** An empty directory that the domain owns. */
  *recreateDom(): Sys<void> {
    const { dompath, domid, vmpath } = this
    yield* this.xend.store.transaction(function* (nodes) {
      yield* nodes.rm(dompath)
      yield* nodes.mkdir(dompath)
      yield* nodes.setPermissions(dompath, owned(domid!))
      yield* nodes.write(`${dompath}/vm`, vmpath)
    })
  }

  *registerWatches(): Sys<void> {
    const { store } = this.xend
    this.vmWatch = yield* store.watch(this.vmpath, () => storeChanged(this))
    this.shutdownWatch = yield* store.watch(`${this.dompath}/control/shutdown`, () => handleShutdownWatch(this))
  }

  *unwatchVm(): Sys<void> {
    const watch = this.vmWatch
    this.vmWatch = undefined
    if (watch) yield* this.#quietly('XendDomainInfo:2668', 'Unwatching VM path failed.', this.xend.store.unwatch(watch))
  }

  *#unwatchShutdown(): Sys<void> {
    const watch = this.shutdownWatch
    this.shutdownWatch = undefined
    if (watch)
      yield* this.#quietly('XendDomainInfo:2311', 'Unwatching control/shutdown failed.', this.xend.store.unwatch(watch))
  }

  /** What must not stop the rest. */
  *#quietly(where: string, text: string, act: Sys<unknown>): Sys<void> {
    try {
      yield* act
    } catch (error) {
      yield* this.xend.log.exception(where, text, error)
    }
  }

  // What xm asks for.

  /** Figures of a refresh; then whether it has shut down. */
  *update(info: XcDominfo, refresh: boolean): Sys<void> {
    updateWithInfo(this.config, info)
    yield* this.updateConsole()
    if (refresh) yield* refreshShutdown(this, info)
  }

  /** The console as a device, once its port is in the store. */
  *updateConsole(): Sys<void> {
    if (this.domid === undefined || this.domid === DOM0_ID || this.consoleKnown) return
    const port = yield* this.readDom('console/port')
    if (port === undefined) return
    const known = [...this.config.devices.values()].find(({ cls }) => cls === 'console')
    if (known) known.config = { ...known.config, location: port }
    else yield* this.xend.domains.addConsole(this, port)
    this.consoleKnown = true
  }

  *shutdown(reason: string, reasons: readonly string[]): Sys<void> {
    yield* this.xend.log.debug('XendDomainInfo:472', `XendDomainInfo.shutdown(${reason})`)
    if ((yield* this.state()) === STATE_HALTED) throw new XendError('Domain cannot be shutdown')
    if (this.domid === DOM0_ID) throw new XendError('Domain 0 cannot be shutdown')
    if (!reasons.includes(reason)) throw new XendError(`Invalid reason: ${reason}`)
    yield* this.removeVm('xend/previous_restart_time')
    yield* this.writeDom('control/shutdown', reason)
  }

  *pause(): Sys<void> {
    yield* this.#hypervisor(this.xend.xc.domainPause(this.domid!), 'XendDomainInfo:501', 'Domain unable to be paused')
  }

  *unpause(): Sys<void> {
    yield* this.#hypervisor(
      this.xend.xc.domainUnpause(this.domid!),
      'XendDomainInfo:513',
      'Domain unable to be unpaused',
    )
  }

  *#hypervisor(call: Sys<void>, where: string, text: string): Sys<void> {
    try {
      yield* call
    } catch (error) {
      yield* this.xend.log.exception(where, exceptionText(error), error)
      throw new XendError(`${text}: ${exceptionText(error)}`)
    }
  }

  *sendSysrq(key: string): Sys<void> {
    if (!(yield* this.isRunning())) throw new XendError(`Domain '${this.name}' is not started`)
    if (key.length !== 1) throw new XendError(`'${key}' is not convertible to a character`)
    yield* this.writeDom('control/sysrq', key)
  }

  *setName(name: string): Sys<void> {
    this.checkName(name)
    this.config.name = name
    yield* this.writeVm('name', name)
  }

  /** In MiB. The guest's balloon driver reads it from the store. */
  *setMemoryTarget(mib: number): Sys<void> {
    const { log, options, domains } = this.xend
    const text = `Setting memory target of domain ${this.name} (${this.domid}) to ${mib} MiB.`
    yield* log.debug('XendDomainInfo:1023', text)
    if (this.domid === DOM0_ID && mib < this.config.memoryDynamicMax / 1024 && options.dom0MinMem > mib)
      throw new XendError('memory_dynamic_max too small')
    setMemory(this.config, { memoryDynamicMin: mib * 1024 })
    setMemory(this.config, { memoryDynamicMax: mib * 1024 })
    if (this.domid !== undefined) {
      yield* this.writeVm('memory', String(mib))
      yield* this.writeDom('memory/target', String(mib * 1024))
    }
    yield* domains.saveManaged(this)
  }

  *setMemoryMaximum(mib: number): Sys<void> {
    const text = `Setting memory maximum of domain ${this.name} (${this.domid}) to ${mib} MiB.`
    yield* this.xend.log.debug('XendDomainInfo:1046', text)
    const before = this.config.memoryStaticMax
    setMemory(this.config, { memoryStaticMax: mib * 1024 })
    if (this.domid === undefined) return yield* this.xend.domains.saveManaged(this)
    try {
      yield* this.xend.xc.domainSetmaxmem(this.domid, mib * 1024)
    } catch (error) {
      this.config.memoryStaticMax = before
      throw new XendError(exceptionText(error))
    }
  }

  *setVcpuCount(vcpus: number): Sys<void> {
    if (vcpus <= 0) throw new XendError('Invalid VCPUs')
    this.config.vcpuAvail = 2 ** Math.min(vcpus, 32) - 1
    if (this.domid === undefined) this.config.vcpus = vcpus
    else {
      yield* this.writeVm('vcpu_avail', String(this.config.vcpuAvail))
      for (const [name, value] of Object.entries(vcpuAvailability(this.config))) yield* this.writeDom(name, value)
    }
    yield* this.xend.domains.saveManaged(this)
    yield* this.xend.log.info('XendDomainInfo:1532', `Set VCPU count on domain ${this.name} to ${vcpus}`)
  }

  // Devices.

  controller(cls: string): DevController {
    if (!isDeviceClass(cls)) throw new XendError(`Unknown device type: ${cls}`)
    let controller = this.#controllers.get(cls)
    if (!controller) {
      controller = makeController(this.xend, this, cls)
      this.#controllers.set(cls, controller)
    }
    return controller
  }

  *waitForDevices(): Sys<void> {
    for (const cls of DEVICE_CLASSES) yield* this.controller(cls).waitForDevices()
  }

  *destroyDevice(cls: string, name: string, force: boolean): Sys<void> {
    const text = `XendDomainInfo.destroyDevice: deviceClass = ${cls}, device = ${name}`
    yield* this.xend.log.debug('XendDomainInfo:887', text)
    const controller = this.controller(cls)
    yield* controller.destroyDevice(yield* controller.deviceNumber(name), force)
  }

  /** All devices are told to close. Never fails. */
  *releaseDevices(): Sys<void> {
    const { log, store } = this.xend
    yield* log.debug('XendDomainInfo:1944', 'No device model')
    yield* log.debug('XendDomainInfo:1946', 'Releasing devices')
    for (const cls of DEVICE_CLASSES) {
      for (const devid of yield* store.list(`${this.dompath}/device/${cls}`)) {
        yield* log.debug('XendDomainInfo:1952', `Removing ${cls}/${devid}`)
        const failed = `Device release failed: ${this.name}; ${cls}; ${cls}/${devid}`
        yield* this.#quietly('XendDomainInfo:1957', failed, this.destroyDevice(cls, `${cls}/${devid}`, false))
      }
    }
  }

  // The end.

  /** All that the running domain had in the store. Never fails; may be done twice. */
  *cleanupDomain(): Sys<void> {
    yield* this.xend.threads.locked(this.refreshLock, () => this.#cleanupDomain())
  }

  *#cleanupDomain(): Sys<void> {
    if (this.domid === undefined) return
    yield* this.#unwatchShutdown()
    yield* this.releaseDevices()
    yield* this.#quietly('XendDomainInfo:2291', 'Removing domain path failed.', this.xend.store.rm(this.dompath))
    this.domid = undefined
    this.consoleKnown = false
    this.config.info = undefined
    this.gone.notify()
  }

  /** Everything is given back. Never fails. */
  *destroy(): Sys<void> {
    if (this.domid === undefined) return
    yield* this.xend.log.debug('XendDomainInfo:2389', `XendDomainInfo.destroy: domid=${this.domid}`)
    yield* this.unwatchVm()
    yield* this.#quietly('XendDomainInfo:2641', 'Removing VM path failed.', this.xend.store.rm(this.vmpath))
    yield* this.destroyDomain()
  }

  *destroyDomain(): Sys<void> {
    const { domid } = this
    if (domid === undefined) return
    yield* this.xend.log.debug('XendDomainInfo:2406', `XendDomainInfo.destroyDomain(${domid})`)
    const text = 'XendDomainInfo.destroy: xc.domain_destroy failed.'
    yield* this.#quietly('XendDomainInfo:2418', text, this.xend.xc.domainDestroy(domid))
    yield* this.xend.domains.remove(this, domid)
    yield* this.cleanupDomain()
  }
}

/** /vm/UUID; with -1, -2 and so on behind it if another domain still has that. */
export function* freeVmPath(xend: Xend, uuid: string): Sys<string> {
  for (let i = 0; ; i++) {
    const path = `${XS_VMROOT}${uuid}${i === 0 ? '' : `-${i}`}`
    if ((yield* xend.store.read(`${path}/uuid`)) === undefined) return path
  }
}

/** A record of a domain that does not run; VmError if its name cannot be. */
export function* dormant(xend: Xend, config: VmConfig): Sys<DomainInfo> {
  const vm = new DomainInfo(xend, config, yield* freeVmPath(xend, config.uuid))
  vm.checkName(config.name)
  return vm
}
