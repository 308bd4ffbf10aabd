/** The methods that xm calls (server/XMLRPCServer.py), by their names. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Float } from '#lib/xmlrpc/float.ts'
import { Fault, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { readFile } from '#user/libc/stdio.ts'
import { pyReprOf, pyStr } from '../sxp/python-text.ts'
import { isList, nameOf, type Sxp } from '../sxp/sxp.ts'
import { ERROR_INTERNAL, ERROR_INVALID_DOMAIN } from '../xmlrpc/client.ts'
import { DOM0_ID, POWER_STATES, SHUTDOWN_REASONS, STATE_CRASHED, STATE_RUNNING } from './constants.ts'
import type { Xend } from './context.ts'
import { BlkifController } from './controllers.ts'
import { addDevice, type DeviceValues } from './device-config.ts'
import type { DomainInfo } from './domain-info.ts'
import { domainSxp } from './domain-sxp.ts'
import { exceptionText, VmError, XendError } from './errors.ts'
import { nodeInfo } from './node.ts'
import { pyInt } from './vm-config.ts'

type Params = readonly XmlRpcValue[]
type Method = (xend: Xend, ...params: Params) => Sys<XmlRpcValue>

/** What clients send as a domain: a name, or a number. */
const domainArg = (value: XmlRpcValue): string => (typeof value === 'string' ? value : pyStr(value as number))
const textArg = domainArg
const intArg = (value: XmlRpcValue): number => pyInt(value as Sxp)
const flag = (value: XmlRpcValue): boolean => value !== undefined && value !== null && value !== 0 && value !== false

const shown = (vm: DomainInfo, full: XmlRpcValue): Sys<Sxp[]> =>
  domainSxp(vm, { devices: flag(full) ? 'connected' : 'none' })

/** A method of one domain, looked up after a refresh. */
const ofDomain = (method: (vm: DomainInfo, ...params: Params) => Sys<XmlRpcValue>): Method =>
  function* (xend, domain, ...params) {
    return yield* method(yield* xend.domains.domain(domainArg(domain)), ...params)
  }

/** Its value is None. */
const act = (method: (xend: Xend, domain: string, ...params: Params) => Sys<unknown>): Method =>
  function* (xend, domain, ...params) {
    yield* method(xend, domainArg(domain), ...params)
    return null
  }

function* domains(
  { domains: all }: Xend,
  detail: XmlRpcValue,
  state: XmlRpcValue,
  full: XmlRpcValue,
): Sys<XmlRpcValue> {
  const name = typeof state === 'number' ? (POWER_STATES[state] ?? '') : textArg(state)
  const list = yield* all.listSorted(name.toLowerCase())
  if (!flag(detail)) return list.map((vm) => vm.name)
  const sxps: Sxp[] = []
  for (const vm of list) sxps.push(yield* shown(vm, full))
  return sxps as XmlRpcValue
}

/** vCPUs of a domain, with what helps xm to print them. */
function* vcpuInfo(vm: DomainInfo): Sys<XmlRpcValue> {
  const { config, domid, xend } = vm
  const sxp: XmlRpcValue[] = ['domain', ['domid', domid], ['name', vm.name], ['vcpu_count', config.vcpus]]
  for (let v = 0; v < config.vcpus; v++) {
    const info =
      domid === undefined
        ? { online: false, blocked: false, running: false, cpuTime: 0, cpu: -1, cpumap: anywhere(config.cpus[v]) }
        : yield* xend.xc.vcpuGetinfo(domid, v)
    sxp.push([
      'vcpu',
      ['number', v],
      ['online', info.online ? 1 : 0],
      ['blocked', info.blocked ? 1 : 0],
      ['running', info.running ? 1 : 0],
      ['cpu_time', new Float(info.cpuTime / 1e9)],
      ['cpu', info.cpu | 0],
      ['cpumap', info.cpumap],
    ])
  }
  return sxp
}

const anywhere = (cpus: readonly number[] = []): readonly number[] =>
  cpus.length > 0 ? cpus : Array.from({ length: 64 }, (_, cpu) => cpu)

/** `xm block-attach`. */
function* deviceCreate(vm: DomainInfo, sxp: XmlRpcValue): Sys<XmlRpcValue> {
  const { log, domains: all } = vm.xend
  yield* log.debug('XendDomainInfo:628', `XendDomainInfo.device_create: ${pyReprOf(sxp as never)}`)
  const uuid = yield* addDevice(vm.config.devices, sxp as Sxp)
  const device = vm.config.devices.get(uuid)!
  const controller = vm.controller(device.cls)
  let devid: number | undefined
  if (vm.domid !== undefined) {
    try {
      devid = yield* controller.createDevice(device.config)
      yield* controller.waitForDevice(devid)
    } catch (error) {
      vm.config.devices.delete(uuid)
      throw error
    }
  }
  yield* all.saveManaged(vm)
  return controller.sxpr(devid) as XmlRpcValue
}

