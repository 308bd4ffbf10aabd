/** The rig's read and write, and whether they would wait. */
import { EAGAIN, EBADF, EISDIR, ENOSPC, EPIPE } from '#abi/posix/errno.ts'
import { O_ACCMODE, O_APPEND, O_NONBLOCK, O_RDONLY, O_WRONLY, PIPE_BUF } from '#abi/posix/fcntl.ts'
import { POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '#abi/posix/poll.ts'
import { SIG_IGN, SIGPIPE, SIGTTIN, SIGTTOU } from '#abi/posix/signal.ts'
import { byteString } from '#lib/utf8.ts'
import { descriptor } from './descriptors.ts'
import { fail, readAt, writeAt } from './fs.ts'
import { hasSignal, type RigKernel } from './kernel.ts'
import { BLOCKED, type OpenFile, type Process, until } from './process.ts'

/** A process of the background that reads from, or changes, its terminal is stopped. */
function backgroundStop(kernel: RigKernel, process: Process, file: OpenFile, signo: number): boolean {
  const { tty } = file
  if (!tty || tty !== process.tty || tty.pgrp === process.pgid || tty.pgrp === 0) return false
  if (process.actions.get(signo)?.handler === SIG_IGN || hasSignal(process.blocked, signo)) {
    if (signo === SIGTTIN) fail(5)
    return false
  }
  if (kernel.orphaned(process.pgid)) fail(5)
  kernel.sendGroup(process.pgid, signo)
  return true
}

export function read(kernel: RigKernel, process: Process, fd: number, count: number): unknown {
  const file = descriptor(process, fd)
  if ((file.flags & O_ACCMODE) === O_WRONLY) return -EBADF
  switch (file.kind) {
    case 'dir':
      return -EISDIR
    case 'null':
      return new Uint8Array(0)
    case 'zero':
    case 'full':
      return new Uint8Array(Math.min(count, 65536))
    case 'random':
      return Uint8Array.from({ length: Math.min(count, 4096) }, (_, i) => (kernel.steps * 31 + i * 89 + 7) & 255)
    case 'file': {
      const part = readAt(file.node, file.offset, count)
      file.offset += part.length
      file.node.atime = kernel.seconds()
      return part
    }
    case 'tty': {
      const tty = file.tty!
      const timeout = tty.readTimeout
      return until(
        () => {
          if (tty.hungUp) return new Uint8Array(0)
          // The signal stops the process before it tries again.
          if (backgroundStop(kernel, process, file, SIGTTIN)) return BLOCKED
          if (tty.readable) return tty.read(count)
          return file.flags & O_NONBLOCK ? -EAGAIN : BLOCKED
        },
        {
          restarts: true,
          ...(timeout > 0 && { deadlineNs: kernel.nowNs + timeout * 100_000_000, expired: new Uint8Array(0) }),
        },
      )
    }
    case 'pipe': {
      const pipe = file.pipe!
      if (count === 0) return new Uint8Array(0)
      return until(
        () => {
          if (pipe.length > 0) {
            kernel.changed()
            return pipe.take(count)
          }
          if (pipe.writers === 0) return new Uint8Array(0)
          return file.flags & O_NONBLOCK ? -EAGAIN : BLOCKED
        },
        { restarts: true },
      )
    }
    default:
      return -EBADF
  }
}

export function write(kernel: RigKernel, process: Process, fd: number, bytes: Uint8Array): unknown {
  const file = descriptor(process, fd)
  if ((file.flags & O_ACCMODE) === O_RDONLY) return -EBADF
  if (!(bytes instanceof Uint8Array)) return -14
  switch (file.kind) {
    case 'dir':
      return -EISDIR
    case 'full':
      return -ENOSPC
    case 'null':
    case 'zero':
    case 'random':
      return bytes.length
    case 'sink':
      file.sink!(bytes)
      return bytes.length
    case 'file': {
      if (file.flags & O_APPEND) file.offset = file.node.size
      const [limit] = process.limits[1]!
      if (file.offset + bytes.length > Math.min(limit, 256 << 20)) return -27
      writeAt(file.node, file.offset, bytes)
      file.offset += bytes.length
      file.node.mtime = file.node.ctime = kernel.seconds()
      return bytes.length
    }
    case 'tty':
      return until(() => {
        if (file.tty!.stopsWriters && backgroundStop(kernel, process, file, SIGTTOU)) return BLOCKED
        if (file.tty!.hungUp) return -5
        file.tty!.write(byteString(bytes))
        return bytes.length
      })
    case 'pipe': {
      const pipe = file.pipe!
      let done = 0
      return until(
        () => {
          if (pipe.readers === 0) {
            if (done > 0) return done
            kernel.send(process, SIGPIPE)
            return -EPIPE
          }
          const left = bytes.length - done
          if (pipe.room >= (left <= PIPE_BUF ? left : 1)) {
            const part = bytes.subarray(done, done + pipe.room)
            pipe.push(part)
            done += part.length
            kernel.changed()
            if (done === bytes.length) return done
          }
          if (file.flags & O_NONBLOCK) return done > 0 ? done : -EAGAIN
          return BLOCKED
        },
        { restarts: true, interrupted: () => (done > 0 ? done : -4) },
      )
    }
    default:
      return -EBADF
  }
}

export function ready(file: OpenFile | undefined, events: number): number {
  if (!file) return POLLNVAL
  let can = 0
  if (file.kind === 'tty') can = (file.tty!.readable ? POLLIN : 0) | POLLOUT
  else if (file.kind === 'pipe') {
    const pipe = file.pipe!
    if ((file.flags & O_ACCMODE) !== O_WRONLY) {
      if (pipe.length > 0) can |= POLLIN
      if (pipe.writers === 0) can |= POLLHUP
    } else if (pipe.readers === 0) can |= POLLOUT | 8
    else if (pipe.room >= PIPE_BUF) can |= POLLOUT
  } else can = POLLIN | POLLOUT
  return can & (events | POLLHUP | 8)
}
