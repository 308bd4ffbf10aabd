/** xenconsoled and xenconsole against domains that only have a console: one that answers, one that floods, one that lies about its ring. */
import { beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { compileGuest, compileProgram } from './test-program.ts'
// What is compiled below.
import '../guests/console-guest.ts'
import './xcbuild.ts'

let host: Dom0Host
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.writeFile('/root/xcbuild', compileProgram('xcbuild', 'testing/dom0/xcbuild.ts'), 0o755)
  fs.writeFile('/root/guest', compileGuest('guest', 'testing/guests/console-guest.ts'))
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
  // xend would take these domains for its own, and each test wants a console daemon of its own.
  host.run('/etc/init.d/xend stop; killall xenconsoled; sleep 1')
}, 120_000)

const PROMPT = /# $/

/** The new domain's id. */
function started(what: string): string {
  const { output } = host.run(`./xcbuild start ${what} 16 guest ${what}`)
  const domid = /^domid=(\d+)/.exec(output)?.[1]
  expect(domid, output).toBeDefined()
  return domid!
}

function ended(domid: string): void {
  host.run(`./xcbuild destroy ${domid}; xenstore-rm /local/domain/${domid}; sleep 1`)
  expect(host.run('ls /dev/pts | wc -l; ./xcbuild list | wc -l').output).toBe('0\n1')
}

const heap = (): number => Number(host.run("grep VmData /proc/$(pgrep xenconsoled)/status | tr -dc '0-9'").output)

/** What is in front of the prompt after ^] has ended xenconsole. */
function leave(): string {
  const from = host.text.length
  host.type('\x1d')
  host.waitFor(PROMPT)
  return host.text.slice(from)
}

describe('a domain that answers', () => {
  let domid: string
  test('hears what is typed, and is heard', () => {
    host.run('xenconsoled --log=guest; sleep 1')
    domid = started('echo')
    host.type(`/usr/lib/xen/bin/xenconsole ${domid}\r`)
    host.runFor(1)
    host.type('hello, world')
    host.waitFor('HELLO, WORLD')
    leave()
    // ^] counts only when it comes alone.
    const { output } = host.run(
      `(printf 'a\\035b'; sleep 1) | /usr/lib/xen/bin/xenconsole ${domid} | od -An -tx1; printf '\\035' > /tmp/esc; /usr/lib/xen/bin/xenconsole ${domid} < /tmp/esc; echo left $?`,
    )
    expect(output).toBe(' 41 1d 42\nleft 0')
  })

  test('gets all of a long input, in order, though its ring is smaller', () => {
    host.run('seq 1 1500 > /tmp/in')
    const { output } = host.run(
      `(cat /tmp/in; sleep 2) | /usr/lib/xen/bin/xenconsole ${domid} | tr -d '\\r\\n' | md5sum; tr -d '\\n' < /tmp/in | md5sum`,
    )
    expect(Number(host.run('wc -c < /tmp/in').output)).toBeGreaterThan(6000)
    const [heard, typed] = output.split('\n')
    expect(heard).toBe(typed)
  })

  test('two clients share the output; both get to speak', () => {
    host.run(
      `(sleep 1; printf one; sleep 1) | /usr/lib/xen/bin/xenconsole ${domid} > /tmp/1 & (sleep 2; printf two; sleep 1) | /usr/lib/xen/bin/xenconsole ${domid} > /tmp/2; wait`,
    )
    expect(host.run('cat /tmp/1 /tmp/2 | fold -w 1 | sort | tr -d "\\n"').output).toBe('ENOOTW')
    expect(host.run('cat /var/log/xen/console/guest-echo.log').output).toContain('HELLO, WORLD')
  })

  test('has its log opened anew after a SIGHUP, with the time on each line if that was asked for', () => {
    host.run(
      'killall xenconsoled; sleep 1; rm -f /var/log/xen/console/guest-echo.log; xenconsoled --log=guest -t all; sleep 1',
    )
    const say = (text: string): unknown =>
      host.run(`(printf '${text}\\n'; sleep 1) | /usr/lib/xen/bin/xenconsole ${domid} > /dev/null`)
    say('one')
    host.run('cd /var/log/xen/console; mv guest-echo.log old; killall -HUP xenconsoled; sleep 1; cd')
    say('two')
    expect(host.run('cat /var/log/xen/console/old').output).toMatch(/^\[2009-05-\d\d [\d:]+\] Logfile Opened(.|\n)*ONE/)
    const { output } = host.run('cat /var/log/xen/console/guest-echo.log')
    expect(output).toMatch(/Logfile Opened(.|\n)*TWO/)
    expect(output).not.toContain('ONE')
  })

  test('goes with its terminal', () => {
    ended(domid)
  })
})

