/** xm against a xend that is a function: what it asks, what it prints, how it fails (reference: xm/main.py, xm/create.py of Xen 3.3). */
import { describe, expect, test } from 'vitest'
import { Float } from '#lib/xmlrpc/float.ts'
import { Fault, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { posixRig, type RigFile } from '#testing/posix-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import { coreutils } from '#user/packages/coreutils.ts'
import { coreutilsUsr } from '#user/packages/coreutils-usr.ts'
import { sh } from '#user/packages/sh.ts'
import { toSxpString } from '../sxp/sxp.ts'
import { ProtocolError } from '../xmlrpc/http.ts'
import { xmProgram } from './main.ts'

const DOM0 = [
  'domain',
  ['domid', 0],
  ['name', 'Domain-0'],
  ['memory', 512],
  ['vcpus', 2],
  ['online_vcpus', 2],
  ['state', 'r-----'],
  ['cpu_time', new Float(123.4)],
]
const SEBASTIAN = [
  'domain',
  ['domid', 1],
  ['name', 'sebastian'],
  ['memory', 128],
  ['maxmem', 128],
  ['vcpus', 1],
  ['online_vcpus', 1],
  ['state', '-b----'],
  ['cpu_time', new Float(2.3)],
  ['start_time', new Float(10)],
  ['image', ['linux', ['kernel', '/boot/vmlinuz-2.6.18.8-xen'], ['args', 'root=/dev/sda1 ro ']]],
]
const HALTED = ['domain', ['name', 'managed1'], ['memory', 256], ['vcpus', 1]]

type Answer = XmlRpcValue | Error | ((params: readonly XmlRpcValue[]) => XmlRpcValue)

const ANSWERS: Readonly<Record<string, Answer>> = {
  'xend.domain': ([name]) => {
    if (name === 0 || name === 'Domain-0') return DOM0
    if (name === 'sebastian' || name === '1') return SEBASTIAN
    if (name === 'managed1') return HALTED
    throw new Fault(3, String(name))
  },
  'xend.domains_with_state': ([detail]) => (detail ? [DOM0, HALTED, SEBASTIAN] : ['Domain-0', 'sebastian']),
  'xend.domains': ['Domain-0', 'sebastian'],
  'xend.domain.getVCPUInfo': ([name]) =>
    name === 'sebastian'
      ? ['domain', ['domid', 1], ['name', 'sebastian'], ['vcpu_count', 1], vcpu(0, 1, { blocked: 1, cpumap: [1] })]
      : ['domain', ['domid', 0], ['name', 'Domain-0'], vcpu(0, 0, { running: 1 }), vcpu(1, 1, { online: 0 })],
  'xend.node.info': [
    'node',
    ['host', 'xenhost'],
    ['nr_cpus', 2],
    ['virt_caps', ''],
    ['xen_scheduler', 'credit'],
    ['lonely'],
  ],
  'xend.node.dmesg.info': '(XEN) one\n(XEN) two\n',
  'xend.node.dmesg.clear': '(XEN) gone\n',
  'xend.node.log': '[x] log\n',
  'xend.domain.create': SEBASTIAN,
  'xend.domain.sched_credit_get': { weight: 256, cap: 0 },
  'xend.domain.sched_credit_set': 0,
  'xend.domain.getBlockDeviceClass': 'vbd',
  'xend.domain.getRestartCount': 0,
  'xend.domain.getDeviceSxprs': ([, cls]) =>
    cls === 'vbd'
      ? [
          [
            2049,
            [
              ['backend', '/local/domain/0/backend/vbd/1/2049'],
              ['backend-id', '0'],
              ['virtual-device', '2049'],
              ['state', '4'],
              ['ring-ref', '8'],
              ['event-channel', '7'],
              ['device-type', 'disk'],
            ],
          ],
        ]
      : cls === 'vif'
        ? [
            [
              '0',
              [
                ['backend', '/local/domain/0/backend/vif/1/0'],
                ['backend-id', 0],
                ['mac', '00:16:3e:5c:5e:0d'],
                ['handle', 0],
                ['state', 4],
                ['event-channel', 8],
                ['tx-ring-ref', 768],
                ['rx-ring-ref', 769],
              ],
            ],
          ]
        : [],
}

function vcpu(
  number: number,
  cpu: number,
  more: { running?: number; blocked?: number; online?: number; cpumap?: number[] },
): XmlRpcValue {
  const { running = 0, blocked = 0, online = 1, cpumap = Array.from({ length: 64 }, (_, i) => i) } = more
  return [
    'vcpu',
    ['number', number],
    ['online', online],
    ['blocked', blocked],
    ['running', running],
    ['cpu_time', new Float(38.04)],
    ['cpu', cpu],
    ['cpumap', cpumap],
  ]
}

const FILES: Readonly<Record<string, RigFile>> = {
  '/etc/xen/sebastian': `kernel = "/boot/vmlinuz-2.6.18.8-xen"
memory = 128
name = "sebastian"
disk = [ 'file:/var/xen/sebastian.img,sda1,w' ]
root = "/dev/sda1 ro"
`,
  '/proc/uptime': '93784.30 100.00\n',
}

interface Run {
  readonly answers?: Readonly<Record<string, Answer>>
  readonly files?: Readonly<Record<string, RigFile>>
  readonly uid?: number
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}

function xm(line: string, { answers, files, ...run }: Run = {}) {
  const asked: string[] = []
  const all = { ...ANSWERS, ...answers }
  const program = xmProgram(function* (method, ...params) {
    asked.push(
      [method, ...params.map((one) => (Array.isArray(one) ? toSxpString(one as never) : String(one)))].join(' '),
    )
    const answer = all[method]
    if (answer instanceof Error) throw answer
    return typeof answer === 'function' ? answer(params) : (answer ?? null)
  })
  const rig = posixRig({
    packages: [coreutils, coreutilsUsr, sh],
    programs: {
      '/usr/sbin/xm': program,
      '/usr/lib/xen/bin/xenconsole': {
        ...program,
        *main(argv) {
          return 40 + argv.length
        },
      },
    },
    files: { ...FILES, ...files },
  })
  const { stdout, stderr, status } = rig.run(['xm', ...line.split(' ').filter((word) => word !== '')], run)
  return { stdout, stderr, status, asked }
}

const HELP: Readonly<Record<string, string>> = {
  'mem-set': 'Usage: xm mem-set <Domain> <Mem>\n\nSet the current memory usage for a domain.\n',
  destroy: 'Usage: xm destroy <Domain>\n\nTerminate a domain immediately.\n',
}

describe('help', () => {
  test('the screens', () => {
    expect(xm('').stdout).toMatchSnapshot()
    expect(xm('').status).toBe(1)
    expect(xm('help').stdout).toMatchSnapshot()
    for (const help of ['--help', '-h', 'help']) expect(xm(help)).toEqual({ ...xm('help'), status: 0 })
    for (const command of ['list', 'create', 'sched-credit', 'vcpu-set', 'addlabel']) {
      expect(xm(`${command} --help`)).toMatchObject({ status: 1, stderr: '' })
      expect(xm(`${command} -h`).stdout).toMatchSnapshot(command)
    }
  })

  test('names: abbreviations, old names, none', () => {
    expect(xm('li').stdout).toBe(xm('list').stdout)
    expect(xm('balloon sebastian 64')).toMatchObject({
      stderr: 'Command balloon is deprecated.  Please use xm mem-set instead.\n',
      asked: ['xend.domain.setMemoryTarget sebastian 64'],
      status: 0,
    })
    for (const name of ['re', 'l', 'foo', 'constructor'])
      expect(xm(name)).toMatchObject({
        stderr: `Error: Subcommand ${name} not found!\n`,
        stdout: xm('').stdout,
        status: 1,
      })
  })

  test.each([
    ['destroy', "Error: 'xm destroy' requires 1 argument.\n\n"],
    ['destroy a b', "Error: 'xm destroy' requires 1 argument.\n\n"],
    ['mem-set a', "Error: 'xm mem-set' requires 2 arguments.\n\n"],
    ['trigger a', "Error: 'xm trigger' requires between 2 and 3 arguments.\n\n"],
    ['shutdown', "Error: 'xm shutdown' requires between 1 and 4 arguments.\n\n"],
    ['block-attach 1 a b', "Error: 'xm block-attach' requires between 4 and 5 arguments.\n\n"],
    ['log x', "Error: 'xm log' requires 0 arguments.\n\n"],
    ['dmesg x', 'Error: No parameter required\n'],
    ['dmesg -x', 'Error: option -x not recognized\n'],
    ['list --nope', 'Error: option --nope not recognized\n'],
    ['list --state', 'Error: option --state requires argument\n'],
    ['console -q', 'Error: No domain given\n'],
    ['network-attach 1 foo=bar', 'Error: Invalid argument: foo=bar\n'],
  ])('xm %s', (line, stderr) => {
    const command = line.split(' ')[0]!
    expect(xm(line)).toMatchObject({ stderr, stdout: xm(`${command} --help`).stdout, status: 1, asked: [] })
  })

  test.each([
    ['block-list', 'No domain parameter given\n'],
    ['block-list a b', 'No multiple domain parameters allowed\n'],
  ])('xm %s complains on standard output', (line, text) => {
    expect(xm(line)).toMatchObject({ stdout: text + xm('block-list --help').stdout, stderr: '', status: 1 })
  })
})

describe('lists', () => {
  test('list as CentOS 5 shows it', () => {
    expect(xm('list').stdout).toBe(
      `Name                                      ID Mem(MiB) VCPUs State   Time(s)
Domain-0                                   0      512     2 r-----    123.4
managed1                                          256     1            0.0
sebastian                                  1      128     1 -b----      2.3
`,
    )
    expect(xm('list sebastian 1').asked).toEqual(['xend.domain sebastian 0', 'xend.domain 1 0'])
    expect(xm('list --state=running').asked).toEqual(['xend.domains_with_state true running 0'])
    expect(xm('list -l sebastian').stdout).toBe(`(domain
    (domid 1)
    (name sebastian)
    (memory 128)
    (maxmem 128)
    (vcpus 1)
    (online_vcpus 1)
    (state -b----)
    (cpu_time 2.3)
    (start_time 10.0)
    (image
        (linux (kernel /boot/vmlinuz-2.6.18.8-xen) (args 'root=/dev/sda1 ro '))
    )
)
`)
  })

  test('nothing is printed when one of them is unknown', () => {
    expect(xm('list sebastian nope')).toMatchObject({
      stdout: '',
      stderr: "Error: Domain 'nope' does not exist.\n",
      status: 1,
    })
    expect(xm('list --state=paused sebastian').stderr).toBe(
      'Error: You may specify either a state or a particular VM, but not both\n',
    )
  })

  test('vcpu-list, uptime, domid, domname', () => {
    expect(xm('vcpu-list').stdout).toBe(
      `Name                                ID  VCPU   CPU State   Time(s) CPU Affinity
Domain-0                             0     0     0   r--      38.0 any cpu
Domain-0                             0     1     -   --p      38.0 any cpu
sebastian                            1     0     1   -b-      38.0 1
`,
    )
    expect(xm('list -v sebastian').stderr).toBe('xm list -v is deprecated.  Please use xm vcpu-list.\n')
    expect(xm('uptime Domain-0 managed1').stdout).toBe(
      `Name                                ID Uptime 
Domain-0                             0 1 day,  2:03:04
managed1                                0:00:00
`,
    )
    expect(xm('domid sebastian').stdout).toBe('1\n')
    expect(xm('domid managed1').stdout).toBe('None\n')
    expect(xm('domname 1').stdout).toBe('sebastian\n')
    expect(xm('domname 7').stderr).toBe("Error: Domain '7' does not exist.\n")
  })

  test('devices', () => {
    expect(xm('block-list sebastian').stdout).toBe(
      'Vdev  BE handle state evt-ch ring-ref BE-path\n2049   0    0     4      7      8     /local/domain/0/backend/vbd/1/2049  \n',
    )
    expect(xm('network-list sebastian').stdout).toBe(
      'Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path\n0   0  00:16:3e:5c:5e:0d    0     4      8     768  /769     /local/domain/0/backend/vif/1/0  \n',
    )
    expect(xm('vtpm-list sebastian').stdout).toBe('')
    expect(xm('pci-list sebastian').stdout).toBe('')
    expect(xm('block-list --long sebastian').stdout).toContain('(virtual-device 2049)')
  })

  test('the host', () => {
    expect(xm('info').stdout).toBe(
      'host                   : xenhost\nnr_cpus                : 2\nvirt_caps              : \nxen_scheduler          : credit\nlonely                 : (none)\n',
    )
    expect(xm('dmesg').stdout).toBe('(XEN) one\n(XEN) two\n')
    expect(xm('dmesg -c').stdout).toBe('(XEN) gone\n')
    expect(xm('log').stdout).toBe('[x] log\n\n')
    expect(xm('debug-keys hm').asked).toEqual(['xend.node.send_debug_keys hm'])
    expect(xm('sched-credit').stdout).toContain('Domain-0                             0    256    0\n')
    expect(xm('sched-credit -w 5').stderr).toBe('Error: No domain given.\n')
    expect(xm('sched-credit -d nope').stderr).toBe("Error: Domain 'nope' does not exist.\n")
    expect(xm('sched-credit -d sebastian -w 512').asked.at(-1)).toBe('xend.domain.sched_credit_set sebastian 512 null')
    expect(xm('sched-sedf')).toMatchObject({
      stderr: 'Error: Xen is running with the credit scheduler\n',
      stdout: '',
      status: 1,
    })
  })
})

describe('acts', () => {
  test.each([
    ['destroy sebastian', ['xend.domain.destroy sebastian']],
    ['pause 1', ['xend.domain.pause 1']],
    ['unpause 1', ['xend.domain.unpause 1']],
    ['mem-set sebastian 112', ['xend.domain.setMemoryTarget sebastian 112']],
    ['mem-set sebastian 1G', ['xend.domain.setMemoryTarget sebastian 1024']],
    ['mem-set sebastian 65536k', ['xend.domain.setMemoryTarget sebastian 64']],
    ['mem-max sebastian 256', ['xend.domain.maxmem_set sebastian 256']],
    ['vcpu-set sebastian 2', ['xend.domain.setVCpuCount sebastian 2']],
    ['vcpu-pin sebastian 0 0-2,^1', ['xend.domain.pincpu sebastian 0 (0 2)']],
    ['rename sebastian prospero', ['xend.domain.setName sebastian prospero']],
    ['sysrq sebastian h', ['xend.domain.send_sysrq sebastian h']],
    [
      'shutdown sebastian',
      ['xend.domain sebastian 0', 'xend.domain.getRestartCount sebastian', 'xend.domain.shutdown sebastian poweroff'],
    ],
    [
      'shutdown -H sebastian',
      ['xend.domain sebastian 0', 'xend.domain.getRestartCount sebastian', 'xend.domain.shutdown sebastian halt'],
    ],
    [
      'reboot sebastian',
      ['xend.domain sebastian 0', 'xend.domain.getRestartCount sebastian', 'xend.domain.shutdown sebastian reboot'],
    ],
    [
      'shutdown -a',
      [
        'xend.domain 0 0',
        'xend.domains 0',
        'xend.domain.getRestartCount sebastian',
        'xend.domain.shutdown sebastian poweroff',
      ],
    ],
    [
      'block-attach 1 phy:/dev/vg/x xvdb w',
      ['xend.domain.device_create 1 (vbd (uname phy:/dev/vg/x) (dev xvdb) (mode w))'],
    ],
    [
      'block-detach 1 xvdb',
      ['xend.domain.getBlockDeviceClass 1 xvdb', 'xend.domain.destroyDevice 1 vbd xvdb null true'],
    ],
    [
      'block-detach 1 xvdb -f',
      ['xend.domain.getBlockDeviceClass 1 xvdb', 'xend.domain.destroyDevice 1 vbd xvdb -f true'],
    ],
    ['network-attach 1 bridge=xenbr0', ['xend.domain.device_create 1 (vif (bridge xenbr0))']],
    [
      'pci-attach 1 00:1a.1',
      [
        'xend.domain.device_configure 1 (pci (dev (domain 0x0) (bus 0x00) (slot 0x1a) (func 0x1) (vslt 0x0)) (state Initialising))',
      ],
    ],
    ['migrate -l sebastian other', ['xend.domain.migrate sebastian other true 0 -1 null']],
  ])('xm %s', (line, asked) => {
    expect(xm(line)).toEqual({ stdout: '', stderr: '', status: 0, asked })
  })

  test.each([
    ['mem-set sebastian abc', 'Error: Invalid argument.\n'],
    ['mem-set sebastian 1.5', 'Error: Invalid argument.\n'],
    ['vcpu-set sebastian two', 'Error: Invalid argument.\n'],
    ['vcpu-pin sebastian 0 x', 'Error: Invalid argument.\n'],
    ['vcpu-pin sebastian 0 1-2-3', 'Error: Invalid argument.\n'],
    ['pci-attach 1 zz', 'Error: Invalid argument: zz 0x0\n'],
    ['scsi-attach 1 /dev/sdb 0:0:0', 'Error: Invalid argument: 0:0:0\n'],
    ['shutdown -x sebastian', 'Error: option -x not recognized\n'],
    ['shutdown -H -R sebastian', "Error: Can't specify halt and reboot\n"],
    ['shutdown -w a b', 'Error: No multiple domain parameters allowed\n'],
    ['shutdown nope', "Error: Domain 'nope' does not exist.\n"],
    ['console nope', "Error: Domain 'nope' does not exist.\n"],
    ['console managed1', "Error: Domain 'managed1' is not started\n"],
    ['save sebastian /none/x', 'Error: xm save: Unable to create file /none/x\n'],
    ['restore /none', 'Error: xm restore: Unable to read file /none\n'],
    ['dump-core -C -R sebastian', "Error: You may not specify more than one '-CR' option\n"],
    ['network-new x', 'Error: This function is only supported by Xen-API\n'],
    ['event-monitor', 'Error: Event monitoring not supported unless using Xen-API.\n'],
  ])('xm %s is refused', (line, stderr) => {
    expect(xm(line).stderr.replace(/^ignoring.*\n/, '')).toBe(stderr)
    if (line !== 'event-monitor') expect(xm(line).status).toBe(1)
  })

  test('waiting for a shutdown', () => {
    let polls = 0
    const { stdout } = xm('shutdown -w sebastian', {
      answers: { 'xend.domains': () => (polls++ < 3 ? ['Domain-0', 'sebastian'] : ['Domain-0']) },
    })
    expect(stdout).toBe('Domain sebastian terminated\nAll domains terminated\n')
    expect(polls).toBe(4)
  })

  test('console becomes xenconsole', () => {
    expect(xm('console sebastian')).toMatchObject({ status: 42, stdout: '' })
    expect(xm('console -q nope')).toMatchObject({ status: 1, stderr: '' })
  })
})

describe('xend and its faults', () => {
  const refused = { answers: { 'xend.domain.destroy': new OsError(111, 'connect') } }
  test.each([
    [refused, 0, 'Error: Unable to connect to xend: Connection refused. Is xend running?\n', ''],
    [refused, 500, 'Error: Most commands need root access. Please try again as root.\n', ''],
    [
      { answers: { 'xend.domain.destroy': new OsError(5, 'read') } },
      0,
      'Error: Unable to connect to xend: Input/output error.\n',
      '',
    ],
    [
      { answers: { 'xend.domain.destroy': new OsError(5, 'read') } },
      500,
      'Error: Most commands need root access.  Please try again as root.\n',
      '',
    ],
    [{ answers: { 'xend.domain.destroy': new Fault(3, 'x') } }, 0, "Error: Domain 'x' does not exist.\n", ''],
    [
      { answers: { 'xend.domain.destroy': new Fault(1, 'Cannot destroy privileged domain x') } },
      0,
      'Error: Cannot destroy privileged domain x\n',
      HELP['destroy'],
    ],
    [
      { answers: { 'xend.domain.destroy': new ProtocolError(-1, '') } },
      0,
      'Xend has probably crashed!  Invalid or missing HTTP status code.\n',
      '',
    ],
    [
      { answers: { 'xend.domain.destroy': new ProtocolError(501, 'Unsupported') } },
      0,
      'Xend has probably crashed!  ProtocolError(501, Unsupported).\n',
      '',
    ],
  ])('%#', (run, uid, stderr, stdout) => {
    expect(xm('destroy x', { ...run, uid })).toMatchObject({ stderr, stdout, status: 1 })
  })

  test('no xend at all', () => {
    const rig = posixRig({ programs: { '/usr/sbin/xm': xmProgram() }, calls: {} })
    expect(rig.run(['xm', 'list'])).toMatchObject({ status: 1, stdout: '' })
  })
})

describe('xm shell', () => {
  test('runs lines', () => {
    expect(xm('shell', { stdin: 'xm domid sebastian\nfrobnicate\n\ndomid nope\n' })).toMatchObject({
      stdout:
        'The Xen Master. Type "help" for a list of functions.\nxm> 1\nxm> *** Unknown command: frobnicate\nxm> xm> xm> \n',
      stderr: "Error: Domain 'nope' does not exist.\n",
      status: 0,
    })
  })
})
