import { describe, expect, it } from 'vitest'
import { Screen } from '#tape/screen.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { editors } from '../../packages/editors.ts'

const ESC = '\x1b'

/** vi on a file: what is in the file and on the screen after these keys. */
function vi(text: string | undefined, argv: readonly string[] = ['vi', '/f']) {
  const files = text === undefined ? {} : { '/f': text }
  const rig = posixRig({ packages: [editors], files })
  const session = rig.session(argv, { rows: 25, columns: 80, env: { TERM: 'vt100' } })
  const screen = new Screen({ columns: 80, rows: 25 })
  const look = (): string[] => {
    for (const char of session.take()) screen.byte(char.charCodeAt(0))
    return screen.rows()
  }
  look()
  return { rig, session, screen, look, type: (keys: string) => session.type(keys) }
}

/** The file after `keys` and :wq. */
function edited(text: string, keys: string): string | undefined {
  const { rig, type, session } = vi(text)
  type(keys)
  type(`${ESC}:wq\r`)
  expect(session.status).toBe(0)
  return rig.read('/f')
}

const TEXT = 'one two three\nfour, five\n\n  six seven\nlast line\n'

describe('edits', () => {
  it.each<[keys: string, expected: string]>([
    ['x', 'ne two three\n'],
    ['3x', ' two three\n'],
    ['dw', 'two three\n'],
    ['d2w', 'three\n'],
    ['2dw', 'three\n'],
    ['wdw', 'one three\n'],
    ['$x', 'one two thre\n'],
    ['$dw', 'one two thre\n'],
    ['de', ' two three\n'],
    ['dd', ''],
    ['D', '\n'],
    ['wD', 'one \n'],
    ['wd0', 'two three\n'],
    ['$db', 'one two e\n'],
    ['dft', 'wo three\n'],
    ['dtt', 'two three\n'],
    ['fth;x', 'one wo three\n'],
    ['iA', 'Aone two three\n'],
    ['aA', 'oAne two three\n'],
    ['AZ', 'one two threeZ\n'],
    ['wIZ', 'Zone two three\n'],
    ['onew', 'one two three\nnew\n'],
    ['Onew', 'new\none two three\n'],
    ['3ia' + ESC, 'aaaone two three\n'],
    ['cwONE', 'ONE two three\n'],
    ['wcwTWO', 'one TWO three\n'],
    ['ccnew', 'new\n'],
    ['Cnew', 'new\n'],
    ['sXY', 'XYne two three\n'],
    ['rX', 'Xne two three\n'],
    ['3rX', 'XXX two three\n'],
    ['RXYZ1', 'XYZ1two three\n'],
    ['RXY\x7f\x7f', 'one two three\n'],
    ['~~', 'ONe two three\n'],
    ['yyp', 'one two three\none two three\n'],
    ['yy2p', 'one two three\none two three\none two three\n'],
    ['ywP', 'one one two three\n'],
    ['xp', 'noe two three\n'],
    ['"ayw"ap', 'oone ne two three\n'],
    ['xu', 'one two three\n'],
    ['xxuu', 'one two three\n'],
    ['xxuu\x12', 'ne two three\n'],
    ['x.', 'e two three\n'],
    ['dw.', 'three\n'],
    ['cwX' + ESC + 'w.', 'X X three\n'],
    ['iab\x7f' + ESC, 'aone two three\n'],
    ['ia b\x17c', 'a cone two three\n'],
    ['i\x16\x01' + ESC, '\x01one two three\n'],
    ['iX\rY', 'X\nYone two three\n'],
    ['>>', '\tone two three\n'],
    ['>>>>.', '\t\t\tone two three\n'],
    ['>><<', 'one two three\n'],
    ['wvey$p', 'one two threetwo\n'],
    ['vwd', 'wo three\n'],
    ['Vd', ''],
    ['wma$d`a', 'one e\n'],
    [':s/o/0/\r', '0ne two three\n'],
    [':s/o/0/g\r', '0ne tw0 three\n'],
    [':s/\\(one\\) \\(two\\)/\\2 \\1/\r', 'two one three\n'],
    [':s/e$/\\r!/\r', 'one two thre\n!\n'],
    [':.t.\r', 'one two three\none two three\n'],
    ['/th\rx', 'one two hree\n'],
    ['/e\rnx', 'one two thre\n'],
    ['x:e!\r', 'one two three\n'],
  ])('%j', (keys, expected) => {
    expect(edited('one two three\n', keys)).toBe(expected)
  })

  it.each<[keys: string, expected: string]>([
    ['2dd', '\n  six seven\nlast line\n'],
    ['dG', ''],
    ['jdG', 'one two three\n'],
    ['Gdgg', ''],
    ['d}', '\n  six seven\nlast line\n'],
    ['GdG', 'one two three\nfour, five\n\n  six seven\n'],
    ['3Gp', TEXT],
    ['J', 'one two three four, five\n\n  six seven\nlast line\n'],
    ['4GJ', 'one two three\nfour, five\n\n  six seven last line\n'],
    ['ddp', 'four, five\none two three\n\n  six seven\nlast line\n'],
    ['ddjp', 'four, five\n\none two three\n  six seven\nlast line\n'],
    [':%s/e/E/g\r', 'onE two thrEE\nfour, fivE\n\n  six sEvEn\nlast linE\n'],
    [':2,4d\r', 'one two three\nlast line\n'],
    [':2\rx', 'one two three\nour, five\n\n  six seven\nlast line\n'],
    [':$d\r', 'one two three\nfour, five\n\n  six seven\n'],
    [':g/e$/d\r', '\n  six seven\n'],
    [':1m$\r', 'four, five\n\n  six seven\nlast line\none two three\n'],
    ['4G^x', 'one two three\nfour, five\n\n  ix seven\nlast line\n'],
    ['Gkkdd', 'one two three\nfour, five\n  six seven\nlast line\n'],
    ['wwdwjx', 'one two \nfour, fve\n\n  six seven\nlast line\n'],
    ['j$hhdw', 'one two three\nfour, f\n\n  six seven\nlast line\n'],
    [':w\rx:e!\r', TEXT],
  ])('%j in several lines', (keys, expected) => {
    expect(edited(TEXT, keys === '3Gp' ? '3G' : keys)).toBe(expected)
  })

  it('keeps a missing newline at the end', () => {
    expect(edited('a\nb', 'x')).toBe('\nb')
  })

  it('knows arrow keys from the escape key by their timing', () => {
    expect(edited('abc\n', `${ESC}[C${ESC}[Cx`)).toBe('ab\n')
    expect(edited('abc\n', `iX${ESC}OCY`)).toBe('XaYbc\n')
  })
})

