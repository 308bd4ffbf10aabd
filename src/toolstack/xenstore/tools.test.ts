/** The tools of 3.3 to the letter; and beside Debian's own (package xenstore-utils), which speak to the same daemon's core over a unix socket. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { XS_TRANSACTION_END } from '#abi/xen/io/xs_wire.ts'
import { byteString } from '#lib/utf8.ts'
import { type PosixRig, posixRig } from '#testing/posix-rig.ts'
import { serveAt, storeCalls, World } from '#testing/xenstored-rig.ts'
import { xenstore } from '../packages/xenstore.ts'
import { sanitise, unsanitise } from './escape.ts'

const TREE = `
  s WRITE /a|x => OK|
  s WRITE /a/b|two words => OK|
  s WRITE /a/c/d|1 => OK|
  s CHMOD /a/c|n5|r0|b3| => OK|
  s WRITE /odd|\x01\x07\x08\t\r\\"\x7f\xff^ => OK|
  s WRITE /long|${'0123456789'.repeat(12)} => OK|
`

function rigOf(world: World, heard?: (type: number) => void): PosixRig {
  world.run(TREE)
  return posixRig({ packages: [xenstore], calls: storeCalls(world.store, heard) })
}

/** Words by blanks; `~` is an empty one, `_` a blank in one. */
const words = (line: string): string[] => line.split(' ').map((word) => (word === '~' ? '' : word.replaceAll('_', ' ')))

const say = (rig: PosixRig, line: string): string => {
  const { stdout, stderr, status } = rig.run(words(line))
  return `${stdout}${stderr}${status}`
}

const USAGES: Readonly<Record<string, string>> = {
  read: '[-h] [-p] [-s] key [...]',
  write: '[-h] [-s] key value [...]',
  rm: '[-h] [-s] [-t] key [...]',
  exists: '[-h] [-s] key [...]',
  list: '[-h] [-s] key [...]',
  ls: '[-h] [-s] [path]',
  chmod: '[-h] [-s] key <mode [modes...]>',
  watch: '[-h] [-n NR] key',
}

test.each(Object.entries(USAGES))('usage of %s', (mode, usage) => {
  const rig = rigOf(new World())
  expect(say(rig, `xenstore-${mode} -h`)).toBe(`xenstore-${mode}: Usage: xenstore-${mode} ${usage}\n1`)
  expect(say(rig, `/usr/bin/xenstore-${mode} --help`)).toBe(
    `xenstore-${mode}: Usage: /usr/bin/xenstore-${mode} ${usage}\n1`,
  )
  expect(say(rig, `xenstore ${mode} -h`)).toBe(`xenstore: Usage: xenstore ${mode} ${usage}\n1`)
  if (mode !== 'ls') expect(say(rig, `xenstore-${mode}`)).toBe(`xenstore-${mode}: Usage: xenstore-${mode} ${usage}\n1`)
})

