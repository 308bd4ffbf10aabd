/** The explorer without React: what is gathered for a picture, what is open, what is marked, what a filter leaves. */
import { describe, expect, test } from 'vitest'
import { parseAccess, type StoreChange, StoreTree } from '#protocol/xenstore-tree.ts'
import { fold, initialState } from '../../store/store.ts'
import { Explorer, TELL_MS } from './explorer.ts'
import { FLASH_MS } from './flashes.ts'
import { FOLLOW_MS } from './following.ts'
import { ancestorsOf, domainNameAt, nearest, parentPath } from './rows.ts'

function rig(...lines: string[]) {
  const xenstore = new StoreTree()
  const frames: (() => void)[] = []
  const timers: { atMs: number; run: () => void }[] = []
  let now = 0
  let listener: (changes: readonly StoreChange[]) => void = () => {}
  const told: number[] = []
  const heard = (...said: string[]): void => {
    const changes = said.map((line) => parseAccess(line)!)
    for (const change of changes) xenstore.apply(change)
    listener(changes)
  }
  heard(...lines)
  const explorer = new Explorer({
    xenstore,
    openLink: () => {
      throw new Error('nothing is asked here')
    },
    onXenstore: (given) => {
      listener = given
    },
    frame: (run) => void frames.push(run),
    after: (ms, run) => void timers.push({ atMs: now + ms, run }),
    nowMs: () => now,
  })
  explorer.subscribe(() => told.push(explorer.version()))
  const pass = (ms: number): void => {
    now += ms
    for (const timer of timers.splice(0))
      if (timer.atMs <= now) timer.run()
      else timers.push(timer)
  }
  return {
    explorer,
    heard,
    told,
    frames,
    /** The next one that is made. */
    picture: () => {
      pass(TELL_MS)
      for (const run of frames.splice(0)) run()
    },
    pass,
    paths: () => Array.from({ length: explorer.rowCount }, (_, i) => explorer.rowAt(i)!.path),
    lose: () => {
      xenstore.clear()
      listener([])
    },
  }
}

const set = (path: string, value = '', domid = 0, perms = 'n0'): string =>
  `set\t${domid}\t7\t${path}\t${perms}\t${value}`
const rm = (path: string, domid = 0): string => `rm\t${domid}\t7\t${path}`
const SMALL = [
  'new',
  set('/'),
  set('/tool'),
  set('/tool/xenstored'),
  set('/local'),
  set('/local/domain'),
  set('/local/domain/0'),
  set('/local/domain/0/name', 'Domain-0'),
  set('/local/domain/0/memory'),
  set('/local/domain/0/memory/target', '262144'),
]

describe('rows', () => {
  test('at first the domains are in sight', () => {
    expect(rig(...SMALL).paths()).toEqual(['/tool', '/local', '/local/domain', '/local/domain/0'])
  })

  test('open and shut, all or one', () => {
    const { explorer, paths } = rig(...SMALL)
    explorer.setAll(true)
    expect(paths()).toHaveLength(8)
    expect(explorer.rowAt(2)).toEqual({
      path: '/local',
      node: explorer.node('/local'),
      parent: '/',
      level: 0,
      index: 2,
      setSize: 2,
      posInSet: 1,
    })
    expect(explorer.rowAt(8)).toBeUndefined()
    expect(explorer.rowAt(-1)).toBeUndefined()
    explorer.shut('/local/domain/0')
    expect(paths()).toHaveLength(5)
    explorer.setAll(false)
    expect(paths()).toEqual(['/tool', '/local'])
    explorer.open('/tool')
    expect(paths()).toEqual(['/tool', '/tool/xenstored', '/local'])
  })

  test('a value that changes moves no row; a node that comes or goes in what is open does', () => {
    const { explorer, heard, picture, paths } = rig(...SMALL)
    explorer.followChanges(false)
    explorer.setAll(true)
    const before = paths()
    heard(set('/local/domain/0/memory/target', '1'))
    picture()
    expect(paths()).toEqual(before)
    expect(explorer.rowAt(7)!.node).toMatchObject({ name: 'target', value: '1' })
    heard(set('/local/domain/0/new'))
    picture()
    expect(paths()).toEqual([...before, '/local/domain/0/new'])
    heard(rm('/local/domain/0/memory'))
    picture()
    expect(paths()).toEqual([...before.slice(0, -2), '/local/domain/0/new'])
    expect(explorer.indexOf('/local/domain/0/new')).toBe(6)
    expect(explorer.indexOf('/local/domain/0/memory/target')).toBe(-1)
  })
})