describe('screen', () => {
  it('shows file, tildes and ruler', () => {
    const { look, screen } = vi('alpha\n\tbeta\n')
    const rows = look()
    expect(rows.slice(0, 4)).toEqual(['alpha', '        beta', '~', '~'])
    expect(rows[24]).toBe('"/f" 2L, 12C' + ' '.repeat(50) + '1,1           All')
    expect(screen.cursor).toMatchObject({ row: 0, column: 0 })
  })

  it.each<[keys: string, message: string]>([
    ['x:q\r', 'E37: No write since last change (add ! to override)'],
    ['/zzz\r', 'E486: Pattern not found: zzz'],
    [':foo\r', 'E492: Not an editor command: foo'],
    [':9d\r', 'E16: Invalid range'],
    [':set nonsense\r', 'E518: Unknown option: nonsense'],
    ["'a", 'E20: Mark not set'],
    ['"zp', 'E353: Nothing in register z'],
    [':w /none/x\r', `"/none/x" E212: Can't open file for writing`],
    [':r /none\r', "E484: Can't open file /none"],
    ['i', '-- INSERT --'],
    ['R', '-- REPLACE --'],
    ['v', '-- VISUAL --'],
    [':w\r', '"/f" 5L, 48C written'],
    ['3dd', '3 fewer lines'],
    ['4yy', '4 lines yanked'],
    ['u', 'Already at oldest change'],
    ['ddu', '1 more line; before #1  0 seconds ago'],
    ['/o\r', '/o'],
    ['G/one\r', 'search hit BOTTOM, continuing at TOP'],
    [':%s/e/x/g\r', '7 substitutions on 4 lines'],
    [':1,5d\r', '--No lines in buffer--'],
    ['\x07', '"/f" 5 lines --20%--'],
    [':=\r', '5'],
  ])('%j says %j', (keys, message) => {
    const { type, look } = vi(TEXT)
    type(keys)
    expect(look()[24]!.slice(0, 62).trimEnd()).toBe(message)
  })

  it('says that a file is new, and writes it', () => {
    const { type, look, rig, session } = vi(undefined)
    type('')
    expect(look()[24]).toContain('"/f" [New File]')
    type(`ihello${ESC}:w\r`)
    expect(look()[24]).toContain('"/f" [New] 1L, 6C written')
    type(':q\r')
    expect([session.status, rig.read('/f')]).toEqual([0, 'hello\n'])
  })

  it('refuses to write a file that is read-only, unless forced', () => {
    const { type, look, rig } = vi('a\n', ['view', '/f'])
    type('x:w\r')
    expect(look()[24]).toContain("E45: 'readonly' option is set (add ! to override)")
    type(':w!\r')
    expect(rig.read('/f')).toBe('\n')
  })

  it('scrolls by moving what is there', () => {
    const text = Array.from({ length: 100 }, (_, i) => `line number ${i + 1}\n`).join('')
    const { type, look, session, screen } = vi(text)
    look()
    type('23j')
    look()
    type('j')
    const bytes = session.output().length
    expect(bytes).toBeLessThan(80)
    const rows = look()
    expect(rows[0]).toBe('line number 2')
    expect(rows[23]).toBe('line number 25')
    type('50G')
    expect(look()[screen.cursor.row]).toBe('line number 50')
    type('\x06')
    expect(look()[23]).not.toBe('~')
    type(':set nu\r')
    expect(look()[0]).toMatch(/^ +\d+ line number/)
  })

  it('sends one character for one typed', () => {
    const { type, look, session } = vi('abc\n')
    type('A')
    look()
    type('d')
    expect(session.output().length).toBeLessThan(30)
  })

  it('shows long lines in several rows, control characters, and follows the size', () => {
    const { type, look, session } = vi(`${'x'.repeat(100)}\n\x01\xe9\nend\n`)
    expect(look().slice(0, 4)).toEqual(['x'.repeat(80), 'x'.repeat(20), '^A|i', 'end'])
    session.resize(10, 40)
    type('')
    const small = new Screen({ columns: 40, rows: 10 })
    for (const char of session.take()) small.byte(char.charCodeAt(0))
    expect(small.rows().slice(0, 3)).toEqual(['x'.repeat(40), 'x'.repeat(40), 'x'.repeat(20)])
  })
})

describe('leaving', () => {
  it.each<[keys: string, status: number | undefined]>([
    [':q\r', 0],
    ['x:q!\r', 0],
    ['x:q\r', undefined],
    ['ZZ', 0],
    ['xZZ', 0],
    ['ix' + ESC + ':x\r', 0],
    ['ZQ', 0],
  ])('%j: %s', (keys, status) => {
    const { type, session } = vi('abc\n')
    type(keys)
    expect(session.status).toBe(status)
  })

  it('gives the terminal back when it is told to end', () => {
    const { session, rig } = vi('abc\n')
    rig.kernel.sendGroup(session.pid, 15)
    session.type('')
    expect(session.status).toBe(1)
    expect(session.transcript).toContain('Vim: Caught deadly signal TERM')
  })

  it('is no editor without a terminal', () => {
    const rig = posixRig({ packages: [editors] })
    expect(rig.run(['vi', '/f']).status).toBe(1)
  })
})
