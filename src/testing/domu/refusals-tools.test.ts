/** What the tools around xend say to wrong input: xenstore-*, xenconsole, and the daemons' options. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

let host: Dom0Host
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
  host.run('xenstore-write /here 1; PATH=$PATH:/usr/lib/xen/bin')
}, 200_000)

/** The status, and all that is said. */
const said = (command: string): string => {
  const { output, status } = host.run(`${command} 2>&1`)
  return `${status} ${output}`
}

describe('xenstore', () => {
  test.each([
    ['read', '1 xenstore-read: Usage: xenstore-read [-h] [-p] [-s] key [...]'],
    ['read -x', '1 xenstore-read: invalid option -- x\nxenstore-read: Usage: xenstore-read [-h] [-p] [-s] key [...]'],
    ['read /nosuch', "1 xenstore-read: couldn't read path /nosuch"],
    ['read a//b', "1 xenstore-read: couldn't read path a//b"],
    ['read /here /nosuch', "1 xenstore-read: couldn't read path /nosuch\n1"],
    ['read "/a b"', "1 xenstore-read: couldn't read path /a b"],
    ['write /a', '1 xenstore-write: Usage: xenstore-write [-h] [-s] key value [...]'],
    ['write /a 1 /b', '1 xenstore-write: Usage: xenstore-write [-h] [-s] key value [...]'],
    ['write "/a b" 1', '1 xenstore-write: could not write path /a b'],
    ['rm', '1 xenstore-rm: Usage: xenstore-rm [-h] [-s] [-t] key [...]'],
    ['rm /', '1 xenstore-rm: could not remove path /'],
    // It is gone: what more is there to want.
    ['rm /nosuch', '0 '],
    ['rm /nosuch/below', '1 xenstore-rm: could not remove path /nosuch/below'],
    ['list /nosuch', '1 xenstore-list: could not list path /nosuch'],
    ['ls /nosuch', '1 xenstore-ls: xs_directory (/nosuch): No such file or directory'],
    ['exists', '1 xenstore-exists: Usage: xenstore-exists [-h] [-s] key [...]'],
    ['exists /nosuch', '1 '],
    ['chmod', '1 xenstore-chmod: Usage: xenstore-chmod [-h] [-s] key <mode [modes...]>'],
    ['chmod /here x0', "1 xenstore-chmod: Invalid permission specification: 'x'"],
    [
      'chmod /nosuch r0',
      "1 xenstore-chmod: Error occurred setting permissions on '/nosuch': No such file or directory",
    ],
    ['watch', '1 xenstore-watch: Usage: xenstore-watch [-h] [-n NR] key'],
  ])('xenstore-%s', (args, text) => expect(said(`xenstore-${args}`)).toBe(text))

  test('all or nothing: of several the last is wrong', () => {
    expect(said('xenstore-write /one 1 "/a b" 2')).toBe('1 xenstore-write: could not write path /a b')
    expect(said('xenstore-exists /one')).toBe('1 ')
  })

  test('a value that no message holds', () => {
    expect(said('xenstore-write /one "$(head -c 5000 /dev/zero | tr "\\000" a)"')).toMatch(
      /^1 .*could not write path \/one$/s,
    )
    expect(said('xenstore-exists /one')).toBe('1 ')
  })
})

const TRY = "Try `xenconsole --help' for more information."

describe('the daemons and the console', () => {
  test.each([
    ['xenconsole', `22 Invalid number of arguments\n${TRY}`],
    ['xenconsole 1 2', `22 Invalid number of arguments\n${TRY}`],
    ['xenconsole abc', `22 Invalid DOMID \`abc'\n${TRY}`],
    ['xenconsole 0', "22 Can't specify Domain-0"],
    ['xenconsole 99', '2 xenconsole: Could not read tty from store: No such file or directory'],
    ['xenconsoled --foo', "22 xenconsoled: unrecognized option `--foo'\nTry `xenconsoled --help' for more information"],
    ['xenconsoled -V', '0 Xen Console Daemon 3.0'],
    ['xend', '1 usage: /usr/sbin/xend {start|stop|reload|restart}'],
    ['xend foo', '1 not an option: foo'],
    ['xend start', '0 '],
    ['xend status', '0 '],
    ['xenstored --pid-file /var/run/xenstore.pid', '0 '],
    ['xm console 0', "22 Can't specify Domain-0"],
  ])('%s', (command, text) => expect(said(command).replaceAll('/usr/lib/xen/bin/', '')).toBe(text))

  test('a second xenstored without a pid file finds the first one there', () => {
    host.run('xenstored --no-fork > /tmp/out 2>&1')
    expect(host.run('cat /tmp/out').output).toMatch(/^FATAL: Failed to initialize dom0 state: Invalid argument/)
    expect(host.run('xm list').status).toBe(0)
  })
})
