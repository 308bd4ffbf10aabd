import { describe, expect, test } from 'vitest'
import { EINTR } from '#abi/posix/errno.ts'
import {
  SA_RESTART,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIGALRM,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
  SIGINT,
  SIGKILL,
  SIGSTOP,
  SIGTERM,
  SIGTSTP,
  SIGUSR1,
  SIGUSR2,
  sigmask,
} from '#abi/posix/signal.ts'
import type { ProgramEntry, Sys } from '#abi/posix/syscalls.ts'
import { CONTINUED_STATUS, stopStatus, WCONTINUED, WNOHANG, WUNTRACED } from '#abi/posix/wait.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import {
  alarm,
  exit,
  fork,
  getpid,
  kill,
  nanosleep,
  pause,
  pipe,
  read,
  rt_sigaction,
  rt_sigpending,
  rt_sigprocmask,
  rt_sigsuspend,
  sched_yield,
  setpgid,
  wait4,
  write,
} from '#user/libc/syscall.ts'

const rig = bootedRig()
const MS = 1_000_000

/** Run `body` as a process: what it says. */
function says(body: (say: (text: string) => void) => Sys<number | undefined>): string {
  const said: string[] = []
  const status = rig.process(function* () {
    return (yield* body((text) => void said.push(text))) ?? 0
  } satisfies ProgramEntry)
  return [...said, `status ${status}`].join(', ')
}
function* errnoOf(call: Sys<unknown>): Sys<number> {
  try {
    yield* call
    return 0
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return error.errno
  }
}
const noop = function* (): Sys<void> {}

