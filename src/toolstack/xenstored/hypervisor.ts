/** What the daemon needs of Xen and of dom0's kernel: /dev/xen/evtchn, other domains' ring pages, and who is still alive. */
import { EINVAL, ENOENT } from '#abi/posix/errno.ts'
import { F_SETFD, FD_CLOEXEC, O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VIRQ_DOM_EXC } from '#abi/xen/xen.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { close, fcntl, mmap, munmap, open, read, write } from '#user/libc/syscall.ts'
import { xcDomainGetinfo } from '../libxc/domain.ts'
import { xcEvtchnBindInterdomain, xcEvtchnBindVirq, xcEvtchnNotify, xcEvtchnUnbind } from '../libxc/evtchn.ts'
import { xcMapForeignRange } from '../libxc/memory.ts'
import { type XcHandle, xcInterfaceOpen } from '../libxc/privcmd.ts'
import type { RingLink } from './ring-transport.ts'

/** Ports read at once. */
const PORTS_MAX = 64

export interface DomainState {
  /** Or crashed. */
  readonly shutdown: boolean
  readonly dying: boolean
}

export class Hypervisor {
  /** Readable when a channel has fired. */
  readonly fd: number
  /** VIRQ_DOM_EXC's port: something happened to a domain. */
  domExcPort: number
  readonly #xc: XcHandle

  constructor(xc: XcHandle, fd: number) {
    this.#xc = xc
    this.fd = fd
    this.domExcPort = 0
  }

  /** `evtchn`: the open device; after a live update with all its ports. */
  static *open(evtchn: number): Sys<Hypervisor> {
    const xc = yield* xcInterfaceOpen()
    yield* fcntl(xc.fd, F_SETFD, FD_CLOEXEC)
    return new Hypervisor(xc, evtchn)
  }

  *watchDomains(): Sys<void> {
    this.domExcPort = yield* xcEvtchnBindVirq(this.fd, VIRQ_DOM_EXC)
  }

  /** Channels that have fired, masked until `unmask`. */
  *pending(): Sys<number[]> {
    const bytes = yield* read(this.fd, 4 * PORTS_MAX)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const ports: number[] = []
    for (let at = 0; at + 4 <= bytes.length; at += 4) ports.push(view.getUint32(at, true))
    return ports
  }

  *unmask(ports: readonly number[]): Sys<void> {
    if (ports.length > 0) yield* write(this.fd, new Uint8Array(new Uint32Array(ports).buffer))
  }

  /** What Xen knows of these domains; those that it does not know are missing. */
  *domains(domids: readonly number[]): Sys<Map<number, DomainState>> {
    const found = new Map<number, DomainState>()
    const most = Math.max(...domids)
    let infos: readonly { domid: number; crashed: boolean; shutdown: boolean; dying: boolean }[] = []
    try {
      infos = yield* xcDomainGetinfo(this.#xc, 0, most + 1)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    for (const { domid, crashed, shutdown, dying } of infos) found.set(domid, { shutdown: crashed || shutdown, dying })
    return found
  }

  /** dom0's own page and port, which its kernel shows. `bound`: the port, if it is still bound. */
  *dom0(bound?: number): Sys<RingLink> {
    const remote = Number.parseInt(yield* contents('/proc/xen/xsd_port'), 10)
    if (!(remote >= 0)) throw new OsError(EINVAL, 'xenstored')
    const port = bound ?? (yield* xcEvtchnBindInterdomain(this.fd, 0, remote))
    const fd = yield* open('/proc/xen/xsd_kva', O_RDWR, 0)
    const page = yield* mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
    yield* close(fd)
    return this.#link(page, port)
  }

  /** A domain's page and port. */
  *link(domid: number, mfn: number, remotePort: number, bound?: number): Sys<RingLink> {
    if (!Number.isSafeInteger(mfn) || mfn < 0) throw new OsError(EINVAL, 'xenstored')
    const page = yield* xcMapForeignRange(this.#xc, domid, PAGE_SIZE, PROT_READ | PROT_WRITE, mfn)
    try {
      return this.#link(page, bound ?? (yield* xcEvtchnBindInterdomain(this.fd, domid, remotePort)))
    } catch (error) {
      yield* munmap(page, PAGE_SIZE)
      throw error
    }
  }

  /** The same page, another channel. One that cannot be bound leaves the domain without. */
  *rebind(link: RingLink, domid: number, remotePort: number): Sys<void> {
    if (link.port !== 0) yield* this.#quietly(xcEvtchnUnbind(this.fd, link.port))
    link.port = 0
    yield* this.#quietly(xcEvtchnBindInterdomain(this.fd, domid, remotePort), (port) => {
      link.port = port
    })
  }

  #link(page: number, port: number): RingLink {
    const { fd } = this
    const quietly = this.#quietly
    return {
      page,
      port,
      notify: (local) => quietly(xcEvtchnNotify(fd, local)),
      *close(local) {
        if (local !== 0) yield* quietly(xcEvtchnUnbind(fd, local))
        yield* munmap(page, PAGE_SIZE)
      },
    }
  }

  /** The other side may have gone: nothing that concerns anybody else. */
  *#quietly(call: Sys<number>, done: (result: number) => void = () => {}): Sys<void> {
    try {
      done(yield* call)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
}

function* contents(path: string): Sys<string> {
  const fd = yield* open(path, O_RDONLY, 0)
  const bytes = yield* read(fd, 20)
  yield* close(fd)
  if (bytes.length === 0) throw new OsError(ENOENT, 'read', path)
  return byteString(bytes)
}
