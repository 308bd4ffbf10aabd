import { expect, test } from 'vitest'
import { cp437 } from './cp437.ts'

test('every byte shows one character of its own, but for the blanks', () => {
  const all = Array.from({ length: 256 }, (_, code) => cp437(code))
  expect(all.every((char) => char?.length === 1)).toBe(true)
  expect(new Set(all).size).toBe(255)
})

test.each([
  [0x00, ' '],
  [0x18, '↑'],
  [0x19, '↓'],
  [0x41, 'A'],
  [0x7f, '⌂'],
  [0x80, 'Ç'],
  [0xb3, '│'],
  [0xbf, '┐'],
  [0xc0, '└'],
  [0xc4, '─'],
  [0xd9, '┘'],
  [0xda, '┌'],
  [0xdb, '█'],
  [0xe1, 'ß'],
  [0xf8, '°'],
  [0xfe, '■'],
])('0x%s shows %s', (code, char) => {
  expect(cp437(code)).toBe(char)
})
