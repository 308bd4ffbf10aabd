import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'headless-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function headless(...argv: string[]) {
  const script = join(root, 'scripts', 'headless.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...argv], {
    cwd: folder,
    encoding: 'utf8',
    input: '',
  })
  return { status, stdout, stderr }
}

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content)
  return name
}

test('--help', () => {
  const { status, stdout, stderr } = headless('--help')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: npm run -s headless -- \[OPTION\]\.\.\.\n/)
})

test('bad usage: status 2, in the words of getopt', () => {
  expect(headless('--bogus')).toEqual({
    status: 2,
    stdout: '',
    stderr: "headless: unrecognized option '--bogus'\nTry 'npm run -s headless -- --help' for more information.\n",
  })
})

test('a bad tape: status 2, every mistake with its line', () => {
  file('inner.tape', 'Enter\nWait /(/\n')
  const tape = file('bad.tape', 'Type "x"\nFoo\n\n  Source inner.tape\nSleep soon\n')
  expect(headless('--tape', tape)).toEqual({
    status: 2,
    stdout: '',
    stderr: [
      'bad.tape:2:1: Invalid command: Foo',
      "inner.tape:2:6: Invalid regular expression '('",
      'bad.tape:5:7: Expected time after Sleep',
      '',
    ].join('\n'),
  })
})

test.each([
  ['no such tape', ['--tape', 'none.tape'], /^headless: ENOENT: .*'none\.tape'\n$/],
  ['no such log', ['--replay', 'none.json'], /^headless: ENOENT: .*'none\.json'\n$/],
  ['no such disk', ['--disk', 'none.img'], /^headless: ENOENT: .*'none\.img'\n$/],
  ['a log that is none', ['--replay', file('log.json', '{}')], /^headless: log\.json: not an input log of version 1/],
  ['a disk that is none', ['--disk', file('disk.img', 'x')], /^headless: disk\.img: not a whole number of sectors\n$/],
  ['no such translations', ['--translations', 'none.gz'], /^headless: ENOENT: .*'none\.gz'\n$/],
  [
    'translations that are none',
    ['--translations', file('t.gz', 'x')],
    /^headless: t\.gz: not what --write-translations writes\n$/,
  ],
])('%s: status 2', (_name, argv, message) => {
  const { status, stdout, stderr } = headless(...argv)
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(message)
})
