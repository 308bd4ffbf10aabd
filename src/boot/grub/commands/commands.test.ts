/** Each command at the prompt: what it says, and every error it can end in. */
import { gzipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { COMMAND_PLACES } from '#abi/pc/menu-lst.ts'
import { diskWith, elfKernel, type Files } from '#testing/boot-disk.ts'
import { BootRig, type RigOptions } from '#testing/boot-rig.ts'
import { start } from '../stage2.ts'
import { COMMANDS } from './index.ts'

const bytes = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => i)
const gzip = (content: Uint8Array): Uint8Array => gzipSync(content, { mtime: 0 })
const KERNEL = elfKernel()
const PACKED = gzip(KERNEL)
const signed = bytes(512)
signed.set([0x55, 0xaa], 510)
const badHeader = PACKED.slice()
badHeader[2] = 7
const badData = PACKED.slice()
badData.fill(0xff, 40, 400)

const FILES: Files = {
  '/boot/kernel': KERNEL,
  '/boot/kernel.gz': PACKED,
  '/boot/cut.gz': PACKED.slice(0, PACKED.length / 2),
  '/boot/badheader.gz': badHeader,
  '/boot/baddata.gz': badData,
  '/boot/low': elfKernel({ paddr: 0x8000 }),
  '/boot/huge': elfKernel({ bss: 0x10000000 }),
  '/boot/features': elfKernel({ flags: 4 }),
  '/boot/relocatable': elfKernel({ type: 1 }),
  '/boot/short': bytes(20),
  '/boot/text': 'no kernel at all, but longer than 32 bytes, which is the least\n',
  '/boot/module.gz': gzip(bytes(5000)),
  '/boot/empty': '',
  '/boot/link': '->kernel',
  '/boot/loop': '->/boot/loop',
  '/boot/dangling': '->nowhere',
  '/boot/signed': signed,
  '/boot/unsigned': bytes(512),
  '/boot/twin': KERNEL,
  '/boot/almost': KERNEL.slice().fill(0xff, 5000, 5001),
  '/dir/sub/file': 'a\tb\n\x01\x80end\n',
  '/boot/other.lst': 'title From another file\nboot\n',
}

const DISK = diskWith(FILES)

const atPrompt = (options: RigOptions = {}): BootRig => new BootRig({ disk: DISK.clone(), ...options }).start(start)

/** What the last of `lines` put on the screen, without the prompts. */
function answer(lines: readonly string[], options?: RigOptions): string {
  const rig = atPrompt(options)
  for (const line of lines.slice(0, -1)) rig.keys(line + '\n')
  rig.keys('clear\n', lines.at(-1)! + '\n')
  return rig.screen
    .text()
    .replace(/^\n?grub> .*\n?/, '')
    .replace(/\n*grub>$/, '')
}