/** `xm block-detach`: with `forget`, wait until it is gone, and forget its configuration. */
function* destroyDevice(vm: DomainInfo, cls: string, name: string, force: boolean, forget: boolean): Sys<XmlRpcValue> {
  const controller = vm.controller(cls)
  const devid = yield* controller.deviceNumber(name)
  const back = vm.domid === undefined ? undefined : yield* controller.readFrontend(devid, 'backend')
  if (vm.domid !== undefined) {
    yield* vm.destroyDevice(cls, name, force)
    if (!force && forget && back !== undefined) yield* controller.waitForDestroyed(devid, back)
  }
  if (!forget) return null
  for (const [uuid, { config }] of vm.config.devices) {
    const dev = String(config['dev'] ?? '').replace(/:.*/, '')
    if (dev === '' || (yield* controller.deviceNumber(dev)) !== devid) continue
    vm.config.devices.delete(uuid)
    yield* vm.xend.domains.saveManaged(vm)
    return null
  }
  throw new XendError(`Device ${name} is not defined`)
}

/** Front ends as lists; of a halted domain, the configured devices. */
function* deviceSxprs(vm: DomainInfo, cls: string): Sys<XmlRpcValue> {
  if (cls === 'vif' || cls === 'tap' || cls === 'vtpm' || cls === 'pci' || cls === 'vscsi') return []
  if (vm.domid !== undefined) return (yield* vm.controller(cls).sxprs()) as XmlRpcValue
  const configured = [...vm.config.devices.values()].filter((device) => device.cls === cls)
  return configured.map((device, i) => [i, [cls, ...Object.entries(device.config)]])
}

/** The class of the disk `name`. */
function* blockDeviceClass(vm: DomainInfo, name: string): Sys<XmlRpcValue> {
  const controller = vm.controller('vbd')
  const devid = yield* controller.deviceNumber(name)
  for (const { cls, config } of vm.config.devices.values()) {
    const dev = String(config['dev'] ?? '').replace(/:.*/, '')
    if (dev !== '' && (yield* controller.deviceNumber(dev)) === devid) return cls
  }
  return null
}

function* deviceConfigure(vm: DomainInfo, sxp: XmlRpcValue): Sys<XmlRpcValue> {
  const controller = vm.controller(String(nameOf(sxp as Sxp)))
  const config: Record<string, string> = {}
  if (isList(sxp))
    for (const entry of sxp.slice(1)) if (isList(entry) && entry.length > 1) config[String(entry[0])] = String(entry[1])
  if (!(controller instanceof BlkifController)) throw new VmError(`${controller.cls} devices may not be reconfigured`)
  yield* controller.reconfigure(config as DeviceValues)
  return true
}

/** What is not there is refused, in words of its own. */
const missing = (what: string): Method =>
  function* () {
    throw new XendError(`${what} is not supported by this xend`)
  }

/** The same of one domain, once the domain itself is fit for it. */
const missingOf = (
  what: string,
  verb: string,
  unfit?: (vm: DomainInfo, domain: string) => Sys<string | undefined>,
): Method =>
  function* (xend, name) {
    const domain = domainArg(name)
    const vm = xend.domains.known(domain)
    if (vm.domid === DOM0_ID) throw new XendError(`Cannot ${verb} privileged domain ${domain}`)
    throw new XendError((unfit && (yield* unfit(vm, domain))) ?? `${what} is not supported by this xend`)
  }

function* notRunning(vm: DomainInfo): Sys<string | undefined> {
  return (yield* vm.state()) === STATE_RUNNING ? undefined : 'Domain is not running'
}

function* notSuspendable(vm: DomainInfo): Sys<string | undefined> {
  if (vm.xend.domains.isManaged(vm)) return yield* notRunning(vm)
  return (yield* notRunning(vm)) ?? 'Domain is not managed by Xend lifecycle support.'
}

function* notDumpable(vm: DomainInfo, domain: string): Sys<string | undefined> {
  return (yield* vm.isRunning(STATE_CRASHED)) ? undefined : `Domain '${domain}' is not started`
}

/** No domain is ever suspended. */
const resume: Method = function* (xend, name) {
  const vm = xend.domains.lookup(domainArg(name))
  const why = !vm
    ? `<Fault ${ERROR_INVALID_DOMAIN}: ${pyReprOf(domainArg(name))}>`
    : vm.domid === DOM0_ID
      ? `Cannot resume privileged domain ${domainArg(name)}`
      : 'Cannot resume domain that is not suspended.'
  throw new XendError(`Error occurred when resuming: ${why}`)
}

const none = (value: XmlRpcValue): number | undefined =>
  value === null || value === undefined ? undefined : intArg(value)

