/** xm create: configuration files, what becomes of them, and every way to get them wrong. */
import { describe, expect, test } from 'vitest'
import { Fault, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { coreutils } from '#user/packages/coreutils.ts'
import { coreutilsUsr } from '#user/packages/coreutils-usr.ts'
import { toSxpString } from '../sxp/sxp.ts'
import { xmProgram } from './main.ts'

const MADE = ['domain', ['domid', 7], ['name', 'x']]

interface Run {
  readonly config?: string
  readonly answers?: Readonly<Record<string, XmlRpcValue | Error>>
  readonly env?: Readonly<Record<string, string>>
}

function create(line: string, { config = '', answers = {}, env = {} }: Run = {}) {
  const asked: string[] = []
  const program = xmProgram(function* (method, ...params) {
    asked.push(
      [method, ...params.map((one) => (Array.isArray(one) ? toSxpString(one as never) : String(one)))].join(' '),
    )
    const answer = answers[method]
    if (answer instanceof Error) throw answer
    return answer ?? (method.startsWith('xend.domain.') && method !== 'xend.domain.create' ? null : MADE)
  })
  const console = {
    ...program,
    *main(argv: readonly string[]) {
      return 40 + Number(argv[1])
    },
  }
  const rig = posixRig({
    packages: [coreutils, coreutilsUsr],
    programs: { '/usr/sbin/xm': program, '/usr/lib/xen/bin/xenconsole': console },
    files: { '/etc/xen/x': config, '/here/x': `name = 'here'\n${config}` },
  })
  const { stdout, stderr, status } = rig.run(['xm', 'create', ...line.split(' ').filter((word) => word !== '')], {
    env,
  })
  return { stdout, stderr, status, asked }
}

/** What -n prints, on one line. */
const config = (text: string, line = '', env = {}): string =>
  create(`-n -q x ${line}`, { config: text, env }).stdout.replace(/\n\s*/g, ' ').replace(/ \)/g, ')').trim()

const REST = '(vcpus 1) (on_xend_start ignore) (on_xend_stop ignore)'

