/** Programs that behave badly, and the shell's job control, on the whole host. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

let host: Dom0Host
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
}, 120_000)

const PROMPT = /# $/

describe('job control', () => {
  test('^C ends a loop without end', () => {
    host.type('while :; do :; done\r')
    host.runFor(2)
    host.type('\x03')
    host.waitFor(PROMPT)
    expect(host.run('echo alive').output).toBe('alive')
  })

  test('^Z, jobs, bg, fg, kill', () => {
    host.type('sleep 1000\r')
    host.runFor(1)
    host.type('\x1a')
    host.waitFor(/\[1\]\+\s+Stopped\s+sleep 1000/)
    host.waitFor(PROMPT)
    expect(host.run('jobs').output).toMatch(/^\[1\]\+\s+Stopped\s+sleep 1000/)
    expect(host.run('bg').output).toMatch(/^\[1\]\+ sleep 1000 &/)
    expect(host.run('jobs').output).toMatch(/^\[1\]\+\s+Running\s+sleep 1000 &/)
    host.type('fg\r')
    host.waitFor('sleep 1000')
    host.runFor(1)
    host.type('\x03')
    host.waitFor(PROMPT)
    expect(host.run('jobs').output).toBe('')
  })
})

describe('programs that want too much', () => {
  test('a runaway pipeline stays within memory', () => {
    const before = Number(host.run("grep MemFree /proc/meminfo | tr -dc '0-9'").output)
    host.type('cat /dev/zero | cat | cat > /dev/null\r')
    host.runFor(3)
    host.type('\x03')
    host.waitFor(PROMPT)
    const after = Number(host.run("grep MemFree /proc/meminfo | tr -dc '0-9'").output)
    expect(before - after).toBeLessThan(4096)
  })

  test('a fork bomb ends in errors', () => {
    host.type('bomb() { bomb | bomb & }; bomb\r')
    host.waitFor(/fork|Resource temporarily unavailable|Cannot/, 600)
    // What is left of it is killed by its group leader's end, or by hand.
    host.type('\x03\r')
    host.waitFor(PROMPT, 600)
    expect(host.run('killall -9 bash; echo alive', 600).output).toContain('alive')
  }, 240_000)

  test('who eats memory meets the OOM killer, which says so', () => {
    host.type('\r')
    host.runFor(5)
    host.type('exit\r')
    host.runFor(5)
    host.type('\r')
    host.waitFor('login: ')
    host.login()
    host.type('x=0123456789abcdef; while :; do x=$x$x; done\r')
    host.waitFor(/Out of memory: Killed process \d+|[Cc]annot allocate|out of space|Out of space/i, 600)
  }, 240_000)
})
