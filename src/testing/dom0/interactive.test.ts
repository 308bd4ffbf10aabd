/** A person at COM1's terminal: the line editor, pagers, editors, pictures that change; and what was typed wrong. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

const PROMPT = '[root@xenhost ~]# '
let host: Dom0Host

beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
}, 120_000)

/** Keys, and what the screen shows a little later. */
function typed(keys: string, seconds = 0.5): string[] {
  host.type(keys)
  host.runFor(seconds)
  return host
    .screen()
    .split('\n')
    .map((row) => row.trimEnd())
}
const lastOf = (rows: readonly string[]): string => rows.findLast((row) => row !== '') ?? ''

/** The screen after `clear` and a command line. */
function shown(line: string, seconds = 0.5): string[] {
  typed('\x15clear\r')
  return typed(`${line}\r`, seconds)
}

describe('bash’s line editor', () => {
  test('^R looks back, and says when there is nothing', () => {
    shown('echo one; echo two')
    expect(lastOf(typed('\x12ech'))).toBe("(reverse-i-search)`ech': echo one; echo two")
    expect(lastOf(typed('zz'))).toBe("(failed reverse-i-search)`echzz': echo one; echo two")
    expect(lastOf(typed('\x07'))).toBe(PROMPT.trimEnd())
  })

  test('TAB completes commands, files and directories, and lists what it cannot decide', () => {
    typed('\x15clear\r')
    expect(lastOf(typed('cat /etc/ini\t'))).toBe(`${PROMPT}cat /etc/init`)
    expect(typed('\t\t').slice(0, 3)).toEqual([`${PROMPT}cat /etc/init`, 'init.d/  inittab', `${PROMPT}cat /etc/init`])
    expect(lastOf(typed('t\t'))).toBe(`${PROMPT}cat /etc/inittab`)
    expect(lastOf(typed('\x15unam\t-r\r'))).toBe(PROMPT.trimEnd())
    expect(host.screen()).toContain('2.6.18.8-xen')
  })

  test('a line longer than the terminal wraps, and can be edited anywhere', () => {
    typed('\x15clear\r')
    typed(`echo ${'a'.repeat(40)} ${'b'.repeat(40)}`)
    const rows = typed('\x01#\x05c')
    expect(rows[0]).toBe(`${PROMPT}#echo ${'a'.repeat(40)} ${'b'.repeat(15)}`)
    expect(rows[1]).toBe(`${'b'.repeat(25)}c`)
    expect(lastOf(typed('\x15'))).toBe(PROMPT.trimEnd())
  })

  test('several lines are one command: PS2, here-documents, and one entry of the history', () => {
    expect(shown('cat << EOF\r$HOME\rEOF').slice(1, 4)).toEqual(['> $HOME', '> EOF', '/root'])
    shown('for i in 1 2\rdo echo n$i\rdone')
    expect(lastOf(typed('\x1b[A'))).toBe(`${PROMPT}for i in 1 2; do echo n$i; done`)
    expect(shown('if')[1]).toBe('>')
    expect(lastOf(typed('\x03'))).toBe(PROMPT.trimEnd())
  })

  test('!!, !$ and what is not there', () => {
    shown('ls /etc/inittab')
    expect(typed('wc -l !$\r').slice(2, 4)).toEqual([`${PROMPT}wc -l !$`, 'wc -l /etc/inittab'])
    expect(shown('!nosuch')[1]).toBe('-bash: !nosuch: event not found')
  })

  test('wrong commands get bash’s words', () => {
    for (const [line, words] of [
      [')', "-bash: syntax error near unexpected token `)'"],
      ['cat <', "-bash: syntax error near unexpected token `newline'"],
      ['nosuch', '-bash: nosuch: command not found'],
      ['cd /nosuch', '-bash: cd: /nosuch: No such file or directory'],
      ['echo $((1/0))', '-bash: 1/0: division by 0 (error token is "0")'],
      ['su - nosuch', 'su: user nosuch does not exist'],
      ['su - nobody', 'This account is currently not available.'],
    ] as const)
      expect(shown(line)[1], line).toBe(words)
  })
})

