/**
 * Programs and what CPython made of them. fixtures/cpython-2.7.txt was recorded with CPython 2.7.18 (output, standard error, exit status; `<module>` is
 * `?` in 2.4's tracebacks); below are those where 2.4 speaks otherwise than 2.7.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { posixRig } from '#testing/posix-rig.ts'
import { coreutils } from '#user/packages/coreutils.ts'
import { coreutilsUsr } from '#user/packages/coreutils-usr.ts'
import { sh } from '#user/packages/sh.ts'
import { python } from './python.ts'

const rig = posixRig({ packages: [coreutils, coreutilsUsr, sh], programs: { '/usr/bin/python': python } })

function run(source: string, argv: readonly string[] = [], stdin = '') {
  rig.put('/t.py', source)
  const { stdout, stderr, status } = rig.run(['python', '/t.py', ...argv], { stdin })
  return { stdout, stderr, status }
}

const recorded = readFileSync(join(import.meta.dirname, 'fixtures/cpython-2.7.txt'), 'latin1')
  .split(/^#### /m)
  .slice(1)
  .map((record) => {
    const [, status, source, stdout, stderr] = /^(\d+)\n([\s\S]*?)---- stdout\n([\s\S]*?)---- stderr\n([\s\S]*)$/.exec(
      record,
    )!
    return { source: source!, stdout: stdout!, stderr: stderr!, status: Number(status) }
  })

describe('as CPython 2.7', () => {
  test.each(recorded)('$source', ({ source, ...expected }) => {
    expect(run(source)).toEqual(expected)
  })
})

const last = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''

describe('as 2.4 says it', () => {
  test.each([
    ['{}[[]]', 'TypeError: list objects are unhashable'],
    ["'abc'['x']", 'TypeError: string indices must be integers'],
    ['len(5)', 'TypeError: len() of unsized object'],
    ["int('abc')", 'ValueError: invalid literal for int(): abc'],
    ["float('x')", 'ValueError: invalid literal for float(): x'],
    ["float('')", 'ValueError: empty string for float()'],
    ['for x in 5: pass', 'TypeError: iteration over non-sequence'],
    ["'%d' % 'x'", 'TypeError: int argument required'],
    ['1.0 / 0', 'ZeroDivisionError: float division'],
    ["-'a'", 'TypeError: bad operand type for unary -'],
    ["'a' * 'b'", "TypeError: can't multiply sequence by non-int"],
    ['5[0]', 'TypeError: unsubscriptable object'],
    ['range(1, 2, 0)', 'ValueError: range() arg 3 must not be zero'],
    ['print "unclosed', 'SyntaxError: EOL while scanning single-quoted string'],
    ["x = '''a", 'SyntaxError: EOF while scanning triple-quoted string'],
    ['f(a=1, a=2)', 'SyntaxError: duplicate keyword argument'],
    ['(a, b) += 1', 'SyntaxError: augmented assign to tuple not possible'],
    ['None = 1', 'SyntaxError: assignment to None'],
    ['x = 1 if 2 else 3', 'SyntaxError: invalid syntax'],
    ['try: pass\nexcept: pass\nfinally: pass', 'SyntaxError: invalid syntax'],
    ['with x: pass', 'SyntaxError: invalid syntax'],
    ['class A(dict): pass', "type 'dict' is not an acceptable base type"],
  ])('%s', (source, complaint) => {
    const { stderr, status } = run(`${source}\n`)
    expect(last(stderr).trim()).toBe(complaint)
    expect(status).toBe(1)
  })

  test.each([
    ['print repr(0.1), 0.1, [1.1]', '0.10000000000000001 0.1 [1.1000000000000001]'],
    ['import sys\ntry: 1/0\nexcept: print sys.exc_info()[0]', 'exceptions.ZeroDivisionError'],
    [
      "d = {'mac': 1, 'bridge': 2, 'ip': 3, 'script': 4, 'type': 5, 'vifname': 6}\nprint d.keys()",
      "['bridge', 'script', 'ip', 'mac', 'vifname', 'type']",
    ],
    ['import sys\nprint sys.version_info[:3]', '(2, 4, 3)'],
  ])('%s', (source, stdout) => {
    expect(run(`${source}\n`)).toEqual({ stdout: `${stdout}\n`, stderr: '', status: 0 })
  })
})

describe('as a program', () => {
  test('arguments, -c, standard input, a missing file', () => {
    expect(run('import sys\nprint sys.argv\n', ['a', '-b']).stdout).toBe("['/t.py', 'a', '-b']\n")
    expect(rig.run(['python', '-c', 'import sys; print sys.argv', 'x'])).toMatchObject({
      stdout: "['-c', 'x']\n",
      status: 0,
    })
    expect(rig.run(['python'], { stdin: 'print 6 * 7\n' })).toMatchObject({ stdout: '42\n', status: 0 })
    expect(rig.run(['python', '/none'])).toMatchObject({
      stderr: "python: can't open file '/none': [Errno 2] No such file or directory\n",
      status: 2,
    })
    expect(rig.run(['python', '-Q'])).toMatchObject({ status: 2 })
  })

  test('reads its input, imports what lies beside it, runs commands', () => {
    expect(run('print raw_input("name? ") + "!"\nprint raw_input()\n', [], 'xen\n')).toMatchObject({
      stdout: 'name? xen!\n',
      status: 1,
    })
    rig.put('/beside.py', 'print "loading", __name__\nvalue = 5\n')
    expect(run('import beside\nfrom beside import value\nprint value, beside.__file__\n').stdout).toBe(
      'loading beside\n5 /beside.py\n',
    )
    expect(run('import os\nprint os.popen("echo hi").read(), os.system("exit 3")\n').stdout).toBe('hi\n768\n')
  })

  test('at a terminal it answers line by line', () => {
    const session = rig.session(['python'])
    session.type('1 + 2\n')
    session.type('for i in range(2):\n  print i\n\n')
    session.type('nope\n')
    expect(session.output()).toMatch(/>>> 1 \+ 2\r\n3\r\n>>> for/)
    expect(session.output()).toMatch(/\.\.\. \.\.\. 0\r\n1\r\n>>> nope\r\n/)
    expect(session.output()).toContain("NameError: name 'nope' is not defined")
    session.type('\x04')
    expect(session.status).toBe(0)
  })

  test('what would never end ends in Python', () => {
    expect(last(run('def f(): return f()\nf()\n').stderr)).toBe('RuntimeError: maximum recursion depth exceeded')
    expect(last(run('class A:\n  def __repr__(self): return repr(self)\nprint A()\n').stderr)).toBe(
      'RuntimeError: maximum recursion depth exceeded',
    )
    expect(run(`${'('.repeat(300)}1${')'.repeat(300)}\n`).stderr).toContain('MemoryError')
    expect(run('x = 2 ** (1 << 40)\n').stderr).toContain('MemoryError')
    expect(run("x = 'a' * (1 << 40)\n").status).toBe(1)
  })
})
