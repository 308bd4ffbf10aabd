import { describe, expect, test } from 'vitest'
import { kernelRig } from '#testing/kernel-rig.ts'
import { fork, getpid, sched_yield, wait4, write } from '#user/libc/syscall.ts'

const text = (string: string): Uint8Array => Uint8Array.from(string, (letter) => letter.charCodeAt(0))

describe('the rig', () => {
  test('a kernel thread sleeps and ends', () => {
    const rig = kernelRig()
    const slept = rig.run(function* ({ sched, time }) {
      const from = time.nowNs()
      yield* sched.sleepFor(5_000_000)
      return time.nowNs() - from
    })
    expect(slept).toBeGreaterThanOrEqual(5_000_000)
    expect(slept).toBeLessThan(5_100_000)
  })

  test('a process writes, forks and waits', () => {
    const rig = kernelRig()
    const status = rig.process(function* () {
      yield* write(1, text('hello\n'))
      const pid = yield* fork(function* () {
        yield* sched_yield()
        yield* write(1, text('child\n'))
        return 3
      })
      const waited = yield* wait4(pid, 0)
      return (waited.status >> 8) + ((yield* getpid()) > 0 ? 1 : 0)
    })
    expect(rig.output).toBe('hello\nchild\n')
    expect(status).toBe(4 << 8)
  })
})
