/** An open terminal: what read, write, ioctl and poll do with it (Linux 2.6.18: tty_io.c, n_tty.c read_chan and write_chan). */
import { EAGAIN, EINTR, EIO, ENOTTY } from '#abi/posix/errno.ts'
import { O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { TIOCSPGRP } from '#abi/posix/ioctl.ts'
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { TOSTOP, VMIN, VTIME } from '#abi/posix/termios.ts'
import { fail } from '../errno.ts'
import type { Sleeping, WaitQueue } from '../sched/wait.ts'
import type { File, FileOps } from '../vfs/file.ts'
import { ttyIoctl } from './ioctl.ts'
import { checkChange, checkRead } from './job-control.ts'
import type { TtyDevice } from './tty.ts'

/** With no more than so much on its way a terminal counts as writable. */
const WAKEUP_CHARS = 256
const TENTH_NS = 100_000_000
const NOTHING = new Uint8Array(0)

export class OpenTty implements FileOps {
  readonly tty: TtyDevice
  /** Opened as /dev/console: job control does not stop it, a hangup leaves it open. */
  readonly console: boolean
  hungUp = false
  readonly seekable = false

  constructor(tty: TtyDevice, console: boolean) {
    this.tty = tty
    this.console = console
  }

  *read(file: File, count: number): Sleeping<Uint8Array> {
    const { tty } = this
    if (this.hungUp) return NOTHING
    for (;;) {
      if (!this.console) checkRead(tty.kernel, tty)
      const bytes = yield* this.#read(file, count)
      // An end of file pushed a line whose bytes an earlier read took: it is no end of the file.
      if (bytes.length > 0 || !tty.ldisc.push) {
        if (bytes.length > 0 && bytes.length < count) tty.ldisc.push = false
        return bytes
      }
      tty.ldisc.push = false
      if (count === 0) return bytes
    }
  }

  *#read(file: File, count: number): Sleeping<Uint8Array> {
    const { tty } = this
    const { sched, time } = tty.kernel
    const cc = tty.termios.cc
    const raw = !tty.ldisc.canonical
    let minimum = raw ? cc[VMIN]! : 0
    const interval = raw ? cc[VTIME]! * TENTH_NS : 0
    /** System time at which to give up: with VMIN after each byte anew, without it from the beginning. */
    let deadline = minimum === 0 && raw ? time.nowNs() + interval : Number.POSITIVE_INFINITY
    const restarts = minimum > 0 && interval > 0
    if (minimum === 0) minimum = 1
    let got: Uint8Array[] | undefined
    let length = 0
    let bytes: Uint8Array = NOTHING
    while (length < count) {
      if (!tty.ldisc.inputAvailable(0)) {
        if (tty.otherClosed) {
          if (length > 0) break
          fail(EIO)
        }
        if (this.hungUp) break
        const left = deadline - time.nowNs()
        if (left <= 0) break
        if (file.flags & O_NONBLOCK) {
          if (length > 0) break
          fail(EAGAIN)
        }
        const woken = yield* sched.sleepOn(tty.readQueue, left === Number.POSITIVE_INFINITY ? {} : { timeoutNs: left })
        if (woken === 'signal' && !tty.ldisc.inputAvailable(0)) {
          if (length > 0) break
          fail(EINTR)
        }
        continue
      }
      bytes = tty.take(count - length)
      length += bytes.length
      if (length >= minimum || !raw) break
      got ??= []
      got.push(bytes)
      if (restarts) deadline = time.nowNs() + interval
    }
    if (!got) return bytes
    const whole = new Uint8Array(length)
    let at = 0
    for (const part of got) {
      whole.set(part, at)
      at += part.length
    }
    if (at < length) whole.set(bytes, at)
    return whole
  }

  *write(file: File, bytes: Uint8Array): Sleeping<number> {
    const { tty } = this
    if (this.hungUp) fail(EIO)
    if (tty.termios.lflag & TOSTOP && !this.console) checkChange(tty.kernel, tty)
    if (tty.writing && file.flags & O_NONBLOCK) fail(EAGAIN)
    if (!(yield* tty.beginWrite())) fail(EINTR)
    let at = 0
    try {
      for (;;) {
        if (this.hungUp || tty.otherClosed) {
          if (at === 0) fail(EIO)
          break
        }
        const taken = tty.ldisc.output(bytes, at)
        at += taken
        if (at >= bytes.length) break
        // The driver may have passed it on at once: there is room again.
        if (taken > 0) continue
        if (file.flags & O_NONBLOCK) {
          if (at === 0) fail(EAGAIN)
          break
        }
        if ((yield* tty.kernel.sched.sleepOn(tty.writeQueue)) === 'signal') {
          if (at === 0) fail(EINTR)
          break
        }
      }
    } finally {
      tty.endWrite()
    }
    return at
  }

  *ioctl(_file: File, request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> {
    if (this.hungUp) fail(request === TIOCSPGRP ? ENOTTY : EIO)
    return yield* ttyIoctl(this.tty, this, request, arg)
  }

  poll(_file: File): number {
    const { tty } = this
    if (this.hungUp) return POLLIN | POLLOUT | POLLERR | POLLHUP
    const { cc } = tty.termios
    let mask = 0
    if (tty.ldisc.inputAvailable(cc[VTIME] ? 0 : cc[VMIN]!)) mask |= POLLIN
    if (tty.otherClosed) mask |= POLLHUP
    if (!tty.writing && tty.port.charsInBuffer() < WAKEUP_CHARS && tty.port.writeRoom() > 0) mask |= POLLOUT
    return mask | (tty.port.poll?.() ?? 0)
  }

  pollQueues(): readonly WaitQueue[] {
    return [this.tty.readQueue, this.tty.writeQueue]
  }

  *release(): Sleeping<void> {
    yield* this.tty.close(this)
  }
}
