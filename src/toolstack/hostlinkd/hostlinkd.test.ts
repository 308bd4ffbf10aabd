/** The whole way of a host link but for Xen: its outer end, the chip, the driver, the daemon, a program that listens. */
import { describe, expect, test } from 'vitest'
import type { Mem } from '#abi/mem.ts'
import * as hl from '#abi/pc/hostlink.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { EBUSY, EINVAL } from '#abi/posix/errno.ts'
import { F_SETFL, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '#abi/posix/fcntl.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import { makedev, S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { hostlinkInit } from '#kernel/drivers/hostlink/hostlink.ts'
import { miscInit } from '#kernel/drivers/misc/misc.ts'
import { registerPtys } from '#kernel/tty/pty.ts'
import { type Hostlink, hostlink } from '#machine/devices/hostlink/hostlink.ts'
import { HostLinks } from '#protocol/links.ts'
import { type KernelRig, kernelRig, rootOf } from '#testing/kernel-rig.ts'
import { inProcess, vfsParts } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'
import { closePty, openPty, type Pty } from '../xenconsoled/pty.ts'
import { serve } from './hostlinkd.ts'

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
/** The fake hypervisor's first machine frame. */
const FIRST_MFN = 0x1000

function* ptyInit(kernel: KernelRig['kernel']): Generator<never, void> {
  registerPtys(kernel)
}

interface Outside {
  readonly rig: KernelRig
  readonly chip: Hostlink
  readonly links: HostLinks
  readonly traced: string[]
  /** Open a link, and say what happens to it. */
  open(to: string): {
    readonly log: string[]
    readonly write: (text: string) => boolean
    readonly end: () => void
    readonly close: () => void
    /** Bytes that came, and that somebody has taken. */
    readonly got: () => number
    takeAll: boolean
  }
}

function outside(): Outside {
  let chip: Hostlink | undefined
  const io: PortIo = {
    in8: () => 0xff,
    in16: () => 0xffff,
    in32: (port) => chip!.read(port - hl.HOSTLINK_BASE, 4),
    out8() {},
    out16() {},
    out32: (port, value) => chip!.write(port - hl.HOSTLINK_BASE, 4, value),
  }
  const parts = vfsParts()
  const rig = kernelRig({
    pages: 8192,
    io,
    parts: { ...parts, initcalls: [...parts.initcalls!, miscInit, ptyInit, hostlinkInit] },
  })
  const va = (maddr: number): number =>
    rig.kernel.pages.va((Math.floor(maddr / PAGE_SIZE) - FIRST_MFN) as never) + (maddr % PAGE_SIZE)
  const dma = {
    copyOut: (at: number, length: number) => rig.kernel.mem.copyOut(va(at), length),
    copyIn: (at: number, bytes: Uint8Array) => rig.kernel.mem.copyIn(va(at), bytes),
  } as unknown as Mem
  const traced: string[] = []
  const links = new HostLinks((input) => {
    if (input.kind === 'link') chip!.receive(input.link, JSON.parse(JSON.stringify(input.event)))
  })
  chip = hostlink({
    irq: (high) => high && rig.xen.raisePirq(hl.HOSTLINK_IRQ),
    mem: dma,
    output: (id, output) => links.receive(id, output),
    trace: (bytes) => traced.push(text(bytes)),
  })
  rig.root = rig.run(function* (kernel) {
    return rootOf(yield* kernel.vfs.mountRoot('none', ['tmpfs'], 0))
  })
  inProcess(rig, function* () {
    yield* c.mkdir('/dev', 0o755)
    yield* c.mknod('/dev/hostlink', S_IFCHR | 0o600, makedev(10, 240))
    yield* c.mknod('/dev/hostlink-trace', S_IFCHR | 0o600, makedev(10, 241))
    yield* c.mknod('/dev/ptmx', S_IFCHR | 0o666, makedev(5, 2))
    yield* c.mkdir('/dev/pts', 0o755)
    yield* c.mount('devpts', '/dev/pts', 'devpts', 0, '')
  })
  return {
    rig,
    chip,
    links,
    traced,
    open(to) {
      const log: string[] = []
      let got = 0
      const end = {
        takeAll: true,
        log,
        got: () => got,
        write: (more: string) => link.write(bytesOf(more)),
        end: () => link.end(),
        close: () => link.close(),
      }
      const link = links.open(to, {
        data(bytes, taken) {
          got += bytes.length
          if (bytes.length < 100) log.push(text(bytes))
          if (end.takeAll) taken(bytes.length)
        },
        end: () => log.push('<end>'),
        close: (reason) => log.push(`<close ${reason}>`),
        drain: () => log.push('<drain>'),
      })
      return end
    },
  }
}

/** A process that others go on after. */
function background(rig: KernelRig, body: () => Sys<number>): void {
  rig.process(function* () {
    yield* c.fork(body)
    return 0
  })
  rig.settle()
}

const daemon = (rig: KernelRig): void =>
  background(rig, function* () {
    yield* serve(yield* c.open('/dev/hostlink', O_RDWR, 0))
    return 0
  })

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

  test('what is written to the trace leaves as it is, whoever writes, whatever its length', () => {
    const at = outside()
    inProcess(at.rig, function* () {
      for (const line of ['a\n', 'b'.repeat(5000)])
        yield* c.write(yield* c.open('/dev/hostlink-trace', O_WRONLY, 0), bytesOf(line))
    })
    expect(at.traced).toEqual(['a\n', 'b'.repeat(4088), 'b'.repeat(912)])
  })

  test('are not there without the chip', () => {
    const rig = kernelRig({ parts: { ...vfsParts(), initcalls: [miscInit, hostlinkInit] } })
    rig.run(function* () {})
    expect([...rig.kernel.misc!.devices.keys()]).toEqual([])
  })
})
