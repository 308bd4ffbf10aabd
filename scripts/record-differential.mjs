/**
 * Runs every snippet of src/testing/differential/cases on this machine's dash and coreutils and writes what they answered to
 * src/testing/differential/recorded.json. Needs dash (Debian: apt-get install dash). Names of groups limit it: node scripts/record-differential.mjs shell
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'vite'

const file = new URL('../src/testing/differential/recorded.json', import.meta.url)
const server = await createServer({
  configFile: false,
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  appType: 'custom',
  optimizeDeps: { noDiscovery: true },
  logLevel: 'error',
})
try {
  const { groups } = await server.ssrLoadModule('/src/testing/differential/groups.ts')
  const { runNatively } = await server.ssrLoadModule('/src/testing/differential/native.ts')
  let recorded = {}
  try {
    recorded = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // The first recording.
  }
  const wanted = process.argv.slice(2)
  for (const [name, rows] of Object.entries(groups)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    recorded[name] = Object.fromEntries(rows.map((row) => [row.name, runNatively(row)]))
    process.stdout.write(`${name}: ${rows.length}\n`)
  }
  writeFileSync(file, JSON.stringify(recorded, null, 2) + '\n')
} finally {
  await server.close()
}
