/**
 * What xenstored sees of dom0's kernel and of Xen, for tests of the whole program: unix sockets, /dev/xen/evtchn, /proc/xen/privcmd, dom0's ring page, and
 * domains whose other end of the ring is the test. Reads and writes of sockets may be cut short by chance. What the daemon does wrong shows: an
 * exception leaves the loop of system calls as it is, a page that is not mapped is EFAULT.
 */
import { EAGAIN, EBADF, EFAULT, EINVAL, EPIPE } from '#abi/posix/errno.ts'
import { F_GETFD, F_GETFL, F_SETFD, F_SETFL, O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { MAP_ANONYMOUS } from '#abi/posix/mman.ts'
import { TMPFS_MAGIC } from '#abi/posix/mount.ts'
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '#abi/posix/poll.ts'
import { SIGKILL, SIGTERM } from '#abi/posix/signal.ts'
import { SO_PEERCRED, SOL_SOCKET } from '#abi/posix/socket.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { byteString } from '#lib/utf8.ts'
import { xenstored } from '#toolstack/xenstored/xenstored.ts'
import { fileCalls } from '../posix-rig/calls-files.ts'
import { ready } from '../posix-rig/calls-io.ts'
import { processCalls } from '../posix-rig/calls-process.ts'
import { Pipe } from '../posix-rig/pipe.ts'
import { BLOCKED, until } from '../posix-rig/process.ts'
import { type Calls, type Process, posixRig, type RigFile, type RigKernel, type Session } from '../posix-rig.ts'
import { HostXen } from './host-xen.ts'

/** Descriptors from here on are not the rig's own. */
const FD_BASE = 1000
/** What lies in a socket, one way. */
const SOCKET_BYTES = 16 * 1024
/** More in one turn means that the daemon does not come to rest. */
const TURN_STEPS = 200_000
const CLIENT_PID = 4242
const SOCKET = '/var/run/xenstored/socket'

/** A connection's two directions. */
export interface Stream {
  readonly toDaemon: Pipe
  readonly toClient: Pipe
  clientOpen: boolean
  daemonOpen: boolean
}

type Kind =
  | { readonly kind: 'listener'; path: string; readonly queue: Stream[] }
  | { readonly kind: 'stream'; readonly stream: Stream }
  | { readonly kind: 'evtchn' | 'privcmd' | 'kva' | 'trace' }

type OpenThing = Kind & { flags: number; cloexec: boolean }

const SPECIAL: Readonly<Record<string, 'evtchn' | 'privcmd' | 'kva' | 'trace'>> = {
  '/dev/xen/evtchn': 'evtchn',
  '/proc/xen/privcmd': 'privcmd',
  '/proc/xen/xsd_kva': 'kva',
  '/dev/hostlink-trace': 'trace',
}

export interface DaemonHostOptions {
  /** xenstored's, behind -N. */
  readonly args?: readonly string[]
  /** How much of so many bytes a read or write does. */
  readonly short?: (bytes: number) => number
  readonly files?: Readonly<Record<string, RigFile>>
}

export class DaemonHost {
  readonly xen = new HostXen()
  /** What the daemon has told the access trace. */
  trace = ''
  readonly kernel: RigKernel
  readonly #rig: ReturnType<typeof posixRig>
  readonly #args: readonly string[]
  readonly #short: (bytes: number) => number
  #fds = new Map<number, OpenThing>()
  #pages = new Map<number, Uint8Array>()
  #nextPage = 16
  #session: Session | undefined

  constructor({ args = [], short = (bytes) => bytes, files = {} }: DaemonHostOptions = {}) {
    this.#args = args
    this.#short = short
    this.#rig = posixRig({
      programs: { '/usr/sbin/xenstored': xenstored },
      files: {
        '/proc/xen/xsd_port': `${this.xen.dom0Port}\n`,
        [`/proc/${CLIENT_PID}/stat`]: `${CLIENT_PID} (client) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 15 0 1 0 0 0 0\n`,
        '/dev/shm/': '',
        '/var/run/': '',
        '/var/lib/': '',
        ...files,
      },
      calls: this.#calls(),
    })
    this.kernel = this.#rig.kernel
  }

  get running(): boolean {
    return this.#session !== undefined && this.#session.status === undefined
  }

  /** What the daemon has printed since it started. */
  get said(): string {
    return this.#session?.transcript ?? ''
  }

  /** Bytes of heap that it has asked for. */
  get heapBytes(): number {
    return this.#process()?.brk ?? 0
  }

  /** Descriptors, pages and channels that it has open. */
  get held(): { readonly fds: number; readonly pages: number; readonly channels: number } {
    return { fds: this.#fds.size, pages: this.#pages.size, channels: this.xen.channels }
  }

  start(more: readonly string[] = []): void {
    this.#session = this.#rig.session(['/usr/sbin/xenstored', '-N', ...this.#args, ...more])
    this.#reap()
    if (!this.running) throw new Error(`xenstored does not start: ${this.said}`)
  }

  /** Let the daemon work until it sleeps. */
  turn(): void {
    const { kernel } = this
    const reason = kernel.run({ steps: TURN_STEPS, untilNs: kernel.nowNs, done: () => !this.running })
    this.#reap()
    if (reason === 'steps') throw new Error('xenstored does not come to rest')
  }

  /** So many steps of it, wherever that ends; fewer if it sleeps. */
  steps(count: number): void {
    const process = this.#process()
    for (let left = count; process && this.running && left > 0 && this.kernel.step(process); left--);
    this.#reap()
  }

  signal(signo: number): void {
    const process = this.#process()
    if (process) this.kernel.send(process, signo)
    this.turn()
  }

  kill(): void {
    this.signal(SIGKILL)
  }

  /** `kill PID`; more than a turn, should it have much to write. */
  terminate(): void {
    this.signal(SIGTERM)
    for (let i = 0; this.running && i < 100; i++) this.turn()
    if (this.running) throw new Error('xenstored does not end')
  }

  pass(seconds: number): void {
    this.#session?.pass(seconds * 1000)
    this.#reap()
  }

  read(path: string): string | undefined {
    return this.#rig.read(path)
  }

  put(path: string, file: RigFile): void {
    this.#rig.put(path, file)
  }

  /** Undefined: nobody listens. */
  connect(readOnly = false, bytes = SOCKET_BYTES): Stream | undefined {
    const path = readOnly ? `${SOCKET}_ro` : SOCKET
    for (const thing of this.#fds.values())
      if (thing.kind === 'listener' && thing.path === path) {
        const stream = { toDaemon: new Pipe(bytes), toClient: new Pipe(bytes), clientOpen: true, daemonOpen: true }
        thing.queue.push(stream)
        return stream
      }
    return undefined
  }

  #process(): Process | undefined {
    return this.#session && this.kernel.processes.get(this.#session.pid)
  }

  /** What an ended process held. */
  #reap(): void {
    if (this.running) return
    for (const fd of [...this.#fds.keys()]) this.#close(fd)
    this.#pages.clear()
  }

  #give(kind: Kind): number {
    let fd = FD_BASE
    while (this.#fds.has(fd)) fd++
    this.#fds.set(fd, { ...kind, flags: 0, cloexec: false })
    return fd
  }

  #close(fd: number): void {
    const thing = this.#fds.get(fd)!
    this.#fds.delete(fd)
    if (thing.kind === 'stream') thing.stream.daemonOpen = false
    if (thing.kind === 'listener') for (const stream of thing.queue) stream.daemonOpen = false
    if (thing.kind === 'evtchn') this.xen.closeAll()
  }

  #map(page: Uint8Array | undefined): number {
    const address = this.#nextPage++ * PAGE_SIZE
    if (page) this.#pages.set(address, page)
    return address
  }

  #memory(address: number, bytes: number): Uint8Array | undefined {
    const at = address % PAGE_SIZE
    return at + bytes > PAGE_SIZE ? undefined : this.#pages.get(address - at)?.subarray(at, at + bytes)
  }

  #store(address: number, bytes: Uint8Array): number {
    const at = this.#memory(address, bytes.length)
    at?.set(bytes)
    return at ? 0 : -EFAULT
  }

  #ready(thing: OpenThing): number {
    if (thing.kind === 'listener') return thing.queue.length > 0 ? POLLIN : 0
    if (thing.kind === 'evtchn') return (this.xen.fires ? POLLIN : 0) | POLLOUT
    if (thing.kind !== 'stream') return POLLIN | POLLOUT
    const { toDaemon, toClient, clientOpen } = thing.stream
    return (
      (toDaemon.length > 0 || !clientOpen ? POLLIN : 0) |
      (toClient.room > 0 || !clientOpen ? POLLOUT : 0) |
      (clientOpen ? 0 : POLLHUP)
    )
  }

  #readThing(thing: OpenThing, count: number): unknown {
    const wait = thing.flags & O_NONBLOCK ? -EAGAIN : BLOCKED
    if (thing.kind === 'evtchn')
      return until(() =>
        this.xen.fires ? new Uint8Array(Uint32Array.from(this.xen.takeFired(count >> 2)).buffer) : wait,
      )
    if (thing.kind !== 'stream') return -EINVAL
    const { stream } = thing
    return until(() => {
      if (stream.toDaemon.length > 0) return stream.toDaemon.take(this.#short(Math.min(count, stream.toDaemon.length)))
      return stream.clientOpen ? wait : new Uint8Array(0)
    })
  }

  #writeThing(thing: OpenThing, bytes: Uint8Array): number {
    if (thing.kind === 'trace') {
      this.trace += byteString(bytes)
      return bytes.length
    }
    if (thing.kind === 'evtchn') {
      this.xen.unmask(new Uint32Array(bytes.slice().buffer))
      return bytes.length
    }
    if (thing.kind !== 'stream') return -EINVAL
    const { toClient, clientOpen } = thing.stream
    if (!clientOpen) return -EPIPE
    if (toClient.room === 0) return -EAGAIN
    const done = this.#short(Math.min(bytes.length, toClient.room))
    toClient.push(bytes.subarray(0, done))
    return done
  }

  /** The calls of the rig, but for what is not its own. */
  #calls(): Calls {
    const old = { ...fileCalls, ...processCalls } as unknown as Readonly<
      Record<string, (kernel: RigKernel, process: Process, ...args: readonly unknown[]) => unknown>
    >
    const things = this.#fds
    const byFd =
      (name: string, act: (thing: OpenThing, ...args: never[]) => unknown) =>
      (kernel: RigKernel, process: Process, fd: number, ...args: never[]): unknown => {
        const thing = things.get(fd)
        if (thing) return act(thing, ...args)
        return fd >= FD_BASE ? -EBADF : old[name]!(kernel, process, fd, ...args)
      }
    return {
      open: (kernel, process, path: string, ...rest: never[]) => {
        const kind = SPECIAL[path]
        return kind ? this.#give({ kind }) : old['open']!(kernel, process, path, ...rest)
      },
      read: byFd('read', (thing, count: number) => this.#readThing(thing, count)),
      write: byFd('write', (thing, bytes: Uint8Array) => this.#writeThing(thing, bytes)),
      fcntl: byFd('fcntl', (thing, command: number, arg: number) => {
        if (command === F_SETFL) thing.flags = arg
        else if (command === F_SETFD) thing.cloexec = (arg & 1) !== 0
        else if (command === F_GETFL) return thing.flags
        else if (command === F_GETFD) return thing.cloexec ? 1 : 0
        else return -EINVAL
        return 0
      }),
      close: (kernel, process, fd: number) => {
        if (!things.has(fd)) return fd >= FD_BASE ? -EBADF : old['close']!(kernel, process, fd)
        this.#close(fd)
        return 0
      },
      poll: (kernel, process, fds: readonly number[], timeoutMs: number) => {
        const look = (): unknown => {
          const revents: number[] = []
          for (let i = 0; i < fds.length; i += 2) {
            const fd = fds[i]!
            const thing = things.get(fd)
            if (thing) revents.push(this.#ready(thing) & (fds[i + 1]! | POLLHUP | POLLERR))
            else revents.push(fd < 0 ? 0 : fd >= FD_BASE ? POLLNVAL : ready(process.fds.get(fd)?.file, fds[i + 1]!))
          }
          return timeoutMs === 0 || revents.some((bits) => bits !== 0) ? revents : BLOCKED
        }
        const expired = new Array<number>(fds.length / 2).fill(0)
        return until(look, timeoutMs < 0 ? {} : { deadlineNs: kernel.nowNs + timeoutMs * 1e6, expired })
      },
      socket: () => this.#give({ kind: 'listener', path: '', queue: [] }),
      bind: (_kernel, _process, fd: number, address: Uint8Array) => {
        const thing = things.get(fd)
        if (thing?.kind !== 'listener') return -EINVAL
        thing.path = byteString(address.subarray(2, -1))
        this.put(thing.path, '')
        return 0
      },
      listen: (_kernel, _process, fd: number) => (things.get(fd)?.kind === 'listener' ? 0 : -EINVAL),
      accept: (_kernel, _process, fd: number) => {
        const thing = things.get(fd)
        if (thing?.kind !== 'listener') return -EINVAL
        const stream = thing.queue.shift()
        return stream ? this.#give({ kind: 'stream', stream }) : -EAGAIN
      },
      getsockopt: byFd('getsockopt', (thing, level: number, name: number) =>
        thing.kind === 'stream' && level === SOL_SOCKET && name === SO_PEERCRED
          ? new Uint8Array(Uint32Array.of(CLIENT_PID, 0, 0).buffer)
          : -EINVAL,
      ),
      ioctl: byFd('ioctl', (thing, request: number, arg: Uint8Array) => {
        if (thing.kind === 'evtchn') return this.xen.evtchnIoctl(request, new Uint32Array(arg.slice().buffer))
        if (thing.kind !== 'privcmd') return -EINVAL
        return this.xen.privcmdIoctl(request, arg, {
          memory: (address, bytes) => this.#memory(address, bytes),
          map: (address, page) => this.#pages.set(address, page),
        })
      }),
      // What lies below /dev/shm outlives the daemon, and nothing else does.
      statfs: (kernel, process, path: string, ...rest: never[]) => {
        const known = old['statfs']!(kernel, process, path, ...rest)
        return typeof known === 'object' && path.startsWith('/dev/shm') ? { ...known, type: TMPFS_MAGIC } : known
      },
      mmap: (_kernel, _process, length: number, _prot: number, flags: number, fd: number) => {
        if (length !== PAGE_SIZE) return -EINVAL
        if (flags & MAP_ANONYMOUS) return this.#map(new Uint8Array(PAGE_SIZE))
        const kind = things.get(fd)?.kind
        return kind === 'kva' ? this.#map(this.xen.dom0.page) : kind === 'privcmd' ? this.#map(undefined) : -EBADF
      },
      munmap: (_kernel, _process, address: number) => {
        this.#pages.delete(address)
        return 0
      },
      load: (_kernel, _process, address: number, bytes: number) => this.#memory(address, bytes)?.slice() ?? -EFAULT,
      store: (_kernel, _process, address: number, bytes: Uint8Array) => this.#store(address, bytes),
      store2: (_kernel, _process, address: number, bytes: Uint8Array, second: number, more: Uint8Array) =>
        this.#memory(second, more.length) ? this.#store(address, bytes) || this.#store(second, more) : -EFAULT,
      execve: (kernel, process, path: string, ...rest: never[]) => {
        const result = old['execve']!(kernel, process, path, ...rest)
        for (const [fd, { cloexec }] of [...things]) if (cloexec) this.#close(fd)
        this.#pages.clear()
        return result
      },
    }
  }
}
