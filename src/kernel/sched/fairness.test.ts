import { expect, test } from 'vitest'
import type { ProgramEntry, Sys } from '#abi/posix/syscalls.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { fork, kill, nanosleep, setpriority, times, wait4 } from '#user/libc/syscall.ts'

const MS = 1_000_000
const hog = function* (): Sys<number> {
  for (;;) yield undefined
}

/** User time of children that compete for so long. */
function shares(nices: readonly number[], ms: number): number[] {
  const rig = bootedRig()
  const used: number[] = []
  rig.process(function* () {
    const pids: number[] = []
    for (const nice of nices)
      pids.push(
        yield* fork(function* () {
          yield* setpriority(0, 0, nice)
          return yield* hog()
        }),
      )
    yield* nanosleep(ms * MS)
    for (const pid of pids) yield* kill(pid, 9)
    let before = 0
    for (const pid of pids) {
      yield* wait4(pid, 0)
      const [, , utime] = yield* times()
      used.push(Math.round((utime - before) / MS))
      before = utime
    }
    return 0
  } satisfies ProgramEntry)
  return used
}

test('two hogs share the processor, and nice gives up its part', () => {
  const [one, two] = shares([0, 0], 500)
  expect(Math.abs(one! - two!)).toBeLessThan(30)
  const [normal, nice] = shares([0, 10], 500)
  expect(normal! / nice!).toBeGreaterThan(5)
})

test('who sleeps runs soon after it wakes, though hogs run', () => {
  const rig = bootedRig()
  const late: number[] = []
  rig.process(function* () {
    const pids: number[] = []
    for (let i = 0; i < 3; i++) pids.push(yield* fork(hog))
    for (let i = 0; i < 20; i++) {
      const due = rig.xen.nowNs + 7 * MS
      yield* nanosleep(7 * MS)
      late.push(rig.xen.nowNs - due)
    }
    for (const pid of pids) yield* kill(pid, 9)
    return 0
  })
  expect(Math.max(...late)).toBeLessThan(2 * MS)
})
