/** What a domain's two directories in the store say (XendDomainInfo's _storeVmDetails and _storeDomDetails), and what changes of theirs mean. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { floatStr } from '#lib/xmlrpc/float.ts'
import { pyReprOf } from '../sxp/python-text.ts'
import { fromString, toSxpString } from '../sxp/sxp.ts'
import type { DomainInfo } from './domain-info.ts'
import { readable, writeAllBelow } from './store.ts'
import { imageSxp, updateWithImage, type VmConfig } from './vm-config.ts'

/** `cpu/<n>/availability` of each vCPU. */
export function vcpuAvailability({ vcpus, vcpuAvail = 0 }: VmConfig): Record<string, string> {
  const values: Record<string, string> = {}
  for (let v = 0; v < vcpus; v++)
    values[`cpu/${v}/availability`] = Math.floor(vcpuAvail / 2 ** v) % 2 === 1 ? 'online' : 'offline'
  return values
}

/** /vm/UUID: the configuration. The guest may read its uuid, nothing else. */
export function* storeVmDetails(vm: DomainInfo): Sys<void> {
  const { config, vmpath, xend } = vm
  const values: Record<string, string> = {
    uuid: config.uuid,
    name: config.name,
    vcpus: String(config.vcpus),
    vcpu_avail: String(config.vcpuAvail ?? 0),
    shadow_memory: String(config.shadowMemory),
    on_poweroff: config.onPoweroff,
    on_crash: config.onCrash,
    on_reboot: config.onReboot,
    on_xend_start: config.onXendStart,
    on_xend_stop: config.onXendStop,
    image: toSxpString(imageSxp(config)),
  }
  if (config.startTime !== undefined) values['start_time'] = floatStr(config.startTime)
  if ((yield* vm.readVm('xend/restart_count')) === undefined) values['xend/restart_count'] = '0'
  yield* xend.log.debug('XendDomainInfo:2729', `Storing VM details: ${pyReprOf(values)}`)
  yield* xend.store.transaction((nodes) => writeAllBelow(nodes, vmpath, values))
  yield* xend.store.setPermissions(`${vmpath}/uuid`, readable(vm.domid!))
}

/** /local/domain/ID: what the guest needs. */
export function* storeDomDetails(vm: DomainInfo): Sys<void> {
  const { config, dompath, vmpath, xend } = vm
  const values: Record<string, string> = {
    domid: String(vm.domid),
    vm: vmpath,
    name: config.name,
    'console/limit': String(xend.options.consoleLimit * 1024),
    'memory/target': String(config.memoryDynamicMax),
  }
  const maybe = (name: string, value: number | string | undefined): void => {
    if (value !== undefined) values[name] = String(value)
  }
  maybe('console/port', vm.consolePort)
  maybe('console/ring-ref', vm.consoleMfn)
  maybe('console/type', 'xenconsoled')
  maybe('store/port', vm.storePort)
  maybe('store/ring-ref', vm.storeMfn)
  maybe('control/platform-feature-multiprocessor-suspend', 1)
  for (const [note, value] of Object.entries(config.notes ?? {})) {
    const name = note.toLowerCase().replace(/_/g, '-')
    if (name !== 'features') maybe(`image/${name}`, String(value))
    else
      for (const feature of String(value)
        .split('|')
        .filter((one) => one !== '')) {
        const no = feature.startsWith('!')
        maybe(`image/features/${feature.slice(no ? 1 : 0).replace(/_/g, '-')}`, no ? 0 : 1)
      }
  }
  Object.assign(values, vcpuAvailability(config))
  yield* xend.log.debug('XendDomainInfo:1359', `Storing domain details: ${pyReprOf(values)}`)
  yield* xend.store.transaction((nodes) => writeAllBelow(nodes, dompath, values))
}

/** /vm/UUID has changed: the record follows, and so does what is derived from it. */
export function* storeChanged(vm: DomainInfo): Sys<boolean> {
  if (vm.domid === undefined) return false
  const { config } = vm
  let changed = false
  const names = { name: 'name', on_poweroff: 'onPoweroff', on_reboot: 'onReboot', on_crash: 'onCrash' } as const
  for (const [name, key] of Object.entries(names) as [string, (typeof names)[keyof typeof names]][]) {
    const value = yield* vm.readVm(name)
    if (value === undefined || value === config[key]) continue
    config[key] = value
    changed = true
  }
  const image = yield* vm.readVm('image')
  if (image && image !== toSxpString(imageSxp(config))) {
    updateWithImage(config, fromString(image))
    changed = true
  }
  // The domain may have gone while the store answered.
  if (changed && vm.domid !== undefined) yield* storeDomDetails(vm)
  return true
}
