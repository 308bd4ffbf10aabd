/** What the boot menu's panel knows: Xen's, Linux's and GRUB's words, and what is wrong with a menu. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { defaultOptions, params } from '#xen/options.ts'
import { readDocument } from './document.ts'
import { marksOf } from './highlight.ts'
import { type FileState, filesNamed, lineNumber, lint, pathOnDisk } from './lint.ts'
import { menuText } from './menu-file.ts'
import { lineOptions, linuxOptions, optionsOfRow, xenOptions } from './options.ts'
import { en } from './words.ts'
import { zh } from './words.zh.ts'

const disk = readFileSync('src/images/default/files/boot/grub/menu.lst', 'utf8')

describe('the table of options', () => {
  it('has every option that Xen takes, and marks those that it does not', () => {
    const taken = params(defaultOptions()).map(({ name }) => name)
    expect(
      xenOptions
        .filter(({ idle }) => !idle)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(taken.toSorted())
  })

  it.each([...xenOptions, ...linuxOptions])('$name is explained in both languages', ({ help }) => {
    expect(en[help].length).toBeGreaterThan(15)
    expect(zh[help].length).toBeGreaterThan(4)
    expect(zh[help]).not.toBe(en[help])
  })

  it.each([
    ['xen', xenOptions],
    ['linux', linuxOptions],
  ] as const)('names no option of %s twice', (_, table) => {
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length)
  })
})

describe('the words of a line', () => {
  const optionsIn = (...lines: string[]) => {
    const entry = readDocument(`title A\n${lines.join('\n')}\n`).entries[0]!
    return entry.rows.map((row) => [
      optionsOfRow(entry, row),
      lineOptions(entry, row).map(({ name, value, known }) => [name, value, known?.help.split('.')[1]]),
    ])
  }

  it('are Xen’s on its line, and Linux’s on dom0’s', () => {
    expect(
      optionsIn('kernel /boot/xen.gz dom0_mem=64M noreboot', 'module /vmlinuz ro root=/dev/hda1', 'module /initrd ro'),
    ).toEqual([
      [
        'xen',
        [
          ['dom0_mem', '64M', 'xen'],
          ['noreboot', undefined, 'xen'],
        ],
      ],
      [
        'linux',
        [
          ['ro', undefined, 'linux'],
          ['root', '/dev/hda1', 'linux'],
        ],
      ],
      [undefined, []],
    ])
  })

  it('are dom0’s behind two dashes', () => {
    expect(optionsIn('kernel /xen.gz mem=1G -- mem=2G')[0]![1]).toEqual([
      ['mem', '1G', 'xen'],
      ['--', undefined, 'xen'],
      ['mem', '2G', 'linux'],
    ])
  })

  it('may be unknown, negated, or GRUB’s own switches', () => {
    expect(optionsIn('kernel --type=multiboot /boot/xen.gz no-bootscrub frobnicate=1 =2')[0]).toEqual([
      'xen',
      [
        ['no-bootscrub', undefined, 'xen'],
        ['frobnicate', '1', undefined],
        ['', '2', undefined],
      ],
    ])
  })
})

describe('problems', () => {
  const entry = 'title A\nroot (hd0,0)\nkernel /xen\nmodule /linux\n'
  const missing = new Map<string, FileState>([
    ['/xen', 'missing'],
    ['/linux', 'here'],
  ])
  const rows: [string, string, string[]][] = [
    ['none on the default disk', disk, []],
    ['a command that GRUB does not know', `splashimage x\n${entry}`, ['warning 1 unknown']],
    ['the same in an entry', `${entry}viewport 3\n`, ['warning 5 unknown']],
    [
      'words instead of numbers',
      `timeout soon\ndefault first\nfallback 0 x\n${entry}`,
      ['warning 1 number', 'warning 2 number', 'warning 3 number'],
    ],
    ['a number too large', `timeout 99999999999\n${entry}`, ['warning 1 number']],
    ['default beyond the last entry', `# x\ndefault 1\n${entry}`, ['warning 2 default']],
    ['default saved', `default saved\n${entry}`, []],
    ['fallback beyond the last entry', `fallback 0 4\n${entry}`, ['warning 1 fallback']],
    ['an entry’s command before the entries', `kernel /xen\n${entry}`, ['warning 1 head']],
    ['a setting in an entry', `${entry}timeout 3\n`, ['error 5 entry']],
    ['a title alone', `title B\n${entry}`, ['warning 1 empty']],
    ['a module before the kernel', 'title A\nmodule /a\nkernel /b\n', ['error 2 module']],
    ['an initrd', 'title A\nkernel /a\ninitrd /b\n', ['error 3 initrd']],
    ['no file', 'title A\nkernel\n', ['error 2 file']],
    ['a file that is not there', entry, ['error 3 missing']],
    ['no entries', 'timeout 3\n', ['error 2 none']],
  ]
  it.each(rows)('%s', (name, text, expected) => {
    const found = lint(readDocument(text), name.startsWith('a file that') ? missing : new Map())
    expect(found.map((p) => `${p.severity} ${lineNumber(text, p.from)} ${p.words.key.split('.').at(-1)}`)).toEqual(
      expected,
    )
  })

  it('asks for the files of the first partition only', () => {
    expect(filesNamed(readDocument(`${entry}title B\nroot (hd1,0)\nkernel /other\nmodule (hd0,0)/third a\n`))).toEqual([
      '/xen',
      '/linux',
      '/third',
    ])
    expect(pathOnDisk('0+1', undefined)).toBeUndefined()
  })
})

describe('the colours', () => {
  it.each([disk, '', '# a \\\nb\ntitle x\n#y\nfoo\n\tkernel /x a=1 b \\\n c=2', disk.replaceAll('\n', '\r\n')])(
    'stand in order, none over another',
    (text) => {
      let at = 0
      for (const { from, to } of marksOf(text)) {
        expect(from).toBeGreaterThanOrEqual(at)
        expect(to).toBeGreaterThanOrEqual(from)
        at = to
      }
      expect(at).toBeLessThanOrEqual(text.length)
    },
  )
})

describe('a file of any bytes', () => {
  it.each([
    ['UTF-8', [0x74, 0xe4, 0xb8, 0xad]],
    ['Latin-1', [0x74, 0xe4, 0x20, 0xff]],
    ['every byte', Array.from({ length: 256 }, (_, i) => i)],
  ])('%s comes back as it was', (_, bytes) => {
    const { text, bytesOf } = menuText(Uint8Array.from(bytes))
    expect([...bytesOf(text)]).toEqual(bytes)
  })
})
