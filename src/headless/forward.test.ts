/** --forward on the whole host: clients out here, sockets in domain 0, and the record of it all. */
import '#testing/dom0/echod.ts'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { parseRecord } from '#protocol/record.ts'
import { compileProgram } from '#testing/dom0/test-program.ts'
import { type DefaultDiskBytes, Dom0Host, freshDisk } from '#testing/dom0-host.ts'
import { createWorld } from '#world/world.ts'
import { buildDiskAndKnown } from '../../scripts/disk.mjs'
import type { Forward } from './forward.ts'
import { runSession, type Terminal } from './session.ts'

const MEGABYTE = 1 << 20
const folder = mkdtempSync(join(tmpdir(), 'forward-'))
const at = (name: string): string => join(folder, name)

let base: DefaultDiskBytes
let disk: SparseDisk
let host: Dom0Host
let session: {
  readonly stdin: PassThrough
  readonly said: PassThrough
  stderr: string
  done: Promise<void>
}

const FORWARDS: readonly Forward[] = [
  { listen: { kind: 'unix', path: at('echo') }, to: '/tmp/echo' },
  { listen: { kind: 'unix', path: at('brief') }, to: '/tmp/brief' },
  { listen: { kind: 'unix', path: at('nobody') }, to: '/tmp/nobody' },
  { listen: { kind: 'tcp', port: 0 }, to: '/tmp/echo' },
]

function startSession(): typeof session {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const started = { stdin: streams.stdin, said: streams.stderr, stderr: '', done: Promise.resolve() }
  streams.stdout.resume()
  streams.stderr.on('data', (part) => {
    started.stderr += part
  })
  const terminal = { ...streams, nowMs: () => performance.now() } as unknown as Terminal
  started.done = runSession(host.world, terminal, { com1: { kind: 'stdio' }, turbo: false, forwards: FORWARDS })
  return started
}

beforeAll(async () => {
  base = await buildDiskAndKnown()
  disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.writeFile('/root/echod', compileProgram('echod', 'testing/dom0/echod.ts'), 0o755)
  fs.unmount()
  host = new Dom0Host({ base, disk: disk.clone() })
  host.boot()
  for (const words of ['/tmp/echo', '/tmp/brief 5']) {
    host.type(`./echod ${words} &\r`)
    host.waitFor('listening\n')
  }
  session = startSession()
  // Until it has said of each where it listens.
  while (session.stderr.split('\n').length <= FORWARDS.length) await once(session.said, 'data')
}, 120_000)

afterAll(async () => {
  session.stdin.write('\x1dq')
  await session.done
  rmSync(folder, { recursive: true, force: true })
})

function client(name: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: at(name), allowHalfOpen: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** All that comes until the other end is done. */
async function rest(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  await once(socket, 'end')
  return Buffer.concat(parts)
}

describe('a client out here and a program in domain 0', () => {
  test('pass a megabyte both ways, and the client ends it', async () => {
    const socket = await client('echo')
    const sent = Buffer.alloc(MEGABYTE)
    for (let i = 0; i < sent.length; i++) sent[i] = (i * 31 + (i >> 8)) & 255
    const back = rest(socket)
    socket.end(sent)
    expect((await back).equals(sent)).toBe(true)
    socket.destroy()
  }, 60_000)

  test('the program ends it', async () => {
    const socket = await client('brief')
    socket.write('hello')
    expect((await rest(socket)).toString()).toBe('hello')
    socket.end()
    await once(socket, 'close')
  })

  test('several at a time, one of them over TCP; one that just goes away harms none', async () => {
    const port = Number(/tcp:127\.0\.0\.1:(\d+) leads to dom0:\/tmp\/echo/.exec(session.stderr)![1])
    const tcp = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const others = await Promise.all([client('echo'), client('echo'), client('echo')])
    others[0]!.write('x'.repeat(100_000))
    others[0]!.destroy()
    const answers = [tcp, ...others.slice(1)].map((socket, i) => {
      const back = rest(socket)
      socket.end(`client ${i}`)
      return back
    })
    expect((await Promise.all(answers)).map(String)).toEqual(['client 0', 'client 1', 'client 2'])
    for (const socket of [tcp, ...others]) socket.destroy()
  })

  test('a socket that nobody listens on: the client is turned away, and it is said why', async () => {
    const socket = await client('nobody')
    expect(await rest(socket)).toHaveLength(0)
    socket.destroy()
    expect(session.stderr).toContain('headless: /tmp/nobody: No such file or directory\n')
  })
})

test('what domain 0 writes to the trace is seen out here, line by line', async () => {
  const lines: string[] = []
  host.world.onProbe((probe) => probe.kind === 'xenstore' && lines.push(probe.line))
  session.stdin.write("printf 'one\\ntwo' > /dev/hostlink-trace; echo ' more' > /dev/hostlink-trace\r")
  await expect.poll(() => lines).toEqual(['one', 'two more'])
})

test('the record of it, written down and read, gives the same world', async () => {
  session.stdin.write('\x1dq')
  await session.done
  const { world } = host
  const record = parseRecord(JSON.stringify(world.record()))
  expect(record.inputs.some(({ input }) => input.kind === 'link' && input.event.kind === 'open')).toBe(true)
  const { memoryMiB, seed, build, diskHash } = record
  const again = createWorld({ disk: disk.clone(), diskHash, memoryMiB, seed, build, createRing3s: () => undefined })
  for (const _ of again.replay(record));
  expect(again.digest()).toBe(world.digest())
}, 120_000)

test('a port that is taken is refused when the session begins', async () => {
  const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const taken = { listen: { kind: 'unix', path: folder }, to: '/s' } as const
  const options = { com1: { kind: 'stdio' }, turbo: false, forwards: [taken] } as const
  await expect(runSession(host.world, { ...terminal, nowMs: () => 0 } as never, options)).rejects.toThrow('EADDRINUSE')
})