describe('errors', () => {
  const rows: [number, string, ...string[]][] = [
    [1, 'Filename must be either an absolute pathname or blocklist', 'kernel boot/kernel'],
    [1, 'Filename must be either an absolute pathname or blocklist', 'kernel'],
    [1, 'Filename must be either an absolute pathname or blocklist', 'cat (hd0,0)1+'],
    [2, 'Bad file or directory type', 'cat /boot'],
    [2, 'Bad file or directory type', 'cat /boot/kernel/x'],
    [3, 'Bad or corrupt data while decompressing file', 'kernel /boot/cut.gz'],
    [3, 'Bad or corrupt data while decompressing file', 'kernel /boot/baddata.gz'],
    [4, 'Bad or incompatible header in compressed file', 'kernel /boot/badheader.gz'],
    [7, 'Loading below 1MB is not supported', 'kernel /boot/low'],
    [8, 'Kernel must be loaded before booting', 'boot'],
    [10, 'Unsupported Multiboot features requested', 'kernel /boot/features'],
    [11, 'Unrecognized device string', 'root hd0,0'],
    [11, 'Unrecognized device string', 'root (hd0,0'],
    [11, 'Unrecognized device string', 'root (hd0;0)'],
    [11, 'Unrecognized device string', 'root (fd0,0)'],
    [12, 'Invalid device requested', 'root (hd8,0)'],
    [13, 'Invalid or unsupported executable format', 'kernel /boot/text'],
    [13, 'Invalid or unsupported executable format', 'kernel /boot/short'],
    [13, 'Invalid or unsupported executable format', 'kernel /boot/relocatable'],
    [13, 'Invalid or unsupported executable format', 'kernel --type=linux /boot/kernel'],
    [13, 'Invalid or unsupported executable format', 'chainloader /boot/unsigned'],
    [13, 'Invalid or unsupported executable format', 'chainloader /boot/short'],
    [15, 'File not found', 'kernel /boot/nosuch'],
    [15, 'File not found', 'kernel /boot/dangling'],
    [15, 'File not found', 'cat /nosuch/file'],
    [15, 'File not found', 'find /nosuch'],
    [15, 'File not found', 'kernel /boot/kernel', 'module /boot/nosuch'],
    [17, 'Cannot mount selected partition', 'cat (hd0)/boot/text'],
    [19, 'Linux kernel must be loaded before initrd', 'initrd /boot/text'],
    [19, 'Linux kernel must be loaded before initrd', 'kernel /boot/kernel', 'initrd /boot/text'],
    [20, 'Multiboot kernel must be loaded before modules', 'module /boot/text'],
    [
      20,
      'Multiboot kernel must be loaded before modules',
      'kernel /boot/kernel',
      'kernel /boot/nosuch',
      'module /boot/text',
    ],
    [21, 'Selected disk does not exist', 'root (hd7,0)'],
    [21, 'Selected disk does not exist', 'root (fd0)'],
    [22, 'No such partition', 'root (hd0,1)'],
    [22, 'No such partition', 'root (hd0,a)'],
    [23, 'Error while parsing number', 'root (hdx)'],
    [23, 'Error while parsing number', 'root (nd)'],
    [23, 'Error while parsing number', 'uppermem lots'],
    [24, 'Attempt to access block outside partition', 'cat (hd0,0)99999+1'],
    [26, 'Too many symbolic links', 'kernel /boot/loop'],
    [27, 'Unrecognized command', 'frobnicate'],
    [27, 'Unrecognized command', 'default 0'],
    [27, 'Unrecognized command', 'savedefault'],
    [28, 'Selected item cannot fit into memory', 'kernel /boot/huge'],
    [28, 'Selected item cannot fit into memory', 'uppermem 4', 'kernel /boot/kernel'],
    [
      28,
      'Selected item cannot fit into memory',
      `kernel /boot/kernel ${'x'.repeat(100)}`,
      'uppermem 36',
      'module /boot/kernel',
    ],
    [30, 'Invalid argument', 'terminal hercules'],
    [30, 'Invalid argument', 'terminal --lines=2 console'],
    [30, 'Invalid argument', 'serial --speed=1234'],
    [30, 'Invalid argument', 'serial --word=9'],
    [30, 'Invalid argument', 'serial --parity=maybe'],
    [30, 'Invalid argument', 'kernel --type=dos /boot/kernel'],
    [30, 'Invalid argument', 'cmp /boot/kernel'],
    [30, 'Invalid argument', 'pager maybe'],
    [12, 'Invalid device requested', 'serial --unit=4'],
    [33, 'Device not initialized yet', 'terminal serial'],
    [35, 'Overflow while parsing number', 'uppermem 99999999999'],
  ]
  test.each(rows)('%i %s: %s %s %s', (number, text, ...lines) => {
    expect(answer(lines).split('\n').at(-1)).toBe(`Error ${number}: ${text}`)
  })

  test('5: a disk without a partition table', () => {
    const disk = DISK.clone()
    const sector = disk.read(0, 1)
    sector[510] = 0
    disk.write(0, sector)
    expect(answer(['root (hd0,0)'], { disk })).toBe('\nError 5: Partition table invalid or corrupt')
  })
  test('16: a directory that contradicts itself', () => {
    const disk = DISK.clone()
    const found = answer(['blocklist /dir/sub/file'], { disk })
    expect(found).toMatch(/^\(hd0,0\)\d+\+1$/)
    // The block before the file's is its directory's: written right after it was made.
    const lba = Number(/\)(\d+)/.exec(found)![1])
    disk.write(63 + lba - 2, new Uint8Array(1024))
    expect(answer(['cat /dir/sub/file'], { disk })).toContain('Error 16: Inconsistent filesystem structure')
  })
  test('25: a sector that cannot be read', () => {
    const disk = DISK.clone()
    const lba = Number(/\)(\d+)/.exec(answer(['blocklist /dir/sub/file'], { disk }))![1])
    const badSectors = new Set([63 + lba])
    expect(answer(['cat /dir/sub/file'], { disk, badSectors })).toContain('Error 25: Disk read error')
    expect(answer(['cat /boot/text'], { disk, badSectors })).toContain('no kernel at all')
  })
  test('29: a disk that cannot be written', () => {
    const disk = DISK.clone()
    const sector = disk.read(0, 1)
    sector[446] = 0
    disk.write(0, sector)
    expect(answer(['makeactive'], { disk, writeProtected: true })).toContain('Error 29: Disk write error')
    expect(answer(['makeactive'], { disk })).toBe('')
    expect(disk.read(0, 1)[446]).toBe(0x80)
  })
})

