/** sysctl (35): what the control domain asks of the host (xen/common/sysctl.c, arch/x86/sysctl.c). */
import type { Struct, Values } from '#abi/struct.ts'
import { XEN_SCHEDULER_CREDIT, xen_domctl_getdomaininfo } from '#abi/xen/domctl.ts'
import { EACCES, EINVAL, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import {
  PMSTAT_CATEGORY_MASK,
  PMSTAT_get_cxstat,
  PMSTAT_get_max_cx,
  PMSTAT_PX,
  PMSTAT_reset_cxstat,
  XEN_SYSCTL_availheap,
  XEN_SYSCTL_debug_keys,
  XEN_SYSCTL_get_pmstat,
  XEN_SYSCTL_getcpuinfo,
  XEN_SYSCTL_getdomaininfolist,
  XEN_SYSCTL_INTERFACE_VERSION,
  XEN_SYSCTL_physinfo,
  XEN_SYSCTL_readconsole,
  XEN_SYSCTL_sched_id,
  XEN_SYSCTL_tbuf_op,
  XEN_SYSCTL_U,
  xen_sysctl,
  xen_sysctl_availheap,
  xen_sysctl_cpuinfo,
  xen_sysctl_debug_keys,
  xen_sysctl_get_pmstat,
  xen_sysctl_getcpuinfo,
  xen_sysctl_getdomaininfolist,
  xen_sysctl_physinfo,
  xen_sysctl_readconsole,
  xen_sysctl_sched_id,
  xen_sysctl_tbuf_op,
} from '#abi/xen/sysctl.ts'
import { PAGE_SHIFT, PAGE_SIZE } from '#abi/xen/types.ts'
import { featureWords } from '../arch-x86/cpu.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { domainInfo } from '../common/domain-info.ts'
import { keypresses } from '../common/keyhandler.ts'
import { MEMZONE_XEN, NR_ZONES } from '../common/page-alloc.ts'
import { tbControl } from '../common/trace.ts'
import { now, printk, type Xen } from '../xen.ts'
import { cpumaskOf } from './domctl-vcpus.ts'
import { type Call, type Hypercall, op, opIn, type RawOp } from './op-table.ts'

/** More keys than there are would only be pressed again. */
const KEYS_MAX = 256

// biome-ignore lint/suspicious/noExplicitAny: each row's struct has its own fields
const row = <S extends Struct<any>>(layout: S, run: (call: Call, arg: Values<S>) => number): RawOp => op(layout, run)

const rows: Readonly<Record<number, RawOp>> = {
  [XEN_SYSCTL_readconsole]: row(xen_sysctl_readconsole, readConsole),
  [XEN_SYSCTL_tbuf_op]: row(xen_sysctl_tbuf_op, ({ xen, mem }, arg) =>
    tbControl(xen, arg, () => cpumaskOf(mem, arg.cpu_mask_bitmap, arg.cpu_mask_nr_cpus)),
  ),
  [XEN_SYSCTL_physinfo]: physInfo,
  [XEN_SYSCTL_sched_id]: row(xen_sysctl_sched_id, (_call, arg) => {
    arg.sched_id = XEN_SCHEDULER_CREDIT
    return 0
  }),
  [XEN_SYSCTL_getdomaininfolist]: row(xen_sysctl_getdomaininfolist, domainInfoList),
  [XEN_SYSCTL_debug_keys]: opIn(xen_sysctl_debug_keys, ({ xen, mem }, { keys, nr_keys }) => {
    keypresses(
      xen,
      Array.from({ length: Math.min(nr_keys, KEYS_MAX) }, (_, i) => mem.read8(keys + i)),
    )
    return 0
  }),
  [XEN_SYSCTL_getcpuinfo]: row(xen_sysctl_getcpuinfo, cpuInfo),
  [XEN_SYSCTL_availheap]: availHeap,
  [XEN_SYSCTL_get_pmstat]: row(xen_sysctl_get_pmstat, pmStat),
}

export const sysctl: Hypercall = (call, [pointer = 0]) => {
  if (!call.caller.privileged) return -EPERM
  call.mem.copyOut(pointer, xen_sysctl.size)
  const { cmd, interface_version } = xen_sysctl.read(call.mem, pointer)
  if (interface_version !== XEN_SYSCTL_INTERFACE_VERSION) return -EACCES
  return rows[cmd]?.(call, pointer + XEN_SYSCTL_U) ?? -ENOSYS
}

/** read_console_ring. Indices are 32 bits of what was ever written. */
function readConsole({ xen, mem }: Call, arg: Values<typeof xen_sysctl_readconsole>): number {
  const { console } = xen
  const { ringConsumer, ringProducer } = console
  // As many bytes past the consumer as the index is; what is before it is lost.
  const ahead = (arg.index - ringConsumer) | 0
  let from = arg.incremental && ahead < 0 ? ringConsumer + ahead : ringConsumer
  if (from < ringProducer - console.ring.length) from = ringProducer - console.ring.length
  const bytes = Uint8Array.from(
    { length: Math.max(0, Math.min(arg.count, ringProducer - from)) },
    (_, i) => console.ring[(from + i) % console.ring.length]!,
  )
  mem.copyIn(arg.buffer, bytes)
  if (arg.clear) console.ringConsumer = from + bytes.length
  arg.count = bytes.length
  arg.index = (from + bytes.length) >>> 0
  return 0
}

/** Most of the struct is for the answer, whatever lies there before. */
function physInfo({ xen, mem }: Call, at: number): number {
  const { max_cpu_id, cpu_to_node } = xen_sysctl_physinfo.fields
  const map = cpu_to_node.get(mem, at)
  const online = xen.pcpus.filter((pcpu) => pcpu.online)
  const last = online.at(-1)?.id ?? 0
  const room = Math.min(max_cpu_id.get(mem, at), last)
  xen_sysctl_physinfo.write(mem, at, {
    // One package, as key r has it too.
    threads_per_core: 1,
    cores_per_socket: xen.pcpus.length,
    nr_cpus: online.length,
    nr_nodes: 1,
    cpu_khz: Math.floor(xen.time.tscHz / 1000),
    total_pages: xen.totalPages,
    free_pages: xen.heap.availDomHeapPages(),
    // Clearing is a matter of a bit (design D3): nothing waits for it.
    scrub_pages: 0,
    hw_cap: new Uint8Array(featureWords(xen.pcpus[0]!.metal.cpu).buffer),
    max_cpu_id: last,
    capabilities: 0,
  })
  if (map === 0) return 0
  for (let id = 0; id <= room; id++) mem.write32(map + 4 * id, xen.pcpus[id]?.online ? 0 : 0xffffffff)
  return 0
}

function domainInfoList({ xen, mem }: Call, arg: Values<typeof xen_sysctl_getdomaininfolist>): number {
  let count = 0
  for (const domain of xen.domains.values()) {
    if (domain.id < arg.first_domain) continue
    if (count === arg.max_domains) break
    const at = arg.buffer + count++ * xen_domctl_getdomaininfo.size
    xen_domctl_getdomaininfo.write(mem, at, domainInfo(xen, domain))
  }
  arg.num_domains = count
  return 0
}

function idleTime(xen: Xen, { idleNs, idleSinceNs, curr }: Pcpu): number {
  return Math.floor(idleNs + (curr ? 0 : Math.max(0, now(xen) - idleSinceNs)))
}

/** do_get_pm_info. Nobody has told Xen of clock rates or sleep states: there are none to count. */
function pmStat({ xen }: Call, arg: Values<typeof xen_sysctl_get_pmstat>): number {
  const pcpu = xen.pcpus[arg.cpuid]
  if ((arg.type & PMSTAT_CATEGORY_MASK) === PMSTAT_PX || !pcpu?.online) return -EINVAL
  switch (arg.type) {
    case PMSTAT_get_max_cx:
      arg.cx_nr = 0
      return 0
    case PMSTAT_get_cxstat:
      arg.cx_nr = 0
      arg.cx_last = 0
      arg.cx_idle_time = BigInt(idleTime(xen, pcpu))
      return 0
    case PMSTAT_reset_cxstat:
      return 0
    default:
      printk(xen, 'not defined sub-hypercall @ do_get_pm_info\n')
      return -ENOSYS
  }
}

function cpuInfo({ xen, mem }: Call, arg: Values<typeof xen_sysctl_getcpuinfo>): number {
  const count = Math.min(arg.max_cpus, xen.pcpus.length)
  for (let id = 0; id < count; id++) {
    const at = arg.info + id * xen_sysctl_cpuinfo.size
    xen_sysctl_cpuinfo.fields.idletime.set(mem, at, idleTime(xen, xen.pcpus[id]!))
  }
  arg.nr_cpus = count
  return 0
}

/** avail_domheap_pages_region. There is one node. */
function availHeap({ xen, mem }: Call, at: number): number {
  const { fields } = xen_sysctl_availheap
  const zone = (bits: number, otherwise: number): number => {
    const wanted = bits === 0 ? otherwise : bits - (PAGE_SHIFT + 1)
    return Math.min(Math.max(wanted, MEMZONE_XEN + 1), NR_ZONES - 1)
  }
  const node = fields.node.get(mem, at) | 0
  const pages =
    node === -1 || node === 0
      ? xen.heap.availHeapPages(
          zone(fields.min_bitwidth.get(mem, at), MEMZONE_XEN + 1),
          zone(fields.max_bitwidth.get(mem, at), NR_ZONES - 1),
        )
      : 0
  fields.avail_bytes.set(mem, at, pages * PAGE_SIZE)
  return 0
}
