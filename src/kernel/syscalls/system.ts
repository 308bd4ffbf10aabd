/** The system as a whole: names, clocks, the log, the end (Linux: kernel/sys.c, timer.c, printk.c). */
import { EINTR, EINVAL, EPERM } from '#abi/posix/errno.ts'
import {
  LINUX_REBOOT_CMD_CAD_OFF,
  LINUX_REBOOT_CMD_CAD_ON,
  LINUX_REBOOT_CMD_HALT,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART,
} from '#abi/posix/reboot.ts'
import {
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  SYSLOG_ACTION_CLEAR,
  SYSLOG_ACTION_CONSOLE_LEVEL,
  SYSLOG_ACTION_CONSOLE_OFF,
  SYSLOG_ACTION_CONSOLE_ON,
  SYSLOG_ACTION_READ,
  SYSLOG_ACTION_READ_ALL,
  SYSLOG_ACTION_READ_CLEAR,
  SYSLOG_ACTION_SIZE_BUFFER,
  type Sysinfo,
} from '#abi/posix/syscalls.ts'
import {
  XEN_PLATFORM_OP_U,
  XENPF_INTERFACE_VERSION,
  XENPF_settime,
  xen_platform_op,
  xenpf_settime,
} from '#abi/xen/platform.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_platform_op } from '#abi/xen/xen.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { coreOf } from '../core.ts'
import { fail } from '../errno.ts'
import { halt, powerOff, restart } from '../init/reboot.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import { NS } from '../time/timekeeper.ts'
import { now, type SyscallTable, sleeping } from './row.ts'

/** __NEW_UTS_LEN */
const UTS_LEN = 64
const SYSLOG_ACTION_CLOSE = 0
const SYSLOG_ACTION_OPEN = 1
const SYSLOG_ACTION_SIZE_UNREAD = 9
const MINIMUM_CONSOLE_LOGLEVEL = 1
const DEFAULT_CONSOLE_LOGLEVEL = 7

const onlyRoot = ({ cred }: Task): void => {
  if (cred.euid !== 0) fail(EPERM)
}

function name(kernel: Kernel, task: Task, which: 'nodename' | 'domainname', text: string): number {
  onlyRoot(task)
  if (text.length > UTS_LEN) fail(EINVAL)
  kernel.uts[which] = text
  return 0
}

function sysinfo(kernel: Kernel): Sysinfo {
  const { pages, time, sched } = kernel
  return {
    uptimeSeconds: Math.floor((time.nowNs() - time.bootNs) / NS),
    loads: sched.loads,
    totalram: pages.total * PAGE_SIZE,
    freeram: pages.free * PAGE_SIZE,
    bufferram: pages.used.buffers * PAGE_SIZE,
    totalswap: 0,
    freeswap: 0,
    procs: sched.tasks.length,
  }
}

/** do_settimeofday: dom0's clock is the host's, and the other domains'. */
function tellXen({ mem, bounce, vcpu, time }: Kernel, secs: number, nsecs: number): void {
  mem.fill(bounce, xen_platform_op.size, 0)
  xen_platform_op.write(mem, bounce, { cmd: XENPF_settime, interface_version: XENPF_INTERFACE_VERSION })
  xenpf_settime.write(mem, bounce + XEN_PLATFORM_OP_U, { secs, nsecs, system_time: BigInt(time.nowNs()) })
  vcpu.hypercall(__HYPERVISOR_platform_op, bounce)
}

function reboot(kernel: Kernel, task: Task, command: number): number {
  onlyRoot(task)
  const core = coreOf(kernel)
  switch (command >>> 0) {
    case LINUX_REBOOT_CMD_RESTART:
      restart(core)
      return 0
    case LINUX_REBOOT_CMD_HALT:
      halt(core)
      return 0
    case LINUX_REBOOT_CMD_POWER_OFF:
      powerOff(core)
      return 0
    case LINUX_REBOOT_CMD_CAD_ON:
      core.ctrlAltDelRestarts = true
      return 0
    case LINUX_REBOOT_CMD_CAD_OFF:
      core.ctrlAltDelRestarts = false
      return 0
    default:
      return fail(EINVAL)
  }
}

function* syslog(kernel: Kernel, task: Task, action: number, length: number): Sleeping<number | Uint8Array> {
  const { log, sched } = coreOf(kernel)
  // Only reading it all, and its size, is for everybody.
  if (action !== SYSLOG_ACTION_READ_ALL && action !== SYSLOG_ACTION_SIZE_BUFFER) onlyRoot(task)
  switch (action) {
    case SYSLOG_ACTION_CLOSE:
    case SYSLOG_ACTION_OPEN:
      return 0
    case SYSLOG_ACTION_READ: {
      if (length < 0) fail(EINVAL)
      while (!log.unread) if ((yield* sched.sleepOn(log.readers)) === 'signal') fail(EINTR)
      return bytesOfString(log.takeUnread(length))
    }
    case SYSLOG_ACTION_READ_ALL:
    case SYSLOG_ACTION_READ_CLEAR: {
      if (length < 0) fail(EINVAL)
      const text = log.taggedText()
      if (action === SYSLOG_ACTION_READ_CLEAR) log.clear()
      return bytesOfString(text.slice(Math.max(0, text.length - length)))
    }
    case SYSLOG_ACTION_CLEAR:
      log.clear()
      return 0
    case SYSLOG_ACTION_CONSOLE_OFF:
      log.consoleLevel = MINIMUM_CONSOLE_LOGLEVEL
      return 0
    case SYSLOG_ACTION_CONSOLE_ON:
      log.consoleLevel = DEFAULT_CONSOLE_LOGLEVEL
      return 0
    case SYSLOG_ACTION_CONSOLE_LEVEL:
      if (length < 1 || length > 8) fail(EINVAL)
      log.consoleLevel = Math.max(length, MINIMUM_CONSOLE_LOGLEVEL)
      return 0
    case SYSLOG_ACTION_SIZE_UNREAD:
      return log.unreadBytes
    case SYSLOG_ACTION_SIZE_BUFFER:
      return log.bufferBytes
    default:
      return fail(EINVAL)
  }
}

export const systemSyscalls = {
  uname: now([], ({ uts: { sysname, nodename, release, version, machine } }) => ({
    sysname,
    nodename,
    release,
    version,
    machine,
  })),
  sethostname: now(['text'], (kernel, task, text) => name(kernel, task, 'nodename', text)),
  setdomainname: now(['text'], (kernel, task, text) => name(kernel, task, 'domainname', text)),
  sysinfo: now([], sysinfo),
  clock_gettime: now(['int'], ({ time }, _task, clock) => {
    if (clock === CLOCK_REALTIME) return time.wall()
    if (clock !== CLOCK_MONOTONIC) return fail(EINVAL)
    const ns = time.nowNs()
    return [Math.floor(ns / NS), ns % NS] as const
  }),
  clock_settime: now(['int', 'int', 'int'], (kernel, task, clock, seconds, ns) => {
    if (clock !== CLOCK_REALTIME || seconds < 0 || seconds > 0xffffffff || ns < 0 || ns >= NS) fail(EINVAL)
    onlyRoot(task)
    kernel.time.setWall(seconds, ns)
    if (kernel.dom0) tellXen(kernel, seconds, ns)
    return 0
  }),
  reboot: now(['int'], reboot),
  syslog: sleeping(['int', 'int'], syslog),
} satisfies SyscallTable
