/** What xm says to wrong input. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

let host: Dom0Host
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
  host.run('printf "memory = 64\\nkernel = (\\nname = 3\\n" > /etc/xen/broken')
  host.run('printf "kernel = \\"/boot/nosuch\\"\\nmemory = 32\\nname = \\"nokernel\\"\\n" > /etc/xen/nokernel')
  host.run('printf "kernel = \\"/etc/passwd\\"\\nmemory = 32\\nname = \\"notakernel\\"\\n" > /etc/xen/notakernel')
}, 200_000)

const NOBODY = "Error: Domain 'nobody' does not exist."

describe('an unknown domain', () => {
  test.each([
    'console nobody',
    'destroy nobody',
    'pause nobody',
    'unpause nobody',
    'shutdown nobody',
    'reboot nobody',
    'mem-set nobody 64',
    'mem-max nobody 64',
    'uptime nobody',
    'vcpu-list nobody',
    'list nobody',
    'domid nobody',
  ])('xm %s', (command) => {
    const { output, status } = host.run(`xm ${command} 2>&1 | head -n 1; (exit \${PIPESTATUS:-1})`)
    expect(output).toContain(NOBODY.slice(7))
    expect(status).not.toBe(0)
    expect(host.run(`xm ${command} > /dev/null 2>&1`).status).toBe(1)
  })
})

describe('create refuses', () => {
  test.each<[string, string | RegExp]>([
    ['create', /'xm create' requires|Error/],
    ['create /etc/xen/nosuch', /Error: Unable to open config file: \/etc\/xen\/nosuch/],
    ['create broken', /broken.*line 3|line 3.*broken/s],
    ['create nokernel', /Error: Kernel image does not exist: \/boot\/nosuch/],
    ['create notakernel', /Invalid kernel.*no loader found/],
    ['create sebastian memory=100000', /I need \d+ KiB, but|Not enough (free )?memory/],
    ['create sebastian disk=file:/nosuch,sda1,w', /\/nosuch does not exist/],
    ['create sebastian disk=phy:hda1,sda1,w', /mounted in the privileged domain/],
  ])('xm %s', (command, wanted) => {
    const { output, status } = host.run(`xm ${command} 2>&1`)
    expect(output).toMatch(wanted)
    expect(status).toBe(1)
    expect(host.run('xm list | wc -l').output.trim()).toBe('2')
  })

  test('the same name twice, and the same disk', () => {
    expect(host.run('xm create sebastian').status).toBe(0)
    expect(host.run('xm create sebastian 2>&1').output).toMatch(/already exists with ID|already in use/)
    expect(host.run('xm create sebastian name=other 2>&1').output).toMatch(/mounted in a guest domain/)
    expect(host.run('xm destroy sebastian').status).toBe(0)
  })
})
