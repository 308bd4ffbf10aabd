/** Devices in a configuration (XendConfig.device_add): checked, given a uuid, and remembered by it. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { stat } from '#user/libc/syscall.ts'
import { pyStr } from '../sxp/python-text.ts'
import { children, isList, nameOf, type Sxp } from '../sxp/sxp.ts'
import { XendConfigError } from './errors.ts'
import { createUuid } from './uuid.ts'

/** What is known of one device: `uname`, `dev`, `mode` and so on, as configured. */
export type DeviceValues = Readonly<Record<string, string | number>>

export interface Device {
  readonly cls: DeviceClass
  config: DeviceValues
}

/** By uuid, in the order in which they are set up. */
export type Devices = Map<string, Device>

/** Device classes that dom0 has drivers for; a console has none, and is there for xend itself. */
export const DEVICE_CLASSES = ['vbd', 'console'] as const
export type DeviceClass = (typeof DEVICE_CLASSES)[number]

export const isDeviceClass = (name: Sxp): name is DeviceClass => DEVICE_CLASSES.some((one) => one === name)

export function* devicesFromSxp(list: readonly Sxp[]): Sys<Devices> {
  const devices: Devices = new Map()
  for (const sxp of list) yield* addDevice(devices, sxp)
  return devices
}

/** Add `(vbd (uname ...) ...)`; the value is its uuid. */
export function* addDevice(devices: Devices, sxp: Sxp): Sys<string> {
  const cls = nameOf(sxp)
  if (!isDeviceClass(cls)) throw new XendConfigError(`XendConfig: ${pyStr(cls as string)} not a valid device type`)
  const config: Record<string, string | number> = {}
  for (const entry of children(sxp)) {
    if (!isList(entry) || entry.length !== 2) continue
    const [name, value] = entry
    if (typeof name === 'string') config[name] = typeof value === 'number' ? value : pyStr(value as string)
  }
  if (cls === 'vbd') {
    config['bootable'] = 0
    config['driver'] = String(config['dev'] ?? '').startsWith('ioemu:') ? 'ioemu' : 'paravirtualised'
    yield* refuseDuplicates(devices, config)
    const first = ![...devices.values()].some((device) => device.cls === 'vbd')
    config['bootable'] = first ? 1 : 0
  }
  const uuid = String(config['uuid'] ?? '') || (yield* createUuid())
  config['uuid'] = uuid
  devices.set(uuid, { cls, config })
  return uuid
}

/** A disk's file and its name in the guest may be there once. */
function* refuseDuplicates(devices: Devices, config: DeviceValues): Sys<void> {
  const { uname, dev } = config
  const number = yield* deviceNumber(String(dev ?? ''))
  if (uname === undefined || number === undefined) return
  for (const { cls, config: other } of devices.values()) {
    if (cls !== 'vbd') continue
    const file = unameToFile(String(uname))
    if (other['uname'] !== undefined && unameToFile(String(other['uname'])) === file)
      throw new XendConfigError(`The file "${file}" is already used`)
    if ((yield* deviceNumber(String(other['dev'] ?? '')))?.devid === number.devid)
      throw new XendConfigError(`The device "${dev}" is already defined`)
  }
}

/** `phy:hda1` as the file that it means. */
export function unameToFile(uname: string): string {
  const colon = uname.indexOf(':')
  if (colon < 0) return uname
  const path = uname.slice(colon + 1)
  return uname.startsWith('phy:') && !path.startsWith('/') ? `/dev/${path}` : path
}

export interface DeviceNumber {
  /** The key that the front end looks for. */
  readonly key: 'virtual-device' | 'virtual-device-ext'
  readonly devid: number
}

const SCSI_MAJORS = [8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135]
const IDE_MAJORS = [3, 22, 33, 34, 56, 57, 88, 89, 90, 91]

/** `ioemu:hda:cdrom` is about hda. */
export function* deviceNumber(dev: string): Sys<DeviceNumber | undefined> {
  const name = dev.replace(/^ioemu:/, '').replace(/:.*$/, '')
  return name === '' ? undefined : yield* blkdevNameToNumber(name)
}

/** The number of a block device by its name in the guest (xen.util.blkif). A device of dom0 of that name has the last word. */
export function* blkdevNameToNumber(name: string): Sys<DeviceNumber | undefined> {
  if (name === '') return undefined
  const path = name.startsWith('/') ? name : `/dev/${name}`
  try {
    return { key: 'virtual-device', devid: (yield* stat(path)).rdev }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  const match = /^\/dev\/(sd|hd|xvd)([a-z]|[a-i][a-z])(\d{1,2})?$/.exec(path)
  if (match) {
    const [, kind, letters = '', digits] = match
    const index = indexOf(letters)
    const part = Number(digits ?? 0)
    const partMax = kind === 'hd' ? 63 : 15
    const good = !digits || (!digits.startsWith('0') && part <= partMax)
    const plain = (devid: number): DeviceNumber => ({ key: 'virtual-device', devid })
    const scsi = SCSI_MAJORS[index >> 4]
    const ide = IDE_MAJORS[index >> 1]
    if (good && kind === 'sd' && scsi !== undefined) return plain(scsi * 256 + (index % 16) * 16 + part)
    if (good && kind === 'hd' && ide !== undefined) return plain(ide * 256 + (index % 2) * 64 + part)
    if (good && kind === 'xvd')
      return index < 16
        ? plain(202 * 256 + index * 16 + part)
        : { key: 'virtual-device-ext', devid: 2 ** 28 + index * 256 + part }
  }
  if (/^0x[0-9a-fA-F]{1,8}$/.test(name)) return { key: 'virtual-device', devid: Number.parseInt(name, 16) }
  if (/^\d{1,10}$/.test(name)) return { key: 'virtual-device', devid: Number(name) }
  return undefined
}

/** a is 0, z is 25, aa is 26. */
function indexOf(letters: string): number {
  let index = 0
  for (const letter of letters) index = index * 26 + letter.charCodeAt(0) - 96
  return index - 1
}

/** A device as an S-expression: `(vbd (uname ...) ...)`. */
export const deviceSxp = ({ cls, config }: Device): Sxp => [cls, ...Object.entries(config)]
