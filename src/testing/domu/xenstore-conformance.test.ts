/** The table of testing/xenstore/cases.ts on the whole host: by the daemon's sockets and the kernels' devices, in domain 0 and in a guest. */
import { beforeAll, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { compileProgram } from '../dom0/test-program.ts'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { CASES } from '../xenstore/cases.ts'
import { hosted } from '../xenstore/hosted.ts'
// Compiled from its source below.
import '../xenstore/xstalk.ts'

const table = hosted(CASES)
const IMAGE = '/var/lib/xen/images/sebastian.img'

let host: Dom0Host
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.writeFile('/root/xstalk', compileProgram('xstalk', 'testing/xenstore/xstalk.ts'), 0o755)
  for (const file of ['before', 'guest', 'after'] as const) fs.writeFile(`/root/${file}`, bytesOfString(table[file]))
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
  expect(host.run(`mount -o loop ${IMAGE} /mnt && cp xstalk guest /mnt/root && umount /mnt`).status).toBe(0)
  expect(host.run('xm create sebastian').status).toBe(0)
  // All that a new domain is about has been said by then.
  host.runFor(5)
}, 120_000)

const said = (text: string): string | undefined => text.trim().split('\n').at(-1)
const allRight = (script: string): RegExp => {
  const lines = script.split('\n').filter((line) => line !== '')
  const titles = lines.filter((line) => line.startsWith('#')).length
  return new RegExp(`^${titles} cases, ${lines.length - titles} lines, 0 wrong$`)
}

test('at least 200 cases', () => {
  expect(table.cases).toBeGreaterThan(200)
  expect(table.guestCases).toBeGreaterThan(40)
})

test('domain 0, a guest, and domain 0 again are answered as the table says', () => {
  const before = host.run('./xstalk before').output
  expect(said(before), before).toMatch(allRight(table.before))
  host.inGuest('sebastian', 'sebastian', () => {
    const guest = host.run('./xstalk guest').output
    expect(said(guest), guest).toMatch(allRight(table.guest))
  })
  const after = host.run('./xstalk after').output
  expect(said(after), after).toMatch(allRight(table.after))
})
