/** All domains (xen.xend.XendDomain): those that run, by id, and those that xend manages, by uuid; and what xm does with one of them. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Lock } from '#user/libc/threads.ts'
import type { XcDominfo } from '../libxc/domain.ts'
import { pyReprOf } from '../sxp/python-text.ts'
import type { Sxp } from '../sxp/sxp.ts'
import {
  DOM0_ID,
  DOM0_NAME,
  POWER_STATES,
  type PowerState,
  STATE_CRASHED,
  STATE_HALTED,
  STATE_PAUSED,
  STATE_RUNNING,
  TRIGGERS,
  XS_VMROOT,
} from './constants.ts'
import { startDomain } from './construct.ts'
import type { Xend } from './context.ts'
import { type DomainInfo, dormant } from './domain-info.ts'
import { exceptionText, VmError, XendError, XendInvalidDomain } from './errors.ts'
import { loadManaged, removeManaged, saveManaged } from './managed.ts'
import { discard, recreate, sweepLeftovers } from './recreate.ts'
import { resetDomain } from './shutdown.ts'
import { owned } from './store.ts'
import { createUuid } from './uuid.ts'
import { configFromSxp, type VmConfig } from './vm-config.ts'

/** xen.lowlevel.xc.domain_getinfo asks for so many. */
const DOMAINS_MAX = 1024

export class XendDomain {
  readonly #xend: Xend
  readonly #running: Map<number, DomainInfo> = new Map()
  readonly #managed: Map<string, DomainInfo> = new Map()
  /** Held while a domain is made, and while the list is brought up to date. */
  readonly #lock: Lock = new Lock()

  constructor(xend: Xend) {
    this.#xend = xend
  }

  /** What runs already becomes known: domain 0, and what an earlier xend has left. */
  *init(): Sys<void> {
    const { store } = this.#xend
    yield* store.mkdir(XS_VMROOT.slice(0, -1))
    yield* store.setPermissions(XS_VMROOT.slice(0, -1), owned(DOM0_ID))
    yield* this.#locked(() => this.#init())
  }

