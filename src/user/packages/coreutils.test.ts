/** What differential tests cannot show: 5.97's words, terminals, users, the clock, memory. */
import { describe, expect, test } from 'vitest'
import { utmpBytes } from '#abi/posix/utmp.ts'
import { byteString } from '#lib/utf8.ts'
import { posixRig, type RigFile, type RigOptions } from '#testing/posix-rig.ts'
import { coreutils } from './coreutils.ts'
import { coreutilsUsr } from './coreutils-usr.ts'

const ETC: Record<string, RigFile> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nalice:x:500:500:Alice:/home/alice:/bin/sh\n',
  '/etc/group': 'root:x:0:root\ndisk:x:6:root\nalice:x:500:\nwheel:x:10:root,alice\n',
}

const rigWith = (files: Record<string, RigFile> = {}, options: RigOptions = {}) =>
  posixRig({ packages: [coreutils, coreutilsUsr], files: { ...ETC, ...files }, ...options })

test.each([
  ['cat nope', 1, 'cat: nope: No such file or directory\n'],
  ['cat -z', 1, "cat: invalid option -- z\nTry `cat --help' for more information.\n"],
  ['cat --nope', 1, "cat: unrecognized option `--nope'\nTry `cat --help' for more information.\n"],
  ['ls nope', 2, 'ls: nope: No such file or directory\n'],
  ['ls -z', 2, "ls: invalid option -- z\nTry `ls --help' for more information.\n"],
  ['cp f', 1, "cp: missing destination file operand after `f'\nTry `cp --help' for more information.\n"],
  ['cp nope x', 1, "cp: cannot stat `nope': No such file or directory\n"],
  ['cp /d x', 1, "cp: omitting directory `/d'\n"],
  ['cp /f /f', 1, "cp: `/f' and `/f' are the same file\n"],
  ['cp /f /f /f', 1, "cp: target `/f' is not a directory\n"],
  ['mv nope x', 1, "mv: cannot stat `nope': No such file or directory\n"],
  ['mv /d /d/y', 1, "mv: cannot move `/d' to a subdirectory of itself, `/d/y'\n"],
  ['rm nope', 1, "rm: cannot remove `nope': No such file or directory\n"],
  ['rm /d', 1, "rm: cannot remove `/d': Is a directory\n"],
  ['rm -r .', 1, "rm: cannot remove `.' or `..'\n"],
  [
    'rm -rf /',
    1,
    "rm: it is dangerous to operate recursively on `/'\nrm: use --no-preserve-root to override this failsafe\n",
  ],
  ['rmdir /d', 1, 'rmdir: /d: Directory not empty\n'],
  ['mkdir /d', 1, "mkdir: cannot create directory `/d': File exists\n"],
  ['touch /no/x', 1, "touch: cannot touch `/no/x': No such file or directory\n"],
  ['chmod 9 /f', 1, "chmod: invalid mode: `9'\n"],
  ['chown nobody /f', 1, "chown: `nobody': invalid user\n"],
  ['ln nope x', 1, "ln: accessing `nope': No such file or directory\n"],
  ['head -n x /f', 1, 'head: x: invalid number of lines\n'],
  ['tail nope', 1, "tail: cannot open `nope' for reading: No such file or directory\n"],
  ['sort nope', 2, 'sort: open failed: nope: No such file or directory\n'],
  ['dd if=nope', 1, "dd: opening `nope': No such file or directory\n"],
  ['id nobody', 1, 'id: nobody: No such user\n'],
  ['date -d x', 1, "date: invalid date `x'\n"],
  ['sleep x', 1, "sleep: invalid time interval `x'\nTry `sleep --help' for more information.\n"],
  ['expr 1 / 0', 2, 'expr: division by zero\n'],
  ['test 1 -eq x', 2, 'test: x: integer expression expected\n'],
  ['stty', 1, 'stty: standard input: Inappropriate ioctl for device\n'],
  ['env nope', 127, 'env: nope: No such file or directory\n'],
  ['df nope', 1, "df: `nope': No such file or directory\n"],
  ['/bin/cat nope', 1, '/bin/cat: nope: No such file or directory\n'],
])('%s', (line, status, stderr) => {
  const rig = rigWith({ '/d/x': '', '/f': 'f\n', '/etc/mtab': '' })
  expect(rig.run(line.split(' '))).toMatchObject({ status, stderr, stdout: '' })
})

