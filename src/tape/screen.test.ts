import { describe, expect, test } from 'vitest'
import { Screen } from './screen.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function show(text: string, columns = 10, rows = 5): Screen {
  const screen = new Screen({ columns, rows })
  screen.write(bytes(text))
  return screen
}

/** Rows without the empty ones at the bottom. */
function text(screen: Screen): string {
  return screen.rows().join('\n').replace(/\n+$/, '')
}

const CSI = '\x1b['

describe('what a 10 x 5 screen shows', () => {
  const cases: [name: string, input: string, shown: string, row: number, column: number][] = [
    ['plain text', 'abc', 'abc', 0, 3],
    ['CR LF', 'a\r\nb', 'a\nb', 1, 1],
    ['LF alone keeps the column', 'ab\nc', 'ab\n  c', 1, 3],
    ['VT and FF are line feeds', 'a\x0bb\x0cc', 'a\n b\n  c', 2, 3],
    ['NEL', 'ab\x1bEc', 'ab\nc', 1, 1],
    ['LNM makes LF a new line', `${CSI}20hab\nc`, 'ab\nc', 1, 1],
    ['backspace moves without erasing', 'abc\b\bX', 'aXc', 0, 2],
    ['backspace stops at the left', '\b\b\bX', 'X', 0, 1],
    ['tab stops every eight', 'a\tb', 'a       b', 0, 9],
    ['tab stops at the last column', 'a\t\t\tb', 'a        b', 0, 9],
    ['HTS and TBC', `${CSI}3g${CSI}4G\x1bH\r\tX`, '   X', 0, 4],
    ['CHT and CBT', `${CSI}3IX${CSI}ZY`, '        YX', 0, 9],
    ['the last column does not wrap yet', '0123456789', '0123456789', 0, 9],
    ['the next character wraps', '0123456789a', '0123456789\na', 1, 1],
    ['CR takes the pending wrap back', '0123456789\rX', 'X123456789', 0, 1],
    ['a cursor move takes the pending wrap back', `0123456789${CSI}DX`, '01234567X9', 0, 9],
    ['LF after the last column goes down only one row', '0123456789\r\nX', '0123456789\nX', 1, 1],
    ['without DECAWM the last column is overwritten', `${CSI}?7l0123456789abc`, '012345678c', 0, 9],
    ['scrolling at the bottom', '1\r\n2\r\n3\r\n4\r\n5\r\n6', '2\n3\n4\n5\n6', 4, 1],
    ['CUP counts from one', `${CSI}2;3HX`, '\n  X', 1, 3],
    ['CUP without parameters goes home', `abc${CSI}HX`, 'Xbc', 0, 1],
    ['HVP', `${CSI}3;2fX`, '\n\n X', 2, 2],
    ['CUP is clamped', `${CSI}99;99HX`, '\n\n\n\n         X', 4, 9],
    ['CUU CUD CUF CUB', `${CSI}3;3H${CSI}2AX${CSI}2BY${CSI}3DZ${CSI}2CW`, '  X\n\n Z YW', 2, 5],
    ['CNL and CPL', `ab${CSI}2Ec${CSI}Fd`, 'ab\nd\nc', 1, 1],
    ['CHA and VPA', `abc${CSI}2GX${CSI}3dY`, 'aXc\n\n  Y', 2, 3],
    ['ED 0', `abc\r\ndef\r\nghi${CSI}2;2H${CSI}J`, 'abc\nd', 1, 1],
    ['ED 1', `abc\r\ndef\r\nghi${CSI}2;2H${CSI}1J`, '\n  f\nghi', 1, 1],
    ['ED 2 leaves the cursor', `abc${CSI}2JX`, '   X', 0, 4],
    ['EL 0', `abcdef${CSI}3G${CSI}K`, 'ab', 0, 2],
    ['EL 1', `abcdef${CSI}3G${CSI}1K`, '   def', 0, 2],
    ['EL 2', `abcdef${CSI}3G${CSI}2K`, '', 0, 2],
    ['ICH', `abcdef${CSI}2G${CSI}2@`, 'a  bcdef', 0, 1],
    ['ICH drops what leaves the row', `0123456789${CSI}2G${CSI}3@X`, '0X  123456', 0, 2],
    ['DCH', `abcdef${CSI}2G${CSI}2P`, 'adef', 0, 1],
    ['ECH', `abcdef${CSI}2G${CSI}2X`, 'a  def', 0, 1],
    ['IRM', `abc\r${CSI}4hX${CSI}4lY`, 'XYbc', 0, 2],
    ['IL', `1\r\n2\r\n3${CSI}2;1H${CSI}L`, '1\n\n2\n3', 1, 0],
    ['DL', `1\r\n2\r\n3${CSI}1;2H${CSI}2M`, '3', 0, 0],
    ['SU and SD', `1\r\n2\r\n3${CSI}2S`, '3', 2, 1],
    ['SD', `1\r\n2${CSI}T`, '\n1\n2', 1, 1],
    ['RI scrolls down at the top', `1\r\n2${CSI}H\x1bMX`, 'X\n1\n2', 0, 1],
    ['IND', `a\x1bDb`, 'a\n b', 1, 2],
    ['REP', `a${CSI}3b`, 'aaaa', 0, 4],
    ['a scroll region', `1\r\n2\r\n3\r\n4\r\n5${CSI}2;4r${CSI}4;1H\nX`, '1\n3\n4\nX\n5', 3, 1],
    ['DECSTBM goes home', `abc${CSI}2;3rX`, 'Xbc', 0, 1],
    ['a region of one row is refused', `abc${CSI}2;2rX`, 'abcX', 0, 4],
    ['origin mode counts from the region', `${CSI}2;4r${CSI}?6h${CSI}1;1HX${CSI}9;1HY`, '\nX\n\nY', 3, 1],
    ['CUU stops at the top margin', `${CSI}2;4r${CSI}3;1H${CSI}9AX`, '\nX', 1, 1],
    ['IL outside the region does nothing', `1\r\n2\r\n3${CSI}2;3r${CSI}H${CSI}L`, '1\n2\n3', 0, 0],
    ['DECSC and DECRC', `ab\x1b7\r\ncd\x1b8X`, 'abX\ncd', 0, 3],
    ['DECRC without DECSC goes home', `abc\x1b8X`, 'Xbc', 0, 1],
    ['ANSI.SYS save and restore', `ab${CSI}s\r\n${CSI}uX`, 'abX', 0, 3],
    ['line drawing', '\x1b(0lqk\x1b(B lqk', '┌─┐ lqk', 0, 7],
    ['line drawing through SO and SI', '\x1b)0a\x0ex\x0fx', 'a│x', 0, 3],
    ['alternate screen', `main${CSI}?1049h${CSI}Halt`, 'alt', 0, 3],
    ['back to the main screen', `main${CSI}?1049h${CSI}Halt${CSI}?1049lX`, 'mainX', 0, 5],
    ['DECALN', '\x1b#8', Array(5).fill('EEEEEEEEEE').join('\n'), 0, 0],
    ['RIS', `abc${CSI}2;3r${CSI}?6h\x1bcX`, 'X', 0, 1],
    ['UTF-8', 'é€😀', 'é€😀', 0, 4],
    ['wide characters take two columns', '中文X', '中文X', 0, 5],
    ['a wide character does not fit the last column', '123456789中', '123456789\n中', 1, 2],
    ['half a wide character goes with the other', `中文${CSI}2GX`, ' X文', 0, 2],
    ['combining characters take no column', 'e\u0301X', 'eX', 0, 2],
    ['OSC is skipped, ended by BEL', '\x1b]0;title\x07X', 'X', 0, 1],
    ['OSC is skipped, ended by ST', '\x1b]0;title\x1b\\X', 'X', 0, 1],
    ['DCS is skipped', '\x1bP1$r0m\x1b\\X', 'X', 0, 1],
    ['private modes that only change the look', `${CSI}?12h${CSI}?2004hX`, 'X', 0, 1],
    ['unknown final bytes are ignored', `${CSI}5yX${CSI}>0cY`, 'XY', 0, 2],
    ['CAN aborts a sequence', `${CSI}2\x18JX`, 'JX', 0, 2],
    ['a control inside a sequence acts at once', `ab${CSI}\r2CX`, 'abX', 0, 3],
    ['ESC inside a sequence begins anew', `${CSI}2${CSI}3GX`, '  X', 0, 3],
    ['too many parameters: the sequence is ignored', `${CSI}${'1;'.repeat(40)}HX`, 'X', 0, 1],
    ['DEL and NUL print nothing', 'a\x7f\x00b', 'ab', 0, 2],
  ]
  test.each(cases)('%s', (_name, input, shown, row, column) => {
    const screen = show(input)
    expect({ text: text(screen), row: screen.cursor.row, column: screen.cursor.column }).toEqual({
      text: shown,
      row,
      column,
    })
  })
})

