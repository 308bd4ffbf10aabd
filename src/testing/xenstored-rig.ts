/**
 * xenstored's core in tests: as a world of connections that lines of text speak to, and behind a unix socket of Node's, for Debian's own tools.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { POLLIN } from '#abi/posix/poll.ts'
import { XS_WATCH_EVENT } from '#abi/xen/io/xs_wire.ts'
import { byteString } from '#lib/utf8.ts'
import type { Connection } from '#toolstack/xenstored/connection.ts'
import { Store, type StoreOptions } from '#toolstack/xenstored/store.ts'
import { fileCalls } from './posix-rig/calls-files.ts'
import { read, ready, write } from './posix-rig/calls-io.ts'
import type { Calls, RigKernel } from './posix-rig/kernel.ts'
import { BLOCKED, type Process, until } from './posix-rig/process.ts'
import { inWords, parsed } from './xenstore/ops.ts'

export { OPS } from './xenstore/ops.ts'

/** A store with two sockets (s, and r which is read-only) and domains 0, 1 and 2, spoken to by lines of text (conformance.test.ts). */
export class World {
  readonly store: Store
  readonly who: Map<string, Connection>
  #reqId = 100

  constructor(options?: StoreOptions) {
    this.store = new Store(options)
    this.who = new Map([
      ['s', this.store.connect(true)],
      ['r', this.store.connect(false)],
    ])
    for (const domid of [0, 1, 2]) this.who.set(String(domid), this.store.addDomain(domid, 1000 + domid, 10 + domid))
  }

  say(line: string): string {
    const { who: name, ...asked } = parsed(line)
    const conn = this.who.get(name)!
    const message = { ...asked, reqId: ++this.#reqId }
    const errand = this.store.handle(conn, message)
    if (errand) {
      const made = this.store.finish(errand, errand.domid === 66 ? 3 : 0)
      if (made) this.who.set(String(errand.domid), made)
    }
    return this.told(name, message)
  }

  told(name: string, request?: { reqId: number; txId: number }): string {
    const conn = this.who.get(name)!
    const shown: string[] = []
    for (; conn.out.length > 0; conn.sent()) {
      const { type, bytes } = conn.out.at(0)!
      const view = new DataView(bytes.buffer)
      const event = type === XS_WATCH_EVENT
      const header = [0, 4, 8, 12].map((at) => view.getUint32(at, true))
      const right = [type, event ? 0 : request?.reqId, event ? 0 : request?.txId, bytes.length - 16]
      if (header.join() !== right.join()) throw new Error(`a header of ${header} instead of ${right}`)
      shown.push(inWords(type, byteString(bytes.subarray(16))))
    }
    return shown.join(' ')
  }

  run(script: string): void {
    for (const raw of script.trim().split('\n')) {
      const line = raw.trim()
      const arrow = line.indexOf('=>')
      const request = line.slice(0, arrow).trim()
      const got = request.includes(' ') ? this.say(request) : this.told(request)
      const wanted = line.slice(arrow + 2).trim()
      if (got !== wanted) throw new Error(`${request} => ${got}, not ${wanted}`)
    }
  }
}

/** The core at a unix socket `path`, as the daemon serves it: whoever connects has all rights. */
export function serveAt(path: string, store: Store): Promise<Server> {
  const sockets = new Map<Connection, Socket>()
  const settle = (): void => {
    for (const conn of store.outgoing) {
      store.outgoing.delete(conn)
      for (; conn.out.length > 0; conn.sent()) sockets.get(conn)?.write(conn.out.at(0)!.bytes)
    }
    for (let conn = store.ended.shift(); conn; conn = store.ended.shift()) sockets.get(conn)?.end()
  }
  const server = createServer((socket) => {
    const conn = store.connect(true)
    sockets.set(conn, socket)
    socket.on('data', (bytes) => {
      conn.feed(new Uint8Array(bytes as Buffer))
      for (let message = conn.next(); message && !conn.closed; message = conn.next()) {
        const errand = message === 'bad' ? store.disconnect(conn) : store.handle(conn, message)
        if (errand) store.finish(errand, 3)
      }
      settle()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      store.disconnect(conn)
      settle()
    })
  })
  return new Promise((resolve) => {
    server.listen(path, () => resolve(server))
  })
}

/** Descriptors from here on are connections to the store. */
const FD_BASE = 200

/**
 * System calls for posixRig: /proc/xen/xenbus and the two sockets lead to `store`; `heard` runs between a program's request and its answer, and may
 * be somebody else's turn.
 */
export function storeCalls(store: Store, heard: (type: number) => void = () => {}): Calls {
  const open: (Connection | undefined)[] = []
  const give = (conn: Connection | undefined): number => FD_BASE + open.push(conn) - 1
  const at = (fd: number): Connection | undefined => open[fd - FD_BASE]
  const old = fileCalls as unknown as Readonly<
    Record<'open' | 'close' | 'fcntl', (...args: readonly unknown[]) => unknown>
  >
  return {
    open: (kernel: RigKernel, process: Process, path: string, ...rest: never[]) =>
      path === '/proc/xen/xenbus' ? give(store.connect(true)) : old.open(kernel, process, path, ...rest),
    socket: () => give(undefined),
    connect: (_kernel: RigKernel, _process: Process, fd: number, address: Uint8Array) => {
      const path = byteString(address.subarray(2, -1))
      if (!/^\/var\/run\/xenstored\/socket(_ro)?$/.test(path)) return -2
      open[fd - FD_BASE] = store.connect(!path.endsWith('_ro'))
      return 0
    },
    fcntl: (kernel: RigKernel, process: Process, fd: number, ...rest: never[]) =>
      fd >= FD_BASE ? 0 : old.fcntl(kernel, process, fd, ...rest),
    close: (kernel: RigKernel, process: Process, fd: number) => {
      if (fd < FD_BASE) return old.close(kernel, process, fd)
      const conn = at(fd)
      if (conn) store.disconnect(conn)
      return 0
    },
    write: (kernel: RigKernel, process: Process, fd: number, bytes: Uint8Array) => {
      const conn = at(fd)
      if (fd < FD_BASE) return write(kernel, process, fd, bytes)
      if (!conn || conn.closed) return -32
      conn.feed(bytes.slice())
      for (let message = conn.next(); message; message = conn.next()) {
        if (message === 'bad') return -32
        heard(message.type)
        store.handle(conn, message)
      }
      return bytes.length
    },
    /** At once, or without a time limit. */
    poll: (_kernel: RigKernel, process: Process, fds: readonly number[], timeoutMs: number) =>
      until(() => {
        const events: number[] = []
        for (let i = 0; i < fds.length; i += 2) {
          const [fd = -1, wanted = 0] = fds.slice(i, i + 2)
          const conn = at(fd)
          if (conn) events.push(conn.out.length > 0 || conn.closed ? POLLIN : 0)
          else events.push(fd < 0 ? 0 : ready(process.fds.get(fd)?.file, wanted))
        }
        return timeoutMs === 0 || events.some((bits) => bits !== 0) ? events : BLOCKED
      }),
    read: (kernel: RigKernel, process: Process, fd: number, count: number) => {
      const conn = at(fd)
      if (!conn) return read(kernel, process, fd, count)
      return until(() => {
        const first = conn.out.at(0)
        if (!first) return conn.closed ? new Uint8Array(0) : BLOCKED
        conn.sent()
        return first.bytes
      })
    },
  }
}
