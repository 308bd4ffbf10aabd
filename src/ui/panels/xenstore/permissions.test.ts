import { beforeAll, describe, expect, test } from 'vitest'
import { loadLang, translator } from '../../i18n/index.ts'
import { parsePermissions, permissionWords, spellPermissions } from './permissions.ts'

beforeAll(() => loadLang('zh'))

describe('permissions in words', () => {
  test.each([
    ['n0', 'owner dom0', '所有者 dom0'],
    ['n3', 'owner dom3', '所有者 dom3'],
    ['n0,r3', 'owner dom0, dom3 may read', '所有者 dom0，dom3 可读'],
    ['r0', 'owner dom0, everybody may read', '所有者 dom0，所有域 可读'],
    ['b0', 'owner dom0, everybody may read and write', '所有者 dom0，所有域 可读写'],
    [
      'r5,w1,n2,b7',
      'owner dom5, dom1 may write, dom2 may do nothing, dom7 may read and write, all others may read',
      '所有者 dom5，dom1 可写，dom2 无权限，dom7 可读写，其他域 可读',
    ],
    ['', '', ''],
  ])('%s', (text, en, zh) => {
    expect(permissionWords(translator('en'), parsePermissions(text))).toBe(en)
    expect(permissionWords(translator('zh'), parsePermissions(text))).toBe(zh)
  })

  test.each(['n0', 'n0,r3', 'r5,w1,n2,b32752'])('%s comes back as it was', (text) => {
    expect(spellPermissions(parsePermissions(text)).join()).toBe(text)
  })

  test.each(['x0', 'n', 'n-1', 'nr', ' n0'])('%j is none', (text) => {
    expect(parsePermissions(text)).toEqual([])
  })
})
