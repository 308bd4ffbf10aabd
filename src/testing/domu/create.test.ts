/** A guest's life as its administrator sees it: create, use, shut down; every tool tells one story. */
import { beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { compileProgram } from '../dom0/test-program.ts'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { e2fsck, hasE2fsprogs } from '../e2fsprogs.ts'
import { frames, holdings, row, store } from './host-facts.ts'
// What is compiled below.
import './frametable.ts'

let host: Dom0Host
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.writeFile('/root/frametable', compileProgram('frametable', 'testing/domu/frametable.ts'), 0o755)
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
}, 120_000)

/** By sysctl: frames of the host that are neither free nor a domain's are Xen's own. */
function frameTable(): { readonly domains: readonly (readonly [number, number])[]; readonly xens: number } {
  const [[total = 0, free = 0] = [], ...owners] = host
    .run('./frametable')
    .output.split('\n')
    .map((line) => line.split(' ').map(Number))
  const domains = owners.map(([id = -1, pages = 0]) => [id, pages] as const)
  return { domains, xens: total - free - domains.reduce((sum, [, pages]) => sum + pages, 0) }
}

/** The guest's disk as the machine's platter has it: what is exported. */
const guestDisk = (name: string) =>
  name === 'sebastian'
    ? SparseDisk.fromRaw(host.file('/var/lib/xen/images/sebastian.img'))
    : partition(host.disk, readPartitions(host.disk)![1]!)

describe.each([
  ['a file', 'sebastian', 128],
  ['a partition', 'prospero', 64],
])('a guest whose disk is %s', (_, name, mib) => {
  test('is created, used, shut down, and nothing of it is left', () => {
    const before = holdings(host)
    const table = frameTable()
    expect(table.domains).toEqual([[0, 256 * 256]])
    expect(table.xens).toBeGreaterThan(0)
    expect(host.run(`xm create ${name}`)).toEqual({
      output: `Using config file "/etc/xen/${name}".\nStarted domain ${name}`,
      status: 0,
    })
    const { id } = row(host, name)!
    expect(row(host, name)).toMatchObject({ mem: mib, vcpus: 1 })
    expect(row(host, 'Domain-0')).toMatchObject({ id: 0, mem: 256 })
    host.inGuest(name, name, () => {
      const cpuinfo = host.run('cat /proc/cpuinfo').output
      expect(cpuinfo).toMatch(/^processor\t: 0\nvendor_id\t: GenuineIntel\n/)
      // What the tools have told Xen to show it: less than the processor has.
      expect(cpuinfo).toMatch(/^flags\t\t: .* pae .* sse2 .* syscall .* lm /m)
      expect(cpuinfo).not.toMatch(/ (mtrr|est|vme) /)
      expect(host.run('mount').output).toMatch(/^\/dev\/sda1 on \/ type ext2 \(rw\)/)
      expect(host.run('uname -n').output).toBe(name)
      expect(host.run('echo written here > /root/proof; sync').status).toBe(0)
    })
    const guestsPages: readonly [number, number] = [id, mib * 256]
    expect(frameTable()).toEqual({ domains: [[0, 256 * 256], guestsPages], xens: table.xens })
    const during = frames(host)
    expect(during.heap).toBe(frames(host).heap)
    expect(during.domains).toEqual([[0, 256 * 256], guestsPages])
    expect(store(host)).toContain(`/local/domain/0/backend/vbd/${id}/2049/state = "4"`)

    expect(host.run(`xm shutdown -w ${name}`)).toEqual({
      output: `Domain ${name} terminated\nAll domains terminated`,
      status: 0,
    })
    host.runFor(1)
    expect(row(host, name)).toBeUndefined()
    expect(frameTable()).toEqual(table)
    expect(holdings(host)).toEqual(before)
    host.run('sync')
    const disk = guestDisk(name)
    const fs = Ext2.mount(disk, { now: () => 0, readOnly: true })
    expect(String.fromCharCode(...fs.readFile('/root/proof'))).toBe('written here\n')
    if (!hasE2fsprogs) return
    const { status, output } = e2fsck(disk)
    expect(status, output).toBe(0)
  })
})

test('create -c shows the guest from its first line on', () => {
  const before = holdings(host)
  host.type('xm create -c sebastian\r')
  host.waitFor('Linux version 2.6.18.8-xen')
  host.waitFor('sebastian login: ')
  host.type('\x1d')
  host.waitFor(/\[root@xenhost [^\]]*\]# $/)
  expect(host.run('xm destroy sebastian')).toEqual({ output: '', status: 0 })
  host.runFor(1)
  expect(row(host, 'sebastian')).toBeUndefined()
  expect(holdings(host)).toEqual(before)
})

test('it is paused in the midst of its work on the disk, and goes on where it was', () => {
  const before = holdings(host)
  expect(host.run('xm create sebastian').status).toBe(0)
  host.inGuest('sebastian', 'sebastian', () => {
    host.run('(dd if=/dev/zero bs=4096 count=800 | tr "\\0" x > /root/big; sync; cksum /root/big > /root/sum; sync) &')
  })
  for (let i = 0; i < 5; i++) {
    expect(host.run('xm pause sebastian')).toEqual({ output: '', status: 0 })
    expect(row(host, 'sebastian')?.state).toMatch(/^-[b-]p---$/)
    const { time } = row(host, 'sebastian')!
    host.runFor(1)
    expect(row(host, 'sebastian')?.time).toBe(time)
    expect(host.run('xm unpause sebastian')).toEqual({ output: '', status: 0 })
    host.runFor(0.01 * i)
  }
  const sum = host.inGuest(
    'sebastian',
    'sebastian',
    () => host.run('wait; sleep 2; cat /root/sum; cksum /root/big').output,
  )
  const [first, second] = sum.split('\n')
  expect(first).toMatch(/^\d+ 3276800 /)
  expect(second).toBe(first)
  expect(host.run('xm shutdown -w sebastian').status).toBe(0)
  host.runFor(1)
  expect(holdings(host)).toEqual(before)
})
