/** The room with the real machine in it, and a disk that comes in two parts. */
import { gunzipSync } from 'fflate'
import { beforeAll, describe, expect, test } from 'vitest'
import { addDiskPart, unpackDisk } from '#lib/ondisk/disk-container.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import type { WorldRecord } from '#protocol/machine.ts'
import type { FromWorker, Request, ToWorker } from '#protocol/messages.ts'
import { createWorld } from '#world/world.ts'
import { buildDiskAndKnown, buildDiskParts } from '../../scripts/disk.mjs'
import { createRoom, type Room } from './room.ts'

let known: readonly string[] = []
let parts: readonly Uint8Array[] = []
beforeAll(async () => {
  known = (await buildDiskAndKnown()).known
  parts = await buildDiskParts()
}, 120_000)

const buffer = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer

function wholeDisk(): SparseDisk {
  const disk = unpackDisk(gunzipSync(parts[0]!))
  addDiskPart(disk, gunzipSync(parts[1]!))
  return disk
}

class Bench {
  readonly sent: FromWorker[] = []
  readonly faults: unknown[] = []
  readonly #queue: (() => void)[] = []
  readonly #timers: (() => void)[] = []
  readonly #room: Room
  #nowMs = 0
  #id = 0

  /** `callMs`: what passes whenever somebody looks at the clock. */
  constructor(callMs = 0) {
    this.#room = createRoom({
      host: {
        nowMs: () => (this.#nowMs += callMs),
        soon: (run) => this.#queue.push(run),
        after: (_, run) => {
          this.#timers.push(run)
          return () => {}
        },
      },
      known,
      send: (message) => this.sent.push(message),
      fault: (error) => this.faults.push(error),
    })
  }

  receive(message: ToWorker): void {
    this.#room.receive(message)
  }

  powerOn(): void {
    const options = { memoryMiB: 1024, seed: 1, clock: 'turbo' } as const
    this.receive({ type: 'power-on', options, disk: buffer(parts[0]!), press: true })
  }

  rest(): void {
    this.receive({ type: 'disk-part', disk: buffer(parts[1]!) })
  }

  type(text: string): void {
    this.receive({
      type: 'input',
      input: { kind: 'serial', line: 'com1', bytes: [...text].map((c) => c.charCodeAt(0)) },
    })
  }

  /** Turns until COM1 has said `text` since the last call, or nothing goes on: whether it has. */
  until(text: string, turns = 20_000): boolean {
    const from = this.#heard
    for (let i = 0; i < turns; i++) {
      const at = this.com1.indexOf(text, from)
      if (at >= 0) {
        this.#heard = at + text.length
        return true
      }
      this.#nowMs += 5
      const next = this.#queue.shift() ?? this.#timers.shift()
      if (!next) return false
      next()
    }
    return false
  }
  #heard = 0

  get com1(): string {
    let text = ''
    for (const message of this.sent)
      if (message.type === 'serial' && message.line === 'com1') text += String.fromCharCode(...message.bytes)
    return text
  }

  request(request: Request): { readonly reply: unknown } {
    const id = ++this.#id
    const { sent } = this
    this.receive({ type: 'request', id, request })
    return {
      get reply() {
        return sent.find((message) => message.type === 'reply' && message.id === id)
      },
    }
  }
}

describe('a record and a digest that are asked for at any moment', () => {
  const boot: WorldRecord[] = []
  const digests: unknown[] = []
  beforeAll(() => {
    // A turn is one slice, and ends within an instant.
    const bench = new Bench(20)
    bench.powerOn()
    bench.rest()
    const ask = (kind: 'record' | 'digest') =>
      (bench.request({ kind }).reply as { reply: { value: unknown } }).reply.value
    for (let i = 0; i < 6; i++) {
      bench.until('nothing like this', 40)
      boot.push(ask('record') as WorldRecord)
      digests.push(ask('digest'))
    }
    expect(bench.faults).toEqual([])
  }, 60_000)

  test.each([0, 1, 2, 3, 4, 5])('the record replays to the digest: %i', (i) => {
    const { memoryMiB, seed, build, diskHash, endNs } = boot[i]!
    expect(endNs).toBeGreaterThan(boot[i - 1]?.endNs ?? 0)
    const world = createWorld({ disk: wholeDisk(), diskHash, memoryMiB, seed, build })
    for (const _ of world.replay(boot[i]!));
    expect(world.digest()).toBe(digests[i])
  })
})

describe('a disk of which the first part is here', () => {
  test('is enough for a login; what needs more waits for it, and then goes on', () => {
    const bench = new Bench()
    bench.powerOn()
    bench.until('seconds.')
    bench.type('\r')
    expect(bench.until('login: ')).toBe(true)
    bench.type('root\r')
    bench.until('# ', 500)
    bench.type('vi --help | head -1; echo done-$((6*7))\r')
    expect(bench.until('done-42')).toBe(false)
    const asked = bench.request({ kind: 'read-file', path: '/etc/issue' })
    expect(asked.reply).toBeUndefined()
    bench.rest()
    expect(asked.reply).toMatchObject({ reply: { ok: true } })
    expect(bench.until('done-42')).toBe(true)
    expect(bench.faults).toEqual([])
  }, 60_000)

  test('a boot loader that reads what has not come: the machine does it again with the whole disk', () => {
    const bench = new Bench()
    bench.powerOn()
    bench.until('seconds.')
    bench.type('c')
    expect(bench.until('grub> ')).toBe(true)
    bench.type('cat /usr/share/man/man1/vi.1\r')
    expect(bench.until('grub> ', 2000)).toBe(false)
    bench.rest()
    expect(bench.until('.TH ')).toBe(true)
    expect(bench.faults).toEqual([])
  }, 60_000)

  test('a second part for a disk that came whole is ignored', () => {
    const bench = new Bench()
    bench.powerOn()
    bench.rest()
    bench.rest()
    expect(bench.until('seconds.')).toBe(true)
    expect(bench.faults).toEqual([])
  })
})
