import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { Input, SerialLine } from '#protocol/machine.ts'
import type { StopReason } from '#protocol/sync-machine.ts'
import type { Com1 } from './options.ts'
import type { PacedWorld } from './pacer.ts'
import { runSession, type Terminal } from './session.ts'

/** A machine that echoes in capitals whatever COM1 hears. */
class EchoWorld implements PacedWorld {
  readonly inputs: Input[] = []
  fault: Error | undefined
  #now = 0
  #heard: number[] = []
  readonly #listeners = new Set<(line: SerialLine, byte: number) => void>()

  onLink = () => () => {}
  onProbe = () => () => {}
  nowNs = () => this.#now
  state = () => 'xen' as const
  screen = () => {
    throw new Error('nobody looks')
  }
  settled = () => this.#heard.length === 0
  nextNs = () => (this.#heard.length > 0 ? this.#now : Number.POSITIVE_INFINITY)

  input(input: Input): void {
    this.inputs.push(input)
    if (input.kind === 'serial') this.#heard.push(...input.bytes)
  }

  runUntil(deadlineNs: number): StopReason {
    if (this.fault) throw this.fault
    for (const byte of this.#heard.splice(0)) {
      const said = String.fromCharCode(byte).toUpperCase().charCodeAt(0)
      for (const listener of this.#listeners) {
        listener('com2', 0x21)
        listener('com1', said)
      }
    }
    if (Number.isFinite(deadlineNs)) this.#now = Math.max(this.#now, deadlineNs)
    return 'idle'
  }

  onSerial(listener: (line: SerialLine, byte: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

function start(com1: Com1 = { kind: 'stdio' }, world = new EchoWorld()) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const text = { stdout: '', stderr: '' }
  streams.stdout.on('data', (part) => {
    text.stdout += part
  })
  streams.stderr.on('data', (part) => {
    text.stderr += part
  })
  const terminal = { ...streams, nowMs: () => performance.now() } as unknown as Terminal
  return { world, stdin: streams.stdin, text, done: runSession(world, terminal, { com1, turbo: false }) }
}

test('what is typed goes to COM1, what COM1 says comes back, and Ctrl-] q leaves', async () => {
  const { stdin, text, done, world } = start()
  stdin.write('xm list\r')
  await expect.poll(() => text.stdout).toBe('XM LIST\r')
  stdin.write('\x1dq')
  await done
  expect(world.inputs).toHaveLength(1)
})

test('buttons and the list of keys', async () => {
  const { stdin, text, done, world } = start()
  stdin.write('\x1dr\x1dn\x1dp\x1d?\x1dq')
  await done
  expect(world.inputs.map((input) => input.kind === 'button' && input.button)).toEqual(['reset', 'nmi', 'power'])
  await expect.poll(() => text.stderr).toContain('Ctrl-] q       leave')
})

test('piped input that ends: the machine finishes what it was told', async () => {
  const { stdin, text, done } = start()
  stdin.end('abc')
  await done
  await expect.poll(() => text.stdout).toBe('ABC')
})

test('a world that throws ends the session with its error', async () => {
  const world = new EchoWorld()
  world.fault = new Error('we broke our own invariant')
  const { done } = start({ kind: 'stdio' }, world)
  await expect(done).rejects.toThrow('we broke our own invariant')
})

test('COM1 on a socket', async () => {
  const { text, done } = start({ kind: 'tcp', port: 0 })
  await expect.poll(() => text.stderr).toMatch(/^COM1 listens on tcp:127\.0\.0\.1:\d+; Ctrl-C ends\.\n$/)
  const socket = connect({ host: '127.0.0.1', port: Number(/:(\d+);/.exec(text.stderr)![1]) })
  let heard = ''
  socket.on('data', (part) => {
    heard += part
  })
  socket.write('abc')
  await expect.poll(() => heard).toBe('ABC')
  process.emit('SIGTERM')
  await done
  socket.destroy()
  expect(process.listenerCount('SIGTERM')).toBe(0)
})
