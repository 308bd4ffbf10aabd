/** What guests cost that do nothing: a process of its own has a host full of them, and nothing else. */
import { execFileSync } from 'node:child_process'
import { ImageLoader } from '#world/realm/loader.ts'
import { BenchHost } from './host.ts'
import { type Figure, millis } from './reference.ts'

const GUESTS = 200
const MACHINE_MIB = 2048
const IDLE_SECONDS = 100

export function benchIdle(): Figure[] {
  const script = `import { gunzipSync } from 'node:zlib'
import { buildDiskAndKnown } from './scripts/disk.mjs'
import { loadTs } from './scripts/load-ts.mjs'
const { bytes, known } = await buildDiskAndKnown()
const { idle } = await loadTs('bench/idle.ts')
process.stdout.write(JSON.stringify(idle(new Uint8Array(gunzipSync(bytes)), known)))
process.exit(0)`
  const args = ['--expose-gc', '--input-type=module', '-e', script]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

const mib = (bytes: number): number => bytes / 2 ** 20

/** In that process. All of its memory counts: Node's own, the machine's RAM as far as it was touched, heap, buffers. */
export function idle(container: Uint8Array, known: readonly string[]): Figure[] {
  const host = new BenchHost(container, new ImageLoader(known), undefined, MACHINE_MIB)
  host.logIn()
  const created = host.run(`for n in $(seq ${GUESTS}); do xm create minimal name=m$n > /dev/null; done`)
  host.pass(5)
  const asItIs = process.memoryUsage().rss
  const ms = millis(() => host.pass(IDLE_SECONDS))
  globalThis.gc?.()
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const of = `${GUESTS} idle guests of 8 MiB`
  return [
    { name: `a minimal guest created, of ${GUESTS}`, unit: 'ms', value: created / GUESTS },
    { name: `${of}: share of a core`, unit: '%', value: ms / (IDLE_SECONDS * 10) },
    { name: `${of}: resident memory`, unit: 'MiB', value: mib(asItIs) },
    { name: `${of}: the same, garbage collected`, unit: 'MiB', value: mib(rss) },
    { name: `${of}: heap and buffers in use`, unit: 'MiB', value: mib(heapUsed + arrayBuffers) },
  ]
}
