/** What is typed into the filter, how many nodes that means and which comes next; values in hexadecimal; the words of both languages. */
import { describe, expect, test } from 'vitest'
import { byteString } from '#lib/utf8.ts'
import { parseAccess, StoreTree } from '#protocol/xenstore-tree.ts'
import { hexLines, hexOf, valueOfHex } from './hex.ts'
import { Matches } from './matches.ts'
import { matcherOf, parseQuery, spellQuery } from './query.ts'
import { en } from './words.ts'
import { zh } from './words.zh.ts'

const store = new StoreTree()
const say = (path: string, value: string, perms = 'n0'): void =>
  store.apply(parseAccess(`set\t0\t7\t${path}\t${perms}\t${value}`)!)
store.apply(parseAccess('new')!)
say('/vm', '')
say('/vm/name', 'Sebastian', 'n1')
say('/local/domain/1', '', 'n1,r0')
say('/local/domain/1/name', 'sebastian', 'n1,r0')
say('/local/domain/1/vm', '/vm', 'n1')
say('/local/domain/11/odd', '\\x01', 'n11')

const found = (typed: string): string[] => {
  const matches = new Matches(matcherOf(typed))
  matches.look(store.root!)
  expect(matches.work(() => false)).toBe(true)
  return Array.from({ length: matches.total! }, (_, i) => matches.nth(i + 1)!)
}

describe('what is found', () => {
  test.each<[string, string[]]>([
    ['SEBAST', ['/vm/name', '/local/domain/1/name']],
    ['path:name', ['/vm/name', '/local/domain/1/name']],
    ['value: /vm', ['/local/domain/1/vm']],
    ['vm', ['/vm', '/vm/name', '/local/domain/1/vm']],
    ['value:\\x01', ['/local/domain/11/odd']],
    ['owner:1', ['/vm/name', '/local/domain/1', '/local/domain/1/name', '/local/domain/1/vm']],
    ['owner:dom11', ['/local/domain/11/odd']],
    ['owner:x', []],
    ['nowhere', []],
  ])('%s', (typed, paths) => expect(found(typed)).toEqual(paths))
})

test('the text keeps its place when where to look is chosen', () => {
  expect(parseQuery('value:a:b')).toEqual({ scope: 'value', text: 'a:b' })
  expect(parseQuery('a:b')).toEqual({ scope: 'all', text: 'a:b' })
  for (const typed of ['x', 'path:x', 'owner:1']) expect(spellQuery(parseQuery(typed))).toBe(typed)
})

test('places among the matches, also of what is none', () => {
  const matches = new Matches(matcherOf('name'))
  expect(matches.total).toBeUndefined()
  matches.look(store.root!)
  matches.work(() => false)
  expect(
    ['/', '/vm', '/vm/name', '/local', '/local/domain/1/name', '/local/domain/11', '/gone'].map((path) =>
      matches.rank(path),
    ),
  ).toEqual([0, 0, 1, 1, 2, 2, 0])
  expect([0, 3].map((n) => matches.nth(n))).toEqual([undefined, undefined])
})

test('counted in slices, and only what is new is counted again', () => {
  const large = new StoreTree()
  large.apply(parseAccess('new')!)
  for (let i = 0; i < 5000; i++) large.apply(parseAccess(`set\t0\t7\t/d/${i}\tn0\tx`)!)
  let looks = 0
  const matches = new Matches((path) => {
    looks++
    return path.endsWith('7')
  })
  matches.look(large.root!)
  let slices = 1
  while (!matches.work(() => true)) slices++
  expect(slices).toBeGreaterThan(10)
  expect(matches.total).toBe(500)
  looks = 0
  large.apply(parseAccess('set\t0\t7\t/d/5007\tn0\tx')!)
  matches.look(large.root!)
  matches.work(() => false)
  expect(matches.total).toBe(501)
  expect(looks).toBeLessThan(5)
})

test('bytes in hexadecimal, there and back', () => {
  const value = byteString(Uint8Array.from({ length: 256 }, (_, i) => i))
  expect(valueOfHex(hexOf(value))).toBe(value)
  expect(hexLines('Xen\0\xff and on')).toEqual([
    '000  58 65 6e 00 ff 20 61 6e  Xen.. an',
    '008  64 20 6f 6e              d on',
  ])
  expect([valueOfHex(''), valueOfHex(' 4\n1 '), valueOfHex('4'), valueOfHex('4g')]).toEqual([
    '',
    'A',
    undefined,
    undefined,
  ])
})

test.each(Object.keys(en) as (keyof typeof en)[])('%s takes the same parameters in both languages', (key) => {
  const parameters = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()
  expect(parameters(zh[key])).toEqual(parameters(en[key]))
  expect(zh[key].trim()).not.toBe('')
})
