/**
 * What sysfs shows of Xen beside /sys/hypervisor (linux-2.6.18-xen: drivers/xen/xenbus/xenbus_probe.c, balloon/sysfs.c, core/hypervisor_sysfs.c): split devices
 * on their buses, the balloon, the domain's uuid.
 */
import { EBUSY } from '#abi/posix/errno.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { type DirNode, type FileNode, fileOf, linkTo, StaticDir } from '../proc/synth.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { XenbusProbe } from '../xenbus/probe.ts'
import { LiveDir } from './live-dir.ts'

const MODE = 0o755
const BUSES = ['xen', 'xen-backend'] as const
type BusName = (typeof BUSES)[number]

const xenbusOf = (kernel: Kernel): XenbusProbe | undefined => kernel.xenbus as XenbusProbe | undefined

/** A file whose text takes asking for. */
const askedFile = (ask: () => Sleeping<string>): FileNode => ({
  kind: 'file',
  mode: 0o444,
  ops() {
    let bytes: Uint8Array | undefined
    return {
      *read(_file, count, offset) {
        if (!bytes || offset === 0) bytes = bytesOfString(yield* ask())
        return bytes.subarray(offset, offset + count)
      },
    }
  },
})

/** /sys/hypervisor/uuid: the last part of /vm's path, as xenstore has it. */
export const uuidFile = (kernel: Kernel): FileNode =>
  askedFile(function* () {
    const store = xenbusOf(kernel)?.store
    if (!store?.ready) return fail(EBUSY)
    const vm = yield* store.read('vm')
    return `${yield* store.read(`${vm}/uuid`)}\n`
  })

const deviceNames = (kernel: Kernel, bus: BusName): string[] =>
  xenbusOf(kernel)
    ?.devices(bus)
    .map(({ busId }) => busId) ?? []

/** /sys/bus/xen and xen-backend: devices are links, drivers directories. */
export const xenBuses = (kernel: Kernel): readonly (readonly [string, DirNode])[] =>
  BUSES.map((bus) => [
    bus,
    new StaticDir(MODE, [
      [
        'devices',
        new LiveDir(
          () => deviceNames(kernel, bus),
          (name) => linkTo(`../../../devices/${bus}/${name}`),
        ),
      ],
      [
        'drivers',
        new LiveDir(
          () => xenbusOf(kernel)?.driverNames(bus) ?? [],
          () => new StaticDir(MODE),
        ),
      ],
    ]),
  ])

/** /sys/devices/xen and xen-backend. */
export const xenDevices = (kernel: Kernel): readonly (readonly [string, DirNode])[] =>
  BUSES.map((bus) => [
    bus,
    new LiveDir(
      () => deviceNames(kernel, bus),
      (name) => {
        const find = () =>
          xenbusOf(kernel)
            ?.devices(bus)
            .find(({ busId }) => busId === name)
        return new StaticDir(MODE, [
          ['devtype', fileOf(() => `${find()?.devicetype ?? ''}\n`)],
          ['nodename', fileOf(() => `${find()?.nodename ?? ''}\n`)],
        ])
      },
    ),
  ])
