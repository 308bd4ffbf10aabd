import { expect, test } from 'vitest'
import { EIO } from '#abi/posix/errno.ts'
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { SIG_DFL, SIG_IGN, SIGCONT, SIGHUP, SIGINT, SIGTSTP, SIGTTIN, SIGTTOU } from '#abi/posix/signal.ts'
import { makedev, S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFSIGNALED, WSTOPSIG, WTERMSIG, WUNTRACED } from '#abi/posix/wait.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { type KernelRig, kernelRig, rootOf } from '#testing/kernel-rig.ts'
import type { OsError } from '#user/libc/errno.ts'
import {
  close,
  fork,
  getdents,
  getpid,
  kill,
  mkdir,
  mknod,
  mount,
  nanosleep,
  open,
  read,
  readlink,
  rt_sigaction,
  setpgid,
  setsid,
  wait4,
  write,
} from '#user/libc/syscall.ts'
import { tcsetpgrp } from '#user/libc/termios.ts'
import { makeBlocks } from '../block/make.ts'
import { INITCALLS } from '../init/initcalls.ts'
import { makeProc } from '../proc/make.ts'
import { makeVfs } from '../vfs/make.ts'
import { fileSyscalls } from '../vfs/syscalls.ts'
import { consoleInits } from './initcalls.ts'

/** The whole kernel, with a tmpfs for a root. */
function build(): KernelRig {
  const rig = kernelRig({
    cmdline: 'console=xvc0',
    parts: { makeVfs, makeBlocks, makeProc, consoleInits, initcalls: INITCALLS, syscalls: fileSyscalls },
  })
  rig.run(function* () {})
  rig.root = rig.run(function* (kernel) {
    return rootOf(yield* kernel.vfs.mountRoot('none', ['tmpfs'], 0))
  })
  rig.process(function* () {
    for (const name of ['/dev', '/dev/pts', '/proc', '/sys']) yield* mkdir(name, 0o755)
    yield* mknod('/dev/xvc0', S_IFCHR | 0o600, makedev(204, 191))
    yield* mknod('/dev/tty', S_IFCHR | 0o666, makedev(5, 0))
    yield* mknod('/dev/console', S_IFCHR | 0o600, makedev(5, 1))
    yield* mknod('/dev/null', S_IFCHR | 0o666, makedev(1, 3))
    yield* mount('proc', '/proc', 'proc', 0, '')
    return 0
  })
  return rig
}

const MS = 1_000_000

/** Run `main` as a session's leader at /dev/xvc0; `keys` are typed at their time after its start, in ms. Its exit status. */
function atTerminal(rig: KernelRig, main: (fd: number) => Sys<number>, keys: readonly [number, string][]): number {
  const status = rig.process(function* () {
    const pid = yield* fork(function* () {
      yield* setsid()
      for (const [ms, text] of keys) rig.xen.at(rig.xen.nowNs + ms * MS, () => rig.feed(text))
      return yield* main(yield* open('/dev/xvc0', O_RDWR, 0))
    })
    return WEXITSTATUS((yield* wait4(pid, 0)).status)
  })
  return WEXITSTATUS(status)
}

const say = (fd: number, text: string): Sys<number> => write(fd, bytesOfString(text))

/** As a shell does it: a child in a group of its own, in the foreground. */
function* job(fd: number, body: () => Sys<number>): Sys<number> {
  yield* rt_sigaction(SIGTTOU, SIG_IGN, 0, 0)
  const pid = yield* fork(function* () {
    yield* setpgid(0, 0)
    yield* tcsetpgrp(fd, yield* getpid())
    yield* rt_sigaction(SIGTTOU, SIG_DFL, 0, 0)
    return yield* body()
  })
  yield* setpgid(pid, pid)
  return pid
}

function* forever(): Sys<number> {
  for (;;) yield* nanosleep(1_000_000_000)
}

test('a program reads a line from the console and sees its echo', () => {
  const rig = build()
  let line = ''
  const status = atTerminal(
    rig,
    function* (fd) {
      yield* say(fd, 'name: ')
      line = byteString(yield* read(fd, 100))
      yield* say(fd, `hello ${line}`)
      return 7
    },
    [[1000, 'xen\r']],
  )
  expect([status, line]).toEqual([7, 'xen\n'])
  expect(rig.output).toContain('name: xen\r\nhello xen\r\n')
})

