/** Editing a line: keys, history, long lines, TAB. */
import { describe, expect, test } from 'vitest'
import { diskWith, elfKernel } from '#testing/boot-disk.ts'
import { BootRig } from '#testing/boot-rig.ts'
import { start } from './stage2.ts'

const LEFT = 0x4b00
const RIGHT = 0x4d00
const HOME = 0x4700
const END = 0x4f00
const DELETE = 0x5300
const UP = 0x4800
const DOWN = 0x5000
const BACKSPACE = '\b'
const TAB = '\t'

const DISK = diskWith({
  '/boot/xen-3.3.gz': elfKernel(),
  '/boot/xen-3.4.gz': elfKernel(),
  '/boot/grub/stage1': 'x',
  '/etc/fstab': 'x',
})
const prompt = (): BootRig => new BootRig({ disk: DISK.clone() }).start(start)
const lastLine = (rig: BootRig): string => rig.screen.text().split('\n').at(-1)!

describe('editing', () => {
  const rows: [string, (string | number)[], string][] = [
    ['typing', ['abc'], 'abc'],
    ['backspace', ['abc', BACKSPACE], 'ab'],
    ['backspace at the start', ['abc', HOME, BACKSPACE], 'abc'],
    ['insert in the middle', ['ac', LEFT, 'b'], 'abc'],
    ['left and right stop at the ends', ['b', LEFT, LEFT, LEFT, 'a', RIGHT, RIGHT, RIGHT, 'c'], 'abc'],
    ['home and end', ['b', HOME, 'a', END, 'c'], 'abc'],
    ['Ctrl-A, Ctrl-E', ['b\x01a\x05c'], 'abc'],
    ['Ctrl-B, Ctrl-F', ['ac\x02b\x06d'], 'abcd'],
    ['delete', ['abxc', LEFT, LEFT, DELETE], 'abc'],
    ['Ctrl-D at the end', ['abc\x04'], 'abc'],
    ['Ctrl-H', ['abc\x08'], 'ab'],
    ['Ctrl-K and Ctrl-Y', ['abcdef', LEFT, LEFT, LEFT, '\x0b\x01\x19'], 'defabc'],
    ['Ctrl-U and Ctrl-Y', ['abcdef', LEFT, LEFT, '\x15\x05\x19'], 'efabcd'],
    ['keys that are nothing', ['a\x0c\x1d', 0x3b00, 'b'], 'ab'],
    ['an edit beyond the first section of a long line', ['x'.repeat(100), HOME, 'a', END], '<' + 'x'.repeat(39)],
  ]
  test.each(rows)('%s', (_, keys, line) => {
    expect(lastLine(prompt().keys(...keys))).toBe(`grub> ${line}`.replace(/^grub> </, '<'))
  })

  test('a long line is shown in sections that share a margin', () => {
    const line = Array.from({ length: 200 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
    const rig = prompt().keys(line)
    const last = lastLine(rig)
    expect(last[0]).toBe('<')
    expect(line.endsWith(last.slice(1))).toBe(true)
    rig.keys(HOME)
    expect(lastLine(rig)).toBe('grub> ' + line.slice(0, 72) + '>')
    expect(rig.screen.column).toBe(6)
    for (let i = 0; i < 72; i++) rig.keys(RIGHT)
    expect(lastLine(rig)).toBe('<' + line.slice(62, 139) + '>')
    expect(rig.screen.column).toBe(11)
  })

  test('a line of 1599 characters takes no more', () => {
    const rig = prompt().keys('a'.repeat(1599), 'bbb')
    expect(lastLine(rig)).not.toContain('b')
  })

  test('the line is run without leading blanks', () => {
    expect(prompt().keys('   debug\n').screen.text()).toContain('Debug mode is turned on')
  })
  test('an empty line is no error', () => {
    expect(prompt().keys('\n\n').screen.text()).not.toContain('Error')
  })
  test('Esc at a command line without a menu starts over', () => {
    expect(lastLine(prompt().keys('abc\x1b'))).toBe('grub>')
  })
})

describe('history', () => {
  const run = (...keys: (string | number)[]): string => lastLine(prompt().keys('debug\n', 'root\n', ...keys))
  const rows: [string, (string | number)[], string][] = [
    ['up: the last line', [UP], 'root'],
    ['up twice', [UP, UP], 'debug'],
    ['no further than the first', [UP, UP, UP, UP], 'debug'],
    ['down again', [UP, UP, DOWN], 'root'],
    ['down to the line that was begun', ['new', UP, UP, DOWN, DOWN], 'new'],
    ['down without up', ['new', DOWN], 'new'],
    ['a changed line is kept beside the old one', [UP, 'x', UP], 'root'],
    ['... and is there again', [UP, 'x', UP, DOWN], 'rootx'],
    ['Ctrl-P, Ctrl-N', ['\x10\x10\x0e'], 'root'],
  ]
  test.each(rows)('%s', (_, keys, line) => {
    expect(run(...keys)).toBe(`grub> ${line}`)
  })
  test('holds five lines', () => {
    const rig = prompt()
    for (const line of ['lock', 'root', 'debug', 'root', 'lock', 'debug']) rig.keys(line + '\n')
    expect(lastLine(rig.keys(...Array<number>(9).fill(UP)))).toBe('grub> root')
  })
})

describe('TAB', () => {
  const rows: [string, string, string][] = [
    ['a command', 'uppe', 'uppermem '],
    ['as far as commands agree', 'mod', 'module'],
    ['a disk', 'root (', 'root (hd0,'],
    ['h alone', 'root (h', 'root (hd0,'],
    ['a disk that is named', 'root (hd0', 'root (hd0,'],
    ['a partition', 'root (hd0,', 'root (hd0,0)'],
    ['the closing parenthesis', 'root (hd0,0', 'root (hd0,0)'],
    ['... even of a partition that is not there', 'root (hd0,3', 'root (hd0,3)'],
    ['a whole device', 'root (hd0,0)', 'root (hd0,0)'],
    ['a directory', 'cat /bo', 'cat /boot/'],
    ['a file', 'cat /etc/f', 'cat /etc/fstab '],
    ['as far as files agree', 'kernel /boot/x', 'kernel /boot/xen-3.'],
    ['a file on a device', 'kernel (hd0,0)/etc/', 'kernel (hd0,0)/etc/fstab '],
    ['behind =', 'root=(h', 'root=(hd0,'],
  ]
  test.each(rows)('%s', (_, typed, line) => {
    const rig = prompt().keys(typed + TAB + '|')
    expect(lastLine(rig)).toBe(`grub> ${line}|`)
  })

  const lists: [string, string][] = [
    ['commands', 'mo'],
    ['all commands', ''],
    ['files', 'kernel /boot/'],
  ]
  test.each(lists)('lists %s', (_, typed) => {
    const rig = prompt().keys('clear\n', typed + TAB)
    expect(rig.screen.text()).toMatchSnapshot()
  })

  const errors: [string, string][] = [
    ['kernel /boot/nosuch', 'Error 15: File not found'],
    ['kernel boot', 'Error 11: Unrecognized device string'],
    ['root (hd5,', 'Error 21: Selected disk does not exist'],
    ['kernel (hd0)/b', 'Error 17: Cannot mount selected partition'],
    ['kernel /etc/fstab/x', 'Error 2: Bad file or directory type'],
  ]
  test.each(errors)('%s: %s', (typed, error) => {
    const rig = prompt().keys(typed + TAB)
    expect(rig.screen.text()).toContain(`\n${error}\n\ngrub> ${typed}`)
  })

  test('completes in the middle of a line', () => {
    const rig = prompt().keys('kernel /etc/f console=com1', ...Array<number>(13).fill(LEFT), TAB)
    expect(lastLine(rig)).toBe('grub> kernel /etc/fstab  console=com1')
  })
})
