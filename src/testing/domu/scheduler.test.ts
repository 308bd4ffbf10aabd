/** Processor time as an administrator shares it out: xm sched-credit and xm vcpu-pin, seen in xm list's Time(s). */
import { expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { compileGuest } from '../dom0/test-program.ts'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
// What is compiled below.
import '../guests/busy-guest.ts'
import { row, rows } from './host-facts.ts'

const NAMES = ['light', 'heavy'] as const

test('weights, a cap, and a processor for each', async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.writeFile('/root/busy', compileGuest('busy', 'testing/guests/busy-guest.ts'))
  fs.unmount()
  const host = new Dom0Host({ base, disk })
  host.boot()
  const quiet = (command: string): void => expect(host.run(command), command).toEqual({ output: '', status: 0 })
  // What xm itself computes goes to the other processor.
  quiet('xm vcpu-pin Domain-0 all 1')
  for (const name of NAMES) {
    expect(host.run(`xm create /dev/null kernel=/root/busy memory=8 name=${name}`).status).toBe(0)
    quiet(`xm vcpu-pin ${name} 0 0`)
  }
  /** Processors' worth of time that each gets in about so many seconds. */
  const shares = (seconds: number): number[] => {
    const times = (): number[] => {
      const list = rows(host)
      return NAMES.map((name) => list.find((found) => found.name === name)?.time ?? Number.NaN)
    }
    const before = times()
    const from = host.world.nowNs()
    host.runFor(seconds)
    const after = times()
    return after.map((time, i) => ((time - before[i]!) * 1e9) / (host.world.nowNs() - from))
  }

  quiet('xm sched-credit -d heavy -w 512')
  expect(host.run('xm sched-credit -d heavy').output).toMatch(/\nheavy +2 +512 +0$/)
  host.runFor(1)
  const [light, heavy] = shares(10)
  expect(Math.abs(heavy! / light! - 2), `${light} ${heavy}`).toBeLessThan(0.06)

  quiet('xm sched-credit -d light -c 25')
  host.runFor(1)
  const [capped, rest] = shares(10)
  expect(Math.abs(capped! - 0.25), `${capped}`).toBeLessThan(0.02)
  expect(Math.abs(rest! - 0.75), `${rest}`).toBeLessThan(0.02)

  quiet('xm sched-credit -d light -c 0')
  quiet('xm sched-credit -d heavy -w 256')
  for (const name of NAMES) quiet(`xm vcpu-pin ${name} 0 all`)
  host.runFor(1)
  for (const share of shares(10)) expect(share).toBeGreaterThan(0.9)
  expect(row(host, 'light')?.state).toMatch(/^[r-]-----$/)
}, 200_000)
