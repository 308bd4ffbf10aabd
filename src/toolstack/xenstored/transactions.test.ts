/** Thousands of operations of five connections, with transactions between each other, against a model that copies everything. */
import { expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { World } from '#testing/xenstored-rig.ts'

/** Nodes by path; a Map keeps the order of creation. */
type Model = Map<string, string>

const PATHS = ['/w', '/w/a', '/w/a/b', '/w/a/b/c', '/w/d', '/w/d/e', '/w/ab', '/w/d/e/f/g']

const up = (path: string): string => path.slice(0, path.lastIndexOf('/'))
const below = (path: string, top: string): boolean => path === top || path.startsWith(`${top}/`)

function write(model: Model, path: string, value: string | undefined): boolean {
  const there = model.has(path)
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))
    if (!model.has(path.slice(0, end))) model.set(path.slice(0, end), '')
  if (!there || value !== undefined) model.set(path, value ?? '')
  return !there || value !== undefined
}

interface Open {
  readonly model: Model
  readonly generation: number
  readonly changes: Map<string, boolean>
}

test.each([1, 2, 3, 4])('five connections and a model agree (seed %i)', (seed) => {
  const world = new World()
  world.who.set('t', world.store.connect(true))
  world.run(
    's WRITE /w| => OK|\n s CHMOD /w|b0| => OK|\n r WATCH /w|all| => OK| ~/w|all|\n r WATCH /w/a/b|ab| => OK| ~/w/a/b|ab|',
  )
  const rng = createRng(seed)
  let model: Model = new Map([['/w', '']])
  let generation = 0
  const open = new Map<string, Open>()
  let commits = 0
  let conflicts = 0
  let events: string[] = []
  const fire = (path: string, removed: boolean): void => {
    if (below(path, '/w') || (removed && below('/w', path))) events.push(`~${below(path, '/w') ? path : '/w'}|all|`)
    if (below(path, '/w/a/b')) events.push(`~${path}|ab|`)
    else if (removed && below('/w/a/b', path)) events.push('~/w/a/b|ab|')
  }
  let who = 's'
  for (let step = 0; step < 3000; step++) {
    // Mostly the same as before: a transaction has to have a chance.
    if (rng.below(6) === 0) who = rng.pick(['s', 't', '0', '1', '2'])
    const mine = [...open.keys()].filter((key) => key.startsWith(`${who}#`))
    const inside = mine.length > 0 && rng.below(4) > 0 ? rng.pick(mine) : who
    const transaction = open.get(inside)
    const seen = transaction?.model ?? model
    const path = rng.pick(PATHS)
    const value = String(rng.below(100))
    events = []
    const changed = (removed: boolean): void => {
      if (transaction) {
        if (!transaction.changes.has(path)) transaction.changes.set(path, removed)
      } else {
        generation++
        fire(path, removed)
      }
    }
    let request: string
    let wanted: string
    switch (rng.below(8)) {
      case 0:
      case 1:
        request = `WRITE ${path}|${value}`
        wanted = 'OK|'
        write(seen, path, value)
        changed(false)
        break
      case 2:
        request = `MKDIR ${path}|`
        wanted = 'OK|'
        if (write(seen, path, undefined)) changed(false)
        break
      case 3: {
        // The model's top stays: all below it may be done by all.
        if (path === '/w') continue
        request = `RM ${path}|`
        wanted = seen.has(up(path)) ? 'OK|' : '!ENOENT'
        const gone = [...seen.keys()].filter((other) => below(other, path))
        for (const other of gone) seen.delete(other)
        if (gone.length > 0) changed(true)
        break
      }
      case 4:
        request = `READ ${path}|`
        wanted = seen.has(path) ? seen.get(path)! || '_' : '!ENOENT'
        break
      case 5:
        request = `DIR ${path}|`
        wanted = seen.has(path)
          ? [...seen.keys()]
              .filter((other) => up(other) === path)
              .map((other) => `${other.slice(path.length + 1)}|`)
              .join('') || '_'
          : '!ENOENT'
        break
      case 6: {
        request = 'START |'
        if (transaction) {
          wanted = '!EBUSY'
          break
        }
        if (mine.length >= 3) continue
        const id = Number.parseInt(world.say(`${who} START |`), 10)
        open.set(`${who}#${id}`, { model: new Map(model), generation, changes: new Map() })
        continue
      }
      default: {
        const commit = rng.below(3) > 0
        request = `END ${commit ? 'T' : 'F'}|`
        if (!transaction) {
          wanted = '!ENOENT'
          break
        }
        open.delete(inside)
        if (commit && transaction.generation !== generation) {
          wanted = '!EAGAIN'
          conflicts++
          break
        }
        wanted = 'OK|'
        if (!commit) break
        commits++
        model = transaction.model
        for (const [where, removed] of transaction.changes) fire(where, removed)
        generation++
      }
    }
    const label = `${step}: ${inside} ${request}`
    expect(`${label} => ${world.say(`${inside} ${request}`)}`).toBe(`${label} => ${wanted}`)
    expect(`${label}: ${world.told('r')}`).toBe(`${label}: ${events.join(' ')}`)
  }
  expect(commits).toBeGreaterThan(20)
  expect(conflicts).toBeGreaterThan(20)
  const real = [...world.store.tree.walk()]
    .filter(([path]) => below(path, '/w'))
    .map(([path, { value }]) => `${path}=${value}`)
  expect(real.sort()).toEqual([...model].map(([path, value]) => `${path}=${value}`).sort())
  expect(world.store.tree.check()).toEqual([])
})
