/** xenstored on the whole host: over its sockets, over dom0's ring, over another domain's; with clients that do not behave. */
import { beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { compileProgram } from './test-program.ts'
// Compiled from their sources below.
import './xcbuild.ts'
import './xsprobe.ts'
import { WORKS } from './xsbench.ts'

const VMLINUZ = '/boot/vmlinuz-2.6.18.8-xen'

let host: Dom0Host
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.writeFile('/root/xcbuild', compileProgram('xcbuild', 'testing/dom0/xcbuild.ts'), 0o755)
  fs.writeFile('/root/xsprobe', compileProgram('xsprobe', 'testing/dom0/xsprobe.ts'), 0o755)
  fs.writeFile('/root/xsbench', compileProgram('xsbench', 'testing/dom0/xsbench.ts'), 0o755)
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
  host.run('killall xenconsoled xenstored xend 2> /dev/null; sleep 1; rm -rf /var/run/xenstore.pid /dev/shm/xenstored')
}, 120_000)

const run = (command: string): string => {
  const { output, status } = host.run(command)
  return `${output}${output === '' ? '' : '\n'}${status}`
}

describe('the daemon', () => {
  test('without it nobody is at the socket', () => {
    expect(run('rm -f /var/run/xenstored/*; xenstore-read -s /tool')).toBe(
      'xenstore-read: xs_daemon_open: No such file or directory\n1',
    )
    expect(run('xenstore-control check')).toBe('Failed to contact Xenstored.\n1')
  })

  test('starts in the background, once', () => {
    expect(run('xenstored --pid-file=/var/run/xenstore.pid')).toBe('0')
    expect(run('sleep 1; kill -0 `cat /var/run/xenstore.pid`')).toBe('0')
    expect(run('stat -c "%A %n" /var/run/xenstored/*')).toBe(
      'srw------- /var/run/xenstored/socket\nsrw-rw---- /var/run/xenstored/socket_ro\n0',
    )
    expect(run('xenstored --pid-file=/var/run/xenstore.pid; pgrep xenstored | wc -l')).toBe('1\n0')
  })

  test('both ways lead to one tree', () => {
    expect(run('xenstore-write -s /a one /b/c two')).toBe('0')
    expect(run('xenstore-read /a /b/c')).toBe('one\ntwo\n0')
    expect(run('xenstore-write relative here; xenstore-ls -s -f')).toBe(
      [
        '/tool = ""',
        '/tool/xenstored = ""',
        '/a = "one"',
        '/b = ""',
        '/b/c = "two"',
        '/local = ""',
        '/local/domain = ""',
        '/local/domain/0 = ""',
        '/local/domain/0/relative = "here"',
        '0',
      ].join('\n'),
    )
    expect(run('xenstore-read -s relative')).toBe("xenstore-read: couldn't read path relative\n1")
    expect(run('xenstore-rm /a; xenstore-rm -s -t /b/c; xenstore-rm /local; xenstore-list -s /')).toBe('tool\n0')
  })

  test('a watch through the kernel, and one through the socket, see each other’s writes', () => {
    for (const [one, other] of [
      ['', '-s'],
      ['-s', ''],
    ])
      expect(
        run(
          `xenstore-watch ${one} -n 3 /w > /tmp/w & sleep 1; xenstore-write ${other} /w/x 1 /w/y 2; wait; cat /tmp/w`,
        ),
      ).toContain('/w\n/w/x\n/w/y\n')
    run('xenstore-rm /w')
  })

  test('few system calls for a client', () => {
    expect(run('./xsprobe cost')).toBe('socket: read 2, write 2\nring: read 2, write 2\n0')
    run('xenstore-rm /cost')
  })

  test('all the work of the bench is done', () => {
    const works = Object.keys(WORKS)
    expect(run(`for work in ${works.join(' ')}; do echo "$work 0"; echo "$work 3"; done | ./xsbench`)).toBe(
      `ready\n${'done\n'.repeat(2 * works.length)}0`,
    )
    expect(run('xenstore-exists /bench')).toBe('1')
  })

  test('transactions over the ring and the socket collide, and all get through', () => {
    const loop = (option: string, name: string): string =>
      `for i in 1 2 3 4 5 6 7 8 9; do xenstore-write ${option} /t/${name}$i 1 /u/${name}$i 2; done`
    run(`(${loop('', 'r')}) & (${loop('-s', 's')}) & (${loop('', 'q')}) & wait`)
    expect(run('xenstore-list /t | wc -l; xenstore-list /u | wc -l; xenstore-rm /t /u')).toBe('27\n27\n0')
  })
})