describe('pagers and pictures', () => {
  test('less shows, searches, ends', () => {
    expect(lastOf(shown('less /etc/inittab'))).toBe('/etc/inittab')
    expect(lastOf(typed('/nosuch\r'))).toBe('Pattern not found  (press RETURN)')
    expect(typed('\r/respawn\r')[22]).toContain('/sbin/mingetty tty2')
    expect(lastOf(typed('q'))).toBe(PROMPT.trimEnd())
  })

  test('more stops at a screen', () => {
    expect(lastOf(shown('more /etc/inittab'))).toMatch(/^--More--\(\d+%\)$/)
    expect(lastOf(typed('q'))).toBe(PROMPT.trimEnd())
  })

  test('top counts, helps and ends', () => {
    const rows = shown('top', 4)
    expect(rows[0]).toMatch(/^top - \d\d:\d\d:\d\d up .* 1 user, {2}load average: /)
    expect(rows[6]).toMatch(/^ {2}PID USER {6}PR {2}NI {2}VIRT {2}RES {2}SHR S %CPU %MEM {4}TIME\+ {2}COMMAND/)
    expect(lastOf(typed('h'))).toBe('Press any key to continue')
    expect(typed('xq')[23]).toBe(PROMPT.trimEnd())
  })

  test('watch shows a changing clock until ^C', () => {
    const first = shown('watch -n1 date', 1.5)[2]
    expect(first).toMatch(/^\w{3} \w{3} +\d+ \d\d:\d\d:\d\d UTC 2009$/)
    expect(typed('', 3)[2]).not.toBe(first)
    expect(lastOf(typed('\x03'))).toBe(PROMPT.trimEnd())
  })
})

describe('editors', () => {
  test('vi changes /boot/grub/menu.lst, and keeps what was not written', () => {
    expect(lastOf(shown('vi /boot/grub/menu.lst'))).toMatch(/^"\/boot\/grub\/menu\.lst" \d+L, \d+C/)
    typed('/^timeout\rcwtimeout\x1b$a7\x1b')
    expect(lastOf(typed(':q\r'))).toMatch(/^E37: No write since last change \(add ! to override\)/)
    expect(lastOf(typed(':foo\r'))).toMatch(/^E492: Not an editor command: foo/)
    expect(lastOf(typed(':wq\r'))).toBe(PROMPT.trimEnd())
    expect(shown('grep timeout /boot/grub/menu.lst')[1]).toBe('timeout 107')
    shown('vi /boot/grub/menu.lst')
    typed('dG')
    expect(lastOf(typed(':q!\r'))).toBe(PROMPT.trimEnd())
    expect(shown('grep -c kernel /boot/grub/menu.lst')[1]).not.toBe('0')
  })

  test('nano changes it back, and asks before it throws something away', () => {
    expect(shown('nano /boot/grub/menu.lst')[0]).toMatch(/^ {2}GNU nano 1\.3\.12 +File: \/boot\/grub\/menu\.lst$/)
    typed('\x17107\r')
    typed('\x1b[C\x1b[C\x1b[C\x7f')
    expect(typed('\x18').join('\n')).toContain('Save modified buffer (ANSWERING "No" WILL DESTROY CHANGES) ?')
    expect(typed('y').join('\n')).toContain('File Name to Write: /boot/grub/menu.lst')
    expect(lastOf(typed('\r'))).toBe(PROMPT.trimEnd())
    expect(shown('grep timeout /boot/grub/menu.lst')[1]).toBe('timeout 10')
  })
})

test('passwd asks twice, complains, and the new password is asked for at the next login', () => {
  shown('passwd')
  typed('abc\r')
  expect(lastOf(typed('abd\r', 1))).toBe('New UNIX password:')
  expect(host.screen()).toContain('BAD PASSWORD: it is too short')
  expect(host.screen()).toContain('Sorry, passwords do not match.')
  typed('Secret99x\r')
  expect(typed('Secret99x\r', 1).join('\n')).toContain('passwd: all authentication tokens updated successfully.')
  typed('\x04', 2)
  typed('root\r')
  typed('wrong\r', 4)
  expect(host.screen()).toContain('Login incorrect')
  typed('root\r')
  expect(lastOf(typed('Secret99x\r', 1))).toBe(PROMPT.trimEnd())
})
