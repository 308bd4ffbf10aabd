import { describe, expect, it } from 'vitest'
import { Screen } from '#tape/screen.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { textutils } from '../../packages/textutils.ts'
import { textutilsUsr } from '../../packages/textutils-usr.ts'

const TEXT = Array.from({ length: 60 }, (_, i) => `line ${i + 1}${i === 41 ? ' needle' : ''}\n`).join('')
const FILES = { '/f': TEXT, '/g': 'short\n', '/long': `${'x'.repeat(100)}\nend\n` }

function pager(argv: readonly string[]) {
  const session = posixRig({ packages: [textutils, textutilsUsr], files: FILES }).session(argv, {
    rows: 25,
    columns: 80,
    env: { TERM: 'vt100' },
  })
  const screen = new Screen({ columns: 80, rows: 25 })
  const look = (): string[] => {
    for (const char of session.take()) screen.byte(char.charCodeAt(0))
    return screen.rows()
  }
  return { session, look }
}

describe('less', () => {
  it.each<[keys: string, first: string, bottom: string]>([
    ['', 'line 1', '/f'],
    [' ', 'line 25', ':'],
    ['  ', 'line 37', '(END)'],
    ['G', 'line 37', '(END)'],
    ['Gg', 'line 1', ':'],
    ['j', 'line 2', ':'],
    ['5j', 'line 6', ':'],
    ['d', 'line 13', ':'],
    [' b', 'line 1', ':'],
    ['50%', 'line 31', ':'],
    ['20g', 'line 20', ':'],
    ['/needle\r', 'line 37', '(END)'],
    ['/zzz\r', 'line 1', 'Pattern not found  (press RETURN)'],
    ['=', 'line 1', '/f lines 1-24/60 byte 183/478 38%  (press RETURN)'],
  ])('%j', (keys, first, bottom) => {
    const { session, look } = pager(['less', '/f'])
    session.type(keys)
    const rows = look()
    expect([rows[0], rows[24]]).toEqual([first, bottom])
    session.type('q')
    expect(session.status).toBe(0)
  })

  it('folds and chops long lines, numbers them, and goes from file to file', () => {
    const { session, look } = pager(['less', '/long', '/g'])
    expect(look().slice(0, 3)).toEqual(['x'.repeat(80), 'x'.repeat(20), 'end'])
    session.type('-S')
    expect(look()[1]).toBe('end')
    session.type('-N')
    expect(look()[1]).toBe('      2 end')
    session.type(':n')
    expect(look()[0]).toBe('      1 short')
  })

  it('is cat where there is no terminal', () => {
    const rig = posixRig({ packages: [textutils, textutilsUsr], files: FILES })
    expect(rig.run(['less', '/g'])).toMatchObject({ stdout: 'short\n', status: 0 })
    expect(rig.run(['less', '/none']).status).toBe(1)
  })
})

describe('more', () => {
  it('goes on by screens and lines', () => {
    const { session, look } = pager(['more', '/f'])
    expect(look()[24]).toBe('--More--(38%)')
    session.type('\n')
    expect(look()[23]).toBe('line 25')
    session.type(' ')
    expect(look()[23]).toBe('line 49')
    session.type('q')
    expect(session.status).toBe(0)
  })

  it('ends by itself, and is cat where there is no terminal', () => {
    expect(pager(['more', '/g']).session.status).toBe(0)
    const rig = posixRig({ packages: [textutils, textutilsUsr], files: FILES })
    expect(rig.run(['more', '/g']).stdout).toBe('short\n')
    expect(rig.run(['more', '/none']).stderr).toBe('/none: No such file or directory\n')
  })
})
