import { describe, expect, test } from 'vitest'
import * as errnos from '#abi/posix/errno.ts'
import {
  EACCES,
  EAFNOSUPPORT,
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  EMFILE,
  ENOENT,
  ENOPROTOOPT,
  ENOTSOCK,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
} from '#abi/posix/errno.ts'
import { F_GETFL, F_SETFL, O_CREAT, O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import { FIONREAD } from '#abi/posix/ioctl.ts'
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { RLIMIT_NOFILE } from '#abi/posix/resource.ts'
import { SIG_IGN, SIGALRM, SIGPIPE } from '#abi/posix/signal.ts'
import { AF_UNIX, SO_ERROR, SO_PEERCRED, SO_TYPE, SOCK_STREAM, SOL_SOCKET, sockaddrUn } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { ext2Rig, freshExt2, inProcess, tmpfsRig } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'

/** Calls one after the other, and what each says: recorded on a real Linux. Sockets do not block; lengths stand for bytes; `@` begins a name without a file. */
const RECORDED: readonly [name: string, steps: readonly (readonly [step: string, result: number | string])[]][] = [
  [
    'bind, listen, connect, accept; names',
    [
      ['socket a', 0],
      ['name a', ''],
      ['peer a', 'ENOTCONN'],
      ['bind a p', 0],
      ['name a', 'p'],
      ['listen a 5', 0],
      ['socket b', 0],
      ['connect b p', 0],
      ['accept c a', 0],
      ['name c', 'p'],
      ['peer c', ''],
      ['name b', ''],
      ['peer b', 'p'],
      ['accept d a', 'EAGAIN'],
    ],
  ],
  [
    'bytes both ways',
    [
      ['pair a b', 0],
      ['write a 3', 3],
      ['write a 4', 4],
      ['inq b', 7],
      ['read b 2', 2],
      ['read b 100', 5],
      ['read b 1', 'EAGAIN'],
      ['write b 5', 5],
      ['read a 5', 5],
      ['write a 0', 0],
      ['read a 0', 0],
    ],
  ],
  [
    'written before it is accepted',
    [
      ['socket a', 0],
      ['bind a p', 0],
      ['listen a 1', 0],
      ['socket b', 0],
      ['connect b p', 0],
      ['write b 7', 7],
      ['accept c a', 0],
      ['read c 9', 7],
    ],
  ],
  [
    'an end that is closed',
    [
      ['pair a b', 0],
      ['write a 3', 3],
      ['close a', 0],
      ['poll b', 'IN+OUT+HUP'],
      ['read b 9', 3],
      ['read b 9', 0],
      ['write b 1', 'EPIPE'],
      ['poll b', 'IN+OUT+HUP'],
      ['error b', 0],
    ],
  ],
  [
    'an end that is closed with bytes unread',
    [
      ['pair a b', 0],
      ['write b 3', 3],
      ['close a', 0],
      ['poll b', 'IN+OUT+ERR+HUP'],
      ['error b', 'ECONNRESET'],
      ['error b', 0],
      ['read b 9', 0],
      ['write b 1', 'EPIPE'],
    ],
  ],
  [
    'the same, found by reading',
    [
      ['pair a b', 0],
      ['write b 3', 3],
      ['close a', 0],
      ['read b 9', 'ECONNRESET'],
      ['read b 9', 0],
    ],
  ],
  [
    'the same, found by writing',
    [
      ['pair a b', 0],
      ['write b 3', 3],
      ['close a', 0],
      ['write b 9', 'EPIPE'],
      ['write b 9', 'EPIPE'],
    ],
  ],
  [
    'shutdown of writing',
    [
      ['pair a b', 0],
      ['write a 2', 2],
      ['shutdown a 1', 0],
      ['write a 1', 'EPIPE'],
      ['poll a', 'OUT'],
      ['poll b', 'IN+OUT'],
      ['read b 9', 2],
      ['read b 9', 0],
      ['write b 4', 4],
      ['read a 9', 4],
      ['peer a', ''],
    ],
  ],
  [
    'shutdown of reading',
    [
      ['pair a b', 0],
      ['write b 2', 2],
      ['shutdown a 0', 0],
      ['read a 9', 2],
      ['read a 9', 0],
      ['write b 1', 'EPIPE'],
      ['poll a', 'IN+OUT'],
      ['poll b', 'OUT'],
      ['write a 2', 2],
      ['read b 9', 2],
    ],
  ],
  [
    'shutdown of both',
    [
      ['pair a b', 0],
      ['shutdown a 2', 0],
      ['poll a', 'IN+OUT+HUP'],
      ['poll b', 'IN+OUT+HUP'],
      ['read a 1', 0],
      ['read b 1', 0],
      ['write a 1', 'EPIPE'],
      ['write b 1', 'EPIPE'],
    ],
  ],
  [
    'shutdown of one that is not connected',
    [
      ['socket a', 0],
      ['poll a', 'OUT+HUP'],
      ['read a 1', 'EINVAL'],
      ['write a 1', 'ENOTCONN'],
      ['error a', 0],
    ],
  ],
  [
    'bind where something is',
    [
      ['socket a', 0],
      ['bind a p', 0],
      ['socket b', 0],
      ['bind b p', 'EADDRINUSE'],
      ['bind a q', 'EINVAL'],
      ['unlink p', 0],
      ['bind b p', 0],
      ['close a', 0],
      ['close b', 0],
      ['socket c', 0],
      ['bind c p', 'EADDRINUSE'],
    ],
  ],
  [
    'bind where one may not, or can not',
    [
      ['socket a', 0],
      ['bind a none/x', 'ENOENT'],
      ['bind a .', 'EADDRINUSE'],
      ['bind a /', 'EADDRINUSE'],
    ],
  ],
  [
    'connect where nobody is',
    [
      ['socket a', 0],
      ['connect a none', 'ENOENT'],
      ['file f', 0],
      ['connect a f', 'ECONNREFUSED'],
      ['socket b', 0],
      ['bind b p', 0],
      ['connect a p', 'ECONNREFUSED'],
      ['listen b 1', 0],
      ['connect a p', 0],
      ['close b', 0],
      ['socket c', 0],
      ['connect c p', 'ECONNREFUSED'],
    ],
  ],
  [
    'a listener that goes leaves whom it has not accepted',
    [
      ['socket a', 0],
      ['bind a p', 0],
      ['listen a 5', 0],
      ['socket b', 0],
      ['connect b p', 0],
      ['close a', 0],
      ['poll b', 'IN+OUT+ERR+HUP'],
      ['error b', 'ECONNRESET'],
      ['read b 1', 0],
      ['write b 1', 'EPIPE'],
    ],
  ],
  [
    'a backlog that is full',
    [
      ['socket a', 0],
      ['bind a p', 0],
      ['listen a 0', 0],
      ['socket b', 0],
      ['connect b p', 0],
      ['socket c', 0],
      ['connect c p', 'EAGAIN'],
      ['accept d a', 0],
      ['connect c p', 0],
      ['accept e a', 0],
      ['accept f a', 'EAGAIN'],
    ],
  ],
  [
    'calls at the wrong time',
    [
      ['socket a', 0],
      ['listen a 1', 'EINVAL'],
      ['accept b a', 'EINVAL'],
      ['bind a p', 0],
      ['listen a 1', 0],
      ['connect a p', 'EINVAL'],
      ['read a 1', 'EINVAL'],
      ['write a 1', 'ENOTCONN'],
      ['inq a', 'EINVAL'],
      ['socket c', 0],
      ['connect c p', 0],
      ['connect c p', 'EISCONN'],
      ['listen c 1', 'EINVAL'],
      ['accept d c', 'EINVAL'],
      // Of 2.6.18: a listener is writable. Later kernels say no.
      ['poll a', 'IN+OUT'],
      ['bind c q', 0],
      ['listen c 1', 'EINVAL'],
    ],
  ],
  [
    'a path that is unlinked, renamed, linked',
    [
      ['socket a', 0],
      ['bind a p', 0],
      ['listen a 5', 0],
      ['rename p q', 0],
      ['socket b', 0],
      ['connect b p', 'ENOENT'],
      ['connect b q', 0],
      ['link q r', 0],
      ['socket c', 0],
      ['connect c r', 0],
      ['unlink q', 0],
      ['unlink r', 0],
      ['socket d', 0],
      ['connect d r', 'ENOENT'],
      ['accept e a', 0],
      ['name e', 'p'],
    ],
  ],
  [
    'a symbolic link',
    [
      ['socket a', 0],
      ['bind a p', 0],
      ['listen a 1', 0],
      ['symlink p s', 0],
      ['socket b', 0],
      ['connect b s', 0],
      ['peer b', 'p'],
      ['socket c', 0],
      ['bind c s', 'EADDRINUSE'],
    ],
  ],
  [
    'names without a file',
    [
      ['socket a', 0],
      ['bind a @x', 0],
      ['name a', '@x'],
      ['listen a 1', 0],
      ['socket b', 0],
      ['connect b @x', 0],
      ['peer b', '@x'],
      ['socket c', 0],
      ['bind c @x', 'EADDRINUSE'],
      ['close a', 0],
      ['bind c @x', 0],
      ['socket d', 0],
      ['connect d @y', 'ECONNREFUSED'],
    ],
  ],
  [
    'what is open as a file is not a socket',
    [
      ['file f', 0],
      ['opensock f', 'ENOTSOCK'],
      ['socket a', 0],
      ['bind a p', 0],
      ['stat p', '140755'],
      ['open p', 'ENXIO'],
    ],
  ],
]

const NAMES = new Map(Object.entries(errnos).map(([name, number]) => [number as number, name]))
const address = (path: string): Uint8Array =>
  path.startsWith('@') ? sockaddrUn(`\0${path.slice(1)}`).subarray(0, path.length + 2) : sockaddrUn(path)

const nameOf = (bytes: Uint8Array): string =>
  String.fromCharCode(...bytes.subarray(2))
    .replace(/(?!^)\0$/, '')
    .replace('\0', '@')

function* errnoOf(call: Sys<unknown>): Sys<number> {
  try {
    yield* call
    return 0
  } catch (error) {
    if (error instanceof OsError) return error.errno
    throw error
  }
}

const int = (bytes: Uint8Array, at = 0): number => new DataView(bytes.buffer, bytes.byteOffset).getInt32(at, true)
const stream = () => c.socket(AF_UNIX, SOCK_STREAM, 0)

function* step(fds: Map<string, number>, text: string): Sys<number | string> {
  const [op, a = '', b = ''] = text.split(' ')
  const fd = fds.get(a) ?? -1
  const add = function* (name: string, made: number): Sys<number> {
    fds.set(name, made)
    yield* c.fcntl(made, F_SETFL, O_RDWR | O_NONBLOCK)
    return 0
  }
  switch (op) {
    case 'socket':
      return yield* add(a, yield* stream())
    case 'pair': {
      const [one, other] = yield* c.socketpair(AF_UNIX, SOCK_STREAM, 0)
      yield* add(a, one)
      return yield* add(b, other)
    }
    case 'bind':
      return yield* c.bind(fd, address(b))
    case 'listen':
      return yield* c.listen(fd, Number(b))
    case 'connect':
      return yield* c.connect(fd, address(b))
    case 'accept':
      return yield* add(a, yield* c.accept(fds.get(b)!))
    case 'name':
      return nameOf(yield* c.getsockname(fd))
    case 'peer':
      return nameOf(yield* c.getpeername(fd))
    case 'write':
      return yield* c.write(fd, new Uint8Array(Number(b)))
    case 'read':
      return (yield* c.read(fd, Number(b))).length
    case 'close':
      return yield* c.close(fd)
    case 'shutdown':
      return yield* c.shutdown(fd, Number(b))
    case 'inq':
      return int((yield* c.ioctl(fd, FIONREAD, 0)) as Uint8Array)
    case 'error': {
      const error = int(yield* c.getsockopt(fd, SOL_SOCKET, SO_ERROR))
      return NAMES.get(error) ?? error
    }
    case 'poll': {
      const [events = 0] = yield* c.poll([fd, POLLIN | POLLOUT], 0)
      const bits: [string, number][] = [
        ['IN', POLLIN],
        ['OUT', POLLOUT],
        ['ERR', POLLERR],
        ['HUP', POLLHUP],
      ]
      return bits
        .filter(([, bit]) => events & bit)
        .map(([name]) => name)
        .join('+')
    }
    case 'unlink':
      return yield* c.unlink(a)
    case 'rename':
      return yield* c.rename(a, b)
    case 'link':
      return yield* c.link(a, b)
    case 'symlink':
      return yield* c.symlink(a, b)
    case 'file':
      return yield* c.close(yield* c.open(a, O_CREAT | O_RDWR, 0o644))
    case 'opensock':
      return nameOf(yield* c.getsockname(yield* c.open(a, O_RDWR, 0)))
    case 'stat':
      return (yield* c.stat(a)).mode.toString(8)
    case 'open':
      return yield* c.open(a, O_RDWR, 0)
    default:
      throw new Error(text)
  }
}

describe.each([
  ['tmpfs', () => tmpfsRig()],
  ['ext2', () => ext2Rig(freshExt2(8192, 1024)).rig],
])('as a real one does, on %s', (_fs, makeRig) => {
  test.each(RECORDED)('%s', (_name, steps) => {
    const rig = makeRig()
    const { used } = rig.kernel.pages
    const files = rig.kernel.vfs.openFiles
    const slab = used.slab
    const seen = inProcess(rig, function* () {
      const fds = new Map<string, number>()
      const results: (readonly [string, number | string])[] = []
      yield* c.rt_sigaction(SIGPIPE, SIG_IGN, 0, 0)
      for (const [text] of steps) {
        try {
          results.push([text, yield* step(fds, text)])
        } catch (error) {
          if (!(error instanceof OsError)) throw error
          results.push([text, NAMES.get(error.errno)!])
        }
      }
      return results
    })
    expect(seen).toEqual(steps)
    // Nothing is left of it but names.
    expect(rig.kernel.vfs.openFiles).toBe(files)
    expect(rig.kernel.net!.sockets.size).toBe(0)
    expect(used.slab - slab).toBeLessThanOrEqual(2)
  })
})

describe('a stream', () => {
  test('of a megabyte passes a reader and a writer that wait for each other, in order', () => {
    const total = 1 << 20
    const sum = inProcess(tmpfsRig(), function* () {
      const [a, b] = yield* c.socketpair(AF_UNIX, SOCK_STREAM, 0)
      yield* c.fork(function* () {
        yield* c.close(b)
        const bytes = new Uint8Array(total)
        for (let i = 0; i < total; i++) bytes[i] = (i * 7) & 255
        return (yield* c.write(a, bytes)) === total ? 0 : 1
      })
      yield* c.close(a)
      let at = 0
      let wrong = 0
      for (;;) {
        const part = yield* c.read(b, 4000)
        if (part.length === 0) break
        for (const byte of part) if (byte !== ((at++ * 7) & 255)) wrong++
      }
      return { at, wrong, status: (yield* c.wait4(-1, 0)).status }
    })
    expect(sum).toEqual({ at: total, wrong: 0, status: 0 })
  })

  test('takes no more than its buffer where the writer does not wait, and the bytes are charged', () => {
    const rig = tmpfsRig()
    const seen = inProcess(rig, function* () {
      const [a, b] = yield* c.socketpair(AF_UNIX, SOCK_STREAM, 0)
      yield* c.fcntl(a, F_SETFL, O_NONBLOCK)
      const before = rig.kernel.pages.used.slab
      const taken = yield* c.write(a, new Uint8Array(500_000))
      const frames = rig.kernel.pages.used.slab - before
      const [full] = yield* c.poll([a, POLLOUT], 0)
      let read = 0
      while (read < taken) read += (yield* c.read(b, 65536)).length
      const [empty] = yield* c.poll([a, POLLOUT], 0)
      return {
        taken: taken > 100_000 && taken < 200_000,
        frames: frames > 25,
        full,
        empty,
        left: rig.kernel.pages.used.slab - before,
      }
    })
    expect(seen).toEqual({ taken: true, frames: true, full: 0, empty: POLLOUT, left: 0 })
  })

  test('that nobody reads kills its writer by SIGPIPE', () => {
    const status = inProcess(tmpfsRig(), function* () {
      yield* c.fork(function* () {
        const [a, b] = yield* c.socketpair(AF_UNIX, SOCK_STREAM, 0)
        yield* c.close(b)
        yield* c.write(a, Uint8Array.of(1))
        return 0
      })
      return (yield* c.wait4(-1, 0)).status
    })
    expect(status & 0x7f).toBe(SIGPIPE)
  })

  test('accept, connect, read and write wait, and a signal ends that', () => {
    const seen = inProcess(tmpfsRig(), function* () {
      yield* c.rt_sigaction(SIGALRM, function* () {}, 0, 0)
      const listener = yield* stream()
      yield* c.bind(listener, sockaddrUn('/s'))
      yield* c.listen(listener, 0)
      yield* c.alarm(1)
      const results = [yield* errnoOf(c.accept(listener))]
      const first = yield* stream()
      yield* c.connect(first, sockaddrUn('/s'))
      yield* c.alarm(1)
      results.push(yield* errnoOf(c.connect(yield* stream(), sockaddrUn('/s'))))
      yield* c.alarm(1)
      results.push(yield* errnoOf(c.read(first, 1)))
      yield* c.alarm(1)
      const short = yield* c.write(first, new Uint8Array(500_000))
      yield* c.alarm(1)
      results.push(yield* errnoOf(c.write(first, Uint8Array.of(1))))
      return { results, short: short > 100_000 && short < 500_000 }
    })
    expect(seen).toEqual({ results: [EINTR, EINTR, EINTR, EINTR], short: true })
  })

  test('who waits to connect is let in by accept; who waits to accept is woken by connect', () => {
    const order = inProcess(tmpfsRig(), function* () {
      const said: string[] = []
      const listener = yield* stream()
      yield* c.bind(listener, sockaddrUn('/s'))
      yield* c.listen(listener, 0)
      for (const name of ['one', 'two', 'three'])
        yield* c.fork(function* () {
          const fd = yield* stream()
          yield* c.connect(fd, sockaddrUn('/s'))
          yield* c.write(
            fd,
            Uint8Array.from(name, (letter) => letter.charCodeAt(0)),
          )
          return 0
        })
      for (let i = 0; i < 3; i++) said.push(String.fromCharCode(...(yield* c.read(yield* c.accept(listener), 9))))
      return said
    })
    expect(order).toEqual(['one', 'two', 'three'])
  })

  test('tells each end who the other is', () => {
    const seen = inProcess(tmpfsRig(), function* () {
      const listener = yield* stream()
      yield* c.bind(listener, sockaddrUn('/s'))
      yield* c.chmod('/s', 0o777)
      yield* c.listen(listener, 5)
      const mine = yield* c.getpid()
      const pid = yield* c.fork(function* () {
        yield* c.setgid(7)
        yield* c.setuid(500)
        const fd = yield* stream()
        yield* c.connect(fd, sockaddrUn('/s'))
        const cred = yield* c.getsockopt(fd, SOL_SOCKET, SO_PEERCRED)
        return int(cred) === mine && int(cred, 4) === 0 ? 0 : 1
      })
      const cred = yield* c.getsockopt(yield* c.accept(listener), SOL_SOCKET, SO_PEERCRED)
      const nobody = yield* c.getsockopt(yield* stream(), SOL_SOCKET, SO_PEERCRED)
      return {
        client: [int(cred) === pid, int(cred, 4), int(cred, 8)],
        nobody: [int(nobody), int(nobody, 4), int(nobody, 8)],
        status: (yield* c.wait4(-1, 0)).status,
      }
    })
    expect(seen).toEqual({ client: [true, 500, 7], nobody: [0, -1, -1], status: 0 })
  })

  test('asks for permission to write to the path', () => {
    const seen = inProcess(tmpfsRig(), function* () {
      const listener = yield* stream()
      yield* c.bind(listener, sockaddrUn('/s'))
      yield* c.listen(listener, 5)
      yield* c.mkdir('/d', 0o755)
      const results: number[] = []
      yield* c.fork(function* () {
        yield* c.setuid(500)
        results.push(yield* errnoOf(c.connect(yield* stream(), sockaddrUn('/s'))))
        results.push(yield* errnoOf(c.bind(yield* stream(), sockaddrUn('/d/s'))))
        return 0
      })
      yield* c.wait4(-1, 0)
      return results
    })
    expect(seen).toEqual([EACCES, EACCES])
  })

  test('a connection stays in the queue while its acceptor has no descriptor for it', () => {
    const seen = inProcess(tmpfsRig(), function* () {
      const listener = yield* stream()
      yield* c.bind(listener, sockaddrUn('/s'))
      yield* c.listen(listener, 5)
      yield* c.connect(yield* stream(), sockaddrUn('/s'))
      const free = yield* c.dup(listener)
      yield* c.close(free)
      yield* c.setrlimit(RLIMIT_NOFILE, free, 1024)
      const failed = [yield* errnoOf(c.accept(listener)), yield* errnoOf(stream())]
      failed.push(yield* errnoOf(c.socketpair(AF_UNIX, SOCK_STREAM, 0)))
      yield* c.setrlimit(RLIMIT_NOFILE, 1024, 1024)
      return { failed, accepted: (yield* c.accept(listener)) === free }
    })
    expect(seen).toEqual({ failed: [EMFILE, EMFILE, EMFILE], accepted: true })
  })

  test('/proc/net/unix and /proc/PID/fd show it', () => {
    const text = inProcess(bootedRig(), function* () {
      yield* c.mount('none', '/proc', 'proc', 0, '')
      const listener = yield* stream()
      yield* c.bind(listener, sockaddrUn('/tmp/s'))
      yield* c.listen(listener, 5)
      const client = yield* stream()
      yield* c.connect(client, sockaddrUn('/tmp/s'))
      const fd = yield* c.open('/proc/net/unix', 0, 0)
      const rows = String.fromCharCode(...(yield* c.read(fd, 4096)))
      return `${rows}${yield* c.readlink(`/proc/self/fd/${client}`)}\n`
    })
    expect(text.replace(/^[0-9a-f]{16}/gm, 'ADDRESS').replace(/ +\d+( \/tmp\/s)?$/gm, ' INO$1')).toBe(
      [
        'Num       RefCount Protocol Flags    Type St Inode Path',
        'ADDRESS: 00000002 00000000 00010000 0001 01 INO /tmp/s',
        'ADDRESS: 00000003 00000000 00000000 0001 03 INO',
        'ADDRESS: 00000003 00000000 00000000 0001 02 INO /tmp/s',
        '',
      ].join('\n') +
        text.split('\n').at(-2) +
        '\n',
    )
    expect(text).toMatch(/\nsocket:\[\d+\]\n$/)
  })
})

describe('is refused', () => {
  const rig = tmpfsRig()
  test.each<[string, number, () => Sys<unknown>]>([
    ['another family', EAFNOSUPPORT, () => c.socket(2, SOCK_STREAM, 0)],
    ['a datagram socket', ESOCKTNOSUPPORT, () => c.socket(AF_UNIX, 2, 0)],
    ['no type', EINVAL, () => c.socket(AF_UNIX, 99, 0)],
    ['another protocol', EPROTONOSUPPORT, () => c.socketpair(AF_UNIX, SOCK_STREAM, 6)],
    ['no descriptor', EBADF, () => c.listen(99, 1)],
    ['an address without path', EINVAL, onSocket((fd) => c.bind(fd, Uint8Array.of(1, 0)))],
    ['half a family', EINVAL, onSocket((fd) => c.connect(fd, Uint8Array.of(1)))],
    ['an address of another family', EINVAL, onSocket((fd) => c.bind(fd, Uint8Array.of(2, 0, 65)))],
    ['an address that is too long', EINVAL, onSocket((fd) => c.bind(fd, new Uint8Array(111).fill(65).fill(1, 0, 1)))],
    ['an address that is none', EFAULT, onSocket((fd) => c.connect(fd, 7 as unknown as Uint8Array))],
    ['a backlog that is none', EINVAL, onSocket((fd) => c.listen(fd, 0.5))],
    ['an unknown option', ENOPROTOOPT, onSocket((fd) => c.getsockopt(fd, SOL_SOCKET, 999))],
    ['another level', EOPNOTSUPP, onSocket((fd) => c.setsockopt(fd, 6, 1, new Uint8Array(4)))],
    ['half a value', EINVAL, onSocket((fd) => c.setsockopt(fd, SOL_SOCKET, 7, new Uint8Array(3)))],
    ['an unknown ioctl', EINVAL, onSocket((fd) => c.ioctl(fd, 0x5401, 0))],
    [
      'what is no socket',
      ENOTSOCK,
      function* () {
        const [reader] = yield* c.pipe()
        yield* c.getsockopt(reader, SOL_SOCKET, SO_TYPE)
      },
    ],
    ['a path that leads nowhere', ENOENT, onSocket((fd) => c.connect(fd, sockaddrUn('/no/where')))],
  ])('%s', (_name, expected, call) => {
    expect(inProcess(rig, () => errnoOf(call()))).toBe(expected)
  })
})

function onSocket(call: (fd: number) => Sys<unknown>): () => Sys<unknown> {
  return function* () {
    const fd = yield* stream()
    expect(yield* c.fcntl(fd, F_GETFL, 0)).toBe(O_RDWR)
    return yield* call(fd)
  }
}
