/** Pipes and FIFOs (Linux: fs/pipe.c, fs/fifo.c): at most 64 KiB of bytes on their way, writes of up to PIPE_BUF whole. */
import { EAGAIN, EINTR, EINVAL, ENOTTY, ENXIO, EPIPE } from '#abi/posix/errno.ts'
import { O_ACCMODE, O_NONBLOCK, O_RDONLY, O_WRONLY, PIPE_BUF } from '#abi/posix/fcntl.ts'
import { FIONREAD } from '#abi/posix/ioctl.ts'
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { SIGPIPE } from '#abi/posix/signal.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { isOwn } from '../sched/copy-cost.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { FileOps } from './file.ts'
import type { Inode } from './inode.ts'

const CAPACITY = 65536
/** The buffer's frames are charged in steps, and kept until the pipe goes. */
const CHARGE_STEP = 16384
const NOTHING = new Uint8Array(0)

export class Pipe {
  readonly kernel: Kernel
  readonly chunks: Uint8Array[] = []
  /** The first chunk not yet taken away, and how much of it is. */
  head = 0
  taken = 0
  bytes = 0
  readers = 0
  writers = 0
  /** Opens so far: who waits for the other end of a FIFO must not miss one that came and went. */
  readerOpens = 0
  writerOpens = 0
  charged = 0
  /** Of pipe(2): who opens it again by /proc/PID/fd waits for nobody (pipe_rdwr_open). */
  anonymous = false
  readonly readable = new WaitQueue()
  readonly writable = new WaitQueue()

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  charge(bytes: number): void {
    if (bytes <= this.charged) return
    const more = Math.ceil((bytes - this.charged) / CHARGE_STEP) * CHARGE_STEP
    this.kernel.pages.charge('slab', more)
    this.charged += more
  }

  put(chunk: Uint8Array): void {
    this.charge(this.bytes + chunk.length)
    this.chunks.push(chunk)
    this.bytes += chunk.length
    this.readable.wakeUp()
  }

  take(count: number): Uint8Array {
    const first = this.chunks[this.head]!
    const length = Math.min(count, this.bytes)
    let out: Uint8Array
    if (first.length - this.taken >= length) {
      out = this.taken === 0 && first.length === length ? first : first.slice(this.taken, this.taken + length)
      this.#advance(length)
    } else {
      out = new Uint8Array(length)
      for (let done = 0; done < length; ) {
        const chunk = this.chunks[this.head]!
        const part = Math.min(chunk.length - this.taken, length - done)
        out.set(chunk.subarray(this.taken, this.taken + part), done)
        this.#advance(part)
        done += part
      }
    }
    this.bytes -= length
    return out
  }

  #advance(by: number): void {
    this.taken += by
    if (this.taken < this.chunks[this.head]!.length) return
    this.taken = 0
    this.head++
    if (this.head === this.chunks.length) {
      this.chunks.length = 0
      this.head = 0
    } else if (this.head > 64) {
      this.chunks.splice(0, this.head)
      this.head = 0
    }
  }

  closeEnd(reading: boolean, writing: boolean): void {
    if (reading) this.readers--
    if (writing) this.writers--
    this.readable.wakeUp()
    this.writable.wakeUp()
    if (this.readers === 0 && this.writers === 0 && this.charged > 0) {
      this.kernel.pages.uncharge('slab', this.charged)
      this.charged = 0
      this.chunks.length = 0
      this.head = 0
      this.taken = 0
      this.bytes = 0
    }
  }
}

