/** What `xm create` refuses, in which words; and that a refused domain leaves nothing: no frame, port, node, loop device or name. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'
import { frames, holdings, info, row, rows } from './host-facts.ts'

/** Files that lie in /etc/xen. */
const CONFIGS: Readonly<Record<string, string>> = {
  broken: 'memory = 64\nkernel = (\nname = 3\n',
  open: 'x = "abc\n',
  indent: 'if 1:\nx=2\n',
  undefined: 'kernel = foo\n',
  module: 'import nosuch\n',
  division: 'x = 1/0\n',
  raises: 'raise ValueError("boo")\n',
  file: 'open("/nosuch")\n',
  exits: 'import sys\nsys.exit(3)\n',
  nothing: '',
  loop: 'while 1: pass\n',
}

let host: Dom0Host
let before: Record<string, unknown>

/** Everything that a domain could leave behind. */
function possessions(): Record<string, unknown> {
  host.runFor(1)
  return { names: rows(host).map(({ name }) => name), ...holdings(host) }
}

beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
  for (const [name, text] of Object.entries(CONFIGS))
    host.run(`printf '${text.replaceAll('\n', '\\n')}' > /etc/xen/${name}`)
  host.run('printf "\\177ELF garbage" > /tmp/elf; printf "\\037\\213\\010\\000garbage" > /tmp/gz; > /tmp/empty')
  // Cut off, and with a length at its end that is none.
  host.run('(head -c 20000 /boot/vmlinuz-2.6.18.8-xen; printf "\\377\\377\\377\\377") > /tmp/short')
  host.run('refused() { xm create "$@" 2>&1 > /dev/null; }')
  // The first domain makes directories that stay.
  host.run('xm create sebastian; xm destroy sebastian')
  before = possessions()
}, 200_000)

/** The status, and what goes to standard error. */
const create = (args: string): string => {
  const { output, status } = host.run(`refused ${args}`)
  return `${status} ${output}`
}

const DEVICE = 'Device 2049 (vbd) could not be connected.'

