/** xen/common/trace.c: the trace buffers, which xentrace in dom0 reads. What observers outside the machine are told is tracer.ts. */
import type { Values } from '#abi/struct.ts'
import { EINVAL } from '#abi/xen/errno.ts'
import {
  XEN_SYSCTL_TBUFOP_disable,
  XEN_SYSCTL_TBUFOP_enable,
  XEN_SYSCTL_TBUFOP_get_info,
  XEN_SYSCTL_TBUFOP_set_cpu_mask,
  XEN_SYSCTL_TBUFOP_set_evt_mask,
  XEN_SYSCTL_TBUFOP_set_size,
  type xen_sysctl_tbuf_op,
} from '#abi/xen/sysctl.ts'
import {
  TRACE_EXTRA_MAX,
  TRACE_EXTRA_SHIFT,
  TRC_64_FLAG,
  TRC_ALL,
  TRC_CLS_SHIFT,
  TRC_HD_CYCLE_FLAG,
  TRC_LOST_RECORDS,
  TRC_PV_HYPERCALL,
  TRC_SCHED_SWITCH,
  TRC_SCHED_SWITCH_INFNEXT,
  TRC_SCHED_SWITCH_INFPREV,
  TRC_SUBCLS_SHIFT,
  TRC_TRACE_WRAP_BUFFER,
  t_buf,
} from '#abi/xen/trace.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { RUNSTATE_runnable } from '#abi/xen/vcpu.ts'
import { DOMID_IDLE, DOMID_XEN, VIRQ_TBUF } from '#abi/xen/xen.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'
import { hasCpu } from './cpulist.ts'
import type { Vcpu } from './domain.ts'
import { sendGlobalVirq } from './event-channel.ts'
import { shareXenFrame } from './grant-table.ts'
import { guestLog } from './guest-log.ts'
import { orderFromPages } from './page-alloc.ts'
import { TBUF_SOFTIRQ } from './softirq.ts'

const RECORD_HEADER = 4
const CYCLES = 8
const LOST_REC_SIZE = 8

export interface Trace {
  /** tb_init_done: records are being written. */
  on: boolean
  /** opt_tbuf_size: frames of each processor's buffer; 0: there are none. */
  pages: number
  /** The first of all those frames. */
  mfn: number
  cpuMask: Uint8Array
  evtMask: number
  /** By processor: records that did not fit since the last that did. */
  readonly lost: Map<Pcpu, number>
  /** By processor: since when its idle vCPU has had to wait. */
  readonly idleWaits: Map<Pcpu, number>
}

export const makeTrace = (): Trace => ({
  on: false,
  pages: 0,
  mfn: 0,
  cpuMask: new Uint8Array(4).fill(0xff),
  evtMask: TRC_ALL,
  lost: new Map(),
  idleWaits: new Map(),
})

/** alloc_trace_bufs: of `pages` frames each, shared with the privileged. */
function allocTraceBufs(xen: Xen, pages: number): boolean {
  const { trace, heap, mem } = xen
  const count = xen.pcpus.filter(({ online }) => online).length * pages
  const mfn = heap.allocXenHeapPages(orderFromPages(count))
  if (mfn === undefined) {
    printk(xen, 'Xen trace buffers: memory allocation failed\n')
    return false
  }
  trace.pages = pages
  trace.mfn = mfn
  for (let i = 0; i < count; i++) {
    shareXenFrame(xen, mfn + i, DOMID_XEN)
    mem.fill((mfn + i) * PAGE_SIZE, PAGE_SIZE, 0)
  }
  return true
}

/** init_trace_bufs */
export function initTraceBufs(xen: Xen): void {
  const { tbufSize } = xen.options
  if (tbufSize === 0) printk(xen, 'Xen trace buffers: disabled\n')
  else if (allocTraceBufs(xen, tbufSize)) {
    printk(xen, 'Xen trace buffers: initialised\n')
    xen.trace.on = true
  }
}

