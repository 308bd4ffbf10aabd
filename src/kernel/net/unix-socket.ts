/** A stream socket of the UNIX domain (Linux 2.6.18: net/unix/af_unix.c, struct unix_sock): its state, and the bytes on their way to it. */
import { EAGAIN, ECONNRESET, EINTR, EINVAL, ENOTCONN, EPIPE } from '#abi/posix/errno.ts'
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { SIGPIPE } from '#abi/posix/signal.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { isOwn } from '../sched/copy-cost.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { OpenFile } from '../vfs/open-file.ts'

/** sysctl_wmem_default on x86_64. */
const SNDBUF = 129024
/** What a message takes besides its bytes: struct sk_buff and what ends the data. */
const SKB_OVERHEAD = 512
/** SKB_MAX_ALLOC: four pages, less that. */
const MESSAGE_BYTES_MAX = 16384 - SKB_OVERHEAD
/** The socket itself and its inode. */
export const SOCKET_BYTES = 1024
const NOTHING = new Uint8Array(0)

const RCV_SHUTDOWN = 1
const SEND_SHUTDOWN = 2
const SHUTDOWN_MASK = RCV_SHUTDOWN | SEND_SHUTDOWN

export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** cred_to_ucred of nobody. */
const NOBODY: PeerCredentials = { pid: 0, uid: -1, gid: -1 }

export class UnixSocket {
  readonly kernel: Kernel
  /** Of its inode in sockfs; 0 until it is accepted. */
  ino = 0
  state: 'closed' | 'listening' | 'connected' = 'closed'
  /** What it is bound to: a path, or a name that begins with NUL. An accepted one has its listener's. */
  address: string | undefined
  /** Holds the inode that the path led to. */
  bound: OpenFile | undefined
  peer: UnixSocket | undefined
  peercred = NOBODY
  /** RCV_SHUTDOWN, SEND_SHUTDOWN. */
  shut = 0
  error = 0
  sndbuf = SNDBUF
  dead = false
  /** Connections that nobody has accepted yet, of a listener. */
  readonly pending: UnixSocket[] = []
  backlog = 0
  /** What came and was not read; of the first, how much was. */
  #messages: Uint8Array[] = []
  #taken = 0
  unread = 0
  /** Of what it sent, what is still in memory: sk_wmem_alloc. */
  inFlight = 0
  /** Anything that poll shows may have changed. */
  readonly changed = new WaitQueue()
  /** A listener's: there is room in its backlog. */
  readonly room = new WaitQueue()

  constructor(kernel: Kernel) {
    kernel.pages.charge('slab', SOCKET_BYTES)
    this.kernel = kernel
  }

  /** Two ends of one connection. */
  join(peer: UnixSocket): void {
    this.peer = peer
    peer.peer = this
    this.state = peer.state = 'connected'
  }

  /** `read` of what is there. */
  readNow(count: number): Uint8Array | undefined {
    return this.unread > 0 && this.state === 'connected' ? this.#take(Math.min(count, this.unread)) : undefined
  }

  /** Where `read` sleeps. */
  readWait(): WaitQueue | undefined {
    const idle = this.unread === 0 && this.state === 'connected' && this.error === 0
    return idle && !(this.shut & RCV_SHUTDOWN) ? this.changed : undefined
  }

  /** `write` of one message for which there is room. */
  writeNow(bytes: Uint8Array): number | undefined {
    const { peer } = this
    const { length } = bytes
    if (!peer || peer.dead || this.error !== 0 || this.inFlight >= this.sndbuf) return undefined
    if (this.shut & SEND_SHUTDOWN || peer.shut & RCV_SHUTDOWN) return undefined
    if (length === 0 || length > MESSAGE_BYTES_MAX || length > (this.sndbuf >> 1) - 64) return undefined
    this.#send(peer, isOwn(bytes) ? bytes : bytes.slice())
    return length
  }

