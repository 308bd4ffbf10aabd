/** A xend that starts finds domains that run already (XendDomainInfo's recreate): it learns what they are, or gives back what is left of them. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { XcDominfo } from '../libxc/domain.ts'
import { fromString } from '../sxp/sxp.ts'
import { DOM0_ID, XS_VMROOT } from './constants.ts'
import type { Xend } from './context.ts'
import { DEVICE_CLASSES } from './device-config.ts'
import { DomainInfo, freeVmPath } from './domain-info.ts'
import { VmError } from './errors.ts'
import { refreshShutdown } from './shutdown.ts'
import { domainPath } from './store.ts'
import { storeDomDetails, storeVmDetails } from './store-details.ts'
import { uuidToString } from './uuid.ts'
import { configFromInfo, leftoverConfig, updateWithImage, type VmConfig } from './vm-config.ts'

/** A record of the running domain `info`. VmError if it is no whole domain. */
export function* recreate(xend: Xend, info: XcDominfo, name: string | undefined): Sys<void> {
  const { domid } = info
  const uuid = uuidToString(info.handle)
  const dompath = domainPath(domid)
  yield* xend.log.debug('XendDomainInfo:137', `XendDomainInfo.recreate(domid=${domid})`)
  const config = configFromInfo(info, name)
  yield* xend.log.info('XendDomainInfo:153', `Recreating domain ${domid}, UUID ${uuid}. at ${dompath}`)
  const vmpath = yield* xend.store.read(`${dompath}/vm`)
  const stored = vmpath === undefined ? undefined : yield* xend.store.read(`${vmpath}/uuid`)
  const whole = stored === uuid && (yield* xend.store.read(`${dompath}/domid`)) !== undefined
  if (!whole && domid !== DOM0_ID) {
    // xend writes the details last: another one was killed while it made this domain.
    if (vmpath !== undefined) throw new VmError(`Domain ${domid} has not been completed.`)
    yield* xend.log.warn(
      'XendDomainInfo:168',
      `/local/domain/${domid}/vm is missing. recreate is confused, trying our best to recover`,
    )
  }
  const vm = new DomainInfo(xend, config, vmpath ?? (yield* freeVmPath(xend, uuid)), domid)
  yield* augment(vm)
  vm.checkName(config.name)
  if (!whole) {
    yield* vm.recreateDom()
    yield* xend.store.rm(vm.vmpath)
    yield* storeVmDetails(vm)
    yield* storeDomDetails(vm)
  }
  yield* vm.registerWatches()
  yield* xend.domains.add(vm)
  yield* refreshShutdown(vm, info)
}

/** What xend once wrote into the store, and what the hypervisor knows of the vCPUs. */
function* augment(vm: DomainInfo): Sys<void> {
  const { config, xend, domid } = vm
  const dom0 = domid === DOM0_ID
  const texts = ['name', 'on_poweroff', 'on_reboot', 'on_crash', 'on_xend_start', 'on_xend_stop'] as const
  const keys = ['name', 'onPoweroff', 'onReboot', 'onCrash', 'onXendStart', 'onXendStop'] as const
  for (let i = 0; i < texts.length; i++) config[keys[i]!] = (yield* vm.readVm(texts[i]!)) ?? config[keys[i]!]
  const start = yield* vm.readVm('start_time')
  if (start !== undefined) config.startTime = Number(start)
  const avail = yield* vm.readVm('vcpu_avail')
  if (avail !== undefined && !dom0) config.vcpuAvail = Number(avail)
  const cpus: (readonly number[])[] = []
  for (let v = 0; v < config.vcpus; v++) cpus.push((yield* xend.xc.vcpuGetinfo(domid!, v)).cpumap)
  config.cpus = cpus
  if (dom0) {
    config.vcpus = config.info!.nrOnlineVcpus
    config.vcpuAvail = 2 ** config.vcpus - 1
    return
  }
  const image = yield* vm.readVm('image')
  if (image) updateWithImage(config, fromString(image))
  vm.nativeProtocol = undefined
  yield* readDevices(vm, config)
  yield* vm.updateConsole()
}

function* readDevices(vm: DomainInfo, config: VmConfig): Sys<void> {
  for (const cls of DEVICE_CLASSES) {
    for (const [, found] of yield* vm.controller(cls).configurations()) {
      const first = cls === 'vbd' && ![...config.devices.values()].some((device) => device.cls === 'vbd')
      const values = cls === 'vbd' ? { ...found, bootable: first ? 1 : 0, driver: 'paravirtualised' } : found
      config.devices.set(String(found['uuid'] ?? `${cls}${config.devices.size}`), { cls, config: values })
    }
  }
}

/** Gives back what there is of a domain that is none. */
export function* discard(xend: Xend, info: Pick<XcDominfo, 'domid' | 'handle'>): Sys<void> {
  const vmpath = (yield* xend.store.read(`${domainPath(info.domid)}/vm`)) ?? `${XS_VMROOT}${uuidToString(info.handle)}`
  const vm = new DomainInfo(xend, leftoverConfig(info.domid), vmpath, info.domid)
  yield* vm.destroy()
}

/** Directories of domains that are gone: the xend that was to remove them was killed. Their back ends let go of what they hold. */
export function* sweepLeftovers(xend: Xend, infos: readonly XcDominfo[]): Sys<void> {
  const { store } = xend
  const alive = new Set<string>()
  for (const { domid, dying } of infos) if (!dying) alive.add(String(domid))
  const used = new Set<string>()
  for (const id of yield* store.list('/local/domain')) {
    const vmpath = yield* store.read(`${domainPath(Number(id))}/vm`)
    if (alive.has(id)) used.add(vmpath ?? '')
    else if (/^\d+$/.test(id))
      yield* new DomainInfo(xend, leftoverConfig(Number(id)), vmpath ?? '/vm/-', Number(id)).cleanupDomain()
  }
  for (const name of yield* store.list(XS_VMROOT.slice(0, -1)))
    if (!used.has(`${XS_VMROOT}${name}`)) yield* store.rm(`${XS_VMROOT}${name}`)
}
