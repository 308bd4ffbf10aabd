/** libxc on the whole host: domains built, run and ended without xend, by a program of tests; kernels that are none; consoles by xenconsoled and xenconsole. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { Elf64_Ehdr, Elf64_Phdr } from '#abi/elf.ts'
import { memOf } from '#abi/mem.ts'
import {
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_FEATURES,
  XEN_ELFNOTE_LOADER,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_XEN_VERSION,
} from '#abi/xen/elfnote.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { kernelImage, type XenNote } from '#toolchain/elf.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { compileProgram } from './test-program.ts'
// What is compiled below.
import './xcbuild.ts'

const VMLINUZ = '/boot/vmlinuz-2.6.18.8-xen'
const BASE = 0xffffffff80000000n
const START = 0xffffffff80200000n

const NOTES: readonly XenNote[] = [
  { type: XEN_ELFNOTE_XEN_VERSION, value: 'xen-3.0' },
  { type: XEN_ELFNOTE_VIRT_BASE, value: BASE },
  { type: XEN_ELFNOTE_PADDR_OFFSET, value: BASE },
  { type: XEN_ELFNOTE_ENTRY, value: START },
  { type: XEN_ELFNOTE_LOADER, value: 'generic' },
]
const noted = (...changes: readonly XenNote[]): XenNote[] => [
  ...NOTES.filter(({ type }) => !changes.some((change) => change.type === type)),
  ...changes,
]
const elf = (notes: readonly XenNote[] = NOTES, change?: (mem: ReturnType<typeof memOf>) => void): Uint8Array => {
  const bytes = kernelImage('test', { entry: 0, modules: [] }, { vaddr: START, paddr: START, notes })
  change?.(memOf(bytes))
  return bytes
}
const LOAD = Elf64_Ehdr.size

/** A bzImage of protocol `version` around `payload`. */
function bzImage(version: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 * 512 + payload.length)
  const mem = memOf(bytes)
  mem.write8(0x1f1, 1)
  mem.copyIn(
    0x202,
    Uint8Array.from('HdrS', (letter) => letter.charCodeAt(0)),
  )
  mem.write16(0x206, version)
  mem.write32(0x248, 0)
  mem.write32(0x24c, payload.length)
  bytes.set(payload, 1024)
  return bytes
}

const text = (letters: string): Uint8Array => Uint8Array.from(letters, (letter) => letter.charCodeAt(0))
const whole = elf()

/** Linked into Xen's own part of the address space: Xen fills the root table's entries there itself. */
const HOLE = kernelImage(
  'test',
  { entry: 0, modules: [] },
  {
    vaddr: 0xffff800000000000n,
    paddr: 0xffff800000000000n,
    notes: noted(
      { type: XEN_ELFNOTE_VIRT_BASE, value: 0xffff800000000000n },
      { type: XEN_ELFNOTE_PADDR_OFFSET, value: 0xffff800000000000n },
      { type: XEN_ELFNOTE_ENTRY, value: 0xffff800000000000n },
    ),
  },
)

