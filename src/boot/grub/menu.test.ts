/** The menu on the screen and on the serial line, and what its keys do. */
import { describe, expect, test } from 'vitest'
import { diskWith, elfKernel, type Files } from '#testing/boot-disk.ts'
import { BootRig } from '#testing/boot-rig.ts'
import { multibootInfo } from '#testing/multiboot-info.ts'
import { start } from './stage2.ts'

const DOWN = 0x5000
const UP = 0x4800
const PAGE_DOWN = 0x5100
const PAGE_UP = 0x4900
const ESCAPE = '\x1b'

const XEN_ENTRY = `title Xen 3.3.0
\troot (hd0,0)
\tkernel /boot/xen-3.3 console=com1
\tmodule /boot/vmlinuz ro root=/dev/hda1
`
const BROKEN_ENTRY = 'title Broken\nroot (hd0,0)\nkernel /boot/nosuch\n'
const FILES: Files = { '/boot/xen-3.3': elfKernel(), '/boot/vmlinuz': 'kernel of dom0' }
const SERIAL = 'serial --unit=0 --speed=115200 --word=8 --parity=no --stop=1\nterminal serial\n'

const boot = (menu: string, files: Files = FILES): BootRig =>
  new BootRig({ disk: diskWith({ ...files, '/boot/grub/menu.lst': menu }) }).start(start)

const manyEntries = (count: number): string =>
  Array.from({ length: count }, (_, i) => `title Entry ${i}\nroot (hd0,0)\n`).join('')

/** Every byte visible, a line of the terminal on a line of the snapshot. */
const bytesShown = (raw: string): string => JSON.stringify(raw).replaceAll('\\n', '\\n\n')

/** The command line of the kernel that was started, undefined where none was. */
const started = (rig: BootRig): string | undefined => multibootInfo(rig)?.commandLine

describe('the screen', () => {
  test('on the console: frame, help, countdown', () => {
    const rig = boot(`timeout 5\n${XEN_ENTRY}title Other\nroot (hd0,0)\n`)
    expect(rig.screen.text()).toMatchSnapshot()
    expect(rig.screen.marked()).toBe('Xen 3.3.0')
    expect(rig.screen.cursorVisible).toBe(false)
    expect(rig.probes).toEqual([{ kind: 'boot-terminal', terminals: ['console'] }])
  })

  test('on the serial line: vt100 sequences, plain characters for the frame', () => {
    const rig = boot(`${SERIAL}timeout 5\n${XEN_ENTRY}`)
    expect(rig.serial.screen.text()).toMatchSnapshot()
    expect(rig.serial.screen.marked()).toBe('Xen 3.3.0')
    expect(bytesShown(rig.serial.raw)).toMatchSnapshot()
    expect(rig.screen.text()).toBe('')
    expect(rig.probes.at(-1)).toEqual({ kind: 'boot-terminal', terminals: ['serial'] })
  })

  test('on a dumb terminal: numbered lines', () => {
    const rig = boot(`serial\nterminal --dumb serial\ntimeout 5\n${manyEntries(11)}`)
    expect(bytesShown(rig.serial.raw)).toMatchSnapshot()
    expect(rig.type('v').serial.raw.endsWith('\r    Highlighted entry is 1: ')).toBe(true)
  })

  test('an entry too long ends in an arrow', () => {
    const rig = boot(`title ${'x'.repeat(100)}\nroot (hd0,0)\n`)
    expect(rig.screen.marked()).toBe('x'.repeat(69) + '→')
  })

  test('a default beyond the first screen is scrolled to', () => {
    const rig = boot(`default 14\n${manyEntries(20)}`)
    expect(rig.screen.marked()).toBe('Entry 14')
    expect(rig.screen.text()).toMatchSnapshot()
  })
})

