/** The fold of the access trace: against the daemon's own tree, and against what a line may say. */
import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { World } from '#testing/xenstored-rig.ts'
import { xsPermToString } from '#toolstack/libxs/perms.ts'
import { traceAll } from '#toolstack/xenstored/access-trace.ts'
import { parseAccess, type StoreChange, type StoreNode, StoreTree } from './xenstore-tree.ts'

function treeOf(...lines: string[]): StoreTree {
  const tree = new StoreTree()
  feed(tree, lines)
  return tree
}

function feed(tree: StoreTree, lines: readonly string[]): void {
  for (const line of lines) {
    const change = parseAccess(line)
    expect(change).toBeDefined()
    tree.apply(change!)
  }
}

/** Path, value and permissions of each node, parents first, children by age. */
function* walk(path: string, node: StoreNode): Generator<string> {
  yield `${path || '/'} ${JSON.stringify(node.value)} ${node.perms}`
  for (const [name, child] of node.children) {
    expect(child.name).toBe(name)
    yield* walk(`${path}/${name}`, child)
  }
}

const set = (path: string, value = '', who = '0\t1', perms = 'n0'): string => `set\t${who}\t${path}\t${perms}\t${value}`

describe('a line', () => {
  test.each<[string, StoreChange | undefined]>([
    ['new', { kind: 'new' }],
    ['new\n', { kind: 'new' }],
    [
      'set\t3\t17\t/a/b\tn3,r0\tx y\n',
      { kind: 'set', path: '/a/b', perms: 'n3,r0', value: 'x y', writer: { domid: 3, connection: 17 }, atNs: 0 },
    ],
    [
      'set\t0\t1\t/a\tn0\t',
      { kind: 'set', path: '/a', perms: 'n0', value: '', writer: { domid: 0, connection: 1 }, atNs: 0 },
    ],
    ['rm\t0\t1\t/a\n', { kind: 'rm', path: '/a', writer: { domid: 0, connection: 1 }, atNs: 0 }],
    ['', undefined],
    ['\n', undefined],
    ['old', undefined],
    ['set', undefined],
    ['set\t0\t1', undefined],
    ['set\t0\t1\ta\tn0\tx', undefined],
    ['set\t0\t1\t@introduceDomain\tn0\tx', undefined],
    ['set\t0\t1\t/a', undefined],
    ['set\t0\t1\t/a\tn0', undefined],
    ['rm\t0\t1', undefined],
    ['mv\t0\t1\t/a\tn0\tx', undefined],
  ])('%j', (line, change) => {
    expect(parseAccess(line)).toEqual(change)
  })

  test.each([
    ['\\\\', '\\'],
    ['\\t\\n\\r', '\t\n\r'],
    ['\\x00\\xff', '\0\xff'],
    ['\\\\x41', '\\x41'],
    ['\\\\\\x41', '\\A'],
    ['\\\\\\\\n', '\\\\n'],
  ])('the escapes of %j', (text, value) => {
    expect(parseAccess(set('/a', text))).toMatchObject({ value })
  })
})

test('what the daemon does, the fold has, through transactions and removals', () => {
  const rng = createRng(11)
  const tree = new StoreTree()
  const access = (line: string): void => feed(tree, [line])
  const world = new World({ access })
  traceAll(access, world.store.tree)
  const daemon = (): string[] =>
    [...world.store.tree.walk()].map(
      ([path, node]) => `${path} ${JSON.stringify(node.value)} ${node.perms.map(xsPermToString).join(',')}`,
    )
  const paths = ['/a', '/a/b', '/a/b/c', '/d', '/d/e/f', '/d/e', '/tool/xenstored']
  let moments = 0
  for (let i = 0; i < 2000; i++) {
    const path = rng.pick(paths)
    const who = rng.pick(['s', 's', '0', '1'])
    const request = rng.pick([
      `WRITE ${path}|${i}\\\t^\xff\0`,
      `WRITE ${path}|`,
      `MKDIR ${path}|`,
      `RM ${path}|`,
      `CHMOD ${path}|n${rng.below(3)}|r1|`,
    ])
    if (rng.below(8) === 0) {
      const id = /\d+/.exec(world.say(`${who} START |`))![0]
      for (let k = rng.below(4); k >= 0; k--) world.say(`${who}#${id} ${request}`)
      world.say(`${who}#${id} END ${rng.pick(['T', 'F'])}|`)
    } else world.say(`${who} ${request}`)
    if (rng.below(10) > 0) continue
    moments++
    expect([...walk('', tree.root!)]).toEqual(daemon())
  }
  expect(moments).toBeGreaterThan(100)
})

