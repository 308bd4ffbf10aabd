/** xen/common/domain.c: domains and their vCPUs. */
import type { Mem } from '#abi/mem.ts'
import type { LoadedCode } from '#abi/pc/metal.ts'
import type { Values } from '#abi/struct.ts'
import type { xen_domctl_cpuid } from '#abi/xen/domctl.ts'
import type { VcpuCode } from '#abi/xen/guest.ts'
import { TRC_SCHED_DOM_ADD } from '#abi/xen/trace.ts'
import { type Mfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { RUNSTATE_offline } from '#abi/xen/vcpu.ts'
import { NR_VIRQS, VIRQ_TIMER, vcpu_info } from '#abi/xen/xen.ts'
import { guestMem, PageMap } from '../arch-x86/mm.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import type { Entered } from '../arch-x86/virtual-cpu.ts'
import { NR_CPUS } from '../options.ts'
import { now, type Xen } from '../xen.ts'
import { domainChanged } from './domain-probe.ts'
import { pauseForShutdown } from './domain-shutdown.ts'
import { type EventPort, initPorts, sendVcpuVirq } from './event-channel.ts'
import { type GrantTable, grantTableCreate, shareXenPage } from './grant-table.ts'
import { hex } from './lib.ts'
import { Rangeset } from './rangeset.ts'
import { type CreditDomain, type CreditVcpu, DEFAULT_WEIGHT, makeCreditVcpu } from './sched-credit.ts'
import { makeVcpuTimer, periodicTimerWork, type VcpuTimer, vcpuUnblock } from './schedule.ts'
import { trace } from './trace.ts'
import { traceVcpu } from './tracer.ts'

/** vcpu.pause_flags. */
export const VPF_blocked = 1 << 0
export const VPF_down = 1 << 1
/** It has to get off its processor, and on to another. */
export const VPF_migrating = 1 << 3

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
  /** Its frame of the Xen heap. */
  readonly own: Mfn
  /** Where its kernel is entered when it first runs, and RSI then. */
  start: { readonly entry: Vaddr; readonly startInfo: Vaddr } | undefined
  /** arch.guest_context: registers and tables, as the tools and the guest have set them (guest-context.ts). */
  context: Uint8Array | undefined
  /** Callbacks that the context has no room for. */
  callbacks32: {
    syscall: Vaddr
    syscallCs: number
    syscallMasks: boolean
    sysenter: Vaddr
    sysenterCs: number
    sysenterMasks: boolean
  }
  /** Frames that it holds as its GDT. */
  gdtFrames: number[]
  /** The first frame of its LDT, held as such; 0: none. */
  ldtFrame: number
  /** The user %gs selector that it has loaded. */
  gsUserSelector: number
  nmiPending: boolean
  /** The root of the page tables that it holds a reference to; 0: none. */
  root: number
  /** Its kernel's code, or how to get it when it first runs. */
  code: { readonly loaded: LoadedCode; run: VcpuCode | (() => VcpuCode) } | undefined
  pauseCount: number
  /** One of these pauses is its domain's shutdown. */
  pausedForShutdown: boolean
  /** cpu_affinity: a bitmap. */
  readonly affinity: Uint8Array
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
  /** The one port that it polled last; -1: another number of them. */
  pollPort: number
  /** IOPL of its kernel, as it has asked for it. */
  iopl: number
  /** The bitmap of ports that its user mode may touch, and how many ports it covers (PHYSDEVOP_set_iobitmap). */
  ioBitmap: { readonly at: Vaddr; readonly ports: number }
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
  /** Its frame of the Xen heap. */
  readonly own: Mfn
  privileged: boolean
  /** dom0_vcpus_pin: its vCPUs stay where they are. */
  readonly pinned: boolean
  /** Its UUID, and the same in hexadecimal: setHandle changes both. */
  readonly handle: Uint8Array
  handleText: string
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
  /** The L4 table that the map was filled from; 0: none is validated. */
  root: number
  /** Each reference that the tables hold to a table below, in the order in which they were taken. */
  tables: number[]
  /** e820entry by e820entry, as its tools have set it (XENMEM_set_memory_map). */
  e820: Uint8Array
  /** Page tables that were pinned by themselves, and what each refers to: frames as a page map's entries, or tables below. */
  readonly pinnedTables: Map<number, readonly number[]>
  /** Its memory through that map. */
  readonly mem: Mem
  /** Event channels by port. */
  readonly ports: EventPort[]
  /** Undefined once it is gone for good (grant-table.ts). */
  grantTable: GrantTable | undefined
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
  /** What CPUID tells it, as the tools have said (XEN_DOMCTL_set_cpuid). */
  readonly cpuids: Values<typeof xen_domctl_cpuid>[]
  /** Its frames are below so many bits of address; 0: anywhere. */
  physaddrBits: number
  /** The domain that it may act for as if it were privileged (XEN_DOMCTL_set_target). */
  target: Domain | undefined
  /** So many others refer to it, as their target or for profiling: it stays until they do no more. */
  refs: number
  /** Its buffer of samples: frames of the Xen heap, shared with it; the part of each vCPU. */
  xenoprof: { mfn: Mfn; order: number; pages: number; bytes: number; count: number; ready: boolean } | undefined
  /** The port of its own that tells of its suspending, instead of VIRQ_DOM_EXC; 0: none. */
  suspendPort: number
  vmAssist: number
  /** The kernel that its vCPUs start in. */
  entered: Entered | undefined
  /** DOMDYING_dying or _dead: it gets nothing any more. */
  dying: boolean
  /** DOMDYING_dead: what it had is given back, but for frames that others still use. */
  dead: boolean
  pauseCount: number
  /** One of these pauses is the control domain's. */
  pausedByController: boolean
  debuggerAttached: boolean
  timeOffsetSeconds: number
  shuttingDown: boolean
  shutdownCode: number
  /** It is among Xen.changedDomains. */
  changed: boolean
  /** When observers were told of it last. */
  toldNs: number
}