describe('answers', () => {
  const rows: [string, string][] = [
    ['root', ' (hd0,0): Filesystem type is ext2fs, partition type 0x83'],
    ['root (hd0,0)', ' Filesystem type is ext2fs, partition type 0x83'],
    ['root (hd0)', ' Filesystem type unknown, using whole disk'],
    ['root ()', ' Filesystem type unknown, using whole disk'],
    ['root (hd0,)', ' Filesystem type is ext2fs, partition type 0x83'],
    ['root (0x80,0)', ' Filesystem type is ext2fs, partition type 0x83'],
    ['rootnoverify (hd0,3)', ''],
    ['cat /dir/sub/file', 'a       b\n??end'],
    ['cat (hd0,0)/dir//sub/file', 'a       b\n??end'],
    ['find /boot/kernel', ' (hd0,0)'],
    [
      'geometry (hd0)',
      'drive 0x80: C/H/S = 17/16/63, The number of sectors = 16384, LBA\n   Partition num: 0,  Filesystem type is ext2fs, partition type 0x83',
    ],
    ['kernel /boot/link', '   [Multiboot-elf, <0x100000:0x3000:0x500>, shtab=0x104078, entry=0x100000]'],
    ['kernel /boot/kernel.gz', '   [Multiboot-elf, <0x100000:0x3000:0x500>, shtab=0x104078, entry=0x100000]'],
    [
      'kernel --no-mem-option --type=multiboot /boot/kernel',
      '   [Multiboot-elf, <0x100000:0x3000:0x500>, shtab=0x104078, entry=0x100000]',
    ],
    ['cmp /boot/kernel /boot/twin', ''],
    ['cmp /boot/kernel /boot/text', 'Differ in size: 0x4098 [/boot/kernel], 0x3f [/boot/text]'],
    [
      'cmp /boot/kernel /boot/almost',
      'Differ at the offset 5000: 0xffffffbb [/boot/kernel], 0xffffffff [/boot/almost]',
    ],
    ['debug', ' Debug mode is turned on'],
    ['pager', ' Internal pager is now off'],
    ['pager on', ' Internal pager is now on'],
    ['terminal', 'console'],
    ['read 0x100', 'Address 0x100: Value 0x0'],
    ['lock', ''],
    ['color yellow/blue', ''],
    ['chainloader --force /boot/unsigned', ''],
    ['help reboot', 'reboot: reboot\n    Reboot your system.'],
    [
      'displaymem',
      ' Address Map BIOS Interface is present\n' +
        ' Lower memory: 639K, Upper memory (to first chipset hole): 15360K\n' +
        ' [Address Range Descriptor entries immediately follow (values are 64-bit)]\n' +
        '   Usable RAM:  Base Address:  0x0 X 4GB + 0x0,\n      Length:   0x0 X 4GB + 0x9fc00 bytes\n' +
        '   Reserved:  Base Address:  0x0 X 4GB + 0x9fc00,\n      Length:   0x0 X 4GB + 0x400 bytes\n' +
        '   Reserved:  Base Address:  0x0 X 4GB + 0xf0000,\n      Length:   0x0 X 4GB + 0x10000 bytes\n' +
        '   Usable RAM:  Base Address:  0x0 X 4GB + 0x100000,\n      Length:   0x0 X 4GB + 0xf00000 bytes',
    ],
  ]
  test.each(rows)('%s', (line, text) => {
    expect(answer([line])).toBe(text)
  })

  test('help in two columns', () => {
    expect(answer(['help'])).toMatchSnapshot()
  })
  test('help on everything that begins with a word, folded', () => {
    expect(answer(['help module'])).toMatchSnapshot()
  })
})