  /** A message of its own. */
  #send(peer: UnixSocket, message: Uint8Array): void {
    const bytes = message.length + SKB_OVERHEAD
    this.kernel.pages.charge('slab', bytes)
    this.inFlight += bytes
    peer.#messages.push(message)
    peer.unread += message.length
    peer.changed.wakeUp()
  }

  *read(count: number, nonblock: boolean): Sleeping<Uint8Array> {
    if (count === 0) return NOTHING
    if (this.state !== 'connected') fail(EINVAL)
    while (this.unread === 0) {
      this.throwError()
      if (this.shut & RCV_SHUTDOWN) return NOTHING
      if (nonblock) fail(EAGAIN)
      if ((yield* this.kernel.sched.sleepOn(this.changed)) === 'signal') fail(EINTR)
    }
    return this.#take(Math.min(count, this.unread))
  }

  *write(bytes: Uint8Array, nonblock: boolean): Sleeping<number> {
    const { sched } = this.kernel
    const peer = this.peer ?? fail(ENOTCONN)
    // What is nobody else's need not be copied again.
    const own = isOwn(bytes)
    let done = 0
    try {
      if (this.shut & SEND_SHUTDOWN) fail(EPIPE)
      while (done < bytes.length) {
        while (this.inFlight >= this.sndbuf) {
          this.throwError()
          if (this.shut & SEND_SHUTDOWN) fail(EPIPE)
          if (nonblock) fail(EAGAIN)
          if ((yield* sched.sleepOn(this.changed)) === 'signal') fail(EINTR)
        }
        this.throwError()
        if (this.shut & SEND_SHUTDOWN || peer.dead || peer.shut & RCV_SHUTDOWN) fail(EPIPE)
        const part = Math.min(bytes.length - done, MESSAGE_BYTES_MAX, (this.sndbuf >> 1) - 64)
        this.#send(peer, own ? bytes.subarray(done, done + part) : bytes.slice(done, done + part))
        done += part
      }
      return done
    } catch (error) {
      if (done > 0) return done
      if ((error as { readonly errno?: number }).errno === EPIPE) sched.sendSignal(sched.current, SIGPIPE)
      throw error
    }
  }

  #take(count: number): Uint8Array {
    this.unread -= count
    const first = this.#messages[0]!
    if (this.#taken === 0 && first.length === count) {
      this.#drop()
      return first
    }
    const out = new Uint8Array(count)
    for (let done = 0; done < count; ) {
      const message = this.#messages[0]!
      const part = Math.min(message.length - this.#taken, count - done)
      out.set(message.subarray(this.#taken, this.#taken + part), done)
      this.#taken += part
      done += part
      if (this.#taken === message.length) this.#drop()
    }
    return out
  }

  /** The first message has been read to its end: its memory is the sender's to use again. */
  #drop(): void {
    const bytes = this.#messages.shift()!.length + SKB_OVERHEAD
    this.#taken = 0
    this.kernel.pages.uncharge('slab', bytes)
    const { peer } = this
    if (!peer) return
    peer.inFlight -= bytes
    peer.changed.wakeUp()
  }

  poll(): number {
    let events = 0
    if (this.error !== 0) events |= POLLERR
    if (this.shut === SHUTDOWN_MASK || this.state === 'closed') events |= POLLHUP
    if (this.unread > 0 || this.pending.length > 0 || this.shut & RCV_SHUTDOWN) events |= POLLIN
    if (this.inFlight * 4 <= this.sndbuf) events |= POLLOUT
    return events
  }

  /** SO_ERROR: told once. */
  takeError(): number {
    const { error } = this
    this.error = 0
    return error
  }

  throwError(): void {
    const error = this.takeError()
    if (error !== 0) fail(error)
  }

  shutdown(mode: number): void {
    if (mode === 0) return
    this.shut |= mode
    const { peer } = this
    if (peer) {
      // What one end no longer receives the other no longer sends.
      peer.shut |= ((mode & RCV_SHUTDOWN) << 1) | ((mode & SEND_SHUTDOWN) >> 1)
      peer.changed.wakeUp()
    }
    this.changed.wakeUp()
  }

  /** unix_release_sock. `embryo`: nobody ever had a descriptor for it. */
  *release(embryo = false): Sleeping<void> {
    if (this.dead) return
    this.dead = true
    this.shut = SHUTDOWN_MASK
    this.state = 'closed'
    const { peer, bound, kernel, address } = this
    if (peer && !peer.dead) {
      // What it sent and will never be read.
      if (this.unread > 0 || embryo) peer.error = ECONNRESET
      peer.shut = SHUTDOWN_MASK
    }
    while (this.#messages.length > 0) this.#drop()
    this.unread = 0
    peer?.changed.wakeUp()
    this.changed.wakeUp()
    this.room.wakeUp()
    for (const embryonic of this.pending.splice(0)) yield* embryonic.release(true)
    kernel.net?.sockets.delete(this)
    if (address !== undefined && kernel.net?.abstract.get(address) === this) kernel.net.abstract.delete(address)
    kernel.pages.uncharge('slab', SOCKET_BYTES)
    this.bound = undefined
    if (!bound) return
    if (bound.inode.socket === this) bound.inode.socket = undefined
    yield* kernel.vfs.dropFile(bound)
  }
}