describe('changes', () => {
  test('are told once a picture, however many there were', () => {
    const { explorer, heard, told, frames, picture } = rig(...SMALL)
    explorer.followChanges(false)
    told.length = 0
    for (let i = 0; i < 500; i++) heard(set(`/local/domain/0/n${i}`))
    expect(frames).toHaveLength(1)
    expect(told).toHaveLength(0)
    picture()
    expect(told).toHaveLength(1)
    expect(explorer.last).toEqual({
      number: SMALL.length + 500,
      kind: 'set',
      path: '/local/domain/0/n499',
      value: '',
      domid: 0,
    })
  })

  test('are marked with who made them, until it is over', () => {
    const { explorer, heard, picture, pass, told } = rig(...SMALL)
    explorer.followChanges(false)
    explorer.setAll(true)
    heard(set('/local/domain/0/memory/target', '5', 3))
    picture()
    expect(explorer.flashes.get('/local/domain/0/memory/target')).toMatchObject({ domid: 3, kind: 'here' })
    const first = explorer.flashes.get('/local/domain/0/memory/target')!.id
    heard(set('/local/domain/0/memory/target', '5'))
    picture()
    expect(explorer.flashes.get('/local/domain/0/memory/target')).toMatchObject({ domid: 0 })
    expect(explorer.flashes.get('/local/domain/0/memory/target')!.id).not.toBe(first)
    told.length = 0
    pass(FLASH_MS / 2)
    expect(told).toHaveLength(0)
    pass(FLASH_MS)
    expect(explorer.flashes.size).toBe(0)
    expect(told).toHaveLength(1)
  })

  test('in what is shut are marked where it is shut', () => {
    const { explorer, heard, picture } = rig(...SMALL)
    explorer.followChanges(false)
    heard(set('/local/domain/0/memory/target', '5'))
    picture()
    expect(explorer.flashes.get('/local/domain/0')).toMatchObject({ kind: 'below' })
  })

  test('a removal is marked at the parent, and takes the node’s mark with it', () => {
    const { explorer, heard, picture } = rig(...SMALL)
    heard(set('/local/domain/0/memory', '5'))
    picture()
    heard(rm('/local/domain/0/memory'))
    picture()
    // Where it was shut, a change below was marked, and is no more.
    expect(explorer.flashes.entries()).toEqual([
      ['/local/domain/0', expect.objectContaining({ kind: 'gone', domid: 0 })],
    ])
    expect(explorer.last).toMatchObject({ kind: 'rm', path: '/local/domain/0/memory' })
  })

  test('what a listener is told that has just come is nobody’s doing', () => {
    const { explorer, heard, picture } = rig()
    heard('new', ...SMALL.slice(1).map((line) => line.replace('\t7\t', '\t0\t')))
    picture()
    expect(explorer.rowCount).toBe(4)
    expect(explorer.flashes.size).toBe(0)
    expect(explorer.last).toBeUndefined()
  })
})

describe('following', () => {
  test('opens and shows what changes, and selects nothing', () => {
    const { explorer, heard, picture, paths } = rig(...SMALL)
    const { selected } = explorer
    heard(set('/local/domain/1'), set('/local/domain/1/name', 'sebastian'))
    picture()
    expect(paths()).toContain('/local/domain/1/name')
    expect(explorer.scroll.path).toBe('/local/domain/1/name')
    expect(explorer.selected).toBe(selected)
  })

  test('or not', () => {
    const { explorer, heard, picture, paths } = rig(...SMALL)
    explorer.followChanges(false)
    const { scroll } = explorer
    heard(set('/local/domain/1'), set('/local/domain/1/name', 'sebastian'))
    picture()
    expect(paths()).toContain('/local/domain/1')
    expect(paths()).not.toContain('/local/domain/1/name')
    expect(explorer.scroll).toBe(scroll)
  })
})

