/**
 * The driver domain's half of a block device (linux-2.6.18-xen: drivers/xen/blkback/xenbus.c): waits for the hotplug script to say which device it is,
 * maps the front end's ring and has it served (back-io.ts) until one side closes.
 */
import { EINVAL, ENOENT } from '#abi/posix/errno.ts'
import { makedev } from '#abi/posix/stat.ts'
import {
  BLKIF_DEV,
  BLKIF_DEVICE_TYPE,
  BLKIF_MODE,
  BLKIF_PHYSICAL_DEVICE,
  VDISK_CDROM,
  VDISK_READONLY,
} from '#abi/xen/io/blkif.ts'
import { XEN_IO_PROTO_ABI_X86_64 } from '#abi/xen/io/protocols.ts'
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import type { BlockDevice } from '../../block/device.ts'
import { Errno } from '../../errno.ts'
import type { Initcall, Kernel } from '../../kernel.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import type { GrantMapping, Grants } from '../../xen/grants.ts'
import type { XenbusDevice } from '../../xenbus/xenbus.ts'
import { RingServer } from './back-io.ts'
import { numberOf } from './vbd-names.ts'

const TASK_COMM_LEN = 16
/** BLKIF_PROTOCOL_NATIVE. */
const NATIVE = 1

export const blkbackInit: Initcall = function* blkbackInit(kernel) {
  const { xenbus, grants } = kernel
  if (xenbus && grants && kernel.dom0)
    xenbus.registerBackend({ devicetype: 'vbd', run: (device) => blkback(kernel, grants, device) })
}

/** struct vbd */
interface Vbd {
  readonly device: BlockDevice
  readonly readOnly: boolean
  readonly info: number
}

function* blkback(kernel: Kernel, grants: Grants, device: XenbusDevice): Sleeping<void> {
  yield* device.switchState(XenbusState.InitWait)
  const vbd = yield* openVbd(kernel, device)
  try {
    for (;;) {
      if (vbd) yield* whileConnected(kernel, grants, device, vbd)
      if ((yield* device.untilPeer(XenbusState.Closing)) === XenbusState.Closing) {
        yield* device.switchState(XenbusState.Closing)
        yield* device.untilPeer()
      }
      yield* device.switchState(XenbusState.Closed)
      // xenbus_dev_is_online: the tool stack wants it to be there for a front end that comes again.
      if (device.removed || (yield* device.read('online')) !== '1') return
      if (!(yield* untilReopened(kernel, device))) return
      kernel.log.printk(`<6>frontend_changed: ${device.nodename}: prepare for reconnect\n`)
      yield* device.switchState(XenbusState.InitWait)
    }
  } finally {
    if (vbd) yield* vbd.device.put()
  }
}

/** Until the front end begins anew; false: it is gone. */
function* untilReopened({ sched }: Kernel, device: XenbusDevice): Sleeping<boolean> {
  const changed = new WaitQueue()
  device.onPeerChange(() => changed.wakeUp())
  while (device.peerState === XenbusState.Closed && !device.removed) yield* sched.sleepOn(changed)
  return !device.removed && device.peerState !== XenbusState.Unknown
}

/** backend_changed: the script has written physical-device. Undefined: there is no such device, or nobody wants it any more. */
function* openVbd(kernel: Kernel, device: XenbusDevice): Sleeping<Vbd | undefined> {
  const physical = yield* device.untilKey(BLKIF_PHYSICAL_DEVICE)
  if (physical === undefined) return undefined
  const numbers = /^([0-9a-f]{1,6}):([0-9a-f]{1,6})$/i.exec(physical)
  if (!numbers) {
    yield* device.fatal(EINVAL, 'reading physical-device')
    return undefined
  }
  const mode = yield* device.read(BLKIF_MODE)
  if (mode === undefined) {
    yield* device.fatal(ENOENT, 'reading mode')
    return undefined
  }
  const cdrom = (yield* device.readPeer(BLKIF_DEVICE_TYPE)) === 'cdrom'
  const major = Number.parseInt(numbers[1]!, 16)
  const minor = Number.parseInt(numbers[2]!, 16)
  const found = kernel.blocks.device(makedev(major, minor))
  if (!found) {
    yield* device.fatal(ENOENT, 'creating vbd structure')
    return undefined
  }
  yield* found.get()
  const readOnly = !mode.includes('w')
  return { device: found, readOnly, info: (cdrom ? VDISK_CDROM : 0) | (readOnly ? VDISK_READONLY : 0) }
}

