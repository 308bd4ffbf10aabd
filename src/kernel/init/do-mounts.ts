/** The root file system (Linux: init/do_mounts.c). */
import { EACCES, EINVAL } from '#abi/posix/errno.ts'
import { MS_RDONLY } from '#abi/posix/mount.ts'
import type { Core } from '../core.ts'
import { Errno } from '../errno.ts'
import type { Sleeping } from '../sched/wait.ts'

const NS = 1_000_000_000

export function* prepareNamespace(core: Core): Sleeping<void> {
  const { params, log, sched, vfs, cmdline } = core
  const delay = Number(params.get('rootdelay') ?? 0)
  if (delay > 0) {
    log.printk(`<6>Waiting ${delay}sec before mounting root device...\n`)
    yield* sched.sleepFor(delay * NS, { interruptible: false })
  }
  const root = params.get('root') ?? ''
  const types =
    params.get('rootfstype')?.split(',') ?? vfs.fileSystems.filter(({ nodev }) => !nodev).map(({ name }) => name)
  // The last of `ro` and `rw` holds.
  const words = cmdline.split(/\s+/)
  let flags = words.lastIndexOf('rw') > words.lastIndexOf('ro') ? 0 : MS_RDONLY
  const device = deviceNumbers(core, root)
  const block = `unknown-block(${device[0]},${device[1]})`
  for (;;) {
    try {
      yield* vfs.mountRoot(root, types, flags)
      return
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      if (error.errno === EACCES && (flags & MS_RDONLY) === 0) {
        flags |= MS_RDONLY
        continue
      }
      if (error.errno === EINVAL && device[0] !== 0) {
        log.printk(`<4>No filesystem could mount root, tried: ${types.map((name) => ` ${name}`).join('')}\n`)
        core.panic(`VFS: Unable to mount root fs on ${block}`)
      }
      log.printk(`<4>VFS: Cannot open root device "${root.replace(/^\/dev\//, '')}" or ${block}\n`)
      log.printk('<4>Please append a correct "root=" boot option\n')
      core.panic(`VFS: Unable to mount root fs on ${block}`)
    }
  }
}

/** name_to_dev_t: 0, 0 for what is not there. */
function deviceNumbers({ blocks }: Core, root: string): readonly [number, number] {
  const name = root.replace(/^\/dev\//, '')
  for (const { disk, partitions } of blocks.disks) {
    if (disk.name === name) return [disk.major, disk.firstMinor]
    for (const partition of partitions) if (partition.name === name) return [disk.major, partition.minor]
  }
  return [0, 0]
}
