// npm run coverage: runs the tiny test guests and writes docs/coverage.md, what each hypercall has answered them.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadTs } from './load-ts.mjs'

const { main } = await loadTs('src/testing/coverage/main.ts')
const { text, missing, failures } = main()
for (const failure of failures) console.error(failure)
if (missing.length > 0) console.error(`no guest tries: ${missing.join(', ')}`)
if (failures.length > 0 || missing.length > 0) process.exit(1)
writeFileSync(resolve(import.meta.dirname, '..', 'docs', 'coverage.md'), text)
process.exit(0)