describe('clients that do not behave', () => {
  test.each([
    ['long', 'ended 9\n0'],
    ['half', '0'],
    ['noise', 'ended 9\n0'],
    ['many 100', '100 connections\n0'],
    ['pipe 3000', '3000 answers\n0'],
  ])('%s', (verb, wanted) => {
    expect(run(`./xsprobe ${verb}`)).toBe(wanted)
    expect(run('xenstore-list -s /')).toBe('tool\n0')
  })

  test('one that floods, and one that does not listen, wait alone', () => {
    expect(
      run('(./xsprobe flood 3 > /tmp/f; ./xsprobe deaf 1) & sleep 1; xenstore-write /f 1; xenstore-read -s /f'),
    ).toMatch(/(^|\n)1\n0$/)
    expect(run('wait; cat /tmp/f; xenstore-rm /f; xenstore-list /')).toMatch(/still connected\ntool\n/)
  })
})

describe('other domains', () => {
  const free = (): string => run('./xcbuild free')

  test('one is served over its ring, its crash and its end are told, and nothing of it stays', () => {
    const before = free()
    run('xenstore-watch -n 3 @introduceDomain @releaseDomain > /tmp/w & sleep 1')
    const domid = /^domid=(\d+)/.exec(run(`./xcbuild start bob 32 ${VMLINUZ} "root=/dev/none panic=0"; sleep 2`))![1]
    expect(run(`xenstore-read /local/domain/${domid}/name; ./xcbuild list`)).toMatch(
      /^bob\n0 \d+ ----\n\d+ 8192 --c-\n0$/,
    )
    expect(run('wait; cat /tmp/w')).toMatch(/@introduceDomain\n@releaseDomain\n@introduceDomain\n/)
    run('xenstore-watch -n 2 @releaseDomain > /tmp/w & sleep 1')
    expect(run(`./xcbuild destroy ${domid}; wait; cat /tmp/w`)).toMatch(/@releaseDomain\n@releaseDomain\n/)
    expect(run(`xenstore-rm /local; ./xcbuild list`)).toMatch(/^0 \d+ ----\n0$/)
    expect(free()).toBe(before)
  })

  test('the daemon is killed while one runs: another goes on where it was, dom0 speaks to it, no frame leaks', () => {
    const before = free()
    const domid = /^domid=(\d+)/.exec(run(`./xcbuild start bob 32 ${VMLINUZ} "root=/dev/none panic=0"; sleep 1`))![1]
    const tree = run('xenstore-ls -s')
    expect(tree).toContain(`\n  ${domid} = ""\n   domid = "${domid}"\n   name = "bob"\n`)
    expect(run('kill -9 `cat /var/run/xenstore.pid`; sleep 1; xenstore-read -s /tool')).toBe(
      'xenstore-read: xs_daemon_open: Connection refused\n1',
    )
    expect(run('xenstored --pid-file=/var/run/xenstore.pid; sleep 1; xenstore-ls')).toBe(tree)
    expect(run('xenstore-ls -s')).toBe(tree)
    run(`./xcbuild destroy ${domid}; sleep 1; xenstore-rm /local`)
    expect(free()).toBe(before)
  })
})

test('SIGTERM ends it; SIGHUP opens its trace anew', () => {
  run('kill `cat /var/run/xenstore.pid`; sleep 1')
  expect(run('pgrep xenstored')).toBe('1')
  run(
    'xenstored --pid-file=/var/run/xenstore.pid -T /tmp/trace; sleep 1; xenstore-read -s /tool; mv /tmp/trace /tmp/old',
  )
  run('kill -HUP `cat /var/run/xenstore.pid`; sleep 1; xenstore-write -s /x 1')
  expect(run('cat /tmp/old')).toMatch(/IN 0x([0-9a-f]+) \d{8} \d\d:\d\d:\d\d READ \(\/tool \)\nOUT 0x\1 .* READ \(\)\n/)
  expect(run('cat /tmp/trace')).toMatch(
    /^\n\*\*\*\nCREATE connection (0x[0-9a-f]+)\nIN \1 .* WRITE \(\/x 1\)\nOUT \1 .* WRITE \(OK \)\nDESTROY connection \1\n0$/,
  )
})
