/** Mirrors xen/include/public/sched.h. */
import { struct, u32 } from '../struct.ts'

export const SCHEDOP_yield = 0
export const SCHEDOP_block = 1
export const SCHEDOP_shutdown = 2
export const SCHEDOP_poll = 3
export const SCHEDOP_remote_shutdown = 4

export const sched_shutdown = struct('sched_shutdown', 4, { reason: u32(0) })

export const SHUTDOWN_poweroff = 0
export const SHUTDOWN_reboot = 1
export const SHUTDOWN_suspend = 2
export const SHUTDOWN_crash = 3
