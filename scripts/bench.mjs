// npm run bench [-- --no-page | PART...]: prints the figures that docs/performance.md records; with parts (boot, xenstore, page, ...: bench/main.ts) theirs alone.
import { gunzipSync } from 'node:zlib'
import { buildDiskAndKnown } from './disk.mjs'
import { loadTs } from './load-ts.mjs'

const noPage = process.argv.includes('--no-page')
const parts = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const { bytes, known } = await buildDiskAndKnown()
const container = new Uint8Array(gunzipSync(bytes))
const { main } = await loadTs('bench/main.ts')
const page = async () => (noPage ? [] : (await import('../bench/page.mjs')).benchPage())
const pageDebian = async () => (noPage ? [] : (await import('../bench/page-debian.mjs')).benchPageDebian())

const figures = await main({ container, known, page, pageDebian, parts })
const width = Math.max(...figures.map(({ name }) => name.length))
for (const { name, value, unit, note = '', reference } of figures) {
  const ratio =
    unit === 'ms'
      ? `${(value / reference).toFixed(2)} x reference (${reference.toFixed(0)} ms)`
      : note && `${note} (reference ${reference.toFixed(0)} ms)`
  console.log(`${name.padEnd(width)}  ${value.toFixed(unit === 'KiB' ? 0 : 2).padStart(9)} ${unit.padEnd(5)} ${ratio}`)
}
process.exit(0)