describe('is refused', () => {
  test.each([
    ['/etc/xen/nosuch', 'Unable to open config file: /etc/xen/nosuch'],
    ['', 'Unable to open config file: xmdefconfig'],
    ['/etc', '[Errno 21] Is a directory'],
    ['--foo sebastian', 'option --foo not recognized'],
    ['broken', 'Errors were found at line 3 while processing /etc/xen/broken:\n\tname = 3\n'],
    ['open', 'Errors were found at line 1 while processing /etc/xen/open:\n\tx = "abc\n'],
    ['indent', 'Errors were found at line 2 while processing /etc/xen/indent:\n\tx=2\n'],
    ['undefined', "name 'foo' is not defined"],
    ['module', 'No module named nosuch'],
    ['division', 'integer division or modulo by zero'],
    ['raises', 'boo'],
    ['file', "[Errno 2] No such file or directory: '/nosuch'"],
    ['nothing', 'Had a bootloader specified, but no disks are bootable'],
    ['sebastian vcpus=a', 'Invalid value: a'],
    ['sebastian vcpus=33', "(22, 'Invalid argument')"],
    ['sebastian memory=12.5', 'Invalid value: 12.5'],
    ['sebastian memory=0', 'Invalid Configuration: memory_dynamic_max must be greater than zero'],
    ['sebastian memory=99999999999', 'Invalid argument.'],
    ['sebastian "name=a b"', 'Invalid VM Name'],
    ['sebastian name=Domain-0', "Domain 'Domain-0' already exists with ID '0'"],
    ['sebastian on_crash=explode', 'Invalid Configuration: Invalid event handling mode: crash'],
    ['sebastian builder=foo', 'unknown image type: foo'],
    ['sebastian kernel=/nosuch', 'Kernel image does not exist: /nosuch'],
    ['sebastian kernel=/boot', 'Kernel image does not exist: /boot'],
    ['sebastian ramdisk=/nosuch', 'Kernel ramdisk does not exist: /nosuch'],
    ['sebastian kernel=/etc/passwd', "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')"],
    ['sebastian kernel=/tmp/gz', "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')"],
    ['sebastian kernel=/tmp/short', "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')"],
    ['sebastian kernel=/tmp/empty', "(22, 'Invalid argument')"],
    ['sebastian kernel=/tmp/elf', "(2, 'Invalid kernel', 'xc_dom_parse_elf_kernel: ELF image has no shstrtab\\n')"],
    ['sebastian disk=foo', 'Invalid disk specifier: foo'],
    ['sebastian disk=/x,sda1,w', 'Block device must have physical details specified'],
    ['sebastian disk=nfs:/x,sda1,w', 'Block device must have "phy", "file" or "tap" specified to type'],
    ['sebastian disk=phy:hda3,sda1,q', 'Invalid mode'],
    ['sebastian disk=phy:hda3,zzz1,r', 'Unable to find number for device (zzz1)'],
    ['sebastian disk=phy:hda3,,r', 'Unable to find number for device ()'],
    ['sebastian disk=phy:hda3,sda1,r,nobody', 'Cannot configure device for unknown backend nobody'],
    ['sebastian disk=file:/nosuch,sda1,w', `${DEVICE} /nosuch does not exist.`],
    ['sebastian disk=phy:nosuch,sda1,w', `${DEVICE} /dev/nosuch does not exist.`],
    ['sebastian disk=phy:/etc/passwd,sda1,w', `${DEVICE} /etc/passwd is not a block device.`],
    [
      'sebastian disk=phy:hda1,sda1,w',
      `${DEVICE}\nDevice /dev/hda1 is mounted in the privileged domain,\nand so cannot be mounted by a guest.`,
    ],
    [
      'sebastian disk=phy:/dev/hda1,sda1,r',
      `${DEVICE}\nDevice /dev/hda1 is mounted read-write in the privileged domain,\nand so cannot be mounted read-only by a guest.`,
    ],
  ])('xm create %s', (args, text) => {
    expect(create(args)).toBe(`1 Error: ${text}`)
    expect(rows(host)).toHaveLength(1)
  })

  test('a file that ends xm by itself', () => {
    expect(create('exits')).toBe('3 ')
  })

  test('^C: while the file runs for ever; while xend makes room', () => {
    host.type('xm create loop\r')
    host.waitFor('Using config file')
    host.runFor(0.5)
    host.type('\x03')
    host.waitFor(/Error: \n.*# $/, 5)
    host.type('xm create sebastian memory=800\r')
    host.waitFor('Using config file')
    host.runFor(2)
    host.type('\x03')
    host.waitFor(/Interrupted\.\n.*# $/, 5)
    expect(host.run('sleep 30; xm list | wc -l').output.trim()).toBe('2')
  })

  test('more memory than there is, with the numbers', () => {
    const { domains, heap } = frames(host)
    const [, dom0] = domains[0]!
    const all = (heap - dom0) * 4 + 262144 - 200704
    for (const [mib, need] of [
      [800, 823296],
      [100000, 102800384],
    ])
      expect(create(`sebastian memory=${mib}`)).toBe(
        `1 Error: I need ${need} KiB, but dom0_min_mem is 200704 and shrinking to 200704 KiB would leave only ${all} KiB free.`,
      )
  })

  test('a disk that somebody has: dom0 by a loop device, a guest, one that may only be read', () => {
    const image = '/var/lib/xen/images/sebastian.img'
    host.run(`losetup /dev/loop5 ${image}; mount /dev/loop5 /mnt`)
    expect(create('sebastian')).toBe(
      `1 Error: ${DEVICE}\nFile ${image} is loopback-mounted through /dev/loop5,\nwhich is mounted in the privileged domain,\nand so cannot be mounted by a guest.`,
    )
    host.run(`umount /mnt; losetup -d /dev/loop5; chmod 444 ${image}`)
    expect(create('sebastian')).toBe(
      `1 Error: ${DEVICE}\nFile ${image} is read-only, and so I will not\nmount it read-write in a guest domain.`,
    )
    host.run(`chmod 644 ${image}`)
    expect(create('prospero')).toBe('0 ')
    expect(create('prospero')).toMatch(/^1 Error: Domain 'prospero' already exists with ID '\d+'$/)
    expect(create('prospero name=other')).toBe(
      `1 Error: ${DEVICE}\nDevice /dev/hda2 is mounted in a guest domain,\nand so cannot be mounted now.`,
    )
    expect(create('prospero name=other disk=phy:hda2,sda1,r')).toBe(
      `1 Error: ${DEVICE}\nDevice /dev/hda2 is mounted read-write in a guest domain,\nand so cannot be mounted read-only now.`,
    )
    expect(host.run('xm destroy prospero').status).toBe(0)
    // Both only read.
    expect(create('minimal') + create('minimal name=other')).toBe('0 0 ')
    host.run('xm destroy minimal; xm destroy other')
  })

  test('one file too many for the loop devices', () => {
    host.run('for n in 1 2 3 4 5 6 7 8 9; do cp /etc/passwd /tmp/disk$n; done')
    const one = (n: number): string => create(`minimal name=m${n} disk=file:/tmp/disk${n},sda1,r on_crash=preserve`)
    for (let n = 1; n <= 8; n++) expect(one(n)).toBe('0 ')
    expect(one(9)).toBe(`1 Error: ${DEVICE} Failed to find an unused loop device`)
    host.run('for n in 1 2 3 4 5 6 7 8; do xm destroy m$n; done')
  })

  test('twice at once: one of them', () => {
    const { output } = host.run(
      'xm create sebastian > /tmp/a 2>&1 & xm create sebastian > /tmp/b 2>&1 & wait; cat /tmp/a /tmp/b',
    )
    expect(output.match(/Started domain sebastian/g)).toHaveLength(1)
    expect(output.match(/Error: Domain 'sebastian' already exists with ID/g)).toHaveLength(1)
    expect(host.run('xm destroy sebastian').status).toBe(0)
  })

  test('a full disk stops no domain', () => {
    host.run('dd if=/dev/zero of=/var/log/fill bs=1M count=200')
    expect(create('minimal')).toBe('0 ')
    host.run('xm destroy minimal')
    host.runFor(2)
    host.run('rm -f /var/log/fill')
  })

  test('and of all of them nothing is left', () => {
    expect(possessions()).toEqual(before)
  })
})

test('dom0 shrinks for a guest that needs it to, by what is missing, and stays so', () => {
  expect(create('sebastian memory=760')).toBe('0 ')
  const shrunk = row(host, 'Domain-0')!.mem
  expect(shrunk).toBeGreaterThanOrEqual(196)
  expect(shrunk).toBeLessThan(256)
  expect(Number(info(host, 'free_memory'))).toBeLessThan(8)
  const allocation = (): string => host.run('head -n 1 /proc/xen/balloon').output
  expect(allocation()).toMatch(new RegExp(`${shrunk * 1024} kB`))
  host.run('xm destroy sebastian')
  expect(row(host, 'Domain-0')!.mem).toBe(shrunk)
  host.run('xm mem-set 0 256')
  host.runFor(1)
  expect(allocation()).toMatch(/262144 kB/)
  expect(frames(host)).toEqual(before['frames'])
})
