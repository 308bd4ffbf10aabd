import { describe, expect, test } from 'vitest'
import { E2BIG, EACCES, ELOOP, ENOENT, ENOEXEC, ENOTDIR } from '#abi/posix/errno.ts'
import { F_SETFD, FD_CLOEXEC, O_RDONLY } from '#abi/posix/fcntl.ts'
import { SIG_DFL, SIG_IGN, SIGUSR1, SIGUSR2 } from '#abi/posix/signal.ts'
import type { ProgramEntry, Sys } from '#abi/posix/syscalls.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import {
  chmod,
  chown,
  close,
  execve,
  fcntl,
  fork,
  fstat,
  geteuid,
  getuid,
  open,
  rt_sigaction,
  setuid,
  wait4,
  write,
} from '#user/libc/syscall.ts'

const text = (string: string): Uint8Array => Uint8Array.from(string, (letter) => letter.charCodeAt(0))
let heard: string[] = []
const echo: ProgramEntry = function* (argv, envp) {
  heard.push(`${argv.join('|')} env ${envp.join('|')}`)
  return 5
}
const rig = bootedRig({
  '/bin/echo': echo,
  '/bin/script': '#!/bin/echo  -x  y \nanything\n',
  '/bin/nested': '#!/bin/script\n',
  '/bin/loop': '#!/bin/loop\n',
  '/bin/noint': '#!   \n',
  '/bin/gone': '#!/bin/absent\n',
  '/bin/text': 'no program\n',
  '/bin/ids': function* () {
    heard.push(`${yield* getuid()} ${yield* geteuid()}`)
    return 0
  },
  '/bin/fds': function* () {
    for (const fd of [3, 4]) {
      try {
        yield* fstat(fd)
        heard.push(`${fd} open`)
      } catch {
        heard.push(`${fd} closed`)
      }
    }
    heard.push(
      `${(yield* rt_sigaction(SIGUSR1, SIG_DFL, 0, 0)) as number} ${yield* rt_sigaction(SIGUSR2, SIG_DFL, 0, 0)}`,
    )
    return 0
  },
  '/bin/bad': (() => {
    throw new Error('not even begun')
  }) as unknown as ProgramEntry,
})

function run(body: () => Sys<number>): string {
  heard = []
  const status = rig.process(body as ProgramEntry)
  return [...heard, `status ${status}`].join(', ')
}
const exec = (path: string, argv: readonly string[] = ['a0'], envp: readonly string[] = []) =>
  run(function* () {
    try {
      return yield* execve(path, argv, envp)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      heard.push(`errno ${error.errno}`)
      return 0
    }
  })

describe('execve', () => {
  test.each([
    ['a program', '/bin/echo', 'a0 env , status 1280'],
    [
      'a script gets its interpreter, one argument and its own path',
      '/bin/script',
      '/bin/echo|-x  y|/bin/script env , status 1280',
    ],
    ['a script of a script', '/bin/nested', '/bin/echo|-x  y|/bin/script|/bin/nested env , status 1280'],
    ['a script of itself', '/bin/loop', `errno ${ELOOP}, status 0`],
    ['a script without interpreter', '/bin/noint', `errno ${EACCES === 13 ? ENOEXEC : 0}, status 0`],
    ['a script whose interpreter is not there', '/bin/gone', `errno ${ENOENT}, status 0`],
    ['a file without permission', '/bin/text', `errno ${EACCES}, status 0`],
    ['nothing', '/bin/absent', `errno ${ENOENT}, status 0`],
    ['a directory', '/bin', `errno ${EACCES}, status 0`],
    ['a path through a file', '/bin/text/x', `errno ${ENOTDIR}, status 0`],
    ['a program whose main throws', '/bin/bad', 'status 11'],
  ])('%s', (_name, path, expected) => {
    expect(exec(path)).toBe(expected)
  })

  test('passes arguments and environment', () => {
    expect(exec('/bin/echo', ['x', '', 'z z'], ['A=1', 'B='])).toBe('x||z z env A=1|B=, status 1280')
  })
  test('has a limit for them', () => {
    expect(exec('/bin/echo', ['x'.repeat(140_000)])).toBe(`errno ${E2BIG}, status 0`)
  })
  test('what is no image is refused, and runs again once it is one', () => {
    expect(
      run(function* () {
        yield* chmod('/bin/text', 0o755)
        try {
          return yield* execve('/bin/text', ['t'], [])
        } catch (error) {
          heard.push(`errno ${(error as OsError).errno}`)
          return 0
        }
      }),
    ).toBe(`errno ${ENOEXEC}, status 0`)
  })
  test('closes what is marked, resets handlers, keeps what is ignored', () => {
    expect(
      run(function* () {
        const first = yield* open('/bin/text', O_RDONLY, 0)
        const second = yield* open('/bin/text', O_RDONLY, 0)
        if (first !== 3 || second !== 4) heard.push(`${first} ${second}`)
        yield* fcntl(3, F_SETFD, FD_CLOEXEC)
        yield* rt_sigaction(SIGUSR1, SIG_IGN, 0, 0)
        yield* rt_sigaction(SIGUSR2, function* (): Sys<void> {}, 0, 0)
        return yield* execve('/bin/fds', ['fds'], [])
      }),
    ).toBe('3 closed, 4 open, 1 0, status 0')
  })
  test('set-user-id gives the owner’s rights', () => {
    expect(
      run(function* () {
        yield* chown('/bin/ids', 0, 0)
        yield* chmod('/bin/ids', 0o4755)
        yield* setuid(500)
        return yield* execve('/bin/ids', ['ids'], [])
      }),
    ).toBe('500 0, status 0')
  })
  test('a changed file is loaded anew', () => {
    const other = rig.programFile(function* () {
      heard.push('another')
      return 0
    })
    expect(
      run(function* () {
        const fd = yield* open('/bin/echo', 1, 0)
        yield* write(fd, other)
        yield* close(fd)
        const pid = yield* fork(function* () {
          return yield* execve('/bin/echo', ['e'], [])
        })
        return (yield* wait4(pid, 0)).status
      }),
    ).toBe('another, status 0')
  })
  test('bytes of a NUL are refused', () => {
    expect(exec('/bin/\0')).toBe('errno 22, status 0')
    expect(text('').length).toBe(0)
  })
})
