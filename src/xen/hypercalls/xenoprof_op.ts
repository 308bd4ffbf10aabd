/**
 * xenoprof_op (31): profiling by performance counters (xen/common/xenoprof.c, arch/x86/oprofile). Buffers and the list of who takes part are
 * there; this processor has no counters, so reserving them fails as where somebody else has them, and nothing is ever sampled.
 */
import type { Values } from '#abi/struct.ts'
import { E2BIG, EBUSY, EINVAL, ENOMEM, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  XENOPROF_counter,
  XENOPROF_disable_virq,
  XENOPROF_enable_virq,
  XENOPROF_get_buffer,
  XENOPROF_init,
  XENOPROF_last_op,
  XENOPROF_release_counters,
  XENOPROF_reserve_counters,
  XENOPROF_reset_active_list,
  XENOPROF_reset_passive_list,
  XENOPROF_set_active,
  XENOPROF_set_backtrace,
  XENOPROF_setup_events,
  XENOPROF_shutdown,
  XENOPROF_start,
  XENOPROF_stop,
  xenoprof_buf,
  xenoprof_get_buffer,
  xenoprof_init,
} from '#abi/xen/xenoprof.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { putPage } from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { releaseDomain } from '../common/domain-destroy.ts'
import { shareXenPage } from '../common/grant-table.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { orderFromPages, PGC_allocated, PGC_count_mask } from '../common/page-alloc.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'
import { type Call, type Hypercall, op, type RawOp } from './op-table.ts'

const MAX_OPROF_DOMAINS = 25
const MAX_OPROF_SHARED_PAGES = 32
const EVENT_LOG_BYTES = 16
/** Of a Core 2, by its family and model. */
const CPU_TYPE = 'i386/core_2'
const NUM_COUNTERS = 2
/** What a domain may do that is not the one that profiles. */
const NONPRIV: readonly number[] = [XENOPROF_init, XENOPROF_enable_virq, XENOPROF_disable_virq, XENOPROF_get_buffer]

const inState = (): number => -EPERM

const rows: Readonly<Record<number, RawOp>> = {
  [XENOPROF_init]: op(xenoprof_init, init),
  [XENOPROF_get_buffer]: op(xenoprof_get_buffer, getBuffer),
  [XENOPROF_set_active]: setActive,
  [XENOPROF_reset_active_list]({ xen }) {
    for (const domain of xen.xenoprof.active.splice(0)) {
      if (domain.xenoprof) domain.xenoprof.ready = false
      releaseDomain(xen, domain)
    }
    return 0
  },
  // Nobody is on it: samples of others' domains would have to be taken by counters.
  [XENOPROF_reset_passive_list]: () => 0,
  [XENOPROF_reserve_counters]: () => -EBUSY,
  [XENOPROF_counter]: inState,
  [XENOPROF_setup_events]: inState,
  [XENOPROF_start]: inState,
  [XENOPROF_stop]: inState,
  [XENOPROF_release_counters]: inState,
  [XENOPROF_enable_virq]: enableVirq,
  [XENOPROF_disable_virq]: disableVirq,
  [XENOPROF_shutdown]({ xen }) {
    xen.xenoprof.primary = undefined
    for (const domain of xen.xenoprof.active.splice(0)) releaseDomain(xen, domain)
    return 0
  },
  [XENOPROF_set_backtrace]({ mem }, pointer) {
    mem.read64(pointer)
    return 0
  },
}

export const xenoprofOp: Hypercall = (call, [command = 0, pointer = 0]) => {
  const { xen, caller } = call
  const number = command | 0
  if (number < 0 || number > XENOPROF_last_op) {
    printk(xen, `xenoprof: invalid operation ${number} for domain ${caller.id}\n`)
    return -EINVAL
  }
  if (!NONPRIV.includes(number) && xen.xenoprof.primary !== caller) {
    printk(xen, `xenoprof: dom ${caller.id} denied privileged operation ${number}\n`)
    return -EPERM
  }
  const result = rows[number]?.(call, pointer) ?? -ENOSYS
  if (result < 0) printk(xen, `xenoprof: operation ${number} failed for dom ${caller.id} (status : ${result})\n`)
  return result
}

/** The first that is dom0 profiles. */
function init({ xen, caller }: Call, arg: Values<typeof xenoprof_init>): number {
  const { xenoprof } = xen
  if (!xenoprof.primary && caller.id === 0) xenoprof.primary = caller
  arg.num_events = NUM_COUNTERS
  arg.is_primary = xenoprof.primary === caller ? 1 : 0
  const name = bytesOfString(CPU_TYPE)
  arg.cpu_type.fill(0, 0, name.length + 1).set(name)
  return 0
}

