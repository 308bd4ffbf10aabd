import { describe, expect, test } from 'vitest'
import { EAGAIN, EBUSY, EEXIST, EINVAL, ENOENT, ENOEXEC, EPERM } from '#abi/posix/errno.ts'
import { O_WRONLY } from '#abi/posix/fcntl.ts'
import { S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { SHUTDOWN_reboot } from '#abi/xen/sched.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import type { OsError } from '#user/libc/errno.ts'
import { close, delete_module, init_module, mknod, open, setuid, unlink, write } from '#user/libc/syscall.ts'
import { coreOf } from '../core.ts'
import { softdog } from '../drivers/softdog/softdog.ts'
import type { KernelModule } from '../kernel.ts'

const rig = bootedRig({}, { oopsPanics: false })
const plain = (name: string, rest: Partial<KernelModule> = {}): KernelModule => ({
  name,
  license: 'GPL',
  *init() {},
  *exit() {},
  ...rest,
})
const file = (module: unknown): Uint8Array => rig.moduleFile(module as KernelModule)

function run(body: (attempt: (call: Sys<unknown>) => Sys<string>) => Sys<string>): string {
  let said = ''
  const status = rig.process(function* () {
    said = yield* body(function* (call) {
      try {
        yield* call
        return 'ok'
      } catch (error) {
        return String((error as OsError).errno)
      }
    })
    return 0
  })
  return status === 0 ? said : `status ${status}`
}
const procModules = (): string => {
  let text = ''
  for (const { name, users, usedBy, state } of coreOf(rig.kernel).modules.values())
    text += `${name} ${users + usedBy.length} ${usedBy.join(',')} ${state};`
  return text
}

describe('modules', () => {
  test.each<readonly [string, (attempt: (call: Sys<unknown>) => Sys<string>) => Sys<string>, string]>([
    [
      'go in and out',
      function* (attempt) {
        const first = yield* attempt(init_module(file(plain('one')), ''))
        const shown = procModules()
        return `${first} ${shown} ${yield* attempt(delete_module('one', 0))} ${procModules()}`
      },
      'ok one 0  Live; ok ',
    ],
    [
      'not twice',
      function* (attempt) {
        yield* init_module(file(plain('one')), '')
        const twice = yield* attempt(init_module(file(plain('one')), ''))
        yield* delete_module('one', 0)
        return `${twice} ${yield* attempt(delete_module('one', 0))}`
      },
      `${EEXIST} ${ENOENT}`,
    ],
    [
      'not without what they depend on, and not out before who depends on them',
      function* (attempt) {
        const upper = file(plain('upper', { depends: ['lower'] }))
        const alone = yield* attempt(init_module(upper, ''))
        yield* init_module(file(plain('lower')), '')
        yield* init_module(upper, '')
        const used = yield* attempt(delete_module('lower', 0))
        const shown = procModules()
        yield* delete_module('upper', 0)
        yield* delete_module('lower', 0)
        return `${alone} ${used} ${shown}`
      },
      `${ENOENT} ${EAGAIN} lower 1 upper Live;upper 0  Live;`,
    ],
    [
      'without exit they stay',
      function* (attempt) {
        const { exit: _, ...record } = plain('stays')
        yield* init_module(file(record), '')
        return yield* attempt(delete_module('stays', 0))
      },
      String(EBUSY),
    ],
    [
      'what init fails with',
      function* (attempt) {
        const failing = plain('failing', {
          *init() {
            throw Object.assign({}, { errno: ENOENT })
          },
        })
        return `${yield* attempt(init_module(file(failing), ''))} ${procModules()}`
      },
      `${ENOENT} stays 0  Live;`,
    ],
    [
      'init may sleep, and sees its parameters',
      function* (attempt) {
        let seen = ''
        const sleeper = plain('sleeper', {
          *init({ sched }, parameters) {
            yield* sched.sleepFor(1_000_000)
            seen = [...parameters].join(' ')
          },
        })
        return `${yield* attempt(init_module(file(sleeper), 'a=1 b  c='))} ${seen} ${yield* attempt(delete_module('sleeper', 0))}`
      },
      'ok a,1 b, c, ok',
    ],
    [
      'only root',
      function* (attempt) {
        yield* setuid(500)
        return `${yield* attempt(init_module(file(plain('one')), ''))} ${yield* attempt(delete_module('stays', 0))}`
      },
      `${EPERM} ${EPERM}`,
    ],
    [
      'a program is none',
      (attempt) =>
        attempt(
          init_module(
            rig.programFile(function* () {
              return 0
            }),
            '',
          ),
        ),
      String(ENOEXEC),
    ],
    ['text is none', (attempt) => attempt(init_module(new Uint8Array(100), '')), String(ENOEXEC)],
    ['nothing is none', (attempt) => attempt(init_module(new Uint8Array(0), '')), String(ENOEXEC)],
    ['a record without a name', (attempt) => attempt(init_module(file({ license: 'GPL' }), '')), String(ENOEXEC)],
    [
      'a fault in init takes the process along, and leaves the kernel',
      (attempt) =>
        attempt(
          init_module(
            file(
              plain('oops', {
                *init() {
                  throw new Error('never mind')
                },
              }),
            ),
            '',
          ),
        ),
      'status 11',
    ],
    [
      'and nothing of it is left',
      function* () {
        return procModules()
      },
      'stays 0  Live;',
    ],
  ])('%s', (_name, body, expected) => {
    expect(run(body)).toBe(expected)
    if (expected === 'status 11')
      expect(rig.kernel.log.text()).toMatch(/Oops: 0000 \[1\]\n[\s\S]*Pid: \d+, comm: test Not tainted/)
    expect(EINVAL).toBe(22)
  })

  test('softdog restarts a machine whose keeper is silent', () => {
    const dogged = bootedRig()
    const image = dogged.moduleFile(softdog())
    dogged.process(function* () {
      yield* init_module(image, 'soft_margin=10')
      yield* mknod('/dev/watchdog', S_IFCHR | 0o600, (10 << 8) | 130)
      const fd = yield* open('/dev/watchdog', O_WRONLY, 0)
      yield* write(fd, Uint8Array.of(0x56))
      yield* close(fd)
      return 0
    })
    dogged.runFor(60_000_000_000)
    expect(dogged.xen.shutdown).toBeUndefined()
    dogged.process(function* () {
      const fd = yield* open('/dev/watchdog', O_WRONLY, 0)
      yield* write(fd, Uint8Array.of(0))
      yield* unlink('/dev/watchdog')
      return 0
    })
    expect(dogged.kernel.log.text()).toContain('SoftDog: Unexpected close, not stopping watchdog!\n')
    dogged.runFor(60_000_000_000)
    expect(dogged.xen.shutdown).toBe(SHUTDOWN_reboot)
  })
})
