import { expect, test } from 'vitest'
import { TIOCNOTTY } from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { BOOT_TIME, LOGIN_PROCESS, RUN_LVL, readUtmp, USER_PROCESS } from '#abi/posix/utmp.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { type PosixRig, posixRig, type RigFile, type Session } from '#testing/posix-rig.ts'
import { readLineUnbuffered, writeAll } from '#user/libc/stdio.ts'
import { ioctl } from '#user/libc/syscall.ts'
import { agetty } from '../agetty.ts'
import { login } from '../login.ts'
import { init } from './init.ts'
import { telinit } from './telinit.ts'

/** The kernel starts init without a terminal; the rig's session has one. */
function* initWithoutTty(argv: readonly string[], env: readonly string[]): Sys<number> {
  yield* ioctl(0, TIOCNOTTY, 0)
  return yield* init.main(argv, env)
}

/** A shell of one command. */
function* shell(argv: readonly string[]): Sys<number> {
  yield* writeAll(1, bytesOfString(`${argv[0]}# `))
  for (;;) {
    const line = yield* readLineUnbuffered(0)
    if (line === undefined || line === 'exit') return 0
    if (line.startsWith('init ')) yield* telinit.main(['telinit', line.slice(5)], [])
    yield* writeAll(1, bytesOfString(`${argv[0]}# `))
  }
}

/** Says its arguments. */
function* say(argv: readonly string[]): Sys<number> {
  yield* writeAll(1, bytesOfString(`<${argv.slice(1).join(' ')}>\n`))
  return 0
}

const FILES: Readonly<Record<string, RigFile>> = {
  '/dev/console': { device: ['c', 0x440] },
  '/etc/issue': 'CentOS release 5.3 (Final)\nKernel \\r on an \\m\n\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\njoe:x:500:500::/home/joe:/bin/sh\n',
  '/etc/shadow': 'root::14376:0:99999:7:::\njoe:$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1:1::::::\n',
  '/etc/group': 'root:x:0:root\njoe:x:500:\n',
  '/etc/securetty': 'ttyS0\n',
  '/home/joe/': '',
  '/var/log/wtmp': '',
  '/var/log/lastlog': '',
  '/var/run/utmp': '',
}

const GETTY = 's0:2345:respawn:/sbin/agetty ttyS0 115200 vt100'

function boot(
  inittab: string | undefined,
  files: Record<string, RigFile> = {},
  args: string[] = [],
): { rig: PosixRig; s: Session } {
  const rig = posixRig({
    firstPid: 1,
    programs: {
      '/sbin/init': initWithoutTty,
      '/sbin/agetty': agetty,
      '/bin/login': login,
      '/bin/sh': shell,
      '/bin/say': say,
    },
    files: { ...FILES, ...(inittab === undefined ? {} : { '/etc/inittab': inittab }), ...files },
    calls: { reboot: () => 0 },
  })
  return { rig, s: rig.session(['/sbin/init', ...args]) }
}

const records = (rig: PosixRig, path: string) => readUtmp(bytesOfString(rig.read(path) ?? ''))

test('init boots to a login, and a shell', () => {
  const { rig, s } = boot(`id:3:initdefault:\nsi::sysinit:/bin/say sys\nl3:3:wait:/bin/say rc 3\n${GETTY}\n`)
  expect(s.take()).toMatchSnapshot()
  s.type('root\r')
  expect(s.take()).toBe('root\r\n-sh# ')
  expect(records(rig, '/var/run/utmp').map(({ type, user }) => [type, user])).toEqual([
    [8, ''],
    [BOOT_TIME, 'reboot'],
    [RUN_LVL, 'runlevel'],
    [8, ''],
    [USER_PROCESS, 'root'],
  ])
  s.type('exit\n')
  expect(s.take()).toContain(' login: ')
  const utmp = records(rig, '/var/run/utmp')
  expect(utmp.at(-1)).toMatchObject({ type: LOGIN_PROCESS, user: 'LOGIN', line: 'ttyS0', id: 's0' })
  s.type('root\r')
  expect(s.take()).toMatch(/^root\r\nLast login: Tue May 12 06:32:5\d on ttyS0\r\n-sh# $/)
})

test.each([
  ['a wrong password', 'joe\r', 'wrong\n', 'Password: \r\nLogin incorrect\r\n\r\nlogin: '],
  ['the right one', 'joe\r', 'secret\n', 'Password: \r\n-sh# '],
  ['nobody', 'nemo\r', 'secret\n', 'Password: \r\nLogin incorrect\r\n\r\nlogin: '],
])('login: %s', (_, name, password, answer) => {
  const { s } = boot(`id:3:initdefault:\n${GETTY}\n`)
  s.take()
  s.type(name)
  s.type(password).pass(2500)
  expect(s.take()).toBe(`${name.trim()}\r\n${answer}`)
})

test('root may not log in where securetty does not say so', () => {
  const { s } = boot(`id:3:initdefault:\n${GETTY}\n`, { '/etc/securetty': 'tty1\n' })
  s.take()
  s.type('root\r').type('\n').pass(2500)
  expect(s.take()).toBe('root\r\nPassword: \r\nLogin incorrect\r\n\r\nlogin: ')
})

test('login gives up after a minute', () => {
  const { s } = boot(`id:3:initdefault:\n${GETTY}\n`)
  s.type('joe\r').take()
  s.pass(61_000)
  expect(s.take()).toContain('Login timed out after 60 seconds\r\n')
})

test('telinit changes the runlevel, and ends who does not belong to it', () => {
  const { rig, s } = boot(
    `id:3:initdefault:\nl3:3:wait:/bin/say three\nl5:5:wait:/bin/say five\ns0:35:respawn:/sbin/agetty ttyS0 115200\n`.replace(
      'x:3:respawn:/bin/say -\n',
      '',
    ),
  )
  s.type('root\r').take()
  s.type('init 5\n')
  expect(s.take()).toContain('INIT: Switching to runlevel: 5\r\r\n')
  s.pass(1000)
  expect(records(rig, '/var/run/utmp').find(({ type }) => type === RUN_LVL)?.pid).toBe(0x35 + 256 * 0x33)
})

test('no inittab: init says so and asks for a runlevel', () => {
  const { s } = boot(undefined)
  expect(s.take()).toMatchSnapshot()
})

test('what respawns too fast is stopped for five minutes', () => {
  const { s } = boot(`id:3:initdefault:\nq:3:respawn:/bin/say again\n`)
  expect(s.take()).toMatch(/(<again>\r\n){10}\rINIT: Id "q" respawning too fast: disabled for 5 minutes\r\r\n/)
  s.pass(301_000)
  expect(s.take()).toContain('<again>')
})
