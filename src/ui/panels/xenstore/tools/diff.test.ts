/** What differs between two moments, as a list and as the tree that it makes; that little is looked at where little has changed; the moments. */
import { expect, test } from 'vitest'
import { parseAccess, type StoreNode, StoreTree } from '#protocol/xenstore-tree.ts'
import { type Comparable, countKinds, diff, diffRows, kindOf } from './diff.ts'
import { MOMENTS_MAX, Moments } from './moments.ts'
import { LISTED_MAX, overview } from './overview.ts'

function storeOf(...paths: string[]): { readonly store: StoreTree; readonly say: (...lines: string[]) => void } {
  const store = new StoreTree()
  const say = (...lines: string[]): void => {
    for (const line of lines) store.apply(parseAccess(line)!)
  }
  say('new', ...paths.map((path) => set(path, 'x')))
  return { store, say }
}

const set = (path: string, value = '', perms = 'n0'): string => `set\t0\t7\t${path}\t${perms}\t${value}`
const rm = (path: string): string => `rm\t0\t7\t${path}`

test('added, removed, changed in value or in permissions; rewritten is the same', () => {
  const { store, say } = storeOf('/a', '/a/b', '/a/b/c', '/same', '/perms', '/value')
  const before = store.root
  say(set('/same', 'x'), set('/value', 'y'), set('/perms', 'x', 'n0,r1'), rm('/a/b'), set('/new/one', '1'))
  const found = diff(before, store.root)
  expect(found.map((one) => `${kindOf(one)} ${one.path}`)).toEqual([
    'removed /a/b',
    'removed /a/b/c',
    'changed /perms',
    'changed /value',
    'added /new',
    'added /new/one',
  ])
  expect(countKinds(found)).toEqual({ added: 2, removed: 2, changed: 2 })
  expect(diff(before, before)).toEqual([])
})

test('removed and made again as it was, a node is the same', () => {
  const { store, say } = storeOf('/a', '/a/b')
  const before = store.root
  say(rm('/a'), set('/a', 'x'), set('/a/b', 'x'))
  expect(diff(before, store.root)).toEqual([])
})

test('at a glance: the same is counted, the same is listed, in the same order; and of what is hidden nothing', () => {
  const { store, say } = storeOf('/a', '/a/b', '/a/b/c', '/same', '/perms', '/value', '/deep/1/2')
  const before = store.root!
  say(set('/same', 'x'), set('/value', 'y'), set('/perms', 'x', 'n0,r1'), rm('/a/b'), set('/new/one', '1'), rm('/deep'))
  const found = diff(before, store.root)
  expect(overview(before, store.root!, () => true)).toEqual({ counts: countKinds(found), listed: found })
  const added = overview(before, store.root!, (kind) => kind === 'added')
  expect(added).toEqual({ counts: countKinds(found), listed: found.filter((one) => kindOf(one) === 'added') })
  expect(overview(before, before, () => true).listed).toEqual([])
})

test('at a glance: of 50,000 new nodes all are counted, the first are listed, and no others are looked into', () => {
  const { store, say } = storeOf('/a')
  const before = store.root!
  for (let i = 0; i < 50_000; i++) say(set(`/new/${i % 500}/${i}`))
  let looks = 0
  const looked = <T extends StoreNode>(node: T): T =>
    new Proxy(node, {
      get(target, key, receiver) {
        if (key !== 'children') return Reflect.get(target, key, receiver) as unknown
        looks++
        return new Map([...target.children].map(([name, child]) => [name, looked(child)]))
      },
    })
  const { counts, listed } = overview(before, looked(store.root!), () => true)
  expect(counts).toEqual({ added: 50_501, removed: 0, changed: 0 })
  expect(listed).toHaveLength(LISTED_MAX)
  expect(looks).toBeLessThan(LISTED_MAX + 10)
})

test('a moment stays as it was while the store goes on', () => {
  const { store, say } = storeOf('/a')
  const moments = new Moments(store)
  moments.mark(5)
  for (let i = 0; i < 100; i++) say(set('/a', `${i}`), set(`/n/${i}`, ''))
  const [moment] = moments.list()
  expect(moment).toMatchObject({ name: 'A', atNs: 5, change: 2 })
  expect([...moment!.root.children.keys()]).toEqual(['a'])
  expect(moment!.root.children.get('a')!.value).toBe('x')
})

test('moments have letters, a bound, and go when they are to', () => {
  const moments = new Moments(storeOf('/a').store)
  for (let i = 0; i < 30; i++) moments.mark(i)
  expect(moments.list()).toHaveLength(MOMENTS_MAX)
  expect(moments.list().map(({ name }) => name)).toEqual('S T U V W X Y Z A2 B2 C2 D2'.split(' '))
  expect(moments.get('A')).toBeUndefined()
  moments.forgetAll()
  expect(moments.list()).toEqual([])
  expect(moments.mark(0)!.name).toBe('A')
  expect(new Moments(new StoreTree()).mark(0)).toBeUndefined()
})

test('of 50,000 nodes only those are looked at on whose way something has changed', () => {
  const { store, say } = storeOf()
  for (let i = 0; i < 500; i++) for (let k = 0; k < 100; k++) say(set(`/d/${i}/${k}`, 'x'))
  const before = store.root!
  for (let i = 0; i < 10; i++) say(set(`/d/${i * 50}/7`, 'y'))
  let looks = 0
  const counted = (node: Comparable): Comparable =>
    new Proxy(node, {
      get(target, name: keyof Comparable) {
        if (name === 'value') looks++
        return target[name]
      },
    })
  const found = diff(counted(before), counted(store.root!))
  expect(found.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, i) => `/d/${i * 50}/7`))
  expect(looks).toBeLessThan(LISTED_MAX + 10)
  // The whole of it is a matter of what the ten ways have beside them.
  let visited = 0
  const walk = (was: Comparable | undefined, is: Comparable | undefined): void => {
    visited++
    if (was === is) return
    for (const [name, child] of is!.children) walk(was?.children.get(name), child)
  }
  walk(before, store.root!)
  expect(visited).toBeLessThan(2000)
})

test('as a tree: what only leads on is one line with what it leads to', () => {
  const { store, say } = storeOf('/local/domain/0/name', '/tool')
  const before = store.root
  say(set('/local/domain/0/name', 'y'), set('/local/domain/0/device/vbd', ''), set('/tool', 'z'))
  expect(diffRows(diff(before, store.root)).map(({ level, label, path }) => `${level} ${label} ${path}`)).toEqual([
    '0 /local/domain/0 /local/domain/0',
    '1 name /local/domain/0/name',
    '1 device /local/domain/0/device',
    '2 vbd /local/domain/0/device/vbd',
    '0 /tool /tool',
  ])
})

test('the root itself may differ', () => {
  const { store, say } = storeOf()
  const before = store.root
  say(set('/', 'x', 'n0,r1'))
  expect(diffRows(diff(before, store.root))).toMatchObject([{ path: '/', label: '/', level: 0 }])
})