describe('following a thousand changes in a second', () => {
  const hot = Array.from({ length: 40 }, (_, i) => set(`/local/domain/${i + 1}/data/hot`, 'x', i + 1))

  test('one picture in a while, however long it goes on', () => {
    const { explorer, heard, told, frames, pass } = rig(...SMALL, ...hot)
    explorer.followChanges(false)
    told.length = 0
    let pictures = 0
    for (let ms = 0; ms < 2000; ms += 8) {
      heard(...hot.slice(0, 8))
      pass(8)
      for (const run of frames.splice(0)) {
        run()
        pictures++
      }
    }
    expect(pictures).toBeGreaterThan(15)
    expect(pictures).toBeLessThanOrEqual(2000 / TELL_MS + 1)
    // The marks that go are told, too.
    expect(told.length).toBeLessThanOrEqual(pictures + 2)
  })

  test('goes on to the last one, but not faster than an eye, and opens not all of them', () => {
    const { explorer, heard, picture, pass, frames } = rig(...SMALL, ...hot)
    heard(...hot)
    picture()
    expect(explorer.scroll).toMatchObject({ path: '/local/domain/40/data/hot', count: 1 })
    expect(explorer.isOpen('/local/domain/40')).toBe(true)
    expect(explorer.isOpen('/local/domain/20')).toBe(false)
    heard(...hot.slice(0, 30))
    picture()
    expect(explorer.scroll.count).toBe(1)
    pass(FOLLOW_MS)
    for (const run of frames.splice(0)) run()
    expect(explorer.scroll).toMatchObject({ path: '/local/domain/30/data/hot', count: 2 })
    // What was to be shown is gone before its time came.
    heard(set('/tool/short'))
    picture()
    heard('rm\t0\t0\t/tool/short')
    picture()
    pass(FOLLOW_MS)
    picture()
    expect(explorer.scroll.count).toBe(2)
  })
})

describe('the selected node', () => {
  test('when it goes, the nearest that is left above it is selected; not while something is being done to it', () => {
    const { explorer, heard, picture } = rig(...SMALL)
    explorer.reveal('/local/domain/0/memory/target')
    explorer.act('edit')
    heard(rm('/local/domain/0/memory'))
    picture()
    expect(explorer.selected).toBe('/local/domain/0/memory/target')
    explorer.act(undefined)
    heard(set('/tool/x'))
    picture()
    explorer.reveal('/local/domain/0/name')
    heard(rm('/local/domain/0'))
    picture()
    expect(explorer.selected).toBe('/local/domain')
  })

  test('what is done to one is not done to the next', () => {
    const { explorer } = rig(...SMALL)
    explorer.select('/tool')
    explorer.act('add')
    expect(explorer.action).toEqual({ kind: 'add', path: '/tool' })
    explorer.select('/local')
    expect(explorer.action).toBeUndefined()
  })

  test('a reveal opens the way, ends the filter that hides it, and falls back to what is there', () => {
    const { explorer, paths } = rig(...SMALL)
    explorer.setAll(false)
    explorer.filterBy('xenstored')
    explorer.reveal('/local/domain/0/memory/target')
    expect(explorer.filterText).toBe('')
    expect(paths()).toContain('/local/domain/0/memory/target')
    expect(explorer.follow).toBe(false)
    explorer.reveal('/local/domain/9/name')
    expect(explorer.selected).toBe('/local/domain')
  })

  test('what is not there yet is revealed when it comes, unless something else was chosen', () => {
    const { explorer, heard, picture } = rig(...SMALL)
    explorer.reveal('/tool/new', true)
    expect(explorer.selected).toBe('/tool')
    heard(set('/tool/new'))
    picture()
    expect(explorer.selected).toBe('/tool/new')
    expect(explorer.scroll).toMatchObject({ path: '/tool/new', focus: true })
    explorer.reveal('/tool/late')
    explorer.select('/local')
    heard(set('/tool/late'))
    picture()
    expect(explorer.selected).toBe('/local')
  })

  test('what is not there yet is waited for while the focus comes back to where it was', () => {
    const { explorer, heard, picture } = rig(...SMALL)
    explorer.reveal('/tool/new', true)
    explorer.select('/tool')
    heard(set('/tool/new'))
    picture()
    expect(explorer.selected).toBe('/tool/new')
  })

  test('asked for by another panel once, it is revealed once', () => {
    const { explorer } = rig(...SMALL)
    const first = fold(initialState, { type: 'reveal', path: '/tool/xenstored' })
    explorer.revealOnce(first.revealed!)
    expect(explorer.selected).toBe('/tool/xenstored')
    explorer.select('/local')
    explorer.revealOnce(first.revealed!)
    expect(explorer.selected).toBe('/local')
    explorer.revealOnce(fold(first, { type: 'reveal', path: '/tool/xenstored' }).revealed!)
    expect(explorer.selected).toBe('/tool/xenstored')
  })

  test.each([
    ['/tool/xenstored', '/tool'],
    ['/tool', '/local'],
    ['/local/domain/0/memory', '/local/domain/0/name'],
    ['/local', '/tool/xenstored'],
    ['/gone/deep', '/gone'],
  ])('when %s is removed one stands at %s', (path, next) => {
    const { explorer } = rig(...SMALL)
    explorer.setAll(true)
    expect(explorer.neighbour(path)).toBe(next)
  })
})