  *#init(): Sys<void> {
    const { store, log, options } = this.#xend
    const infos = yield* this.#getinfo()
    const dom0 = infos.find(({ domid }) => domid === DOM0_ID)
    if (!dom0) throw new XendError('Unable to find Domain 0')
    yield* recreate(this.#xend, dom0, DOM0_NAME)
    yield* log.debug('XendDomain:383', `number of vcpus to use is ${options.dom0Cpus}`)
    if (options.dom0Cpus > 0) yield* this.dom0.setVcpuCount(options.dom0Cpus)
    // Before the first refresh, so that no release is missed.
    yield* store.watch('@introduceDomain', () => this.#changed())
    yield* store.watch('@releaseDomain', () => this.#changed())
    yield* sweepLeftovers(this.#xend, infos)
    for (const info of infos) if (info.domid !== DOM0_ID) yield* this.#adopt(info)
    for (const config of yield* loadManaged(this.#xend)) yield* this.#manage(config)
  }

  *#adopt(info: XcDominfo): Sys<void> {
    const { log } = this.#xend
    if (info.dying) return yield* log.warn('XendDomain:171', `Ignoring dying domain ${info.domid} from now on`)
    try {
      yield* recreate(this.#xend, info, undefined)
    } catch (error) {
      yield* log.exception('XendDomain:420', 'Unable to recreate domain', error)
      if (error instanceof VmError) yield* discard(this.#xend, info)
    }
  }

  *#manage(config: VmConfig): Sys<void> {
    try {
      const running = this.lookup(config.name)
      this.#managed.set(config.uuid, running ?? (yield* dormant(this.#xend, config)))
    } catch (error) {
      const text = `Failed to create reference to managed domain: ${config.name}`
      yield* this.#xend.log.exception('XendDomain:204', text, error)
    }
  }

  *#locked<T>(body: () => Sys<T>): Sys<T> {
    return yield* this.#xend.threads.locked(this.#lock, body)
  }

  *#changed(): Sys<boolean> {
    yield* this.refresh(true)
    return true
  }

  *#getinfo(): Sys<readonly XcDominfo[]> {
    return yield* this.#xend.xc.domainGetinfo(0, DOMAINS_MAX)
  }

  /** Follow what the hypervisor says; with `shutdown`, act where a domain has shut down. */
  *refresh(shutdown: boolean): Sys<void> {
    yield* this.#locked(() => this.#refresh(shutdown))
  }

  *#refresh(shutdown: boolean): Sys<void> {
    for (const info of yield* this.#getinfo()) {
      const known = this.#running.get(info.domid)
      if (known) yield* known.update(info, shutdown)
      else if (!info.dying) yield* this.#adopt(info)
    }
    const alive = new Set<number>()
    for (const info of yield* this.#getinfo()) if (!info.dying) alive.add(info.domid)
    for (const [domid, vm] of [...this.#running])
      if (domid !== DOM0_ID && !alive.has(domid)) yield* this.remove(vm, domid)
  }

  get dom0(): DomainInfo {
    return this.#running.get(DOM0_ID)!
  }

  *add(vm: DomainInfo): Sys<void> {
    yield* this.#xend.log.debug('XendDomain:447', `Adding Domain: ${vm.domid}`)
    this.#running.set(vm.domid!, vm)
    if (this.#managed.has(vm.uuid)) this.#managed.set(vm.uuid, vm)
  }

  /** It does not run any more, or never has: its directory goes, too. */
  *remove(vm: DomainInfo, domid: number): Sys<void> {
    if (this.#running.get(domid) === vm) this.#running.delete(domid)
    yield* vm.unwatchVm()
    yield* vm.cleanupDomain()
  }

  /** By name first, running before halted; then by id, then by uuid. */
  lookup(domain: string): DomainInfo | undefined {
    const running = [...this.#running.values()]
    const managed = [...this.#managed.values()]
    const named = (vm: DomainInfo): boolean => vm.name === domain
    return (
      running.find(named) ??
      managed.find(named) ??
      (/^\s*[-+]?\d+\s*$/.test(domain) ? this.#running.get(Number(domain)) : undefined) ??
      running.find(({ uuid }) => uuid === domain) ??
      this.#managed.get(domain)
    )
  }

  known(domain: string): DomainInfo {
    const vm = this.lookup(domain)
    if (!vm) throw new XendInvalidDomain(domain)
    return vm
  }

  /** After a look at the hypervisor. */
  *domain(domain: string): Sys<DomainInfo> {
    yield* this.refresh(false)
    return this.known(domain)
  }

  /** Sorted by name; `state` is a power state's name, or `all`. */
  *listSorted(state: string): Sys<DomainInfo[]> {
    yield* this.refresh(false)
    const running = [...this.#running.values()]
    const uuids = new Set(running.map(({ uuid }) => uuid))
    const all = [...running, ...[...this.#managed.values()].filter(({ uuid }) => !uuids.has(uuid))]
    const wanted: DomainInfo[] = []
    for (const vm of all) {
      if (state === 'all' || POWER_STATES[yield* vm.state()].toLowerCase() === state) wanted.push(vm)
    }
    return wanted.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }

  // Making domains.

  *create(sxp: Sxp): Sys<DomainInfo> {
    return yield* this.#locked(() => this.#create(sxp))
  }

  *#create(sxp: Sxp): Sys<DomainInfo> {
    yield* this.#refresh(true)
    const config = yield* configFromSxp(sxp)
    const byName = this.lookup(config.name)
    const other = byName?.domid === undefined ? this.lookup(config.uuid) : byName
    if (other?.domid !== undefined) throw new VmError(`Domain '${config.name}' already exists with ID '${other.domid}'`)
    yield* this.#xend.log.debug('XendDomainInfo:89', `XendDomainInfo.create(${pyReprOf(sxp as never)})`)
    return yield* this.#start(config)
  }

  *createFromConfig(config: VmConfig): Sys<DomainInfo> {
    yield* this.#xend.log.debug('XendDomainInfo:110', `XendDomainInfo.create_from_dict(${config.name})`)
    return yield* this.#locked(() => this.#start(config))
  }

  *#start(config: VmConfig): Sys<DomainInfo> {
    const vm = yield* dormant(this.#xend, config)
    try {
      yield* startDomain(vm)
    } catch (error) {
      yield* this.#xend.log.exception('XendDomainInfo:94', 'Domain construction failed', error)
      yield* vm.destroy()
      throw error
    }
    return vm
  }

  /** The console as a device of the domain. */
  *addConsole(vm: DomainInfo, port: string): Sys<void> {
    const config = { uuid: yield* createUuid(), protocol: 'vt100', location: port }
    vm.config.devices.set(config.uuid, { cls: 'console', config })
    yield* vm.controller('console').createDevice(config)
  }

  // Managed domains.

  isManaged(vm: DomainInfo): boolean {
    return this.#managed.has(vm.uuid)
  }

  *saveManaged(vm: DomainInfo): Sys<void> {
    if (this.isManaged(vm)) yield* saveManaged(this.#xend, vm)
  }

  *new(sxp: Sxp): Sys<void> {
    const vm = yield* dormant(this.#xend, yield* configFromSxp(sxp))
    yield* this.#xend.log.debug('XendDomain:999', `Creating new managed domain: ${vm.name}`)
    this.#managed.set(vm.uuid, vm)
    yield* this.saveManaged(vm)
  }

  *start(domain: string, paused: boolean): Sys<void> {
    const vm = yield* this.#locked(() => this.#startManaged(domain))
    try {
      yield* vm.waitForDevices()
    } catch (error) {
      yield* this.#xend.log.warn('XendDomain:1041', `Failed to setup devices for ${vm.name}: ${exceptionText(error)}`)
      yield* vm.destroy()
      throw error
    }
    if (!paused) yield* vm.unpause()
  }

  *#startManaged(domain: string): Sys<DomainInfo> {
    yield* this.#refresh(true)
    const vm = this.known(domain)
    if ((yield* vm.state()) !== STATE_HALTED) throw new XendError('Domain is already running')
    vm.ending = false
    yield* startDomain(vm)
    return vm
  }

  *delete(domain: string): Sys<void> {
    const vm = this.known(domain)
    if ((yield* vm.state()) !== STATE_HALTED) throw new XendError('Domain is not halted.')
    yield* this.#xend.log.info('XendDomain:1089', `Domain ${vm.name} (${vm.uuid}) deleted.`)
    if (this.#managed.delete(vm.uuid)) yield* removeManaged(this.#xend, vm)
  }

  /** Start what is to be started with xend. */
  *autostart(): Sys<void> {
    for (const vm of [...this.#managed.values()])
      if (vm.config.onXendStart === 'start' && (yield* vm.state()) === STATE_HALTED) yield* this.start(vm.uuid, false)
  }

  /** End what is to end with xend. */
  *cleanup(): Sys<void> {
    yield* this.#xend.log.debug('XendDomain:615', 'cleanup_domains')
    for (const vm of [...this.#running.values()]) {
      if (vm.domid === DOM0_ID || (yield* vm.state()) !== STATE_RUNNING) continue
      if (vm.config.onXendStop === 'shutdown') {
        yield* this.#xend.log.debug('XendDomain:626', `Shutting down domain: ${vm.name}`)
        yield* vm.shutdown('poweroff', ['poweroff'])
      } else yield* this.#xend.log.debug('XendDomain:631', `Domain ${vm.name} continues to run.`)
    }
  }

  // What xm does with a domain.

  /** The domain, if it is not domain 0 and in one of the states. */
  *#usable(domain: string, verb: string, ...states: readonly PowerState[]): Sys<DomainInfo> {
    const vm = this.known(domain)
    if (vm.domid === DOM0_ID) throw new XendError(`Cannot ${verb} privileged domain ${domain}`)
    if (!states.includes(yield* vm.state())) throw new XendError(`Domain '${domain}' is not started`)
    return vm
  }

  *unpause(domain: string): Sys<void> {
    const vm = yield* this.#usable(domain, 'unpause', STATE_PAUSED, STATE_RUNNING)
    yield* this.#xend.log.info('XendDomain:1171', `Domain ${vm.name} (${vm.domid}) unpaused.`)
    yield* vm.unpause()
  }

  /** What it was before. */
  *pause(domain: string): Sys<PowerState> {
    const vm = yield* this.#usable(domain, 'pause', STATE_RUNNING, STATE_PAUSED, STATE_CRASHED)
    yield* this.#xend.log.info('XendDomain:1205', `Domain ${vm.name} (${vm.domid}) paused.`)
    const state = yield* vm.state()
    if (state === STATE_RUNNING) yield* vm.pause()
    return state
  }

  *destroy(domain: string): Sys<void> {
    const vm = this.lookup(domain)
    if (vm?.domid === DOM0_ID) throw new XendError(`Cannot destroy privileged domain ${domain}`)
    if (vm) return yield* vm.destroy()
    // One that only the hypervisor knows.
    if (!/^\d+$/.test(domain)) throw new XendInvalidDomain(domain)
    try {
      yield* this.#xend.xc.domainDestroy(Number(domain))
    } catch (error) {
      throw new XendError(exceptionText(error))
    }
  }

  /** Destroyed, and made again from the same configuration. */
  *reset(domain: string): Sys<void> {
    const vm = yield* this.#usable(domain, 'reset', STATE_RUNNING, STATE_PAUSED)
    yield* resetDomain(vm)
  }

  *sendTrigger(domain: string, name: string, vcpu: number): Sys<void> {
    const vm = this.known(domain)
    if (!(yield* vm.isRunning())) throw new XendError(`Domain '${domain}' is not started`)
    const trigger = TRIGGERS[name.toLowerCase()]
    if (trigger === undefined) throw new XendError(`Invalid trigger: ${name}`)
    try {
      yield* this.#xend.xc.domainSendTrigger(vm.domid!, trigger, vcpu)
    } catch (error) {
      throw new XendError(exceptionText(error))
    }
  }

  *pinCpu(domain: string, vcpu: string, cpus: readonly number[]): Sys<number> {
    const vm = this.known(domain)
    const { config } = vm
    const everyone = vcpu.toLowerCase() === 'all'
    if (!everyone && !/^\s*[-+]?\d+\s*$/.test(vcpu)) throw new Error(`invalid literal for int(): ${vcpu}`)
    const running = yield* vm.isRunning()
    const all = Array.from({ length: config.vcpus }, (_, v) => config.cpus[v] ?? [])
    for (const v of everyone ? all.keys() : [Number(vcpu)]) {
      try {
        if (running) yield* this.#xend.xc.vcpuSetaffinity(vm.domid!, v, cpus)
        if (!(v in all)) throw new RangeError('list assignment index out of range')
      } catch (error) {
        throw new XendError(`Cannot pin vcpu: ${v} to cpu: ${pyReprOf(cpus)} - ${exceptionText(error)}`)
      }
      all.splice(v, 1, cpus)
    }
    config.cpus = all
    yield* this.saveManaged(vm)
    return 0
  }

  *schedCreditGet(domain: string): Sys<{ weight: number; cap: number }> {
    const vm = this.known(domain)
    if (!(yield* vm.isRunning())) return { weight: vm.config.weight, cap: vm.config.cap }
    try {
      return yield* this.#xend.xc.schedCreditGet(vm.domid!)
    } catch (error) {
      throw new XendError(exceptionText(error))
    }
  }

  /** What is undefined stays as it is. */
  *schedCreditSet(domain: string, weight: number | undefined, cap: number | undefined): Sys<number> {
    const vm = this.known(domain)
    const { config } = vm
    if (weight !== undefined && (weight < 1 || weight > 65535)) throw new XendError('weight is out of range')
    if (cap !== undefined && (cap < 0 || cap > config.vcpus * 100)) throw new XendError('cap is out of range')
    // Xen takes these values for "as it was".
    const parameters = { weight: weight ?? 0, cap: cap ?? 0xffff }
    try {
      if (yield* vm.isRunning()) yield* this.#xend.xc.schedCreditSet(vm.domid!, parameters)
    } catch (error) {
      throw new XendError(exceptionText(error))
    }
    config.weight = weight ?? config.weight
    config.cap = cap ?? config.cap
    yield* this.saveManaged(vm)
    return 0
  }
}
