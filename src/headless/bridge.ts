/** A serial line on a socket: raw bytes both ways, one client at a time, nothing kept for a client that is not there (a line without a cable). */
import { createServer, type Socket } from 'node:net'
import type { Com1 } from './options.ts'

export interface Bridge {
  /** Where it listens, in words. */
  readonly address: string
  /** Bytes of the line to whoever is connected. */
  send(bytes: Uint8Array): void
  close(): void
}

export type Listening = Exclude<Com1, { kind: 'stdio' }>

/** Resolves once it listens; rejects with the system's own error. TCP is on the loopback interface only. */
export function openBridge(where: Listening, receive: (bytes: Uint8Array) => void): Promise<Bridge> {
  let client: Socket | undefined
  const server = createServer((socket) => {
    if (client) {
      socket.destroy()
      return
    }
    client = socket
    socket.setNoDelay(true)
    socket.on('data', receive)
    // A client that goes away is a cable pulled out, not a fault.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      client = undefined
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const target = where.kind === 'tcp' ? { host: '127.0.0.1', port: where.port } : { path: where.path }
    server.listen(target, () => {
      const bound = server.address()
      const address =
        typeof bound === 'object' && bound !== null ? `tcp:${bound.address}:${bound.port}` : `unix:${bound}`
      resolve({
        address,
        send: (bytes) => {
          client?.write(bytes)
        },
        close: () => {
          client?.destroy()
          server.close()
        },
      })
    })
  })
}
