/** gzip and tar on the posix rig: their words, their status, and Debian's tools both ways. */
import { execFileSync } from 'node:child_process'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { posixRig, type RigFile } from '#testing/posix-rig.ts'
import { archive } from './archive.ts'
import { sh } from './sh.ts'

const rigWith = (files: Record<string, RigFile> = {}) =>
  posixRig({
    packages: [archive, sh],
    files: { '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n', '/etc/group': 'root:x:0:\n', ...files },
  })
const packed = (text: string): Uint8Array => new Uint8Array(gzipSync(text))
const TEXT = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join('')

test.each([
  ['gzip nope', 1, 'gzip: nope: No such file or directory\n'],
  ['gzip -d /bad.gz', 1, '\ngzip: /bad.gz: not in gzip format\n'],
  ['gunzip /bad.gz', 1, '\ngunzip: /bad.gz: not in gzip format\n'],
  ['gzip -d /f', 2, 'gzip: /f: unknown suffix -- ignored\n'],
  ['gzip /good.gz', 2, 'gzip: /good.gz already has .gz suffix -- unchanged\n'],
  ['gzip /d', 2, 'gzip: /d is a directory -- ignored\n'],
  ['gzip /both', 2, 'gzip: /both.gz already exists;\tnot overwritten\n'],
  ['gzip -t /good.gz', 0, ''],
  ['gzip -t /cut.gz', 1, '\ngzip: /cut.gz: unexpected end of file\n'],
  ['gzip -t /crc.gz', 1, '\ngzip: /crc.gz: invalid compressed data--crc error\n'],
  ['gzip -t /more.gz', 2, '\ngzip: /more.gz: decompression OK, trailing garbage ignored\n'],
  ['gzip -t /zeros.gz', 0, ''],
  [
    'tar',
    2,
    "tar: You must specify one of the `-Acdtrux' options\nTry `tar --help' or `tar --usage' for more information.\n",
  ],
  [
    'tar cx',
    2,
    "tar: You may not specify more than one `-Acdtrux' option\nTry `tar --help' or `tar --usage' for more information.\n",
  ],
  [
    'tar cf x.tar',
    2,
    "tar: Cowardly refusing to create an empty archive\nTry `tar --help' or `tar --usage' for more information.\n",
  ],
  [
    'tar cf /x.tar nope',
    2,
    'tar: nope: Cannot stat: No such file or directory\ntar: Error exit delayed from previous errors\n',
  ],
  [
    'tar tf /nope',
    2,
    'tar: /nope: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n',
  ],
  [
    'tar tf /f',
    2,
    'tar: This does not look like a tar archive\ntar: Skipping to next header\ntar: Error exit delayed from previous errors\n',
  ],
])('%s', (line, status, stderr) => {
  const good = packed('good\n')
  const wrong = good.slice()
  wrong[wrong.length - 8]! ^= 1
  const rig = rigWith({
    '/bad.gz': 'no gzip\n',
    '/f': 'text\n',
    '/both': 'b\n',
    '/both.gz': good,
    '/good.gz': good,
    '/cut.gz': good.subarray(0, good.length - 5),
    '/crc.gz': wrong,
    '/more.gz': bytesOfString(`${byteString(good)}more`),
    '/zeros.gz': bytesOfString(`${byteString(good)}${'\0'.repeat(600)}`),
    '/d/': '',
  })
  expect(rig.run(line.split(' '))).toMatchObject({ status, stderr, stdout: '' })
})

test('gzip packs in place and keeps mode and time; gunzip brings both back', () => {
  const rig = rigWith({ '/f': { text: TEXT, mode: 0o640, mtime: 1_000_000_000 } })
  expect(rig.run(['gzip', '-9v', '/f']).stderr).toMatch(/^\/f:\t {1,2}\d\d\.\d% -- replaced with \/f\.gz\n$/)
  expect(rig.read('/f')).toBeUndefined()
  expect(gunzipSync(bytesOfString(rig.read('/f.gz')!)).toString()).toBe(TEXT)
  expect(rig.run(['gzip', '-l', '/f.gz']).stdout).toMatch(
    /^ +compressed +uncompressed {2}ratio uncompressed_name\n +\d+ +48890 +[\d.]+% \/f\n$/,
  )
  expect(rig.run(['gunzip', '/f.gz'])).toMatchObject({ status: 0, output: '' })
  expect(rig.read('/f')).toBe(TEXT)
})

