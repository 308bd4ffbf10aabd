/** One domain's console (struct domain of tools/console/daemon/io.c): its ring, its event channel, its pseudo terminal, its log. */
import { EAGAIN, EINVAL } from '#abi/posix/errno.ts'
import { PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { OsError } from '#user/libc/errno.ts'
import { munmap, read, write } from '#user/libc/syscall.ts'
import { xcEvtchnBindInterdomain, xcEvtchnNotify, xcEvtchnUnbind, xcEvtchnUnmask } from '../libxc/evtchn.ts'
import { xcMapForeignRange } from '../libxc/memory.ts'
import type { XcHandle } from '../libxc/privcmd.ts'
import { type XsHandle, xsRead, xsUnwatch, xsWatch, xsWrite } from '../libxs/xs.ts'
import { LogFile } from './log-file.ts'
import { LIMIT_MAX, Output } from './output.ts'
import { closePty, openPty, type Pty } from './pty.ts'
import { inputRoom, putInput, takeOutput } from './ring.ts'

/** Events that one domain may cause in each period; its port stays masked for the rest of it. */
export const RATE_LIMIT_ALLOWANCE = 30
export const RATE_LIMIT_PERIOD_MS = 200
const TTY_READ_BYTES = 80
/** What a write to the terminal carries. */
const TTY_WRITE_BYTES = 4096

/** What all consoles share. */
export interface Daemon {
  readonly xs: XsHandle
  readonly xc: XcHandle
  /** /dev/xen/evtchn. */
  readonly evtchn: number
  readonly logDir: string
  readonly logGuests: boolean
  readonly stampGuests: boolean
  /** Overflowing output loses its middle; otherwise the domain waits. */
  readonly discard: boolean
  /** dolog. */
  note(text: string): Sys<void>
}

/** Undefined where the store refuses. */
function* tryRead(xs: XsHandle, path: string): Sys<string | undefined> {
  try {
    return yield* xsRead(xs, 0, path)
  } catch (error) {
    if (error instanceof OsError && xs.fd >= 0) return undefined
    throw error
  }
}

/** strtoul's and scanf's digits. */
const numberIn = (text: string | undefined): number | undefined => {
  const match = /^\s*(\d{1,15})/.exec(text ?? '')
  return match ? Number(match[1]) : undefined
}

export class DomainConsole {
  readonly domid: number
  readonly #daemon: Daemon
  readonly #path: string
  readonly output: Output
  #ring: Vaddr | undefined
  #ringRef: number
  #remotePort: number
  /** Ours; -1: none. */
  port: number
  #pty: Pty | undefined
  #log: LogFile | undefined
  #eventCount: number
  #nextPeriodMs: number
  /** The domain has not taken its last input: not before its next event is there room. */
  #inputBlocked: boolean
  /** The port is masked until there is room for output again. */
  #held: boolean
  dead: boolean

  private constructor(daemon: Daemon, domid: number, nowMs: number) {
    this.#daemon = daemon
    this.domid = domid
    this.#path = `/local/domain/${domid}`
    this.output = new Output()
    this.#ring = undefined
    this.#ringRef = -1
    this.#remotePort = -1
    this.port = -1
    this.#pty = undefined
    this.#log = undefined
    this.#eventCount = 0
    this.#nextPeriodMs = nowMs + RATE_LIMIT_PERIOD_MS
    this.#inputBlocked = false
    this.#held = false
    this.dead = false
  }

  /** create_domain. */
  static *create(daemon: Daemon, domid: number, nowMs: number): Sys<DomainConsole> {
    const made = new DomainConsole(daemon, domid, nowMs)
    for (const dir of ['serial/0', 'console']) yield* xsWatch(daemon.xs, `${made.#path}/${dir}`, `dom${domid}`)
    yield* made.connect()
    yield* daemon.note(`New domain ${domid}`)
    return made
  }

  /** domain_create_ring: follow what the store says of the ring and the port. What is wrong there leaves the console as it is. */
  *connect(): Sys<void> {
    if (this.dead) return
    const { xs } = this.#daemon
    for (const dir of ['serial/0', 'console']) {
      const ringRef = numberIn(yield* tryRead(xs, `${this.#path}/${dir}/ring-ref`))
      const port = ringRef === undefined ? undefined : numberIn(yield* tryRead(xs, `${this.#path}/${dir}/port`))
      if (ringRef === undefined || port === undefined) continue
      const type = yield* tryRead(xs, `${this.#path}/${dir}/type`)
      if (type !== undefined && type !== 'xenconsoled') return
      if (ringRef === this.#ringRef && port === this.#remotePort) return
      try {
        yield* this.#attach(ringRef, port, dir === 'console')
      } catch (error) {
        if (!(error instanceof OsError) || xs.fd < 0) throw error
        yield* this.#daemon.note(`Failed to connect to domain-${this.domid} (errno = ${error.errno})`)
      }
      return
    }
  }

  *#attach(ringRef: number, port: number, useConsolePath: boolean): Sys<void> {
    const { xc, evtchn } = this.#daemon
    if (ringRef !== this.#ringRef) {
      yield* this.#unmap()
      this.#ring = yield* xcMapForeignRange(xc, this.domid, PAGE_SIZE, PROT_READ | PROT_WRITE, ringRef)
      this.#ringRef = ringRef
    }
    yield* this.#unbind()
    this.port = yield* xcEvtchnBindInterdomain(evtchn, this.domid, port)
    this.#remotePort = port
    if (!this.#pty) yield* this.#makeTty(useConsolePath)
    if (this.#daemon.logGuests && !this.#log) yield* this.openLog()
  }

  /** domain_create_tty: and tell the store. */
  *#makeTty(useConsolePath: boolean): Sys<void> {
    const { xs } = this.#daemon
    const dirs = useConsolePath ? ['serial/0', 'console'] : ['serial/0']
    let limit: number | undefined
    for (const dir of [...dirs].reverse()) limit = numberIn(yield* tryRead(xs, `${this.#path}/${dir}/limit`)) ?? limit
    this.output.limit = Math.min(limit || LIMIT_MAX, LIMIT_MAX)
    const pty = yield* openPty()
    try {
      for (const dir of dirs) yield* xsWrite(xs, 0, `${this.#path}/${dir}/tty`, pty.path)
    } catch (error) {
      yield* closePty(pty)
      throw error
    }
    this.#pty = pty
  }

  /** create_domain_log; again after a SIGHUP. The domain may write its own name, so not every name is a file's. */
  *openLog(): Sys<void> {
    const old = this.#log
    this.#log = undefined
    if (old) yield* old.close()
    const { xs, logDir, stampGuests } = this.#daemon
    const name = yield* tryRead(xs, `${this.#path}/name`)
    if (name === undefined || !/^[\w.:+-]{1,200}$/.test(name)) return
    const path = `${logDir}/guest-${name}.log`
    try {
      this.#log = yield* LogFile.open(path, stampGuests)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* this.#daemon.note(`Failed to open log ${path}: ${error.errno}`)
    }
  }

  /** The terminal's master, and what is wanted of it: readable, writable. */
  get wants(): { readonly fd: number; readonly input: boolean; readonly output: boolean } | undefined {
    if (!this.#pty || this.dead) return undefined
    return { fd: this.#pty.master, input: !this.#inputBlocked && this.#ring !== undefined, output: !this.output.empty }
  }

  /** When its port may be unmasked again; undefined: it is not held back. */
  get resumesMs(): number | undefined {
    return this.#eventCount >= RATE_LIMIT_ALLOWANCE ? this.#nextPeriodMs : undefined
  }

  /** A new period, if it is time. */
  *newPeriod(nowMs: number): Sys<void> {
    if (nowMs < this.#nextPeriodMs) return
    const limited = this.#eventCount >= RATE_LIMIT_ALLOWANCE
    this.#nextPeriodMs = nowMs + RATE_LIMIT_PERIOD_MS
    this.#eventCount = 0
    if (limited && !this.#held && this.port >= 0) yield* xcEvtchnUnmask(this.#daemon.evtchn, this.port)
  }

  /** handle_ring_read: its event has fired. */
  *event(): Sys<void> {
    if (this.dead || this.#ring === undefined) return
    this.#eventCount++
    this.#inputBlocked = false
    if (!this.#daemon.discard && this.output.full) {
      this.#held = true
      return
    }
    yield* this.#takeOutput()
    if (this.#eventCount < RATE_LIMIT_ALLOWANCE) yield* xcEvtchnUnmask(this.#daemon.evtchn, this.port)
  }

  *#takeOutput(): Sys<void> {
    const bytes = yield* takeOutput(this.#ring!)
    if (bytes.length === 0) return
    yield* xcEvtchnNotify(this.#daemon.evtchn, this.port)
    // The log has it even if nobody ever reads the terminal.
    if (this.#log) yield* this.#log.write(bytes)
    yield* this.output.append(bytes, this.#daemon.discard)
    yield* this.writeTty()
  }

  /** handle_tty_write: as much as the terminal takes. */
  *writeTty(): Sys<void> {
    while (this.#pty && !this.output.empty) {
      let count: number
      try {
        count = yield* write(this.#pty.master, this.output.next(TTY_WRITE_BYTES))
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno === EAGAIN) return
        yield* this.#daemon.note(`Write failed on domain ${this.domid}: -1, ${error.errno}`)
        yield* this.#remakeTty()
        return
      }
      if (count === 0) return
      yield* this.output.advance(count)
    }
    if (!this.#held || this.dead) return
    this.#held = false
    yield* this.#takeOutput()
    if (this.#eventCount < RATE_LIMIT_ALLOWANCE) yield* xcEvtchnUnmask(this.#daemon.evtchn, this.port)
  }

  /** handle_tty_read: as much as the ring takes. */
  *readTty(): Sys<void> {
    if (this.dead || !this.#pty || this.#ring === undefined) return
    const room = yield* inputRoom(this.#ring)
    if (room === 0) {
      this.#inputBlocked = true
      return
    }
    try {
      const bytes = yield* read(this.#pty.master, Math.min(room, TTY_READ_BYTES))
      if (bytes.length === 0) return
      yield* putInput(this.#ring, bytes)
      yield* xcEvtchnNotify(this.#daemon.evtchn, this.port)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno !== EAGAIN) yield* this.#remakeTty()
    }
  }

  *#remakeTty(): Sys<void> {
    yield* this.#closeTty()
    try {
      yield* this.#makeTty(true)
    } catch (error) {
      if (!(error instanceof OsError) || this.#daemon.xs.fd < 0) throw error
      yield* this.#daemon.note(`Failed to create tty for domain-${this.domid} (errno = ${error.errno})`)
    }
  }

  *#closeTty(): Sys<void> {
    const pty = this.#pty
    this.#pty = undefined
    if (pty) yield* closePty(pty)
  }

  *#unmap(): Sys<void> {
    const ring = this.#ring
    this.#ring = undefined
    this.#ringRef = -1
    if (ring !== undefined) yield* munmap(ring, PAGE_SIZE)
  }

  *#unbind(): Sys<void> {
    const { port } = this
    this.port = -1
    this.#remotePort = -1
    this.#held = false
    this.#eventCount = 0
    if (port >= 0) yield* xcEvtchnUnbind(this.#daemon.evtchn, port)
  }

  /** shutdown_domain and cleanup_domain: the domain is gone; what it said last is still in its ring. */
  *end(): Sys<void> {
    if (this.dead) return
    if (this.#ring !== undefined) {
      try {
        const bytes = yield* takeOutput(this.#ring)
        if (this.#log) yield* this.#log.write(bytes)
        yield* this.output.append(bytes, true)
        yield* this.writeTty()
      } catch (error) {
        if (!(error instanceof OsError)) throw error
      }
    }
    this.dead = true
    yield* this.#daemon.note(`Removing domain-${this.domid}`)
    for (const dir of ['serial/0', 'console']) {
      try {
        yield* xsUnwatch(this.#daemon.xs, `${this.#path}/${dir}`, `dom${this.domid}`)
      } catch (error) {
        if (!(error instanceof OsError) || this.#daemon.xs.fd < 0) throw error
      }
    }
    yield* this.#unmap()
    try {
      yield* this.#unbind()
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== EINVAL) throw error
    }
    yield* this.#closeTty()
    if (this.#log) yield* this.#log.close()
    yield* this.output.release()
  }
}
