/** A domain's configuration (xen.xend.XendConfig): from what xm sends as an S-expression, from the hypervisor, and back. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Float } from '#lib/xmlrpc/float.ts'
import type { XcDominfo } from '../libxc/domain.ts'
import { children, childText, childValue, isList, nameOf, type Sxp, toSxpString } from '../sxp/sxp.ts'
import { type Devices, devicesFromSxp } from './device-config.ts'
import { XendConfigError } from './errors.ts'
import { createUuid, uuidFromString, uuidToString } from './uuid.ts'

/** Lists of vCPUs are kept for no more; how many there may be is the hypervisor's business. */
const VCPUS_MAX = 4096

/** What may follow a shutdown. */
export const RESTART_MODES: readonly string[] = [
  'restart',
  'destroy',
  'preserve',
  'rename-restart',
  'coredump-destroy',
  'coredump-restart',
]

export type Notes = Readonly<Record<string, string | number | bigint>>

/** The record. Memory is in KiB. */
export interface VmConfig {
  uuid: string
  name: string
  onPoweroff: string
  onReboot: string
  onCrash: string
  onXendStart: string
  onXendStop: string
  features: string
  bootloader: string
  bootloaderArgs: string
  kernel: string
  ramdisk: string
  args: string
  memoryStaticMin: number
  memoryStaticMax: number
  memoryDynamicMin: number
  memoryDynamicMax: number
  shadowMemory: number
  vcpus: number
  /** A bit for each vCPU that the guest may use; undefined until `validate`. */
  vcpuAvail: number | undefined
  /** Processors of each vCPU; empty: any. */
  cpus: readonly (readonly number[])[]
  weight: number
  cap: number
  /** Seconds since 1970. */
  startTime: number | undefined
  /** Keys of the image section that are no kernel's. */
  platform: Record<string, string>
  notes: Notes | undefined
  devices: Devices
  /** The hypervisor's latest figures. */
  info: XcDominfo | undefined
}

const defaults = (): VmConfig => ({
  uuid: '',
  name: 'Domain-Unnamed',
  onPoweroff: 'destroy',
  onReboot: 'restart',
  onCrash: 'restart',
  onXendStart: 'ignore',
  onXendStop: 'ignore',
  features: '',
  bootloader: '',
  bootloaderArgs: '',
  kernel: '',
  ramdisk: '',
  args: '',
  memoryStaticMin: 0,
  memoryStaticMax: 0,
  memoryDynamicMin: 0,
  memoryDynamicMax: 0,
  shadowMemory: 0,
  vcpus: 1,
  vcpuAvail: undefined,
  cpus: [],
  weight: 256,
  cap: 0,
  startTime: undefined,
  platform: {},
  notes: undefined,
  devices: new Map(),
  info: undefined,
})

/** Keys of `(image (linux ...))` that are kept for the image and its device model. */
const PLATFORM_KEYS = ['localtime', 'rtc_timeoffset', 'device_model', 'display', 'keymap', 'boot', 'loader', 'vhpt']

/** Python's int(): a ValueError in Python's words for what is none. */
export function pyInt(value: Sxp): number {
  const text = isList(value) ? toSxpString(value) : value instanceof Float ? String(value.value) : String(value).trim()
  if (!/^[-+]?\d+$/.test(text)) throw new XendConfigError(`invalid literal for int(): ${text}`)
  return Number(text)
}