test('pipes, several members, zcat -f', () => {
  const rig = rigWith({
    '/a.gz': bytesOfString(byteString(packed('a\n')) + byteString(packed('b\n'))),
    '/plain': 'plain\n',
  })
  expect(rig.run(['zcat', '/a.gz']).stdout).toBe('a\nb\n')
  expect(rig.run(['gzcat', '-f', '/plain']).stdout).toBe('plain\n')
  expect(rig.run(['sh', '-c', 'gzip -1 < /plain | gzip | gunzip -c | zcat']).stdout).toBe('plain\n')
})

test("Debian's tar reads ours, ours reads Debian's", () => {
  const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`
  const rig = rigWith({ '/w/a': 'alpha\n', [`/w/${long}`]: TEXT, '/w/l': { link: 'a' }, '/w/e/': '' })
  expect(rig.run(['tar', 'cf', '/x.tar', '-C', '/w', 'a', long, 'l', 'e'])).toMatchObject({ status: 0, output: '' })
  const tar = bytesOfString(rig.read('/x.tar')!)
  expect(tar.length % 10240).toBe(0)
  expect(execFileSync('tar', ['-tf', '-'], { input: tar }).toString()).toBe(`a\n${long}\nl\ne/\n`)
  expect(execFileSync('tar', ['-xOf', '-', long], { input: tar }).toString()).toBe(TEXT)
  for (const format of ['gnu', 'ustar', 'pax']) {
    const theirs = execFileSync('tar', [
      `--format=${format}`,
      '-cf',
      '-',
      '-C',
      process.cwd(),
      'package.json',
      'src/lib/crc32.ts',
    ])
    const other = rigWith({ '/t.tar': new Uint8Array(theirs) })
    expect(other.run(['tar', 'xf', '/t.tar'], { cwd: '/tmp' })).toMatchObject({ status: 0, output: '' })
    expect(other.read('/tmp/src/lib/crc32.ts')).toContain('CRC-32')
  }
})

test('names that lead out are kept in', () => {
  const rig = rigWith({ '/w/a': 'a\n' })
  expect(rig.run(['tar', 'cPf', '/x.tar', '/w/a', '/w/../w/a']).stderr).toBe('')
  expect(rig.run(['tar', 'xf', '/x.tar'], { cwd: '/tmp' }).stderr).toBe(
    "tar: Removing leading `/' from member names\ntar: Removing leading `/w/../' from member names\n",
  )
  expect(rig.read('/tmp/w/a')).toBe('a\n')
})

test('exclude, strip, -v, -O, -k, members by name', () => {
  const rig = rigWith({ '/w/a/x.o': 'o\n', '/w/a/y': 'y\n', '/w/b/z': 'z\n' })
  const run = (...args: string[]) => rig.run(['tar', ...args], { cwd: '/w' })
  expect(run('cvf', '/x.tar', '--exclude', '*.o', 'a', 'b').stdout).toBe('a/\na/y\nb/\nb/z\n')
  expect(run('tf', '/x.tar', 'b').stdout).toBe('b/\nb/z\n')
  expect(run('tf', '/x.tar', '--exclude=b').stdout).toBe('a/\na/y\n')
  expect(run('xOf', '/x.tar', 'a/y').stdout).toBe('y\n')
  expect(run('xf', '/x.tar', '--strip-components=1', '-C', '/tmp').status).toBe(0)
  expect(rig.read('/tmp/z')).toBe('z\n')
  expect(run('xkf', '/x.tar', 'a/y').stderr).toBe(
    'tar: a/y: Cannot open: File exists\ntar: Error exit delayed from previous errors\n',
  )
  expect(run('xf', '/x.tar', 'nope').stderr).toBe(
    'tar: nope: Not found in archive\ntar: Error exit delayed from previous errors\n',
  )
})
