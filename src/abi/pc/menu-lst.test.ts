/** How menu.lst is read. */
import { describe, expect, test } from 'vitest'
import { type MenuSettings, menuLines, menuRows, menuSettings, parseMenuList } from './menu-lst.ts'

describe('lines', () => {
  const rows: [string, string, string[]][] = [
    ['comments and empty lines', '# a\n\n  # b\ntimeout 5\n', ['timeout 5']],
    ['a # that is not first stays', 'title A # b\n', ['title A # b']],
    ['leading blanks and tabs go, inner tabs become blanks', '\t  root\t(hd0,0)\n', ['root (hd0,0)']],
    ['CR is dropped wherever it is', 'time\rout 5\r\n', ['timeout 5']],
    ['a backslash joins lines', 'kernel /xen \\\n  a\\\nb\n', ['kernel /xen    a b']],
    ['a backslash elsewhere is kept', 'title a\\b\n', ['title a\\b']],
    ['of two backslashes the second still joins', 'title a\\\\\nb\n', ['title a\\ b']],
    ['a comment may be continued too', '# a \\\ntimeout 5\ndefault 1\n', ['default 1']],
    ['the last line needs no newline', 'timeout 5', ['timeout 5']],
    ['a line of 1600 loses its end', 'x'.repeat(1600) + '\n', ['x'.repeat(1500)]],
    ['nothing', '', []],
  ]
  test.each(rows)('%s', (_, text, lines) => {
    expect(menuLines(text)).toEqual(lines)
  })
})

test('a row knows where it stands', () => {
  const text = '# a\n\ttimeout 5\r\nkernel /x \\\n  y\nboot'
  const rows = menuRows(text)
  expect(rows.map(({ from, to }) => text.slice(from, to))).toEqual(['timeout 5\r', 'kernel /x \\\n  y', 'boot'])
  expect(rows.map(({ line }) => line)).toEqual(menuLines(text))
})

describe('entries', () => {
  const entry = (title: string, ...commands: string[]) => ({ title, commands })
  const rows: [string, string, { head?: string[]; entries: { title: string; commands: string[] }[] }][] = [
    ['one', 'title A\nroot (hd0,0)\n', { entries: [entry('A', 'root (hd0,0)')] }],
    ['= for the blank', 'title=A b\nroot=(hd0,0)\n', { entries: [entry('A b', 'root=(hd0,0)')] }],
    ['without a command: dropped', 'title A\ntitle B\nboot\ntitle C\n', { entries: [entry('B', 'boot')] }],
    ['with unknown commands alone: dropped', 'title A\nsplashimage x\n', { entries: [] }],
    ['unknown commands are skipped', 'viewport 3\ntitle A\nfoo\nboot\n', { entries: [entry('A', 'boot')] }],
    ['a title without a name', 'title\nboot\n', { entries: [entry('', 'boot')] }],
    ['titles may repeat', 'title A\nboot\ntitle A\nhalt\n', { entries: [entry('A', 'boot'), entry('A', 'halt')] }],
    [
      'head: only what belongs there',
      'timeout 1\nroot (hd0,0)\nserial\n',
      { head: ['timeout 1', 'serial'], entries: [] },
    ],
    [
      'a menu command in an entry is kept for boot time',
      'title A\ntimeout 5\n',
      { entries: [entry('A', 'timeout 5')] },
    ],
    ['commands are case-sensitive', 'TITLE A\nboot\n', { entries: [] }],
    ['no names from prototypes', 'title A\nconstructor\ntoString\n', { entries: [] }],
  ]
  test.each(rows)('%s', (_, text, { head = [], entries }) => {
    expect(parseMenuList(text)).toEqual({ head, entries })
  })
})

describe('settings', () => {
  const four = 'title 0\nboot\ntitle 1\nboot\ntitle 2\nboot\ntitle 3\nboot\n'
  const none: MenuSettings = { defaultEntry: 0, fallback: [], fallbackEntries: [], timeout: undefined, hidden: false }
  const rows: [string, Partial<MenuSettings>][] = [
    ['', {}],
    ['default 2', { defaultEntry: 2 }],
    ['default=0x3', { defaultEntry: 3 }],
    ['default 9', { defaultEntry: 0 }],
    ['default two', { defaultEntry: 0 }],
    ['default 2\ndefault x', { defaultEntry: 2 }],
    ['default saved', { defaultEntry: 1 }],
    ['timeout 0', { timeout: 0 }],
    ['timeout 10 seconds', { timeout: 10 }],
    ['timeout -1', {}],
    ['timeout 99999999999', {}],
    ['hiddenmenu', { hidden: true }],
    ['fallback 1 2', { fallback: [1, 2], fallbackEntries: [1, 2] }],
    ['fallback 1 1 2 1', { fallback: [1, 2], fallbackEntries: [1, 2] }],
    ['fallback 7 2', { fallback: [2], fallbackEntries: [2] }],
    ['fallback 1 x', {}],
    ['fallback', {}],
    ['fallback 0 1 2 3 4 5 6 7 8', { fallback: [0, 1, 2, 3], fallbackEntries: [0, 1, 2, 3] }],
    ['default 9\nfallback 3 1', { defaultEntry: 3, fallback: [1], fallbackEntries: [3, 1] }],
  ]
  test.each(rows)('%s', (head, settings) => {
    expect(menuSettings(parseMenuList(`${head}\n${four}`), 1)).toEqual({ ...none, ...settings })
  })
  test('no more than eight fallback entries', () => {
    const many = Array.from({ length: 12 }, (_, i) => `title ${i}\nboot\n`).join('')
    const { fallback } = menuSettings(parseMenuList(`fallback 0 1 2 3 4 5 6 7 8 9\n${many}`), 0)
    expect(fallback).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })
  test('without entries there is no default either', () => {
    expect(menuSettings(parseMenuList('default 3\nfallback 1\n'), 0)).toEqual(none)
  })
})
