/** The whole way of a host link but for Xen: its outer end, the chip, the driver, the daemon, a program that listens. */
import { describe, expect, test } from 'vitest'
import * as hl from '#abi/pc/hostlink.ts'
import { EBUSY, EINVAL } from '#abi/posix/errno.ts'
import { F_SETFL, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '#abi/posix/fcntl.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import { makedev, S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { hostlinkInit } from '#kernel/drivers/hostlink/hostlink.ts'
import { miscInit } from '#kernel/drivers/misc/misc.ts'
import { background, bytesOf, daemon, outside, text } from '#testing/hostlink-rig.ts'
import { type KernelRig, kernelRig } from '#testing/kernel-rig.ts'
import { inProcess, vfsParts } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'
import { closePty, openPty, type Pty } from '../xenconsoled/pty.ts'

/** Listens on `/s`; `each` has a connection. */
const server = (rig: KernelRig, each: (fd: number) => Sys<void>): void =>
  background(rig, function* () {
    const listener = yield* c.socket(AF_UNIX, SOCK_STREAM, 0)
    yield* c.bind(listener, sockaddrUn('/s'))
    yield* c.listen(listener, 5)
    for (;;) {
      const fd = yield* c.accept(listener)
      yield* c.fork(function* () {
        yield* each(fd)
        return 0
      })
      yield* c.close(fd)
    }
  })

function* writeAll(fd: number, bytes: Uint8Array): Sys<void> {
  for (let at = 0; at < bytes.length; ) at += yield* c.write(fd, bytes.subarray(at))
}

function* echo(fd: number): Sys<void> {
  for (;;) {
    const part = yield* c.read(fd, 4096)
    if (part.length === 0) return
    yield* writeAll(fd, part)
  }
}

test('what is written comes back, several links at a time, each to its end', () => {
  const at = outside()
  daemon(at.rig)
  server(at.rig, echo)
  const one = at.open('/s')
  const two = at.open('/s')
  one.write('one')
  two.write('two')
  at.rig.settle()
  one.write('more')
  one.end()
  at.rig.settle()
  two.end()
  at.rig.settle()
  expect([one.log, two.log]).toEqual([
    ['one', 'more', '<end>'],
    ['two', '<end>'],
  ])
  expect(at.chip.state.links).toEqual([])
  expect(at.rig.kernel.net!.sockets.size).toBe(1)
})

test('a megabyte goes both ways', () => {
  const at = outside()
  daemon(at.rig)
  server(at.rig, echo)
  const link = at.open('/s')
  const megabyte = 'x'.repeat(1 << 20)
  expect(link.write(megabyte)).toBe(false)
  link.end()
  at.rig.settle(undefined, 1_000_000)
  expect(link.got()).toBe(1 << 20)
  expect(link.log).toEqual(['<drain>', '<end>'])
})

test('a reader that stops stops the writer, at either end', () => {
  const at = outside()
  daemon(at.rig)
  let written = 0
  server(at.rig, function* (fd) {
    const chunk = new Uint8Array(4096)
    for (;;) written += yield* c.write(fd, chunk)
  })
  const link = at.open('/s')
  link.takeAll = false
  at.rig.settle()
  // Window, socket's buffer, and what the daemon has read.
  expect(link.got()).toBe(hl.HOSTLINK_WINDOW)
  expect(written).toBeLessThan(hl.HOSTLINK_WINDOW + 160_000)
  // The server never reads.
  link.write('y'.repeat(1 << 20))
  at.rig.settle()
  expect(at.chip.state.queue).toEqual([])
  link.close()
  at.rig.settle()
  expect(at.chip.state.links).toEqual([])
  expect(at.rig.kernel.net!.sockets.size).toBe(1)
})

describe('closed from inside', () => {
  test('the server closes with bytes unread: the reason is told', () => {
    const at = outside()
    daemon(at.rig)
    server(at.rig, function* (fd) {
      yield* c.read(fd, 1)
      yield* c.close(fd)
    })
    const link = at.open('/s')
    link.write('hello')
    at.rig.settle()
    expect(link.log).toEqual(['<close Connection reset by peer>'])
  })

  test('the server closes in order: an end, and what comes later is too late', () => {
    const at = outside()
    daemon(at.rig)
    server(at.rig, function* (fd) {
      yield* writeAll(fd, bytesOf('bye'))
    })
    const link = at.open('/s')
    at.rig.settle()
    expect(link.log).toEqual(['bye', '<end>'])
    link.write('x')
    at.rig.settle()
    expect(link.log).toEqual(['bye', '<end>', '<close Broken pipe>'])
  })

  test.each([
    ['/none', '/none: No such file or directory'],
    ['/dev', '/dev: Connection refused'],
    ['tcp:8006', 'tcp:8006: this domain has no network'],
    ['', ': not a socket'],
    [`/${'x'.repeat(200)}`, `/${'x'.repeat(200)}: not a socket`],
  ])('%s', (to, reason) => {
    const at = outside()
    daemon(at.rig)
    const link = at.open(to)
    link.write('x')
    at.rig.settle()
    expect(link.log).toEqual([`<close ${reason}>`])
  })
})

describe('a terminal', () => {
  /** A pseudo terminal whose master `body` holds, as xenconsoled would. */
  function terminal(rig: KernelRig, body: (pty: Pty) => Sys<void>): void {
    background(rig, function* () {
      const pty = yield* openPty()
      yield* c.fcntl(pty.master, F_SETFL, 0)
      yield* body(pty)
      return 0
    })
  }

  test('is read and written; ended from outside it is left to the next reader, with all it says later', () => {
    const at = outside()
    daemon(at.rig)
    terminal(at.rig, function* ({ master }) {
      yield* writeAll(master, bytesOf('said before\n'))
      yield* echo(master)
    })
    const one = at.open('/dev/pts/0')
    at.rig.settle()
    one.write('abc\r')
    at.rig.settle()
    one.write('last\r')
    one.end()
    at.rig.settle()
    expect(one.log).toEqual(['said before\n', 'abc\r', '<end>'])
    expect(at.chip.state.links).toEqual([])
    const two = at.open('/dev/pts/0')
    at.rig.settle()
    expect(two.log).toEqual(['last\r'])
  })

  test('whose other side goes is hung up', () => {
    const at = outside()
    daemon(at.rig)
    terminal(at.rig, function* (pty) {
      yield* c.read(pty.master, 100)
      yield* closePty(pty)
    })
    const link = at.open('/dev/pts/0')
    link.write('x')
    at.rig.settle()
    expect(link.log).toEqual(['<close Hangup>'])
    const late = at.open('/dev/pts/0')
    at.rig.settle()
    expect(late.log).toEqual(['<close /dev/pts/0: No such file or directory>'])
  })

  test('that nobody reads inside keeps no other link waiting', () => {
    const at = outside()
    daemon(at.rig)
    terminal(at.rig, function* () {
      yield* c.pause()
    })
    server(at.rig, echo)
    const stuck = at.open('/dev/pts/0')
    stuck.write('y'.repeat(1 << 20))
    at.rig.settle()
    const other = at.open('/s')
    other.write('hello')
    at.rig.settle()
    expect(other.log).toEqual(['hello'])
    expect(at.chip.state.queue).toEqual([])
    stuck.close()
    at.rig.settle()
    expect(at.chip.state.links).toHaveLength(1)
  })

  test('a device that is none is refused', () => {
    const at = outside()
    inProcess(at.rig, () => c.mknod('/dev/null', S_IFCHR | 0o666, makedev(1, 3)))
    daemon(at.rig)
    const links = ['/dev/null', '/dev/hostlink'].map((path) => at.open(path))
    at.rig.settle()
    expect(links.map(({ log }) => log)).toEqual([
      [expect.stringMatching(/^<close \/dev\/null: (Inappropriate ioctl for device|No such device.*)>$/)],
      ['<close /dev/hostlink: Device or resource busy>'],
    ])
  })
})

describe('a file', () => {
  const content = (
    rig: KernelRig,
    path: string,
  ): { readonly mode: number; readonly size: number; readonly text: string } =>
    inProcess(rig, function* () {
      const { mode, size } = yield* c.stat(path)
      return {
        mode: mode & 0o7777,
        size,
        text: text(yield* c.read(yield* c.open(path, O_RDONLY | O_NONBLOCK, 0), 100)),
      }
    })

  test('is made anew, has what was written, and its end is answered', () => {
    const at = outside()
    daemon(at.rig)
    const first = at.open('file:/f')
    first.write('a longer text')
    first.end()
    at.rig.settle()
    expect(content(at.rig, '/f')).toEqual({ mode: 0o644, size: 13, text: 'a longer text' })
    const again = at.open('file:/f')
    again.write('short')
    at.rig.settle()
    expect(again.log).toEqual([])
    again.end()
    at.rig.settle()
    expect(first.log).toEqual(['<end>'])
    expect(again.log).toEqual(['<end>'])
    expect(content(at.rig, '/f')).toMatchObject({ size: 5, text: 'short' })
    expect(at.chip.state.links).toEqual([])
  })

  test('of a megabyte, and of nothing', () => {
    const at = outside()
    daemon(at.rig)
    const links = ['x'.repeat(1 << 20), ''].map((bytes, i) => {
      const link = at.open(`file:/f${i}`)
      link.write(bytes)
      link.end()
      return link
    })
    at.rig.settle(undefined, 1_000_000)
    expect(links.map(({ log }) => log)).toEqual([['<drain>', '<end>'], ['<end>']])
    expect([0, 1].map((i) => content(at.rig, `/f${i}`).size)).toEqual([1 << 20, 0])
  })

  test.each([
    ['file:/dev', 'file:/dev: Is a directory'],
    ['file:/none/f', 'file:/none/f: No such file or directory'],
    ['file:f', 'file:f: not a socket'],
    ['file:', 'file:: not a socket'],
  ])('%s', (to, reason) => {
    const at = outside()
    daemon(at.rig)
    const link = at.open(to)
    at.rig.settle()
    expect(link.log).toEqual([`<close ${reason}>`])
  })
})

test('without a daemon every link is refused; with it gone, closed', () => {
  const at = outside()
  expect(at.open('/s').log).toEqual(['<close nobody serves links in this machine>'])
  const served: string[][] = []
  inProcess(at.rig, function* () {
    yield* c.open('/dev/hostlink', O_RDWR, 0)
    served.push(at.open('/s').log)
  })
  at.rig.settle()
  expect(served).toEqual([['<close nobody serves links any more>']])
})

describe('the devices', () => {
  function* errnoOf(call: Sys<unknown>): Sys<number> {
    try {
      yield* call
      return 0
    } catch (error) {
      if (error instanceof OsError) return error.errno
      throw error
    }
  }

  test('refuse a second daemon, a short read, and frames that are none', () => {
    const at = outside()
    const seen = inProcess(at.rig, function* () {
      const fd = yield* c.open('/dev/hostlink', O_RDWR, 0)
      const frame = hl.frameBytes({ kind: hl.HOSTLINK_TRACE, link: 0, data: bytesOf('x') })
      const good = hl.frameBytes({ kind: hl.HOSTLINK_CREDIT, link: 5, data: hl.creditBytes(1) })
      return [
        yield* errnoOf(c.open('/dev/hostlink', O_RDWR, 0)),
        yield* errnoOf(c.read(fd, 4095)),
        yield* errnoOf(c.write(fd, Uint8Array.of(1, 2, 3))),
        yield* errnoOf(c.write(fd, frame)),
        yield* errnoOf(c.write(fd, new Uint8Array(8).fill(0xff))),
        yield* c.write(fd, Uint8Array.of(...good, ...good, 9)),
      ]
    })
    expect(seen).toEqual([EBUSY, EINVAL, EINVAL, EINVAL, EINVAL, 24])
  })

  test('what is written to the trace leaves as it is, whoever writes, whatever its length, with what comes within a millisecond', () => {
    const at = outside()
    const first = inProcess(at.rig, function* () {
      for (const line of ['a\n', 'b'.repeat(5000)])
        yield* c.write(yield* c.open('/dev/hostlink-trace', O_WRONLY, 0), bytesOf(line))
      const full = [...at.traced]
      yield* c.nanosleep(1_000_000)
      return full
    })
    const [whole, rest] = [`a\n${'b'.repeat(4086)}`, 'b'.repeat(914)]
    expect([first, at.traced]).toEqual([[whole], [whole, rest]])
  })

  test('the trace comes before what the daemon says after it', () => {
    const at = outside()
    const seen = inProcess(at.rig, function* () {
      const daemonFd = yield* c.open('/dev/hostlink', O_RDWR, 0)
      yield* c.write(yield* c.open('/dev/hostlink-trace', O_WRONLY, 0), bytesOf('a\n'))
      const before = [...at.traced]
      yield* c.write(daemonFd, hl.frameBytes({ kind: hl.HOSTLINK_CREDIT, link: 5, data: hl.creditBytes(1) }))
      return [before, at.traced]
    })
    expect(seen).toEqual([[], ['a\n']])
  })

  test('are not there without the chip', () => {
    const rig = kernelRig({ parts: { ...vfsParts(), initcalls: [miscInit, hostlinkInit] } })
    rig.run(function* () {})
    expect([...rig.kernel.misc!.devices.keys()]).toEqual([])
  })
})
