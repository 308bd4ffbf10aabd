import { expect, test } from 'vitest'
import { EPIPE } from '#abi/posix/errno.ts'
import { O_CREAT, O_RDONLY, O_WRONLY } from '#abi/posix/fcntl.ts'
import { SIGINT, SIGKILL, SIGTERM } from '#abi/posix/signal.ts'
import type { ProgramEntry } from '#abi/posix/syscalls.ts'
import { WTERMSIG } from '#abi/posix/wait.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import * as sys from '#user/libc/syscall.ts'
import { posixRig } from './posix-rig.ts'

const run = (main: ProgramEntry, options = {}, rigOptions = {}) =>
  posixRig({ programs: { '/bin/t': main }, ...rigOptions }).run(['t'], options)
const say = function* (text: string) {
  yield* sys.write(1, bytesOfString(text))
}

test('files, pipes and fork', () => {
  const result = run(function* () {
    const fd = yield* sys.open('/tmp/a', O_CREAT | O_WRONLY, 0o644)
    yield* sys.write(fd, bytesOfString('hello'))
    yield* sys.close(fd)
    const [r, w] = yield* sys.pipe()
    const pid = yield* sys.fork(function* () {
      yield* sys.close(r)
      const from = yield* sys.open('/tmp/a', O_RDONLY, 0)
      yield* sys.write(w, yield* sys.read(from, 100))
      return 3
    })
    yield* sys.close(w)
    yield* say(byteString(yield* sys.read(r, 100)) + (yield* sys.read(r, 100)).length)
    const { status } = yield* sys.wait4(pid, 0)
    return status >> 8
  }, {})
  expect(result).toMatchObject({ stdout: 'hello0', status: 3 })
})

test('signals: a handler interrupts, SIGKILL ends, a broken pipe says so', () => {
  const result = run(function* () {
    yield* sys.rt_sigaction(
      SIGTERM,
      function* (signo) {
        yield* say(`got ${signo};`)
      },
      0,
      0,
    )
    const me = yield* sys.getpid()
    const pid = yield* sys.fork(function* () {
      yield* sys.kill(me, SIGTERM)
      yield* sys.pause()
      return 0
    })
    try {
      yield* sys.nanosleep(1e9)
    } catch (error) {
      yield* say(`errno ${(error as OsError).errno};`)
    }
    yield* sys.kill(pid, SIGKILL)
    const { status } = yield* sys.wait4(pid, 0)
    yield* say(`child ${WTERMSIG(status)};`)
    const [r, w] = yield* sys.pipe()
    yield* sys.close(r)
    yield* sys.rt_sigaction(13, 1, 0, 0)
    try {
      yield* sys.write(w, bytesOfString('x'))
    } catch (error) {
      yield* say(error instanceof OsError && error.errno === EPIPE ? 'EPIPE' : 'other')
    }
    return 0
  })
  expect(result.stdout).toBe('got 15;errno 4;child 9;EPIPE')
})

test('a terminal edits lines, echoes, and ^C ends the foreground', () => {
  const rig = posixRig({
    programs: {
      '/bin/t': function* () {
        for (;;) {
          const line = yield* sys.read(0, 100)
          if (line.length === 0) return 7
          yield* sys.write(1, line)
        }
      },
    },
  })
  const s = rig.session(['t'])
  s.type('abx\x7fc\n')
  expect(s.take()).toBe('abx\b \bc\r\nabc\r\n')
  s.type('\x04')
  expect(s.status).toBe(7)
  const other = rig.session(['t'])
  other.type('\x03')
  expect(other.output()).toBe('^C')
  expect(other.status).toBe(128 + SIGINT)
})

test('who waits for ever, or runs for ever, fails the test', () => {
  expect(() =>
    run(function* () {
      yield* sys.pause()
      return 0
    }),
  ).toThrow('waits for ever')
  expect(() =>
    run(
      function* () {
        for (;;) yield
      },
      { steps: 1000 },
    ),
  ).toThrow('out of steps')
})
