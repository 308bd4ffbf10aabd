/** A configuration's variables to the S-expression that xend makes a domain of (xm/create.py: preprocess and make_config). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Float } from '#lib/xmlrpc/float.ts'
import { PyDict } from '#python/dict.ts'
import { PyFloat, PyList, PyLong, PyTuple, PyUnicode, type Value } from '#python/objects.ts'
import { getenv } from '#user/libc/env.ts'
import { eprint } from '#user/libc/stdio.ts'
import { getcwd } from '#user/libc/syscall.ts'
import type { Sxp } from '../sxp/sxp.ts'
import { ConfigError, typeName } from './config-file.ts'
import { parsePci } from './devices.ts'
import type { Opts } from './opts.ts'
import { absolute } from './paths.ts'
import type { Xm } from './xm.ts'

/** Where pygrub lies (osdep.py). */
const PYGRUB = '/usr/bin/pygrub'

export function toSxp(value: Value): Sxp {
  if (value instanceof PyFloat) return new Float(value.f)
  if (value instanceof PyLong) return value.v
  if (value instanceof PyUnicode) return value.s
  if (value instanceof PyList || value instanceof PyTuple) return value.items.map(toSxp)
  return value === null || typeof value !== 'object' ? value : typeName(value)
}

/** A text, on which a method is called: anything else is an AttributeError. */
function text(value: Value, method: string): string {
  if (typeof value === 'string') return value
  throw new ConfigError(`'${typeName(value)}' object has no attribute '${method}'`)
}

/** What a `for` goes over: the items of a list, the characters of a string. */
function items(value: Value): readonly Value[] {
  if (value instanceof PyList || value instanceof PyTuple) return value.items
  if (typeof value === 'string') return [...value]
  if (value === null || value === 0) return []
  throw new ConfigError('iteration over non-sequence')
}

/** `key=value,key=value`, in the order that a Python dict has. */
function* keyValues(xm: Xm, value: Value): Sys<[string, string][]> {
  const dict = new PyDict()
  const trimmed = text(value, 'strip').trim()
  if (trimmed !== '')
    for (const part of trimmed.split(',')) {
      const at = part.indexOf('=')
      if (at < 0) yield* xm.fail(`${part} should be a pair, separated by an equals sign.`)
      dict.set(part.slice(0, at).trim(), part.slice(at + 1).trim())
    }
  return dict.entries().map(({ key, value: one }) => [String(key), String(one)])
}

const VIF_KEYS = [
  'backend',
  'bridge',
  'ip',
  'mac',
  'script',
  'type',
  'vifname',
  'rate',
  'model',
  'accel',
  'policy',
  'label',
]
const VFB_KEYS = 'vnclisten vncunused vncdisplay display videoram xauthority type vncpasswd opengl keymap'.split(' ')
const PLAIN =
  'name memory maxmem shadow_memory restart on_poweroff on_reboot on_crash vcpus vcpu_avail features on_xend_start on_xend_stop target cpuid cpuid_check machine_address_size'.split(
    ' ',
  )
const HVM =
  'device_model pae vcpus boot fda fdb timer_mode localtime serial stdvga isa nographic soundhw vnc vncdisplay vncunused vncconsole vnclisten sdl display xauthority rtc_timeoffset monitor acpi apic usb usbdevice keymap pci hpet guest_os_type hap opengl cpuid cpuid_check'.split(
    ' ',
  )

const withoutPrefix = (prefix: string, value: string): string =>
  value.startsWith(prefix) ? value.slice(prefix.length) : value
const string = (opts: Opts, name: string): string => {
  const value = opts.get(name)
  if (value !== null && typeof value !== 'string')
    throw new ConfigError("cannot concatenate 'str' and '" + typeName(value) + "' objects")
  return value ?? ''
}

/** Kernel parameters that stand for variables: ip= and the NFS root. */
function* commandLine(xm: Xm, opts: Opts): Sys<string> {
  let ip = ''
  if (opts.isSet('ip') || opts.get('dhcp') !== 'off') {
    const server = string(opts, 'nfs_server') || '127.0.255.255'
    ip = [
      string(opts, 'ip'),
      server,
      ...['gateway', 'netmask', 'hostname', 'interface', 'dhcp'].map((name) => string(opts, name)),
    ].join(':')
  }
  if (opts.isSet('nfs_root')) {
    if (!opts.isSet('nfs_server')) yield* xm.fail('Must set nfs root and nfs server')
    opts.values.set(
      'extra',
      `nfsroot=${string(opts, 'nfs_server')}:${string(opts, 'nfs_root')} ${string(opts, 'extra')}`,
    )
  }
  return ip
}

