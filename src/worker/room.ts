/** The room that the machine stands in: makes a world at power-on, lets messages in and what happens out. */
import { gunzipSync } from 'fflate'
import type { LinkInput } from '#abi/pc/hostlink.ts'
import { addDiskPart, unpackDisk } from '#lib/ondisk/disk-container.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { BUILD } from '#protocol/build.ts'
import type { DiskChunk } from '#protocol/disk.ts'
import type { Input } from '#protocol/machine.ts'
import type { MachineOptions, Reply, Request, ToWorker } from '#protocol/messages.ts'
import type { XrayWatch } from '#protocol/xray.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import type { CreateRing3s } from '#world/ring3.ts'
import { createWorld, type World } from '#world/world.ts'
import { BatchSender, DiskWatch } from './disk-batches.ts'
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
  /** The disk as the page brought it, without what was stored over it; never written. */
  readonly shippedDisk: SparseDisk
  /** The second disk as the page brought it, never written; what a machine writes to its copy ends with that machine. */
  readonly secondDisk: SparseDisk | undefined
  /** What of the disk is to be stored; undefined where nothing is. */
  watch: DiskWatch | undefined
  /** What is played on it, and alone enters it; beside a tape the machine's buttons still work. */
  playing: 'record' | 'tape' | undefined
  /** Links of this number and below were opened by what has been played: the page's are numbered after them. */
  linksBefore: number
}

/** What a machine is made of. */
export interface MachineParts {
  readonly options: MachineOptions
  readonly baseDisk: SparseDisk
  readonly shippedDisk: SparseDisk
  readonly secondDisk: SparseDisk | undefined
  readonly persist: boolean
}

const WHOLE_DISK: ReadonlySet<Request['kind']> = new Set([
  'digest',
  'record',
  'tape',
  'read-file',
  'write-file',
  'export-disk',
  'import-disk',
  'replay',
])

/** Machines of their own, which are stepped to the end. */
const WHOLE_RUN: ReadonlySet<Request['kind']> = new Set(['tape', 'replay'])

export interface RoomParts {
  readonly host: Host
  /** Hashes of images that this build has verified. */
  readonly known: readonly string[]
  /** What executes machine code, where it is there from the start; or what makes it of the `machine-code` script. */
  readonly createRing3s?: CreateRing3s
  readonly evaluate?: (text: string, translations: Uint8Array<ArrayBuffer> | undefined) => CreateRing3s
  readonly send: Send
  /** This code failed, not a guest's: the machine is gone. */
  readonly fault: (error: unknown) => void
}