describe('the filter', () => {
  const found = (text: string): string[] => {
    const { explorer, paths } = rig(...SMALL)
    explorer.filterBy(text)
    return paths()
  }
  test.each([
    [
      'TARGET',
      ['/local', '/local/domain', '/local/domain/0', '/local/domain/0/memory', '/local/domain/0/memory/target'],
    ],
    ['domain-0', ['/local', '/local/domain', '/local/domain/0', '/local/domain/0/name']],
    ['tool/x', ['/tool', '/tool/xenstored']],
    ['nothing has this', []],
  ])('%j by path and by value, with what leads there', (text, paths) => {
    expect(found(text)).toEqual(paths)
  })

  test('follows what happens', () => {
    const { explorer, heard, picture, paths } = rig(...SMALL)
    explorer.filterBy('sebastian')
    expect(paths()).toEqual([])
    heard(set('/vm'), set('/vm/u'), set('/vm/u/name', 'sebastian'))
    picture()
    expect(paths()).toEqual(['/vm', '/vm/u', '/vm/u/name'])
    heard(set('/vm/u/name', 'other'))
    picture()
    expect(paths()).toEqual([])
  })

  test('what it found can be shut, and stays in sight without it', () => {
    const { explorer, paths } = rig(...SMALL)
    explorer.setAll(false)
    explorer.filterBy('target')
    explorer.shut('/local/domain/0')
    expect(paths()).toEqual(['/local', '/local/domain', '/local/domain/0'])
    explorer.select('/local/domain/0')
    explorer.filterBy('')
    expect(paths()).toEqual(['/tool', '/local', '/local/domain', '/local/domain/0'])
    expect(explorer.scroll).toMatchObject({ path: '/local/domain/0', focus: false })
  })
})

describe('between two pictures', () => {
  test('rows stay as they are, whoever looks, opens or shuts', () => {
    const { explorer, heard, picture, paths } = rig(...SMALL)
    explorer.followChanges(false)
    explorer.setAll(true)
    const before = paths()
    heard(rm('/local/domain/0/memory'), set('/tool/new'), rm('/tool/xenstored'))
    expect(paths()).toEqual(before)
    explorer.shut('/local')
    expect(paths()).toEqual(['/tool', '/tool/xenstored', '/local'])
    explorer.open('/local')
    expect(paths()).toEqual(before)
    picture()
    expect(paths()).toEqual([
      '/tool',
      '/tool/new',
      '/local',
      '/local/domain',
      '/local/domain/0',
      '/local/domain/0/name',
    ])
  })

  test('however many changes nobody has seen: the next look shows them all', () => {
    const { explorer, heard, paths } = rig('new', set('/d'), set('/d/a'))
    explorer.setAll(true)
    expect(paths()).toEqual(['/d', '/d/a'])
    for (let i = 0; i < 60; i++) heard(...Array.from({ length: 1000 }, (_, k) => set(`/d/${k % 3}`, `${i}`)))
    expect(paths()).toEqual(['/d', '/d/a', '/d/0', '/d/1', '/d/2'])
  })
})

