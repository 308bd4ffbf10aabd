import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Bridge, openBridge } from './bridge.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function listening(where: Parameters<typeof openBridge>[0]): Promise<{ bridge: Bridge; received: () => string }> {
  let text = ''
  const bridge = await openBridge(where, (bytes) => {
    text += Buffer.from(bytes).toString('latin1')
  })
  open.push(bridge)
  return { bridge, received: () => text }
}

function client(target: { port: number } | { path: string }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', ...target } as never, () => resolve(socket))
    socket.once('error', reject)
    open.push({ close: () => socket.destroy() })
  })
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))
const data = (socket: Socket) => new Promise<Buffer>((resolve) => socket.once('data', resolve))
const port = (bridge: Bridge) => Number(/^tcp:127\.0\.0\.1:(\d+)$/.exec(bridge.address)![1])

test('bytes go both ways, as they are', async () => {
  const { bridge, received } = await listening({ kind: 'tcp', port: 0 })
  bridge.send(Uint8Array.of(1, 2, 3))
  const socket = await client({ port: port(bridge) })
  socket.write(Uint8Array.of(0, 255, 13))
  await expect.poll(received).toBe('\x00\xff\r')
  const answer = data(socket)
  bridge.send(Uint8Array.of(0, 255, 10))
  expect([...(await answer)]).toEqual([0, 255, 10])
})

test('a second client is turned away, and may come when the first has gone', async () => {
  const { bridge, received } = await listening({ kind: 'tcp', port: 0 })
  const first = await client({ port: port(bridge) })
  first.write('1')
  await expect.poll(received).toBe('1')
  const second = await client({ port: port(bridge) })
  await closed(second)
  first.destroy()
  await expect
    .poll(async () => {
      const next = await client({ port: port(bridge) })
      next.write('3')
      return received()
    })
    .toContain('13')
})

test.skipIf(process.platform === 'win32')('a unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-'))
  open.push({ close: () => rmSync(folder, { recursive: true, force: true }) })
  const path = join(folder, 'com1')
  const { bridge, received } = await listening({ kind: 'unix', path })
  expect(bridge.address).toBe(`unix:${path}`)
  const socket = await client({ path })
  socket.write('x')
  await expect.poll(received).toBe('x')
})

test('a port that is taken is refused', async () => {
  const { bridge } = await listening({ kind: 'tcp', port: 0 })
  await expect(openBridge({ kind: 'tcp', port: port(bridge) }, () => {})).rejects.toThrow('EADDRINUSE')
})
