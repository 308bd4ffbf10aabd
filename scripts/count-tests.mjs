// Adds up the reports of Vitest and Playwright and prints 'N passed, N failed' for CI. Exits 1 where a report is missing.
import { existsSync, readFileSync } from 'node:fs'

const totals = { passed: 0, failed: 0, skipped: 0 }
const read = (file) => {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
  console.error(`${file} is missing: that part of the tests did not run`)
  process.exitCode = 1
  totals.failed += 1
  return undefined
}

const unit = read('.cache/reports/unit.json')
if (unit) {
  totals.passed += unit.numPassedTests
  totals.failed += unit.numFailedTests + (unit.success || unit.numFailedTests > 0 ? 0 : 1)
  totals.skipped += unit.numPendingTests
}

const e2e = read('.cache/reports/e2e.json')
if (e2e) {
  totals.passed += e2e.stats.expected + e2e.stats.flaky
  totals.failed += e2e.stats.unexpected + e2e.errors.length
  totals.skipped += e2e.stats.skipped
}

if (totals.skipped > 0)
  console.log(
    `${totals.skipped} skipped (on the phone: what is the same there; a missing Debian package is named above)`,
  )
console.log(`${totals.passed} passed, ${totals.failed} failed`)
