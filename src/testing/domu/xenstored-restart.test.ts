/** xenstored is updated in place, ended, or killed, with a guest at its ring and clients at work: nothing of the store is lost, and nobody hangs. */
import { beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { compileProgram } from '../dom0/test-program.ts'
// Compiled from its source below.
import '../dom0/xcbuild.ts'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { rows } from './host-facts.ts'

const PID_FILE = '/var/run/xenstore.pid'
const START = `xenstored --pid-file ${PID_FILE}`
/** As the first one holds its pid file, a second would end at once. */
const end = (kill: string): string =>
  `p=$(cat ${PID_FILE}); ${kill} $p; while kill -0 $p 2> /dev/null; do sleep 0.01; done`

/** xend and xenconsoled have lost their connection and their watches with it, as in life; both are started anew. */
const RENEW = 'killall xenconsoled; xend restart; sleep 1'

let host: Dom0Host
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.writeFile('/root/xcbuild', compileProgram('xcbuild', 'testing/dom0/xcbuild.ts'), 0o755)
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
  host.run('xm create sebastian; sleep 2')
}, 240_000)

const run = (command: string): string => {
  const { output, status } = host.run(command)
  // The shell's news of its jobs are not of interest.
  const lines = output.split('\n').filter((line) => line !== '' && !/^\[\d\][-+ ]/.test(line))
  return [...lines, status].join('\n')
}
const store = (): string => host.run('xenstore-ls -s -f -p').output
const pid = (): string => host.run(`cat ${PID_FILE}`).output

test('the state is in memory, and root alone may read it', () => {
  expect(run('stat -c "%a %U %n" /dev/shm/xenstored /dev/shm/xenstored/state; stat -f -c %T /dev/shm')).toBe(
    '700 root /dev/shm/xenstored\n600 root /dev/shm/xenstored/state\ntmpfs\n0',
  )
})

/** So many writes, one by one, of a program that stops at the first that fails. */
const WRITES = 150
const loop = (dir: string, result: string): string =>
  `(sleep 1; i=0; while [ $i -lt ${WRITES} ] && xenstore-write ${dir}/$i v$i; do i=$((i+1)); done; echo $i) > ${result} 2>&1 &`
const written = (path: string): string =>
  run(`xenstore-list ${path} | wc -l; xenstore-read ${path}/0 ${path}/${WRITES - 1}`)
const ALL_WRITTEN = `${WRITES}\nv0\nv${WRITES - 1}\n0`

describe('a live update', () => {
  test('is noticed by nobody', () => {
    const [tree, before] = [store(), pid()]
    host.run('xenstore-watch -s -n 3 /lu > /tmp/s & xenstore-watch -n 3 /lu > /tmp/k & sleep 1')
    expect(run('xenstore-control live-update')).toBe('0')
    expect(pid()).toBe(before)
    expect(store()).toBe(tree)
    expect(run('xenstore-write /lu/a 1; xenstore-write -s /lu/b 2; wait')).toBe('0')
    expect(run('cat /tmp/s /tmp/k; xenstore-rm /lu')).toBe('/lu\n/lu/a\n/lu/b\n/lu\n/lu/a\n/lu/b\n0')
    expect(rows(host).map(({ name }) => name)).toEqual(['Domain-0', 'sebastian'])
    host.inGuest('sebastian', 'sebastian', () => expect(run('xenstore-read name')).toBe('sebastian\n0'))
  })

  test('happens in the midst of a guest’s birth and end', () => {
    for (const seconds of [0, 0.02, 0.05]) {
      const birth = `xm create minimal > /dev/null & sleep ${seconds}; xenstore-control live-update; wait; xm list minimal > /dev/null`
      expect({ seconds, birth: run(birth) }).toEqual({ seconds, birth: '0' })
      expect(run(`xm destroy minimal & sleep ${seconds}; xenstore-control live-update; wait; sleep 1`)).toBe('0')
      expect(run('xenstore-list /local/domain | wc -l')).toBe('2\n0')
    }
  })

  test('of a program that is none changes nothing', () => {
    expect(run('xenstore-control live-update /etc/passwd')).toBe(
      'Starting live update failed:\nFile not executable.\n3',
    )
    expect(run('xenstore-control live-update /none')).toBe('Starting live update failed:\nFile not accessible.\n3')
    host.run('echo nothing > /tmp/none; chmod 755 /tmp/none')
    expect(run('xenstore-control live-update /tmp/none')).toBe(
      'Starting live update failed:\nError activating new binary.\n3',
    )
    expect(run('xenstore-write /still here; xenstore-read -s /still; xenstore-rm /still')).toBe('here\n0')
  })

  test('takes other options, and another file', () => {
    host.run('cp /usr/sbin/xenstored /tmp/newer')
    expect(run(`xenstore-control live-update -c "--pid-file ${PID_FILE} --verbose -T /tmp/trace" /tmp/newer`)).toBe('0')
    expect(run('xenstore-write /o 1; grep -c "Got message WRITE" /tmp/trace')).toBe('1\n0')
    expect(run(`xenstore-control live-update -c "--pid-file ${PID_FILE}"; xenstore-rm /o`)).toBe('0')
  })
})