describe('what a file becomes', () => {
  test.each([
    ['', `(vm (name x) (memory 128) ${REST} (image (linux)))`],
    [
      "name = 'a'\nmemory = 64\nkernel = '/k'\nramdisk = 'r'\nroot = 'root=/dev/sda1 ro'\nextra = '4'",
      `(vm (name a) (memory 64) ${REST} (image (linux (kernel /k) (ramdisk /r) (root '/dev/sda1 ro') (args 4))))`,
    ],
    [
      "maxmem = 256; vcpus = 2; on_crash = 'destroy'; on_reboot = 'restart'; uuid = 'u'; cpus = '0-1'; cpu_weight = 512",
      '(vm (name x) (memory 128) (maxmem 256) (on_reboot restart) (on_crash destroy) (vcpus 2) (on_xend_start ignore) (on_xend_stop ignore) (uuid u) (cpus 0-1) (cpu_weight 512) (image (linux)))',
    ],
    [
      "disk = ['phy:hda1,hda1,w', 'file:/x.img,sda1,r,dom9', 'tap:aio:/y,xvda,w']",
      `(vm (name x) (memory 128) ${REST} (image (linux)) (device (vbd (uname phy:hda1) (dev hda1) (mode w))) (device (vbd (uname file:/x.img) (dev sda1) (mode r) (backend dom9))) (device (tap (uname tap:aio:/y) (dev xvda) (mode w))))`,
    ],
    [
      "vif = ['', ' mac = 00:16:3e:00:00:11 , bridge=xenbr0 ']",
      `(vm (name x) (memory 128) ${REST} (image (linux)) (device (vif)) (device (vif (bridge xenbr0) (mac 00:16:3e:00:00:11))))`,
    ],
    [
      "vfb = ['type=vnc,vncunused=1']",
      `(vm (name x) (memory 128) ${REST} (image (linux)) (device (vkbd)) (device (vfb (vncunused 1) (type vnc) (xauthority /root/.Xauthority))))`,
    ],
    [
      "pci = ['00:1a.1', 'nonsense', '0000:00:1d.0']",
      `(vm (name x) (memory 128) ${REST} (image (linux)) (device (pci (dev (domain 0x0) (bus 0x00) (slot 0x1a) (func 0x1)) (dev (domain 0x0000) (bus 0x00) (slot 0x1d) (func 0x0)))))`,
    ],
    [
      "ip = '1.2.3.4'; gateway = '1.2.3.1'",
      `(vm (name x) (memory 128) ${REST} (image (linux (ip 1.2.3.4:127.0.255.255:1.2.3.1:::eth0:off))))`,
    ],
    [
      "nfs_server = 's'; nfs_root = '/r'; extra = 'quiet'",
      `(vm (name x) (memory 128) ${REST} (image (linux (args 'nfsroot=s:/r quiet'))))`,
    ],
    [
      "bootloader = 'pygrub'",
      `(vm (name x) (memory 128) ${REST} (bootloader /usr/bin/pygrub) (bootloader_args -q) (image (linux)))`,
    ],
    ['blkif = 1; localtime = 1', `(vm (name x) (memory 128) ${REST} (backend (blkif)) (localtime 1) (image (linux)))`],
    [
      'irq = [7]; ioports = ["02f8-02ff", "60"]',
      `(vm (name x) (memory 128) ${REST} (image (linux)) (device (ioports (from 0x02f8) (to 0x02ff))) (device (ioports (from 0x60) (to 0x60))) (device (irq (irq 7))))`,
    ],
    ['memory = "96"; name = None; features = ""', `(vm (name x) (memory 96) ${REST} (image (linux)))`],
    [
      "ip_base = add_offset_to_ip('10.0.0.1', 4)\nname = ip_base",
      `(vm (name 10.0.0.5) (memory 128) ${REST} (image (linux)))`,
    ],
    [
      'def f(n):\n  return "vm%02d" % n\nname = [f(i) for i in range(3)][-1]\nimport os.path\nkernel = os.path.join("/boot", "k")',
      `(vm (name vm02) (memory 128) ${REST} (image (linux (kernel /boot/k))))`,
    ],
  ])('%s', (text, sxp) => {
    expect(config(text)).toBe(sxp)
  })

  test('the command line wins, and gives variables', () => {
    expect(config('memory = 64', 'memory=32')).toContain('(memory 32)')
    expect(config('name = "vm" + vmid', 'vmid=5')).toContain('(name vm5)')
    expect(config('disk = ["a,b,c"]', 'disk=phy:d,e,w disk=phy:f,g,r')).toContain(
      '(device (vbd (uname phy:d) (dev e) (mode w))) (device (vbd (uname phy:f)',
    )
    const checked =
      "def check(var, val):\n  return int(val) * 2\nxm_vars.var('vmid', use='number', check=check)\nxm_vars.check()\nname = 'n%d' % vmid"
    expect(config(checked, 'vmid=4')).toContain('(name n8)')
    expect(create('-n x vmid=q', { config: checked }).stderr).toBe('Error: vmid - invalid literal for int(): q\n')
    expect(config('', '', { DISPLAY: ':0' })).not.toContain('display')
  })

  test('where it is looked for', () => {
    expect(create('-n x').stdout).toMatch(/^Using config file "\/etc\/xen\/x"\.\n/)
    expect(create('-n --path=/here x').stdout).toMatch(/^Using config file "\/here\/x"\.\n[\s\S]*\(name here\)/)
    expect(create('-n -f /here/x').stdout).toMatch(/^Using config file "\/here\/x"\.\n/)
    expect(create('-n etc/xen/x').stdout).toMatch(/^Using config file "\.\/etc\/xen\/x"\.\n/)
  })
})

