/** What a listener makes of the lines is the store, whatever happened. */
import { expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { Fold } from '#testing/xenstore/fold.ts'
import { World } from '#testing/xenstored-rig.ts'
import { traceAll } from './access-trace.ts'

test('lines as documented', () => {
  const lines: string[] = []
  const world = new World({ access: (line) => lines.push(line) })
  world.run(`
    s WRITE /a/b|x^ => OK|
    s CHMOD /a/b|n5|r0| => OK|
    0 START | => 1|
    0#1 RM /a/b| => OK|
    0#1 WRITE /a/b|y => OK|
    0#1 RM /none| => OK|
    0#1 END T| => OK|
    s RM /a| => OK|
    1 WRITE /a|1 => !EACCES
  `)
  expect(lines).toEqual([
    'set\t0\t1\t/a\tn0\t\n',
    'set\t0\t1\t/a/b\tn0\tx\\n\n',
    'set\t0\t1\t/a/b\tn5,r0\tx\\n\n',
    'rm\t0\t3\t/a/b\n',
    'set\t0\t3\t/a/b\tn0\ty\n',
    'rm\t0\t1\t/a\n',
  ])
})

test('what lay below a node that a transaction removes is told behind it if it is there again, else not at all', () => {
  const lines: string[] = []
  const world = new World({ access: (line) => lines.push(line) })
  world.run('s WRITE /a/b|1 => OK|\n s WRITE /c/d|1 => OK|')
  lines.length = 0
  world.run(`
    s START | => 1|
    s#1 WRITE /a/b|2 => OK|
    s#1 RM /a| => OK|
    s#1 WRITE /a/b|3 => OK|
    s#1 RM /c/d| => OK|
    s#1 WRITE /c/d|2 => OK|
    s#1 RM /c| => OK|
    s#1 END T| => OK|
  `)
  expect(lines).toEqual(['rm\t0\t1\t/a\n', 'set\t0\t1\t/a\tn0\t\n', 'set\t0\t1\t/a/b\tn0\t3\n', 'rm\t0\t1\t/c\n'])
})

test('a fold over the lines is the tree, through transactions and removals', () => {
  const rng = createRng(5)
  const fold = new Fold()
  const world = new World({ access: fold.line })
  traceAll(fold.line, world.store.tree)
  const open: string[] = []
  for (let i = 0; i < 3000; i++) {
    const path = rng.pick(['/a', '/a/b', '/a/b/c', '/d', '/d/e/f', '/d/e'])
    const inside = open.length > 0 && rng.below(2) ? rng.pick(open) : 's'
    const request = rng.pick([
      `WRITE ${path}|${rng.u32()}\\\t^\xff`,
      `RM ${path}|`,
      `MKDIR ${path}|`,
      `CHMOD ${path}|n${rng.below(9)}|r1|`,
    ])
    world.say(`${inside} ${request}`)
    if (open.length < 2 && rng.below(9) === 0) open.push(`s#${Number.parseInt(world.say('s START |'), 10)}`)
    if (open.length > 0 && rng.below(9) === 0) world.say(`${open.pop()} END T|`)
    if (i % 50 === 0) expectSame()
  }
  expectSame()

  function expectSame(): void {
    const real = [...world.store.tree.walk()].map(
      ([path, { perms, value }]) => `${path} ${perms.map((p) => `${'nrwb'[p.perms]}${p.id}`).join()} ${value}`,
    )
    expect(fold.shown()).toEqual(real.sort())
  }
})