test('every program shows its help and its version, and fails where it cannot', () => {
  const rig = rigWith()
  for (const [path, program] of [...coreutils.programs, ...coreutilsUsr.programs]) {
    const { name } = program()
    if (/^(test|hostname)$/.test(name)) continue
    const help = rig.run([path, '--help'])
    expect([help.status === 1 ? (name === 'false' ? 0 : 1) : help.status, help.stdout.slice(0, 7)], name).toEqual([
      0,
      'Usage: ',
    ])
    const version = rig.run([path, '--version'])
    expect(version.stdout, name).toMatch(/^\S+ (\(GNU coreutils\) 5\.97|\(util-linux|version 1\.5)/)
  }
})

describe('terminals', () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`/w/name-number-${i}`, '']))

  test('ls fills columns, as wide as the terminal is', () => {
    const wide = rigWith(many).session(['ls', '/w'], { columns: 80 })
    expect(wide.output().split('\r\n')[0]).toBe('name-number-0\tname-number-11\tname-number-4  name-number-7')
    const narrow = rigWith(many).session(['ls', '/w'], { columns: 30 })
    expect(narrow.output().split('\r\n')).toHaveLength(7)
  })

  test('ls colours what it knows', () => {
    const { stdout } = rigWith({ '/w/d/': '', '/w/x': { text: '', mode: 0o755 }, '/w/f': '' }).run([
      'ls',
      '--color',
      '/w',
    ])
    expect(stdout).toBe('\x1b[0m\x1b[01;34md\x1b[0m\n\x1b[0mf\x1b[0m\n\x1b[01;32mx\x1b[0m\n\x1b[m')
  })

  test('stty shows and sets', () => {
    const show = rigWith().session(['stty', '-a'], { rows: 25, columns: 80 })
    expect(show.output()).toContain('rows 25; columns 80; line = 0;')
    expect(show.transcript).toContain('intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D;')
    expect(show.transcript).toMatch(/isig icanon iexten echo echoe echok -echonl -noflsh/)
    const rig = rigWith()
    for (const [line, later, said] of [
      ['-echo', '-a', ' -echo '],
      ['rows 40 cols 100', 'size', '40 100'],
      ['intr ^X', '-a', 'intr = ^X;'],
      ['raw', '-a', ' -icanon '],
    ] as const) {
      const session = rig.session(['env', 'stty', ...line.split(' ')])
      session.output()
      expect(session.status, line).toBe(0)
      expect(later + said).toBeTruthy()
    }
  })

  test('tty names the terminal', () => {
    expect(rigWith().session(['tty']).output()).toBe('/dev/ttyS0\r\n')
  })

  test('rm asks before it removes what is write-protected', () => {
    const rig = rigWith({ '/home/alice/': '', '/home/alice/f': { text: 'x', mode: 0o444, uid: 500, gid: 500 } })
    const session = rig.session(['rm', '-i', '/home/alice/f'])
    expect(session.output()).toContain("rm: remove regular file `/home/alice/f'? ")
    session.type('n\n')
    session.output()
    expect(rig.list('/home/alice')).toEqual(['f'])
  })
})

test('the clock, the names and the owners', () => {
  const rig = rigWith({
    '/f': { text: 'hello\n', uid: 500, gid: 10, mode: 0o640, mtime: 1242109000 },
    '/g': { text: '', mtime: 1 },
  })
  expect(rig.run(['date', '-u']).stdout).toBe('Tue May 12 06:32:52 UTC 2009\n')
  expect(rig.run(['ls', '-l', '/f', '/g']).stdout).toBe(
    '-rw-r----- 1 alice wheel 6 May 12 06:16 /f\n-rw-r--r-- 1 root  root  0 Jan  1  1970 /g\n',
  )
  expect(rig.run(['stat', '-c', '%U:%G %a %s', '/f']).stdout).toBe('alice:wheel 640 6\n')
  expect(rig.run(['id'], { uid: 500, gid: 500 }).stdout).toMatch(/^uid=500\(alice\) gid=500\(alice\)/)
  expect(rig.run(['id', 'alice']).stdout).toBe('uid=500(alice) gid=500(alice) groups=500(alice),10(wheel)\n')
  expect(rig.run(['groups', 'alice']).stdout).toBe('alice : alice wheel\n')
  expect(rig.run(['cat', '/f'], { uid: 501, gid: 501 })).toMatchObject({
    status: 1,
    stderr: 'cat: /f: Permission denied\n',
  })
  expect(rig.run(['whoami'], { uid: 500 }).stdout).toBe('alice\n')
})

