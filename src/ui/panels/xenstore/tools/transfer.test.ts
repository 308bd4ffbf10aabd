/** Out of the store and back: every byte, all permissions; a file from elsewhere that is wrong is refused in words; an import is all of it or nothing. */
import { describe, expect, test } from 'vitest'
import { byteString } from '#lib/utf8.ts'
import type { OpenLink } from '#protocol/open-link.ts'
import { XenstoreClient } from '#protocol/xenstore-client.ts'
import { parseAccess, StoreTree } from '#protocol/xenstore-tree.ts'
import { traceAll } from '#toolstack/xenstored/access-trace.ts'
import { Store } from '#toolstack/xenstored/store.ts'
import { applyImport, ImportRefused, planImport } from './apply.ts'
import { diff } from './diff.ts'
import { exportCommands, exportJson, FileFault, fileName, parseFile } from './transfer.ts'

const ALL_BYTES = byteString(Uint8Array.from({ length: 256 }, (_, i) => i))

/** A daemon, and what its trace tells. */
function daemon(): { readonly tree: StoreTree; readonly client: XenstoreClient; readonly requests: number[] } {
  const tree = new StoreTree()
  const requests: number[] = []
  const access = (line: string): void => tree.apply(parseAccess(line)!)
  const store = new Store({ access })
  traceAll(access, store.tree)
  const open: OpenLink = (_, handlers) => {
    const conn = store.connect(true)
    return {
      write(bytes) {
        requests.push(bytes[0]!)
        conn.feed(bytes.slice())
        for (let message = conn.next(); message; message = conn.next())
          if (message !== 'bad') store.handle(conn, message)
        for (; conn.out.length > 0; conn.sent()) {
          const { bytes: answer } = conn.out.at(0)!
          queueMicrotask(() => handlers.data(answer.slice(), () => {}))
        }
        return true
      },
      end() {},
      close() {},
    }
  }
  return { tree, client: new XenstoreClient(open), requests }
}

async function fill(client: XenstoreClient): Promise<void> {
  await client.write('/x/bytes', ALL_BYTES)
  await client.write('/x/text', '\xe5\x9f\x9f "quoted"\nlines\\')
  await client.write('/x/0/backend', '')
  await client.write('/x/__proto__', '1')
  await client.setPerms('/x/text', ['n5', 'r3', 'b7'])
}

test('what was exported, removed and imported is the same, byte by byte', async () => {
  const { tree, client } = daemon()
  await fill(client)
  const before = tree.root!
  const text = exportJson({ path: '/x', root: tree.get('/x')! })
  await client.rm('/x')
  const { path, root } = parseFile(text)
  expect(path).toBe('/x')
  await applyImport(client, planImport(tree.get(path), root, path, false))
  expect(diff(before, tree.root)).toEqual([])
  expect([...tree.get('/x')!.children.keys()]).toEqual(['bytes', 'text', '0', '__proto__'])
})

test('only what differs is asked for; what the file lacks goes if it is to', async () => {
  const { tree, client, requests } = daemon()
  await fill(client)
  const { root } = parseFile(exportJson({ path: '/x', root: tree.get('/x')! }))
  expect(planImport(tree.get('/x'), root, '/x', true)).toEqual([])
  await client.write('/x/more/deep', '1')
  await client.write('/x/text', 'other')
  expect(planImport(tree.get('/x'), root, '/x', false).map(({ path }) => path)).toEqual(['/x/text'])
  const plan = planImport(tree.get('/x'), root, '/x', true)
  expect(plan.map(({ path }) => path)).toEqual(['/x/more', '/x/more/deep', '/x/text'])
  requests.length = 0
  await applyImport(client, plan)
  // Start, one removal with all below it, one write, end.
  expect(requests).toEqual([6, 13, 11, 7])
  expect(planImport(tree.get('/x'), root, '/x', true)).toEqual([])
})

test('elsewhere, and the root', async () => {
  const { tree, client } = daemon()
  await fill(client)
  const { root } = parseFile(exportJson({ path: '/x', root: tree.get('/x')! }))
  await applyImport(client, planImport(undefined, root, '/y/z', false))
  expect(diff(tree.get('/x'), tree.get('/y/z'))).toEqual([])
  const whole = parseFile(exportJson({ path: '/', root: tree.root! }))
  expect(planImport(tree.root, whole.root, '/', true)).toEqual([])
})

