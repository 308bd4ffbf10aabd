/** block-*, network-*, vtpm-*, pci-*, scsi-*, vnet-*. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { prettyPrint } from '../sxp/pretty-print.ts'
import { pyStr } from '../sxp/python-text.ts'
import { isList, type Sxp } from '../sxp/sxp.ts'
import { OptionError } from './errors.ts'
import { getopt, given } from './getopt.ts'
import { left, listOf, pyInt, type Xm } from './xm.ts'

/** `[--long] DOMAIN` of the listing commands. */
function* resource(xm: Xm, args: readonly string[], name: string): Sys<{ long: boolean; domain: string }> {
  let parsed: ReturnType<typeof getopt>
  try {
    parsed = getopt(args, 'l', ['long'])
  } catch (error) {
    return yield* xm.fail((error as Error).message)
  }
  const { params } = parsed
  if (params.length === 0) yield* xm.print('No domain parameter given')
  else if (params.length > 1) yield* xm.print('No multiple domain parameters allowed')
  if (params.length !== 1) yield* xm.usage(name)
  return { long: given(parsed, '-l', '--long'), domain: params[0]! }
}

/** A column: the front end's key, the width it is padded to, what follows it. */
type Column = readonly [key: string, width: number, after: string]

const BACKEND = 'backend-id'
const COLUMNS = {
  vbd: [
    ['idx', 5, '  '],
    [BACKEND, 3, '  '],
    ['handle', 3, '   '],
    ['state', 3, '    '],
    ['event-channel', 3, '    '],
    ['ring-ref', 5, ' '],
    ['backend', 30, '  '],
  ],
  vif: [
    ['idx', 3, ' '],
    [BACKEND, 3, ''],
    ['mac', 17, '    '],
    ['handle', 3, '   '],
    ['state', 3, '    '],
    ['event-channel', 3, '   '],
    ['tx-ring-ref', 5, '/'],
    ['rx-ring-ref', 5, '   '],
    ['backend', 30, '  '],
  ],
  vtpm: [
    ['idx', 3, '   '],
    [BACKEND, 3, '  '],
    ['handle', 3, '   '],
    ['state', 3, '    '],
    ['event-channel', 3, '    '],
    ['ring-ref', 5, ' '],
    ['backend', 30, '  '],
  ],
} satisfies Record<string, readonly Column[]>

const TITLES = {
  vbd: 'Vdev  BE handle state evt-ch ring-ref BE-path',
  vif: 'Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path',
  vtpm: 'Idx  BE handle state evt-ch ring-ref BE-path',
}

const valueIn = (entries: Sxp, key: string): Sxp => {
  for (const entry of listOf(entries)) if (isList(entry) && entry[0] === key) return entry[1]
  return undefined
}

function cell(device: Sxp, key: string): string {
  const [idx, entries] = isList(device) ? device : []
  if (key === 'idx') return String(pyInt(idx))
  const value = valueIn(entries, key)
  if (key === 'mac' || key === 'backend') return value === undefined ? '??' : pyStr(value as never)
  return String(value === undefined ? (key === 'handle' ? 0 : -1) : pyInt(value))
}

const lister = (cls: keyof typeof TITLES, name: string) =>
  function* (xm: Xm, args: readonly string[]): Sys<void> {
    const { long, domain } = yield* resource(xm, args, name)
    const devices = listOf(yield* xm.ask('xend.domain.getDeviceSxprs', domain, cls))
    if (long) {
      for (const device of devices) yield* xm.out.print(prettyPrint(device))
      return
    }
    if (devices.length > 0) yield* xm.print(TITLES[cls])
    for (const device of devices)
      yield* xm.print(
        COLUMNS[cls].map(([key, width, after]) => left(cell(device, String(key)), Number(width)) + after).join(''),
      )
  }

export const blockList = lister('vbd', 'block-list')
export const networkList = lister('vif', 'network-list')
export const vtpmList = lister('vtpm', 'vtpm-list')

export function* pciList(xm: Xm, args: readonly string[]): Sys<void> {
  const { domain } = yield* resource(xm, args, 'pci-list')
  const devices = listOf(yield* xm.ask('xend.domain.getDeviceSxprs', domain, 'pci'))
  if (devices.length === 0) return
  const text = (device: Sxp, key: string): string => {
    const value = (device as { readonly [key: string]: unknown } | undefined)?.[key]
    return value === undefined ? '' : String(value)
  }
  const slot = text(devices[0], 'vslt') !== ''
  yield* xm.print(`${slot ? 'VSlt ' : ''}domain   bus   slot   func`)
  for (const device of devices) {
    const [vslt, dom, bus, dev, func] = ['vslt', 'domain', 'bus', 'slot', 'func'].map((key) =>
      left(text(device, key), 3),
    )
    yield* xm.print(`${slot ? `${vslt}    ` : ''}${dom}  ${bus}   ${dev}    ${func}    `)
  }
}

/** Needs an IOMMU, which this machine has not: nothing can be assigned by it. */
export function* pciListAssignable(): Sys<void> {}

export function* scsiList(xm: Xm, args: readonly string[]): Sys<void> {
  const { long, domain } = yield* resource(xm, args, 'scsi-list')
  const devices = listOf(yield* xm.ask('xend.domain.getDeviceSxprs', domain, 'vscsi'))
  if (long) for (const device of devices) yield* xm.out.print(prettyPrint(device))
}

