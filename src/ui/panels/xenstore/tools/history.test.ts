/** The time line: what was there before each change, whose it was, and that it never grows beyond its bound. */
import { describe, expect, test } from 'vitest'
import { parseAccess, type StoreChange, StoreTree } from '#protocol/xenstore-tree.ts'
import { ENTRIES_MAX, type Entry, History, type Wanted } from './history.ts'

function rig() {
  const xenstore = new StoreTree()
  const frames: (() => void)[] = []
  let listener: (changes: readonly StoreChange[]) => void = () => {}
  let now = 0
  const history = new History({
    xenstore,
    onXenstore: (given) => {
      listener = given
    },
    frame: (run) => void frames.push(run),
  })
  return {
    history,
    frames,
    /** Lines that come in one message. */
    heard(...lines: string[]) {
      const changes = lines.map((line) => parseAccess(line, ++now)!)
      for (const change of changes) xenstore.apply(change)
      listener(changes)
    },
    picture() {
      for (const run of frames.splice(0)) run()
    },
    lose() {
      xenstore.clear()
      listener([])
    },
  }
}

const set = (path: string, value = '', domid = 0, perms = 'n0', connection = 7): string =>
  `set\t${domid}\t${connection}\t${path}\t${perms}\t${value}`
const rm = (path: string, domid = 0): string => `rm\t${domid}\t7\t${path}`
const ALL: Wanted = { scope: 'all', path: '/', domid: undefined }

const words = ({ kind, path, writer, before, after, below }: Entry): string => {
  const side = (content: Entry['before']): string => (content ? `${content.value}(${content.perms})` : '-')
  return `${kind} ${path} dom${writer.domid}: ${side(before)} > ${side(after)}${below > 0 ? ` +${below}` : ''}`
}
const lines = (history: History, wanted: Partial<Wanted> = {}): string[] =>
  history.select({ ...ALL, ...wanted }).map(words)

test('each change has what was before it, across pictures and within one', () => {
  const { history, heard, picture } = rig()
  heard('new', set('/a', 'found', 0, 'n0', 0))
  picture()
  expect(lines(history)).toEqual([])
  heard(set('/a', 'one'), set('/a', 'two', 3))
  heard(set('/a', 'two', 3, 'n0,r3'), set('/a/b', 'new'))
  picture()
  heard(rm('/a'), set('/a', 'again'), set('/a/b', 'later'))
  picture()
  expect(lines(history).reverse()).toEqual([
    'set /a dom0: found(n0) > one(n0)',
    'set /a dom3: one(n0) > two(n0)',
    'set /a dom3: two(n0) > two(n0,r3)',
    'set /a/b dom0: - > new(n0)',
    'rm /a dom0: two(n0,r3) > - +1',
    'set /a dom0: - > again(n0)',
    'set /a/b dom0: - > later(n0)',
  ])
})

test('numbers and times are those of the changes; the process is known by its connection', () => {
  const { history, heard, picture } = rig()
  heard('new', set('/a', '', 0, 'n0', 0), 'conn\t0\t7\t1234\txend', set('/a', 'x'), set('/b', 'y', 2, 'n2', 9))
  picture()
  const [second, first] = history.select(ALL)
  expect(first).toMatchObject({ number: 3, atNs: 4, client: { pid: 1234, name: 'xend' } })
  expect(second).toMatchObject({ number: 4, atNs: 5, client: undefined, writer: { domid: 2, connection: 9 } })
})

test('who came too late for it to be drawn in this picture is told once, in the next', () => {
  const { history, heard, picture, frames } = rig()
  let told = 0
  history.subscribe(() => told++)
  heard('new')
  for (let i = 0; i < 1000; i++) heard(set('/a', `${i}`))
  expect(frames).toHaveLength(1)
  expect(told).toBe(0)
  picture()
  expect(told).toBe(1)
  expect(history.size).toBe(1000)
})

test('where no picture is ever drawn, what waits is bounded', () => {
  const { history, heard } = rig()
  heard('new')
  for (let i = 0; i < 6000; i++) heard(set('/a', `${i}`))
  expect(history.size).toBeGreaterThanOrEqual(4999)
})

test('ten thousand are kept, the newest, and it is known how many are not', () => {
  const { history, heard, picture } = rig()
  heard('new')
  for (let i = 1; i <= 30_000; i++) {
    heard(set('/a', `${i}`))
    if (i % 1000 === 0) picture()
  }
  expect(history.size).toBe(ENTRIES_MAX)
  expect(history.dropped).toBe(30_000 - ENTRIES_MAX)
  const entries = history.select(ALL)
  expect(entries).toHaveLength(ENTRIES_MAX)
  expect([entries[0]!.after!.value, entries.at(-1)!.after!.value]).toEqual(['30000', '20001'])
})

describe('what is selected', () => {
  const { history, heard, picture } = rig()
  heard('new', set('/a/b', '1'), set('/a/b/c', '2', 5), set('/ab', '3', 5), rm('/a'), set('/a/b', '4', 1))
  picture()
  test.each<[string, Partial<Wanted>, string[]]>([
    ['a node, and what took it away with what is above it', { scope: 'node', path: '/a/b' }, ['/a/b', '/a', '/a/b']],
    ['with what is below it', { scope: 'below', path: '/a/b' }, ['/a/b', '/a', '/a/b/c', '/a/b']],
    ['no namesake’s', { scope: 'below', path: '/a' }, ['/a/b', '/a', '/a/b/c', '/a/b']],
    ['one domain’s', { domid: 5 }, ['/ab', '/a/b/c']],
    ['one domain’s below', { scope: 'below', path: '/a', domid: 5 }, ['/a/b/c']],
  ])('%s', (_, wanted, paths) => {
    expect(history.select({ ...ALL, ...wanted }).map(({ path }) => path)).toEqual(paths)
  })
  test('whose there are', () => expect(history.domids()).toEqual([0, 1, 5]))
})

test('a daemon that starts anew is a mark in it; what it tells first is nobody’s doing', () => {
  const { history, heard, picture } = rig()
  heard('new', set('/a', '1'))
  picture()
  heard('new', set('/a', '1', 0, 'n0', 0), set('/a', '2'))
  picture()
  expect(lines(history)).toEqual(['set /a dom0: 1(n0) > 2(n0)', 'new  dom0: - > -', 'set /a dom0: - > 1(n0)'])
})

test('it goes with the machine', () => {
  const { history, heard, picture, lose } = rig()
  heard('new', set('/a', '1'))
  picture()
  heard(set('/a', '2'))
  lose()
  expect(lines(history)).toEqual([])
  heard('new', set('/b', '1'))
  picture()
  expect(lines(history)).toEqual(['set /b dom0: - > 1(n0)'])
})

test('forgotten, it begins anew and still knows what was there', () => {
  const { history, heard, picture } = rig()
  heard('new', set('/a', '1'))
  picture()
  history.forget()
  heard(set('/a', '2'))
  picture()
  expect(lines(history)).toEqual(['set /a dom0: 1(n0) > 2(n0)'])
})
