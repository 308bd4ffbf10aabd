/** Small tools on the posix rig. */
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { BOOT_TIME, DEAD_PROCESS, RUN_LVL, USER_PROCESS, utmpBytes } from '#abi/posix/utmp.ts'
import { posixRig, type RigFile } from '#testing/posix-rig.ts'
import { admin } from './admin.ts'
import { coreutils } from './coreutils.ts'
import { coreutilsUsr } from './coreutils-usr.ts'

const rigWith = (files: Record<string, RigFile> = {}) => posixRig({ packages: [admin, coreutils, coreutilsUsr], files })

test.each([
  [
    ['cal', '5', '2009'],
    '      May 2009\nSu Mo Tu We Th Fr Sa\n                1  2\n 3  4  5  6  7  8  9\n10 11 12 13 14 15 16\n17 18 19 20 21 22 23\n24 25 26 27 28 29 30\n31\n',
  ],
  [
    ['cal', '9', '1752'],
    '   September 1752\nSu Mo Tu We Th Fr Sa\n       1  2 14 15 16\n17 18 19 20 21 22 23\n24 25 26 27 28 29 30\n\n\n\n',
  ],
  [
    ['cal', '-m', '2', '2000'],
    '   February 2000\nMo Tu We Th Fr Sa Su\n    1  2  3  4  5  6\n 7  8  9 10 11 12 13\n14 15 16 17 18 19 20\n21 22 23 24 25 26 27\n28 29\n\n',
  ],
  [['column', '-t', '/t'], 'a    bb  c\nlll  x   y\n'],
  [['column', '-s:', '-t', '/p'], 'a  b\ncc  d\n'.replace('a  b', 'a   b')],
  [['column', '-c', '20', '/n'], '1\t3\n2\t4\n'],
  [['column', '-x', '-c', '20', '/n'], '1\t2\n3\t4\n'],
  [['strings', '-n', '3', '/b'], 'abc\nlonger\n'],
  [['strings', '-t', 'x', '/b'], '      6 longer\n'],
  [['file', '-b', '/t'], 'ASCII text\n'],
  [['file', '-b', '/s'], 'Bourne-Again shell script text executable\n'],
  [['file', '-b', '/g'], 'gzip compressed data, from Unix\n'],
  [['file', '-b', '/b'], 'data\n'],
  [['file', '-b', '/e'], 'empty\n'],
  [['file', '-b', '/elf'], 'ELF 64-bit LSB executable, AMD x86-64, version 1 (SYSV)\n'],
  [['file', '-b', '/l'], "broken symbolic link to `nope'\n"],
  [['file', '/u', '/dev/null'], '/u:        UTF-8 Unicode text\n/dev/null: character special (1/3)\n'],
  [['file', '/no'], "/no: ERROR: cannot open `/no' (No such file or directory)\n"],
])('%j', (argv, stdout) => {
  const elf = new Uint8Array(64)
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  elf.set([2, 0, 62, 0], 16)
  const rig = rigWith({
    '/t': 'a bb c\nlll x y\n',
    '/p': 'a:b\ncc:d\n',
    '/n': '1\n2\n3\n4\n',
    '/b': '\x00\x01abc\x00longer\x00ab',
    '/s': '#!/bin/bash\necho\n',
    '/g': new Uint8Array(gzipSync('x', { level: 6 })),
    '/e': '',
    '/elf': elf,
    '/l': { link: 'nope' },
    '/u': '\xc3\xa4\n',
  })
  expect(rig.run(argv)).toMatchObject({ stdout, stderr: '' })
})

test.each([
  [['cal', '13', '2009'], 1, 'cal: illegal month value: use 1-12\n'],
  [['cal', '0'], 1, 'cal: illegal year value: use 1-9999\n'],
  [['chvt'], 1, 'usage: chvt N\n'],
  [['strings', '-n', '0', '/dev/null'], 1, 'strings: invalid number 0\n'],
  [
    ['time', 'nope'],
    127,
    /^time: cannot run nope: No such file or directory\nCommand exited with non-zero status 127\n/,
  ],
  [['time', '-p', 'true'], 0, /^real 0\.\d\d\nuser 0\.\d\d\nsys 0\.\d\d\n$/],
  [['time', '-f', '%x %C', 'false'], 1, 'Command exited with non-zero status 1\n1 false\n'],
  [['blockdev', '--nope', '/dev/null'], 1, /^blockdev: Unknown command: --nope\nUsage:/],
  [['useradd'], 2, 'Usage: useradd [options] LOGIN\n'],
  [['last', '-f', '/no'], 1, /^last: \/no: No such file or directory\n/],
] as const)('%j is refused or reported', (argv, status, stderr) => {
  const said = rigWith().run(argv)
  expect(said.status).toBe(status)
  if (typeof stderr === 'string') expect(said.stderr).toBe(stderr)
  else expect(said.stderr).toMatch(stderr)
})

test('last tells sessions from wtmp', () => {
  const at = 1242109972
  const records = [
    { type: BOOT_TIME, user: 'reboot', line: '~', host: '2.6.18.8-xen', seconds: at },
    { type: USER_PROCESS, user: 'root', line: 'xvc0', seconds: at + 60 },
    { type: DEAD_PROCESS, line: 'xvc0', seconds: at + 660 },
    { type: USER_PROCESS, user: 'alice', line: 'tty1', seconds: at + 700 },
    { type: RUN_LVL, user: 'shutdown', line: '~', pid: 0x30, seconds: at + 800 },
    { type: BOOT_TIME, user: 'reboot', line: '~', host: '2.6.18.8-xen', seconds: at + 900 },
    { type: USER_PROCESS, user: 'root', line: 'xvc0', seconds: at + 960 },
  ]
  const rig = rigWith({ '/var/log/wtmp': new Uint8Array(records.flatMap((one) => [...utmpBytes(one)])) })
  expect(rig.run(['last']).stdout.replace(/ +\n/g, '\n')).toMatchInlineSnapshot(`
    "root     xvc0                          Tue May 12 06:48   still logged in
    reboot   system boot  2.6.18.8-xen     Tue May 12 06:47
    alice    tty1                          Tue May 12 06:44 - down   (00:01)
    root     xvc0                          Tue May 12 06:33 - 06:43  (00:10)
    reboot   system boot  2.6.18.8-xen     Tue May 12 06:32 - 06:46  (00:13)

    wtmp begins Tue May 12 06:32:52 2009
    "
  `)
  expect(rig.run(['last', '-2', 'root']).stdout.split('\n')).toHaveLength(5)
})