/** From the front end's Initialised until one of the two closes. */
function* whileConnected(kernel: Kernel, grants: Grants, device: XenbusDevice, vbd: Vbd): Sleeping<void> {
  const state = yield* device.untilPeer(XenbusState.Initialised, XenbusState.Connected, XenbusState.Closing)
  if (state !== XenbusState.Initialised && state !== XenbusState.Connected) return
  const dev = (yield* device.read(BLKIF_DEV)) ?? ''
  const connection = yield* connectRing(kernel, grants, device)
  if (!connection) return
  const { ring, remotePort } = connection
  const server = new RingServer(kernel, grants, {
    domid: device.otherendId,
    ring: ring.va,
    device: vbd.device,
    readOnly: vbd.readOnly,
    notify: () => kernel.irq.notify(port),
  })
  let port = 0
  try {
    port = kernel.irq.bindInterdomain(device.otherendId, remotePort, 'blkif-backend', () => server.wake())
  } catch (error) {
    ring.unmap()
    if (!(error instanceof Errno)) throw error
    return yield* device.fatal(error.errno, `mapping ring-ref ${connection.ref} port ${remotePort}`)
  }
  try {
    yield* device.publish({
      'feature-barrier': 1,
      sectors: vbd.device.sectors,
      info: vbd.info,
      'sector-size': 512,
    })
    yield* device.switchState(XenbusState.Connected)
    const name = `blkback.${device.otherendId}.${dev.replace(/^\/dev\//, '')}`.slice(0, TASK_COMM_LEN - 1)
    kernel.sched.kthread(name, () => server.serve())
    device.onPeerChange((changed) => {
      if (changed !== XenbusState.Initialised && changed !== XenbusState.Connected) server.stop()
    })
    // It may have closed before anybody listened.
    if (device.removed || (device.peerState !== XenbusState.Initialised && device.peerState !== XenbusState.Connected))
      server.stop()
    yield* server.stopped()
    if (server.broken) yield* device.fatal(EINVAL, 'ring indexes make no sense')
  } finally {
    kernel.irq.unbind(port)
    ring.unmap()
  }
}

interface MappedRing {
  readonly ring: GrantMapping
  readonly ref: number
  readonly remotePort: number
}

/** connect_ring */
function* connectRing(kernel: Kernel, grants: Grants, device: XenbusDevice): Sleeping<MappedRing | undefined> {
  const ref = numberOf(yield* device.readPeer('ring-ref'))
  const remotePort = numberOf(yield* device.readPeer('event-channel'))
  if (Number.isNaN(ref) || Number.isNaN(remotePort)) {
    yield* device.fatal(ENOENT, `reading ${device.otherend}/ring-ref and event-channel`)
    return undefined
  }
  const protocol = yield* device.readPeer('protocol')
  if (protocol !== undefined && protocol !== XEN_IO_PROTO_ABI_X86_64) {
    yield* device.fatal(EINVAL, `unknown fe protocol ${protocol.slice(0, 63)}`)
    return undefined
  }
  kernel.log.printk(
    `<6>blkback: ring-ref ${ref}, event-channel ${remotePort}, protocol ${NATIVE} (${protocol ?? 'unspecified, assuming native'})\n`,
  )
  try {
    return { ring: grants.map(device.otherendId, [ref >>> 0], false), ref, remotePort }
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    yield* device.fatal(error.errno, `mapping ring-ref ${ref} port ${remotePort}`)
    return undefined
  }
}
