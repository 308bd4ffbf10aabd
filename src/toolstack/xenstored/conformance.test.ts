/** Every request by everybody (testing/xenstore/cases.ts), to the whole daemon: bytes over sockets and rings, in portions, to its own loop and back. */
import { expect, test } from 'vitest'
import { CASES, LENT, SETUP, spelledOut } from '#testing/xenstore/cases.ts'
import { MERGE_CASES, MERGE_SETUP, MERGES } from '#testing/xenstore/cases-merges.ts'
import { QUOTA_CASES, QUOTA_SETUP, SMALL } from '#testing/xenstore/cases-quotas.ts'
import { OPS } from '#testing/xenstore/ops.ts'
import { WireWorld } from '#testing/xenstore/wire-world.ts'

const ROWS = [...spelledOut([...CASES, ...QUOTA_CASES]), ...MERGE_CASES]

test('there are enough of them, by sockets and by other domains’ rings', () => {
  expect(CASES.length + QUOTA_CASES.length).toBeGreaterThanOrEqual(300)
  const by = (who: RegExp): number => ROWS.filter(([, script]) => who.test(script)).length
  expect(by(/^ *[sr](?:#\d+)? \w/m)).toBeGreaterThanOrEqual(300)
  expect(by(/^ *[1-9](?:#\d+)? \w/m)).toBeGreaterThanOrEqual(300)
})

test('every type of message is asked by both, so that it succeeds and so that it fails', () => {
  const seen = new Set<string>()
  for (const [, script] of ROWS)
    for (const [, who, op, told] of script.matchAll(/^ *([sr1-9])(?:#\d+)? (\w+) .*=> (.*)$/gm)) {
      const one = /\d/.test(who!) ? 'domain' : 'socket'
      seen.add(`${one} ${op} ${told!.startsWith('!') ? 'fails' : 'succeeds'}`)
    }
  for (const op of Object.keys(OPS).filter((name) => !/^T\d|EVENT|ERROR/.test(name)))
    for (const one of ['domain', 'socket']) {
      expect(seen).toContain(`${one} ${op} fails`)
      const refused = one === 'domain' && ['INTRO', 'RELEASE', 'RESUME', 'TARGET', 'DEBUG'].includes(op)
      expect([one, op, seen.has(`${one} ${op} succeeds`)]).toEqual([one, op, !refused])
    }
})

test.each(spelledOut(CASES).map(([title, script], seed) => ({ title, script, seed })))(
  '$title',
  ({ title, script, seed }) => {
    const world = new WireWorld({ seed })
    world.run(SETUP)
    for (const domid of [1, 2]) world.introduce(domid)
    if (title.endsWith('(3)')) {
      world.introduce(3)
      world.run(LENT)
    }
    world.build(5, 100, 3)
    world.run(script)
  },
)

test.each(spelledOut(QUOTA_CASES).map(([title, script], seed) => ({ title, script, seed })))(
  'quota: $title',
  ({ script, seed }) => {
    const world = new WireWorld({ seed, args: SMALL })
    world.run(QUOTA_SETUP)
    world.introduce(1)
    world.run(script)
  },
)

test.each(MERGE_CASES.map(([title, script], seed) => ({ title, script, seed })))(
  'merge: $title',
  ({ script, seed }) => {
    const world = new WireWorld({ seed, args: MERGES })
    world.run(MERGE_SETUP)
    world.introduce(1)
    world.run(script)
  },
)
