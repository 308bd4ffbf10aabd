import { expect, test } from 'vitest'
import { posixRig } from '#testing/posix-rig.ts'
import { mount } from './mount.ts'
import { umount } from './umount.ts'

/** `answer`: what the system calls say. */
const rig = (answer = 0) => {
  const calls: string[] = []
  const machine = posixRig({
    programs: { '/bin/mount': mount, '/bin/umount': umount },
    files: {
      '/etc/fstab': '/dev/hda2 /mnt ext2 noexec 0 0\nproc /proc proc defaults 0 0\n/dev/hda3 /opt ext2 noauto 0 0\n',
      '/etc/mtab': '/dev/hda1 / ext2 rw 0 0\n',
      '/mnt/': '',
      '/opt/': '',
      '/proc/': '',
      '/file': '',
      '/dev/hda2': { device: ['b', 0x302] },
      '/proc/filesystems': 'nodev\tproc\n\text2\n',
    },
    calls: {
      mount: (_k, _p, ...args: unknown[]) => {
        calls.push(args.join(' '))
        return answer
      },
      umount2: (_k, _p, ...args: unknown[]) => {
        calls.push(args.join(' '))
        return answer
      },
    },
  })
  return { machine, calls }
}

test('mounts by fstab, lists mtab, unmounts', () => {
  const { machine, calls } = rig()
  expect(machine.run(['mount', '-a'])).toMatchObject({ status: 0, output: '' })
  expect(machine.run(['mount']).stdout).toBe(
    '/dev/hda1 on / type ext2 (rw)\n/dev/hda2 on /mnt type ext2 (rw,noexec)\nproc on /proc type proc (rw)\n',
  )
  expect(machine.run(['mount', '-v', '-o', 'remount,ro', '/mnt']).stdout).toBe(
    '/dev/hda2 on /mnt type ext2 (ro,noexec)\n',
  )
  expect(machine.run(['umount', '/mnt'])).toMatchObject({ status: 0, output: '' })
  expect(machine.run(['mount', '-t', 'ext2']).stdout).toBe('/dev/hda1 on / type ext2 (rw)\n')
  expect(calls).toEqual(['/dev/hda2 /mnt ext2 8 ', 'proc /proc proc 0 ', '/dev/hda2 /mnt ext2 41 ', '/mnt 0'])
})

test.each([
  [-19, ['mount', '-t', 'foo', '/dev/hda2', '/mnt'], "mount: unknown filesystem type 'foo'\n", 32],
  [-6, ['mount', '-t', 'ext2', '/dev/hda9', '/mnt'], 'mount: /dev/hda9 is not a valid block device\n', 32],
  [-2, ['mount', '/dev/hda2', '/nowhere'], 'mount: mount point /nowhere does not exist\n', 32],
  [-2, ['mount', '-t', 'ext2', '/dev/hda9', '/mnt'], 'mount: special device /dev/hda9 does not exist\n', 32],
  [-20, ['mount', '/dev/hda2', '/file'], 'mount: mount point /file is not a directory\n', 32],
  [-15, ['mount', '-t', 'ext2', '/file', '/mnt'], "mount: /file is not a block device (maybe try `-o loop'?)\n", 32],
  [-16, ['mount', '/dev/hda2', '/mnt'], 'mount: /dev/hda2 already mounted or /mnt busy\n', 32],
  [-22, ['mount', '/dev/hda2', '/mnt'], 'mount: you must specify the filesystem type\n', 32],
  [0, ['mount', '/nosuch'], "mount: can't find /nosuch in /etc/fstab or /etc/mtab\n", 1],
  [-16, ['umount', '/'], 'umount: /: device is busy\n', 1],
  [-22, ['umount', '/mnt'], 'umount: /mnt: not mounted\n', 1],
])('%i: %j', (answer, argv, output, status) => {
  expect(rig(answer).machine.run(argv)).toMatchObject({ output, status })
})

test('only root may', () => {
  expect(rig().machine.run(['mount', '/mnt'], { uid: 500 })).toMatchObject({
    output: 'mount: only root can do that\n',
    status: 1,
  })
  expect(rig().machine.run(['umount', '/'], { uid: 500 }).output).toBe(
    'umount: only root can unmount /dev/hda1 from /\n',
  )
})
