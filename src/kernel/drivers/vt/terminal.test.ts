import { describe, expect, test } from 'vitest'
import { cp437 } from '#lib/cp437.ts'
import { createRng } from '#lib/prng.ts'
import { bytesOfString, utf8Encode } from '#lib/utf8.ts'
import { Screen } from '#tape/screen.ts'
import { makeFont } from './charset.ts'
import { Terminal } from './terminal.ts'

const FONT = makeFont()

function build(columns = 10, rows = 4) {
  let answers = ''
  const terminal = new Terminal(columns, rows, FONT, {
    answer: (text) => {
      answers += text
    },
  })
  return { terminal, write: (text: string) => terminal.write(bytesOfString(text)), answers: () => answers }
}

const row = (terminal: Terminal, y: number): string => {
  let text = ''
  for (let x = 0; x < terminal.columns; x++) text += cp437(terminal.cells[y * terminal.columns + x]! & 255)
  return text.trimEnd()
}
const rowsOf = (terminal: Terminal): string[] => Array.from({ length: terminal.rows }, (_, y) => row(terminal, y))
const attrs = (terminal: Terminal, count: number): string =>
  [...terminal.cells.subarray(0, count)].map((cell) => (cell >> 8).toString(16).padStart(2, '0')).join(' ')

describe('what is written', () => {
  test.each<[string, string, string[], [number, number]]>([
    ['text', 'ab\r\ncd', ['ab', 'cd', '', ''], [2, 1]],
    ['a newline does not return', 'ab\ncd', ['ab', '  cd', '', ''], [4, 1]],
    ['LNM: it does', '\x1b[20hab\ncd', ['ab', 'cd', '', ''], [2, 1]],
    ['the last column waits before it wraps', '0123456789', ['0123456789', '', '', ''], [9, 0]],
    ['wraps', '0123456789a', ['0123456789', 'a', '', ''], [1, 1]],
    ['no autowrap', '\x1b[?7l0123456789ab', ['012345678b', '', '', ''], [9, 0]],
    ['backspace', 'abc\b\bX', ['aXc', '', '', ''], [2, 0]],
    ['tab', 'a\tb', ['a       b', '', '', ''], [9, 0]],
    ['tabs are set and cleared', '\x1b[3g\x1b[4G\x1bH\ra\tb', ['a  b', '', '', ''], [4, 0]],
    ['scrolls', 'a\r\nb\r\nc\r\nd\r\ne', ['b', 'c', 'd', 'e'], [1, 3]],
    ['scrolling region', '\x1b[2;3ra\r\nb\r\nc\r\nd', ['a', 'c', 'd', ''], [1, 2]],
    ['reverse index scrolls down', 'a\r\nb\x1b[H\x1bMz', ['z', 'a', 'b', ''], [1, 0]],
    ['NEL', 'ab\x1bEc', ['ab', 'c', '', ''], [1, 1]],
    ['CUP', '\x1b[3;4Hx', ['', '', '   x', ''], [4, 2]],
    ['CUP beyond', '\x1b[99;99Hx', ['', '', '', '         x'], [9, 3]],
    ['relative moves', '\x1b[2;2H\x1b[A\x1b[2C\x1b[B\x1b[Dx', ['', '  x', '', ''], [3, 1]],
    ['CNL, CPL, CHA, VPA', '\x1b[2Ea\x1b[Fb\x1b[5Gc\x1b[4dd', ['', 'b   c', 'a', '     d'], [6, 3]],
    ['origin mode', '\x1b[2;3r\x1b[?6h\x1b[1;1Hx\x1b[9;1Hy', ['', 'x', 'y', ''], [1, 2]],
    ['ED 0', 'abc\r\ndef\x1b[1;2H\x1b[J', ['a', '', '', ''], [1, 0]],
    ['ED 1', 'abc\r\ndef\x1b[2;2H\x1b[1J', ['', '  f', '', ''], [1, 1]],
    ['ED 2', 'abc\x1b[2J', ['', '', '', ''], [3, 0]],
    ['EL 0 1 2', 'abcd\x1b[3G\x1b[K\r\nabcd\x1b[2G\x1b[1K\r\nabcd\x1b[2K', ['ab', '  cd', '', ''], [4, 2]],
    [
      'ICH, DCH, ECH',
      'abcd\x1b[2G\x1b[2@\r\nabcd\x1b[2G\x1b[2P\r\nabcd\x1b[2G\x1b[2X',
      ['a  bcd', 'ad', 'a  d', ''],
      [1, 2],
    ],
    ['IL, DL', 'a\r\nb\r\nc\x1b[2H\x1b[L', ['a', '', 'b', 'c'], [0, 1]],
    ['DL', 'a\r\nb\r\nc\x1b[1H\x1b[2M', ['c', '', '', ''], [0, 0]],
    ['insert mode', 'abc\x1b[2G\x1b[4hX\x1b[4lY', ['aXYc', '', '', ''], [3, 0]],
    ['save and restore', 'ab\x1b7\r\ncd\x1b8X', ['abX', 'cd', '', ''], [3, 0]],
    ['CSI s and u', 'ab\x1b[scd\x1b[uX', ['abXd', '', '', ''], [3, 0]],
    ['line drawing', '\x1b(0lqk\x1b(Bq', ['┌─┐q', '', '', ''], [4, 0]],
    ['shift out', '\x0eqx\x0fq', ['─│q', '', '', ''], [3, 0]],
    ['IBM’s own', '\x1b(U\xc9\xcd\xbb\x1b(B', ['╔═╗', '', '', ''], [3, 0]],
    ['Latin 1', '\xe4\xf6', ['äö', '', '', ''], [2, 0]],
    ['UTF-8', `\x1b%G${String.fromCharCode(...utf8Encode('ä─é'))}\x1b%@`, ['ä─é', '', '', ''], [3, 0]],
    [
      'UTF-8 of what the font has not',
      `\x1b%G${String.fromCharCode(...utf8Encode('漢x'))}`,
      ['■x', '', '', ''],
      [2, 0],
    ],
    ['DECALN', '\x1b#8', ['EEEEEEEEEE', 'EEEEEEEEEE', 'EEEEEEEEEE', 'EEEEEEEEEE'], [0, 0]],
    ['a function key’s echo', '\x1b[[Ax', ['x', '', '', ''], [1, 0]],
    ['palettes are taken and ignored', '\x1b]P1aabbccx\x1b]Rx', ['xx', '', '', ''], [2, 0]],
    ['cancelled', 'a\x1b[3\x18b', ['ab', '', '', ''], [2, 0]],
    ['unknown sequences', '\x1b[5zx\x1b[?1000hx', ['xx', '', '', ''], [2, 0]],
    ['reset', 'abc\x1b[7m\x1bcx', ['x', '', '', ''], [1, 0]],
    ['a region of one line is none', '\x1b[2;2ra\r\nb', ['a', 'b', '', ''], [1, 1]],
  ])('%s', (_name, text, expected, cursor) => {
    const { terminal, write } = build()
    write(text)
    expect(rowsOf(terminal)).toEqual(expected)
    expect([terminal.x, terminal.y]).toEqual(cursor)
  })
})

