/**
 * XenStore: the same work, over the same tree, by xenstored inside the simulated host (its client, its kernel and its Xen are part of that time),
 * and by Debian's C xenstored and oxenstored over their unix sockets. All in wall time, as requests a second.
 */
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { compileProgram } from '#testing/dom0/test-program.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { BenchHost } from './host.ts'
import type { Figure } from './reference.ts'
import { type Client, realClients } from './xenstored-real/client.ts'

/** What the clients call it, what it is, and what one of it counts for. */
const WORKS: readonly (readonly [work: string, name: string, each?: number])[] = [
  ['reads', 'reads'],
  ['writes', 'writes'],
  ['directories', 'directories of 110 entries'],
  ['transactions', 'transactions of a read and a write'],
  ['long-transactions', 'transactions of 10 writes'],
  ['pipelined-reads', 'reads, 32 at once'],
  ['pipelined-writes', 'writes, 32 at once'],
  ['pipelined-transactions', 'transactions of a read and a write, sent at once'],
  ['watched-writes', 'writes and their own watch event'],
  ['writes-beside-watches', 'writes beside 100 watches of other nodes'],
  ['fan-out', 'watch events, 100 of each write to 10 connections', 100],
]
/** Only a domain has a ring, so nobody but ours. */
const RING_WORKS: typeof WORKS = [
  ['ring-reads', "reads by the kernel's ring"],
  ['ring-writes', "writes by the kernel's ring"],
]

const ROUNDS = 5
const ROUND_MS = 300
/** A batch of pipelined requests is not begun in vain. */
const STEP = 32

interface Rate {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** How many fill a round, three times running: until then code still becomes faster. The first call opens connections. */
async function roundOf(client: Client, work: string): Promise<number> {
  await client.run(work, 0)
  let count = STEP
  for (let full = 0; full < 3; ) {
    const ms = await client.run(work, count)
    if (ms >= ROUND_MS) full++
    else {
      full = 0
      count = Math.ceil((count * Math.min(8, (1.2 * ROUND_MS) / ms)) / STEP) * STEP
    }
  }
  return count
}

/** Requests a second of each. They take turns, so that whatever else the machine does befalls all. */
async function compare(clients: readonly Client[], work: string, each: number): Promise<Rate[]> {
  const sides = []
  for (const client of clients) sides.push({ client, count: await roundOf(client, work), rates: [] as number[] })
  for (let round = 0; round < ROUNDS; round++)
    for (const { client, count, rates } of sides) rates.push((count * each * 1000) / (await client.run(work, count)))
  return sides.map(({ rates }) => {
    rates.sort((a, b) => a - b)
    return { median: rates[ROUNDS >> 1]!, min: rates[0]!, max: rates.at(-1)! }
  })
}

/** Root's shell on COM1 runs the client; what is typed is a line of work. */
function simulated(container: Uint8Array, known: readonly string[]): Client {
  const host = new BenchHost(container, new ImageLoader(known), (disk) => {
    const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
    fs.writeFile('/root/xsbench', compileProgram('xsbench', 'testing/dom0/xsbench.ts'), 0o755)
    fs.unmount()
  })
  host.logIn()
  host.type('./xsbench\r')
  host.until('ready')
  return {
    name: 'xenstored, simulated',
    run: async (work, count) => {
      // Else the last one's `done`, before its line has ended, is taken for this one's.
      host.text = ''
      host.type(`${work} ${count}\r`)
      return host.until('done')
    },
    stop: async () => void host.run('quit'),
  }
}

const grouped = (rate: number): string => Math.round(rate).toLocaleString('en')
const range = ({ min, max }: Rate): string => `(${grouped(min)}-${grouped(max)})`

export async function benchXenstore(container: Uint8Array, known: readonly string[]): Promise<Figure[]> {
  const figures: Figure[] = []
  const ours = simulated(container, known)
  const real = await realClients()
  try {
    for (const [work, name, each = 1] of [...WORKS, ...RING_WORKS]) {
      const others = RING_WORKS.some(([ring]) => ring === work) ? [] : real
      const [here, ...rates] = await compare([ours, ...others], work, each)
      const notes = rates.map(
        (rate, i) =>
          `${others[i]!.name} ${grouped(rate.median)} ${range(rate)}: ${(here!.median / rate.median).toFixed(2)} x`,
      )
      figures.push({
        name: `XenStore: ${name}, a second`,
        value: here!.median,
        unit: 'count',
        note: [range(here!), ...notes].join('; '),
      })
    }
  } finally {
    for (const client of [ours, ...real]) await client.stop()
  }
  return figures
}
