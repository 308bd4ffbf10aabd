import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { chmodCommand, readCommand, removeCommand, writeCommand } from './commands.ts'
import { bytesOf, isBinary, lineOf, textOf } from './values.ts'

describe('a value as text', () => {
  test.each([
    ['', ''],
    ['262144', '262144'],
    ['a\\b', 'a\\\\b'],
    ['a\nb\tc\r', 'a\nb\\tc\\r'],
    ['\0\x01\x7f', '\\x00\\x01\\x7f'],
    ['\xe5\x9f\x9f', '域'],
    ['\xff\xe5\x9f\x9f\xe5', '\\xff域\\xe5'],
    ['\xef\xbf\xbd\xff', '\ufffd\\xff'],
    ['\xf0\x9f\x90\xbc!', '🐼!'],
    // Longer than it need be, and half of a pair: no UTF-8.
    ['\xc0\x80', '\\xc0\\x80'],
    ['\xed\xa0\x80', '\\xed\\xa0\\x80'],
  ])('%j is %j', (value, text) => {
    expect(textOf(value)).toBe(text)
    expect(bytesOf(text)).toBe(value)
  })

  test('whatever bytes come, they come back', () => {
    const rng = createRng(9)
    for (let i = 0; i < 2000; i++) {
      const alphabet = rng.below(2) ? 256 : 8
      const bytes = Array.from({ length: rng.below(12) }, () =>
        alphabet === 8 ? rng.pick([0x5c, 0x78, 0x34, 0x6e, 0xc3, 0xa9, 0xe5, 0x9f]) : rng.below(256),
      )
      const value = String.fromCharCode(...bytes)
      expect(bytesOf(textOf(value))).toBe(value)
    }
  })

  test.each([
    ['\\q', '\\q'],
    ['\\x4', '\\x4'],
    ['\\n', '\n'],
    ['end\\', 'end\\'],
  ])('typed %j means %j', (text, value) => {
    expect(bytesOf(text)).toBe(value)
  })

  test('a row has it in one line, and not all of a long one', () => {
    expect(lineOf('a\nb')).toBe('a\\nb')
    expect(lineOf('x'.repeat(4000)).length).toBe(400)
  })

  test.each([
    ['plain\n\t', false],
    ['\xc3\xa9', false],
    ['\\x41', false],
    ['\0', true],
    ['\xff', true],
  ])('%j has bytes that are no text: %s', (value, binary) => {
    expect(isBinary(value)).toBe(binary)
  })
})

describe('the command that does the same', () => {
  test.each([
    [readCommand('/a/b'), 'xenstore-read /a/b'],
    [readCommand('/'), 'xenstore-ls'],
    [writeCommand('/a', '65536'), 'xenstore-write /a 65536'],
    [writeCommand('/a', ''), "xenstore-write /a ''"],
    [writeCommand('/a', "it's so"), "xenstore-write /a 'it'\\''s so'"],
    [writeCommand('/a', '-1'), 'xenstore-write -- /a -1'],
    [writeCommand('/a', 'x\ny\\\xff'), "xenstore-write /a 'x\\x0ay\\\\\\xff'"],
    [writeCommand('/a', '$(reboot)'), "xenstore-write /a '$(reboot)'"],
    [removeCommand('/a b'), "xenstore-rm '/a b'"],
    [chmodCommand('/a', ['n0', 'r3']), 'xenstore-chmod /a n0 r3'],
  ])('%s', (command, expected) => {
    expect(command).toBe(expected)
  })
})
