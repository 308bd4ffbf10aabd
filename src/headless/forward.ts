/** --forward: a socket of this machine's host, every client of which is joined to a socket in domain 0 by a host link. */
import { createServer, type Socket } from 'node:net'
import type { HostLinks } from '#protocol/links.ts'
import type { Listening } from './bridge.ts'

export interface Forward {
  readonly listen: Listening
  /** Path of a unix socket in domain 0. */
  readonly to: string
}

export interface OpenForward {
  /** Where it listens, in words. */
  readonly address: string
  close(): void
}

/** Resolves once it listens; rejects with the system's own error. TCP is on the loopback interface only. */
export function openForward(
  { listen, to }: Forward,
  links: HostLinks,
  complain: (message: string) => void,
): Promise<OpenForward> {
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    clients.add(socket)
    join(socket, to, links, complain)
    socket.on('close', () => clients.delete(socket))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.kind === 'tcp' ? { host: '127.0.0.1', port: listen.port } : { path: listen.path }, () => {
      const bound = server.address()
      resolve({
        address: typeof bound === 'object' && bound !== null ? `tcp:${bound.address}:${bound.port}` : `unix:${bound}`,
        close() {
          for (const client of clients) client.destroy()
          server.close()
        },
      })
    })
  })
}

/** Both ways, each no faster than the slower end takes it. */
function join(socket: Socket, to: string, links: HostLinks, complain: (message: string) => void): void {
  socket.setNoDelay(true)
  const link = links.open(Buffer.from(to).toString('latin1'), {
    data: (bytes, taken) => socket.write(bytes, () => taken(bytes.length)),
    end: () => socket.end(),
    close(reason) {
      if (reason !== '') complain(Buffer.from(reason, 'latin1').toString())
      socket.destroy()
    },
    drain: () => socket.resume(),
  })
  socket.on('data', (bytes) => {
    if (!link.write(bytes)) socket.pause()
  })
  socket.on('end', () => link.end())
  // A client that goes away is no fault of ours.
  socket.on('error', () => socket.destroy())
  socket.on('close', () => link.close())
}
