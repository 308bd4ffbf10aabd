/** xen.xend.XendConstants and XendAPIConstants. */

export const DOM0_ID = 0
export const DOM0_NAME = 'Domain-0'
export const XS_VMROOT = '/vm/'

/** Power states, by the number that `status` shows. */
export const POWER_STATES = ['Halted', 'Paused', 'Running', 'Suspended', 'ShuttingDown', 'Crashed', 'Unknown'] as const
export const STATE_HALTED = 0
export const STATE_PAUSED = 1
export const STATE_RUNNING = 2
export const STATE_SUSPENDED = 3
export const STATE_CRASHED = 5
export type PowerState = 0 | 1 | 2 | 3 | 4 | 5 | 6

/** By the code that a guest gives SCHEDOP_shutdown. */
export const SHUTDOWN_REASONS = ['poweroff', 'reboot', 'suspend', 'crash', 'halt'] as const

/** Seconds that a guest has to follow control/shutdown before it is called unresponsive. */
export const SHUTDOWN_TIMEOUT = 300
/** Seconds that must lie between two restarts of a domain. */
export const MINIMUM_RESTART_TIME = 20

export const RESTART_IN_PROGRESS = 'xend/restart_in_progress'
export const LAST_SHUTDOWN_REASON = 'xend/last_shutdown_reason'

/** Seconds for hotplug scripts. */
export const DEVICE_CREATE_TIMEOUT = 100
export const DEVICE_DESTROY_TIMEOUT = 100

/** `xm trigger`. */
export const TRIGGERS: Readonly<Record<string, number>> = { nmi: 0, reset: 1, init: 2, s3resume: 3 }
