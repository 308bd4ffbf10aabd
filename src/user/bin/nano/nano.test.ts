import { describe, expect, it } from 'vitest'
import { Screen } from '#tape/screen.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { editors } from '../../packages/editors.ts'

function nano(text: string | undefined, argv: readonly string[] = ['nano', '/f']) {
  const rig = posixRig({ packages: [editors], files: text === undefined ? {} : { '/f': text } })
  const session = rig.session(argv, { rows: 25, columns: 80, env: { TERM: 'vt100' } })
  const screen = new Screen({ columns: 80, rows: 25 })
  const look = (): string[] => {
    for (const char of session.take()) screen.byte(char.charCodeAt(0))
    return screen.rows()
  }
  return { rig, session, screen, look, type: (keys: string) => session.type(keys) }
}

const TEXT = 'alpha\nbeta gamma\n\ndelta\n'

describe('edits', () => {
  it.each<[keys: string, expected: string]>([
    ['x', 'xalpha\nbeta gamma\n\ndelta\n'],
    ['\x05!', 'alpha!\nbeta gamma\n\ndelta\n'],
    ['\x04', 'lpha\nbeta gamma\n\ndelta\n'],
    ['\x05\x04', 'alphabeta gamma\n\ndelta\n'],
    ['\x0e\x7f', 'alphabeta gamma\n\ndelta\n'],
    ['\r', '\nalpha\nbeta gamma\n\ndelta\n'],
    ['\x0b', 'beta gamma\n\ndelta\n'],
    ['\x0b\x0b\x15\x15', 'alpha\nbeta gamma\nalpha\nbeta gamma\n\ndelta\n'],
    ['\x0b\x0e\x15', 'beta gamma\nalpha\n\ndelta\n'],
    ['\x1b[B\x1b[Cx', 'alpha\nbxeta gamma\n\ndelta\n'],
    ['\x17gam\rX', 'alpha\nbeta Xgamma\n\ndelta\n'],
    ['\x1f4\rX', 'alpha\nbeta gamma\n\nXdelta\n'],
    ['\x1f2,3\rX', 'alpha\nbeXta gamma\n\ndelta\n'],
    ['\x1ca\rE\ra', 'ElphE\nbetE gEmmE\n\ndeltE\n'],
    ['\x1ca\rE\rnyyn\x03', 'alphE\nbetE gamma\n\ndelta\n'],
    ['\x12/f\r', `${TEXT}${TEXT}`],
  ])('%j', (keys, expected) => {
    const { type, rig, session } = nano(TEXT)
    type(keys)
    type('\x0f\r')
    type('\x18')
    expect([session.status, rig.read('/f')]).toEqual([0, expected])
  })

  it('adds the newline that was missing', () => {
    const { type, rig } = nano('abc')
    type('x\x0f\r')
    expect(rig.read('/f')).toBe('xabc\n')
  })
})

describe('screen', () => {
  it('shows title, text, status and two lines of help', () => {
    const { look, screen } = nano(TEXT)
    const rows = look()
    expect(rows[0]).toBe('  GNU nano 1.3.12                   File: /f')
    expect(rows.slice(2, 6)).toEqual(['alpha', 'beta gamma', '', 'delta'])
    expect(rows[22]!.trim()).toBe('[ Read 4 lines ]')
    expect(rows[23]).toBe('^G Get Help  ^O WriteOut  ^R Read File ^Y Prev Page ^K Cut Text  ^C Cur Pos')
    expect(rows[24]).toBe('^X Exit      ^J Justify   ^W Where Is  ^V Next Page ^U UnCut Txt ^T To Spell')
    expect(screen.cursor).toMatchObject({ row: 2, column: 0 })
  })

  it.each<[keys: string, row: number, text: string]>([
    ['x\x0f\r', 22, '[ Wrote 4 lines ]'],
    ['x\x0f', 22, 'File Name to Write: /f'],
    ['x\x18', 22, 'Save modified buffer (ANSWERING "No" WILL DESTROY CHANGES) ?'],
    ['x\x18\x03', 22, '[ Cancelled ]'],
    ['\x17zzz\r', 22, '[ "zzz" not found ]'],
    ['\x03', 22, '[ line 1/5 (20%), col 1/6 (16%), char 0/24 (0%) ]'],
    ['\x0f\x15/none/x\r', 22, '[ Error writing /none/x: No such file or directory ]'],
    ['\x1fx\r', 22, '[ Come on, be reasonable ]'],
    ['\x07', 2, 'nano help text'],
  ])('%j: row %i %j', (keys, row, text) => {
    const { type, look } = nano(TEXT)
    look()
    type(keys)
    expect(look()[row]!.trim()).toBe(text)
  })

  it('says Modified, New File, and View', () => {
    const one = nano(TEXT)
    one.type('x')
    expect(one.look()[0]).toMatch(/Modified$/)
    expect(nano(undefined).look()[22]!.trim()).toBe('[ New File ]')
    const viewing = nano(TEXT, ['nano', '-v', '/f'])
    viewing.type('x')
    expect(viewing.look()[22]!.trim()).toBe('[ Key illegal in VIEW mode ]')
  })
})

describe('leaving', () => {
  it.each<[keys: string, status: number | undefined, file: string]>([
    ['\x18', 0, TEXT],
    ['x\x18n', 0, TEXT],
    ['x\x18y\r', 0, `x${TEXT}`],
    ['x\x18', undefined, TEXT],
    ['x\x18\x03', undefined, TEXT],
  ])('%j: %s', (keys, status, file) => {
    const { type, session, rig } = nano(TEXT)
    type(keys)
    expect([session.status, rig.read('/f')]).toEqual([status, file])
  })

  it('saves what was changed when the line hangs up', () => {
    const { type, session, rig } = nano(TEXT)
    type('x')
    rig.kernel.sendGroup(session.pid, 1)
    type('')
    expect(session.status).toBe(1)
    expect(rig.read('/f.save')).toBe(`x${TEXT}`)
  })
})
