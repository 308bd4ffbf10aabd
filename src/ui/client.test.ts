import { beforeEach, describe, expect, it } from 'vitest'
import type { FromWorker, ToWorker } from '#protocol/messages.ts'
import { MachineClient, type WorkerStatus } from './client.ts'
import { defaultOptions } from './panels/machine/slice.ts'
import type { Sandbox } from './sandbox.ts'

/** Timers that fire when the test says so. */
class FakeTimers {
  nowMs = 0
  #id = 0
  #due = new Map<number, { atMs: number; run: () => void }>()
  setTimeout = (run: () => void, ms: number) => {
    this.#due.set(++this.#id, { atMs: this.nowMs + ms, run })
    return this.#id
  }
  clearTimeout = (id: number) => {
    this.#due.delete(id)
  }
  get pending() {
    return this.#due.size
  }
  pass(ms: number) {
    const until = this.nowMs + ms
    for (;;) {
      const next = [...this.#due].filter(([, timer]) => timer.atMs <= until).sort((a, b) => a[1].atMs - b[1].atMs)[0]
      if (!next) break
      this.#due.delete(next[0])
      this.nowMs = next[1].atMs
      next[1].run()
    }
    this.nowMs = until
  }
}

interface FakeSandbox extends Sandbox {
  readonly sent: ToWorker[]
  closed: boolean
  die(message: string): void
  say(message: FromWorker): void
}

let timers: FakeTimers
let sandboxes: FakeSandbox[]
let statuses: [WorkerStatus, string][]
let messages: FromWorker[]
let client: MachineClient
let failure: Error | undefined
/** How often the rest of the disk cannot be had. */
let restFailures: number
let translationsFail: boolean

function openSandbox(text: Promise<string>, onError: (message: string) => void): Sandbox {
  text.catch((error) => onError(error.message))
  const sent: ToWorker[] = []
  const port = {
    onmessage: null,
    postMessage: (message: ToWorker) => sent.push(message),
    close() {},
  } as unknown as MessagePort
  const sandbox: FakeSandbox = {
    port,
    started: Promise.resolve(),
    sent,
    closed: false,
    close() {
      this.closed = true
    },
    die: onError,
    say: (data) => port.onmessage?.call(port, { data } as MessageEvent),
  }
  sandboxes.push(sandbox)
  return sandbox
}

async function rest(): Promise<ArrayBuffer> {
  if (restFailures-- > 0) throw new Error('no network')
  return new ArrayBuffer(4)
}

const last = <T>(items: T[]): T => items[items.length - 1]!

beforeEach(() => {
  timers = new FakeTimers()
  sandboxes = []
  statuses = []
  messages = []
  failure = undefined
  restFailures = 0
  translationsFail = false
  client = new MachineClient({
    workerText: async () => {
      if (failure) throw failure
      return 'worker'
    },
    machineCodeText: async () => 'machine code',
    guestsDisk: async () => new ArrayBuffer(4),
    guestsTranslations: async () => {
      if (translationsFail) throw new Error('404 Not Found')
      return new ArrayBuffer(6)
    },
    openDisk: async () => ({ first: new ArrayBuffer(8), rest, stored: [], persist: true }),
    openSandbox,
    timers,
    onMessage: (message) => messages.push(message),
    onStatus: (...status) => statuses.push(status),
  })
})

async function powered(): Promise<FakeSandbox> {
  await client.powerOn(defaultOptions)
  const sandbox = last(sandboxes)
  sandbox.say({ type: 'ready' })
  return sandbox
}

describe('power-on', () => {
  it('hands options and disk to a fresh worker', async () => {
    const { sent } = await powered()
    expect(sent.slice(0, 2).map((message) => message.type)).toEqual(['visible', 'power-on'])
    expect(sent[1]).toMatchObject({ options: defaultOptions, press: true })
    expect(statuses.map(([status]) => status)).toEqual(['starting', 'ready'])
  })

  it('sends the rest of the disk after it, and what executes machine code', async () => {
    const { sent } = await powered()
    await Promise.resolve()
    expect(sent.map((message) => message.type)).toEqual(['visible', 'power-on', 'disk-part', 'machine-code'])
  })

  it.each([
    [false, false, undefined],
    [true, false, 6],
    // It goes on without.
    [true, true, undefined],
  ])(
    'sends what is translated of the guests, if there are any (%s) and it can be had (not: %s)',
    async (guests, fails, bytes) => {
      translationsFail = fails
      await client.powerOn({ ...defaultOptions, guests })
      const sandbox = last(sandboxes)
      sandbox.say({ type: 'ready' })
      for (let turns = 0; turns < 5; turns++) await Promise.resolve()
      const message = sandbox.sent.find(({ type }) => type === 'machine-code')
      expect(message).toMatchObject({ text: 'machine code' })
      expect(message?.type === 'machine-code' && message.translations?.byteLength).toBe(bytes)
      expect(statuses.at(-1)?.[0]).toBe('ready')
    },
  )

  it.each([
    [4, 'ready', 'disk-part'],
    [5, 'dead', 'machine-code'],
  ])('asks for the rest again: %i failures leave it %s', async (failures, status, lastSent) => {
    restFailures = failures
    const { sent } = await powered()
    for (let i = 0; i < 6; i++) {
      for (let turns = 0; turns < 5; turns++) await Promise.resolve()
      timers.pass(2000)
      if (last(statuses)[0] !== 'dead') last(sandboxes).say({ type: 'alive', sleepMs: 60_000 })
    }
    expect(last(statuses)[0]).toBe(status)
    expect(last(sent).type).toBe(lastSent)
  })

  it('closes the frame before, and with it the machine', async () => {
    const first = await powered()
    const second = await powered()
    expect(first.closed).toBe(true)
    expect(second.closed).toBe(false)
    first.say({ type: 'state', state: 'xen' })
    expect(messages).not.toContainEqual({ type: 'state', state: 'xen' })
  })

  it('says so when the worker cannot be fetched, and can be tried again', async () => {
    failure = new Error('machine.js: 404 Not Found')
    await client.powerOn(defaultOptions)
    expect(last(statuses)).toEqual(['dead', 'machine.js: 404 Not Found'])
    failure = undefined
    await powered()
    expect(client.status).toBe('ready')
  })
})

describe('requests', () => {
  it('match answers by id, in whatever order they come', async () => {
    const { say, sent } = await powered()
    const digest = client.request({ kind: 'digest' })
    const refused = client.request({ kind: 'read-file', path: '/nosuch' })
    await Promise.resolve()
    await Promise.resolve()
    const ids = sent.flatMap((message) => (message.type === 'request' ? [message.id] : []))
    expect(ids).toHaveLength(2)
    say({ type: 'reply', id: ids[1]!, reply: { ok: false, error: 'no such file' } })
    say({ type: 'reply', id: ids[0]!, reply: { ok: true, value: 'abc' } })
    await expect(refused).rejects.toThrow('no such file')
    await expect(digest).resolves.toBe('abc')
  })

  it('fail when there is no machine, and when it dies before the answer', async () => {
    await expect(client.request({ kind: 'digest' })).rejects.toThrow('there is no machine')
    const { die } = await powered()
    const digest = client.request({ kind: 'digest' })
    const outcome = expect(digest).rejects.toThrow('the machine is gone: out of memory')
    await Promise.resolve()
    await Promise.resolve()
    die('out of memory')
    await outcome
  })
})

describe('the watchdog', () => {
  it.each([
    ['a worker that never says anything', async () => void (await client.powerOn(defaultOptions)), 'hung'],
    ['a busy worker that falls silent', async () => (await powered()).say({ type: 'alive', sleepMs: 0 }), 'hung'],
    ['a worker asleep for good', async () => (await powered()).say({ type: 'alive', sleepMs: Infinity }), 'ready'],
    ['a worker asleep for a minute', async () => (await powered()).say({ type: 'alive', sleepMs: 60_000 }), 'ready'],
  ])('%s: after 12 s', async (_, act, status) => {
    await act()
    timers.pass(12_000)
    expect(client.status).toBe(status)
  })

  it('wakes when a sleeping worker is asked and does not answer, however often it is asked', async () => {
    const { say } = await powered()
    say({ type: 'alive', sleepMs: Number.POSITIVE_INFINITY })
    expect(timers.pending).toBe(0)
    for (let i = 0; i < 20; i++) {
      client.input({ kind: 'keyboard', scancodes: [0x1c] })
      timers.pass(1000)
    }
    expect(client.status).toBe('hung')
  })

  it('takes it back when the worker speaks again', async () => {
    const { say } = await powered()
    timers.pass(20_000)
    expect(client.status).toBe('hung')
    say({ type: 'alive', sleepMs: Number.POSITIVE_INFINITY })
    expect(client.status).toBe('ready')
  })
})

describe('death', () => {
  it('of the worker: its frame is closed, sending does nothing, power-on makes a new one', async () => {
    const first = await powered()
    first.die('Uncaught RangeError')
    expect(last(statuses)).toEqual(['dead', 'Uncaught RangeError'])
    expect(first.closed).toBe(true)
    const before = first.sent.length
    client.input({ kind: 'button', button: 'reset' })
    expect(first.sent).toHaveLength(before)
    expect(timers.pending).toBe(0)
    await powered()
    expect(client.status).toBe('ready')
  })

  it('by a fault that the worker reports itself', async () => {
    const { say } = await powered()
    say({ type: 'fault', message: 'broken invariant' })
    expect(client.status).toBe('dead')
    expect(messages).toContainEqual({ type: 'fault', message: 'broken invariant' })
  })
})
