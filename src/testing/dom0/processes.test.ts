/** Programs that want too much, and the shell's job control, on the whole host. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

let host: Dom0Host
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
}, 120_000)

const PROMPT = /# $/
const freeKb = (): number => Number(/MemFree: +(\d+)/.exec(host.run('cat /proc/meminfo').output)![1])

/** ^C, until the shell is back. */
function interrupt(): void {
  host.type('\x03')
  host.waitFor(PROMPT)
  expect(host.run('echo alive').output).toBe('alive')
}

describe('job control', () => {
  test('^C ends a loop without end', () => {
    host.type('while :; do :; done\r')
    host.runFor(1)
    interrupt()
    expect(host.run('(exit 3)').status).toBe(3)
  })

  test('^Z, jobs, bg, fg, kill', () => {
    host.type('sleep 1000\r')
    host.runFor(1)
    host.type('\x1a')
    host.waitFor(/\[1\]\+\s+Stopped\s+sleep 1000/)
    host.waitFor(PROMPT)
    expect(host.run('jobs').output).toMatch(/^\[1\]\+\s+Stopped\s+sleep 1000/)
    expect(host.run('ps ax | grep "[s]leep 1000"').output).toMatch(/ T {4}/)
    expect(host.run('bg').output).toMatch(/^\[1\]\+ sleep 1000 &/)
    expect(host.run('jobs').output).toMatch(/^\[1\]\+\s+Running\s+sleep 1000 &/)
    host.type('fg\r')
    host.waitFor('sleep 1000')
    host.runFor(1)
    host.type('\x03')
    host.waitFor(PROMPT)
    expect(host.run('jobs').output).toBe('')
  })

  test('a writer whose reader is gone dies of SIGPIPE and says nothing', () => {
    expect(host.run('yes | head -n 1')).toEqual({ output: 'y', status: 0 })
    expect(host.run('(yes; echo $? >&2) | head -n 1').output).toBe('y\n141')
  })
})

describe('programs that want too much', () => {
  test('a runaway pipeline stays within memory', () => {
    const before = freeKb()
    host.type('cat /dev/zero | cat | cat > /dev/null\r')
    host.runFor(1)
    interrupt()
    expect(before - freeKb()).toBeLessThan(1024)
  }, 60_000)

  test('a file that wants all of the disk or of memory ends with ENOSPC', () => {
    host.run('mkdir /tmp/small; mount -t tmpfs -o size=8m none /tmp/small')
    const tmpfs = host.run('cat /dev/zero > /tmp/small/full')
    expect(tmpfs).toEqual({ output: 'cat: write error: No space left on device', status: 1 })
    expect(host.run('df -k /tmp/small | tail -n 1').output).toMatch(/ 100% \/tmp\/small$/)
    expect(host.run('umount /tmp/small').status).toBe(0)
    const disk = host.run('cat /dev/zero > /tmp/full', 3600)
    expect(disk).toEqual({ output: 'cat: write error: No space left on device', status: 1 })
    expect(host.run('df -k / | tail -n 1').output).toMatch(/ 100% \/$/)
    expect(host.run('rm -f /tmp/full; sync; echo x > /tmp/y; cat /tmp/y', 3600)).toEqual({ output: 'x', status: 0 })
  }, 240_000)

  // Who is it that dies: the one that eats.
  test.each([
    ['tail /dev/zero', 'tail'],
    ['sort /dev/zero', 'sort'],
  ])(
    '%s meets the OOM killer, which says so',
    (command, name) => {
      host.run('dmesg -c > /dev/null')
      expect(host.run(command, 600)).toEqual({ output: 'Killed', status: 137 })
      const { output } = host.run('dmesg')
      expect(output).toContain(`${name} invoked oom-killer: gfp_mask=0x201d2, order=0, oomkilladj=0`)
      expect(output).toMatch(new RegExp(`Out of memory: Killed process \\d+ \\(${name}\\)\\.`))
    },
    240_000,
  )

  test('a shell that doubles a variable meets it too; who logs in next finds the host as it was', () => {
    host.type('bash\r')
    host.waitFor(PROMPT)
    host.type('x=0123456789abcdef; while :; do x=$x$x; done\r')
    host.waitFor(/Killed|xrealloc: cannot allocate|[Cc]annot allocate memory/, 600)
    host.waitFor(PROMPT, 600)
    expect(host.run('echo alive').output).toContain('alive')
    expect(freeKb()).toBeGreaterThan(150_000)
  }, 240_000)

  test('a fork bomb ends in errors', () => {
    const tasks = (): number => Number(/\/(\d+) /.exec(host.run('cat /proc/loadavg', 3600).output)![1])
    const before = tasks()
    host.type(':(){ :|:& };:\r')
    host.waitFor('-bash: fork: Resource temporarily unavailable')
    // Its errors take their time on a serial line; what still runs is killed by hand.
    host.type('\r')
    host.runFor(10)
    // All but init and who asks.
    host.type('kill -9 -1\r')
    host.runFor(10)
    host.type('\r')
    host.waitFor(PROMPT)
    host.runFor(1)
    host.waitFor(/$/)
    expect(host.run('echo alive').output).toBe('alive')
    expect(tasks()).toBeLessThan(before + 5)
    expect(freeKb()).toBeGreaterThan(150_000)
  }, 240_000)
})