/** alloc_xenoprof_struct: kept until the domain is gone. */
function allocBuffer({ heap, mem }: Xen, domain: Domain, wanted: number): boolean {
  const count = domain.vcpus.filter((vcpu) => vcpu !== undefined).length
  const most = Math.floor((MAX_OPROF_SHARED_PAGES * PAGE_SIZE) / count)
  const mostSamples = Math.floor((most - xenoprof_buf.size) / EVENT_LOG_BYTES) + 1
  const samples = Math.min(wanted, mostSamples)
  const bytes = xenoprof_buf.size + (samples - 1) * EVENT_LOG_BYTES
  const pages = Math.floor((count * bytes - 1) / PAGE_SIZE) + 1
  const order = orderFromPages(pages)
  const mfn = heap.allocXenHeapPages(order)
  if (mfn === undefined) return false
  const base = mfn * PAGE_SIZE
  mem.fill(base, pages * PAGE_SIZE, 0)
  let at = base
  for (const vcpu of domain.vcpus) {
    if (!vcpu) continue
    xenoprof_buf.write(mem, at, { event_size: samples, vcpu_id: vcpu.id })
    at += bytes
  }
  domain.xenoprof = { mfn, order, pages, bytes, count, ready: false }
  return true
}

function getBuffer({ xen, caller }: Call, arg: Values<typeof xenoprof_get_buffer>): number {
  if (!caller.xenoprof && !allocBuffer(xen, caller, arg.max_samples)) return -ENOMEM
  const buffer = caller.xenoprof!
  const { countInfo } = xen.heap.frames
  // The last one to have had it must have let go.
  for (let mfn = buffer.mfn; mfn < buffer.mfn + buffer.pages; mfn++) {
    if (countInfo[mfn] === 0) continue
    const text = `mfn 0x${hex(mfn)} page->count_info 0x${hex(countInfo[mfn]!)}`
    guestLog(xen, XENLOG_INFO, 'xenoprof.c:146', text)
    return -EBUSY
  }
  for (let i = 0; i < buffer.pages; i++) shareXenPage(xen, caller, (buffer.mfn + i) as typeof buffer.mfn)
  resetBuffer(xen, caller)
  buffer.ready = false
  arg.nbuf = buffer.count
  arg.bufsize = buffer.bytes
  arg.buf_gmaddr = BigInt(buffer.mfn) * BigInt(PAGE_SIZE)
  return 0
}

/** xenoprof_reset_buf */
function resetBuffer(xen: Xen, { xenoprof }: Domain): void {
  if (!xenoprof) {
    printk(xen, 'xenoprof_reset_buf: ERROR - Unexpected Xenoprof NULL pointer \n')
    return
  }
  for (let i = 0; i < xenoprof.count; i++)
    xenoprof_buf.write(xen.mem, xenoprof.mfn * PAGE_SIZE + i * xenoprof.bytes, { event_head: 0, event_tail: 0 })
}

/** add_active_list. It is not gone before it is off the list. */
function setActive({ xen, mem }: Call, pointer: number): number {
  const id = mem.read16(pointer)
  const { active } = xen.xenoprof
  if (active.length >= MAX_OPROF_DOMAINS) return -E2BIG
  const domain = xen.domains.get(id)
  if (!domain) return -EINVAL
  active.push(domain)
  domain.refs++
  return 0
}

function enableVirq({ xen, caller }: Call): number {
  resetBuffer(xen, caller)
  if (!xen.xenoprof.active.includes(caller) || !caller.xenoprof) return -EPERM
  caller.xenoprof.ready = true
  return 0
}

function disableVirq({ xen, caller }: Call): number {
  const { active } = xen.xenoprof
  const at = active.indexOf(caller)
  const buffer = caller.xenoprof
  if (at < 0 || !buffer) return -EPERM
  active.splice(at, 1)
  buffer.ready = false
  const { countInfo } = xen.heap.frames
  for (let mfn = buffer.mfn; mfn < buffer.mfn + buffer.pages; mfn++) {
    if (countInfo[mfn]! < PGC_allocated || (countInfo[mfn]! & PGC_count_mask) === 0) continue
    countInfo[mfn] = countInfo[mfn]! - PGC_allocated
    putPage(xen, mfn)
  }
  releaseDomain(xen, caller)
  return 0
}