/** What an end of `pipe` can do. FIFOs may be open for both. */
export function pipeOps(pipe: Pipe, access: number, released: () => void): FileOps {
  const { sched } = pipe.kernel
  const reading = access !== O_WRONLY
  const writing = access !== O_RDONLY
  return {
    seekable: false,
    readNow(_file, count) {
      if (pipe.bytes === 0) return undefined
      const out = pipe.take(count)
      pipe.writable.wakeUp()
      return out
    },
    readWait: (file) =>
      pipe.bytes === 0 && pipe.writers > 0 && !(file.flags & O_NONBLOCK) ? pipe.readable : undefined,
    *read(file, count) {
      if (count === 0) return NOTHING
      while (pipe.bytes === 0) {
        if (pipe.writers === 0) return NOTHING
        if (file.flags & O_NONBLOCK) fail(EAGAIN)
        if ((yield* sched.sleepOn(pipe.readable)) === 'signal') fail(EINTR)
      }
      const out = pipe.take(count)
      pipe.writable.wakeUp()
      return out
    },
    writeNow(_file, bytes) {
      const { length } = bytes
      if (length === 0 || pipe.readers === 0 || CAPACITY - pipe.bytes < length) return undefined
      pipe.put(isOwn(bytes) ? bytes : bytes.slice())
      return length
    },
    *write(file, bytes) {
      if (bytes.length === 0) return 0
      let done = 0
      // What is nobody else's need not be copied again.
      const own = isOwn(bytes)
      for (;;) {
        if (pipe.readers === 0) {
          if (done > 0) return done
          sched.sendSignal(sched.current, SIGPIPE)
          fail(EPIPE)
        }
        const room = CAPACITY - pipe.bytes
        const left = bytes.length - done
        // Up to PIPE_BUF goes in one piece or not yet.
        if (room >= left || (room > 0 && bytes.length > PIPE_BUF)) {
          const part = Math.min(room, left)
          pipe.put(own ? bytes.subarray(done, done + part) : bytes.slice(done, done + part))
          done += part
          if (done === bytes.length) return done
          continue
        }
        if (file.flags & O_NONBLOCK) return done > 0 ? done : fail(EAGAIN)
        if ((yield* sched.sleepOn(pipe.writable)) === 'signal') return done > 0 ? done : fail(EINTR)
      }
    },
    *ioctl(_file, request) {
      if (request !== FIONREAD) fail(request === 0 ? EINVAL : ENOTTY)
      const out = new Uint8Array(4)
      new DataView(out.buffer).setUint32(0, pipe.bytes, true)
      return out
    },
    poll(file) {
      let events = 0
      if (reading) {
        if (pipe.bytes > 0) events |= POLLIN
        // A FIFO that nobody has written to yet has not been hung up.
        if (pipe.writers === 0 && pipe.writerOpens > fifoSeen(file.data)) events |= POLLHUP
      }
      if (writing) {
        if (CAPACITY - pipe.bytes >= PIPE_BUF) events |= POLLOUT
        if (pipe.readers === 0) events |= POLLERR
      }
      return events
    },
    pollQueues: () => (reading && writing ? [pipe.readable, pipe.writable] : [reading ? pipe.readable : pipe.writable]),
    *release() {
      pipe.closeEnd(reading, writing)
      released()
    },
  }
}

/** Writers that had come before a FIFO's reader opened it: file.data. */
const fifoSeen = (data: unknown): number => (typeof data === 'number' ? data : 0)

/** Opening a FIFO waits for the other end, but for O_NONBLOCK and O_RDWR. */
export function* openFifo(kernel: Kernel, inode: Inode, flags: number): Sleeping<{ ops: FileOps; data: number }> {
  const access = flags & O_ACCMODE
  const reading = access !== O_WRONLY
  const writing = access !== O_RDONLY
  inode.pipe ??= new Pipe(kernel)
  const { pipe } = inode
  const nonblock = (flags & O_NONBLOCK) !== 0
  const waits = !nonblock && !pipe.anonymous
  if (writing && !reading && nonblock && !pipe.anonymous && pipe.readers === 0) fail(ENXIO)
  const data = pipe.writers > 0 ? 0 : pipe.writerOpens
  if (reading) {
    pipe.readers++
    pipe.readerOpens++
    pipe.writable.wakeUp()
  }
  if (writing) {
    pipe.writers++
    pipe.writerOpens++
    pipe.readable.wakeUp()
  }
  const released = (): void => {
    if (pipe.readers === 0 && pipe.writers === 0 && inode.pipe === pipe) inode.pipe = undefined
  }
  const { readerOpens, writerOpens } = pipe
  const alone = (): boolean =>
    reading
      ? !writing && pipe.writers === 0 && pipe.writerOpens === writerOpens
      : pipe.readers === 0 && pipe.readerOpens === readerOpens
  while (waits && alone()) {
    if ((yield* kernel.sched.sleepOn(reading ? pipe.readable : pipe.writable)) === 'signal') {
      pipe.closeEnd(reading, writing)
      released()
      fail(EINTR)
    }
  }
  return { ops: pipeOps(pipe, access, released), data: nonblock && !pipe.anonymous ? data : 0 }
}
