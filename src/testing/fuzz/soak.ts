/** `npm run soak`: the fuzz at length, over many seeds; or one seed, to see again what broke. */
import { explain, runSeed } from './campaign.ts'

const USAGE = 'npm run soak [-- --seed N] [--calls N] [--seeds N] [--every N]'
/** Together two million calls. */
const SEEDS = 100
const CALLS = 20_000

/** What came of it: true, when nothing broke. `say` gets a line at a time. */
export function soak(args: readonly string[], now: () => number, say: (line: string) => void): boolean {
  const given = new Map<string, number>()
  for (let i = 0; i < args.length; i += 2) {
    const value = Number(args[i + 1])
    if (!/^--(seed|calls|seeds|every)$/.test(args[i]!) || !Number.isInteger(value) || value < 0) {
      say(USAGE)
      return false
    }
    given.set(args[i]!.slice(2), value)
  }
  const first = given.get('seed') ?? 1
  const seeds = given.get('seeds') ?? (given.has('seed') ? 1 : SEEDS)
  const calls = given.get('calls') ?? CALLS
  const every = given.get('every') ?? 1000
  const began = now()
  const sums = { calls: 0, lives: 0, okay: 0, refused: 0 }
  let broken = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const options = { seed, calls, every }
    const outcome = runSeed(options)
    sums.calls += outcome.calls
    sums.lives += outcome.lives
    for (const { okay, refused } of outcome.tally.values()) {
      sums.okay += okay
      sums.refused += refused
    }
    if (outcome.wrong) {
      broken++
      say(explain(options, outcome))
    }
    if ((seed - first + 1) % 10 === 0 || seed === first + seeds - 1)
      say(`${seed - first + 1} of ${seeds} seeds, ${sums.calls} calls, ${Math.round((now() - began) / 1000)} s`)
  }
  say(
    `${sums.calls} hypercalls (${sums.okay} did something, ${sums.refused} were refused), ${sums.lives} pairs of hostile ` +
      `domains destroyed, ${broken} of ${seeds} seeds broken`,
  )
  return broken === 0
}