describe('a tree', () => {
  test('is not there before a daemon, and not after it', () => {
    const tree = new StoreTree()
    tree.apply(parseAccess(set('/a'))!)
    expect(tree.root).toBeUndefined()
    expect(tree.get('/a')).toBeUndefined()
    feed(tree, ['new', set('/'), set('/a', '1')])
    expect(tree.read('/a')).toBe('1')
    tree.clear()
    expect(tree.root).toBeUndefined()
    expect(tree.read('/a')).toBeUndefined()
  })

  test('begins anew with another daemon', () => {
    const tree = treeOf('new', set('/a', '1'), 'new', set('/b', '2'))
    expect([...tree.root!.children.keys()]).toEqual(['b'])
  })

  test('knows who made each node what it is, and in which change', () => {
    const tree = treeOf('new', set('/a', '1', '0\t5'), set('/a/b', '2', '3\t9'), set('/a', '3', '2\t8'))
    expect(tree.get('/a')).toMatchObject({ writer: { domid: 2, connection: 8 }, change: 4 })
    expect(tree.get('/a/b')).toMatchObject({ writer: { domid: 3, connection: 9 }, change: 3 })
    expect(tree.change).toBe(4)
  })

  test('a parent goes with all below it; again it is empty, and the last of its siblings', () => {
    const tree = treeOf('new', set('/a'), set('/a/b'), set('/a/b/c', 'x'), set('/d'), 'rm\t0\t1\t/a')
    expect(tree.get('/a')).toBeUndefined()
    expect(tree.get('/a/b/c')).toBeUndefined()
    feed(tree, [set('/a', 'back')])
    expect([...tree.root!.children.keys()]).toEqual(['d', 'a'])
    expect(tree.get('/a')!.children.size).toBe(0)
  })

  test('a removal of what is not there changes nothing, nor does one of the root', () => {
    const tree = treeOf('new', set('/a', '1'))
    const before = tree.root
    feed(tree, ['rm\t0\t1\t/none', 'rm\t0\t1\t/none/deep', 'rm\t0\t1\t/a/none', 'rm\t0\t1\t/'])
    expect(tree.root).toBe(before)
  })

  test('what is missing above a node is there all the same', () => {
    const tree = treeOf('new', set('/a/b/c', 'x', '4\t2'))
    expect(tree.get('/a')).toMatchObject({ value: '', writer: { domid: 4, connection: 2 } })
    expect(tree.read('/a/b/c')).toBe('x')
  })

  test('names like those of objects are names', () => {
    const tree = treeOf('new', set('/__proto__', '1'), set('/constructor/toString', '2'))
    expect(tree.read('/__proto__')).toBe('1')
    expect(tree.read('/constructor/toString')).toBe('2')
    expect(tree.read('/valueOf')).toBeUndefined()
  })
})

describe('who holds a node holds a moment', () => {
  test('root, get and children stay as they were; what has not changed is shared', () => {
    const tree = treeOf('new', set('/a'), set('/a/b', '1'), set('/c', 'c'))
    const [root, a, b, c] = [tree.root!, tree.get('/a')!, tree.get('/a/b')!, tree.get('/c')!]
    const before = [...walk('', root)]
    feed(tree, [set('/a/b', '2'), set('/a/new', 'n'), set('/a/b/deep', 'd')])
    expect(tree.read('/a/b')).toBe('2')
    feed(tree, ['rm\t0\t1\t/a/b', set('/', 'r')])
    expect([...walk('', root)]).toEqual(before)
    expect(b).toMatchObject({ value: '1' })
    expect(a.children.get('b')).toBe(b)
    expect([...a.children.keys()]).toEqual(['b'])
    expect(tree.root).not.toBe(root)
    expect(tree.get('/a')).not.toBe(a)
    expect(tree.get('/c')).toBe(c)
  })

  test('however often somebody looks between', () => {
    const rng = createRng(3)
    const tree = treeOf('new')
    const held: [StoreNode, string[]][] = []
    for (let i = 0; i < 500; i++) {
      const path = rng.pick(['/a', '/a/b', '/a/b/c', '/d', '/d/e'])
      feed(tree, [rng.below(3) === 0 ? `rm\t0\t1\t${path}` : set(path, `${i}`)])
      const seen = rng.below(2) ? tree.root : tree.get(path)
      if (seen && rng.below(4) === 0) held.push([seen, [...walk('', seen)]])
    }
    expect(held.length).toBeGreaterThan(50)
    for (const [node, before] of held) expect([...walk('', node)]).toEqual(before)
  })
})

test('changes between two looks copy a directory once, however many children it has', () => {
  const tree = treeOf('new')
  const copied: number[] = []
  /** What would have to be copied if every change did it: counted by what a moment still shares with the next. */
  for (let round = 0; round < 5; round++) {
    const before = tree.get('/d')
    for (let i = 0; i < 2000; i++) feed(tree, [set(`/d/${round}-${i}`, 'x')])
    const now = tree.get('/d')!
    copied.push([...now.children.values()].filter((child) => before?.children.get(child.name) === child).length)
    expect(before?.children.size ?? 0).toBe(round * 2000)
  }
  expect(copied).toEqual([0, 2000, 4000, 6000, 8000])
  const directory = tree.get('/d')!
  const children = directory.children
  feed(tree, [set('/d/0-0', 'y')])
  const first = tree.get('/d')!.children
  expect(first).not.toBe(children)
  // Nobody has looked since: the same map is changed on.
  const unseen = treeOf('new', set('/d/a', '1'))
  let reads = 0
  for (let i = 0; i < 30_000; i++) {
    unseen.apply({
      kind: 'set',
      path: `/d/n${i}`,
      value: '',
      perms: 'n0',
      writer: { domid: 0, connection: 1 },
      atNs: 0,
    })
    if (unseen.read(`/d/n${i}`) === '') reads++
  }
  expect(reads).toBe(30_000)
  expect(unseen.get('/d')!.children.size).toBe(30_001)
})