test('refused in part, nothing is done, and each refusal is told', async () => {
  const { tree, client } = daemon()
  await fill(client)
  const before = tree.root
  const wanted = parseFile(
    file(
      { path: '', value: 'changed', perms: 'n0' },
      { path: 'long', value: 'x'.repeat(4096), perms: 'n0' },
      { path: 'many', value: '', perms: 'n0' },
    ),
  )
  const lost = applyImport(client, planImport(tree.get('/x'), wanted.root, '/x', false))
  const error = await lost.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ImportRefused)
  expect((error as ImportRefused).refused[0]).toEqual({ path: '/x/long', word: 'E2BIG' })
  expect(diff(before, tree.root)).toEqual([])
})

test('as commands, each value in its quotes', async () => {
  const { tree, client } = daemon()
  await client.write('/x/a', "it's\0")
  await client.write('/x/-', '-n')
  await client.setPerms('/x/a', ['n1', 'r2'])
  expect(exportCommands({ path: '/x', root: tree.get('/x')! })).toBe(
    [
      '#!/bin/sh',
      '# XenStore, /x',
      "xenstore-write /x ''",
      'xenstore-chmod /x n0',
      "xenstore-write /x/a 'it'\\''s\\x00'",
      'xenstore-chmod /x/a n1 r2',
      'xenstore-write -- /x/- -n',
      'xenstore-chmod /x/- n0',
      '',
    ].join('\n'),
  )
})

test('a file’s name says what is in it', () => {
  expect(fileName('/local/domain/1', 'json')).toBe('xenstore-local-domain-1.json')
  expect(fileName('/', 'sh')).toBe('xenstore.sh')
})

const node = { path: '', value: '', perms: 'n0' }
const file = (...nodes: readonly object[]): string =>
  JSON.stringify({ format: 'xenstore-subtree', version: 1, path: '/x', nodes })

describe('a file that is wrong', () => {
  test.each<[string, string, string]>([
    ['no JSON', '{"format"', 'fault.json'],
    ['null', 'null', 'fault.format'],
    ['a list', '[]', 'fault.format'],
    ['another format', '{"format":"tar"}', 'fault.format'],
    ['a later version', '{"format":"xenstore-subtree","version":2}', 'fault.version'],
    ['no path', '{"format":"xenstore-subtree","version":1}', 'fault.path'],
    ['a relative path', '{"format":"xenstore-subtree","version":1,"path":"x","nodes":[]}', 'fault.path'],
    [
      'a path with dots and blanks',
      '{"format":"xenstore-subtree","version":1,"path":"/.. /","nodes":[]}',
      'fault.path',
    ],
    ['no nodes', file(), 'fault.nodes'],
    ['nodes that are no list', '{"format":"xenstore-subtree","version":1,"path":"/x","nodes":{}}', 'fault.nodes'],
    ['more nodes than are taken', file(...Array.from({ length: 20_001 }, () => node)), 'fault.many'],
    ['a node that is a number', '{"format":"xenstore-subtree","version":1,"path":"/x","nodes":[1]}', 'fault.node'],
    ['a first node below', file({ ...node, path: 'a' }), 'fault.first'],
    ['a name with a slash at its end', file(node, { ...node, path: 'a/' }), 'fault.at'],
    ['a path that leads out', file(node, { ...node, path: '../a' }), 'fault.at'],
    ['a path beyond measure', file(node, { ...node, path: 'a'.repeat(3072) }), 'fault.at'],
    ['a path that is no text', file(node, { ...node, path: 1 }), 'fault.at'],
    ['an orphan', file(node, { ...node, path: 'a/b' }), 'fault.parent'],
    ['a node twice', file(node, { ...node, path: 'a' }, { ...node, path: 'a' }), 'fault.twice'],
    ['itself twice', file(node, node), 'fault.twice'],
    ['no permissions', file({ path: '', value: '' }), 'fault.perms'],
    ['permissions that are none', file({ ...node, perms: 'x0' }), 'fault.perms'],
    ['empty permissions', file({ ...node, perms: '' }), 'fault.perms'],
    ['no value', file({ path: '', perms: 'n0' }), 'fault.value'],
    ['two values', file({ ...node, base64: '' }), 'fault.value'],
    ['base64 that is none', file({ path: '', perms: 'n0', base64: '*' }), 'fault.value'],
    ['a value beyond measure', file({ ...node, value: 'x'.repeat(4097) }), 'fault.long'],
  ])('%s', (_, text, key) => {
    let fault: unknown
    try {
      parseFile(text)
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(FileFault)
    expect((fault as FileFault).key).toBe(key)
  })

  test('what it says is short, whatever the file says', () => {
    try {
      parseFile(file({ ...node, perms: 'x'.repeat(1e6) }))
    } catch (error) {
      expect(JSON.stringify((error as FileFault).values).length).toBeLessThan(200)
    }
    expect.assertions(1)
  })
})
