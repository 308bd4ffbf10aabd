/**
 * Programs that the kernel itself starts (Linux: kernel/kmod.c, call_usermodehelper): /sbin/hotplug for a device that came or went, /sbin/poweroff
 * when the tools ask for it. Nobody waits for them.
 */
import { EBUSY } from '#abi/posix/errno.ts'
import { exitStatus } from '#abi/posix/wait.ts'
import { type Core, coreOf } from '../core.ts'
import { Errno, fail } from '../errno.ts'
import { execve } from '../exec/exec.ts'
import type { Kernel } from '../kernel.ts'
import { exitTask } from './exit.ts'
import { chargeTask } from './fork.ts'
import { rootCredentials } from './task-struct.ts'

/** Without a udev that listens, hotplug's events are told to this program; empty: to nobody. */
export const UEVENT_HELPER = '/sbin/hotplug'
const UEVENT_HELPER_PATH_LEN = 256
/** What every helper of the kernel's gets. */
export const HELPER_ENV: readonly string[] = ['HOME=/', 'PATH=/sbin:/bin:/usr/sbin:/usr/bin']

/** Run `path` as a process of root's. Fails with EBUSY before there is a root file system; what cannot be run is not missed. */
export function callUsermodehelper(
  kernel: Kernel,
  path: string,
  argv: readonly string[],
  env: readonly string[],
): void {
  const core = coreOf(kernel)
  const { sched, vfs } = core
  const root = sched.initTask?.fs.root
  if (!root?.mount) fail(EBUSY)
  const task = sched.newTask('khelper', false)
  task.cred = rootCredentials()
  task.pgid = task.pid
  task.session = { sid: task.pid, tty: undefined }
  task.files = vfs.newFileTable()
  task.fs = { root: root!, cwd: root!, umask: 0o22 }
  task.kernelCode = (function* () {
    try {
      yield* chargeTask(sched)
      task.charged = true
      return yield* execve(core, task, path, argv, env)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      task.exitStatus = exitStatus(error.errno)
      return yield* exitTask(sched, task)
    }
  })()
  sched.start(task)
}

/** kobject_uevent: `environment` is what the bus says of its device, after ACTION, DEVPATH and SUBSYSTEM. */
export function hotplug(
  kernel: Kernel,
  action: 'add' | 'remove' | 'online' | 'offline',
  subsystem: string,
  devpath: string,
  environment: readonly string[],
): void {
  const core = coreOf(kernel)
  core.hotplugSeqnum++
  if (core.hotplugHelper === '' || !core.sched.initTask?.fs.root.mount) return
  const env = [...HELPER_ENV, `ACTION=${action}`, `DEVPATH=${devpath}`, `SUBSYSTEM=${subsystem}`]
  callUsermodehelper(
    kernel,
    core.hotplugHelper,
    [core.hotplugHelper, subsystem],
    [...env, ...environment, `SEQNUM=${core.hotplugSeqnum}`],
  )
}

/** kernel.hotplug. */
export function registerHotplug(core: Core): void {
  core.proc.add('sys/kernel/hotplug', {
    mode: 0o644,
    read: () => `${core.hotplugHelper}\n`,
    write: (text) => {
      core.hotplugHelper = text.split('\n')[0]!.slice(0, UEVENT_HELPER_PATH_LEN - 1)
    },
  })
}
