/** What xm says to wrong input, in its own words and with its exit status: unknown domains, wrong numbers and arguments, no xend, no root. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'
import { row } from './host-facts.ts'

let host: Dom0Host
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
}, 200_000)

/** What goes to standard error, and the status. */
const complaint = (command: string): string => {
  const { output, status } = host.run(`${command} 2>&1 > /dev/null`)
  return `${status} ${output}`
}
const refused = (command: string, text: string): void => expect(complaint(`xm ${command}`)).toBe(`1 Error: ${text}`)

describe('an unknown domain', () => {
  test.each([
    'console nobody',
    'destroy nobody',
    'pause nobody',
    'unpause nobody',
    'shutdown nobody',
    'reboot nobody',
    'reset nobody',
    'delete nobody',
    'start nobody',
    'suspend nobody',
    'save nobody /tmp/x',
    'migrate nobody elsewhere',
    'dump-core nobody',
    'rename nobody x',
    'mem-set nobody 64',
    'mem-max nobody 64',
    'vcpu-set nobody 1',
    'vcpu-pin nobody 0 0',
    'vcpu-list nobody',
    'uptime nobody',
    'sysrq nobody s',
    'trigger nobody nmi',
    'domid nobody',
    'domname nobody',
    'list nobody',
    'list Domain-0 nobody',
    'list nobody Domain-0',
    'sched-credit -d nobody',
    'block-list nobody',
    'block-attach nobody phy:hda3 sdb r',
    'block-detach nobody sdb',
    'network-list nobody',
    'vncviewer nobody',
  ])('xm %s', (command) => refused(command, "Domain 'nobody' does not exist."))

  test('a number that only the hypervisor could know; quietly; and nothing but the error on the standard output', () => {
    refused('destroy 77', "(3, 'No such process')")
    expect(complaint('xm console -q nobody')).toBe('1 ')
    expect(host.run('xm list nobody 2> /dev/null').output).toBe('')
  })
})

test.each([
  ['destroy', '1 argument'],
  ['pause a b', '1 argument'],
  ['console', 'between 1 and 2 arguments'],
  ['mem-set 0', '2 arguments'],
  ['mem-max', '2 arguments'],
  ['vcpu-set 0', '2 arguments'],
  ['vcpu-pin 0 0', '3 arguments'],
  ['rename 0', '2 arguments'],
  ['domid', '1 argument'],
  ['domname', '1 argument'],
  ['sysrq 0', '2 arguments'],
  ['trigger 0', 'between 2 and 3 arguments'],
  ['debug-keys', '1 argument'],
  ['shutdown', 'between 1 and 4 arguments'],
  ['reboot', 'between 1 and 3 arguments'],
  ['save 0', 'between 2 and 3 arguments'],
  ['restore', 'between 1 and 2 arguments'],
  ['log x', '0 arguments'],
  ['top x', '0 arguments'],
  ['block-attach 0', 'between 4 and 5 arguments'],
  ['block-detach 0', 'between 2 and 3 arguments'],
])('xm %s: how many arguments it wants, and its help', (command, wanted) => {
  const [name = ''] = command.split(' ')
  refused(command, `'xm ${name}' requires ${wanted}.\n`)
  expect(host.run(`xm ${command} 2> /dev/null`).output).toMatch(new RegExp(`^Usage: xm ${name} `))
})

test.each([
  ['nosuch', 'Subcommand nosuch not found!'],
  ['re 0', 'Subcommand re not found!'],
  ['l', 'Subcommand l not found!'],
  ['list --foo', 'option --foo not recognized'],
  ['list --state=running 0', 'You may specify either a state or a particular VM, but not both'],
  ['uptime -x', 'option -x not recognized'],
  ['dmesg x', 'No parameter required'],
  ['dmesg -x', 'option -x not recognized'],
  ['shutdown -H -R 0', "Can't specify halt and reboot"],
  ['shutdown a b', 'No multiple domain parameters allowed'],
  ['restore /nosuch', 'xm restore: Unable to read file /nosuch'],
  ['save 0 /nosuch/file', 'xm save: Unable to create file /nosuch/file'],
  ['sched-sedf', 'Xen is running with the credit scheduler'],
  ['sched-credit -w 5', 'No domain given.'],
  ['sched-credit -d 0 -w 70000', 'weight is out of range'],
  ['sched-credit -d 0 -c 201', 'cap is out of range'],
  ['sched-credit -d 0 -w x', 'Invalid argument.'],
  ['mem-set 0 x1', 'Invalid argument.'],
  ['mem-set 0 100', 'memory_dynamic_max too small'],
  ['vcpu-set 0 0', 'Invalid VCPUs'],
  ['vcpu-set 0 x', 'Invalid argument.'],
  ['vcpu-pin 0 0 9', "Cannot pin vcpu: 0 to cpu: [9] - (22, 'Invalid argument')"],
  ['vcpu-pin 0 7 0', "Cannot pin vcpu: 7 to cpu: [0] - (3, 'No such process')"],
  ['vcpu-pin 0 x 0', 'invalid literal for int(): x'],
  ['vcpu-pin 0 0 x', 'Invalid argument.'],
  ['trigger 0 foo', 'Invalid trigger: foo'],
  ['sysrq 0 xyz', "'xyz' is not convertible to a character"],
  ['rename 0 a!', 'Invalid VM Name'],
  ['destroy 0', 'Cannot destroy privileged domain 0'],
  ['pause Domain-0', 'Cannot pause privileged domain Domain-0'],
  ['save 0 /tmp/x', 'Cannot save privileged domain 0'],
  ['shutdown 0', 'Domain 0 cannot be shutdown'],
  ['resume 0', 'Error occurred when resuming: Cannot resume privileged domain 0'],
])('xm %s', (command, text) => refused(command, text))