test('bad UTF-8 shows one replacement character for each fault', () => {
  const screen = new Screen()
  screen.write([0xff, 0x41, 0xc3, 0x41, 0x80, 0xe2, 0x82, 0x42, 0xc0, 0x80])
  expect(screen.line()).toBe('\ufffdA\ufffdA\ufffd\ufffdB\ufffd')
})

test('a carriage return between the bytes of a character ends it', () => {
  const screen = new Screen()
  screen.write([0xe2, 0x0d, 0x41])
  expect(screen.line()).toBe('A')
})

test.each([
  ['a line that wraps', '0123456789abc\r\nx', ['0123456789abc', 'x'], 'x'],
  ['blanks at the edge are part of the line', '01234567  abc', ['01234567  abc'], '01234567  abc'],
  [
    'over three rows',
    `0123456789${'x'.repeat(10)}yz`,
    [`0123456789${'x'.repeat(10)}yz`],
    `0123456789${'x'.repeat(10)}yz`,
  ],
  ['a full row with a line end does not wrap', '0123456789\r\nabc', ['0123456789', 'abc'], 'abc'],
  ['an erased row is a line of its own', `0123456789abc${CSI}2K\rx`, ['0123456789', 'x'], 'x'],
  ['scrolled along', '0123456789abc\r\n1\r\n2\r\n3', ['0123456789abc', '1', '2', '3'], '3'],
])('lines in one piece: %s', (_name, input, lines, line) => {
  const screen = show(input)
  expect(screen.lines().filter((found) => found !== '')).toEqual(lines)
  expect(screen.wholeLine()).toBe(line)
})

