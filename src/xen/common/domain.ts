/** xen/common/domain.c: domains and their vCPUs. */
import type { Mem } from '#abi/mem.ts'
import type { LoadedCode } from '#abi/pc/metal.ts'
import type { VcpuCode } from '#abi/xen/guest.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import { type Mfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { RUNSTATE_offline } from '#abi/xen/vcpu.ts'
import { NR_VIRQS, VIRQ_TIMER, vcpu_info } from '#abi/xen/xen.ts'
import { showHeader } from '../arch-x86/execution-state.ts'
import { guestMem, PageMap } from '../arch-x86/mm.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { dom0Shutdown } from '../arch-x86/shutdown.ts'
import type { Entered } from '../arch-x86/virtual-cpu.ts'
import { now, printk, type Xen } from '../xen.ts'
import { type EventPort, initPorts, sendVcpuVirq } from './event-channel.ts'
import { PGC_allocated, PGT_validated, PGT_writable_page } from './page-alloc.ts'
import { Rangeset } from './rangeset.ts'
import { type CreditDomain, type CreditVcpu, DEFAULT_WEIGHT, makeCreditVcpu } from './sched-credit.ts'
import {
  makeVcpuTimer,
  periodicTimerWork,
  stopVcpuTimer,
  type VcpuTimer,
  vcpuSleep,
  vcpuUnblock,
  vcpuWake,
} from './schedule.ts'

/** vcpu.pause_flags. */
export const VPF_blocked = 1 << 0
export const VPF_down = 1 << 1

/** Interrupts that a domain can know of. */
export const NR_IRQS = 256
/** HZ=100 until the guest says otherwise. */
const PERIODIC_DEFAULT_NS = 10_000_000

export interface Vcpu {
  readonly id: number
  readonly domain: Domain
  /** Logical number of the processor it runs on. */
  processor: number
  pauseFlags: number
  /** Its kernel's code, or how to get it when it first runs. */
  code: { readonly loaded: LoadedCode; run: VcpuCode | (() => VcpuCode) } | undefined
  pauseCount: number
  readonly sched: CreditVcpu
  /** Machine address of its vcpu_info. */
  infoAt: number
  /** By VCPUOP_register_vcpu_info. */
  infoMoved: boolean
  /** It has been given a context to start from. */
  initialised: boolean
  /** It is the one that its processor runs. */
  running: boolean
  /** It waits in SCHEDOP_poll. */
  polling: boolean
  /** IOPL of its kernel, as it has asked for it. */
  iopl: number
  /** virq_to_evtchn. */
  readonly virqPorts: Uint16Array
  /** VIRQ_TIMER comes so often while it runs; 0 never. */
  periodicNs: number
  periodicLastNs: number
  readonly periodicTimer: VcpuTimer
  readonly singleshotTimer: VcpuTimer
  readonly pollTimer: VcpuTimer
  readonly runstate: { state: number; entryNs: number; readonly time: number[] }
  /** Where the guest wants to find it at each schedule. */
  runstateArea: number | undefined
  /** Whose clock its vcpu_info tells. */
  timeFrom: Pcpu | undefined
  timeStamp: number
  /** RAX for the next entry: what the hypercall returned that ended the last run. */
  result: number
  /** What a hypercall of the run under way threw: Xen's own affair, dealt with when the guest is back. */
  thrown: unknown
}

export interface Domain {
  readonly id: number
  privileged: boolean
  /** Its UUID. */
  readonly handle: Uint8Array
  readonly vcpus: Vcpu[]
  readonly sched: CreditDomain
  /** dom0_max_vcpus and the like. */
  maxVcpus: number
  totPages: number
  /** May grow up to so many frames. */
  maxPages: number
  /** Frames of the Xen heap that it shares. */
  xenheapPages: number
  readonly sharedInfo: Mfn
  readonly pageMap: PageMap
  /** Its memory through that map. */
  readonly mem: Mem
  /** Event channels by port. */
  readonly ports: EventPort[]
  /** No port below is free. */
  firstFreePort: number
  /** Some vCPU waits in SCHEDOP_poll. */
  polling: boolean
  /** pirq_to_evtchn. */
  readonly pirqPorts: Uint16Array
  /** pirq_mask: interrupts that wait for its EOI. */
  readonly pirqMask: Uint8Array
  readonly ioportCaps: Rangeset
  readonly iomemCaps: Rangeset
  readonly irqCaps: Rangeset
  /** CONFIG_ADDRESS as it last wrote it. */
  pciCf8: number
  vmAssist: number
  /** The kernel that its vCPUs start in. */
  entered: Entered | undefined
  dying: boolean
  pauseCount: number
  shuttingDown: boolean
  shutdownCode: number
}

/** domain_create: paused, without memory of its own but the shared_info frame. Undefined: no Xen heap left. */
export function domainCreate(xen: Xen, id: number): Domain | undefined {
  const { heap } = xen
  // struct domain itself lives in a page of the Xen heap, next to the page it shares with the guest.
  const own = heap.allocXenHeapPages(0)
  const sharedInfo = heap.allocXenHeapPages(0)
  if (own === undefined || sharedInfo === undefined) return undefined
  xen.mem.fill(sharedInfo * PAGE_SIZE, PAGE_SIZE, 0)
  const pageMap = new PageMap()
  const domain: Domain = {
    id,
    privileged: false,
    handle: new Uint8Array(16),
    vcpus: [],
    sched: { activeVcpus: [], weight: DEFAULT_WEIGHT, cap: 0 },
    maxVcpus: 1,
    totPages: 0,
    maxPages: 0,
    xenheapPages: 0,
    sharedInfo,
    pageMap,
    mem: guestMem(pageMap, xen.mem),
    ports: [],
    firstFreePort: 0,
    polling: false,
    pirqPorts: new Uint16Array(NR_IRQS),
    pirqMask: new Uint8Array(NR_IRQS),
    ioportCaps: new Rangeset('I/O Ports', true),
    iomemCaps: new Rangeset('I/O Memory', true),
    irqCaps: new Rangeset('Interrupts', false),
    pciCf8: 0,
    vmAssist: 0,
    entered: undefined,
    dying: false,
    pauseCount: 1,
    shuttingDown: false,
    shutdownCode: -1,
  }
  initPorts(domain)
  xen.credit.stats.dom_init++
  shareXenPage(xen, domain, sharedInfo)
  xen.domains.set(id, domain)
  return domain
}

