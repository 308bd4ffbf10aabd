import { expect, test } from 'vitest'
import { POLLIN } from '#abi/posix/poll.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { eprint, writeAll } from './stdio.ts'
import { pipe, read } from './syscall.ts'
import { Condition, Lock, Threads } from './threads.ts'

/** Runs `body` as a program; the value is what it said. */
function run(body: (threads: Threads, say: (text: string) => void) => Sys<void>): string[] {
  const said: string[] = []
  const rig = posixRig({
    programs: {
      *'/bin/x'() {
        const threads = new Threads(function* (name, error) {
          said.push(`${name}: ${(error as Error).message}`)
          yield* eprint('')
        })
        yield* body(threads, (text) => said.push(text))
        yield* threads.run()
        return 0
      },
    },
  })
  expect(rig.run(['x'])).toMatchObject({ status: 0 })
  return said
}

test('sleepers wake in the order of their times', () => {
  expect(
    run(function* (threads, say) {
      for (const ms of [30, 10, 20, 0]) {
        threads.start(
          'x',
          (function* () {
            yield* threads.sleep(ms)
            say(String(ms))
          })(),
        )
      }
    }),
  ).toEqual(['0', '10', '20', '30'])
})

test('a descriptor, a condition and a time wake those who wait for them', () => {
  expect(
    run(function* (threads, say) {
      const [from, to] = yield* pipe()
      const condition = new Condition()
      function* waiter(name: string, wish: object): Sys<void> {
        say(`${name} ${yield* threads.wait(wish)}`)
      }
      threads.start('a', waiter('a', { fd: from, events: POLLIN, timeoutMs: 1000 }))
      threads.start('b', waiter('b', { condition, timeoutMs: 1000 }))
      threads.start('c', waiter('c', { condition: new Condition(), timeoutMs: 10 }))
      threads.start(
        'd',
        (function* () {
          yield* threads.sleep(20)
          condition.notify()
          yield* threads.sleep(20)
          yield* writeAll(to, bytesOfString('x'))
          yield* threads.sleep(20)
          say(String((yield* read(from, 10)).length))
        })(),
      )
    }),
  ).toEqual(['c time', 'b condition', 'a fd', '1'])
})

test('a lock is held by one, who may take it again', () => {
  expect(
    run(function* (threads, say) {
      const lock = new Lock()
      function* worker(name: string): Sys<void> {
        yield* threads.locked(lock, function* () {
          say(`${name} in`)
          yield* threads.sleep(5)
          yield* threads.locked(lock, () => threads.sleep(5))
          say(`${name} out`)
        })
      }
      for (const name of ['a', 'b', 'c']) threads.start(name, worker(name))
    }),
  ).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
})

test('what a thread throws ends it alone, and frees its lock', () => {
  expect(
    run(function* (threads, say) {
      const lock = new Lock()
      threads.start(
        'bad',
        threads.locked(lock, function* () {
          yield* threads.sleep(1)
          throw new Error('oops')
        }),
      )
      threads.start(
        'good',
        threads.locked(lock, function* () {
          yield* threads.sleep(1)
          say('good')
        }),
      )
    }),
  ).toEqual(['bad: oops', 'good'])
})

test('stop leaves what was not done', () => {
  expect(
    run(function* (threads, say) {
      threads.start(
        'long',
        (function* () {
          yield* threads.sleep(1e6)
          say('never')
        })(),
      )
      threads.start(
        'stop',
        (function* () {
          yield* threads.sleep(5)
          threads.stop()
        })(),
      )
    }),
  ).toEqual([])
})