function* image(opts: Opts, ip: string): Sys<Sxp> {
  if (!opts.isSet('builder')) return null
  const config: Sxp[] = [toSxp(opts.get('builder'))]
  const cwd = yield* getcwd()
  for (const name of ['kernel', 'ramdisk', 'loader'])
    if (opts.isSet(name)) config.push([name, absolute(cwd, text(opts.get(name), 'startswith'))])
  if (ip !== '') config.push(['ip', withoutPrefix('ip=', ip)])
  if (opts.isSet('root')) config.push(['root', withoutPrefix('root=', text(opts.get('root'), 'startswith'))])
  if (opts.isSet('extra')) config.push(['args', toSxp(opts.get('extra'))])
  if (opts.get('builder') === 'hvm') {
    for (const name of [...HVM, 'vncpasswd']) if (opts.get(name) !== null) config.push([name, toSxp(opts.get(name))])
  }
  if (opts.get('vhpt') !== 0) config.push(['vhpt', toSxp(opts.get('vhpt'))])
  if (opts.isSet('machine_address_size')) config.push(['machine_address_size', toSxp(opts.get('machine_address_size'))])
  return config
}

function* disks(xm: Xm, opts: Opts, devices: Sxp[]): Sys<void> {
  for (const one of opts.isSet('disk') ? items(opts.get('disk')) : []) {
    const fields = text(one, 'split').split(',')
    if (fields.length < 3 || fields.length > 5) yield* xm.fail(`Invalid disk specifier: ${String(one)}`)
    const [uname, dev, mode, backend, protocol] = fields as [string, string, string, string?, string?]
    const config: Sxp[] = [uname.startsWith('tap:') ? 'tap' : 'vbd', ['uname', uname], ['dev', dev], ['mode', mode]]
    if (backend) config.push(['backend', backend])
    if (protocol) config.push(['protocol', protocol])
    devices.push(['device', config])
  }
}

function* otherDevices(xm: Xm, opts: Opts, devices: Sxp[]): Sys<void> {
  const of = (name: string): readonly Value[] => (opts.isSet(name) ? items(opts.get(name)) : [])
  const pci: Sxp[] = []
  for (const one of of('pci')) {
    if (typeof one !== 'string') throw new ConfigError('expected string or buffer')
    // What is no address is passed over in silence.
    const found = parsePci(one)
    if (found) pci.push(['dev', ['domain', found[0]], ['bus', found[1]], ['slot', found[2]], ['func', found[3]]])
  }
  if (pci.length > 0) devices.push(['device', ['pci', ...pci]])
  for (const one of of('vscsi')) {
    const fields = text(one, 'split').split(',')
    if (fields.length === 2 && fields[1]!.split(':').length !== 4) yield* xm.fail(`vscsi syntax error "${fields[1]}"`)
    if (fields.length !== 2 && fields.length !== 3) yield* xm.fail(`vscsi syntax error "${String(one)}"`)
    // The machine has no SCSI host.
    throw new ConfigError(`Cannot find device "${fields[0]}"`)
  }
  for (const one of of('ioports')) {
    const ends = text(one, 'split').split('-')
    if (ends.length > 2) yield* xm.fail(`Invalid i/o port range specifier: ${String(one)}`)
    devices.push(['device', ['ioports', ['from', `0x${ends[0]}`], ['to', `0x${ends[1] ?? ends[0]}`]]])
  }
  for (const one of of('irq')) devices.push(['device', ['irq', ['irq', toSxp(one)]]])
}

function* vifs(xm: Xm, opts: Opts, devices: Sxp[]): Sys<void> {
  const all = [...items(opts.get('vif'))]
  const nics = opts.get('nics')
  if (typeof nics === 'number' && nics > 0) {
    yield* eprint(
      "Warning: The nics option is deprecated.  Please use an empty vif entry instead:\n\n  vif = [ '' ]\n\n",
    )
    while (all.length < nics) all.push('')
  } else if (nics === 0) yield* eprint('Warning: The nics option is deprecated.  Please remove it.\n')
  for (const one of all) {
    const config: Sxp[] = ['vif']
    for (const [key, value] of yield* keyValues(xm, one)) {
      if (!VIF_KEYS.includes(key)) yield* xm.fail(`Invalid vif option: ${key}`)
      config.push([key, value])
    }
    devices.push(['device', config])
  }
}