test('^C ends the foreground, not the shell', () => {
  const rig = build()
  let status = -1
  atTerminal(
    rig,
    function* (fd) {
      const pid = yield* job(fd, forever)
      status = (yield* wait4(pid, 0)).status
      return 0
    },
    [[1500, '\x03']],
  )
  expect([WIFSIGNALED(status), WTERMSIG(status)]).toEqual([true, SIGINT])
})

test('^Z stops it; continued in the background, it is stopped again when it reads', () => {
  const rig = build()
  const seen: number[] = []
  let read1 = ''
  atTerminal(
    rig,
    function* (fd) {
      const pid = yield* job(fd, function* () {
        read1 = byteString(yield* read(fd, 10))
        return 5
      })
      seen.push(WSTOPSIG((yield* wait4(pid, WUNTRACED)).status))
      yield* tcsetpgrp(fd, yield* getpid())
      yield* kill(pid, SIGCONT)
      seen.push(WSTOPSIG((yield* wait4(pid, WUNTRACED)).status))
      yield* tcsetpgrp(fd, pid)
      yield* kill(pid, SIGCONT)
      seen.push(WEXITSTATUS((yield* wait4(pid, WUNTRACED)).status))
      return 0
    },
    [
      [1000, '\x1a'],
      [2000, 'fg\r'],
    ],
  )
  expect(seen).toEqual([SIGTSTP, SIGTTIN, 5])
  expect(read1).toBe('fg\n')
})

test('the end of the session hangs the terminal up', () => {
  const rig = build()
  const results: (number | string)[] = []
  atTerminal(
    rig,
    function* (fd) {
      yield* fork(function* () {
        yield* rt_sigaction(SIGHUP, SIG_IGN, 0, 0)
        try {
          results.push((yield* read(fd, 10)).length)
          yield* write(fd, new Uint8Array(1))
        } catch (error) {
          results.push((error as OsError).errno)
        }
        return 0
      })
      yield* nanosleep(500 * MS)
      return 0
    },
    [],
  )
  rig.runFor(1000 * MS)
  expect(results).toEqual([0, EIO])
})

test('processes and terminals are in /proc', () => {
  const rig = build()
  const files: Record<string, string> = {}
  const names: string[] = []
  const cat = function* (path: string): Sys<string> {
    const fd = yield* open(path, 0, 0)
    let text = ''
    for (let part = yield* read(fd, 512); part.length > 0; part = yield* read(fd, 512)) text += byteString(part)
    yield* close(fd)
    return text
  }
  atTerminal(
    rig,
    function* (fd) {
      for (const path of ['self/stat', 'self/status', 'self/mounts', 'mounts', 'devices', 'tty/drivers', 'cpuinfo'])
        files[path] = yield* cat(`/proc/${path}`)
      files['fd'] = yield* readlink(`/proc/self/fd/${fd}`)
      files['self'] = yield* readlink('/proc/self')
      files['pid'] = String(yield* getpid())
      files['cwd'] = yield* readlink('/proc/self/cwd')
      const dir = yield* open('/proc/self', 0, 0)
      for (let part = yield* getdents(dir); part.length > 0; part = yield* getdents(dir))
        names.push(...part.map(({ name }) => name))
      return 0
    },
    [],
  )
  const { pid } = files
  expect(files['self']).toBe(pid)
  expect(files['fd']).toBe('/dev/xvc0')
  expect(files['mounts']).toBe(files['self/mounts'])
  expect(files['mounts']).toContain('proc /proc proc rw 0 0\n')
  // forked, not exec'ed; root's rights used
  expect(files['self/stat']).toMatch(
    new RegExp(`^${pid} \\(test\\) R \\d+ \\d+ ${pid} ${makedev(204, 191)} ${pid} 320 0 0 0 0 `),
  )
  expect(files['self/stat']!.trim().split(' ').length).toBe(42)
  expect(files['self/status']).toContain(`Pid:\t${pid}\n`)
  expect(files['devices']).toContain('  1 mem\n')
  expect(files['devices']).toContain('204 xvc\n')
  expect(files['tty/drivers']).toContain('unknown              /dev/xvc      204     191 serial\n')
  expect(names).toEqual(expect.arrayContaining(['cmdline', 'fd', 'stat', 'status', 'maps']))
})