/** IS_PRIV_FOR */
export const privilegedFor = (who: Domain, over: Domain): boolean => who.privileged || who.target === over

/** domain_create: paused, without memory of its own but the shared_info frame. Undefined: no Xen heap left. */
export function domainCreate(xen: Xen, id: number): Domain | undefined {
  const { heap } = xen
  // struct domain itself lives in a page of the Xen heap, next to the page it shares with the guest.
  const own = heap.allocXenHeapPages(0)
  if (own === undefined) return undefined
  const sharedInfo = heap.allocXenHeapPages(0)
  if (sharedInfo === undefined) {
    heap.freeXenHeapPages(own, 0)
    return undefined
  }
  xen.mem.fill(sharedInfo * PAGE_SIZE, PAGE_SIZE, 0)
  const pageMap = new PageMap()
  const domain: Domain = {
    id,
    own,
    privileged: false,
    pinned: id === 0 && xen.options.dom0VcpusPin,
    handle: new Uint8Array(16),
    handleText: '0'.repeat(32),
    vcpus: [],
    sched: { activeVcpus: [], weight: DEFAULT_WEIGHT, cap: 0 },
    maxVcpus: 1,
    totPages: 0,
    maxPages: 0,
    xenheapPages: 0,
    sharedInfo,
    pageMap,
    root: 0,
    tables: [],
    e820: new Uint8Array(0),
    pinnedTables: new Map(),
    mem: guestMem(pageMap, xen.mem),
    ports: [],
    grantTable: undefined,
    firstFreePort: 0,
    polling: false,
    pirqPorts: new Uint16Array(NR_IRQS),
    pirqMask: new Uint8Array(NR_IRQS),
    ioportCaps: new Rangeset('I/O Ports', true),
    iomemCaps: new Rangeset('I/O Memory', true),
    irqCaps: new Rangeset('Interrupts', false),
    pciCf8: 0,
    cpuids: [],
    physaddrBits: 0,
    target: undefined,
    refs: 0,
    xenoprof: undefined,
    suspendPort: 0,
    vmAssist: 0,
    entered: undefined,
    dying: false,
    dead: false,
    pauseCount: 1,
    pausedByController: true,
    debuggerAttached: false,
    timeOffsetSeconds: 0,
    shuttingDown: false,
    shutdownCode: 0,
    changed: false,
    toldNs: 0,
  }
  initPorts(domain)
  xen.credit.stats.dom_init++
  shareXenPage(xen, domain, sharedInfo)
  if (!grantTableCreate(xen, domain)) {
    heap.freeXenHeapPages(sharedInfo, 0)
    heap.freeXenHeapPages(own, 0)
    return undefined
  }
  insert(xen, domain)
  domainChanged(xen, domain)
  return domain
}

export function setHandle(xen: Xen, domain: Domain, handle: Uint8Array): void {
  domain.handle.set(handle)
  domain.handleText = Array.from(domain.handle, (byte) => hex(byte, 2)).join('')
  domainChanged(xen, domain)
}

/** domain_list is in order of ids. */
function insert({ domains }: Xen, domain: Domain): void {
  const above = [...domains.values()].filter(({ id }) => id > domain.id)
  for (const { id } of above) domains.delete(id)
  for (const each of [domain, ...above]) domains.set(each.id, each)
}

/** cpumask_of_cpu */
function onlyCpu(cpu: number): Uint8Array {
  const map = new Uint8Array(NR_CPUS / 8)
  map[cpu >> 3] = 1 << (cpu & 7)
  return map
}

export function allocVcpu(xen: Xen, domain: Domain, id: number, processor: number): Vcpu | undefined {
  const own = xen.heap.allocXenHeapPages(0)
  if (own === undefined) return undefined
  const vcpu: Vcpu = {
    id,
    domain,
    processor,
    pauseFlags: VPF_down,
    own,
    pauseCount: 0,
    pausedForShutdown: false,
    affinity: domain.pinned ? onlyCpu(processor) : new Uint8Array(NR_CPUS / 8).fill(0xff),
    sched: makeCreditVcpu(),
    start: undefined,
    context: undefined,
    callbacks32: { syscall: 0, syscallCs: 0, syscallMasks: false, sysenter: 0, sysenterCs: 0, sysenterMasks: false },
    gdtFrames: [],
    ldtFrame: 0,
    gsUserSelector: 0,
    nmiPending: false,
    root: 0,
    code: undefined,
    infoAt: domain.sharedInfo * PAGE_SIZE + id * vcpu_info.size,
    infoMoved: false,
    initialised: false,
    running: false,
    polling: false,
    pollPort: -1,
    iopl: 0,
    ioBitmap: { at: 0, ports: 0 },
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
  traceVcpu(xen, vcpu, true)
  trace(xen, TRC_SCHED_DOM_ADD, 2, domain.id, id)
  xen.credit.stats.vcpu_init++
  domainChanged(xen, domain)
  if (domain.shuttingDown) pauseForShutdown(xen, vcpu)
  return vcpu
}

export const runnable = ({ domain, pauseFlags, pauseCount }: Vcpu): boolean =>
  pauseFlags === 0 && pauseCount === 0 && domain.pauseCount === 0