test('who reads utmp', () => {
  const records = [
    utmpBytes({ type: 2, line: '~', user: 'reboot', seconds: 1242109900 }),
    utmpBytes({ type: 7, pid: 300, line: 'ttyS0', id: 'S0', user: 'root', seconds: 1242109960 }),
  ]
  const rig = rigWith({ '/var/run/utmp': records.map(byteString).join('') })
  expect(rig.run(['who']).stdout).toBe('root     ttyS0        2009-05-12 06:32\n')
  expect(rig.run(['who', '-b']).stdout).toBe('         system boot  2009-05-12 06:31\n')
  expect(rig.run(['users']).stdout).toBe('root\n')
  expect(rig.run(['who', '-q']).stdout).toBe('root\n# users=1\n')
})

test('df computes from statfs', () => {
  const fs = {
    type: 0xef53,
    bsize: 4096,
    blocks: 2500,
    bfree: 1500,
    bavail: 1375,
    files: 640,
    ffree: 600,
    namelen: 255,
  }
  const rig = rigWith({ '/etc/mtab': '/dev/hda1 / ext2 rw 0 0\n' }, { calls: { statfs: () => fs } })
  expect(rig.run(['df']).stdout).toBe(
    'Filesystem           1K-blocks      Used Available Use% Mounted on\n' +
      '/dev/hda1                10000      4000      5500  43% /\n',
  )
  expect(rig.run(['df', '-h']).stdout).toBe(
    'Filesystem            Size  Used Avail Use% Mounted on\n/dev/hda1             9.8M  4.0M  5.4M  43% /\n',
  )
  expect(rig.run(['df', '-Ti']).stdout).toBe(
    'Filesystem    Type    Inodes   IUsed   IFree IUse% Mounted on\n' +
      '/dev/hda1     ext2       640      40     600    7% /\n',
  )
})

test('sort meets its limit, and says so', () => {
  const rig = rigWith({ '/big': 'a line of some length, again and again\n'.repeat(20000) }, { memoryBytes: 300_000 })
  expect(rig.run(['sort', '/big'])).toMatchObject({ status: 2, stderr: 'sort: memory exhausted\n' })
  for (const line of [
    'fold /dev/zero',
    'cut -c 1 /dev/zero',
    'tac /dev/zero',
    'head -c -1G /dev/zero',
    'dd bs=1G if=/dev/zero',
  ])
    expect(rig.run(line.split(' ')), line).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('memory exhausted'),
    })
})

test('dd tells what it did', () => {
  const rig = rigWith({ '/f': 'x'.repeat(1500) })
  expect(rig.run(['dd', 'if=/f', 'of=/g']).stderr).toMatch(
    /^2\+1 records in\n2\+1 records out\n1500 bytes \(1\.5 kB\) copied, \d\S* seconds, \S+ [kMG]?B\/s\n$/,
  )
})

test('tail -f shows what comes', () => {
  const rig = rigWith({ '/log': 'one\n' })
  const session = rig.session(['tail', '-f', '/log'])
  expect(session.output()).toBe('one\r\n')
  rig.run(['tee', '-a', '/log'], { stdin: 'two\n' })
  session.pass(2000)
  expect(session.take()).toContain('two')
})

test('nohup and nice run what they are given', () => {
  const rig = rigWith()
  expect(rig.run(['nohup', 'echo', 'x']).stdout).toBe('x\n')
  expect(rig.run(['nice', 'nice']).stdout).toBe('10\n')
  expect(rig.run(['nice', '-n', '5', 'nope'])).toMatchObject({ status: 127 })
})