describe('what stays', () => {
  test('halt turns the power off', () => {
    const rig = atPrompt().keys('halt\n')
    expect([rig.poweredOff, rig.exit?.kind]).toEqual([true, 'hlt'])
  })
  test('halt --no-apm only stops', () => {
    const rig = atPrompt().keys('halt --no-apm\n')
    expect([rig.poweredOff, rig.exit?.kind]).toEqual([false, 'hlt'])
  })
  test('reboot', () => {
    expect(atPrompt().keys('reboot\n').reboots).toBe(1)
  })
  test('chainloader jumps to the boot sector with the root drive', () => {
    const rig = atPrompt().keys('chainloader /boot/signed\nboot\n')
    expect(rig.exit).toEqual({ kind: 'jump', to: 0x7c00, regs: { edx: 0x80 } })
    expect(rig.mem.copyOut(0x7c00, 512)).toEqual(signed)
  })
  test('chainloader takes a block list', () => {
    expect(atPrompt().keys('chainloader (hd0)0+1\nboot\n').exit).toMatchObject({ to: 0x7c00 })
  })
  test('configfile starts with another menu', () => {
    expect(atPrompt().keys('configfile /boot/other.lst\n').screen.marked()).toBe('From another file')
  })
  test('pause waits for a key', () => {
    const rig = atPrompt().keys('pause wait for me\n')
    expect(rig.screen.text().endsWith('wait for me')).toBe(true)
    expect(rig.keys(' ').screen.text().endsWith('grub>')).toBe(true)
  })
  test('the pager stops before a screen is full', () => {
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i}\n`).join('')
    const rig = new BootRig({ disk: diskWith({ '/long': lines }) }).start(start).keys('cat /long\n')
    expect(rig.screen.text()).toMatch(/line 21\n\[Hit return to continue\]$/)
    expect(rig.keys('x\n').screen.text()).toMatch(/line 43\n\[Hit return to continue\]$/)
    expect(rig.keys('\n').screen.text()).toMatch(/line 59\n\ngrub>$/)
  })
  test('md5crypt makes what openssl makes of the same salt', () => {
    const rig = atPrompt().keys('md5crypt\nsecret\n')
    const hash = /Encrypted: (\S+)/.exec(rig.screen.text())?.[1]
    // The rig's 0x12345 ticks make the salt 3BG; openssl passwd -1 -salt 3BG secret
    expect(hash).toBe('$1$3BG$TfAmurDdO7C2f7gFuDD8U.')
  })
  test('color shows in the menu', () => {
    const disk = diskWith({ '/boot/grub/menu.lst': 'color light-gray/black 7\ntitle A\nboot\n' })
    // A highlight of 7 is no reverse video.
    expect(new BootRig({ disk }).start(start).screen.marked()).toBeUndefined()
  })
})

describe('terminals', () => {
  test('serial programs the chip', () => {
    const rig = atPrompt().keys('serial --unit=0 --speed=9600 --word=7 --parity=even --stop=2\n')
    expect([rig.uart[8], rig.uart[9]]).toEqual([12, 0])
    expect({ ier: rig.uart[1], fcr: rig.uart[2], lcr: rig.uart[3], mcr: rig.uart[4] }).toEqual({
      ier: 0,
      fcr: 1,
      lcr: 0x1e,
      mcr: 0x0b,
    })
  })
  test('terminal repaints the command line on the new one', () => {
    const rig = atPrompt().keys('serial --speed=115200\nterminal serial\n')
    expect(rig.serial.screen.text().endsWith('grub>')).toBe(true)
    expect(rig.type('root\n').serial.screen.text()).toContain(' (hd0,0): Filesystem type is ext2fs')
    expect(rig.type('terminal\n').serial.screen.text()).toContain('\nserial\n')
  })
  test('without echo or editing', () => {
    const rig = atPrompt().keys('terminal --no-edit console\nroot (hd0)\n')
    expect(rig.screen.text()).toContain('grub> root (hd0)\n Filesystem type unknown, using whole disk\n')
    expect(rig.keys('terminal\n').screen.text()).toContain('console (no edit)')
    expect(rig.keys('terminal --no-echo console\n', 'debug\n').screen.text()).not.toContain('grub> debug')
  })

  const menu = (line: string): BootRig => {
    const text = `serial --unit=0 --speed=115200\n${line}\ntimeout 5\ntitle A\nboot\n`
    return new BootRig({ disk: diskWith({ '/boot/grub/menu.lst': text }) }).start(start)
  }
  const PROMPT = 'Press any key to continue.'
  test('several: asked on each once a second until a key on one', () => {
    const rig = menu('terminal console serial').seconds(2)
    expect(rig.screen.text()).toBe([PROMPT, PROMPT, PROMPT].join('\n'))
    expect(rig.serial.screen.text()).toBe([PROMPT, PROMPT, PROMPT].join('\n'))
    expect(rig.probes.at(-1)).toEqual({ kind: 'boot-terminal', terminals: ['console', 'serial'] })
    rig.type(' ')
    expect(rig.serial.screen.marked()).toBe('A')
    expect(rig.probes.at(-1)).toEqual({ kind: 'boot-terminal', terminals: ['serial'] })
  })
  test.each([['--timeout=10'], ['--timeout 10']])('%s: after that the first named', (option) => {
    const rig = menu(`terminal ${option} serial console`)
    expect(rig.seconds(8).serial.screen.marked()).toBeUndefined()
    expect(rig.seconds(1).serial.screen.marked()).toBe('A')
    expect(rig.serial.raw.split(PROMPT).length - 1).toBe(10)
  })
  test('--silent asks without words', () => {
    const rig = menu('terminal --silent --timeout=3 serial console').seconds(1)
    expect(rig.screen.text() + rig.serial.raw).toBe('')
    expect(rig.keys(' ').screen.marked()).toBe('A')
  })
})

test('every known command has its row, and every row is known', () => {
  expect(COMMANDS.map(({ name }) => name).toSorted()).toEqual(Object.keys(COMMAND_PLACES).toSorted())
  for (const { name, run } of COMMANDS)
    expect([name, run !== undefined]).toEqual([name, ['entry', 'both'].includes(COMMAND_PLACES[name])])
})
