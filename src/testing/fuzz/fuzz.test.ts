/** A few seeds of what `npm run soak` does at length, and whether what it looks for is found. */
import { describe, expect, test } from 'vitest'
import { buildDomain, play } from '../xen-builder.ts'
import { explain, runSeed } from './campaign.ts'
import { complaints } from './invariants.ts'

const CALLS = 15_000

describe('hostile guests', () => {
  test.each([1, 2, 3, 4])('seed %d', (seed) => {
    const options = { seed, calls: CALLS }
    const outcome = runSeed(options)
    if (outcome.wrong) expect.fail(explain(options, outcome))
    expect(outcome.calls).toBe(CALLS)
    expect(outcome.lives).toBeGreaterThan(2)
    // It got through: events bound and sent, grants mapped and unmapped, frames given up, got and mapped.
    for (const name of ['32/0', '32/4', '20/0', '20/1', '20/5', '12/1', '12/6', '24/10', '26/8'])
      expect(outcome.tally.get(name)?.okay, name).toBeGreaterThan(0)
  })

  test('the same seed gives the same story', () => {
    const [one, two] = [runSeed({ seed: 7, calls: 2000 }), runSeed({ seed: 7, calls: 2000, every: 100 })]
    expect([...one.tally]).toEqual([...two.tally])
    expect(one.lives).toBe(two.lives)
  })
})

test('a book that is wrong is found', () => {
  play(function* (g, { xen }) {
    const { domid, mfns } = buildDomain(g)
    const domain = xen.domains.get(domid)!
    const { frames } = xen.heap
    const mfn = mfns[8]!
    expect(complaints(xen)).toEqual([])
    const spoilt = (spoil: () => void, mend: () => void, what: RegExp): void => {
      spoil()
      expect(complaints(xen).join('\n')).toMatch(what)
      mend()
      expect(complaints(xen)).toEqual([])
    }
    const free = frames.allocated.indexOf(0, 0x4000)
    spoilt(
      () => frames.countInfo[mfn]!++,
      () => frames.countInfo[mfn]!--,
      /has 3 references, explained are entry 8 of table/,
    )
    spoilt(
      () => frames.typeInfo[mfn]!++,
      () => frames.typeInfo[mfn]!--,
      /is used as its type 2 times, not 1/,
    )
    spoilt(
      () => domain.totPages++,
      () => domain.totPages--,
      /has 17 pages, owns 16/,
    )
    spoilt(
      () => (frames.countInfo[free] = 1),
      () => (frames.countInfo[free] = 0),
      /is free and has references/,
    )
    spoilt(
      () => (frames.owner[mfn] = 9),
      () => (frames.owner[mfn] = domid),
      /of domain 9, which is no more/,
    )
    spoilt(
      () => domain.grantTable!.pin[9]!++,
      () => domain.grantTable!.pin[9]!--,
      /grant 9 of domain 1 is pinned 1, not 0/,
    )
    const [port] = domain.ports
    spoilt(
      () => Object.assign(domain.ports[5]!, { state: 'interdomain', remoteDom: 0, remotePort: 3 }),
      () => Object.assign(domain.ports[5]!, { state: 'free', remoteDom: 0, remotePort: 0 }),
      /port 5 of domain 1: the other end is/,
    )
    expect(port!.state).toBe('reserved')
    yield { kind: 'run' }
  })
})