describe('moving', () => {
  const rows: [string, (string | number)[], string][] = [
    ['down', [DOWN], 'Entry 1'],
    ['up at the top stays', [UP], 'Entry 0'],
    ['v and ^', ['vv^'], 'Entry 1'],
    ['Ctrl-N and Ctrl-P', ['\x0e\x0e\x10'], 'Entry 1'],
    ['past the window', ['v'.repeat(13)], 'Entry 13'],
    ['down at the end stays', ['v'.repeat(40)], 'Entry 19'],
    ['page down', [PAGE_DOWN], 'Entry 12'],
    ['page down twice ends at the last', [PAGE_DOWN, PAGE_DOWN], 'Entry 19'],
    ['page up comes back', [PAGE_DOWN, PAGE_UP], 'Entry 0'],
    ['keys without meaning change nothing', ['xyz', 0x3b00], 'Entry 0'],
  ]
  test.each(rows)('%s', (_, keys, marked) => {
    expect(
      boot(manyEntries(20))
        .keys(...keys)
        .screen.marked(),
    ).toBe(marked)
  })

  test('arrow keys on the serial line', () => {
    const rig = boot(SERIAL + manyEntries(20))
    expect(rig.type('\x1b[B\x1b[B\x1b[A').serial.screen.marked()).toBe('Entry 1')
    expect(rig.type('\x1b[6~').serial.screen.marked()).toBe('Entry 13')
    expect(rig.type('\x1b[5~').serial.screen.marked()).toBe('Entry 1')
  })
})

describe('booting', () => {
  test('Enter boots what is selected', () => {
    const rig = boot(BROKEN_ENTRY + XEN_ENTRY).keys('v\n')
    expect(rig.exit).toMatchObject({ kind: 'jump', to: 0x100000, regs: { eax: 0x2badb002 } })
    expect(started(rig)).toBe('/boot/xen-3.3 console=com1')
    expect(rig.screen.text()).toMatchSnapshot()
  })

  test('the right arrow boots too', () => {
    expect(boot(XEN_ENTRY).keys(0x4d00).exit).toMatchObject({ kind: 'jump' })
  })

  test('the countdown boots the default, a second a step', () => {
    const rig = boot(`default=1\ntimeout=3\n${BROKEN_ENTRY}${XEN_ENTRY}`)
    const line = (): string | undefined => rig.screen.text().split('\n')[22]
    expect(line()).toBe('   The highlighted entry will be booted automatically in 3 seconds.')
    expect(rig.seconds(2).exit).toBeUndefined()
    expect(line()).toBe('   The highlighted entry will be booted automatically in 1 seconds.')
    expect(rig.seconds(1).exit).toMatchObject({ kind: 'jump' })
  })

  test('any key ends the countdown for good', () => {
    const rig = boot(`timeout 3\n${XEN_ENTRY}`).keys('x')
    expect(rig.screen.text()).not.toContain('automatically')
    expect(rig.seconds(60).exit).toBeUndefined()
  })

  test('timeout 0 boots without waiting', () => {
    expect(boot(`timeout 0\n${XEN_ENTRY}`).exit).toMatchObject({ kind: 'jump' })
  })

  test('without a timeout the menu waits for ever', () => {
    expect(boot(XEN_ENTRY).seconds(1000).exit).toBeUndefined()
  })

  test('an error is shown until a key, then the menu is back', () => {
    const rig = boot(BROKEN_ENTRY + XEN_ENTRY).keys('\n')
    expect(rig.screen.text()).toMatchSnapshot()
    expect(rig.keys(' ').screen.marked()).toBe('Broken')
  })

  test('an entry that loads nothing comes back to the menu', () => {
    expect(boot('title Nothing\nroot (hd0,0)\n').keys('\n').screen.marked()).toBe('Nothing')
  })

  test('fallback entries follow each other without a key', () => {
    const menu = `timeout 0\ndefault 0\nfallback 2 1\n${BROKEN_ENTRY}${XEN_ENTRY}title Worse\nmodule /boot/vmlinuz\n`
    const rig = boot(menu)
    expect(started(rig)).toBe('/boot/xen-3.3 console=com1')
    expect(rig.screen.text()).toMatchSnapshot()
  })

  test('when the last fallback fails somebody is asked', () => {
    const rig = boot(`timeout 0\nfallback 1\n${BROKEN_ENTRY}${BROKEN_ENTRY}`)
    expect(rig.screen.text()).toContain('Press any key to continue...')
    expect(rig.keys(' ').screen.text()).toContain('GNU GRUB')
  })

  test('a person at the keys is no case for the fallback', () => {
    const rig = boot(`timeout 5\nfallback 1\n${BROKEN_ENTRY}${XEN_ENTRY}`).keys('x\n')
    expect(rig.exit).toBeUndefined()
    expect(rig.screen.text()).toContain('Error 15: File not found')
  })
})