/** tb_set_size: once and for all. */
function setSize(xen: Xen, size: number): number {
  const { trace } = xen
  if (trace.pages !== 0 || size <= 0) {
    guestLog(xen, XENLOG_INFO, 'trace.c:137', `tb_set_size from ${trace.pages} to ${size} not implemented`)
    return -EINVAL
  }
  if (!allocTraceBufs(xen, size)) return -EINVAL
  printk(xen, 'Xen trace buffers: initialized\n')
  return 0
}

/** tb_control. `cpuMask` reads the caller's. */
export function tbControl(xen: Xen, arg: Values<typeof xen_sysctl_tbuf_op>, cpuMask: () => Uint8Array): number {
  const { trace } = xen
  switch (arg.cmd) {
    case XEN_SYSCTL_TBUFOP_get_info:
      arg.evt_mask = trace.evtMask
      arg.buffer_mfn = trace.pages ? trace.mfn : 0
      arg.size = trace.pages * PAGE_SIZE
      return 0
    case XEN_SYSCTL_TBUFOP_set_cpu_mask:
      trace.cpuMask = cpuMask()
      return 0
    case XEN_SYSCTL_TBUFOP_set_evt_mask:
      trace.evtMask = arg.evt_mask
      return 0
    case XEN_SYSCTL_TBUFOP_set_size:
      return trace.on ? -EINVAL : setSize(xen, arg.size | 0)
    case XEN_SYSCTL_TBUFOP_enable:
      if (trace.pages === 0) return -EINVAL
      trace.on = true
      return 0
    case XEN_SYSCTL_TBUFOP_disable:
      trace.on = false
      return 0
    default:
      return -EINVAL
  }
}

/** trace_notify_dom0, in its tasklet. */
export const notifyTbuf = (xen: Xen): void => sendGlobalVirq(xen, xen.domains.get(0), VIRQ_TBUF)

/** TRACE_1D to TRACE_4D: an event of the running processor's with `words` words, those after them not given. */
export function trace(xen: Xen, event: number, words: number, a: number, b = 0, c = 0, d = 0): void {
  if (xen.trace.on) traceVar(xen, xen.current, event, words, a, b, c, d)
}

/** trace_hypercall. `rip`: where machine code goes on; a module kernel has no instruction pointer to tell of. */
export function traceEntry(xen: Xen, nr: number, rip = 0): void {
  const high = Math.floor(rip / 2 ** 32) >>> 0
  if (xen.trace.on) traceVar(xen, xen.current, TRC_PV_HYPERCALL | TRC_64_FLAG, 3, rip >>> 0, high, nr, 0)
}

/** The records of schedule(): `pcpu` goes from one vCPU to another, undefined being its idle one, for `sliceNs`. */
export function traceSwitch(
  xen: Xen,
  pcpu: Pcpu,
  prev: Vcpu | undefined,
  next: Vcpu | undefined,
  nowNs: number,
  sliceNs: number,
): void {
  const { trace } = xen
  const waits = trace.idleWaits.get(pcpu) ?? nowNs
  if (!prev) trace.idleWaits.set(pcpu, nowNs)
  if (!trace.on) return
  const from = prev ? prev.runstate.entryNs : pcpu.idleSinceNs
  const since = !next ? waits : next.runstate.state === RUNSTATE_runnable ? next.runstate.entryNs : nowNs
  const prevId = prev ? prev.domain.id : DOMID_IDLE
  const nextId = next ? next.domain.id : DOMID_IDLE
  traceVar(xen, pcpu, TRC_SCHED_SWITCH_INFPREV, 2, prevId, nowNs - from, 0, 0)
  traceVar(xen, pcpu, TRC_SCHED_SWITCH_INFNEXT, 3, nextId, nowNs - since, sliceNs, 0)
  traceVar(xen, pcpu, TRC_SCHED_SWITCH, 4, prevId, prev ? prev.id : pcpu.id, nextId, next ? next.id : pcpu.id)
}

