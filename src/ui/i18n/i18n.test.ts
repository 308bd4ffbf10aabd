import { beforeAll, describe, expect, it } from 'vitest'
import { zh } from './chinese.ts'
import { chooseLang, en, loadLang, type MessageKey, say, translator } from './index.ts'

const keys = Object.keys(en) as MessageKey[]
const parameters = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

describe('the dictionaries', () => {
  it('have texts at all', () => {
    expect(keys.length).toBeGreaterThan(80)
  })

  it.each(keys)('%s takes the same parameters in both languages, and is not empty', (key) => {
    expect(parameters(zh[key])).toEqual(parameters(en[key]))
    expect(en[key].trim()).not.toBe('')
    expect(zh[key].trim()).not.toBe('')
  })
})

describe('a text', () => {
  beforeAll(() => loadLang('zh'))

  it('gets its values', () => {
    expect(translator('en')('machine.memory.value', { mib: 512 })).toBe('512 MiB')
    expect(say('zh', { key: 'status.panicked.why', values: { message: 'x' } })).toBe('Xen 发生 panic：x')
  })

  it('keeps values as they are, braces and dollars included', () => {
    expect(say('en', { key: 'status.panicked.why', values: { message: '{image} $& $1' } })).toBe(
      'Xen has panicked: {image} $& $1',
    )
  })
})

describe('the language', () => {
  it.each([
    ['zh', null, ['en'], 'zh'],
    [null, 'zh', ['en'], 'zh'],
    [null, null, ['de-AT', 'zh-Hant-TW', 'en'], 'zh'],
    [null, null, ['de'], 'en'],
    [null, null, [], 'en'],
    ['tlh', 'constructor', ['toString', 'EN-us'], 'en'],
  ] as const)('asked %s, saved %s, browser %j: %s', (asked, saved, browser, expected) => {
    expect(chooseLang(asked, saved, browser)).toBe(expected)
  })
})
