/** Mirrors xen/include/public/trace.h: the trace buffers that Xen shares with dom0, one for each processor, and the records in them. */
import { struct, u32 } from '../struct.ts'

export const TRACE_EXTRA_MAX = 7
export const TRACE_EXTRA_SHIFT = 28

/** Classes of events: bits from TRC_CLS_SHIFT on; within a class, subclasses in four bits. */
export const TRC_CLS_SHIFT = 16
export const TRC_SUBCLS_SHIFT = 12
export const TRC_GEN = 0x0001f000
export const TRC_SCHED = 0x0002f000
export const TRC_DOM0OP = 0x0004f000
export const TRC_HVM = 0x0008f000
export const TRC_MEM = 0x0010f000
export const TRC_PV = 0x0020f000
export const TRC_ALL = 0x0ffff000

/** In a record's first word: 64 bits of cycle counter follow. */
export const TRC_HD_CYCLE_FLAG = 0x80000000

export const TRC_LOST_RECORDS = TRC_GEN + 1
export const TRC_TRACE_WRAP_BUFFER = TRC_GEN + 2
/** xentrace's own, in its files: which processor's records follow, and how many bytes of them. */
export const TRC_TRACE_CPU_CHANGE = TRC_GEN + 3

export const TRC_SCHED_DOM_ADD = TRC_SCHED + 1
export const TRC_SCHED_SLEEP = TRC_SCHED + 3
export const TRC_SCHED_WAKE = TRC_SCHED + 4
export const TRC_SCHED_YIELD = TRC_SCHED + 5
export const TRC_SCHED_BLOCK = TRC_SCHED + 6
export const TRC_SCHED_SHUTDOWN = TRC_SCHED + 7
export const TRC_SCHED_ADJDOM = TRC_SCHED + 9
export const TRC_SCHED_SWITCH = TRC_SCHED + 10
export const TRC_SCHED_SWITCH_INFPREV = TRC_SCHED + 14
export const TRC_SCHED_SWITCH_INFNEXT = TRC_SCHED + 15

export const TRC_MEM_PAGE_GRANT_MAP = TRC_MEM + 1
export const TRC_MEM_PAGE_GRANT_UNMAP = TRC_MEM + 2
export const TRC_MEM_PAGE_GRANT_TRANSFER = TRC_MEM + 3

export const TRC_PV_HYPERCALL = TRC_PV + 1
/** Addresses in the record have 64 bits. */
export const TRC_64_FLAG = 0x100

/** At the beginning of a buffer; both run modulo twice the bytes that follow. */
export const t_buf = struct('t_buf', 8, {
  cons: u32(0), // where the tools go on reading
  prod: u32(4), // where Xen goes on writing
})