/** Files that are no kernels, and what libxc says of each. */
const BAD: readonly (readonly [name: string, file: Uint8Array | undefined, says: string, log?: RegExp])[] = [
  ['missing', undefined, "(2, 'No such file or directory')"],
  ['empty', new Uint8Array(0), "(22, 'Invalid argument')"],
  ['text', text('#!/bin/sh\n'), "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')"],
  [
    'cut',
    whole.slice(0, -1),
    "(2, 'Invalid kernel', 'xc_dom_parse_elf_kernel: corrupted ELF image\\n')",
    /xc_dom_elfloader\.c:237: panic: xc_dom_parse_elf_kernel: corrupted ELF image\nxc_dom_release: called$/,
  ],
  [
    'nameless',
    elf(NOTES, (mem) => Elf64_Ehdr.fields.e_shstrndx.set(mem, 0, 7)),
    "(2, 'Invalid kernel', 'xc_dom_parse_elf_kernel: ELF image has no shstrtab\\n')",
  ],
  ['old', elf(noted({ type: XEN_ELFNOTE_XEN_VERSION, value: 'xen-2.0' })), "(22, 'Invalid argument')", /Xen v3\.0\n/],
  [
    'demanding',
    elf(noted({ type: XEN_ELFNOTE_FEATURES, value: '!auto_translated_physmap' })),
    `(4, 'Out of memory', "xc_dom_boot_mem_init: can't allocate low memory for domain\\n")`,
    /x86_shadow/,
  ],
  [
    'huge',
    elf(NOTES, (mem) => Elf64_Phdr.fields.p_memsz.set(mem, LOAD, 2 ** 30)),
    "(1, 'Internal error', 'xc_dom_boot_domU_map: failed to mmap domU pages 0x200+0x40000 [mmap, errno=22 (Invalid argument)]\\n')",
  ],
  [
    'odd',
    elf(noted({ type: XEN_ELFNOTE_ENTRY, value: START + 0x20n }), (mem) => {
      Elf64_Phdr.fields.p_paddr.set(mem, LOAD, START + 0x10n)
    }),
    `(1, 'Internal error', "xc_dom_alloc_segment: segment start isn't page aligned (0xffffffff80200010)\\n")`,
  ],
  [
    'i386',
    elf(NOTES, (mem) => Elf64_Ehdr.fields.e_machine.set(mem, 0, 3)),
    "(1, 'Internal error', 'xc_dom_mem_init: arch hooks not set\\n')",
    /not found \(type xen-3\.0-x86_32\)/,
  ],
  ['gz', gzipSync(whole).fill(0xff, 40, 60), "(1, 'Internal error', 'xc_dom_do_gunzip: inflate failed (rc=-3)\\n')"],
  ['cutgz', bitten(gzipSync(whole)), "(1, 'Internal error', 'xc_dom_do_gunzip: inflate failed (rc=-5)\\n')"],
  ['bz206', bzImage(0x206, gzipSync(whole)), "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')"],
  ['bzempty', bzImage(0x208, new Uint8Array(0)), "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')"],
  [
    'bzgarbage',
    bzImage(0x208, gzipSync(whole).fill(0xff, 40, 60)),
    "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')",
    /xc_dom_core\.c:249: panic: xc_dom_do_gunzip: inflate failed \(rc=-3\)\n/,
  ],
]

/** A piece of the middle is missing; the size at the end still says what was. */
function bitten(bytes: Uint8Array): Uint8Array {
  const rest = new Uint8Array(bytes.length - 40)
  rest.set(bytes.subarray(0, bytes.length - 48))
  rest.set(bytes.subarray(bytes.length - 8), rest.length - 8)
  return rest
}

let host: Dom0Host
let vmlinuz: Uint8Array
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.mkdir('/root/k', 0o755)
  fs.writeFile('/root/xcbuild', compileProgram('xcbuild', 'testing/dom0/xcbuild.ts'), 0o755)
  for (const [name, file] of BAD) if (file) fs.writeFile(`/root/k/${name}`, file)
  vmlinuz = fs.readFile(VMLINUZ)
  fs.writeFile('/root/k/bzImage', bzImage(0x208, vmlinuz))
  fs.writeFile('/root/k/nocode', whole)
  fs.writeFile('/root/k/hole', HOLE)
  fs.writeFile('/root/k/vmlinux', new Uint8Array(gunzipSync(vmlinuz)))
  fs.writeFile('/root/k/initrd', text('no file system '.repeat(1000)))
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
  // xend would take these domains for its own; the store and the consoles stay.
  host.run('/etc/init.d/xend stop; sleep 1')
}, 120_000)

const free = (): string => host.run('./xcbuild free').output
const newLog = (): string =>
  host.run('cat /var/log/xen/domain-builder-ng.log; : > /var/log/xen/domain-builder-ng.log').output