export const METHODS: Readonly<Record<string, Method>> = {
  'xend.domain': ofDomain((vm, full) => shown(vm, full) as Sys<XmlRpcValue>),
  'xend.domains': (xend, detail = true, full = false) => domains(xend, detail, 'running', full),
  'xend.domains_with_state': (xend, detail, state, full) => domains(xend, detail, state, full),
  'xend.domain.create': function* (xend, sxp) {
    return (yield* shown(yield* xend.domains.create(sxp as Sxp), true)) as XmlRpcValue
  },
  'xend.domain.restore': missing('Restoring a domain'),
  'xend.domain.save': missingOf('Saving a domain', 'save', notRunning),
  'xend.domain.migrate': missingOf('Migration', 'migrate', notRunning),
  'xend.domain.suspend': missingOf('Suspending a domain', 'suspend', notSuspendable),
  'xend.domain.resume': resume,
  'xend.domain.dump': missingOf('Dumping core', 'dump core for', notDumpable),

  'xend.domain.device_create': ofDomain(deviceCreate),
  'xend.domain.device_configure': ofDomain(deviceConfigure),
  'xend.domain.destroyDevice': ofDomain((vm, cls, name, force, forget) =>
    destroyDevice(vm, textArg(cls), textArg(name), flag(force), flag(forget)),
  ),
  'xend.domain.getDeviceSxprs': ofDomain((vm, cls) => deviceSxprs(vm, textArg(cls))),
  'xend.domain.getBlockDeviceClass': ofDomain((vm, name) => blockDeviceClass(vm, textArg(name))),
  'xend.domain.waitForDevices': ofDomain(function* (vm) {
    yield* vm.waitForDevices()
    return null
  }),
  'xend.domain.setMemoryTarget': ofDomain(function* (vm, mib) {
    yield* vm.setMemoryTarget(intArg(mib))
    return null
  }),
  'xend.domain.setName': ofDomain(function* (vm, name) {
    yield* vm.setName(textArg(name))
    return null
  }),
  'xend.domain.setVCpuCount': ofDomain(function* (vm, vcpus) {
    yield* vm.setVcpuCount(intArg(vcpus))
    return null
  }),
  'xend.domain.shutdown': ofDomain(function* (vm, reason) {
    yield* vm.shutdown(textArg(reason), SHUTDOWN_REASONS)
    return null
  }),
  'xend.domain.send_sysrq': ofDomain(function* (vm, key) {
    yield* vm.sendSysrq(textArg(key))
    return null
  }),
  'xend.domain.getVCPUInfo': ofDomain(vcpuInfo),
  'xend.domain.getRestartCount': ofDomain((vm) => vm.readVm('xend/restart_count')),

  'xend.domain.new': function* (xend, sxp) {
    yield* xend.domains.new(sxp as Sxp)
    return null
  },
  'xend.domain.start': act((xend, domain, paused = true) => xend.domains.start(domain, flag(paused))),
  'xend.domain.delete': act((xend, domain) => xend.domains.delete(domain)),
  'xend.domain.pause': function* (xend, domain, state) {
    const before = yield* xend.domains.pause(domainArg(domain))
    return flag(state) ? before : null
  },
  'xend.domain.unpause': act((xend, domain) => xend.domains.unpause(domain)),
  'xend.domain.destroy': act((xend, domain) => xend.domains.destroy(domain)),
  'xend.domain.reset': act((xend, domain) => xend.domains.reset(domain)),
  'xend.domain.maxmem_set': act((xend, domain, mib) => xend.domains.known(domain).setMemoryMaximum(intArg(mib))),
  'xend.domain.pincpu': (xend, domain, vcpu, cpus) =>
    xend.domains.pinCpu(domainArg(domain), textArg(vcpu), (isList(cpus) ? cpus : []).map(pyInt)),
  'xend.domain.sched_credit_get': (xend, domain) =>
    xend.domains.schedCreditGet(domainArg(domain)) as Sys<{ weight: number; cap: number }>,
  'xend.domain.sched_credit_set': (xend, domain, weight, cap) =>
    xend.domains.schedCreditSet(domainArg(domain), none(weight), none(cap)),
  'xend.domain.send_trigger': act((xend, domain, name, vcpu = 0) =>
    xend.domains.sendTrigger(domain, textArg(name), intArg(vcpu)),
  ),
  'xend.domain.cpu_sedf_get': missing('The sedf scheduler'),
  'xend.domain.cpu_sedf_set': missing('The sedf scheduler'),

  'xend.node.info': (xend) => nodeInfo(xend.xc) as Sys<XmlRpcValue>,
  'xend.node.dmesg.info': (xend) => xend.xc.readConsoleRing(false),
  'xend.node.dmesg.clear': (xend) => xend.xc.readConsoleRing(true),
  'xend.node.log': (xend) => readFile(xend.log.path),
  'xend.node.send_debug_keys': function* (xend, keys) {
    yield* xend.xc.sendDebugKeys(textArg(keys))
    return null
  },
  *'system.listMethods'() {
    return Object.keys(METHODS).sort()
  },
}

/** The method's value; Fault for what xend refuses. */
export function* dispatch(xend: Xend, name: string, params: Params): Sys<XmlRpcValue> {
  // Own members only: a client may say anything.
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
  if (!method) throw new Fault(ERROR_INTERNAL, `method "${name}" is not supported`)
  return yield* method(xend, ...params)
}

/** What was no Fault: xend logs it, and says what it was. */
export function* internalError(xend: Xend, name: string, error: unknown): Sys<Fault> {
  yield* xend.log.exception('xmlrpclib2:184', `Internal error handling ${name}`, error)
  return new Fault(ERROR_INTERNAL, exceptionText(error))
}
