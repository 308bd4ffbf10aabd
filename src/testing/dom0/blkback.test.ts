/** Disks by rings and grants on the real host: dom0 is its own guest, the tool stack is xenstore-write, the hotplug scripts are what is on the disk. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'

let host: Dom0Host
const run = (command: string): string => host.run(command).output

beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
  // Whoever starts it, now it runs.
  run('pidof xenstored >/dev/null 2>&1 || ps ax | grep -q "[x]enstored" || xenstored; sleep 1')
  run('B=/local/domain/0/backend/vbd/0; F=/local/domain/0/device/vbd; mkdir -p /mnt/x')
  run('xenstore-write /local/domain/0/vm /vm/0 /local/domain/7/vm /vm/7')
}, 120_000)

/** What xend writes for a disk; then what the script has answered. */
function add(vdev: number, type: string, params: string, mode: string): Record<string, string> {
  run(
    `xenstore-write $B/${vdev}/frontend $F/${vdev} $B/${vdev}/frontend-id 0 $B/${vdev}/type ${type} $B/${vdev}/params ${params} ` +
      `$B/${vdev}/mode ${mode} $B/${vdev}/dev x${vdev} $B/${vdev}/online 1 $F/${vdev}/backend $B/${vdev} $F/${vdev}/backend-id 0 ` +
      `$F/${vdev}/virtual-device ${vdev} $F/${vdev}/state 1 $B/${vdev}/state 1; sleep 1`,
  )
  const keys = ['hotplug-status', 'hotplug-error', 'physical-device', 'node', 'state']
  const lines = run(keys.map((key) => `echo "$(xenstore-read $B/${vdev}/${key} 2>/dev/null)"`).join('; ')).split('\n')
  return Object.fromEntries(keys.map((key, i) => [key, lines[i] ?? '']).filter(([, value]) => value !== ''))
}
const remove = (vdev: number): string =>
  run(`xenstore-write $B/${vdev}/online 0 $B/${vdev}/state 5; sleep 1; xenstore-ls $B/${vdev}`)

describe('a partition', () => {
  test('is a disk, is mounted and written, and goes without a trace', () => {
    expect(add(2049, 'phy', 'hda2', 'w')).toEqual({
      'hotplug-status': 'connected',
      'physical-device': '3:2',
      state: '4',
    })
    run('mknod /dev/sda1 b 8 1')
    expect(host.run('mount /dev/sda1 /mnt/x && echo hello > /mnt/x/hello && sync && umount /mnt/x').status).toBe(0)
    expect(run('ps ax | grep -c "[b]lkback.0.x2049"')).toBe('1')
    expect(run('dmesg | tail -3')).toMatch(
      /^blkback: ring-ref \d+, event-channel \d+, protocol 1 \(x86_64-abi\)\nxen-vbd: registered block device major 8\nblkfront: sda1: barriers enabled$/,
    )
    expect(remove(2049)).toContain('No such file or directory')
    expect(
      run('xenstore-ls /local/domain/0/device; xenstore-ls /local/domain/0/backend; grep sda /proc/partitions'),
    ).toMatch(/^(xenstore-ls: .*No such file or directory\n?)*$/)
    expect(run('mount /dev/hda2 /mnt/x; cat /mnt/x/hello; rm -f /mnt/x/hello; umount /mnt/x')).toBe('hello')
  })

  test('that is not there, or is none', () => {
    expect(add(2050, 'phy', 'hda9', 'w')).toEqual({
      'hotplug-status': 'error',
      'hotplug-error': '/dev/hda9 does not exist.',
      state: '2',
    })
    expect(add(2051, 'phy', '/etc/passwd', 'w')['hotplug-error']).toBe('/etc/passwd is not a block device.')
  })

  test.each([
    ['w', 'Device /dev/hda1 is mounted in the privileged domain,\\nand so cannot be mounted by a guest.'],
    [
      'r',
      'Device /dev/hda1 is mounted read-write in the privileged domain,\\nand so cannot be mounted read-only by a guest.',
    ],
  ])('that dom0 has mounted, for %s', (mode, text) => {
    expect(add(mode === 'w' ? 2052 : 2053, 'phy', 'hda1', mode)).toMatchObject({
      'hotplug-status': 'busy',
      'hotplug-error': text,
    })
  })

  test('that another guest has', () => {
    run('xenstore-write backend/vbd/7/2049/physical-device 3:3 backend/vbd/7/2049/mode r')
    expect(add(2054, 'phy', 'hda3', 'w')['hotplug-error']).toBe(
      'Device /dev/hda3 is mounted in a guest domain,\\nand so cannot be mounted now.',
    )
    expect(add(2055, 'phy', 'hda3', 'r')['hotplug-status']).toBe('connected')
    run('xenstore-write backend/vbd/7/2049/mode w')
    expect(add(2056, 'phy', 'hda3', 'r')['hotplug-error']).toBe(
      'Device /dev/hda3 is mounted read-write in a guest domain,\\nand so cannot be mounted read-only now.',
    )
    expect(add(2057, 'phy', 'hda3', 'w!')['hotplug-status']).toBe('connected')
    for (const vdev of [2055, 2057]) remove(vdev)
  })
})