test('rendition is kept for each cell', () => {
  const screen = show(`a${CSI}1;7mb${CSI}0;31;44mc${CSI}38;5;200;48;2;1;2;3md${CSI}m e`)
  const style = (column: number) => {
    const { bold, reverse, foreground, background } = screen.cell(0, column)!.style
    return { bold, reverse, foreground, background }
  }
  const plain = { bold: false, reverse: false, foreground: undefined, background: undefined }
  expect([0, 1, 2, 3, 4].map(style)).toEqual([
    plain,
    { ...plain, bold: true, reverse: true },
    { ...plain, foreground: 1, background: 4 },
    { ...plain, foreground: 200, background: 0x1010203 },
    plain,
  ])
  expect(screen.cell(9, 9)).toBeUndefined()
})

test('erasing keeps the background colour and nothing else', () => {
  const screen = show(`${CSI}1;7;44mabc${CSI}2K`)
  const { bold, reverse, background } = screen.cell(0, 1)!.style
  expect({ bold, reverse, background }).toEqual({ bold: false, reverse: false, background: 4 })
})

test.each([
  ['where is the cursor', `ab\r\nc${CSI}6n`, `${CSI}2;2R`],
  ['the same in origin mode', `${CSI}2;4r${CSI}?6h${CSI}2;3H${CSI}6n`, `${CSI}2;3R`],
  ['are you well', `${CSI}5n`, `${CSI}0n`],
  ['who are you', `${CSI}c`, `${CSI}?1;2c`],
  ['who are you, as a VT52', '\x1bZ', `${CSI}?1;2c`],
  ['secondary attributes: no answer', `${CSI}>c`, ''],
])('answers: %s', (_name, input, answer) => {
  let said = ''
  const screen = new Screen({
    answer: (sent) => {
      said += String.fromCharCode(...sent)
    },
  })
  screen.write(bytes(input))
  expect(said).toBe(answer)
})

test('cursor keys, cursor and bell', () => {
  const screen = show(`${CSI}?1h${CSI}?25l\x07\x07`)
  expect([screen.applicationCursor, screen.cursor.visible, screen.bells]).toEqual([true, false, 2])
  screen.write(bytes('\x1b[!p'))
  expect([screen.applicationCursor, screen.cursor.visible]).toEqual([false, true])
})

test('any bytes whatever leave a screen of its size, the same in one piece and byte by byte', () => {
  let state = 12345
  const noise = Array.from({ length: 20_000 }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const roll = state >>> 24
    return roll < 40 ? 0x1b : roll < 80 ? 0x5b : roll < 120 ? 0x30 + (roll % 12) : (state >>> 8) & 255
  })
  const whole = new Screen({ columns: 20, rows: 6 })
  whole.write(noise)
  const pieces = new Screen({ columns: 20, rows: 6 })
  for (const byte of noise) {
    pieces.byte(byte)
    const { row, column } = pieces.cursor
    if (row < 0 || row > 5 || column < 0 || column > 19) throw new Error(`cursor left the screen: ${row}, ${column}`)
  }
  expect(pieces.rows()).toEqual(whole.rows())
  expect(whole.rows()).toHaveLength(6)
  expect(whole.rows().every((row) => [...row].length <= 20)).toBe(true)
})
