/** The daemon's one loop (handle_io of tools/console/daemon/io.c): XenStore, event channels and terminals. Idle, it sleeps. */
import { EINTR, ESRCH } from '#abi/posix/errno.ts'
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { CLOCK_MONOTONIC, type Sys } from '#abi/posix/syscalls.ts'
import { VIRQ_CON_RING } from '#abi/xen/xen.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { clock_gettime, poll } from '#user/libc/syscall.ts'
import { type XcDominfo, xcDomainGetinfo } from '../libxc/domain.ts'
import { xcEvtchnBindVirq, xcEvtchnPending, xcEvtchnUnmask } from '../libxc/evtchn.ts'
import { xcReadconsoleringFrom } from '../libxc/misc.ts'
import { xsPending, xsReadWatch } from '../libxs/xs.ts'
import { type Daemon, DomainConsole } from './console.ts'
import { LogFile } from './log-file.ts'

export interface LoopOptions {
  readonly logHypervisor: boolean
  readonly stampHypervisor: boolean
  /** Set by SIGHUP: logs are opened anew. */
  readonly reload: { wanted: boolean }
}

function* nowMs(): Sys<number> {
  const [seconds, ns] = yield* clock_gettime(CLOCK_MONOTONIC)
  return seconds * 1000 + ns / 1e6
}

/** More domains are not looked for at once. */
const DOMAINS_MAX = 32752

export class Loop {
  readonly #daemon: Daemon
  readonly #options: LoopOptions
  readonly #consoles: Map<number, DomainConsole>
  #hypervisorLog: LogFile | undefined
  #hypervisorPort: number
  #hypervisorIndex: number

  constructor(daemon: Daemon, options: LoopOptions) {
    this.#daemon = daemon
    this.#options = options
    this.#consoles = new Map()
    this.#hypervisorLog = undefined
    this.#hypervisorPort = -1
    this.#hypervisorIndex = 0
  }

  /** Comes back when the store is gone. */
  *run(): Sys<void> {
    const { xs, evtchn } = this.#daemon
    if (this.#options.logHypervisor) {
      yield* this.#openHypervisorLog()
      this.#hypervisorPort = yield* xcEvtchnBindVirq(evtchn, VIRQ_CON_RING)
    }
    yield* this.#enumerate()
    while (xs.fd >= 0) {
      while (xsPending(xs)) yield* this.#watchFired()
      yield* this.#reloadLogs()
      yield* this.#once()
    }
  }

  /** Sleep until something happens, and see to it. */
  *#once(): Sys<void> {
    const { xs, evtchn } = this.#daemon
    const fds = [xs.fd, POLLIN, evtchn, POLLIN]
    const terminals: DomainConsole[] = []
    let timeout = -1
    for (const console of this.#consoles.values()) {
      const { resumesMs, wants } = console
      if (resumesMs !== undefined) {
        const wait = Math.max(1, Math.ceil(resumesMs - (yield* nowMs())))
        timeout = timeout < 0 ? wait : Math.min(timeout, wait)
      }
      if (!wants) continue
      terminals.push(console)
      fds.push(wants.fd, (wants.input ? POLLIN : 0) | (wants.output ? POLLOUT : 0))
    }
    let ready: readonly number[]
    try {
      ready = yield* poll(fds, timeout)
    } catch (error) {
      if (error instanceof OsError && error.errno === EINTR) return
      throw error
    }
    if (timeout >= 0) {
      const now = yield* nowMs()
      for (const console of this.#consoles.values()) if (console.resumesMs !== undefined) yield* console.newPeriod(now)
    }
    if (ready[1]) yield* this.#eventFired()
    for (const [i, console] of terminals.entries()) {
      const events = ready[i + 2] ?? 0
      if (events & (POLLIN | POLLERR | POLLHUP)) yield* console.readTty()
      if (events & POLLOUT) yield* console.writeTty()
    }
    if (ready[0]) yield* this.#watchFired()
  }

  *#eventFired(): Sys<void> {
    const { evtchn } = this.#daemon
    const port = yield* xcEvtchnPending(evtchn)
    if (port === this.#hypervisorPort) {
      yield* this.#hypervisorSpoke()
      yield* xcEvtchnUnmask(evtchn, port)
      return
    }
    for (const console of this.#consoles.values())
      if (console.port === port) {
        yield* console.newPeriod(yield* nowMs())
        yield* console.event()
        return
      }
  }

  *#watchFired(): Sys<void> {
    const { token } = yield* xsReadWatch(this.#daemon.xs)
    if (token === 'domlist') return yield* this.#enumerate()
    const match = /^dom(\d+)$/.exec(token)
    // A watch of a domain that has gone meanwhile.
    if (match) yield* this.#consoles.get(Number(match[1]))?.connect() ?? nothing()
  }

  /** enum_domains: who is new, and who is gone. */
  *#enumerate(): Sys<void> {
    let infos: readonly XcDominfo[] = []
    try {
      infos = yield* xcDomainGetinfo(this.#daemon.xc, 1, DOMAINS_MAX)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== ESRCH) throw error
    }
    const alive = new Set<number>()
    for (const { domid, dying } of infos) if (!dying) alive.add(domid)
    for (const console of [...this.#consoles.values()]) {
      if (alive.has(console.domid)) continue
      yield* console.end()
      this.#consoles.delete(console.domid)
    }
    for (const domid of alive) {
      if (this.#consoles.has(domid)) continue
      this.#consoles.set(domid, yield* DomainConsole.create(this.#daemon, domid, yield* nowMs()))
    }
  }

  *#openHypervisorLog(): Sys<void> {
    const path = `${this.#daemon.logDir}/hypervisor.log`
    this.#hypervisorLog = yield* LogFile.open(path, this.#options.stampHypervisor)
  }

  /** handle_hv_logs: what has been said since the last time. */
  *#hypervisorSpoke(): Sys<void> {
    const { text, index } = yield* xcReadconsoleringFrom(this.#daemon.xc, this.#hypervisorIndex, false)
    this.#hypervisorIndex = index
    if (text !== '') yield* this.#hypervisorLog?.write(bytesOfString(text)) ?? nothing()
  }

  *#reloadLogs(): Sys<void> {
    const { reload, logHypervisor } = this.#options
    if (!reload.wanted) return
    reload.wanted = false
    if (this.#daemon.logGuests) for (const console of this.#consoles.values()) yield* console.openLog()
    if (!logHypervisor) return
    yield* this.#hypervisorLog?.close() ?? nothing()
    yield* this.#openHypervisorLog()
  }
}

function* nothing(): Sys<void> {}
