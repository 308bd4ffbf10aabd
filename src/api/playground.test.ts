/** The interface over a host that the test plays: arguments, waiting, events. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { DomainView } from '#protocol/domains.ts'
import type { Input, SerialLine, WorldRecord } from '#protocol/machine.ts'
import type { FromWorker, Request } from '#protocol/messages.ts'
import type { Playground } from '#protocol/playground.ts'
import { parseAccess, type StoreChange, StoreTree } from '#protocol/xenstore-tree.ts'
import type { Facts, PlaygroundHost } from './host.ts'
import { createPlayground } from './playground.ts'

class Bench {
  readonly inputs: Input[] = []
  readonly asked: Request[] = []
  readonly tree = new StoreTree()
  #facts: Facts = {
    state: 'off',
    mode: 'turbo',
    nowNs: 0,
    options: { memoryMiB: 1024, seed: 1, clock: 'turbo' },
    nextOptions: { memoryMiB: 1024, seed: 1, clock: 'turbo' },
    disk: { kind: 'saved' },
    domains: [],
  }
  readonly #onFacts = new Set<() => void>()
  readonly #onMessage = new Set<(message: FromWorker) => void>()
  readonly #onSerial = new Set<(line: SerialLine, bytes: Uint8Array) => void>()
  readonly #onXenstore = new Set<(changes: readonly StoreChange[]) => void>()

  host(): PlaygroundHost {
    const listen =
      <T>(set: Set<T>) =>
      (listener: T) => {
        set.add(listener)
        return () => void set.delete(listener)
      }
    const refuse = () => {
      throw new Error('there is no page')
    }
    return {
      timers: { setTimeout: (run, ms) => Number(setTimeout(run, ms)), clearTimeout: (id) => clearTimeout(id) },
      facts: () => this.#facts,
      onFacts: listen(this.#onFacts),
      power: async () => {},
      input: (input) => this.inputs.push(input),
      clock: () => {},
      setNextOptions: () => {},
      discardDisk: async () => {},
      ask: async (request) => {
        this.asked.push(request)
        return 'asked'
      },
      openLink: () => ({ write: () => true, end() {}, close() {} }),
      xenstore: this.tree,
      onXenstore: listen(this.#onXenstore),
      onMessage: listen(this.#onMessage),
      onSerial: listen(this.#onSerial),
      screen: () => undefined,
      onScreen: () => () => {},
      ui: { open: refuse, lang: refuse, theme: refuse },
    }
  }

  become(facts: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...facts }
    for (const listener of this.#onFacts) listener()
  }

  hear(message: FromWorker): void {
    for (const listener of this.#onMessage) listener(message)
  }

  say(text: string): void {
    for (const listener of this.#onSerial) listener('com1', new TextEncoder().encode(text))
  }

  store(...lines: string[]): void {
    const changes = lines.map(parseAccess).filter((change) => change !== undefined)
    for (const change of changes) this.tree.apply(change)
    for (const listener of this.#onXenstore) listener(changes)
  }
}

/** A list that holds itself twice, thirty times over. */
const endless = (): unknown => Array.from({ length: 30 }).reduce<unknown>((inner) => [inner, inner], 'x')

let bench: Bench
let playground: Playground
beforeEach(() => {
  bench = new Bench()
  playground = createPlayground(bench.host())
})

const domain = (name: string, state: DomainView['state']) => ({ domid: 1, name, state }) as DomainView
const soon = { timeoutMs: 20 }

describe('what makes no sense is refused before it has any effect', () => {
  const wrong = (value: unknown) => value as never
  it.each<[string, () => unknown, string]>([
    ['a console', () => playground.console(wrong('com9')), 'no such console: com9'],
    ['a domain without a name', () => playground.console('domain:'), 'no such console: domain:'],
    ['a name that never ends', () => playground.console(`domain:${'x'.repeat(300)}`), 'is no domain'],
    ['a text that never ends', () => playground.console('com1').type('x'.repeat(2 ** 24 + 1)), 'more than 16777216'],
    ['what is endless as text', () => playground.console('com1').type(wrong(endless())), 'not a list'],
    ['a key', () => playground.console('com1').key('Hyper+x'), 'no such key: Hyper+x'],
    ['text that is none', () => playground.console('com1').type(wrong(5)), 'type: text is expected, not 5'],
    ['bytes that are none', () => playground.console('com1').write(wrong([1])), 'write: a Uint8Array is expected'],
    ['a pattern', () => playground.console('com1').waitFor(wrong(null)), 'a pattern is text or a regular expression'],
    ['a time', () => playground.console('com1').waitFor('x', { timeoutMs: -1 }), 'timeoutMs: -1 is not between'],
    ['a key that the monitor lacks', () => playground.console('monitor').type('域'), 'the keyboard has no key for 域'],
    ['a mode', () => playground.clock.mode(wrong('fast')), 'clock: "fast" is none of live, turbo'],
    ['seconds', () => playground.clock.runFor(Number.NaN), 'seconds: NaN is not between'],
    ['memory', () => playground.machine.options({ memoryMiB: 1.5 }), 'memoryMiB: 1.5 is not between 1 and 3072'],
    ['an option', () => playground.machine.options(wrong({ cpus: 4 })), 'options: there is no cpus'],
    ['a record', () => playground.machine.replay(wrong({})), 'not an input log of version 1'],
    ['a path', () => playground.disk.readFile('etc'), 'path: "etc" is no absolute path'],
    ['a file', () => playground.disk.writeFile('/x', wrong('text')), 'writeFile: a Uint8Array is expected'],
    ['a line', () => playground.asciicast(wrong('com3')), 'line: "com3" is none of com1, com2'],
    ['an act', () => playground.domains.act(wrong({ kind: 'explode', domain: 'x' })), 'act: "explode" is none of'],
    ['no MiB', () => playground.domains.act(wrong({ kind: 'mem-set', domain: 'x' })), 'mib: undefined is no whole'],
    ['permissions', () => playground.xenstore.perms('/x', wrong('n0')), 'perms: a list such as'],
    ['an event', () => playground.on(wrong('weather'), () => {}), 'event: "weather" is none of state, crash'],
    ['a listener', () => playground.on('state', wrong(1)), 'a function is expected, not 1'],
  ])('%s', async (_, act, message) => {
    await expect(async () => act()).rejects.toThrow(message)
    expect([bench.inputs, bench.asked]).toEqual([[], []])
  })

  it('a disk that is in use is not discarded', async () => {
    bench.become({ state: 'xen' })
    await expect(playground.disk.discard()).rejects.toThrow('the machine is on')
  })
})

