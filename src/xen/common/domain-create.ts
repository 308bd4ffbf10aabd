/** xen/common/domain.c: domain_create and alloc_vcpu, how domains and their vCPUs begin. */
import { TRC_SCHED_DOM_ADD } from '#abi/xen/trace.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { RUNSTATE_offline } from '#abi/xen/vcpu.ts'
import { NR_VIRQS, VIRQ_TIMER, vcpu_info } from '#abi/xen/xen.ts'
import { vcpuMem } from '../arch-x86/guest-walk.ts'
import { guestMem, PageMap } from '../arch-x86/mm.ts'
import { NR_CPUS } from '../options.ts'
import { now, type Xen } from '../xen.ts'
import { type Domain, NR_IRQS, type Vcpu, VPF_down } from './domain.ts'
import { domainChanged } from './domain-probe.ts'
import { pauseForShutdown } from './domain-shutdown.ts'
import { initPorts, sendVcpuVirq } from './event-channel.ts'
import { grantTableCreate, shareXenPage } from './grant-table.ts'
import { hex } from './lib.ts'
import { Rangeset } from './rangeset.ts'
import { DEFAULT_WEIGHT, makeCreditVcpu } from './sched-credit.ts'
import { makeVcpuTimer, periodicTimerWork, vcpuUnblock } from './schedule.ts'
import { trace } from './trace.ts'
import { traceVcpu } from './tracer.ts'

/** HZ=100 until the guest says otherwise. */
const PERIODIC_DEFAULT_NS = 10_000_000

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
    pageMapped: false,
    root: 0,
    frozenTables: new Set(),
    tableChanges: 0,
    tlbStale: false,
    e820: new Uint8Array(0),
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
    machineCode: false,
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
    contextMem: undefined,
    callbacks32: { syscall: 0, syscallCs: 0, syscallMasks: false, sysenter: 0, sysenterCs: 0, sysenterMasks: false },
    gdtFrames: [],
    ldtFrames: [],
    ldtStale: false,
    gsUserSelector: 0,
    nmiPending: false,
    root: 0,
    userRoot: 0,
    walked: undefined,
    ring3: undefined,
    kernelMode: true,
    frame: { cs: 0, ss: 0, sysret: false, stale: true },
    inNmi: false,
    spurious: '',
    get mem() {
      return vcpuMem(xen, vcpu)
    },
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