const blockDevice = (args: readonly string[]): XmlRpcValue => {
  const [, uname, dev, mode, backend] = args as [string, string, string, string, string?]
  const device: XmlRpcValue[] = [
    uname.startsWith('tap:') ? 'tap' : 'vbd',
    ['uname', uname],
    ['dev', dev],
    ['mode', mode],
  ]
  if (backend !== undefined) device.push(['backend', backend])
  return device
}

export function* blockAttach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'block-attach', 4, 5)
  yield* xm.ask('xend.domain.device_create', args[0]!, blockDevice(args))
}

export function* blockConfigure(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'block-configure', 4, 5)
  yield* xm.ask('xend.domain.device_configure', args[0]!, blockDevice(args))
}

function* detach(xm: Xm, args: readonly string[], cls: string): Sys<void> {
  let force: string | null = args[2] ?? null
  if (force !== null && force !== '--force' && force !== '-f') {
    yield* xm.print(`Ignoring option ${force}`)
    force = null
  }
  yield* xm.ask('xend.domain.destroyDevice', args[0]!, cls, args[1]!, force, true)
}

export function* blockDetach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'block-detach', 2, 3)
  const cls = yield* xm.ask('xend.domain.getBlockDeviceClass', args[0]!, args[1]!)
  yield* detach(xm, args, cls === 'tap' ? 'tap' : 'vbd')
}

export function* networkDetach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'network-detach', 2, 3)
  yield* detach(xm, args, 'vif')
}

const VIF_KEYS = ['type', 'mac', 'bridge', 'ip', 'script', 'backend', 'vifname', 'rate', 'model', 'accel']

export function* networkAttach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'network-attach', 1, 11)
  const vif: XmlRpcValue[] = ['vif']
  for (const arg of args.slice(1)) {
    const pair = arg.split('=')
    if (pair.length !== 2 || pair[1] === '' || !VIF_KEYS.includes(pair[0]!)) {
      yield* xm.err(`Invalid argument: ${arg}`)
      yield* xm.usage('network-attach')
    }
    vif.push(pair)
  }
  yield* xm.ask('xend.domain.device_create', args[0]!, vif)
}

/** `[dddd:]bb:ss.f`; undefined for anything else. */
export function parsePci(text: string): readonly [domain: string, bus: string, slot: string, func: string] | undefined {
  const match = /^(?:([0-9a-fA-F]{1,4})[:,])?([0-9a-fA-F]{1,2})[:,]([0-9a-fA-F]{1,2})[.,]([0-7])$/.exec(text)
  return match ? [`0x${match[1] ?? '0'}`, `0x${match[2]}`, `0x${match[3]}`, `0x${match[4]}`] : undefined
}

function pciDevice(args: readonly string[], state: string): XmlRpcValue {
  const slot = args[2] ?? '0x0'
  const found = parsePci(args[1]!)
  if (!found || !/^\s*(0[xX])?[0-9a-fA-F]+\s*$/.test(slot))
    throw new OptionError(`Invalid argument: ${args[1]} ${slot}`)
  const [domain, bus, dev, func] = found
  return [
    'pci',
    [
      'dev',
      ['domain', domain],
      ['bus', bus],
      ['slot', dev],
      ['func', func],
      ['vslt', `0x${Number.parseInt(slot, 16).toString(16)}`],
    ],
    ['state', state],
  ]
}

export function* pciAttach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'pci-attach', 2, 3)
  yield* xm.ask('xend.domain.device_configure', args[0]!, pciDevice(args, 'Initialising'))
}

export function* pciDetach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'pci-detach', 2)
  yield* xm.ask('xend.domain.device_configure', args[0]!, pciDevice(args, 'Closing'))
}

export function* scsiAttach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'scsi-attach', 3, 4)
  if (args[2]!.split(':').length !== 4) throw new OptionError(`Invalid argument: ${args[2]}`)
  // The machine has no SCSI host, so that no name is one of its devices.
  throw new OptionError(`Cannot find device "${args[1]}"`)
}

export function* scsiDetach(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'scsi-detach', 2)
  const hctl = args[1]!.split(':')
  if (hctl.length !== 4) throw new OptionError(`Invalid argument: ${args[1]}`)
  yield* xm.ask('xend.domain.device_configure', args[0]!, [
    'vscsi',
    ['dev', ['state', 'Closing'], ['devid', hctl[0]!], ['p-dev', ''], ['p-devname', ''], ['v-dev', args[1]!]],
    ['state', 'Closing'],
    ['devid', hctl[0]!],
  ])
}

export function* vnetList(xm: Xm, args: readonly string[]): Sys<void> {
  const parsed = yield* xm.options(args, 'vnet-list', 'l', ['long'])
  const names = parsed.params.length > 0 ? parsed.params : listOf(yield* xm.ask('xend_vnets')).map(String)
  for (const name of names) {
    if (parsed.params.length === 0 && !given(parsed, '-l', '--long')) yield* xm.print(name)
    else yield* xm.out.print(prettyPrint((yield* xm.ask('xend_vnet', name)) as Sxp))
  }
}

const vnet = (name: string, method: string) =>
  function* (xm: Xm, args: readonly string[]): Sys<void> {
    yield* xm.argCheck(args, name, 1)
    yield* xm.ask(method, args[0]!)
  }

export const vnetCreate = vnet('vnet-create', 'xend_vnet_create')
export const vnetDelete = vnet('vnet-delete', 'xend_vnet_delete')
