import { expect, test } from 'vitest'
import { readUtmp, utmpBytes } from '#abi/posix/utmp.ts'
import { FNM_CASEFOLD, FNM_PATHNAME, FNM_PERIOD, fnmatch } from './fnmatch.ts'
import { getopt } from './getopt.ts'
import { isPattern } from './glob.ts'
import { adjustMode, modeString, parseMode } from './mode.ts'
import { humanSize, parseSize } from './number.ts'
import { basename, dirname } from './path.ts'
import { gmtime, strftime, timegm } from './time.ts'

test.each([
  ['*', 'abc', 0, true],
  ['a*c', 'abc', 0, true],
  ['a*c', 'abd', 0, false],
  ['*a*b*', 'xaxxbx', 0, true],
  ['?', '', 0, false],
  ['[a-c]x', 'bx', 0, true],
  ['[!a-c]x', 'bx', 0, false],
  ['[]]', ']', 0, true],
  ['[a', '[a', 0, true],
  ['[[:digit:]]*', '1x', 0, true],
  ['[[:digit:]]*', 'x1', 0, false],
  ['\\*', '*', 0, true],
  ['\\*', 'x', 0, false],
  ['*', '.x', FNM_PERIOD, false],
  ['.*', '.x', FNM_PERIOD, true],
  ['[.]x', '.x', FNM_PERIOD, false],
  ['*', 'a/b', FNM_PATHNAME, false],
  ['*/b', 'a/b', FNM_PATHNAME, true],
  ['*b', 'a/b', 0, true],
  ['ABC', 'abc', FNM_CASEFOLD, true],
  ['a', 'a', 0, true],
  ['', '', 0, true],
  ['', 'a', 0, false],
  ['a-[0-9-]', 'a--', 0, true],
])('fnmatch(%j, %j, %d) is %s', (pattern, name, flags, result) => {
  expect(fnmatch(pattern, name, flags)).toBe(result)
})

test.each([
  [['-l', 'x', '-a'], { options: ['l', 'a'], operands: ['x'] }],
  [['-la'], { options: ['l', 'a'], operands: [] }],
  [['-w', '5'], { options: ['w=5'], operands: [] }],
  [['-w5', '-'], { options: ['w=5'], operands: ['-'] }],
  [['--width=5', '--all', '--', '-x'], { options: ['w=5', 'a'], operands: ['-x'] }],
  [['--wid', '7'], { options: ['w=7'], operands: [] }],
  [['--color'], { options: ['color'], operands: [] }],
  [['--color=always', 'b'], { options: ['color=always'], operands: ['b'] }],
  [['-z'], { options: [], operands: [], error: 'invalid option -- z' }],
  [['-w'], { options: [], operands: [], error: 'option requires an argument -- w' }],
  [['--width'], { options: [], operands: [], error: "option `--width' requires an argument" }],
  [['--nope'], { options: [], operands: [], error: "unrecognized option `--nope'" }],
  [['--a'], { options: [], operands: [], error: "option `--a' is ambiguous" }],
  [['--all=x'], { options: [], operands: [], error: "option `--all' doesn't allow an argument" }],
])(
  'getopt_long %j',
  (args, { options, operands, error }: { options: string[]; operands: string[]; error?: string }) => {
    const got = getopt(args, 'law:', { all: 'a', almost: 'A', 'width:': 'w', 'color::': 'color' })
    expect(got.options.map(({ code, value }) => (value === undefined ? code : `${code}=${value}`))).toEqual(options)
    expect(got.operands).toEqual(operands)
    expect(got.error).toBe(error)
  },
)

test('a leading + stops at the first operand', () => {
  expect(getopt(['-a', 'x', '-b'], '+ab').operands).toEqual(['x', '-b'])
})