describe('what is wrong with it', () => {
  test.each([
    ['memory = 64M\n', 'Errors were found at line 1 while processing /etc/xen/x:\n\tmemory = 64M\n'],
    [
      "kernel = '/k'\ndisk = [ 'a,b,w'\nroot = 1\n",
      'Errors were found at line 3 while processing /etc/xen/x:\n\troot = 1\n',
    ],
    ["x = 'abc\n", "Errors were found at line 1 while processing /etc/xen/x:\n\tx = 'abc\n"],
    ['if 1:\nmemory = 3\n', 'Errors were found at line 2 while processing /etc/xen/x:\n\tmemory = 3\n'],
    ['  memory = 3\n', 'Errors were found at line 1 while processing /etc/xen/x:\n\t  memory = 3\n'],
    ['kernel = foo\n', "name 'foo' is not defined"],
    ['memory = 1 / 0\n', 'integer division or modulo by zero'],
    ['memory = int("x")\n', 'invalid literal for int(): x'],
    ['import nosuch\n', 'No module named nosuch'],
    ['open("/nope")\n', "[Errno 2] No such file or directory: '/nope'"],
    ['name = vmid\n', "name 'vmid' is not defined"],
    ["disk = ['phy:hda1,hda1']\n", 'Invalid disk specifier: phy:hda1,hda1'],
    ["disk = ['a,b,c,d,e,f']\n", 'Invalid disk specifier: a,b,c,d,e,f'],
    ["disk = 'phy:hda1,hda1,w'\n", 'Invalid disk specifier: p'],
    ['disk = [5]\n', "'int' object has no attribute 'split'"],
    ["vif = ['frob=1']\n", 'Invalid vif option: frob'],
    ["vif = ['mac']\n", 'mac should be a pair, separated by an equals sign.'],
    ["vfb = ['type=vnc,colour=1']\n", 'configuration option colour unknown to vfbs'],
    ["nfs_root = '/r'\n", 'Must set nfs root and nfs server'],
    ["vtpm = ['frob=1']\n", 'Invalid vtpm specifier: frob=1'],
    ["vscsi = ['/dev/sdb, 0:0:0:0']\n", 'Cannot find device "/dev/sdb"'],
    ['kernel = 5\n', "'int' object has no attribute 'startswith'"],
  ])('%s', (text, complaint) => {
    expect(create('x', { config: text })).toMatchObject({ stderr: `Error: ${complaint}\n`, status: 1, asked: [] })
  })

  test.each([
    ['nope', 'Error: Unable to open config file: nope\n'],
    ['', 'Error: Unable to open config file: xmdefconfig\n'],
    ['-z', 'Error: option -z not recognized\n'],
    ['--frob', 'Error: option --frob not recognized\n'],
    ['-f', 'Error: option -f requires argument\n'],
    ['-F /nope', 'Error: Cannot read file /nope: No such file or directory\n'],
  ])('xm create %s', (line, stderr) => {
    const { stdout, ...rest } = create(line)
    expect(rest).toEqual({ stderr, status: 1, asked: [] })
    expect(stdout).toMatch(
      /^Usage: xm create <ConfigFile> \[options\] \[vars\]\n\nCreate a domain based on <ConfigFile>\.\n\nOptions:\n\n-h, --help /,
    )
  })

  test.each([
    ['x memory=lots', 'Error: Invalid value: lots\n'],
    ['x localtime=maybe', 'Error: Invalid value:maybe\n'],
  ])('xm create %s', (line, stderr) => {
    expect(create(line)).toEqual({ stdout: '', stderr, status: 1, asked: [] })
  })

  test('the file may leave, print, or be XML', () => {
    expect(create('x', { config: 'import sys\nprint "hi"\nsys.exit(5)\n' })).toEqual({
      stdout: 'Using config file "/etc/xen/x".\nhi\n',
      stderr: '',
      status: 5,
      asked: [],
    })
    expect(create('x', { config: '<xml/>' })).toMatchObject({ status: 0, asked: [] })
  })
})

describe('making it', () => {
  const SXP = `(vm (name x) (memory 128) ${REST} (image (linux)))`
  test('create, wait for devices, unpause', () => {
    expect(create('x')).toEqual({
      stdout: 'Using config file "/etc/xen/x".\nStarted domain x\n',
      stderr: '',
      status: 0,
      asked: [`xend.domain.create ${SXP}`, 'xend.domain.waitForDevices x', 'xend.domain.unpause x'],
    })
    expect(create('-q x').stdout).toBe('')
    expect(create('-p x').asked).toHaveLength(2)
  })

  test.each([
    [
      { 'xend.domain.create': new Fault(1, "Domain 'x' already exists with ID '3'") },
      "Error: Domain 'x' already exists with ID '3'\n",
      1,
    ],
    [{ 'xend.domain.create': new Fault(3, 'x') }, "Error: the domain 'x' does not exist.\n", 1],
    [
      {
        'xend.domain.waitForDevices': new Fault(
          1,
          'Device 2049 (vbd) could not be connected. Hotplug scripts not working.',
        ),
      },
      'Error: Device 2049 (vbd) could not be connected. Hotplug scripts not working.\n',
      3,
    ],
    [{ 'xend.domain.unpause': new Fault(1, 'no') }, 'Error: Failed to unpause domain x\n', 4],
  ])('%#', (answers, stderr, calls) => {
    const result = create('x', { answers })
    expect(result).toMatchObject({ stdout: 'Using config file "/etc/xen/x".\n', stderr, status: 1 })
    expect(result.asked).toHaveLength(calls)
    if (calls > 1) expect(result.asked.at(-1)).toBe('xend.domain.destroy x')
  })

  test('-c: a child creates, this one becomes the console', () => {
    expect(create('-c x')).toMatchObject({ stdout: expect.stringContaining('Started domain x\n'), status: 47 })
    expect(create('-c x', { answers: { 'xend.domain.create': new Fault(1, 'no memory') } })).toMatchObject({
      stderr: 'Error: no memory\n',
      status: 1,
    })
  })

  test('--help_config lists the variables', () => {
    const { stdout, status } = create('--help_config')
    expect(status).toBe(0)
    expect(stdout).toContain('\nValues:\n\n')
    expect(stdout).toContain('memory=MEMORY        Domain memory in MB.\n')
  })
})
