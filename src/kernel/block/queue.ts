/**
 * A disk's queue (Linux: ll_rw_blk.c, elevator.c): requests that continue each other become one, and the head goes one way over the disk and
 * back to its beginning. Requests that touch the same sectors keep their order. Whoever waits for a request drives the queue.
 */
import { EIO } from '#abi/posix/errno.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { Disk } from './block.ts'

interface Request {
  readonly write: boolean
  readonly sector: number
  readonly count: number
  readonly bytes: Uint8Array | undefined
  readonly startNs: number
  result: Uint8Array | undefined
  done: boolean
  failed: boolean
}

/** Columns of /proc/diskstats. */
export interface DiskStats {
  reads: number
  readsMerged: number
  sectorsRead: number
  readMs: number
  writes: number
  writesMerged: number
  sectorsWritten: number
  writeMs: number
  /** Time with a request under way. */
  busyMs: number
  /** The same, times requests. */
  weightedMs: number
}

const SECTORS_MAX = 256
const UNINTERRUPTIBLE = { interruptible: false } as const

export class RequestQueue {
  readonly #kernel: Kernel
  readonly disk: Disk
  readonly #waiting: Request[] = []
  readonly #changed = new WaitQueue()
  #busy = false
  #headAt = 0
  readonly stats: DiskStats = {
    reads: 0,
    readsMerged: 0,
    sectorsRead: 0,
    readMs: 0,
    writes: 0,
    writesMerged: 0,
    sectorsWritten: 0,
    writeMs: 0,
    busyMs: 0,
    weightedMs: 0,
  }
  inFlight = 0

  constructor(kernel: Kernel, disk: Disk) {
    this.#kernel = kernel
    this.disk = disk
  }

  *read(sector: number, count: number): Sleeping<Uint8Array> {
    const most = this.disk.sectorsMax ?? SECTORS_MAX
    if (count <= most) return (yield* this.#submit(false, sector, count, undefined)).result!
    const out = new Uint8Array(count * 512)
    for (let done = 0; done < count; done += most) {
      const part = Math.min(most, count - done)
      out.set((yield* this.#submit(false, sector + done, part, undefined)).result!, done * 512)
    }
    return out
  }

  *write(sector: number, bytes: Uint8Array): Sleeping<void> {
    const most = (this.disk.sectorsMax ?? SECTORS_MAX) * 512
    for (let at = 0; at < bytes.length; at += most) {
      const part = bytes.length <= most ? bytes : bytes.subarray(at, at + most)
      yield* this.#submit(true, sector + at / 512, part.length / 512, part)
    }
  }

  *flush(): Sleeping<void> {
    while (this.#busy) yield* this.#kernel.sched.sleepOn(this.#changed, UNINTERRUPTIBLE)
    this.#busy = true
    try {
      yield* this.disk.flush()
    } catch {
      fail(EIO)
    } finally {
      this.#busy = false
      this.#changed.wakeUp()
    }
  }

  *#submit(write: boolean, sector: number, count: number, bytes: Uint8Array | undefined): Sleeping<Request> {
    const { time, sched } = this.#kernel
    const request: Request = {
      write,
      sector,
      count,
      bytes,
      startNs: time.nowNs(),
      result: undefined,
      done: false,
      failed: false,
    }
    this.#waiting.push(request)
    this.inFlight++
    try {
      while (!request.done) {
        if (this.#busy) yield* sched.sleepOn(this.#changed, UNINTERRUPTIBLE)
        else yield* this.#dispatch()
      }
    } finally {
      this.inFlight--
    }
    const { stats } = this
    const ms = (time.nowNs() - request.startNs) / 1e6
    stats.weightedMs += ms
    if (write) {
      stats.sectorsWritten += count
      stats.writeMs += ms
    } else {
      stats.sectorsRead += count
      stats.readMs += ms
    }
    if (request.failed) fail(EIO)
    return request
  }

  /** The next of the elevator: the first at or behind the head, else the lowest; not past an earlier one for the same sectors. */
  #next(): Request {
    let best: Request | undefined
    const key = ({ sector }: Request): number => (sector >= this.#headAt ? sector : sector + 2 ** 48)
    this.#waiting.forEach((each, i) => {
      if (best && key(best) <= key(each)) return
      if (!this.#blocked(each, i)) best = each
    })
    return best!
  }

  #blocked(request: Request, place: number): boolean {
    for (let i = 0; i < place; i++) {
      const earlier = this.#waiting[i]!
      if (earlier.sector < request.sector + request.count && request.sector < earlier.sector + earlier.count)
        return true
    }
    return false
  }

  /** Serve one request, with those that continue it. */
  *#dispatch(): Sleeping<void> {
    const first = this.#next()
    const batch = [first]
    const most = this.disk.sectorsMax ?? SECTORS_MAX
    let end = first.sector + first.count
    for (let found = true; found; ) {
      found = false
      for (let i = 0; i < this.#waiting.length; i++) {
        const each = this.#waiting[i]!
        if (each.sector !== end || each.write !== first.write || end + each.count - first.sector > most) continue
        if (batch.includes(each) || this.#blocked(each, i)) continue
        batch.push(each)
        end += each.count
        found = true
      }
    }
    for (const each of batch) this.#waiting.splice(this.#waiting.indexOf(each), 1)
    this.#headAt = end
    this.#busy = true
    const { time } = this.#kernel
    const startNs = time.nowNs()
    try {
      yield* this.#serve(batch, end - first.sector)
    } catch {
      for (const each of batch) each.failed = true
    } finally {
      for (const each of batch) each.done = true
      this.#busy = false
      this.stats.busyMs += (time.nowNs() - startNs) / 1e6
      if (first.write) {
        this.stats.writes++
        this.stats.writesMerged += batch.length - 1
      } else {
        this.stats.reads++
        this.stats.readsMerged += batch.length - 1
      }
      this.#changed.wakeUp()
    }
  }

  *#serve(batch: readonly Request[], count: number): Sleeping<void> {
    const first = batch[0]!
    if (first.write) {
      let bytes = first.bytes!
      if (batch.length > 1) {
        bytes = new Uint8Array(count * 512)
        for (const each of batch) bytes.set(each.bytes!, (each.sector - first.sector) * 512)
      }
      yield* this.disk.write(first.sector, bytes)
      return
    }
    const bytes = yield* this.disk.read(first.sector, count)
    for (const each of batch) {
      const at = (each.sector - first.sector) * 512
      each.result = batch.length === 1 ? bytes : bytes.subarray(at, at + each.count * 512)
    }
  }
}