describe('hiddenmenu', () => {
  const menu = `timeout 3\nhiddenmenu\n${XEN_ENTRY}`
  test('counts in a line of its own', () => {
    const rig = boot(menu)
    expect(rig.screen.text()).toMatchSnapshot()
    expect(rig.seconds(1).screen.text()).toContain('Booting Xen 3.3.0 in 2 seconds...')
    expect(rig.seconds(2).exit).toMatchObject({ kind: 'jump' })
  })
  test('any key brings the menu, which then waits', () => {
    const rig = boot(menu).keys(' ')
    expect(rig.screen.marked()).toBe('Xen 3.3.0')
    expect(rig.seconds(100).exit).toBeUndefined()
  })
  test('without a timeout there is nothing to hide behind', () => {
    expect(boot(`hiddenmenu\n${XEN_ENTRY}`).screen.marked()).toBe('Xen 3.3.0')
  })
})

describe('the entry editor', () => {
  test('shows the commands, with its own help', () => {
    const rig = boot(XEN_ENTRY).keys('e')
    expect(rig.screen.text()).toMatchSnapshot()
    expect(rig.screen.marked()).toBe('root (hd0,0)')
  })

  test('e on the kernel line, an argument more, b', () => {
    const rig = boot(XEN_ENTRY).keys('eve')
    expect(rig.screen.text()).toMatchSnapshot()
    rig.keys(' noreboot\n')
    expect(rig.screen.marked()).toBe('kernel /boot/xen-3.3 console=com1 noreboot')
    rig.keys('b')
    expect(started(rig)).toBe('/boot/xen-3.3 console=com1 noreboot')
    expect(rig.screen.text()).toContain('  Booting command-list\n\nroot (hd0,0)\n')
  })

  test('Esc in the line leaves it as it was, Esc in the list leaves the entry', () => {
    const rig = boot(XEN_ENTRY).keys('eve garbage', ESCAPE)
    expect(rig.screen.marked()).toBe('kernel /boot/xen-3.3 console=com1')
    rig.keys('d', ESCAPE)
    expect(rig.screen.marked()).toBe('Xen 3.3.0')
    expect(started(rig.keys('\n'))).toBe('/boot/xen-3.3 console=com1')
  })

  test('o, O and d', () => {
    const rig = boot(XEN_ENTRY).keys('ed')
    expect(rig.screen.marked()).toBe('kernel /boot/xen-3.3 console=com1')
    rig.keys('Oeroot (hd0,0)\n')
    expect(rig.screen.marked()).toBe('root (hd0,0)')
    rig.keys('vvoemodule /boot/vmlinuz second\n')
    expect(rig.screen.marked()).toBe('module /boot/vmlinuz second')
    expect(multibootInfo(rig.keys('b'))?.modules.map(({ commandLine }) => commandLine)).toEqual([
      '/boot/vmlinuz ro root=/dev/hda1',
      '/boot/vmlinuz second',
    ])
  })

  test('an empty line is no command', () => {
    expect(boot(XEN_ENTRY).keys('eOb').screen.text()).toContain('Error 27: Unrecognized command')
  })

  test('deleting everything leaves nothing to boot', () => {
    const rig = boot(XEN_ENTRY).keys('eddddb')
    expect(rig.exit).toBeUndefined()
    expect(rig.keys('oeroot (hd0,0)\n').screen.marked()).toBe('root (hd0,0)')
  })

  test('after an error the editor is back', () => {
    const rig = boot(BROKEN_ENTRY).keys('eb ')
    expect(rig.screen.marked()).toBe('root (hd0,0)')
  })

  test('a edits the kernel arguments alone and boots', () => {
    const rig = boot(XEN_ENTRY).keys('a')
    expect(rig.screen.text()).toContain('grub append> console=com1')
    expect(started(rig.keys(' noreboot\n'))).toBe('/boot/xen-3.3 console=com1 noreboot')
  })

  test('a on a kernel without arguments; a without a kernel', () => {
    const bare = 'title Bare\nroot (hd0,0)\nkernel /boot/xen-3.3\n'
    expect(started(boot(bare).keys('anoreboot\n'))).toBe('/boot/xen-3.3 noreboot')
    expect(boot('title None\nroot (hd0,0)\n').keys('a').screen.marked()).toBe('None')
  })
})

