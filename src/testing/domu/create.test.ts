/** A guest's life as its administrator sees it: create, use, shut down; every tool tells one story. */
import { beforeAll, describe, expect, test } from 'vitest'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'
import { frames, row } from './host-facts.ts'

let base: { bytes: Uint8Array; known: string[] }
beforeAll(async () => {
  base = await buildDiskAndKnown()
}, 120_000)

describe.each([
  ['a file', 'sebastian', 128],
  ['a partition', 'prospero', 64],
])('a guest whose disk is %s', (_, name, mib) => {
  test('is created, used, shut down, and nothing of it is left', () => {
    const host = new Dom0Host({ base })
    host.boot()
    const before = frames(host)
    expect(host.run(`xm create ${name}`)).toEqual({
      output: `Using config file "/etc/xen/${name}".\nStarted domain ${name}`,
      status: 0,
    })
    expect(row(host, name)).toMatchObject({ id: 1, mem: mib, vcpus: 1 })
    expect(row(host, 'Domain-0')).toMatchObject({ id: 0 })
    host.inGuest(name, name, () => {
      expect(host.run('cat /proc/cpuinfo').output).toMatch(/^processor\t: 0\n/)
      expect(host.run('mount').output).toMatch(/^\/dev\/sda1 on \/ type ext2 \(rw\)/)
      expect(host.run('uname -n').output).toBe(name)
      expect(host.run('echo written here > /root/proof; sync').status).toBe(0)
    })
    const during = frames(host)
    expect(during.heap).toBe(before.heap)
    expect(during.domains).toEqual([before.domains[0], [1, mib * 256]])
    expect(host.run(`xm shutdown -w ${name}`).status).toBe(0)
    expect(row(host, name)).toBeUndefined()
    expect(frames(host)).toEqual(before)
    expect(host.run('xenstore-ls -f | grep -c "/1/\\|domain/1"').output).toBe('0')
    expect(host.run('losetup -a').output).toBe('')
    const disk = name === 'sebastian' ? '-o loop /var/lib/xen/images/sebastian.img' : '/dev/hda2'
    expect(host.run(`mount ${disk} /mnt && cat /mnt/root/proof; umount /mnt; sync`).output).toBe('written here')
    if (name === 'sebastian' && hasE2fsprogs) {
      const { status, output } = e2fsck(SparseDisk.fromRaw(host.file('/var/lib/xen/images/sebastian.img')))
      expect(status, output).toBe(0)
    }
  })
})

test('create -c shows the guest from its first line on', () => {
  const host = new Dom0Host({ base })
  host.boot()
  host.type('xm create -c sebastian\r')
  host.waitFor('Linux version 2.6.18.8-xen')
  host.waitFor('sebastian login: ')
  host.type('\x1d')
  host.waitFor(/\[root@xenhost [^\]]*\]# $/)
  expect(host.run('xm destroy sebastian').status).toBe(0)
  expect(row(host, 'sebastian')).toBeUndefined()
})
