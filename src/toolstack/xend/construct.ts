/** A domain comes into being (XendDomainInfo's start, _constructDomain, _initDomain; image.py). Whatever fails on the way, all of it is given back. */
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { access, stat } from '#user/libc/syscall.ts'
import { XcError } from '../libxc/error.ts'
import { pyReprOf, pyStr } from '../sxp/python-text.ts'
import { freeMemory } from './balloon.ts'
import { now } from './clock.ts'
import { STATE_CRASHED, STATE_HALTED } from './constants.ts'
import type { DomainInfo } from './domain-info.ts'
import { exceptionText, VmError, XendError } from './errors.ts'
import { refreshShutdown } from './shutdown.ts'
import { readable } from './store.ts'
import { storeDomDetails, storeVmDetails } from './store-details.ts'
import { uuidFromString } from './uuid.ts'

/** Guests have no room for more. */
const MAX_GUEST_CMDLINE = 1024
/** KiB that a domain takes beside its memory: freed first, so that making it does not fail. */
const DOMAIN_OVERHEAD = 2 * 1024
const PYGRUB = '/usr/bin/pygrub'
const X_OK = 1

/** Start a halted domain; it is paused then. After a failure nothing is left of it. */
export function* startDomain(vm: DomainInfo): Sys<void> {
  const state = yield* vm.state()
  if (state !== STATE_HALTED && state !== STATE_CRASHED) throw new XendError('VM already running')
  try {
    yield* constructDomain(vm)
    yield* initDomain(vm)
    yield* storeVmDetails(vm)
    yield* storeDomDetails(vm)
    yield* vm.registerWatches()
    yield* refreshShutdown(vm)
    yield* vm.xend.domains.saveManaged(vm)
    yield* vm.xend.domains.schedCreditSet(String(vm.domid), vm.config.weight, vm.config.cap)
  } catch (error) {
    yield* vm.xend.log.exception('XendDomainInfo:445', 'VM start failed', error)
    yield* vm.destroy()
    throw error
  }
}

/** The hypervisor's part, and an empty directory. */
function* constructDomain(vm: DomainInfo): Sys<void> {
  const { xend, config } = vm
  yield* xend.log.debug('XendDomainInfo:2028', 'XendDomainInfo.constructDomain')
  if (config.platform['image_type'] === 'hvm')
    throw new VmError('HVM guest support is unavailable: is VT/AMD-V supported by your CPU and enabled in your BIOS?')
  vm.shutdownStartTime = undefined
  yield* freeMemory(xend, DOMAIN_OVERHEAD)
  try {
    vm.domid = yield* xend.xc.domainCreate(uuidFromString(config.uuid))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new VmError(`Creating domain failed: name=${config.name}`)
  }
  yield* vm.recreateDom()
  yield* rethrown(xend.xc.domainMaxVcpus(vm.domid, config.vcpus))
  yield* xend.domains.add(vm)
}

/** Memory, kernel, channels, devices. */
function* initDomain(vm: DomainInfo): Sys<void> {
  const { xend, config } = vm
  const domid = vm.domid!
  yield* xend.log.debug('XendDomainInfo:2132', `XendDomainInfo.initDomain: ${domid} ${config.weight}`)
  try {
    yield* checkBootloader(vm)
    const type = config.platform['image_type']
    if (type !== undefined) throw new VmError(`unknown image type: ${pyStr(type)}`)
    yield* storeImage(vm)
    for (let v = 0; v < config.vcpus; v++) {
      const cpus = config.cpus[v] ?? []
      if (cpus.length > 0) yield* xend.xc.vcpuSetaffinity(domid, v, cpus)
    }
    const offset = config.platform['rtc_timeoffset']
    if (offset !== undefined) yield* xend.xc.domainSetTimeOffset(domid, Number(offset))
    const sizes = `shadow_memory=0x0, memory_static_max=0x${(config.memoryStaticMax * 1024).toString(16)}, memory_static_min=0x${(config.memoryStaticMin * 1024).toString(16)}.`
    yield* xend.log.debug('XendDomainInfo:2215', `_initDomain:${sizes}`)
    yield* xend.xc.domainSetmaxmem(domid, config.memoryStaticMax)
    // A page for each MiB, in case a device is passed through with VT-d; in whole MiB.
    const vtd = Math.ceil((4 * Math.floor(config.memoryStaticMax / 1024)) / 1024) * 1024
    yield* freeMemory(xend, config.memoryDynamicMax + vtd)
    config.shadowMemory = 0
    vm.storePort = yield* xend.xc.evtchnAllocUnbound(domid)
    vm.consolePort = yield* xend.xc.evtchnAllocUnbound(domid)
    yield* buildDomain(vm)
    yield* xend.store.introduceDomain(domid, vm.storeMfn!, vm.storePort)
    yield* createDevices(vm)
    config.startTime = yield* now()
  } catch (error) {
    yield* xend.log.exception('XendDomainInfo:2264', 'XendDomainInfo.initDomain: exception occurred', error)
    throw error instanceof OsError ? new VmError(exceptionText(error)) : error
  }
}

