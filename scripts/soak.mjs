// npm run soak: the fuzz of the hypervisor at length, two million hypercalls, then all of the tests that otherwise do some of what they could.
// npm run soak -- --seed N --calls N: one seed of the fuzz again.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadTs } from './load-ts.mjs'

const root = resolve(import.meta.dirname, '..')
const args = process.argv.slice(2)
const { soak } = await loadTs('src/testing/fuzz/soak.ts')
const okay = soak(
  args,
  () => performance.now(),
  (line) => console.log(line),
)
if (!okay || args.length > 0) process.exit(okay ? 0 : 1)

const campaigns = readdirSync(join(root, 'src'), { recursive: true })
  .map((path) => join('src', String(path)))
  .filter((path) => path.endsWith('.test.ts') && readFileSync(join(root, path), 'utf8').includes('import { campaign }'))
if (campaigns.length === 0) process.exit(0)
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const { status } = spawnSync(process.execPath, [vitest, 'run', ...campaigns], {
  cwd: root,
  env: { ...process.env, SOAK: '1' },
  stdio: 'inherit',
})
process.exit(status ?? 1)
