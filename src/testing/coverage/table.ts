/** docs/coverage.md: what each hypercall answers, as the tiny test guests have seen it. */
import * as errno from '#abi/xen/errno.ts'
import * as grantTable from '#abi/xen/grant_table.ts'
import type { GuestReport } from '../guest-runner.ts'
import { FAMILIES, type Family, notApplicable, UNASSIGNED } from './interface.ts'
import type { Observation } from './observe.ts'

const SHOWN_MAX = 3

/** Constants of `header` by value. */
const namesOf = (header: object, which: RegExp): ReadonlyMap<number, string> =>
  new Map(
    Object.entries(header as Record<string, unknown>)
      .filter((entry): entry is [string, number] => which.test(entry[0]) && typeof entry[1] === 'number')
      .map(([name, value]) => [value, name]),
  )
const ERRORS = namesOf(errno, /^E/)
const STATUSES = namesOf(grantTable, /^GNTST_/)

interface Seen extends Observation {
  readonly guest: string
}

const answer = ({ result, status }: Observation): number => (result === 0 ? (status ?? 0) : result)
const errorName = (seen: Observation): string =>
  (seen.result === 0 ? STATUSES.get(seen.status!) : ERRORS.get(-seen.result)) ?? `${answer(seen)}`

const unique = (list: readonly string[]): string[] => [...new Set(list)]
const code = (list: readonly string[]): string => list.map((name) => `\`${name}\``).join(', ')

/** How the sub-op answers, and who has seen it. Undefined: nobody has tried. */
function row(name: string, seen: readonly Seen[]): string | undefined {
  if (seen.length === 0) return undefined
  const okay = seen.filter((each) => answer(each) >= 0)
  const refused = seen.filter((each) => answer(each) < 0)
  const errors = unique(refused.map(errorName)).sort()
  const why = notApplicable(name)
  const first = why === undefined && okay.length > 0 ? okay : refused.length > 0 ? refused : okay
  const guests = unique([...first, ...seen].map(({ guest }) => guest)).slice(0, SHOWN_MAX)
  const refusals = errors.length > 0 ? code(errors) : '0'
  const says =
    why !== undefined
      ? `not applicable: ${why}; answers ${okay.length > 0 ? unique(okay.map((each) => `${answer(each)}`)).join(', ') : refusals}`
      : okay.length > 0
        ? `works${errors.length > 0 ? `; refuses with ${refusals}` : ''}`
        : `refused with ${refusals}`
  return `${says} | ${code(guests)}`
}

export interface Coverage {
  readonly text: string
  /** What no guest has tried. */
  readonly missing: readonly string[]
}

export function coverage(reports: readonly GuestReport[]): Coverage {
  const all: Seen[] = reports
    .filter(({ outcome }) => outcome === 'success')
    .flatMap(({ name, observations }) => observations.map((each) => ({ ...each, guest: name })))
  const missing: string[] = []
  const lines: string[] = []
  const add = (family: Family, name: string, seen: readonly Seen[]): void => {
    const cells = row(name, seen)
    if (cells === undefined) missing.push(name)
    else lines.push(`| ${family.nr} | ${family.name} | ${name === family.name ? '' : `\`${name}\``} | ${cells} |`)
  }
  for (const family of FAMILIES) {
    const seen = all.filter(({ nr }) => nr === family.nr)
    if (family.ops.length === 0) add(family, family.name, seen)
    for (const [name, number] of family.ops)
      add(
        family,
        name,
        seen.filter(({ sub }) => sub === number),
      )
  }
  for (const number of UNASSIGNED) {
    const seen = all.filter(({ nr }) => nr === number)
    if (seen.length === 0 || seen.some(({ result }) => result !== -errno.ENOSYS)) missing.push(`hypercall ${number}`)
  }
  const guests = unique(all.filter(({ nr }) => UNASSIGNED.includes(nr)).map(({ guest }) => guest))
  lines.push(`| ${ranges(UNASSIGNED)} | not assigned | | refused with \`ENOSYS\` | ${code(guests)} |`)
  return { text: `${HEAD}${lines.join('\n')}\n`, missing }
}

/** `1, 3-5`. */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length; ) {
    let last = i
    while (numbers[last + 1] === numbers[last]! + 1) last++
    parts.push(last === i ? `${numbers[i]}` : `${numbers[i]}-${numbers[last]}`)
    i = last + 1
  }
  return parts.join(', ')
}

const HEAD = `# What each hypercall answers

Every hypercall and sub-op of Xen 3.3's public headers for x86 PV guests, as the tiny test guests of \`src/testing/guests\` have seen them
answered: *works* has done what was asked in a guest whose checks all passed, *refused* names the errors that were met, *not applicable*
says why there is nothing to do and what is answered all the same. Written by \`npm run coverage\`; a sub-op that no guest tries, or a table
that is not up to date, fails the tests.

| Number | Hypercall | Sub-op | Answer | Shown by |
| --- | --- | --- | --- | --- |
`
