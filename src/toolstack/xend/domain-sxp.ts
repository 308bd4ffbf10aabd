/** A domain as `xm list --long` shows it (XendConfig.to_sxp). The order is that of Python 2.4's dictionaries. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Float } from '#lib/xmlrpc/float.ts'
import type { Sxp } from '../sxp/sxp.ts'
import { DEVICE_CLASSES, type DeviceClass, type DeviceValues, deviceSxp } from './device-config.ts'
import type { DomainInfo } from './domain-info.ts'
import { imageSxp } from './vm-config.ts'

export interface Shown {
  /** As the store has them; as they were configured; not at all. */
  readonly devices: 'connected' | 'configured' | 'none'
}

export function* domainSxp(vm: DomainInfo, { devices }: Shown): Sys<Sxp[]> {
  const { config, domid } = vm
  const { info } = config
  const sxp: Sxp[] = ['domain']
  if (domid !== undefined) sxp.push(['domid', domid])
  sxp.push(
    ['on_crash', config.onCrash],
    ['uuid', config.uuid],
    ['bootloader_args', config.bootloaderArgs],
    ['vcpus', config.vcpus],
    ['name', config.name],
    ['on_poweroff', config.onPoweroff],
    ['on_reboot', config.onReboot],
    ['bootloader', config.bootloader],
    ['maxmem', Math.floor(config.memoryStaticMax / 1024)],
    ['memory', Math.floor(config.memoryDynamicMax / 1024)],
    ['shadow_memory', config.shadowMemory],
    ['features', config.features],
    ['on_xend_start', config.onXendStart],
    ['on_xend_stop', config.onXendStop],
  )
  if (config.startTime !== undefined) sxp.push(['start_time', new Float(config.startTime)])
  if (info) sxp.push(['cpu_time', new Float(info.cpuTime / 1e9)], ['online_vcpus', info.nrOnlineVcpus])
  sxp.push(['image', imageSxp(config)], ['status', yield* vm.state()])
  if (domid !== undefined) sxp.push(['state', oldStateString(vm)])
  if (vm.storeMfn !== undefined) sxp.push(['store_mfn', vm.storeMfn])
  if (vm.consoleMfn !== undefined) sxp.push(['console_mfn', vm.consoleMfn])
  if (devices !== 'none')
    for (const device of yield* deviceList(vm, devices === 'connected')) sxp.push(['device', device])
  return sxp
}

/** `r-----`: running, blocked, paused, shutdown, crashed, dying. */
function oldStateString({ config: { info } }: DomainInfo): string {
  const states = [info?.running, info?.blocked, info?.paused, info?.shutdown, info?.crashed, info?.dying]
  return states.map((is, i) => (is ? 'rbpscd'[i] : '-')).join('')
}

function* deviceList(vm: DomainInfo, connected: boolean): Sys<Sxp[]> {
  const list: Sxp[] = []
  const configured = [...vm.config.devices.values()]
  for (const cls of DEVICE_CLASSES) {
    const found = connected && vm.domid !== undefined ? yield* connectedDevices(vm, cls) : undefined
    if (!found) list.push(...configured.filter((device) => device.cls === cls).map(deviceSxp))
    else for (const device of found) list.push([cls, ...Object.entries(withRecord(vm, device))])
  }
  return list
}

/** Undefined if the store does not say. */
function* connectedDevices(vm: DomainInfo, cls: DeviceClass): Sys<DeviceValues[] | undefined> {
  try {
    return (yield* vm.controller(cls).configurations()).map(([, values]) => values)
  } catch (error) {
    yield* vm.xend.log.exception('XendConfig:1090', 'dumping sxp from device controllers', error)
    return undefined
  }
}

/** What the store never holds of a disk. */
function withRecord(vm: DomainInfo, values: DeviceValues): DeviceValues {
  const record = vm.config.devices.get(String(values['uuid'] ?? ''))
  if (record?.cls !== 'vbd') return values
  return { ...values, bootable: record.config['bootable'] ?? 0, VDI: record.config['VDI'] ?? '' }
}
