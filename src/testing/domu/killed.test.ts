/** The toolstack is killed, or a guest is paused, wherever it may be in the midst of something: what was begun is given back. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'
import { campaign } from '../soak.ts'
import { holdings, rows } from './host-facts.ts'

let host: Dom0Host
let before: ReturnType<typeof holdings>
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
  // What stays after the first one: a module.
  host.run('modprobe loop; xm list')
  before = holdings(host)
}, 120_000)

/** Whatever guests there are, end them. */
const destroyAll = (): void => {
  host.run("xend start; sleep 1; for d in $(xm list | awk '$2 > 0 { print $2 }'); do xm destroy $d; done; sleep 3")
}

describe('xend is killed', () => {
  test.each([
    [
      'makes a guest with a file',
      'xm create sebastian',
      campaign([0, 0.008, 0.016, 0.025, 0.035, 0.05], [0, 0.016, 0.035]),
    ],
    ['makes a guest with a partition', 'xm create minimal', campaign([0.006, 0.018, 0.03], [0.018])],
    [
      'starts one anew',
      'xm create minimal extra="init=/bin/true" on_crash=restart',
      campaign([0.05, 0.11, 0.17, 0.3], [0.05, 0.17]),
    ],
    ['destroys one', 'xm create sebastian; sleep 1; xm destroy sebastian', campaign([1.05, 1.07, 1.1], [1.05, 1.1])],
  ])(
    'while it %s',
    (_, command, points) => {
      for (const seconds of points) {
        host.run(`(${command}) > /dev/null 2>&1 & sleep ${seconds}; kill -9 $(cat /var/run/xend.pid); wait; sleep 1`)
        destroyAll()
        expect({ seconds, domains: rows(host).length }).toEqual({ seconds, domains: 1 })
        expect({ seconds, ...holdings(host) }).toEqual({ seconds, ...before })
      }
    },
    240_000,
  )
})

test('a guest is paused while it is made', () => {
  for (const seconds of campaign([0, 0.02, 0.04, 0.1], [0.02, 0.04])) {
    host.run(
      `xm create sebastian > /dev/null 2>&1 & sleep ${seconds}; xm pause sebastian > /dev/null 2>&1; wait; sleep 1`,
    )
    host.run('xm unpause sebastian')
    host.inGuest('sebastian', 'sebastian', () => expect(host.run('uname -n').output).toBe('sebastian'))
    destroyAll()
    expect({ seconds, ...holdings(host) }).toEqual({ seconds, ...before })
  }
}, 240_000)
