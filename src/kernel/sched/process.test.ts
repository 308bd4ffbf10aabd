import { describe, expect, test } from 'vitest'
import { EAGAIN, ECHILD, EFAULT, EINVAL, ENOSYS } from '#abi/posix/errno.ts'
import { RLIMIT_DATA, RLIMIT_NPROC } from '#abi/posix/resource.ts'
import { type ProgramEntry, SYSCALL_NR, type Sys, type Syscall } from '#abi/posix/syscalls.ts'
import { WNOHANG } from '#abi/posix/wait.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import {
  brk,
  fork,
  getpid,
  getppid,
  getpriority,
  getrlimit,
  getuid,
  kill,
  nanosleep,
  pause,
  setpriority,
  setrlimit,
  setsid,
  setuid,
  wait4,
} from '#user/libc/syscall.ts'
import { coreOf } from '../core.ts'

const MS = 1_000_000
const rig = bootedRig()

function run(body: (say: (text: string) => void) => Sys<number>): string {
  const said: string[] = []
  const status = rig.process(() => body((text) => void said.push(text)))
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
/** Yield what no libc would. */
const raw = function* (request: unknown): Sys<unknown> {
  return yield request as Syscall
}

describe('processes', () => {
  test.each<readonly [string, (say: (text: string) => void) => Sys<number>, string]>([
    [
      'the main program’s value is the status',
      function* () {
        return 258
      },
      `status ${2 << 8}`,
    ],
    [
      'nobody to wait for',
      function* (say) {
        say(`${yield* errnoOf(wait4(-1, 0))}`)
        return 0
      },
      `${ECHILD}, status 0`,
    ],
    [
      'wait4 of a child that runs, without waiting',
      function* (say) {
        const pid = yield* fork(function* () {
          yield* nanosleep(MS)
          return 9
        })
        say(`${(yield* wait4(-1, WNOHANG)).pid}`)
        const { pid: who, status } = yield* wait4(0, 0)
        say(`${who === pid} ${status}`)
        return 0
      },
      '0, true 2304, status 0',
    ],
    [
      'orphans are adopted by init',
      function* (say) {
        const pid = yield* fork(function* () {
          yield* fork(function* () {
            yield* nanosleep(MS)
            say(`parent ${yield* getppid()}`)
            return 0
          })
          return 0
        })
        yield* wait4(pid, 0)
        yield* nanosleep(10 * MS)
        return 0
      },
      'parent 1, status 0',
    ],
    [
      'a leader of a group makes no session',
      function* (say) {
        say(`${yield* errnoOf(setsid())}`)
        const pid = yield* fork(function* () {
          return (yield* setsid()) === (yield* getpid()) ? 1 : 0
        })
        say(`${(yield* wait4(pid, 0)).status}`)
        return 0
      },
      '1, 256, status 0',
    ],
    [
      'a user may not signal another’s process, nor take rights back',
      function* (say) {
        yield* setuid(500)
        say(`${yield* errnoOf(kill(1, 15))} ${yield* errnoOf(setuid(0))} ${yield* getuid()}`)
        return 0
      },
      '1 1 500, status 0',
    ],
    [
      'nice is for all, the other way for root',
      function* (say) {
        yield* setpriority(0, 0, -5)
        say(`${yield* getpriority(0, 0)}`)
        yield* setuid(500)
        yield* setpriority(0, 0, 30)
        say(`${yield* getpriority(0, 0)} ${yield* errnoOf(setpriority(0, 0, 0))}`)
        return 0
      },
      '25, 1 13, status 0',
    ],
    [
      'a limit of processes',
      function* (say) {
        yield* setrlimit(RLIMIT_NPROC, 3, 3)
        yield* setuid(501)
        const forkOne = () =>
          errnoOf(
            fork(function* () {
              yield* pause()
              return 0
            }),
          )
        say(`${yield* forkOne()} ${yield* forkOne()} ${yield* forkOne()}`)
        yield* kill(-1, 9)
        return 0
      },
      `0 0 ${EAGAIN}, status 0`,
    ],
    [
      'a limit of the heap',
      function* (say) {
        yield* setrlimit(RLIMIT_DATA, 1 << 20, 1 << 20)
        say(`${yield* brk(1 << 20)} ${yield* errnoOf(brk((1 << 20) + 1))} ${yield* brk(4096)} ${yield* brk(0)}`)
        say(`${(yield* getrlimit(RLIMIT_DATA)).join()}`)
        return 0
      },
      '1048576 12 4096 4096, 1048576,1048576, status 0',
    ],
    [
      'more than there is at all is refused',
      function* (say) {
        say(`${yield* errnoOf(brk(2 ** 40))}`)
        return 0
      },
      '12, status 0',
    ],
    [
      'a call that there is not',
      function* (say) {
        say(`${yield* raw([999])} ${yield* raw([-1])} ${yield* raw(['read'])} ${yield* raw([])}`)
        return 0
      },
      Array(4).fill(-ENOSYS).join(' ') + ', status 0',
    ],
    [
      'arguments of the wrong kind',
      function* (say) {
        const { open, write, brk: heap } = SYSCALL_NR
        say(`${yield* raw([open, 7, 0, 0])} ${yield* raw([open, 'a\0b', 0, 0])} ${yield* raw([write, 1, 'text'])}`)
        say(`${yield* raw([heap, Number.NaN])} ${yield* raw([heap])} ${yield* raw([write, 1, { length: 3 }])}`)
        return 0
      },
      [-EFAULT, -EINVAL, -EFAULT].join(' ') + `, ${[-EINVAL, -EFAULT, -EFAULT].join(' ')}, status 0`,
    ],
    [
      'a request that throws when it is looked at',
      function* () {
        yield* raw({
          get 0() {
            throw new Error('no')
          },
        })
        return 0
      },
      'status 11',
    ],
    [
      'a request that is a number',
      function* (say) {
        say(`${yield* raw(5)}`)
        return 0
      },
      `${-ENOSYS}, status 0`,
    ],
    [
      'an argument that throws',
      function* () {
        yield* raw([
          SYSCALL_NR.poll,
          new Proxy([], {
            get: () => {
              throw new Error('no')
            },
          }),
          0,
        ])
        return 0
      },
      'status 11',
    ],
    [
      'a dropped generator is never resumed',
      function* (say) {
        const pid = yield* fork(function* () {
          try {
            yield* pause()
          } finally {
            say('resumed')
          }
          return 0
        })
        yield* nanosleep(MS)
        yield* kill(pid, 9)
        say(`${(yield* wait4(pid, 0)).status}`)
        return 0
      },
      '9, status 0',
    ],
  ])('%s', (_name, body, expected) => {
    expect(run(body)).toBe(expected)
  })

  test('a main that is no generator', () => {
    expect(rig.process((() => 5) as unknown as ProgramEntry)).toBe(11)
    expect(rig.process((() => ({ next: () => ({ done: true, value: 3 }) })) as unknown as ProgramEntry)).toBe(3 << 8)
  })

  test('everything a process had is free again', () => {
    const { pages, sched } = rig.kernel
    const before = { ...pages.used, free: pages.free, tasks: sched.tasks.length }
    rig.process(function* () {
      yield* brk(10 << 20)
      for (let i = 0; i < 20; i++)
        yield* fork(function* () {
          yield* brk(1 << 20)
          yield* pause()
          return 0
        })
      yield* nanosleep(10 * MS)
      yield* kill(0, 9)
      return 0
    })
    rig.settle()
    expect({ ...pages.used, free: pages.free, tasks: sched.tasks.length }).toEqual(before)
  })
})

describe('too much', () => {
  test('a fork bomb ends in errors, and the system goes on', () => {
    const small = bootedRig({}, { pages: 8192 })
    const bomb: () => Sys<number> = function* () {
      for (;;) if ((yield* errnoOf(fork(bomb))) !== 0) yield* pause()
    }
    expect(() => small.process(bomb as ProgramEntry)).toThrow('never ends')
    const { sched } = small.kernel
    expect(sched.tasks.length).toBe(coreOf(small.kernel).sched.maxThreads)
    // Killed by root from outside, all of it goes.
    for (const task of sched.tasks) if (task.pid > 3 && !task.kthread && task.comm !== 'init') sched.sendSignal(task, 9)
    small.xen.kick()
    small.settle()
    expect(sched.tasks.filter(({ comm }) => comm === 'test')).toEqual([])
  })

  test('who eats all memory is killed, and the log says so', () => {
    const small = bootedRig({}, { pages: 8192 })
    const { pages, log } = small.kernel
    const before = pages.free
    const status = small.process(function* () {
      for (let bytes = 1 << 20; ; bytes += 1 << 20) yield* brk(bytes)
    })
    expect(status).toBe(9)
    expect(log.text()).toContain('invoked oom-killer: gfp_mask=0x201d2, order=0, oomkilladj=0\n')
    expect(log.text()).toMatch(/Out of memory: Killed process \d+ \(test\)\.\n/)
    expect(pages.free).toBeGreaterThanOrEqual(before)
  })
})

describe('idle', () => {
  test('a minute without anything to do makes no wake-ups', () => {
    const idle = bootedRig()
    idle.runFor(60_000_000_000)
    const { wakeUps } = idle.xen
    const calls = [...idle.xen.calls.values()].reduce((sum, count) => sum + count, 0)
    idle.runFor(60_000_000_000)
    expect(idle.xen.wakeUps - wakeUps).toBe(0)
    expect([...idle.xen.calls.values()].reduce((sum, count) => sum + count, 0) - calls).toBe(0)
  })
  test('load averages fall though nobody looked', () => {
    const busy = bootedRig()
    busy.process(function* () {
      const pid = yield* fork(function* () {
        for (;;) yield undefined
      })
      yield* nanosleep(1000 * MS)
      yield* kill(pid, 9)
      yield* wait4(pid, 0)
      return 0
    })
    expect(busy.kernel.sched.loads[0]).toBe(0)
  })
})