/** libxc's and xenstore's exceptions as VmError. */
function* rethrown<T>(call: Sys<T>): Sys<T> {
  try {
    return yield* call
  } catch (error) {
    throw error instanceof XcError ? new VmError(exceptionText(error)) : error
  }
}

/** Without a kernel of dom0's a boot loader has to find one on the domain's disk. */
function* checkBootloader({ config, xend }: DomainInfo): Sys<void> {
  if (config.bootloader === '' && config.kernel !== '') return
  if (![...config.devices.values()].some((device) => device.config['bootable'])) {
    const text = 'Had a bootloader specified, but no disks are bootable'
    yield* xend.log.error('XendDomainInfo:2565', text)
    throw new VmError(text)
  }
  const path = config.bootloader === '' || config.bootloader === 'pygrub' ? PYGRUB : config.bootloader
  try {
    yield* access(path, X_OK)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new VmError("Bootloader isn't executable")
  }
  // A known gap: it would have to run on a pseudo terminal that becomes the domain's console.
  throw new VmError(`This xend cannot run a boot loader: ${path}`)
}

function* storeImage(vm: DomainInfo): Sys<void> {
  const { config } = vm
  yield* vm.writeVm('image/ostype', 'linux')
  yield* vm.writeVm('image/kernel', config.kernel)
  yield* vm.writeVm('image/cmdline', config.args)
  yield* vm.writeVm('image/ramdisk', config.ramdisk)
  yield* vm.xend.store.setPermissions(`${vm.vmpath}/image/cmdline`, readable(vm.domid!))
}

function* isFile(path: string): Sys<boolean> {
  try {
    return ((yield* stat(path)).mode & S_IFMT) === S_IFREG
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}

/** image.py: the kernel gets into the domain's memory. */
function* buildDomain(vm: DomainInfo): Sys<void> {
  const { xend, config } = vm
  const { log } = xend
  const domid = vm.domid!
  if (!(yield* isFile(config.kernel))) throw new VmError(`Kernel image does not exist: ${config.kernel}`)
  if (config.ramdisk !== '' && !(yield* isFile(config.ramdisk)))
    throw new VmError(`Kernel ramdisk does not exist: ${config.ramdisk}`)
  if (config.args.length >= MAX_GUEST_CMDLINE) yield* log.warn('image:162', `kernel cmdline too long, domain ${domid}`)
  const memMb = Math.floor(config.memoryDynamicMax / 1024)
  yield* log.info('image:165', `buildDomain os=linux dom=${domid} vcpus=${config.vcpus}`)
  const shown: readonly (readonly [number, string, string | number | undefined])[] = [
    [631, 'domid         ', domid],
    [632, 'memsize       ', memMb],
    [633, 'image         ', config.kernel],
    [634, 'store_evtchn  ', vm.storePort],
    [635, 'console_evtchn', vm.consolePort],
    [636, 'cmdline       ', config.args],
    [637, 'ramdisk       ', config.ramdisk],
    [638, 'vcpus         ', config.vcpus],
    [639, 'features      ', config.features],
  ]
  for (const [line, name, value] of shown) yield* log.debug(`image:${line}`, `${name} = ${value}`)
  const built = yield* xend.xc.linuxBuild(domid, {
    memMb,
    image: config.kernel,
    ...(config.ramdisk !== '' && { ramdisk: config.ramdisk }),
    cmdline: config.args,
    features: config.features,
    flags: 0,
    storeEvtchn: vm.storePort!,
    consoleEvtchn: vm.consolePort!,
  })
  yield* xend.xc.domainSetPolicyCpuid(domid)
  vm.storeMfn = built.storeMfn
  vm.consoleMfn = built.consoleMfn
  config.notes = Object.fromEntries(built.notes)
  vm.nativeProtocol = built.nativeProtocol
}

function* createDevices(vm: DomainInfo): Sys<void> {
  for (const { cls, config } of vm.config.devices.values()) {
    yield* vm.xend.log.info('XendDomainInfo:1900', `createDevice: ${cls} : ${pyReprOf(config)}`)
    yield* vm.controller(cls).createDevice(config)
  }
}
