/** What the page learns of a real machine's trace, from power-on through another life of it. */
import { beforeAll, expect, test } from 'vitest'
import type { XrayWatch } from '#protocol/xray.ts'
import { XrayFold } from '#protocol/xray-fold.ts'
import { buildDiskAndKnown, buildDiskParts } from '../../scripts/disk.mjs'
import { Bench, useDisk } from './bench.ts'

beforeAll(async () => {
  useDisk(await buildDiskAndKnown(), await buildDiskParts())
}, 120_000)

const ALL: XrayWatch = { frames: true, lanes: true, channels: true, hypercalls: true }

/** As the panel folds. */
class Panel {
  readonly fold = new XrayFold()
  readonly #bench: Bench
  #read = 0
  snapshots = 0
  records = 0

  constructor(bench: Bench) {
    this.#bench = bench
  }

  look(): void {
    const { sent } = this.#bench
    for (; this.#read < sent.length; this.#read++) {
      const message = sent[this.#read]!
      if (message.type === 'xray-snapshot') {
        this.snapshots++
        this.fold.restore(message.snapshot)
      } else if (message.type === 'xray') {
        this.records += message.batch.records.length
        this.fold.applyBatch(message.batch.records)
        if (message.batch.resync) this.fold.restore(message.batch.resync)
      }
    }
  }
}

/** In order of names. */
const sorted = ({ owners, ports, grants, vcpus }: ReturnType<XrayFold['snapshot']>) => {
  const text = (entries: readonly object[]): string[] => entries.map((entry) => JSON.stringify(entry)).sort()
  return { owners, ports: text(ports), grants: text(grants), vcpus: text(vcpus) }
}

function boot(bench: Bench): void {
  bench.powerOn()
  bench.rest()
  bench.until('seconds.')
  bench.type('\r')
  expect(bench.until('login: ')).toBe(true)
}

test('who has watched from the beginning, who begins late, and nobody: the same', () => {
  const watched = new Bench()
  const panel = new Panel(watched)
  watched.receive({ type: 'xray', watch: ALL })
  boot(watched)
  panel.look()
  expect(panel.records).toBeGreaterThan(1000)
  expect(panel.fold.owners.length).toBeGreaterThan(200_000)

  const late = new Bench()
  boot(late)
  expect(late.sent.some(({ type }) => type === 'xray' || type === 'xray-snapshot')).toBe(false)
  const other = new Panel(late)
  late.receive({ type: 'xray', watch: { ...ALL, frames: false } })
  other.look()
  expect(other.snapshots).toBe(1)
  expect(sorted(other.fold.snapshot())).toEqual(sorted(panel.fold.snapshot()))

  const digest = (bench: Bench) => bench.request({ kind: 'digest' }).reply
  expect(digest(watched)).toMatchObject({ reply: { ok: true } })
  expect((digest(watched) as { reply: object }).reply).toEqual((digest(late) as { reply: object }).reply)

  // Another life: all is told anew.
  panel.look()
  watched.receive({ type: 'input', input: { kind: 'button', button: 'reset' } })
  watched.until('seconds.')
  panel.look()
  expect(panel.fold.snapshot()).toMatchObject({ owners: new Uint16Array(0), ports: [], grants: [], vcpus: [] })
  watched.type('\r')
  expect(watched.until('login: ')).toBe(true)
  panel.look()
  expect([...panel.fold.vcpus]).toHaveLength(2)
  expect([...watched.faults, ...late.faults]).toEqual([])
}, 120_000)