describe('passwords', () => {
  const locked = `password secret\n${XEN_ENTRY}title Locked\nlock\nkernel /boot/xen-3.3 locked\n`
  test('lock the editor and the command line, but not booting', () => {
    const rig = boot(locked)
    expect(rig.screen.text()).toMatchSnapshot()
    expect(rig.keys('eca').screen.marked()).toBe('Xen 3.3.0')
    expect(rig.keys('\n').exit).toMatchObject({ kind: 'jump' })
  })
  test('p and the right one open them', () => {
    const rig = boot(locked).keys('psecret')
    expect(rig.screen.text().split('\n')[22]).toBe(' Password: ******')
    expect(rig.keys('\n').screen.text()).toContain("'a' to modify the kernel arguments")
    expect(started(rig.keys('v\n'))).toBe('/boot/xen-3.3 locked')
  })
  test('a wrong one says so', () => {
    const rig = boot(locked).keys('pwrong\n')
    expect(rig.screen.text()).toContain('Failed!\n      Press any key to continue...')
    expect(rig.keys(' ').screen.text()).toContain("or 'p' to enter a")
  })
  test('a locked entry needs it', () => {
    expect(boot(locked).keys('v\n').screen.text()).toContain('Error 32: Must be authenticated')
  })
  test('an MD5 one, as grub-md5-crypt makes it', () => {
    // openssl passwd -1 -salt 12345678 secret
    const rig = boot(`password --md5 $1$12345678$hj0uLpdidjPhbMMZeno8X/\n${XEN_ENTRY}`)
    expect(rig.keys('psecret\n').screen.text()).toContain("'a' to modify the kernel arguments")
  })
  test('in an entry it is asked for, and not shown', () => {
    const rig = boot(`title Asks\npassword secret\nkernel /boot/xen-3.3\n`).keys('\n')
    expect(rig.screen.text()).toContain('\nPassword:')
    expect(rig.screen.text()).not.toContain('secret')
    expect(rig.keys('secret\n').exit).toMatchObject({ kind: 'jump' })
  })
  test('with a file it leads to another menu', () => {
    const other = { ...FILES, '/boot/grub/other.lst': 'title Private\nroot (hd0,0)\n' }
    const rig = boot(`password secret /boot/grub/other.lst\n${XEN_ENTRY}`, other).keys('psecret\n')
    expect(rig.screen.marked()).toBe('Private')
  })
})

describe('where the menu comes from', () => {
  test('no menu file: the command line at once', () => {
    const rig = new BootRig({ disk: diskWith(FILES) }).start(start)
    expect(rig.screen.text()).toMatchSnapshot()
  })
  test('no disk at all: the command line too', () => {
    expect(new BootRig().start(start).screen.text()).toContain('grub>')
  })
  test('the file that the installer named', () => {
    const disk = diskWith({ ...FILES, '/boot/grub/grub.conf': XEN_ENTRY })
    expect(new BootRig({ disk, configFile: '/boot/grub/grub.conf' }).start(start).screen.marked()).toBe('Xen 3.3.0')
  })
  test('default saved, and savedefault in an entry', () => {
    const disk = diskWith({
      ...FILES,
      '/boot/grub/default': '0\n#\n#\n#\n#\n#\n',
      '/boot/grub/menu.lst': `default saved\n${BROKEN_ENTRY}title Saves\nsavedefault\n`,
    })
    const rig = new BootRig({ disk }).start(start)
    expect(rig.screen.marked()).toBe('Broken')
    rig.keys('v\n')
    expect(new BootRig({ disk }).start(start).screen.marked()).toBe('Saves')
  })
})
