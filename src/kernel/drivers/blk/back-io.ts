/**
 * Serving a front end's requests (linux-2.6.18-xen: drivers/xen/blkback/blkback.c). Each is looked at before anything is done for it. They are served in
 * the order in which they came; what continues the request before becomes one with it.
 */
import {
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE_BARRIER,
  BLKIF_RSP_ERROR,
  BLKIF_RSP_OKAY,
  BLKIF_SEGMENTS,
  blkif_request,
  blkif_request_segment,
  blkif_response,
} from '#abi/xen/io/blkif.ts'
import { BackRing } from '#abi/xen/io/ring.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import type { BlockDevice } from '../../block/device.ts'
import { Errno } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import { moved } from '../../sched/copy-cost.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import type { GrantMapping, Grants } from '../../xen/grants.ts'

const SECTOR = 512
const PAGE_SECTORS = PAGE_SIZE / SECTOR
/** Of requests that have become one. */
const MERGED_SECTORS_MAX = 256
/** A front end that asks for what there is not is served at leisure. */
const PENALTY_NS = 1_000_000

interface Segment {
  readonly gref: number
  readonly first: number
  readonly sectors: number
}

interface Request {
  readonly id: bigint
  readonly operation: number
  readonly sector: number
  readonly sectors: number
  readonly segments: readonly Segment[]
  /** Its segments make sense. */
  readonly good: boolean
}

export interface RingServerOptions {
  readonly domid: number
  /** Where the ring is mapped. */
  readonly ring: Vaddr
  readonly device: BlockDevice
  readonly readOnly: boolean
  /** Tell the front end. */
  readonly notify: () => void
}

export class RingServer {
  readonly #kernel: Kernel
  readonly #grants: Grants
  readonly #options: RingServerOptions
  readonly #ring: BackRing
  readonly #work = new WaitQueue()
  readonly #ended = new WaitQueue()
  #stopping = false
  #done = false
  /** Its indexes make no sense: it is served no more. */
  broken = false

  constructor(kernel: Kernel, grants: Grants, options: RingServerOptions) {
    this.#kernel = kernel
    this.#grants = grants
    this.#options = options
    this.#ring = new BackRing(kernel.mem, options.ring, blkif_request.size)
  }

  /** blkif_be_int */
  wake(): void {
    this.#work.wakeUp()
  }

  /** After the request under way. */
  stop(): void {
    this.#stopping = true
    this.#work.wakeUp()
  }

  *stopped(): Sleeping<void> {
    while (!this.#done) yield* this.#kernel.sched.sleepOn(this.#ended)
  }

  /** blkif_schedule: the device's thread. */
  *serve(): Sleeping<void> {
    while (!this.#stopping) {
      if (this.#ring.broken) {
        this.broken = true
        break
      }
      const requests = yield* this.#take()
      if (requests.length === 0 && !this.#ring.finalCheck()) {
        // What has come since would have shown.
        if (!this.#stopping) yield* this.#kernel.sched.sleepOn(this.#work)
        continue
      }
      for (const group of merged(requests)) {
        if (this.#stopping) break
        yield* this.#serve(group)
      }
    }
    this.#done = true
    this.#ended.wakeUp()
  }

  /** do_block_io_op: what is in the ring now. The bad ones are answered at once. */
  *#take(): Sleeping<Request[]> {
    const taken: Request[] = []
    while (taken.length < this.#ring.size) {
      const at = this.#ring.request()
      if (at === undefined) break
      const request = this.#read(at)
      if (this.#acceptable(request)) taken.push(request)
      else {
        if (request.operation > BLKIF_OP_WRITE_BARRIER)
          yield* this.#kernel.sched.sleepFor(PENALTY_NS, { interruptible: false })
        this.#respond(request, BLKIF_RSP_ERROR)
      }
    }
    return taken
  }

  /** All of it at once: the front end may change it at any time. */
  #read(at: number): Request {
    const { mem } = this.#kernel
    const { operation, nr_segments, id, sector_number } = blkif_request.read(mem, at)
    const segments: Segment[] = []
    let sectors = 0
    // An empty barrier flushes: current front ends make one of every flush.
    const least = operation === BLKIF_OP_WRITE_BARRIER ? 0 : 1
    let good = nr_segments >= least && nr_segments <= BLKIF_MAX_SEGMENTS_PER_REQUEST
    for (let i = 0; good && i < nr_segments; i++) {
      const { gref, first_sect, last_sect } = blkif_request_segment.read(
        mem,
        at + BLKIF_SEGMENTS + i * blkif_request_segment.size,
      )
      good = last_sect < PAGE_SECTORS && last_sect >= first_sect
      segments.push({ gref, first: first_sect, sectors: last_sect - first_sect + 1 })
      sectors += last_sect - first_sect + 1
    }
    return { id, operation, sector: Number(sector_number), sectors, segments, good }
  }

  #acceptable({ operation, sector, sectors, good }: Request): boolean {
    const { device, readOnly } = this.#options
    if (operation > BLKIF_OP_WRITE_BARRIER || !good) return false
    // vbd_translate; an empty one is nowhere, whatever it says.
    if (readOnly && operation !== BLKIF_OP_READ) return false
    return sectors === 0 || (Number.isSafeInteger(sector) && sector + sectors <= device.sectors)
  }

  *#serve(group: readonly Request[]): Sleeping<void> {
    const { operation, sectors } = group[0]!
    if (sectors === 0) return yield* this.#flush(group[0]!)
    const mapping = this.#map(group)
    if (!mapping && group.length > 1) {
      // One of them grants nothing: the others must not suffer.
      for (const request of group) yield* this.#serve([request])
      return
    }
    let status: number = BLKIF_RSP_ERROR
    if (mapping)
      try {
        if (operation === BLKIF_OP_READ) yield* this.#readInto(mapping, group)
        else yield* this.#writeFrom(mapping, group)
        status = BLKIF_RSP_OKAY
      } catch (error) {
        if (!(error instanceof Errno)) throw error
      } finally {
        mapping.unmap()
      }
    for (const request of group) this.#respond(request, status)
  }

