/** What keys and soft keyboards send. */
import { describe, expect, test } from 'vitest'
import { sendKeyGroups } from './send-keys.ts'
import { edits } from './soft-input.ts'

test('the keys of the menu send what a terminal sends for them', () => {
  const keys = new Map(sendKeyGroups.flat().map(({ name, bytes }) => [name, bytes]))
  const expected: Readonly<Record<string, string>> = {
    'Ctrl-A ×3': '\x01\x01\x01',
    'Ctrl-]': '\x1d',
    Esc: '\x1b',
    Tab: '\t',
    'Ctrl-A': '\x01',
    'Ctrl-C': '\x03',
    'Ctrl-D': '\x04',
    'Ctrl-N': '\x0e',
    'Ctrl-T': '\x14',
    'Ctrl-W': '\x17',
    'Ctrl-Z': '\x1a',
    'Ctrl-\\': '\x1c',
    'Alt-B': '\x1bb',
    'Alt-.': '\x1b.',
    F1: '\x1bOP',
    F4: '\x1bOS',
    F5: '\x1b[15~',
    F6: '\x1b[17~',
    F10: '\x1b[21~',
    F11: '\x1b[23~',
    F12: '\x1b[24~',
  }
  for (const [name, bytes] of Object.entries(expected)) expect([name, keys.get(name)]).toEqual([name, bytes])
  expect(keys.size).toBe(sendKeyGroups.flat().length)
})

describe('what a composition changes', () => {
  test.each([
    ['', 'l', 'l'],
    ['l', 'ls', 's'],
    ['ls', 'l', '\x7f'],
    ['teh', 'the', '\x7f\x7fhe'],
    ['nihao', '你好', '\x7f\x7f\x7f\x7f\x7f你好'],
    ['a😀', 'a', '\x7f'],
    ['same', 'same', ''],
  ])('%s to %s', (before, next, sent) => expect(edits(before, next)).toBe(sent))
})
