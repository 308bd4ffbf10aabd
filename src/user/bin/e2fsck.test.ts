import { expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { mkfs } from '#lib/ondisk/ext2/mkfs.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { e2fsprogs } from '../packages/e2fsprogs.ts'

const NOW = 1242109972
const SECTORS = 2 * 2048

/** A file system in the file /dev/hda1, unmounted or not. */
function machine(clean: boolean, damage: (bytes: Uint8Array) => void = () => {}) {
  const disk = new SparseDisk(SECTORS)
  mkfs(disk, { blockBytes: 1024, uuid: new Uint8Array(16).fill(17), nowSeconds: NOW, label: '/' })
  const fs = Ext2.mount(disk, { now: () => NOW })
  fs.writeFile('/file', new Uint8Array(3000))
  if (clean) fs.unmount()
  else fs.sync()
  const bytes = disk.read(0, SECTORS)
  damage(bytes)
  return posixRig({
    packages: [e2fsprogs],
    files: {
      '/dev/hda1': bytes,
      '/dev/none': new Uint8Array(8192),
      '/etc/fstab': '/dev/hda1 / ext2 defaults 1 1\nproc /proc proc defaults 0 0\n/dev/hda2 /mnt ext2 noauto 1 2\n',
      '/proc/mounts': '/dev/root / ext2 ro 0 0\n',
    },
  })
}

test.each([
  ['clean', true, ['fsck', '-T', '-a', '-A', '-V'], 0],
  ['not unmounted', false, ['fsck', '-T', '-a', '-A', '-V'], 0],
  ['forced', true, ['e2fsck', '-f', '-y', '/dev/hda1'], 0],
  ['only looked at', true, ['e2fsck', '-f', '-n', '/dev/hda1'], 0],
  ['no ext2', true, ['e2fsck', '-n', '/dev/none'], 8],
  ['no such device', true, ['e2fsck', '-p', '/dev/hda9'], 8],
  ['contradictions', true, ['e2fsck', '-p', '-y', '/dev/hda1'], 16],
  ['no terminal to ask on', true, ['e2fsck', '/dev/hda1'], 8],
])('%s', (_, clean, argv, status) => {
  const result = machine(clean).run(argv)
  expect(result.output).toMatchSnapshot()
  expect(result.status).toBe(status)
})

test('a wrong bitmap: repaired, status 1; and then clean', () => {
  const rig = machine(false, (bytes) => bytes.fill(0, 1024 * 3, 1024 * 3 + 100))
  expect(rig.run(['fsck', '-T', '-a', '-A'])).toMatchObject({ status: 1 })
  expect(rig.run(['fsck', '-T', '-a', '-A'])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\/: clean, 12\/512 files, \d+\/2048 blocks\n$/),
  })
})

test('what the superblock says', () => {
  expect(machine(true).run(['tune2fs', '-l', '/dev/hda1']).output).toMatchSnapshot()
  expect(machine(true).run(['dumpe2fs', '-h', '/dev/none'])).toMatchObject({ status: 1 })
})