/** __trace_var */
function traceVar(
  xen: Xen,
  pcpu: Pcpu,
  event: number,
  words: number,
  a: number,
  b: number,
  c: number,
  d: number,
): void {
  const { pages, mfn, evtMask, cpuMask, lost } = xen.trace
  // By the mask's class, then by its subclass.
  if ((evtMask & event) === 0 || ((evtMask >>> TRC_CLS_SHIFT) & (event >>> TRC_CLS_SHIFT)) === 0) return
  if (((evtMask >>> TRC_SUBCLS_SHIFT) & (event >>> TRC_SUBCLS_SHIFT) & 0xf) === 0 || !hasCpu(cpuMask, pcpu.id)) return
  const { mem } = xen
  const size = pages * PAGE_SIZE - t_buf.size
  const at = mfn * PAGE_SIZE + pcpu.id * pages * PAGE_SIZE
  const { cons, prod } = t_buf.read(mem, at)
  const used = prod < cons ? prod + 2 * size - cons : prod - cons
  // Both lie in memory that dom0 writes: the real one of this age would believe anything.
  if (cons >= 2 * size || prod >= 2 * size || prod % 4 !== 0 || used > size) return
  const ring: Ring = { xen, pcpu, data: at + t_buf.size, size, prod }
  const recSize = RECORD_HEADER + CYCLES + 4 * words
  const lostRecords = lost.get(pcpu) ?? 0
  // A dry run: what has to fit, with the rest of the ring where a record would not fit in there.
  let total = 0
  let room = toWrap(ring)
  if (lostRecords > 0) {
    if (LOST_REC_SIZE > room) {
      total += room
      room = size
    }
    total += LOST_REC_SIZE
    room -= LOST_REC_SIZE
    if (room === 0) room = size
  }
  if (recSize > room) total += room
  total += recSize
  if (total > size - used) {
    lost.set(pcpu, lostRecords + 1)
    return
  }
  if (lostRecords > 0) {
    if (LOST_REC_SIZE > toWrap(ring)) wrap(ring)
    insert(ring, TRC_LOST_RECORDS, false, 1, lostRecords, 0, 0, 0)
    lost.set(pcpu, 0)
  }
  if (recSize > toWrap(ring)) wrap(ring)
  insert(ring, event, true, words, a, b, c, d)
  t_buf.fields.prod.set(mem, at, ring.prod)
  const highwater = Math.floor(size / 2)
  if (used < highwater && used + total >= highwater) pcpu.raise(TBUF_SOFTIRQ)
}

/** A processor's buffer while records are written. */
interface Ring {
  readonly xen: Xen
  readonly pcpu: Pcpu
  /** Machine address of its first byte, and how many there are. */
  readonly data: number
  readonly size: number
  prod: number
}

/** calc_bytes_to_wrap */
const toWrap = ({ size, prod }: Ring): number => (prod < size ? size - prod : 2 * size - prod)

/** insert_wrap_record: the rest of the ring, with cycles where it is too much for a record without. */
function wrap(ring: Ring): void {
  const words = toWrap(ring) / 4 - 1
  if (words > TRACE_EXTRA_MAX) insert(ring, TRC_TRACE_WRAP_BUFFER, true, words - 2, 0, 0, 0, 0)
  else insert(ring, TRC_TRACE_WRAP_BUFFER, false, words, 0, 0, 0, 0)
}

/** __insert_record */
function insert(
  ring: Ring,
  event: number,
  cycles: boolean,
  words: number,
  a: number,
  b: number,
  c: number,
  d: number,
): void {
  const { xen, pcpu, data, size, prod } = ring
  const { mem } = xen
  let at = data + (prod < size ? prod : prod - size)
  const put = (word: number): void => {
    mem.write32(at, (word % 2 ** 32) >>> 0)
    at += 4
  }
  put(event + words * 2 ** TRACE_EXTRA_SHIFT + (cycles ? TRC_HD_CYCLE_FLAG : 0))
  if (cycles) {
    const tsc = pcpu.metal.cpu.rdtsc()
    put(tsc)
    put(Math.floor(tsc / 2 ** 32))
  }
  if (words > 0) put(a)
  if (words > 1) put(b)
  if (words > 2) put(c)
  if (words > 3) put(d)
  ring.prod = (prod + RECORD_HEADER + (cycles ? CYCLES : 0) + 4 * words) % (2 * size)
}
