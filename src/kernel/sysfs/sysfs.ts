/** sysfs (Linux 2.6.18: fs/sysfs), as far as something stands behind it: disks, device numbers by class, modules, the hypervisor. */
import { SYSFS_MAGIC } from '#abi/posix/mount.ts'
import { major, makedev, minor } from '#abi/posix/stat.ts'
import { MISC_MAJOR } from '../drivers/misc/misc.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import { fileOf, StaticDir, SynthFs } from '../proc/synth.ts'
import type { Sleeping } from '../sched/wait.ts'
import { ttysOf } from '../tty/core.ts'
import type { SuperBlock } from '../vfs/inode.ts'
import { hypervisorDir } from './hypervisor.ts'
import { LiveDir } from './live-dir.ts'
import { xenBuses, xenDevices } from './xen.ts'

/** Of anonymous devices, far from those that are counted up. */
const SYSFS_DEV = 0xff
const MODE = 0o755

const devText = (dev: number): string => `${major(dev)}:${minor(dev)}\n`

function* allTtys(kernel: Kernel): Iterable<readonly [string, number]> {
  const ttys = ttysOf(kernel)
  yield ['tty', makedev(5, 0)]
  yield ['console', makedev(5, 1)]
  if (ttys.ptmx) yield ['ptmx', makedev(5, 2)]
  if (ttys.foreground) yield ['tty0', makedev(4, 0)]
  for (const driver of ttys.drivers) {
    // Ptys come and go in devpts.
    if (driver.kind.startsWith('pty')) continue
    for (let i = 0; i < driver.count; i++)
      yield [`${driver.name}${driver.nameBase + i}`, makedev(driver.major, driver.minorStart + i)]
  }
}

/** Class `mem`: chr_dev_init's. */
const MEM_DEVICES: readonly (readonly [string, number])[] = [
  ['null', 3],
  ['zero', 5],
  ['full', 7],
  ['random', 8],
  ['urandom', 9],
  ['kmsg', 11],
]

function classDir(devices: () => Iterable<readonly [string, number]>): LiveDir {
  const numberOf = (name: string): number => {
    for (const [each, dev] of devices()) if (each === name) return dev
    return 0
  }
  return new LiveDir(
    function* () {
      for (const [name] of devices()) yield name
    },
    (name) => new StaticDir(MODE, [['dev', fileOf(() => devText(numberOf(name)))]]),
  )
}

/** /sys/block: a directory for each disk, in it one for each partition. */
function blockDir(kernel: Kernel): LiveDir {
  const find = (name: string) => kernel.blocks.disks.find(({ disk }) => disk.name === name)
  return new LiveDir(
    () => kernel.blocks.disks.map(({ disk }) => disk.name),
    (name) => {
      const own = new StaticDir(MODE, [
        ['dev', fileOf(() => devText(makedev(find(name)?.disk.major ?? 0, find(name)?.disk.firstMinor ?? 0)))],
        ['range', fileOf(() => `${find(name)?.disk.minors ?? 0}\n`)],
        ['removable', fileOf(() => '0\n')],
        ['size', fileOf(() => `${find(name)?.disk.sectors ?? 0}\n`)],
      ])
      const part = (partition: string) => find(name)?.partitions.find((each) => each.name === partition)
      const parts = new LiveDir(
        () => find(name)?.partitions.map((each) => each.name) ?? [],
        (partition) =>
          new StaticDir(MODE, [
            ['dev', fileOf(() => devText(makedev(find(name)?.disk.major ?? 0, part(partition)?.minor ?? 0)))],
            ['start', fileOf(() => `${part(partition)?.start ?? 0}\n`)],
            ['size', fileOf(() => `${part(partition)?.sectors ?? 0}\n`)],
          ]),
      )
      return {
        kind: 'dir',
        mode: MODE,
        find: (entry) => own.find(entry) ?? parts.find(entry),
        *list() {
          yield* own.list()
          yield* parts.list()
        },
      }
    },
  )
}

function moduleDir(kernel: Kernel): LiveDir {
  return new LiveDir(
    () => kernel.modules.keys(),
    (name) => new StaticDir(MODE, [['refcnt', fileOf(() => `${kernel.modules.get(name)?.users ?? 0}\n`)]]),
  )
}

export function sysfsRoot(kernel: Kernel): StaticDir {
  const memDevices = MEM_DEVICES.map(([name, number]) => [name, makedev(1, number)] as const)
  return new StaticDir(MODE, [
    ['block', blockDir(kernel)],
    ['bus', new StaticDir(MODE, xenBuses(kernel))],
    [
      'class',
      new StaticDir(MODE, [
        ['mem', classDir(() => memDevices)],
        [
          'misc',
          classDir(() => [...(kernel.misc?.devices ?? [])].map(([n, { name }]) => [name, makedev(MISC_MAJOR, n)])),
        ],
        ['tty', classDir(() => allTtys(kernel))],
      ]),
    ],
    ['devices', new StaticDir(MODE, xenDevices(kernel))],
    ['hypervisor', hypervisorDir(kernel)],
    ['module', moduleDir(kernel)],
  ])
}

/** sysfs_init. There is one, however often it is mounted. */
export const sysfsInit: Initcall = function* sysfsInit(kernel) {
  let sb: SuperBlock | undefined
  kernel.vfs.registerFileSystem({
    name: 'sysfs',
    nodev: true,
    *mount(by: Kernel, source: string, flags: number): Sleeping<SuperBlock> {
      sb ??= new SynthFs(by, this, source, flags, sysfsRoot(by), {
        dev: SYSFS_DEV,
        magic: SYSFS_MAGIC,
        blockBytes: 4096,
        rootIno: 1,
        fileBytes: 4096,
      })
      return sb
    },
  })
}
