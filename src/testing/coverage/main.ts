/** `npm run coverage`: the table, or what is in its way. */
import { runGuests } from '../guest-runner.ts'
import { GUESTS } from '../guests/index.ts'
import { type Coverage, coverage } from './table.ts'

export function main(): Coverage & { readonly failures: readonly string[] } {
  const reports = runGuests(GUESTS)
  const failures = reports
    .filter(({ outcome }) => outcome !== 'success')
    .map(({ name, outcome }) => `${name}: ${outcome}`)
  return { ...coverage(reports), failures }
}
