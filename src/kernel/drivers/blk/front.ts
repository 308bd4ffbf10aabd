/** The domU half of a block device (linux-2.6.18-xen: drivers/xen/blkfront/blkfront.c): grants a ring, publishes it, and becomes a disk. */
import { EBUSY, EINVAL, ENODEV, ENOENT } from '#abi/posix/errno.ts'
import { makedev } from '#abi/posix/stat.ts'
import { BLKIF_VIRTUAL_DEVICE, VDISK_READONLY } from '#abi/xen/io/blkif.ts'
import { XEN_IO_PROTO_ABI_X86_64 } from '#abi/xen/io/protocols.ts'
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import type { Gpfn } from '#abi/xen/types.ts'
import { Errno } from '../../errno.ts'
import type { Initcall, Kernel } from '../../kernel.ts'
import type { Sleeping } from '../../sched/wait.ts'
import type { Grants } from '../../xen/grants.ts'
import type { XenbusDevice } from '../../xenbus/xenbus.ts'
import { FrontDisk } from './front-disk.ts'
import { numberOf, vbdName } from './vbd-names.ts'

/** More sectors than a disk can have. */
const SECTORS_MAX = 2 ** 48

/** What is shared with the back end for as long as it serves. */
interface Connection {
  readonly page: Gpfn
  readonly ref: number
  readonly port: number
  /** Whoever has the ring. */
  disk: FrontDisk | undefined
}

export const blkfrontInit: Initcall = function* blkfrontInit(kernel) {
  const { xenbus, grants } = kernel
  if (xenbus && grants)
    xenbus.registerFrontend({ devicetype: 'vbd', run: (device) => blkfront(kernel, grants, device) })
}

function* blkfront(kernel: Kernel, grants: Grants, device: XenbusDevice): Sleeping<void> {
  const vdevice = numberOf(yield* device.read(BLKIF_VIRTUAL_DEVICE))
  if (Number.isNaN(vdevice)) return yield* device.fatal(ENOENT, 'reading virtual-device')
  const connection = yield* setUpRing(kernel, grants, device)
  try {
    const state = yield* device.untilPeer(XenbusState.Connected, XenbusState.Closing)
    const disk =
      state === XenbusState.Connected ? yield* connect(kernel, grants, device, connection, vdevice) : undefined
    yield* device.untilPeer(XenbusState.Closing)
    if (disk) yield* untilClosed(kernel, device, disk)
    yield* device.switchState(XenbusState.Closed)
    // It has the ring mapped until it is closed too.
    yield* device.untilPeer()
  } finally {
    connection.disk?.disconnect()
    kernel.irq.unbind(connection.port)
    grants.endAccessLater(connection.ref, () => kernel.pages.release(connection.page, 'kernel'))
  }
}

/** talk_to_backend */
function* setUpRing(kernel: Kernel, grants: Grants, device: XenbusDevice): Sleeping<Connection> {
  const page = yield* kernel.pages.alloc('kernel')
  kernel.pages.zero(page)
  const ref = grants.grantAccess(device.otherendId, page, false)
  const connection: Connection = {
    page,
    ref,
    port: kernel.irq.bindListening(device.otherendId, 'blkif', () => connection.disk?.interrupt()),
    disk: undefined,
  }
  yield* device.publish({
    'ring-ref': ref,
    'event-channel': connection.port,
    protocol: XEN_IO_PROTO_ABI_X86_64,
  })
  yield* device.switchState(XenbusState.Initialised)
  return connection
}

/** connect: the disk is there. Undefined: the back end says what cannot be. */
function* connect(
  kernel: Kernel,
  grants: Grants,
  device: XenbusDevice,
  connection: Connection,
  vdevice: number,
): Sleeping<FrontDisk | undefined> {
  const { blocks, log, irq } = kernel
  const sectors = numberOf(yield* device.readPeer('sectors'))
  const info = numberOf(yield* device.readPeer('info'))
  const sectorSize = numberOf(yield* device.readPeer('sector-size'))
  if (!(sectors <= SECTORS_MAX && info >= 0 && sectorSize > 0)) {
    yield* device.fatal(EINVAL, `reading backend fields at ${device.otherend}`)
    return undefined
  }
  const vbd = vbdName(vdevice)
  if (!vbd || blocks.device(makedev(vbd.major, vbd.minor)) || !claimMajor(kernel, vbd.major, vbd.driver)) {
    yield* device.fatal(ENODEV, `xlvbd_add at ${device.otherend}`)
    return undefined
  }
  const disk = new FrontDisk(kernel, grants, {
    name: vbd.name,
    major: vbd.major,
    firstMinor: vbd.minor,
    minors: vbd.minors,
    sectors,
    readOnly: (info & VDISK_READONLY) !== 0,
    handle: vdevice & 0xffff,
    backendId: device.otherendId,
    ring: kernel.pages.va(connection.page),
    notify: () => irq.notify(connection.port),
  })
  connection.disk = disk
  yield* disk.prepare()
  disk.barriers = (yield* device.readPeer('feature-barrier')) === '1'
  if (disk.barriers) log.printk(`<6>blkfront: ${disk.name}: barriers enabled\n`)
  device.onPeerChange((state) => {
    // Who has lost its back end gets errors, not silence.
    if (state === XenbusState.Closed || state === XenbusState.Unknown) disk.disconnect()
    disk.released.wakeUp()
  })
  yield* blocks.addDisk(disk)
  // Partitions and all: whoever waits for the root's device looks at this.
  yield* device.switchState(XenbusState.Connected)
  return disk
}

/** xlbd_alloc_major_info */
function claimMajor({ blocks, log }: Kernel, major: number, driver: string): boolean {
  const owner = blocks.majors.get(major)
  if (owner === undefined) {
    blocks.registerBlockDevice(major, driver)
    log.printk(`<6>xen-vbd: registered block device major ${major}\n`)
    return true
  }
  if (owner === driver) return true
  log.printk(`<4>xen-vbd: can't get major ${major} with name ${driver}\n`)
  return false
}

/** The back end wants to close, or is gone: the disk goes when nobody has it open. */
function* untilClosed(kernel: Kernel, device: XenbusDevice, disk: FrontDisk): Sleeping<void> {
  const { blocks, sched } = kernel
  let complained = false
  for (;;) {
    const gone = device.removed || device.peerState === XenbusState.Closed || device.peerState === XenbusState.Unknown
    if (gone) disk.disconnect()
    try {
      yield* blocks.removeDisk(disk.name)
      disk.disconnect()
      disk.dispose()
      return
    } catch (error) {
      if (!(error instanceof Errno)) throw error
    }
    if (gone) {
      // Mounted as it may be, from now on it has nothing but errors. It goes with its last user.
      sched.kthread('blkfront', function* () {
        yield* removeWhenReleased(kernel, disk)
      })
      return
    }
    if (!complained) yield* device.error(EBUSY, 'Device in use; refusing to close')
    complained = true
    yield* sched.sleepOn(disk.released)
  }
}

function* removeWhenReleased({ blocks, sched }: Kernel, disk: FrontDisk): Sleeping<void> {
  for (;;) {
    yield* sched.sleepOn(disk.released)
    try {
      yield* blocks.removeDisk(disk.name)
      disk.dispose()
      return
    } catch (error) {
      if (!(error instanceof Errno)) throw error
    }
  }
}