/** share_xen_page_with_guest: the domain may map this frame of Xen's, writable. */
function shareXenPage(xen: Xen, domain: Domain, mfn: Mfn): void {
  const { frames } = xen.heap
  frames.owner[mfn] = domain.id
  frames.countInfo[mfn] = PGC_allocated | 1
  frames.typeInfo[mfn] = PGT_writable_page + PGT_validated + 1
  domain.xenheapPages++
}

export function allocVcpu(xen: Xen, domain: Domain, id: number, processor: number): Vcpu | undefined {
  if (xen.heap.allocXenHeapPages(0) === undefined) return undefined
  const vcpu: Vcpu = {
    id,
    domain,
    processor,
    pauseFlags: VPF_down,
    pauseCount: 0,
    sched: makeCreditVcpu(),
    code: undefined,
    infoAt: domain.sharedInfo * PAGE_SIZE + id * vcpu_info.size,
    infoMoved: false,
    initialised: false,
    running: false,
    polling: false,
    iopl: 0,
    virqPorts: new Uint16Array(NR_VIRQS),
    periodicNs: PERIODIC_DEFAULT_NS,
    periodicLastNs: 0,
    periodicTimer: makeVcpuTimer(`d${domain.id}v${id} periodic`, () => periodicTimerWork(xen, vcpu)),
    singleshotTimer: makeVcpuTimer(`d${domain.id}v${id} singleshot`, () => sendVcpuVirq(xen, vcpu, VIRQ_TIMER)),
    pollTimer: makeVcpuTimer(`d${domain.id}v${id} poll`, () => {
      if (vcpu.polling) vcpuUnblock(xen, vcpu)
    }),
    runstate: { state: RUNSTATE_offline, entryNs: now(xen), time: [0, 0, 0, 0] },
    runstateArea: undefined,
    timeFrom: undefined,
    timeStamp: 0,
    result: 0,
    thrown: undefined,
  }
  domain.vcpus[id] = vcpu
  xen.credit.stats.vcpu_init++
  return vcpu
}

/** assign_pages: 2^order frames become the domain's. False: over its limit. */
export function assignPages(xen: Xen, domain: Domain, mfn: Mfn, order: number): boolean {
  const count = 2 ** order
  if (domain.totPages + count > domain.maxPages) return false
  const { frames } = xen.heap
  domain.totPages += count
  for (let i = mfn; i < mfn + count; i++) {
    frames.owner[i] = domain.id
    frames.countInfo[i] = PGC_allocated | 1
    // A scrubbed frame was cleared in name only (FrameTable.scrubbed).
    if (frames.scrubbed[i]) xen.mem.fill(i * PAGE_SIZE, PAGE_SIZE, 0)
  }
  return true
}

/** alloc_domheap_pages for a domain. `bits`: below that many bits of address; 0: anywhere. */
export function allocDomainPages(xen: Xen, domain: Domain, order: number, bits = 0): Mfn | undefined {
  const mfn = xen.heap.allocDomHeapPages(order, bits)
  if (mfn === undefined) return undefined
  if (assignPages(xen, domain, mfn, order)) return mfn
  xen.heap.freeDomHeapPages(mfn, order)
  return undefined
}

/** __domain_crash: the guest broke what it cannot survive; the others go on. `why` ends without newline. */
export function domainCrash(xen: Xen, vcpu: Vcpu, why: string): void {
  const { domain } = vcpu
  if (domain.shuttingDown) return
  const cpu = xen.current.id
  printk(xen, `Domain ${domain.id} (vcpu#${vcpu.id}) crashed on cpu#${cpu}:\n`)
  showHeader(xen, cpu)
  // A module kernel has no registers: what it was doing is a place in its source.
  printk(xen, `${why}\n`)
  domainShutdown(xen, domain, SHUTDOWN_crash)
}

/** domain_shutdown: its vCPUs stop. With dom0 goes the host. */
export function domainShutdown(xen: Xen, domain: Domain, reason: number): void {
  if (domain.id === 0) dom0Shutdown(xen, reason)
  domain.shuttingDown = true
  domain.shutdownCode = reason
  for (const vcpu of domain.vcpus) {
    if (!vcpu) continue
    for (const timer of [vcpu.periodicTimer, vcpu.singleshotTimer, vcpu.pollTimer]) stopVcpuTimer(timer)
    vcpuSleep(xen, vcpu)
  }
}

/** domain_unpause_by_systemcontroller */
export function unpause(xen: Xen, domain: Domain): void {
  if (--domain.pauseCount > 0) return
  for (const vcpu of domain.vcpus) if (vcpu) vcpuWake(xen, vcpu)
}

export const runnable = ({ domain, pauseFlags, pauseCount, code }: Vcpu): boolean =>
  pauseFlags === 0 && pauseCount === 0 && domain.pauseCount === 0 && !domain.shuttingDown && code !== undefined