test.each([
  ['%F %T', '2009-05-12 06:32:52'],
  ['%c', 'Tue May 12 06:32:52 2009'],
  ['%a %b %e %H:%M:%S %Z %Y', 'Tue May 12 06:32:52 UTC 2009'],
  ['%j %U %W %V %G %u %w', '132 19 19 20 2009 2 2'],
  ['%-d|%_d|%03d|%e', '12|12|012|12'],
  ['%-H|%_H|%k|%I|%l|%p|%P', '6| 6| 6|06| 6|AM|am'],
  ['%s %N', '1242109972 000000005'],
  ['%^a %#p %y %C %%', 'TUE am 09 20 %'],
  ['%Q', '%Q'],
])('strftime %s', (format, text) => {
  expect(strftime(format, 1242109972, 5)).toBe(text)
})

test('gmtime and timegm are inverse over leap years and centuries', () => {
  for (let s = -5e9; s < 8e9; s += 86399 * 1237) expect(timegm(gmtime(s))).toBe(s)
  expect(strftime('%F %j %G-W%V', timegm({ year: 2008, month: 11, day: 31, hour: 0, minute: 0, second: 0 }))).toBe(
    '2008-12-31 366 2009-W01',
  )
  expect(strftime('%G-W%V', timegm({ year: 2010, month: 0, day: 1, hour: 0, minute: 0, second: 0 }))).toBe('2009-W53')
})

test.each([
  ['644', 0o100755, 0o644],
  ['u+x', 0o100644, 0o744],
  ['go-rwx', 0o100777, 0o700],
  ['a=r', 0o100777, 0o444],
  ['u=rwx,go=u', 0o100000, 0o777],
  ['+X', 0o100644, 0o644],
  ['a+X', 0o100744, 0o755],
  ['a+X', 0o040644, 0o755],
  ['u+s,g+s,+t', 0o100755, 0o7755],
  ['o=g', 0o100750, 0o755],
  ['+w', 0o100444, 0o644],
  ['u+r-w', 0o100200, 0o400],
])('chmod %s of %o gives %o', (text, mode, bits) => {
  expect(adjustMode(mode, parseMode(text)!, 0o022)).toBe(bits)
})

test.each(['', '8', '17777', 'u', 'x+r', 'u+q', 'u+r,'])('chmod refuses %j', (text) => {
  expect(parseMode(text)).toBeUndefined()
})

test('modes, sizes, paths', () => {
  expect([0o100644, 0o040755, 0o104755, 0o102644, 0o041777, 0o120777, 0o020660, 0o010600].map(modeString)).toEqual([
    '-rw-r--r--',
    'drwxr-xr-x',
    '-rwsr-xr-x',
    '-rw-r-Sr--',
    'drwxrwxrwt',
    'lrwxrwxrwx',
    'crw-rw----',
    'prw-------',
  ])
  expect([0, 1023, 1024, 1025, 10239, 10240, 10241, 1048575, 1048576, 1.5 * 2 ** 30].map((n) => humanSize(n))).toEqual([
    '0',
    '1023',
    '1.0K',
    '1.1K',
    '10K',
    '10K',
    '11K',
    '1.0M',
    '1.0M',
    '1.5G',
  ])
  expect(['1', '2k', '1K', '3b', '1MB', '1M', 'x', '', '1Q', '-1'].map((s) => parseSize(s))).toEqual([
    1,
    2048,
    1024,
    1536,
    1e6,
    1048576,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(['/a/b', 'a/', '/', '//', 'a'].map(basename)).toEqual(['b', 'a', '/', '/', 'a'])
  expect(['/a/b', 'a/', '/', '/a', 'a', 'a//b/'].map(dirname)).toEqual(['/a', '.', '/', '/', '.', 'a'])
  expect([isPattern('a*'), isPattern('a\\*'), isPattern('a\\\\*')]).toEqual([true, false, true])
})

test('a utmp record keeps its fields', () => {
  const record = { type: 7, pid: 300, line: 'ttyS0', id: 'S0', user: 'root', host: '', seconds: 1242109972 }
  const [read] = readUtmp(utmpBytes(record))
  expect(read).toMatchObject(record)
})
