/** GRUB to a shell, and that what the tools say agrees with what Xen and the kernel know. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

const SWITCH = '\x01\x01\x01'
const KIB_PER_PAGE = 4

let host: Dom0Host
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
}, 120_000)

/** A key of Xen's console: everything that it prints. */
function xenKey(key: string, ending: RegExp): string {
  host.type(SWITCH)
  host.waitFor('Serial input -> Xen')
  const start = host.text.length
  host.type(key)
  host.waitFor(ending)
  const text = host.text.slice(start)
  host.type(SWITCH)
  host.waitFor('Serial input -> DOM0')
  return text
}

const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN)

describe('the first login', () => {
  test('dom0 boots from its module and says so in 2.6.18-xen’s manner', () => {
    for (const line of [
      /^Linux version 2\.6\.18\.8-xen /m,
      /^ Xen: 0000000000000000 - [0-9a-f]{16} \(usable\)/m,
      /^Kernel command line: /m,
      /^Xen virtual console successfully installed as xvc0/m,
      /^VFS: Mounted root \(ext2 filesystem\) readonly\./m,
      /^INIT: version 2\.86 booting/m,
      /^INIT: Entering runlevel: 3/m,
    ])
      expect(host.text).toMatch(line)
  })

  test('uname and the log agree', () => {
    const { output } = host.run('uname -a')
    expect(output).toMatch(/^Linux xenhost 2\.6\.18\.8-xen #1 .* x86_64/)
    expect(host.run('dmesg | head -n 2').output).toContain('Linux version 2.6.18.8-xen')
    expect(host.run('dmesg | grep -c "Linux version"').output).toBe('1')
  })

  test('free, /proc/meminfo, the kernel’s own log and Xen’s frame table tell one story', () => {
    const meminfo = host.run('cat /proc/meminfo').output
    const total = number(meminfo, /^MemTotal:\s+(\d+) kB/m)
    const free = host.run('free').output
    expect(number(free, /^Mem:\s+(\d+)/m)).toBe(total)
    const pages = number(xenKey('q', /Notifying guest/), /nr_pages=(\d+)/)
    expect(pages * KIB_PER_PAGE).toBe(262144)
    expect(total).toBeLessThan(pages * KIB_PER_PAGE)
    expect(total).toBeGreaterThan(pages * KIB_PER_PAGE * 0.9)
    const [, available, all] = /^Memory: (\d+)k\/(\d+)k available/m.exec(host.text)!.map(Number)
    // 8 MiB of room for the balloon stand behind the frames.
    expect(all).toBe(pages * KIB_PER_PAGE + 8192)
    expect(available).toBeLessThanOrEqual(total + 8192)
  })

  test('an idle host sleeps: no interrupt, no hypercall, nothing until somebody types', () => {
    host.runFor(120)
    expect(host.world.settled()).toBe(true)
    expect(host.world.nextNs()).toBe(Number.POSITIVE_INFINITY)
  })

  test('a wrong name and a wrong command get their words', () => {
    expect(host.run('nosuch').output).toContain('command not found')
    expect(host.run('nosuch').status).toBe(127)
    expect(host.run('ls /nosuch')).toEqual({ output: 'ls: /nosuch: No such file or directory', status: 2 })
  })

  test('logout, a wrong login, and root again', () => {
    host.type('exit\r')
    host.waitFor('xenhost login: ')
    host.type('nobody\r')
    host.waitFor('Password: ')
    host.type('x\r')
    host.waitFor('Login incorrect')
    host.waitFor('login: ')
    host.type('root\r')
    host.waitFor(/# $/)
  })
})