export function createRoom(parts: RoomParts): Room {
  const { send, fault } = parts
  let machine: Machine | undefined
  /** One for all machines of this worker: what is compiled stays compiled. */
  const loader = new ImageLoader(parts.known)
  const sender = new BatchSender(send)

  /** Links that the page may still have: it is told when their machine goes. */
  const links = new Set<number>()
  function follow(link: number, event: LinkInput['kind']): void {
    if (event === 'open') links.add(link)
    else if (event === 'close') links.delete(link)
  }

  /** Another machine, off, takes the place of the present one. */
  function replace(made: MachineParts): Machine {
    machine?.loop.stop(new Error('another machine took its place'))
    for (const link of links)
      send({ type: 'link', link, output: { kind: 'close', reason: 'another machine took its place' } })
    links.clear()
    if (machine?.watch && !made.persist) send({ type: 'disk-temporary' })
    machine = createMachine(made, { ...parts, loader, createRing3s, sender, xray })
    return machine
  }

  /** What executes machine code, for all machines of this worker, when it has come. */
  let ring3s = parts.createRing3s
  const createRing3s = () => ring3s

  /** What of the trace the page wants to see, of whatever machine stands here. */
  let xray: XrayWatch | undefined

  /** What waits for the rest of the base disk, and for what executes machine code. */
  let later: (() => void)[] = []

  function receive(message: ToWorker): void {
    switch (message.type) {
      case 'power-on': {
        later = []
        const { options, stored = [], persist = false } = message
        const shippedDisk = unpackDisk(unzipped(message.disk))
        const secondDisk = message.secondDisk && unpackDisk(unzipped(message.secondDisk))
        const baseDisk = overlaid(shippedDisk, stored)
        const { world, loop } = replace({ options, baseDisk, shippedDisk, secondDisk, persist })
        if (message.press) world.powerOn()
        loop.wake()
        break
      }
      case 'disk-part':
        // A disk that came in one part waits for none.
        if (machine?.baseDisk.awaited) completeDisk(machine, unzipped(message.disk))
        break
      case 'machine-code':
        ring3s ??= parts.evaluate?.(message.text, message.translations && unzipped(message.translations))
        if (machine?.world.waitsForRing3()) again(machine)
        machine?.loop.wake()
        askAgain()
        break
      case 'input':
        input(message.input)
        break
      case 'clock':
        machine?.loop.clock(message.mode)
        break
      case 'visible':
        machine?.loop.visible(message.visible)
        break
      case 'xray':
        xray = message.watch
        machine?.loop.xray(xray)
        break
      case 'request':
        request(message.id, message.request)
        break
    }
  }

  function input(input: Input): void {
    if (!machine) return
    const { playing, loop, linksBefore } = machine
    if (input.kind !== 'link') {
      if (!playing || (playing === 'tape' && input.kind === 'button')) loop.input(input)
    } else if (playing) {
      const reason = playing === 'tape' ? 'a tape is being played' : 'a record is being replayed'
      if (input.event.kind === 'open') send({ type: 'link', link: input.link, output: { kind: 'close', reason } })
    } else {
      follow(input.link, input.event.kind)
      loop.input({ ...input, link: linksBefore + input.link })
    }
  }

  function completeDisk(machine: Machine, part: Uint8Array): void {
    const { baseDisk, shippedDisk, loop } = machine
    addDiskPart(shippedDisk, part)
    if (baseDisk !== shippedDisk) baseDisk.complete(new Map(shippedDisk.chunks()))
    const missed = machine.disk.wanted === 'missed'
    machine.disk.complete(new Map(baseDisk.chunks()))
    if (missed) again(machine)
    loop.wake()
    askAgain()
  }

  /** Who has waited asks again. */
  function askAgain(): void {
    const waiting = later
    later = []
    for (const act of waiting) act()
  }

  function hasToWait({ baseDisk, world }: Machine, kind: Request['kind']): boolean {
    if (!ring3s && (WHOLE_RUN.has(kind) || (WHOLE_DISK.has(kind) && world.waitsForRing3()))) return true
    return baseDisk.awaited !== undefined && WHOLE_DISK.has(kind)
  }

  /** Something has met zeros where the disk had not come yet: the same once more, with all of the disk (design D8). */
  function again(machine: Machine): void {
    const record = machine.world.record()
    machine.disk = machine.baseDisk.clone()
    // What was stored already must not be stored again after what came later.
    machine.watch &&= new DiskWatch(machine.disk, sender, machine.watch.batches)
    const world = makeWorld(machine, loader, createRing3s)
    machine.loop.rehearse(world)
    for (const _ of world.replay(record));
    listen(world, machine, send)
    machine.world = world
    machine.loop.continueWith(world)
  }

  function request(id: number, asked: Request): void {
    const reply = (answered: Reply) => send({ type: 'reply', id, reply: answered })
    if (!machine) {
      reply({ ok: false, error: 'the machine has never been powered on' })
      return
    }
    const present = machine
    // A tape, a record and the disk itself are of the whole disk.
    if (hasToWait(present, asked.kind)) {
      later.push(() => request(id, asked))
      return
    }
    const { options, baseDisk, shippedDisk, secondDisk } = present
    const persist = present.watch !== undefined
    answer(
      {
        machine,
        send,
        sender,
        reply,
        replace: (made) => replace({ options, baseDisk, shippedDisk, secondDisk, persist, ...made }),
      },
      asked,
    )
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

/** The stored chunks over the disk they were changed from. */
function overlaid(shipped: SparseDisk, stored: readonly DiskChunk[]): SparseDisk {
  if (stored.length === 0) return shipped
  const disk = shipped.clone()
  disk.place(stored)
  return disk
}

function createMachine(
  { options, baseDisk, shippedDisk, secondDisk, persist }: MachineParts,
  {
    host,
    send,
    fault,
    loader,
    createRing3s,
    sender,
    xray,
  }: Omit<RoomParts, 'createRing3s'> & {
    readonly loader: ImageLoader
    readonly createRing3s: () => CreateRing3s | undefined
    readonly sender: BatchSender
    readonly xray: XrayWatch | undefined
  },
): Machine {
  const disk = baseDisk.clone()
  const watch = persist ? new DiskWatch(disk, sender) : undefined
  const world = makeWorld({ options, disk, baseDisk, secondDisk, watch }, loader, createRing3s)
  const loop = new RunLoop(world, { host, send, mode: options.clock, onFault: fault, xray })
  const disks = { disk, baseDisk, shippedDisk, secondDisk, watch }
  const machine = { world, loop, options, ...disks, playing: undefined, linksBefore: 0 }
  listen(world, machine, send)
  return machine
}

function makeWorld(
  {
    options,
    disk,
    baseDisk,
    secondDisk,
    watch,
  }: Pick<Machine, 'options' | 'disk' | 'baseDisk' | 'secondDisk' | 'watch'>,
  loader: ImageLoader,
  createRing3s: () => CreateRing3s | undefined,
): World {
  const { memoryMiB, seed } = options
  const world = createWorld({
    disk,
    // Only a record needs it, and it takes a tenth of a second.
    get diskHash() {
      return baseDisk.hash()
    },
    secondDisk: secondDisk?.clone(),
    get secondDiskHash() {
      return secondDisk?.hash()
    },
    memoryMiB,
    seed,
    build: BUILD,
    loader,
    createRing3s,
    flushed: () => watch?.flushed(),
  })
  world.onState(() => watch?.flushed())
  return world
}

/** The rest leaves through the loop's outbox. */
function listen(world: World, machine: Pick<Machine, 'linksBefore' | 'playing'>, send: Send): void {
  world.onCrash((report) => send({ type: 'crash', report }))
  world.onLink((numbered, output) => {
    const link = numbered - machine.linksBefore
    // A tape's links, and a record's, are their own: the page may have numbered its own alike.
    if (link > 0 && !machine.playing) send({ type: 'link', link, output })
  })
}

/** What arrives may be gzipped or not. */
function unzipped(buffer: ArrayBuffer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(buffer)
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}
