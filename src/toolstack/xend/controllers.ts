/** Device classes: disks (server/blkif.py) and the console (server/ConsoleController.py). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { pyReprOf } from '../sxp/python-text.ts'
import type { Xend } from './context.ts'
import { DevController, type DeviceDetails, type DeviceOwner } from './dev-controller.ts'
import { blkdevNameToNumber, type DeviceClass, type DeviceValues } from './device-config.ts'
import { VmError } from './errors.ts'

const NO_DETAILS = 'Block device must have physical details specified'

export class BlkifController extends DevController {
  constructor(xend: Xend, vm: DeviceOwner) {
    super(xend, vm, 'vbd', true)
  }

  *details(config: DeviceValues): Sys<DeviceDetails> {
    const uname = String(config['uname'] ?? '')
    const [dev = '', kind = 'disk'] = String(config['dev'] ?? '')
      .replace(/^ioemu:/, '')
      .split(':')
    const colon = uname.indexOf(':')
    let [type, params] = [uname.slice(0, colon), uname.slice(colon + 1)]
    if (uname === '') {
      if (kind !== 'cdrom') throw new VmError(NO_DETAILS)
      type = params = ''
    } else if (colon < 0) throw new VmError(NO_DETAILS)
    else if (!['phy', 'file', 'tap'].includes(type))
      throw new VmError('Block device must have "phy", "file" or "tap" specified to type')
    const mode = String(config['mode'] ?? 'r')
    if (!['r', 'w', 'w!'].includes(mode)) throw new VmError('Invalid mode')
    const number = yield* blkdevNameToNumber(dev)
    if (!number) throw new VmError(`Unable to find number for device (${dev})`)
    const back: Record<string, string> = { dev, type, params, mode }
    if (config['uuid'] !== undefined) back['uuid'] = String(config['uuid'])
    const front: Record<string, string> = { [number.key]: String(number.devid), 'device-type': kind }
    if (config['protocol']) front['protocol'] = String(config['protocol'])
    return { devid: number.devid, back, front }
  }

  *configuration(devid: number): Sys<DeviceValues> {
    const config: Record<string, string | number> = {}
    const backend = yield* this.readFrontend(devid, 'backend-id')
    if (backend === undefined) throw new VmError(`Device ${devid} not connected`)
    const [type, params] = [yield* this.readBackend(devid, 'type'), yield* this.readBackend(devid, 'params')]
    if (type && params) config['uname'] = `${type}:${params}`
    for (const key of ['uuid', 'mode'] as const) {
      const value = yield* this.readBackend(devid, key)
      if (value) config[key] = value
    }
    const dev = yield* this.readBackend(devid, 'dev')
    if (dev) {
      const kind = yield* this.readFrontend(devid, 'device-type')
      config['dev'] = kind ? `${dev}:${kind}` : dev
    }
    config['backend'] = Number(backend)
    const protocol = yield* this.readFrontend(devid, 'protocol')
    if (protocol) config['protocol'] = protocol
    return config
  }

  /** `51728`, `xvdb`, `/dev/xvdb`, `vbd/51728`. */
  *deviceNumber(name: string): Sys<number> {
    const last = name.slice(name.lastIndexOf('/') + 1)
    if (/^\s*\d+\s*$/.test(last)) return Number(last)
    const number = yield* blkdevNameToNumber(last)
    if (!number) throw new VmError(`Device ${name} not connected`)
    return number.devid
  }

  /** Another medium in a CD-ROM drive; nothing else can be changed. */
  *reconfigure(config: DeviceValues): Sys<void> {
    const { devid, back, front } = yield* this.details(config)
    const kind = yield* this.readFrontend(devid, 'device-type')
    const same =
      (yield* this.readBackend(devid, 'dev')) === back['dev'] && (yield* this.readBackend(devid, 'mode')) === 'r'
    if (kind !== 'cdrom' || front['device-type'] !== 'cdrom' || !same)
      throw new VmError(`Refusing to reconfigure device vbd:${devid} to ${pyReprOf(config)}`)
    const path = (yield* this.readFrontend(devid, 'backend'))!
    yield* this.xend.store.write(`${path}/params`, '')
    yield* this.xend.store.write(`${path}/type`, back['type']!)
    yield* this.xend.store.write(`${path}/params`, back['params']!)
  }
}

/** There is no driver behind it: it tells management tools where the console is. */
export class ConsoleController extends DevController {
  constructor(xend: Xend, vm: DeviceOwner) {
    super(xend, vm, 'console', false)
  }

  *details(config: DeviceValues): Sys<DeviceDetails> {
    const back: Record<string, string> = {}
    for (const key of KEYS) if (config[key] !== undefined) back[key] = String(config[key])
    return { devid: yield* this.allocateDeviceId(), back, front: {} }
  }

  *configuration(devid: number): Sys<DeviceValues> {
    const config: Record<string, string> = {}
    for (const key of KEYS) {
      const value = yield* this.readBackend(devid, key)
      if (value !== undefined) config[key] = value
    }
    return config
  }

  *deviceNumber(name: string): Sys<number> {
    return Number(name.slice(name.lastIndexOf('/') + 1))
  }

  /** By force, always: no driver would clean up. */
  override *destroyDevice(devid: number): Sys<void> {
    const { store } = this.xend
    const back = yield* this.readFrontend(devid, 'backend')
    yield* super.destroyDevice(devid, true)
    const parent = back?.slice(0, back.lastIndexOf('/'))
    if (parent && (yield* store.list(parent)).length === 0) yield* store.rm(parent)
  }
}

const KEYS = ['protocol', 'location', 'uuid'] as const

export const makeController = (xend: Xend, vm: DeviceOwner, cls: DeviceClass): DevController =>
  cls === 'vbd' ? new BlkifController(xend, vm) : new ConsoleController(xend, vm)