describe('a domain', () => {
  test('is built paused, runs, says what it says, and leaves nothing', () => {
    const before = free()
    const { output } = host.run(`./xcbuild create 128 ${VMLINUZ} "root=/dev/none panic=0"`)
    const [, domid, console, calls] = /^domid=(\d+) console=(\d+) .*calls=(\d+) /.exec(output)!
    // Counted, not timed: a build is a few resumptions for each stage.
    expect(Number(calls)).toBeLessThan(130)
    expect(host.run('./xcbuild list').output).toContain(`\n${domid} 32768 p---`)
    expect(host.run(`./xcbuild console ${domid} ${console}`).output).toBe('')
    host.run(`./xcbuild unpause ${domid}; sleep 1`)
    const said = host.run(`./xcbuild console ${domid} ${console}`).output
    expect(said).toContain('Linux version 2.6.18.8-xen')
    expect(said).toContain('Kernel command line: root=/dev/none panic=0\n')
    expect(host.run(`./xcbuild destroy ${domid}`)).toMatchObject({ status: 0, output: '' })
    expect(host.run('./xcbuild list').output).toMatch(/^0 \d+ ----$/)
    expect(free()).toBe(before)
    expect(newLog()).toMatch(
      /^### ----- xc domain builder logfile opened -----\nxc_dom_allocate: cmdline="root=[^"]*", features=""\n/,
    )
  })

  test.each([
    ['of 8 MiB', 8, VMLINUZ, ''],
    ['from an unpacked kernel', 32, 'k/vmlinux', ''],
    ['from a bzImage', 32, 'k/bzImage', ''],
    ['with a ramdisk', 32, VMLINUZ, 'k/initrd'],
  ])('%s', (_name, memMb, image, ramdisk) => {
    const before = free()
    const { output } = host.run(`./xcbuild create ${memMb} ${image} quiet ${ramdisk}`)
    const [, domid] = /^domid=(\d+) /.exec(output)!
    host.run(`./xcbuild unpause ${domid}; sleep 1`)
    expect(host.run('./xcbuild list').output).toMatch(new RegExp(`\n${domid} ${memMb * 256} -`))
    host.run(`./xcbuild destroy ${domid}`)
    expect(free()).toBe(before)
    host.run(': > /var/log/xen/domain-builder-ng.log')
  })

  test.each([[4000], [1_000_000]])('of %i MiB is larger than the host: refused, and nothing is left of it', (memMb) => {
    const before = free()
    const { output, status } = host.run(`./xcbuild create ${memMb} ${VMLINUZ}`)
    expect(output).toContain(`(4, 'Out of memory', "xc_dom_boot_mem_init: can't allocate low memory for domain\\n")`)
    // Where not even the list of its frames finds room, no frame was asked for.
    if (memMb === 4000) expect(output).toContain('Failed allocation for dom ')
    expect(status).toBe(1)
    expect(free()).toBe(before)
    expect(newLog()).toMatch(
      /xc_dom_boot\.c:141: panic: xc_dom_boot_mem_init: can't allocate low memory for domain\nxc_dom_release: called\n?$/,
    )
  })

  test.each([['nocode'], ['hole']])('whose kernel cannot run is built, crashes, and is destroyed: %s', (file) => {
    const before = free()
    const [, domid] = /^domid=(\d+) /.exec(host.run(`./xcbuild create 16 k/${file}`).output)!
    host.run(`./xcbuild unpause ${domid}; sleep 1`)
    expect(host.run('./xcbuild list').output).toMatch(new RegExp(`\n${domid} 4096 .*c`))
    host.run(`./xcbuild destroy ${domid}`)
    expect(free()).toBe(before)
    newLog()
  })

  test('whose builder is killed in the middle can be destroyed, and nothing is left of it', () => {
    const before = free()
    const ports = (): string => host.run('/usr/lib/xen/bin/lsevtchn | grep -vc "not in use"').output
    const bound = ports()
    // Milliseconds: a build takes some fifty.
    for (const delay of [4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 45, 50, 60])
      host.run(
        `./xcbuild create 64 ${VMLINUZ} > /dev/null 2>&1 & sleep 0.0${delay < 10 ? `0${delay}` : delay}; kill -9 $!; wait $!`,
      )
    host.run('for id in $(./xcbuild list | cut -d" " -f1 | grep -v "^0$"); do ./xcbuild destroy $id; done')
    expect(host.run('./xcbuild list').output).toMatch(/^0 \d+ ----$/)
    expect(free()).toBe(before)
    expect(ports()).toBe(bound)
    newLog()
  })

  test('that is too small for its kernel is refused', () => {
    const before = free()
    expect(host.run(`./xcbuild create 2 ${VMLINUZ}`).output).toMatch(
      /failed to mmap domU pages 0x200\+0x\w+ \[mmap, errno=22/,
    )
    expect(free()).toBe(before)
    newLog()
  })
})

describe('a file that is no kernel', () => {
  test.each(BAD.map(([name, , says, log]) => [name, says, log] as const))('%s', (name, says, log) => {
    const before = free()
    const { output, status } = host.run(`./xcbuild create 64 k/${name}`)
    expect(output.split('\n').at(-1)).toContain(says)
    expect(status).toBe(1)
    expect(newLog()).toMatch(log ?? /xc_dom_kernel_file: filename="k\/\w+"\n/)
    expect(free()).toBe(before)
  })

  test('a directory', () => {
    expect(host.run('./xcbuild create 64 k').output).toBe("(19, 'No such device')")
  })
})

describe('consoles', () => {
  test('without a store there are none', () => {
    expect(host.run('XENSTORED_RUNDIR=/nowhere /usr/lib/xen/bin/xenconsole 1')).toEqual({
      output: 'xenconsole: Could not contact XenStore: No such file or directory',
      status: 2,
    })
  })

  test('xenconsole waits for a domain, shows what it says, and ^] ends it', () => {
    host.run('killall xenconsoled; sleep 1; xenconsoled --log=all; sleep 1')
    expect(host.run('pgrep -l xenconsoled').output).toMatch(/^\d+ xenconsoled$/)
    const settings = host.run('stty -a').output
    host.type(`(sleep 1; ./xcbuild start bob 32 ${VMLINUZ} root=/dev/none) > /tmp/bob & N=$(($(./xcbuild next)))\r`)
    host.waitFor(/# $/)
    host.type('/usr/lib/xen/bin/xenconsole $N\r')
    host.waitFor('Linux version 2.6.18.8-xen')
    host.waitFor('Kernel panic - not syncing')
    host.type('\x1d')
    host.waitFor(/# $/)
    host.run('wait')
    expect(host.run('stty -a').output).toBe(settings)
    const { output } = host.run('cat /var/log/xen/console/guest-bob.log')
    expect(output).toContain('Kernel panic - not syncing')
  })

  test('the store names the terminal, which goes with the domain', () => {
    const domid = /domid=(\d+)/.exec(host.run('cat /tmp/bob').output)![1]!
    const { output } = host.run(
      `xenstore-read /local/domain/${domid}/console/tty /local/domain/${domid}/serial/0/tty; ls /dev/pts`,
    )
    expect(output).toBe('/dev/pts/0\n/dev/pts/0\n0')
    host.run(`./xcbuild destroy ${domid}; sleep 1; xenstore-rm /local/domain/${domid}`)
    expect(host.run('ls /dev/pts; ./xcbuild list').output).toMatch(/^0 \d+ ----$/)
  })

  test("what Xen says goes to the hypervisor's log", () => {
    host.type('\x01\x01\x01')
    host.waitFor('Serial input -> Xen')
    host.type('m')
    host.waitFor('Physical memory information:')
    host.type('\x01\x01\x01')
    host.waitFor('Serial input -> DOM0')
    host.type('\r')
    host.waitFor(/# $/)
    const { output } = host.run('cat /var/log/xen/console/hypervisor.log')
    expect(output).toMatch(/Serial input -> Xen.*\n[\s\S]*Physical memory information:\n[\s\S]*Dom heap: \d+kB free/)
  })

  test('idle, the daemon costs nothing', () => {
    const ticks = (): string => host.run('cat /proc/$(pgrep xenconsoled)/stat | cut -d" " -f14,15').output
    const before = ticks()
    host.runFor(60)
    expect(ticks()).toBe(before)
  })

  test.each([
    ['', 'Invalid number of arguments\n', 22],
    ['1 2', 'Invalid number of arguments\n', 22],
    ['0', "Can't specify Domain-0", 22],
    ['x1', "Invalid DOMID `x1'\n", 22],
    [
      '-q 77',
      'xenconsole: invalid option -- q\nxenconsole: Could not read tty from store: No such file or directory',
      2,
    ],
  ])('xenconsole %s', (words, output, status) => {
    const outcome = host.run(`PATH=$PATH:/usr/lib/xen/bin xenconsole ${words}`)
    expect(outcome.output).toContain(output)
    expect(outcome.status).toBe(status)
  })

  test.each([
    ['-V', 'Xen Console Daemon 3.0', 0],
    ['--nonsense', "xenconsoled: unrecognized option `--nonsense'\nTry `xenconsoled --help' for more information", 22],
  ])('xenconsoled %s', (words, output, status) => {
    expect(host.run(`xenconsoled ${words}`)).toEqual({ output, status })
  })

  test('readnotes and lsevtchn', () => {
    expect(host.run(`/usr/lib/xen/bin/readnotes ${VMLINUZ}`).output).toMatch(
      /^GUEST_OS: linux\n(.*\n)*LOADER: generic$/,
    )
    expect(host.run('/usr/lib/xen/bin/readnotes k/text')).toEqual({
      output: 'File k/text is not an ELF image',
      status: 1,
    })
    expect(host.run('/usr/lib/xen/bin/lsevtchn 0 | head -2').output).toBe(
      '000: 0: Channel is not in use.\n001: 4: Channel is bound to a virtual IRQ line.',
    )
  })
})