  *#flush(request: Request): Sleeping<void> {
    let status: number = BLKIF_RSP_OKAY
    try {
      yield* this.#options.device.flush()
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      status = BLKIF_RSP_ERROR
    }
    this.#respond(request, status)
  }

  #map(group: readonly Request[]): GrantMapping | undefined {
    const refs = group.flatMap(({ segments }) => segments.map(({ gref }) => gref))
    try {
      // Writing to the disk only reads the frames.
      return this.#grants.map(this.#options.domid, refs, group[0]!.operation !== BLKIF_OP_READ)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      return undefined
    }
  }

  *#readInto({ va }: GrantMapping, group: readonly Request[]): Sleeping<void> {
    const bytes = yield* this.#options.device.readSectors(group[0]!.sector, sum(group))
    let done = 0
    for (const [page, { first, sectors }] of group.flatMap(({ segments }) => segments).entries()) {
      const part = bytes.subarray(done, done + sectors * SECTOR)
      this.#kernel.mem.copyIn(va + page * PAGE_SIZE + first * SECTOR, part)
      done += part.length
    }
    moved(done)
  }

  *#writeFrom({ va }: GrantMapping, group: readonly Request[]): Sleeping<void> {
    const { device } = this.#options
    const bytes = new Uint8Array(sum(group) * SECTOR)
    let done = 0
    for (const [page, { first, sectors }] of group.flatMap(({ segments }) => segments).entries()) {
      bytes.set(this.#kernel.mem.copyOut(va + page * PAGE_SIZE + first * SECTOR, sectors * SECTOR), done)
      done += sectors * SECTOR
    }
    moved(done)
    const barrier = group[0]!.operation === BLKIF_OP_WRITE_BARRIER
    if (barrier) yield* device.flush()
    yield* device.write(group[0]!.sector, bytes)
    if (barrier) yield* device.flush()
  }

  /** make_response */
  #respond({ id, operation }: Request, status: number): void {
    blkif_response.write(this.#kernel.mem, this.#ring.response(), { id, operation, status })
    if (this.#ring.push()) this.#options.notify()
  }
}

const sum = (group: readonly Request[]): number => group.reduce((total, { sectors }) => total + sectors, 0)

/** Neighbours that do the same to what follows on the disk. */
function merged(requests: readonly Request[]): Request[][] {
  const groups: Request[][] = []
  for (const request of requests) {
    const group = groups.at(-1)
    const last = group?.at(-1)
    if (
      group &&
      last &&
      last.operation === request.operation &&
      request.operation !== BLKIF_OP_WRITE_BARRIER &&
      last.sector + last.sectors === request.sector &&
      sum(group) + request.sectors <= MERGED_SECTORS_MAX
    )
      group.push(request)
    else groups.push([request])
  }
  return groups
}
