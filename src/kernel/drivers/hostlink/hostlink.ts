/**
 * The host link chip's driver (abi/pc/hostlink.ts): /dev/hostlink for the daemon, which reads and writes whole frames; /dev/hostlink-trace for whoever has
 * something to tell observers. Both have minors of those that devices.txt leaves to the machine's owner.
 */

import * as hl from '#abi/pc/hostlink.ts'
import { EAGAIN, EBUSY, EINTR, EINVAL } from '#abi/posix/errno.ts'
import { O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { fail } from '../../errno.ts'
import type { Initcall, Kernel, Timer } from '../../kernel.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import type { File, FileOps } from '../../vfs/file.ts'
import { miscOf } from '../misc/misc.ts'

export const HOSTLINK_MINOR = 240
export const HOSTLINK_TRACE_MINOR = 241
const { HOSTLINK_BASE, HOSTLINK_DATA_BYTES, HOSTLINK_FRAME_BYTES } = hl
/** Observers' lines wait so long for more of them: a frame for each would cost more than what it tells of. */
const TRACE_NS = 1_000_000

class HostlinkDriver {
  readonly #kernel: Kernel
  /** Where frames pass, for the chip and for us. */
  readonly #maddr: number
  readonly #page: Vaddr
  readonly #changed = new WaitQueue()
  /** Observers' lines that have not been sent. */
  readonly #lines = new Uint8Array(HOSTLINK_DATA_BYTES)
  #waiting = 0
  #timer: Timer | undefined
  #open = false

  constructor(kernel: Kernel, maddr: number, page: Vaddr) {
    this.#kernel = kernel
    this.#maddr = maddr
    this.#page = page
    kernel.irq.requestPirq(hl.HOSTLINK_IRQ, 'hostlink', () => this.#changed.wakeUp())
  }

  get #status(): number {
    return this.#kernel.vcpu.io.in32(HOSTLINK_BASE + hl.HOSTLINK_STATUS)
  }

  /** False: refused. */
  #command(command: number): boolean {
    const { io } = this.#kernel.vcpu
    io.out32(HOSTLINK_BASE + hl.HOSTLINK_ADDRESS, this.#maddr)
    io.out32(HOSTLINK_BASE + hl.HOSTLINK_COMMAND, command)
    return (this.#status & hl.HOSTLINK_REFUSED) === 0
  }

  #send(frame: Uint8Array): boolean {
    this.#kernel.mem.copyIn(this.#page, frame)
    return this.#command(hl.HOSTLINK_SEND)
  }

  #sendLines(): void {
    if (this.#waiting === 0) return
    const data = this.#lines.subarray(0, this.#waiting)
    this.#send(hl.frameBytes({ kind: hl.HOSTLINK_TRACE, link: 0, data }))
    this.#waiting = 0
  }

  #receive(): Uint8Array {
    const { mem } = this.#kernel
    this.#command(hl.HOSTLINK_RECEIVE)
    return mem.copyOut(this.#page, hl.HOSTLINK_HEADER_BYTES + mem.read16(this.#page + 2))
  }

  /** The daemon's: one at a time. */
  device(): FileOps {
    if (this.#open) fail(EBUSY)
    this.#open = true
    this.#command(hl.HOSTLINK_ENABLE)
    return {
      seekable: false,
      read: (file, count) => this.#read(count, (file.flags & O_NONBLOCK) !== 0),
      write: (_file, bytes) => this.#write(bytes),
      poll: () => (this.#status & hl.HOSTLINK_RECEIVABLE ? POLLIN | POLLOUT : POLLOUT),
      pollQueues: () => [this.#changed],
      release: () => this.#release(),
    }
  }

  trace(): FileOps {
    const writeNow = (_file: File, bytes: Uint8Array): number => this.#trace(bytes)
    return {
      seekable: false,
      writeNow,
      *write(file, bytes) {
        return writeNow(file, bytes)
      },
    }
  }

  /** As many whole frames as there are and as surely fit. */
  *#read(count: number, nonblock: boolean): Sleeping<Uint8Array> {
    if (count < HOSTLINK_FRAME_BYTES) fail(EINVAL)
    const { sched } = this.#kernel
    while ((this.#status & hl.HOSTLINK_RECEIVABLE) === 0) {
      if (nonblock) fail(EAGAIN)
      if ((yield* sched.sleepOn(this.#changed)) === 'signal') fail(EINTR)
    }
    const frames: Uint8Array[] = []
    let bytes = 0
    while (bytes + HOSTLINK_FRAME_BYTES <= count && this.#status & hl.HOSTLINK_RECEIVABLE) {
      const frame = this.#receive()
      frames.push(frame)
      bytes += frame.length
    }
    const out = new Uint8Array(bytes)
    let at = 0
    for (const frame of frames) {
      out.set(frame, at)
      at += frame.length
    }
    return out
  }

  /** Whole frames; up to the first that makes no sense. */
  *#write(bytes: Uint8Array): Sleeping<number> {
    // Whoever hears an answer has heard of what was before it.
    this.#sendLines()
    let at = 0
    while (at < bytes.length) {
      const frame = hl.readFrame(bytes, at)
      const end = frame ? at + hl.HOSTLINK_HEADER_BYTES + frame.data.length : at
      if (!frame || frame.kind === hl.HOSTLINK_TRACE || !this.#send(bytes.subarray(at, end)))
        return at > 0 ? at : fail(EINVAL)
      at = end
    }
    return at
  }

  #trace(bytes: Uint8Array): number {
    this.#timer ??= this.#kernel.time.after(TRACE_NS, () => {
      this.#timer = undefined
      this.#sendLines()
    })
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(bytes.length - at, HOSTLINK_DATA_BYTES - this.#waiting)
      this.#lines.set(part === bytes.length ? bytes : bytes.subarray(at, at + part), this.#waiting)
      this.#waiting += part
      at += part
      if (this.#waiting === HOSTLINK_DATA_BYTES) this.#sendLines()
    }
    return bytes.length
  }

  *#release(): Sleeping<void> {
    this.#open = false
    this.#command(hl.HOSTLINK_DISABLE)
  }
}

export const hostlinkInit: Initcall = function* hostlinkInit(kernel) {
  if (!kernel.dom0 || kernel.vcpu.io.in32(HOSTLINK_BASE + hl.HOSTLINK_ID) !== hl.HOSTLINK_SIGNATURE) return
  const { pages } = kernel
  const pfn = pages.allocNow('kernel')
  if (pfn === undefined) return
  const driver = new HostlinkDriver(kernel, pages.mfn(pfn) * PAGE_SIZE, pages.va(pfn))
  const misc = miscOf(kernel)
  misc.register(HOSTLINK_MINOR, 'hostlink', function* () {
    return driver.device()
  })
  misc.register(HOSTLINK_TRACE_MINOR, 'hostlink-trace', function* () {
    return driver.trace()
  })
}