describe('signals', () => {
  test.each<readonly [string, (say: (text: string) => void) => Sys<number | undefined>, string]>([
    [
      'a handler runs before the call that sent it returns',
      function* (say) {
        yield* rt_sigaction(
          SIGUSR1,
          function* (signo): Sys<void> {
            say(`caught ${signo}`)
          },
          0,
          0,
        )
        yield* kill(yield* getpid(), SIGUSR1)
        say('back')
        return 0
      },
      'caught 10, back, status 0',
    ],
    [
      'the default ends it',
      function* () {
        yield* kill(yield* getpid(), SIGTERM)
        return 0
      },
      'status 15',
    ],
    [
      'and an ignored one does nothing',
      function* () {
        yield* rt_sigaction(SIGTERM, SIG_IGN, 0, 0)
        yield* kill(yield* getpid(), SIGTERM)
        return 4
      },
      'status 1024',
    ],
    [
      'SIGKILL has no handler',
      function* (say) {
        say(`${yield* errnoOf(rt_sigaction(SIGKILL, SIG_IGN, 0, 0))}`)
        return 0
      },
      '22, status 0',
    ],
    [
      'a blocked one waits',
      function* (say) {
        yield* rt_sigaction(
          SIGUSR1,
          function* (): Sys<void> {
            say('caught')
          },
          0,
          0,
        )
        yield* rt_sigprocmask(SIG_BLOCK, sigmask(SIGUSR1))
        yield* kill(yield* getpid(), SIGUSR1)
        say(`pending ${yield* rt_sigpending()}`)
        yield* rt_sigprocmask(SIG_SETMASK, 0)
        return 0
      },
      `pending ${sigmask(SIGUSR1)}, caught, status 0`,
    ],
    [
      'a handler may be interrupted by another, not by itself',
      function* (say) {
        const me = yield* getpid()
        yield* rt_sigaction(
          SIGUSR2,
          function* (): Sys<void> {
            say('in 2')
          },
          0,
          0,
        )
        let depth = 0
        let entries = 0
        yield* rt_sigaction(
          SIGUSR1,
          function* (): Sys<void> {
            say(`in 1 at ${depth++}`)
            if (++entries === 1) yield* kill(me, SIGUSR1)
            yield* kill(me, SIGUSR2)
            depth--
            say('out 1')
          },
          0,
          0,
        )
        yield* kill(me, SIGUSR1)
        return 0
      },
      'in 1 at 0, in 2, out 1, in 1 at 0, in 2, out 1, status 0',
    ],
    [
      'nanosleep is interrupted by a handler',
      function* (say) {
        yield* rt_sigaction(SIGALRM, noop, SA_RESTART, 0)
        yield* alarm(1)
        say(`${yield* errnoOf(nanosleep(5000 * MS))}`)
        return 0
      },
      `${EINTR}, status 0`,
    ],
    [
      'a read begins again with SA_RESTART',
      function* (say) {
        const [from, to] = yield* pipe()
        yield* rt_sigaction(
          SIGALRM,
          function* (): Sys<void> {
            say('alarm')
            yield* write(to, Uint8Array.of(65))
          },
          SA_RESTART,
          0,
        )
        yield* alarm(1)
        say(`read ${(yield* read(from, 10)).length}`)
        return 0
      },
      'alarm, read 1, status 0',
    ],
    [
      'and fails with EINTR without',
      function* (say) {
        const [from] = yield* pipe()
        yield* rt_sigaction(SIGALRM, noop, 0, 0)
        yield* alarm(1)
        say(`${yield* errnoOf(read(from, 10))}`)
        return 0
      },
      `${EINTR}, status 0`,
    ],
    [
      'sigsuspend has its own mask, and gives the old one back',
      function* (say) {
        yield* rt_sigaction(
          SIGUSR1,
          function* (): Sys<void> {
            say('caught')
          },
          0,
          0,
        )
        yield* rt_sigprocmask(SIG_SETMASK, sigmask(SIGUSR1))
        yield* kill(yield* getpid(), SIGUSR1)
        say(`${yield* errnoOf(rt_sigsuspend(0))}`)
        say(`${yield* rt_sigprocmask(SIG_BLOCK, 0)}`)
        return 0
      },
      `caught, ${EINTR}, ${sigmask(SIGUSR1)}, status 0`,
    ],
    [
      'a child that stops and goes on is told of',
      function* (say) {
        const pid = yield* fork(function* () {
          yield* setpgid(0, 0)
          yield* kill(yield* getpid(), SIGTSTP)
          return 3
        })
        say(`${(yield* wait4(pid, WUNTRACED)).status === stopStatus(SIGTSTP)}`)
        say(`${(yield* wait4(pid, WUNTRACED | WNOHANG)).pid}`)
        yield* kill(pid, SIGCONT)
        say(`${(yield* wait4(pid, WCONTINUED)).status === CONTINUED_STATUS}`)
        say(`${(yield* wait4(pid, 0)).status}`)
        return 0
      },
      'true, 0, true, 768, status 0',
    ],
    [
      'a stopped one dies of SIGKILL',
      function* (say) {
        const pid = yield* fork(function* () {
          yield* kill(yield* getpid(), SIGSTOP)
          return 3
        })
        yield* wait4(pid, WUNTRACED)
        yield* kill(pid, SIGKILL)
        say(`${(yield* wait4(pid, 0)).status}`)
        return 0
      },
      '9, status 0',
    ],
    [
      'SIGTERM waits for its end',
      function* (say) {
        const pid = yield* fork(function* () {
          yield* kill(yield* getpid(), SIGSTOP)
          return 3
        })
        yield* wait4(pid, WUNTRACED)
        yield* kill(pid, SIGTERM)
        say(`${(yield* wait4(pid, WNOHANG)).pid}`)
        yield* kill(pid, SIGCONT)
        say(`${(yield* wait4(pid, 0)).status}`)
        return 0
      },
      '0, 15, status 0',
    ],
    [
      'an orphaned group is not stopped by SIGTSTP',
      function* (say) {
        const pid = yield* fork(function* () {
          const middle = yield* getpid()
          yield* setpgid(0, 0)
          yield* fork(function* () {
            while ((yield* errnoOf(kill(middle, 0))) === 0) yield* nanosleep(MS)
            yield* kill(yield* getpid(), SIGTSTP)
            say('not stopped')
            return 0
          })
          return 0
        })
        yield* wait4(pid, 0)
        yield* nanosleep(50 * MS)
        return 0
      },
      'not stopped, status 0',
    ],
    [
      'a group that is orphaned while stopped is hung up',
      function* (say) {
        const pid = yield* fork(function* () {
          yield* setpgid(0, 0)
          const child = yield* fork(function* () {
            yield* rt_sigaction(
              SIGHUP,
              function* (): Sys<void> {
                say('hung up')
              },
              0,
              0,
            )
            yield* kill(yield* getpid(), SIGSTOP)
            say('goes on')
            return 0
          })
          yield* wait4(child, WUNTRACED)
          return 0
        })
        yield* wait4(pid, 0)
        yield* nanosleep(50 * MS)
        return 0
      },
      'hung up, goes on, status 0',
    ],
    [
      'children of one that ignores SIGCHLD leave no zombies',
      function* (say) {
        yield* rt_sigaction(SIGCHLD, SIG_IGN, 0, 0)
        yield* fork(function* () {
          return 1
        })
        yield* nanosleep(MS)
        say(`${yield* errnoOf(wait4(-1, 0))}`)
        return 0
      },
      '10, status 0',
    ],
    [
      'a loop without system calls is preempted, and killed',
      function* (say) {
        const pid = yield* fork(function* () {
          for (;;) yield undefined
        })
        yield* nanosleep(100 * MS)
        yield* kill(pid, SIGINT)
        say(`${(yield* wait4(pid, 0)).status}`)
        return 0
      },
      '2, status 0',
    ],
    [
      'what a handler throws is a segfault',
      function* () {
        yield* rt_sigaction(
          SIGUSR1,
          function* (): Sys<void> {
            throw new Error('no')
          },
          0,
          0,
        )
        yield* kill(yield* getpid(), SIGUSR1)
        return 0
      },
      'status 11',
    ],
    [
      'exit from a handler',
      function* () {
        yield* rt_sigaction(
          SIGUSR1,
          function* (): Sys<void> {
            yield* exit(7)
          },
          0,
          0,
        )
        yield* kill(yield* getpid(), SIGUSR1)
        return 0
      },
      `status ${7 << 8}`,
    ],
    [
      'pause ends with a handler only',
      function* (say) {
        const me = yield* getpid()
        yield* rt_sigaction(SIGUSR1, noop, 0, 0)
        yield* rt_sigaction(SIGUSR2, SIG_DFL, 0, 0)
        yield* fork(function* () {
          yield* nanosleep(MS)
          yield* kill(me, SIGSTOP)
          yield* nanosleep(MS)
          yield* kill(me, SIGCONT)
          yield* nanosleep(MS)
          say('now')
          yield* kill(me, SIGUSR1)
          return 0
        })
        say(`${yield* errnoOf(pause())}`)
        return 0
      },
      `now, ${EINTR}, status 0`,
    ],
    [
      'a child does not inherit what is pending',
      function* (say) {
        yield* rt_sigprocmask(SIG_BLOCK, sigmask(SIGUSR1))
        yield* kill(yield* getpid(), SIGUSR1)
        const pid = yield* fork(function* () {
          say(`${yield* rt_sigpending()}`)
          yield* sched_yield()
          return 0
        })
        yield* wait4(pid, 0)
        return 0
      },
      '0, status 0',
    ],
  ])('%s', (_name, body, expected) => {
    expect(says(body)).toBe(expected)
  })
})