describe('attributes', () => {
  test.each<[string, string, string]>([
    ['plain', 'a', '07'],
    ['bold', '\x1b[1ma', '0f'],
    ['dim', '\x1b[2ma', '08'],
    ['underlined', '\x1b[4ma', '0f'],
    ['blinking', '\x1b[5ma', '87'],
    ['reverse', '\x1b[7ma', '70'],
    ['red on blue', '\x1b[31;44ma', '14'],
    ['bright yellow', '\x1b[1;33ma', '0e'],
    ['and back', '\x1b[31;44;1ma\x1b[0mb', '1c 07'],
    ['default colours', '\x1b[31;44m\x1b[39;49ma', '07'],
    ['erasing takes the background', '\x1b[44m\x1b[2K\x1b[0m', '17'],
    ['the screen reversed', 'a\x1b[?5hb', '70 70'],
    ['stored as default', '\x1b[32m\x1b[8]\x1b[0ma', '02'],
  ])('%s', (_name, text, expected) => {
    const { terminal, write } = build()
    write(text)
    expect(attrs(terminal, expected.split(' ').length)).toBe(expected)
  })
})

test.each([
  ['device attributes', '\x1b[c', '\x1b[?6c'],
  ['DECID', '\x1bZ', '\x1b[?6c'],
  ['status', '\x1b[5n', '\x1b[0n'],
  ['cursor position', '\x1b[2;3H\x1b[6n', '\x1b[2;3R'],
  ['nothing else', '\x1b[1c\x1b[7n', ''],
])('answers: %s', (_name, text, expected) => {
  const { write, answers } = build()
  write(text)
  expect(answers()).toBe(expected)
})

test('modes of the keyboard and the cursor', () => {
  const { terminal, write } = build()
  write('\x1b[?1h\x1b=\x1b[?25l\x1b[20h')
  expect([
    terminal.cursorKeysApplication,
    terminal.keypadApplication,
    terminal.cursorVisible,
    terminal.newLineMode,
  ]).toEqual([true, true, false, true])
  write('\x1b[?1l\x1b>\x1b[?25h\x1b[20l')
  expect([
    terminal.cursorKeysApplication,
    terminal.keypadApplication,
    terminal.cursorVisible,
    terminal.newLineMode,
  ]).toEqual([false, false, true, false])
})

test('the kernel prints without looking for escapes', () => {
  const { terminal } = build()
  terminal.print('a\nb')
  expect(rowsOf(terminal).slice(0, 2)).toEqual(['a', 'b'])
})

test('a random walk agrees with another VT100', () => {
  const rng = createRng(7)
  const pick = (n: number): number => rng.bytes(1)[0]! % n
  const moves = [
    () => 'abcdefghijkl'.slice(0, pick(12)),
    () => '\r\n',
    () => `\x1b[${1 + pick(8)};${1 + pick(20)}H`,
    () => `\x1b[${pick(3)}J`,
    () => `\x1b[${pick(3)}K`,
    () => `\x1b[${pick(4)}${'ABCDP@X'[pick(7)]}`,
    // A VT102 goes to the line's beginning with these, Linux's console does not.
    () => `\x1b[${pick(4)}${'LM'[pick(2)]}\r`,
    () => '\x1bM',
    () => '\x1bD',
    () => '\x1b7',
    () => '\x1b8',
    () => '\t',
    () => '\b',
  ]
  for (let round = 0; round < 50; round++) {
    const { terminal, write } = build(20, 8)
    const screen = new Screen({ columns: 20, rows: 8 })
    let text = ''
    for (let i = 0; i < 60; i++) {
      const part = moves[pick(moves.length)]!()
      text += part
      write(part)
      screen.write(bytesOfString(part))
      // Where the two really differ: what is pending at the margin.
      if (screen.cursor.column >= 19 || terminal.x >= 19) {
        text += '\r'
        write('\r')
        screen.write([13])
      }
      expect([JSON.stringify(text), ...rowsOf(terminal)]).toEqual([
        JSON.stringify(text),
        ...screen.rows().map((line) => line.trimEnd()),
      ])
      expect([text, terminal.y, terminal.x]).toEqual([text, screen.cursor.row, screen.cursor.column])
    }
  }
})