describe('a domain that floods', () => {
  test('with nobody reading: its output is bounded, dom0 stays usable', () => {
    host.run('killall xenconsoled; sleep 1; xenconsoled; sleep 1')
    const empty = heap()
    const domid = started('flood')
    host.runFor(5)
    const before = heap()
    host.runFor(5)
    expect(heap()).toBe(before)
    expect(before - empty).toBeLessThan(3072)
    expect(host.run('echo alive').output).toBe('alive')
    // What it said first is still there.
    expect(host.run(`sleep 1 | /usr/lib/xen/bin/xenconsole ${domid} | head -n 2`).output).toBe('line 0\nline 1')
    host.type(`/usr/lib/xen/bin/xenconsole ${domid} | head -c 20000 | tail -n 3\r`)
    host.waitFor(/line \d+\nline \d+\n/)
    leave()
    ended(domid)
    expect(heap()).toBe(empty)
  })

  test('with -o keep: the domain waits, and no line is lost', () => {
    host.run('killall xenconsoled; sleep 1; xenconsoled -o keep; sleep 1')
    const domid = started('flood')
    host.runFor(2)
    host.run(`sleep 4 | /usr/lib/xen/bin/xenconsole ${domid} | head -c 60000 > /tmp/lines`)
    const numbers = host
      .run(
        "sed -n 's/^line //p' /tmp/lines | tail -n +2 | awk 'NR > 1 && $1 != last + 1 { print NR, last, $1 } { last = $1 } END { print NR }' | tail -3",
      )
      .output.split('\n')
    expect(numbers).toHaveLength(1)
    expect(Number(numbers[0])).toBeGreaterThan(1000)
    ended(domid)
  })
})

describe('a domain that lies about its ring', () => {
  test('is heard when it is sane, and harms nobody', () => {
    host.run('killall xenconsoled; sleep 1; xenconsoled --log=guest; sleep 1')
    const liar = started('mad')
    const honest = started('echo')
    host.type(`/usr/lib/xen/bin/xenconsole ${liar}\r`)
    host.waitFor(/sane \d+9\n/)
    host.type('input for a ring that is no ring')
    host.waitFor(/sane \d+9\n/)
    leave()
    host.type(`/usr/lib/xen/bin/xenconsole ${honest}\r`)
    host.runFor(1)
    host.type('still here')
    host.waitFor('STILL HERE')
    leave()
    host.run(`./xcbuild destroy ${honest}; xenstore-rm /local/domain/${honest}`)
    ended(liar)
  })

  test('a ring-ref or port that is none leaves the daemon as it is', () => {
    const domid = started('echo')
    for (const [key, value] of [
      ['ring-ref', '0'],
      ['ring-ref', '99999999'],
      ['ring-ref', '-1'],
      ['ring-ref', 'x'],
      ['port', '4095'],
      ['port', '99999'],
      ['tty', '/etc/passwd'],
      ['limit', '1'],
      ['type', 'ioemu'],
    ])
      host.run(`xenstore-write /local/domain/${domid}/console/${key} ${value}; sleep 1`)
    expect(host.run('pgrep -l xenconsoled').output).toMatch(/^\d+ xenconsoled$/)
    ended(domid)
    const next = started('echo')
    expect(host.run(`sleep 1; xenstore-read /local/domain/${next}/console/tty`).output).toMatch(/^\/dev\/pts\/\d$/)
    ended(next)
  })
})