/** The configuration that `xm create` sent. */
export function* configFromSxp(sxp: Sxp): Sys<VmConfig> {
  if (!isList(sxp)) throw new XendConfigError('Missing image type')
  const config = defaults()
  config.uuid = childText(sxp, 'uuid') ?? (yield* createUuid())
  const text = (name: string, set: (value: string) => void): void => {
    const value = childText(sxp, name)
    if (value !== undefined) set(value)
  }
  text('name', (value) => (config.name = value))
  const restart = childText(sxp, 'restart')
  if (restart === 'onreboot') Object.assign(config, { onPoweroff: 'destroy', onReboot: 'restart', onCrash: 'destroy' })
  else if (restart === 'always')
    Object.assign(config, { onPoweroff: 'restart', onReboot: 'restart', onCrash: 'restart' })
  else if (restart === 'never') Object.assign(config, { onPoweroff: 'never', onReboot: 'never', onCrash: 'never' })
  text('on_poweroff', (value) => (config.onPoweroff = value))
  text('on_reboot', (value) => (config.onReboot = value))
  text('on_crash', (value) => (config.onCrash = value))
  text('on_xend_start', (value) => (config.onXendStart = value))
  text('on_xend_stop', (value) => (config.onXendStop = value))
  text('features', (value) => (config.features = value))
  text('bootloader', (value) => (config.bootloader = value))
  text('bootloader_args', (value) => (config.bootloaderArgs = value))
  const number = (name: string, set: (value: number) => void): void => {
    const value = childValue(sxp, name)
    if (value !== undefined && value !== null) set(pyInt(value))
  }
  number('vcpus', (value) => {
    if (value > VCPUS_MAX) throw new XendConfigError(`vcpus = ${value}: more than ${VCPUS_MAX}`)
    config.vcpus = value
  })
  number('vcpu_avail', (value) => (config.vcpuAvail = value))
  number('shadow_memory', (value) => (config.shadowMemory = value))
  number('cpu_weight', (value) => (config.weight = value))
  number('cpu_cap', (value) => (config.cap = value))
  number('memory', (value) => {
    config.memoryStaticMax = config.memoryDynamicMin = config.memoryDynamicMax = value * 1024
  })
  number('maxmem', (value) => (config.memoryStaticMax = value * 1024))
  config.cpus = cpusFromSxp(sxp, config.vcpus)
  memorySanityCheck(config)
  const image = childValue(sxp, 'image')
  if (image !== undefined) updateWithImage(config, image)
  text('localtime', (value) => (config.platform['localtime'] = value))
  config.devices = yield* devicesFromSxp(children(sxp, 'device').map((device) => children(device)[0]))
  validate(config)
  return config
}

/** What the hypervisor knows of a domain: where a record begins that a restarted xend makes again. */
export function configFromInfo(info: XcDominfo, name: string | undefined): VmConfig {
  const config = defaults()
  updateWithInfo(config, info)
  config.uuid = uuidToString(info.handle)
  if (name !== undefined) config.name = name
  config.memoryDynamicMin = config.memoryDynamicMax = info.nrPages * 4
  config.memoryStaticMax = info.maxMemkb
  memorySanityCheck(config)
  validate(config)
  return config
}

/** New figures. Memory is xend's own record: it does not follow them. */
export function updateWithInfo(config: VmConfig, info: XcDominfo): void {
  config.info = info
  config.vcpus = info.maxVcpuId + 1
}

/** The parts of `(linux (kernel ...) (args ...))`. */
export function updateWithImage(config: VmConfig, image: Sxp): void {
  let args = childText(image, 'args') ?? ''
  const ip = childText(image, 'ip')
  if (ip && !/ip=[^ ]+/.test(args)) args = `ip=${ip} ${args}`
  const root = childText(image, 'root')
  if (root && !args.includes('root=')) args = `root=${root} ${args}`
  config.kernel = childText(image, 'kernel') ?? ''
  config.ramdisk = childText(image, 'ramdisk') ?? ''
  config.args = args
  const type = nameOf(image)
  if (typeof type === 'string' && type !== 'linux') config.platform['image_type'] = type
  for (const key of PLATFORM_KEYS) {
    const value = childText(image, key)
    if (value !== undefined && value !== '') config.platform[key] = value
  }
  const [notes] = children(image, 'notes')
  if (notes !== undefined) {
    const found: Record<string, string> = {}
    for (const note of children(notes)) if (isList(note)) found[String(note[0])] = String(note[1] ?? '')
    config.notes = found
  }
}