const CASES: readonly (readonly [line: string, wanted: string])[] = [
  ['xenstore', 'xenstore: Usage: xenstore <mode> [-h] [...]\n1'],
  ['xenstore frob /a', 'xenstore: unknown mode frob\n\n1'],
  ['xenstore read /a', 'x\n0'],
  ['xenstore-read /a', 'x\n0'],
  ['xenstore-read -s /a', 'x\n0'],
  ['xenstore-read /a /a/b', 'x\ntwo words\n0'],
  ['xenstore-read -p /a /a/b', '/a: x\n/a/b: two words\n0'],
  ['xenstore-read /a --prefix', '/a: x\n0'],
  ['xenstore-read --pre /a', '/a: x\n0'],
  ['xenstore-read /none', "xenstore-read: couldn't read path /none\n1"],
  ['xenstore-read /a /none /a/b', "x\nxenstore-read: couldn't read path /none\n1"],
  ['xenstore-read /odd', '\\001\\007\\x08\\t\\r\\\\"\\x7f\\xff\\n\n0'],
  ['xenstore-read -t /a', 'xenstore-read: Usage: xenstore-read [-h] [-p] [-s] key [...]\n1'],
  ['xenstore-read -x /a', 'x\nxenstore-read: invalid option -- x\n0'],
  ['xenstore-read --frob /a', "x\nxenstore-read: unrecognized option `--frob'\n0"],
  ['xenstore-read -- -x', "xenstore-read: couldn't read path -x\n1"],
  ['xenstore-exists /a', '0'],
  ['xenstore-exists /a /none', '1'],
  ['xenstore-list /a', 'b\nc\n0'],
  ['xenstore-list -p /a /a/c', '/a/b\n/a/c\n/a/c/d\n0'],
  ['xenstore-list /a/b', '0'],
  ['xenstore-list /none', 'xenstore-list: could not list path /none\n1'],
  ['xenstore-write /n', 'xenstore-write: Usage: xenstore-write [-h] [-s] key value [...]\n1'],
  ['xenstore-write /n 1 /m', 'xenstore-write: Usage: xenstore-write [-h] [-s] key value [...]\n1'],
  ['xenstore-write n 1', 'xenstore-write: could not write path n\n1'],
  ['xenstore-write /n 1 bad 2', 'xenstore-write: could not write path bad\n1'],
  ['xenstore-rm /none/x', 'xenstore-rm: could not remove path /none/x\n1'],
  ['xenstore-rm /', 'xenstore-rm: could not remove path /\n1'],
  ['xenstore-ls /none', 'xenstore-ls: xs_directory (/none): No such file or directory\n1'],
  ['xenstore-ls none', 'xenstore-ls: xs_directory (none): Invalid argument\n1'],
  ['xenstore-ls /a/c', 'd = "1"\n0'],
  ['xenstore-ls /a /a/c', 'b = "two words"\nc = ""\n d = "1"\nd = "1"\n0'],
  ['xenstore-ls -f /a', '/a/b = "two words"\n/a/c = ""\n/a/c/d = "1"\n0'],
  ['xenstore-ls -p /a/c', `d = "1" ${' .'.repeat(26)}  (n0)\n0`],
  ['xenstore-ls -fp /a', '/a/b = "two words"   (n0)\n/a/c = ""   (n5,r0,b3)\n/a/c/d = "1"   (n0)\n0'],
  ['xenstore-chmod /a q1', "xenstore-chmod: Invalid permission specification: 'q'\n1"],
  [
    'xenstore-chmod /none r1',
    "xenstore-chmod: Error occurred setting permissions on '/none': No such file or directory\n1",
  ],
  ['xenstore-chmod /a', "xenstore-chmod: Error occurred setting permissions on '/a': Invalid argument\n1"],
  ['xenstore-chmod -u a r1', "xenstore-chmod: Error occurred setting permissions on 'a': Invalid argument\n1"],
  [
    `xenstore-chmod /a${' r1'.repeat(17)}`,
    'xenstore-chmod: Too many permissions specified.  Maximum per invocation is 16.\n1',
  ],
  ['xenstore-watch -n 1 /a', '/a\n0'],
  ['xenstore-watch -n 2 /a /none', '/a\n/none\n0'],
  ['xenstore-watch --number 1 /a', '/a\n0'],
  ['xenstore-watch --num=1 /a', '/a\n0'],
  ['xenstore-watch -n -5 /a', '0'],
  ['xenstore-read --number /a', "x\nxenstore-read: unrecognized option `--number'\n0"],
  ['xenstore-read --prefix=1 /a', "x\nxenstore-read: option `--prefix' doesn't allow an argument\n0"],
  ['xenstore-watch -n 1 a/', 'xenstore-watch: Unable to add watch on a/\n\n1'],
  ['xenstore-control', 'Usage:\nxenstore-control <command> [<arg>...]\n2'],
  [
    'xenstore-control frob',
    'Command not supported. Valid commands are:\ncheck\nlive-update    [-c <cmdline>] [-F] [-t <timeout>] [<file>]\nprint          <string>\n\n3',
  ],
  ['xenstore-control check', '0'],
]

test.each(CASES)('%s', (line, wanted) => {
  expect(say(rigOf(new World()), line)).toBe(wanted)
})

test('ls draws the tree, and cuts what is too long for 80 columns', () => {
  expect(say(rigOf(new World()), 'xenstore-ls')).toMatchInlineSnapshot(`
    "tool = ""
     xenstored = ""
    a = "x"
     b = "two words"
     c = ""
      d = "1"
    odd = "\\001\\007\\x08\\t\\r\\\\"\\x7f\\xff\\n"
    long = "01234567890123456789012345678901234567890123456789012345678901234567\\..."
    0"
  `)
})

test('what they change', () => {
  const world = new World()
  const rig = rigOf(world)
  for (const [line, then] of [
    ['xenstore-write /n a\\tb\\\\\\x41\\101\\', 's READ /n| => a\tb\\AA|'],
    ['xenstore-write /n 1 /m/o ~', 's READ /m/o| => _'],
    ['xenstore-write /n -- -5', 's READ /n| => -5'],
    ['xenstore-rm /m', 's READ /m| => !ENOENT'],
    ['xenstore-rm -t /a/c/d', 's DIR /a| => b|'],
    ['xenstore-rm -t /a/b', 's READ /a| => x'],
    ['xenstore-chmod /a b5 r6', 's PERMS /a| => b5|r6|'],
    ['xenstore-write /u/v/w 1', 's PERMS /u| => n0|'],
    ['xenstore-chmod -u /u/v r7', 's PERMS /u| => r7|'],
    ['xenstore-chmod --recurse /u w8', 's PERMS /u/v/w| => w8|'],
  ] as const) {
    expect(`${line}: ${say(rig, line)}`).toBe(`${line}: 0`)
    world.run(then)
  }
})