describe.each([
  ['live update', 'xenstore-control live-update'],
  ['SIGTERM', `${end('kill')}; ${START}`],
  ['SIGKILL', `${end('kill -9')}; ${START}`],
])('%s, again and again', (title, command) => {
  test('while programs of dom0 and of a guest write through their kernels', () => {
    host.inGuest('sebastian', 'sebastian', () => host.run(loop('data/w', '/tmp/w')))
    host.run(loop('/w', '/tmp/w'))
    host.run(`for i in 1 2 3 4 5; do ${command}; sleep 0.$i; done`)
    host.run('wait; sleep 3')
    expect(run('cat /tmp/w')).toBe(`${WRITES}\n0`)
    expect(written('/w')).toBe(ALL_WRITTEN)
    expect(written('/local/domain/1/data/w')).toBe(ALL_WRITTEN)
    if (title !== 'live update') host.run(RENEW)
    host.inGuest('sebastian', 'sebastian', () => expect(run('cat /tmp/w; xenstore-rm data/w')).toBe(`${WRITES}\n0`))
    expect(run('xenstore-rm /w; xenstore-control check')).toBe('0')
  }, 120_000)
})

describe.each([
  ['SIGTERM', 'kill'],
  ['SIGKILL', 'kill -9'],
])('ended by %s and started again', (_, kill) => {
  test('it goes on where it was', () => {
    host.run('xenstore-write /k/a "two words" /k/b "" ; xenstore-chmod /k/b n1 r2')
    const tree = store()
    host.run('xenstore-watch -n 3 /k > /tmp/k & sleep 1')
    expect(run(`${end(kill)}; ${START}; sleep 1`)).toBe('0')
    expect(store()).toBe(tree)
    expect(run('xenstore-write /k/c 1 /k/d 2; wait')).toBe('0')
    expect(run('cat /tmp/k; xenstore-rm /k')).toBe('/k\n/k/c\n/k/d\n0')
  })

  test('requests of dom0’s kernel wait for it', () => {
    host.run(`${end(kill)}; xenstore-write /q/a 1 > /tmp/q 2>&1 & sleep 1`)
    expect(run(`${START}; wait; cat /tmp/q; xenstore-read /q/a; xenstore-rm /q`)).toBe('1\n0')
  })

  test('xend is restarted, and makes and ends guests', () => {
    host.run(RENEW)
    expect(rows(host).map(({ name }) => name)).toEqual(['Domain-0', 'sebastian'])
    host.inGuest('sebastian', 'sebastian', () => expect(run('xenstore-read name')).toBe('sebastian\n0'))
    expect(run('xm create minimal > /dev/null; sleep 1; xm list minimal > /dev/null; xm destroy minimal')).toBe('0')
    host.run('sleep 2')
    expect(run('xenstore-list /local/domain | wc -l')).toBe('2\n0')
  })
})

test('a domain that ends while there is no daemon is gone afterwards', () => {
  host.run('xm create minimal > /dev/null; sleep 1; d=$(xm domid minimal)')
  expect(run(`xenstore-exists /local/domain/$d; ${end('kill -9')}`)).toBe('0')
  expect(run('./xcbuild destroy $d; sleep 1')).toBe('0')
  host.run(`${START}; sleep 1; ${RENEW}`)
  expect(rows(host).map(({ name }) => name)).toEqual(['Domain-0', 'sebastian'])
})

test('a state that is damaged, forged or somebody else’s is not taken up, and does no harm', () => {
  for (const spoil of [
    'echo nonsense > /dev/shm/xenstored/state',
    'printf x | dd of=/dev/shm/xenstored/state bs=1 seek=40 conv=notrunc 2> /dev/null',
    'rm -rf /dev/shm/xenstored; mkdir /dev/shm/xenstored; chmod 777 /dev/shm/xenstored',
  ]) {
    host.run(`${end('kill -9')}; ${spoil}; ${START}; sleep 1`)
    expect(run('xenstore-list -s /')).toBe('tool\n0')
    // Without -f root's rm asks.
    host.run('rm -rf /dev/shm/xenstored')
  }
})