describe('of a domain that runs', () => {
  beforeAll(() => {
    expect(host.run('xm create sebastian').status).toBe(0)
    host.runFor(2)
  })

  test.each([
    [
      'mem-set sebastian 200',
      'Invalid Configuration: memory_dynamic_max must be less than or equal to memory_static_max',
    ],
    ['mem-set sebastian 0', 'Invalid Configuration: memory_dynamic_max must be greater than zero'],
    [
      'mem-max sebastian 64',
      'Invalid Configuration: memory_dynamic_max must be less than or equal to memory_static_max',
    ],
    ['mem-max sebastian 12.5', 'Invalid argument.'],
    ['mem-set sebastian 99999999999', 'Invalid argument.'],
    ['rename sebastian Domain-0', "VM name 'Domain-0' already exists as domain 0"],
    ['rename sebastian ""', 'Missing VM Name'],
    ['trigger sebastian nmi 7', "(3, 'No such process')"],
    ['suspend sebastian', 'Domain is not managed by Xend lifecycle support.'],
    ['resume sebastian', 'Error occurred when resuming: Cannot resume domain that is not suspended.'],
    ['block-detach sebastian sdd', 'Device 2096 not connected'],
    ['block-attach sebastian phy:hda3 sdc q', 'Invalid mode'],
    ['block-attach sebastian phy:hda3 sdc r nobody', 'Cannot configure device for unknown backend nobody'],
    [
      'block-configure sebastian phy:hda3 sda1 r',
      "Refusing to reconfigure device vbd:2049 to {'uname': 'phy:hda3', 'dev': 'sda1', 'mode': 'r'}",
    ],
    ['dump-core sebastian /tmp/core', 'Dumping core is not supported by this xend'],
  ])('xm %s', (command, text) => {
    const before = row(host, 'sebastian')!
    refused(command, text)
    const { mem, state } = row(host, 'sebastian')!
    expect({ mem, paused: state.includes('p') }).toEqual({ mem: before.mem, paused: false })
  })

  test('paused, it is deaf: xend gives it five minutes to answer a shutdown, then says so, and lets it be', () => {
    host.run('xm pause sebastian')
    expect(host.run('xm shutdown sebastian').status).toBe(0)
    expect(host.run('sleep 290; xm list sebastian', 400).output).toMatch(/p---/)
    host.run('sleep 20')
    const id = row(host, 'sebastian')!.id
    expect(host.run(`xenstore-read /local/domain/${id}/xend/unresponsive`).output).toBe('True')
    expect(host.run('tail -n 1 /var/log/xen/xend.log').output).toContain(
      `Domain shutdown timeout expired: name=sebastian id=${id}`,
    )
    expect(host.run('xm destroy sebastian').status).toBe(0)
  })
})

test('who is not root', () => {
  host.run('useradd eve')
  const asEve = (command: string): string => complaint(`su eve -c '${command}'`)
  for (const command of ['list', 'info', 'destroy 1', 'console 0', 'create sebastian'])
    expect(asEve(`xm ${command}`)).toBe('1 Error: Most commands need root access. Please try again as root.')
  expect(asEve('xend start')).toBe(`1 ${'*'.repeat(70)}\n*** Xend must be run as root.\n${'*'.repeat(70)}`)
  expect(asEve('xenstore-ls')).toBe('1 xenstore-ls: xs_domain_open: Permission denied')
  expect(asEve('xenstore-write /a b')).toBe('1 xenstore-write: xs_domain_open: Permission denied')
  expect(asEve('xenstore-read -s /vm')).toBe('1 xenstore-read: xs_daemon_open: Permission denied')
  expect(asEve('xenconsoled')).toBe('1 xenconsoled requires root to run.')
  expect(asEve('/usr/lib/xen/bin/xenconsole 1')).toBe('13 xenconsole: Could not contact XenStore: Permission denied')
  expect(asEve('cat /proc/xen/privcmd')).toBe('1 cat: /proc/xen/privcmd: Permission denied')
})

test('without xend', () => {
  host.run('xend stop')
  for (const command of ['list', 'info', 'dmesg', 'destroy 1', 'console 1', 'mem-set 0 200', 'create minimal'])
    refused(command, 'Unable to connect to xend: Connection refused. Is xend running?')
  expect(host.run('xend status').status).toBe(3)
  host.run('rm -f /var/run/xend/xmlrpc.sock')
  refused('list', 'Unable to connect to xend: No such file or directory. Is xend running?')
  expect(host.run('xend start').status).toBe(0)
  expect(host.run('xm list').status).toBe(0)
})
