/** Guests that misbehave, and a toolstack that is killed: domain 0 lives, and nothing is lost for good. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'
import { frames, ports, row, rows } from './host-facts.ts'

let base: { bytes: Uint8Array; known: string[] }
beforeAll(async () => {
  base = await buildDiskAndKnown()
}, 120_000)

const booted = (): Dom0Host => {
  const host = new Dom0Host({ base })
  host.boot()
  return host
}

test('a guest that does nothing but run', () => {
  const host = booted()
  host.run('xm create sebastian')
  host.type('xm console sebastian\r')
  host.waitFor('sebastian login: ')
  host.type('root\r')
  host.waitFor(/\[root@sebastian [^\]]*\]# $/)
  host.type('while :; do :; done\r')
  host.type('\x1d')
  host.waitFor(/\[root@xenhost [^\]]*\]# $/)
  const before = row(host, 'sebastian')!.time
  const start = host.world.nowNs()
  // Domain 0 has a processor's time as soon as it asks for it.
  expect(host.run('echo $((6*7))').output).toBe('42')
  expect((host.world.nowNs() - start) / 1e9).toBeLessThan(0.5)
  host.runFor(5)
  const used = row(host, 'sebastian')!.time - before
  expect(used).toBeGreaterThan(4)
  expect(used).toBeLessThan(8)
  expect(host.run('xm destroy sebastian').status).toBe(0)
  expect(row(host, 'sebastian')).toBeUndefined()
})

describe('a guest that dies', () => {
  test.each([
    ['its init ends', `extra="init=/bin/true" on_crash="preserve"`, 'preserve'],
    ['its init ends', `extra="init=/bin/true" on_crash="destroy"`, 'destroy'],
  ])('%s: %s', (_, words, action) => {
    const host = booted()
    const before = frames(host)
    expect(host.run(`xm create sebastian ${words}`).status).toBe(0)
    host.runFor(5)
    expect(
      host.run('tail -n 3 /var/log/xen/console/guest-sebastian.log 2>/dev/null; xm log | grep -c "has crashed"').output,
    ).toMatch(/^1$/m)
    if (action === 'preserve') {
      expect(row(host, 'sebastian')?.state).toBe('----c-')
      expect(host.run('xm destroy sebastian').status).toBe(0)
    }
    host.runFor(2)
    expect(row(host, 'sebastian')).toBeUndefined()
    expect(frames(host)).toEqual(before)
  })
})

test('twenty small guests, listed and destroyed', () => {
  const host = booted()
  const before = frames(host)
  const portsBefore = ports(host)
  const create = host.run('for n in $(seq 20); do xm create minimal name=m$n > /dev/null || echo failed $n; done')
  expect(create).toEqual({ output: '', status: 0 })
  expect(
    rows(host)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['Domain-0', ...Array.from({ length: 20 }, (_, i) => `m${i + 1}`)].sort())
  host.inGuest('m7', 'minimal', () => expect(host.run('uname -n').output).toBe('minimal'))
  expect(host.run('for n in $(seq 20); do xm destroy m$n || echo failed $n; done').output).toBe('')
  host.runFor(3)
  expect(rows(host)).toHaveLength(1)
  expect(frames(host)).toEqual(before)
  expect(ports(host)).toBe(portsBefore)
})

describe('xend is killed while it creates a guest', () => {
  test.each([0, 20, 60, 120, 250, 500])('after %i ms', (ms) => {
    const host = booted()
    host.run('xm list')
    const before = frames(host)
    host.type('xm create sebastian & \r')
    host.runFor(ms / 1000)
    host.run('kill -9 $(cat /var/run/xend.pid); sleep 1; xend start; sleep 1')
    expect(host.run('xm list').status).toBe(0)
    host.run('xm destroy sebastian; xm destroy 1; sleep 3')
    expect(rows(host)).toHaveLength(1)
    expect(frames(host)).toEqual(before)
  })
})
