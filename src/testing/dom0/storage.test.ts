/** Archives, file systems in files, and loop devices on the real host; what Debian's tools make of them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { type DefaultDiskBytes, Dom0Host } from '../dom0-host.ts'
import { hasE2fsprogs } from '../e2fsprogs.ts'

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
const env = { ...process.env, PATH, LC_ALL: 'C', TZ: 'UTC' }

let base: DefaultDiskBytes
let host: Dom0Host
beforeAll(async () => {
  base = await buildDiskAndKnown()
  host = new Dom0Host({ base })
  host.boot()
}, 120_000)

/** Files of the guest, in a directory of ours. */
function withFiles<T>(names: readonly string[], work: (dir: string) => T): T {
  host.run('sync')
  const dir = mkdtempSync(join(tmpdir(), 'storage-'))
  try {
    for (const name of names) writeFileSync(join(dir, name), host.file(`/root/${name}`))
    return work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

describe('gzip', () => {
  test('the hypervisor comes out of its file', () => {
    expect(host.run('zcat /boot/xen-3.3.gz > xen && gzip -t /boot/xen-3.3.gz; sync')).toEqual({ output: '', status: 0 })
    expect(Buffer.compare(host.file('/root/xen'), gunzipSync(host.file('/boot/xen-3.3.0.gz')))).toBe(0)
  })

  test('what it packs others unpack, and the machine boots from it', () => {
    host.run('cp /boot/vmlinuz-2.6.18.8-xen k.gz; gunzip k.gz; gzip -9 k; cat k.gz > /boot/vmlinuz-2.6.18.8-xen; sync')
    const packed = host.file('/root/k.gz')
    expect(packed).not.toEqual(new Dom0Host({ base }).file('/boot/vmlinuz-2.6.18.8-xen'))
    expect(gunzipSync(packed)).toEqual(gunzipSync(new Dom0Host({ base }).file('/boot/vmlinuz-2.6.18.8-xen')))
    host.type('reboot\r')
    host.waitFor('Restarting system.')
    host.boot()
    expect(host.run('cmp k.gz /boot/vmlinuz-2.6.18.8-xen')).toEqual({ output: '', status: 0 })
  }, 120_000)
})

test('tar: a tree goes out and comes back, and GNU tar reads it', () => {
  host.run('mkdir -p a/b; seq 2000 > a/b/n; ln -s b/n a/l; ln -s /etc/passwd a/abs; ln a/b/n a/h; chmod 640 a/b/n')
  host.run(`touch a/${'long'.repeat(40)}; tar czf a.tgz a; tar cf a.tar a; mkdir out`)
  expect(host.run('tar xzf a.tgz -C out && diff -r a out/a && stat -c %a out/a/h && readlink out/a/abs')).toEqual({
    output: '640\n/etc/passwd',
    status: 0,
  })
  expect(host.run('tar xf nope').output).toBe(
    'tar: nope: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now',
  )
  withFiles(['a.tar', 'a.tgz'], (dir) => {
    const listed = spawnSync('tar', ['--numeric-owner', '-tvf', join(dir, 'a.tar')], { env }).stdout.toString()
    expect(listed.split('\n').length - 1).toBe(7)
    expect(listed).toMatch(/^-rw-r----- 0\/0 +8893 2009-05-12 .* a\/b\/n$/m)
    expect(listed).toContain('a/h link to a/b/n')
    expect(spawnSync('tar', ['-xzf', join(dir, 'a.tgz'), '-C', dir], { env }).status).toBe(0)
    expect(readFileSync(join(dir, 'a/h'), 'latin1').endsWith('1999\n2000\n')).toBe(true)
  })
})

test('a file becomes a disk: mke2fs, mount -o loop, e2fsck', () => {
  const made = host.run('dd if=/dev/zero of=disk.img bs=1024 count=8192 2>/dev/null; mke2fs -F -L data disk.img')
  expect(made.status).toBe(0)
  expect(made.output).toContain('2048 inodes, 8192 blocks\n409 blocks (4.99%) reserved for the super user\n')
  expect(host.run('mke2fs /dev/hda1')).toMatchObject({ status: 1 })
  expect(host.run('mount -o loop disk.img /mnt; grep mnt /etc/mtab; losetup -a').output).toMatch(
    /^\/root\/disk.img \/mnt ext2 rw,loop=\/dev\/loop0 0 0\n\/dev\/loop0: \[0301\]:\d+ \(\/root\/disk.img\)$/m,
  )
  expect(host.run('mkdir /mnt/d && seq 5000 > /mnt/d/n && umount /mnt && losetup -a')).toEqual({
    output: '',
    status: 0,
  })
  expect(host.run('e2fsck -f disk.img').status).toBe(0)
  expect(host.run('mount -o loop,ro disk.img /mnt && tail -1 /mnt/d/n && umount /mnt && e2label disk.img').output).toBe(
    '5000\ndata',
  )
  if (hasE2fsprogs)
    withFiles(['disk.img'], (dir) => {
      const { status, stdout } = spawnSync('e2fsck', ['-fn', join(dir, 'disk.img')], { env })
      expect(stdout.toString()).toContain('13/2048 files')
      expect(status).toBe(0)
    })
})

test.each([
  ['losetup /dev/loop3', "loop: can't get info on device /dev/loop3: No such device or address", 1],
  ['losetup -d /dev/loop3', 'ioctl: LOOP_CLR_FD: No such device or address', 1],
  ['mount -o loop nope /mnt', 'nope: No such file or directory\nmount: failed setting up loop device', 32],
  ['man nope', 'No manual entry for nope', 1],
  ['whatis nope', 'nope: nothing appropriate', 1],
  ['whatis losetup', 'losetup              (8)  - Set up and control loop devices', 0],
  ['file /bin/tar /tmp', '/bin/tar: Xen Playground image, program\n/tmp:     sticky directory', 0],
])('%s', (command, output, status) => {
  const said = host.run(command)
  expect(said.output.replace('/root/nope', 'nope')).toBe(output)
  expect(said.status).toBe(status)
})

test('man shows a page through less', () => {
  host.type('man losetup\r')
  host.waitFor(/LOSETUP\(8\)/)
  host.runFor(1)
  expect(host.screen()).toContain('losetup [-o OFFSET] [-r] {-f|DEVICE} FILE')
  host.type('q')
  host.waitFor(/# $/)
})

test('users come and go', () => {
  const day = 14376
  expect(host.run('useradd -c Alice -G users alice; id alice; ls -A /home/alice; grep alice /etc/shadow').output).toBe(
    `uid=500(alice) gid=500(alice) groups=500(alice),100(users)\n.bash_profile  .bashrc\nalice:!!:${day}:0:99999:7:::`,
  )
  expect(host.run('su - alice -c "id -un; pwd"').output).toBe('alice\n/home/alice')
  expect(host.run('useradd alice')).toEqual({ output: 'useradd: user alice exists', status: 9 })
  expect(host.run('groupadd alice')).toEqual({ output: 'groupadd: group alice exists', status: 9 })
  expect(host.run('groupdel alice')).toEqual({ output: "groupdel: cannot remove user's primary group.", status: 8 })
  expect(host.run('userdel -r alice; ls /home; grep -c alice /etc/passwd /etc/group /etc/shadow').output).toBe(
    '/etc/passwd:0\n/etc/group:0\n/etc/shadow:0',
  )
  expect(host.run('userdel alice')).toEqual({ output: 'userdel: user alice does not exist', status: 6 })
})