function* vtpm(xm: Xm, opts: Opts, devices: Sxp[]): Sys<void> {
  if (!opts.isSet('vtpm')) return
  const [first, ...more] = items(opts.get('vtpm'))
  for (const one of [first!, ...more]) {
    for (const part of text(one, 'split').split(',')) {
      if (!part.includes('=')) throw new ConfigError('unpack list of wrong size')
      if (!['backend', 'instance'].includes(part.slice(0, part.indexOf('=')).trim()))
        yield* xm.fail(`Invalid vtpm specifier: ${String(one)}`)
    }
  }
  const found = new Map(yield* keyValues(xm, first!))
  let instance = found.get('instance')
  if (instance === 'VTPMD') instance = '0'
  else if (instance !== undefined) {
    if (!/^\s*[-+]?\d+\s*$/.test(instance)) yield* xm.fail('Vm config error: could not parse instance number.')
    if (Number(instance) === 0) yield* xm.fail('VM config error: vTPM instance must not be 0.')
  }
  const config: Sxp[] = ['vtpm']
  if (instance) config.push(['pref_instance', instance])
  const backend = found.get('backend')
  if (backend) config.push(['backend', backend])
  devices.push(['device', config])
}

function* vfbs(xm: Xm, opts: Opts, devices: Sxp[]): Sys<void> {
  for (const one of opts.isSet('vfb') ? items(opts.get('vfb')) : []) {
    const pairs = yield* keyValues(xm, one)
    const has = (key: string): boolean => pairs.some(([name]) => name === key)
    const dict = PyDict.of(pairs)
    if (!has('type')) dict.set('type', 'sdl')
    const config: Sxp[] = ['vfb']
    for (const { key, value } of dict.entries()) {
      if (!VFB_KEYS.includes(String(key))) yield* xm.fail(`configuration option ${String(key)} unknown to vfbs`)
      config.push([String(key), toSxp(value)])
    }
    if (!has('keymap') && opts.isSet('keymap')) config.push(['keymap', toSxp(opts.get('keymap'))])
    const display = getenv(xm.env, 'DISPLAY')
    if (!has('display') && display !== undefined) config.push(['display', display])
    if (!has('xauthority')) config.push(['xauthority', xauthority(xm.env)])
    devices.push(['device', ['vkbd']], ['device', config])
  }
}

export const xauthority = (env: readonly string[]): string =>
  getenv(env, 'XAUTHORITY') || `${getenv(env, 'HOME') || '/root'}/.Xauthority`

/** `(vm (name ...) ...)`. */
export function* makeConfig(xm: Xm, opts: Opts): Sys<Sxp> {
  const devices: Sxp[] = []
  yield* disks(xm, opts, devices)
  yield* otherDevices(xm, opts, devices)
  const ip = yield* commandLine(xm, opts)
  const config: Sxp[] = ['vm']
  if (!opts.isSet('name') && opts.isSet('defconfig')) {
    const file = String(opts.get('defconfig'))
    opts.values.set('name', file.slice(file.lastIndexOf('/') + 1))
  }
  for (const name of PLAIN) if (opts.isSet(name)) config.push([name, toSxp(opts.get(name))])
  for (const name of ['uuid', 'cpu', 'cpus', 'cpu_cap', 'cpu_weight'])
    if (opts.get(name) !== null) config.push([name, toSxp(opts.get(name))])
  for (const name of ['blkif', 'netif', 'tpmif']) if (opts.isSet(name)) config.push(['backend', [name]])
  if (opts.isSet('localtime')) config.push(['localtime', toSxp(opts.get('localtime'))])
  const configImage = yield* image(opts, ip)
  if (opts.isSet('bootloader')) {
    const loader = opts.get('bootloader')
    config.push(['bootloader', loader === 'pygrub' ? PYGRUB : toSxp(loader)])
    const given = opts.isSet('bootargs') ? toSxp(opts.get('bootargs')) : undefined
    config.push(['bootloader_args', given ?? (opts.isSet('console_autoconnect') ? '' : '-q')])
  }
  config.push(['image', configImage])
  yield* vifs(xm, opts, devices)
  yield* vtpm(xm, opts, devices)
  yield* vfbs(xm, opts, devices)
  return [...config, ...devices]
}
