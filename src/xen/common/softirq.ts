/** xen/common/softirq.c: work put off by an interrupt until the processor's idle loop, or its way back to a guest. */

export const TIMER_SOFTIRQ = 1 << 0
export const TASKLET_SOFTIRQ = 1 << 1
export const SCHEDULE_SOFTIRQ = 1 << 2
/** A tasklet of its own: dom0 is told of a trace buffer that is half full. */
export const TBUF_SOFTIRQ = 1 << 3
