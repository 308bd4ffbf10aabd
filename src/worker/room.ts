/** The room that the machine stands in: makes a world at power-on, lets messages in and what happens out. */
import { gunzipSync } from 'fflate'
import type { LinkInput } from '#abi/pc/hostlink.ts'
import { addDiskPart, unpackDisk } from '#lib/ondisk/disk-container.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { BUILD } from '#protocol/build.ts'
import type { MachineOptions, Reply, Request, ToWorker } from '#protocol/messages.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { createWorld, type World } from '#world/world.ts'
import type { Host } from './host.ts'
import type { Send } from './outbox.ts'
import { answer } from './requests.ts'
import { RunLoop } from './run-loop.ts'

export interface Room {
  receive(message: ToWorker): void
}

/** A world, its disk and the loop that runs it. */
export interface Machine {
  world: World
  readonly loop: RunLoop
  disk: SparseDisk
  readonly options: MachineOptions
  /** The disk as it was before this machine's first power-on; never written. */
  readonly baseDisk: SparseDisk
}

const WHOLE_DISK: ReadonlySet<Request['kind']> = new Set([
  'digest',
  'record',
  'tape',
  'read-file',
  'write-file',
  'export-disk',
])

interface RoomParts {
  readonly host: Host
  /** Hashes of images that this build has verified. */
  readonly known: readonly string[]
  readonly send: Send
  /** This code failed, not a guest's: the machine is gone. */
  readonly fault: (error: unknown) => void
}

export function createRoom(parts: RoomParts): Room {
  const { send, fault } = parts
  let machine: Machine | undefined
  /** One for all machines of this worker: what is compiled stays compiled. */
  const loader = new ImageLoader(parts.known)

  /** Links that the page may still have: it is told when their machine goes. */
  const links = new Set<number>()
  function follow(link: number, event: LinkInput['kind']): void {
    if (event === 'open') links.add(link)
    else if (event === 'close') links.delete(link)
  }

  /** Another machine, off, takes the place of the present one. */
  function replace(options: MachineOptions, baseDisk: SparseDisk): Machine {
    machine?.loop.stop(new Error('another machine took its place'))
    for (const link of links)
      send({ type: 'link', link, output: { kind: 'close', reason: 'another machine took its place' } })
    links.clear()
    machine = createMachine(options, baseDisk, loader, parts)
    return machine
  }

  /** What waits for the rest of the base disk. */
  let later: (() => void)[] = []

  function receive(message: ToWorker): void {
    switch (message.type) {
      case 'power-on': {
        later = []
        const { world, loop } = replace(message.options, unpackDisk(unzipped(message.disk)))
        if (message.press) world.powerOn()
        loop.wake()
        break
      }
      case 'disk-part':
        // A disk that came in one part waits for none.
        if (machine?.baseDisk.awaited) completeDisk(machine, unzipped(message.disk))
        break
      case 'input':
        if (message.input.kind === 'link') follow(message.input.link, message.input.event.kind)
        machine?.loop.input(message.input)
        break
      case 'clock':
        machine?.loop.clock(message.mode)
        break
      case 'visible':
        machine?.loop.visible(message.visible)
        break
      case 'request':
        request(message.id, message.request)
        break
    }
  }

  function completeDisk(machine: Machine, part: Uint8Array): void {
    const { baseDisk, loop } = machine
    addDiskPart(baseDisk, part)
    const missed = machine.disk.wanted === 'missed'
    machine.disk.complete(new Map(baseDisk.chunks()))
    if (missed) again(machine)
    loop.wake()
    const waiting = later
    later = []
    for (const act of waiting) act()
  }

  /** Something has met zeros where the disk had not come yet: the same once more, with all of the disk (design D8). */
  function again(machine: Machine): void {
    const record = machine.world.record()
    machine.disk = machine.baseDisk.clone()
    const world = makeWorld(machine.options, machine.disk, machine.baseDisk, loader)
    for (const _ of world.replay(record));
    listen(world, send)
    machine.world = world
    machine.loop.continueWith(world)
  }

  function request(id: number, asked: Request): void {
    const reply = (answered: Reply) => send({ type: 'reply', id, reply: answered })
    if (!machine) {
      reply({ ok: false, error: 'the machine has never been powered on' })
      return
    }
    const { options, baseDisk } = machine
    // A tape, a record and the disk itself are of the whole disk.
    if (baseDisk.awaited && WHOLE_DISK.has(asked.kind)) {
      later.push(() => request(id, asked))
      return
    }
    answer({ machine, replace: (disk = baseDisk) => replace(options, disk), reply }, asked)
  }

  return {
    receive(message) {
      try {
        receive(message)
      } catch (error) {
        machine?.loop.stop()
        machine = undefined
        fault(error)
      }
    },
  }
}

function createMachine(
  options: MachineOptions,
  baseDisk: SparseDisk,
  loader: ImageLoader,
  { host, send, fault }: RoomParts,
): Machine {
  const disk = baseDisk.clone()
  const world = makeWorld(options, disk, baseDisk, loader)
  listen(world, send)
  const loop = new RunLoop(world, { host, send, mode: options.clock, onFault: fault })
  return { world, loop, disk, options, baseDisk }
}

function makeWorld(
  { memoryMiB, seed }: MachineOptions,
  disk: SparseDisk,
  baseDisk: SparseDisk,
  loader: ImageLoader,
): World {
  return createWorld({
    disk,
    // Only a record needs it, and it takes a tenth of a second.
    get diskHash() {
      return baseDisk.hash()
    },
    memoryMiB,
    seed,
    build: BUILD,
    loader,
  })
}

function listen(world: World, send: Send): void {
  world.onState((state) => send({ type: 'state', state }))
  world.onCrash((report) => send({ type: 'crash', report }))
  world.onProbe((probe) => send({ type: 'probe', probe }))
  world.onLink((link, output) => send({ type: 'link', link, output }))
  world.onInput((entry) => send({ type: 'input-logged', entry }))
}

/** What arrives may be gzipped or not. */
function unzipped(buffer: ArrayBuffer): Uint8Array {
  const bytes = new Uint8Array(buffer)
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}
