import { expect, test } from 'vitest'
import { canType, chordScanCodes, scanCodes } from './keyboard.ts'
import { KEY_NAMES, parseChord, plainKey, serialBytes } from './keys.ts'

const sent = (name: string, applicationCursor = false): string => {
  const chord = parseChord(name)
  if (!chord) throw new Error(`no such key: ${name}`)
  return String.fromCharCode(...serialBytes(chord, applicationCursor))
}

test.each([
  ['Enter', '\r'],
  ['Return', '\r'],
  ['Backspace', '\x7f'],
  ['Tab', '\t'],
  ['Escape', '\x1b'],
  ['Space', ' '],
  ['Up', '\x1b[A'],
  ['ArrowDown', '\x1b[B'],
  ['Right', '\x1b[C'],
  ['Left', '\x1b[D'],
  ['Home', '\x1b[H'],
  ['End', '\x1b[F'],
  ['Insert', '\x1b[2~'],
  ['Delete', '\x1b[3~'],
  ['PageUp', '\x1b[5~'],
  ['PageDown', '\x1b[6~'],
  ['a', 'a'],
  ['+', '+'],
  ['Ctrl+a', '\x01'],
  ['Ctrl+A', '\x01'],
  ['Ctrl+Shift+o', '\x0f'],
  ['Ctrl+[', '\x1b'],
  ['Ctrl+\\', '\x1c'],
  ['Ctrl+]', '\x1d'],
  ['Ctrl+^', '\x1e'],
  ['Ctrl+_', '\x1f'],
  ['Ctrl+-', '\x1f'],
  ['Ctrl+@', '\0'],
  ['Ctrl+Space', '\0'],
  ['Ctrl+Backspace', '\b'],
  ['Ctrl+Enter', '\r'],
  ['Ctrl+Left', '\x1b[1;5D'],
  ['Ctrl+Alt+Shift+Left', '\x1b[1;8D'],
  ['Shift+PageUp', '\x1b[5;2~'],
  ['Alt+.', '\x1b.'],
  ['Alt+Enter', '\x1b\r'],
  ['Ctrl+Alt+c', '\x1b\x03'],
  ['Shift+a', 'A'],
  ['Shift+1', '!'],
  ['Shift+Tab', '\x1b[Z'],
  ['é', '\xc3\xa9'],
])('%s on a serial line', (name, bytes) => {
  expect(sent(name)).toBe(bytes)
})

test('cursor keys in application mode', () => {
  expect(['Up', 'Home', 'Ctrl+Up', 'Delete'].map((name) => sent(name, true))).toEqual([
    '\x1bOA',
    '\x1bOH',
    '\x1b[1;5A',
    '\x1b[3~',
  ])
})

test('Ctrl with a key that has no control code sends nothing', () => {
  expect(sent('Ctrl+9')).toBe('')
  expect(sent('Ctrl+Alt+9')).toBe('')
})

test.each(['', 'Foo', 'constructor', '__proto__', 'Ctrl+', 'Ctrl+Foo', 'Hyper+a', 'ab'])('no such key: %j', (name) => {
  expect(parseChord(name)).toBeUndefined()
})

const hex = (codes: readonly number[] | undefined): string | undefined =>
  codes?.map((code) => code.toString(16).padStart(2, '0')).join(' ')

test.each([
  ['a', '1e 9e'],
  ['A', '2a 1e 9e aa'],
  ['!', '2a 02 82 aa'],
  ['\\', '2b ab'],
  ['|', '2a 2b ab aa'],
  ['`', '29 a9'],
  [' ', '39 b9'],
  ['Space', '39 b9'],
  ['Enter', '1c 9c'],
  ['Escape', '01 81'],
  ['Backspace', '0e 8e'],
  ['Up', 'e0 48 e0 c8'],
  ['Delete', 'e0 53 e0 d3'],
  ['PageDown', 'e0 51 e0 d1'],
  ['Ctrl+c', '1d 2e ae 9d'],
  ['Ctrl+Alt+Delete', '1d 38 e0 53 e0 d3 b8 9d'],
  ['Shift+Tab', '2a 0f 8f aa'],
])('%s on the keyboard', (name, codes) => {
  expect(hex(chordScanCodes(parseChord(name)!))).toBe(codes)
})

test('every key that a tape names, and every printable character, is on the keyboard', () => {
  for (const name of KEY_NAMES) expect(chordScanCodes(plainKey(name)), name).toBeDefined()
  for (let code = 0x20; code < 0x7f; code++)
    expect(canType(String.fromCharCode(code)), String.fromCharCode(code)).toBe(true)
})

test('keys that the keyboard lacks', () => {
  expect(canType('é')).toBe(false)
  expect(chordScanCodes(plainKey('é'))).toBeUndefined()
  expect(scanCodes('Fn', true)).toBeUndefined()
})

test.each([
  ['KeyQ', '10', '90'],
  ['F12', '58', 'd8'],
  ['NumpadEnter', 'e0 1c', 'e0 9c'],
  ['ControlRight', 'e0 1d', 'e0 9d'],
  ['Numpad0', '52', 'd2'],
  ['ContextMenu', 'e0 5d', 'e0 dd'],
])('KeyboardEvent.code %s', (code, down, up) => {
  expect([hex(scanCodes(code, true)), hex(scanCodes(code, false))]).toEqual([down, up])
})