test('a transaction that somebody broke begins anew, and prints once', () => {
  const world = new World()
  let breaks = 3
  const rig = rigOf(world, (type) => {
    if (type === XS_TRANSACTION_END && breaks-- > 0) world.run('s WRITE /else|1 => OK|')
  })
  expect(say(rig, 'xenstore-read /a /a/b')).toBe('x\ntwo words\n0')
  expect(breaks).toBe(-1)
})

test('no daemon, no device', () => {
  const rig = posixRig({
    packages: [xenstore],
    calls: { socket: () => 5, connect: () => -111, fcntl: () => 0, close: () => 0 },
  })
  expect(say(rig, 'xenstore-read /a')).toBe('xenstore-read: xs_domain_open: No such file or directory\n1')
  expect(say(rig, 'xenstore-read -s /a')).toBe('xenstore-read: xs_daemon_open: Connection refused\n1')
  expect(say(rig, 'xenstore-control check')).toBe('Failed to contact Xenstored.\n1')
})

test('escapes go both ways', () => {
  const all = byteString(Uint8Array.from({ length: 256 }, (_, i) => i))
  expect(sanitise(all)).toMatch(/^[ -~]*$/)
  expect(unsanitise(sanitise(all))).toBe(all)
  expect(unsanitise('\\q\\8\\xg\\18\\777\\x4')).toBe('q8xg\x018\xff\x04')
  expect(unsanitise('\\x 411\\x-12\\x z')).toBe('A1\xff2x z')
})

const debian = existsSync('/usr/bin/xenstore-ls') && existsSync('/usr/bin/xenstore-watch')
if (!debian) process.stderr.write('SKIPPED: no xenstore-utils here, so no comparison with the real tools\n')

describe.skipIf(!debian)("Debian's tools", () => {
  const dir = mkdtempSync(join(tmpdir(), 'xenstored-'))
  const path = join(dir, 'socket')
  const world = new World()
  let server: Server
  beforeAll(async () => {
    world.run(TREE)
    server = await serveAt(path, world.store)
  })
  afterAll(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })

  const run = (line: string): Promise<string> =>
    new Promise((resolve) => {
      const [tool = '', ...args] = words(line)
      const env = { ...process.env, XENSTORED_PATH: path }
      execFile(tool, args, { env, encoding: 'latin1', timeout: 10_000 }, (error, stdout) => {
        resolve(`${stdout}${error ? error.code : 0}`)
      })
    })

  /** What both do alike, one after the other on a tree of its own. */
  const ALIKE = [
    'xenstore-ls',
    'xenstore-ls /a',
    'xenstore-ls -f',
    'xenstore-ls -p /a',
    'xenstore-ls -fp',
    'xenstore-ls /none',
    'xenstore-read /a',
    'xenstore-read /a /a/b /a/c/d',
    'xenstore-read -p /a /odd',
    'xenstore-read /none',
    'xenstore-read /a /none',
    'xenstore-exists /a /a/b',
    'xenstore-exists /none',
    'xenstore-list /',
    'xenstore-list -p /a',
    'xenstore-list /none',
    'xenstore-write /w 1 /w/x \\x00\\t\\\\ /w/y/z two_words',
    'xenstore-write w 1',
    'xenstore-ls /w',
    'xenstore-chmod /w n1 r2 b3',
    'xenstore-chmod -r /w/y w4',
    'xenstore-ls -p /w',
    'xenstore-rm -t /w/y/z',
    'xenstore-rm /w/none/none',
    'xenstore-rm /w /none',
    'xenstore-exists /w',
    'xenstore-watch -n 2 /a /a/b',
  ]

  test('and ours print the same, and end the same', async () => {
    const rig = rigOf(new World())
    for (const line of ALIKE) {
      const ours = rig.run(words(line))
      expect(`${line}: ${ours.stdout}${ours.status}`).toBe(`${line}: ${await run(line)}`)
    }
  }, 60_000)

  test('xenstore-watch sees what another writes', async () => {
    const watching = run('xenstore-watch -n 3 /seen')
    // Its own first event has gone out when the watch is there.
    while (![...world.store.connections].some(({ watches }) => watches.length > 0))
      await new Promise((resolve) => setImmediate(resolve))
    expect(await run('xenstore-write /seen 1 /seen/below 2')).toBe('0')
    expect(await watching).toBe('/seen\n/seen\n/seen/below\n0')
  }, 30_000)

  test('writers that collide all get through', async () => {
    const jobs = Array.from({ length: 8 }, (_, i) => run(`xenstore-write /c/${i} ${i} /d/${i} ${i}`))
    expect(await Promise.all(jobs)).toEqual(jobs.map(() => '0'))
    expect((await run('xenstore-list /c')).split('\n').sort()).toEqual(
      ['0', '0', '1', '2', '3', '4', '5', '6', '7'].sort(),
    )
  }, 30_000)
})