/** As it stands in the store and in `xm list --long`. */
export function imageSxp(config: VmConfig): Sxp[] {
  const image: Sxp[] = [config.platform['image_type'] ?? 'linux', ['kernel', config.kernel]]
  if (config.ramdisk) image.push(['ramdisk', config.ramdisk])
  if (config.args) image.push(['args', config.args])
  for (const key of PLATFORM_KEYS) {
    const value = config.platform[key]
    if (value !== undefined) image.push([key, value])
  }
  if (config.notes) image.push(['notes', ...Object.entries(config.notes).map(([name, value]) => [name, String(value)])])
  return image
}

/** `cpus`: one text for all vCPUs, or a list with one for each; `cpu` comes first. */
function cpusFromSxp(sxp: Sxp, vcpus: number): readonly (readonly number[])[] {
  const cpu = childText(sxp, 'cpu')
  const cpus = childValue(sxp, 'cpus')
  if (isList(cpus)) {
    if (cpus.length !== vcpus) throw new XendConfigError('vcpus and the item number of cpus are not same')
    return cpus.map((one) => (isList(one) ? one.map(pyInt) : cpuList(String(one))))
  }
  const text = [cpu, cpus === undefined || cpus === null ? undefined : String(cpus)]
    .filter((one) => one !== undefined && one !== '')
    .join(',')
  const list = text === '' ? [] : cpuList(text)
  return Array.from({ length: vcpus }, () => list)
}

/** `0-3,^1`: ranges, and what is not meant; in order. */
export function cpuList(text: string): number[] {
  let list: number[] = []
  for (const part of text.split(',')) {
    const match = /^(\^?)(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim())
    if (!match) throw new XendConfigError(`cpus = ${text}: invalid literal for int(): ${part}`)
    const [, not, from, to = from] = match
    if (not) list = list.filter((cpu) => cpu !== Number(from))
    else for (let cpu = Number(from); cpu <= Number(to); cpu++) list.push(cpu)
  }
  return list
}

/** Each is what Python's `if not a <= b: raise` says. */
export function memorySanityCheck(config: VmConfig): void {
  const { memoryStaticMin, memoryStaticMax, memoryDynamicMin, memoryDynamicMax } = config
  const check = (good: boolean, text: string): void => {
    if (!good) throw new XendConfigError(text)
  }
  check(memoryStaticMin <= memoryStaticMax, 'memory_static_min must be less than or equal to memory_static_max')
  check(memoryStaticMin <= memoryDynamicMin, 'memory_static_min must be less than or equal to memory_dynamic_min')
  check(memoryDynamicMax <= memoryStaticMax, 'memory_dynamic_max must be less than or equal to memory_static_max')
  check(memoryDynamicMax > 0, 'memory_dynamic_max must be greater than zero')
  check(memoryStaticMax > 0, 'memory_static_max must be greater than zero')
}

/** Changes memory figures if they make sense afterwards. */
export function setMemory(config: VmConfig, values: Partial<VmConfig>): void {
  memorySanityCheck({ ...config, ...values })
  Object.assign(config, values)
}

function validate(config: VmConfig): void {
  config.uuid = uuidToString(uuidFromString(config.uuid))
  memorySanityCheck(config)
  const modes = [
    [config.onPoweroff, 'shutdown'],
    [config.onReboot, 'reboot'],
    [config.onCrash, 'crash'],
  ] as const
  for (const [mode, event] of modes)
    if (!RESTART_MODES.includes(mode)) throw new XendConfigError(`Invalid event handling mode: ${event}`)
  config.vcpuAvail ??= 2 ** config.vcpus - 1
}

/** The same again, for a domain that is to be started anew. Its console will be another one. */
export const copyConfig = (config: VmConfig): VmConfig => ({
  ...config,
  platform: { ...config.platform },
  devices: new Map(
    [...config.devices].filter(([, { cls }]) => cls !== 'console').map(([uuid, device]) => [uuid, { ...device }]),
  ),
  info: undefined,
  startTime: undefined,
})

/** A record of which only the name matters: of a domain that is no more. */
export const leftoverConfig = (domid: number): VmConfig => ({ ...defaults(), name: `Domain-${domid}` })