describe('rows that are laid out between two pictures', () => {
  test.each([
    ['all opened', (explorer: Explorer) => explorer.setAll(true)],
    ['filtered', (explorer: Explorer) => explorer.filterBy('x')],
  ])('%s: nothing that was heard before is lost, and nothing is counted twice', (_, act) => {
    const { explorer, heard, picture, paths } = rig('new', set('/x'), set('/x/a', '1'), set('/x/b', '1'))
    explorer.followChanges(false)
    explorer.setAll(true)
    expect(paths()).toEqual(['/x', '/x/a', '/x/b'])
    heard(rm('/x/a'), set('/x/b', '2'), set('/x/c'), set('/x/a', '2'))
    act(explorer)
    expect(paths()).toEqual(['/x', '/x/b', '/x/c', '/x/a'])
    heard(rm('/x/c'), set('/x/a', '3'), set('/x/c', 'back'))
    picture()
    expect(paths()).toEqual(['/x', '/x/b', '/x/a', '/x/c'])
    expect([1, 2, 3].map((i) => explorer.rowAt(i)!.node.value)).toEqual(['2', '3', 'back'])
  })

  test('the selected one may go meanwhile', () => {
    const { explorer, heard, picture } = rig(...SMALL)
    explorer.reveal('/local/domain/0/name')
    heard(rm('/local/domain/0'))
    explorer.setAll(true)
    picture()
    expect(explorer.selected).toBe('/local/domain')
  })

  test('another daemon may come meanwhile', () => {
    const { explorer, heard, picture, paths } = rig(...SMALL)
    heard('new', set('/'), set('/tool'))
    explorer.setAll(true)
    heard(set('/tool/y'))
    picture()
    expect(paths()).toEqual(['/tool', '/tool/y'])
  })
})

test('a daemon that is gone leaves nothing; another begins anew', () => {
  const { explorer, heard, picture, lose, paths } = rig(...SMALL)
  explorer.act('edit')
  lose()
  picture()
  expect(explorer.root).toBeUndefined()
  expect(paths()).toEqual([])
  expect(explorer.action).toBeUndefined()
  heard('new', set('/'), set('/tool'))
  picture()
  expect(paths()).toEqual(['/tool'])
})

test('paths', () => {
  expect(ancestorsOf('/a/b/c')).toEqual(['/', '/a', '/a/b'])
  expect(ancestorsOf('/a')).toEqual(['/'])
  expect(ancestorsOf('/')).toEqual([])
  expect(parentPath('/a/b')).toBe('/a')
  expect(parentPath('/a')).toBe('/')
  const { explorer } = rig(...SMALL)
  expect(nearest(explorer.root!, '/tool/none/deep')).toBe('/tool')
  expect(nearest(explorer.root!, '/none')).toBe('/')
})

test('a domain’s name stands beside its number, its uuid and its back ends', () => {
  const uuid = '/vm/12345678-0000-0000-0000-000000000000'
  const { explorer } = rig(
    ...SMALL,
    set('/local/domain/3/name', 'sebastian', 3),
    set('/local/domain/3/vm', uuid),
    set(`${uuid}/name`, 'sebastian'),
    set('/vm/of-nobody/name', 'gone'),
    set('/local/domain/0/backend/vbd/3/769'),
    set('/local/domain/4'),
  )
  const named = (path: string) => domainNameAt(explorer.root!, path)
  expect(named('/local/domain/0')).toEqual({ name: 'Domain-0', domid: 0 })
  expect(named('/local/domain/3')).toEqual({ name: 'sebastian', domid: 3 })
  expect(named('/local/domain/0/backend/vbd/3')).toEqual({ name: 'sebastian', domid: 3 })
  expect(named(uuid)).toEqual({ name: 'sebastian', domid: 3 })
  expect(named('/vm/of-nobody')).toEqual({ name: 'gone', domid: undefined })
  expect(named('/local/domain/4')).toBeUndefined()
  expect(named('/local/domain/0/backend/vbd/3/769')).toBeUndefined()
  expect(named('/local/domain')).toBeUndefined()
})
