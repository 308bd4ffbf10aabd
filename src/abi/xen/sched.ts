/** Mirrors xen/include/public/sched.h. */
import { struct, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const SCHEDOP_yield = 0
export const SCHEDOP_block = 1
export const SCHEDOP_shutdown = 2
export const SCHEDOP_poll = 3
export const SCHEDOP_remote_shutdown = 4

export const sched_shutdown = struct('sched_shutdown', 4, { reason: u32(0) })

/** ports: a list of 32-bit port numbers. timeout: system time in ns, 0 for none. */
export const sched_poll = struct('sched_poll', 24, { ports: vaddr(0), nr_ports: u32(8), timeout: u64(16) })

export const sched_remote_shutdown = struct('sched_remote_shutdown', 8, { domain_id: u16(0), reason: u32(4) })

export const SHUTDOWN_poweroff = 0
export const SHUTDOWN_reboot = 1
export const SHUTDOWN_suspend = 2
export const SHUTDOWN_crash = 3