describe('waiting on a console', () => {
  it('looks at what came since the last send, without escape sequences', async () => {
    const com1 = playground.console('com1')
    bench.say('login: ')
    await com1.type('root')
    await expect(com1.waitFor('login:', soon)).rejects.toThrow('no login: within 20 ms; heard: ""')
    const met = com1.waitFor(/\w+#/g)
    bench.say('dom\x1b[1m0#')
    expect(await met).toBe('dom0#')
    expect(bench.inputs).toEqual([{ kind: 'serial', line: 'com1', bytes: [...'root\r'].map((c) => c.charCodeAt(0)) }])
  })

  it('of a domain that is not there can go on; sending cannot', async () => {
    const console = playground.console('domain:sebastian')
    await expect(console.type('x')).rejects.toThrow('domain:sebastian: XenStore does not run')
    bench.store('new', 'set\t0\t1\t/local/domain/3/name\tn0\tsebastian')
    await expect(console.type('x')).rejects.toThrow('domain:sebastian: domain 3 has no console yet')
    bench.store('set\t0\t1\t/local/domain/3/console/tty\tn0\t/dev/pts/3')
    await console.type('x')
  })
})

it('XenStore is waited for by its trace', async () => {
  bench.store('new', 'set\t0\t1\t/a\tn0\t1')
  await expect(playground.xenstore.waitFor('/a', '2', soon)).rejects.toThrow('did not become 2 within 20 ms; it is "1"')
  const met = playground.xenstore.waitFor('/a', /^2$/)
  bench.store('set\t0\t1\t/a\tn0\t2')
  expect(await met).toBe('2')
})

it('a domain is waited for, also until it is gone', async () => {
  const paused = playground.domains.waitFor('x', (found) => found?.state === 'paused')
  bench.become({ domains: [domain('x', 'running')] })
  bench.become({ domains: [domain('x', 'paused')] })
  expect((await paused)?.state).toBe('paused')
  const gone = playground.domains.waitFor('x', (found) => found === undefined)
  bench.become({ domains: [] })
  expect(await gone).toBeUndefined()
})

it('events tell each thing once, and nothing after they are unsubscribed', () => {
  const heard: unknown[] = []
  const stops = [
    playground.on('probe', ({ kind }) => heard.push(kind)),
    playground.on('domains', (domains) => heard.push(domains.length)),
    playground.on('disk', ({ kind }) => heard.push(kind)),
  ]
  const act = () => {
    bench.hear({ type: 'xenstore', lines: ['a', 'b'], atNs: [1, 2] })
    bench.hear({ type: 'domains', changed: [], gone: [4] })
    bench.become({ nowNs: 5 })
    bench.become({ domains: [domain('x', 'running')] })
    bench.become({ disk: { kind: 'saving' } })
  }
  act()
  expect(heard).toEqual(['xenstore', 'xenstore', 'domain-gone', 1, 'saving'])
  for (const stop of stops) stop()
  act()
  expect(heard).toHaveLength(5)
})

it('a file goes to the disk while the machine is off, and a record is checked and passed on', async () => {
  const record: WorldRecord = { version: 1, build: '0', diskHash: '', seed: 1, memoryMiB: 64, inputs: [], endNs: 0 }
  await playground.disk.writeFile('/x', new Uint8Array(1))
  await playground.machine.replay(record)
  expect(bench.asked.map(({ kind }) => kind)).toEqual(['write-file', 'replay'])
})

it('asciicast has the times of the machine', () => {
  const hear = (text: string, times: number[]) =>
    bench.hear({ type: 'serial', line: 'com1', bytes: new TextEncoder().encode(text), times })
  bench.hear({ type: 'clock', mode: 'live', nowNs: 9e9, settled: false })
  hear('abc', [0, 1e9, 2, 3e9])
  expect(playground.asciicast().trim().split('\n').slice(1)).toEqual(['[0,"o","ab"]', '[2,"o","c"]'])
  bench.hear({ type: 'clock', mode: 'live', nowNs: 0, settled: false })
  expect(playground.asciicast().trim().split('\n').slice(1)).toEqual([])
})