describe('a file', () => {
  test('by a loop device, which is free again afterwards', () => {
    run('dd if=/dev/zero of=/root/disk.img bs=1024 count=2048 2>/dev/null; mke2fs -F -q /root/disk.img')
    expect(add(51712, 'file', '/root/disk.img', 'w')).toEqual({
      'hotplug-status': 'connected',
      'physical-device': '7:0',
      node: '/dev/loop0',
      state: '4',
    })
    run('mknod /dev/xvda b 202 0; mount /dev/xvda /mnt/x; echo in a file > /mnt/x/note; umount /mnt/x')
    expect(remove(51712)).toContain('No such file or directory')
    expect(run('losetup -a')).toBe('')
    expect(run('mount -o loop /root/disk.img /mnt/x; cat /mnt/x/note; umount /mnt/x')).toBe('in a file')
  })

  test('also when the tool stack removes it by force, in use', () => {
    add(51712, 'file', '/root/disk.img', 'w')
    run('mount /dev/xvda /mnt/x; xenstore-rm $B/51712; xenstore-rm $F/51712; sleep 2')
    expect(run('losetup -a')).toBe('')
    expect(
      run('(echo more > /mnt/x/more) 2>/dev/null; sync; umount /mnt/x; sleep 1; grep xvda /proc/partitions'),
    ).not.toContain('xvda')
  })

  test('that is read-only, used elsewhere, or not there', () => {
    run('cp /root/disk.img /root/ro.img; chmod 444 /root/ro.img')
    expect(add(51728, 'file', '/root/ro.img', 'w')['hotplug-error']).toBe(
      'File /root/ro.img is read-only, and so I will not\\nmount it read-write in a guest domain.',
    )
    expect(add(51744, 'file', '/root/nothing', 'w')['hotplug-error']).toBe('/root/nothing does not exist.')
    run(
      'losetup /dev/loop0 /root/disk.img; xenstore-write backend/vbd/7/2050/physical-device 7:0 backend/vbd/7/2050/mode w',
    )
    expect(add(51760, 'file', '/root/disk.img', 'w')['hotplug-error']).toBe(
      'File /root/disk.img is loopback-mounted through /dev/loop0,\\nwhich is mounted in a guest domain,\\nand so cannot be mounted now.',
    )
    expect(run('tail -3 /var/log/xen/xen-hotplug.log')).toBe(
      '/etc/xen/scripts/block File /root/disk.img is loopback-mounted through /dev/loop0,\nwhich is mounted in a guest domain,\nand so cannot be mounted now.',
    )
  })
})
