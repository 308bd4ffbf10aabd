/** xen/common/domain.c: domains and their vCPUs. They are made in domain-create.ts. */
import type { Mem } from '#abi/mem.ts'
import type { LoadedCode } from '#abi/pc/metal.ts'
import type { Ring3 } from '#abi/pc/ring3.ts'
import type { Values } from '#abi/struct.ts'
import type { xen_domctl_cpuid } from '#abi/xen/domctl.ts'
import type { VcpuCode } from '#abi/xen/guest.ts'
import type { Mfn, Vaddr } from '#abi/xen/types.ts'
import type { PageMap } from '../arch-x86/mm.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import type { Entered } from '../arch-x86/virtual-cpu.ts'
import type { EventPort } from './event-channel.ts'
import type { GrantTable } from './grant-table.ts'
import type { Rangeset } from './rangeset.ts'
import type { CreditDomain, CreditVcpu } from './sched-credit.ts'
import type { VcpuTimer } from './schedule.ts'

/** vcpu.pause_flags. */
export const VPF_blocked = 1 << 0
export const VPF_down = 1 << 1
/** It has to get off its processor, and on to another. */
export const VPF_migrating = 1 << 3

/** Interrupts that a domain can know of. */
export const NR_IRQS = 256
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
  /** The same as memory. */
  contextMem: Mem | undefined
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
  /** The frames of its LDT, held as such, by page; 0: that page cannot be one. Of a module vCPU's only the first. */
  ldtFrames: number[]
  /** It has an LDT of which no frames are held as yet: they are looked up before its code runs. */
  ldtStale: boolean
  /** The user %gs selector that it has loaded. */
  gsUserSelector: number
  nmiPending: boolean
  /** The root of the page tables that it holds a reference to; 0: none. */
  root: number
  /** The same for its user mode (MMUEXT_NEW_USER_BASEPTR); 0: none. */
  userRoot: number
  /** What it runs in if its kernel is machine code; undefined: it is made of modules, or has not been entered yet. */
  ring3: Ring3 | undefined
  /** TF_kernel_mode: its kernel runs, not its user mode. */
  kernelMode: boolean
  /**
   * What the return to its machine code takes CS and SS from, and whether SYSRET does it (TRAP_syscall), which loads none. `stale`: descriptors may have changed
   * under the selectors that are loaded.
   */
  readonly frame: { cs: number; ss: number; sysret: boolean; stale: boolean }
  /** trap_priority: an NMI is being served, up to the next iret. */
  inNmi: boolean
  /** Address and RIP of the last page fault that was none any more (spurious_page_fault). */
  spurious: string
  /** Memory as its kernel addresses it, by its page map or by its tables: ask each time. */
  readonly mem: Mem
  /** The second of them, once it was asked for (guest-walk.ts). */
  walked: Mem | undefined
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
  /** Its addresses go by that map; otherwise by the page tables in its memory. */
  pageMapped: boolean
  /** The L4 table that the map was filled from; 0: none. */
  root: number
  /** The tables under that root: what their entries of the first level refer to is the map's affair now (page-tables.ts). */
  readonly frozenTables: Set<number>
  /** So often its tables have changed: what was looked up before may be wrong. */
  tableChanges: number
  /** The processors' TLBs may still have what its tables no longer say. */
  tlbStale: boolean
  /** e820entry by e820entry, as its tools have set it (XENMEM_set_memory_map). */
  e820: Uint8Array
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
  /** It is machine code that they start in. */
  machineCode: boolean
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

export const runnable = ({ domain, pauseFlags, pauseCount }: Vcpu): boolean =>
  pauseFlags === 0 && pauseCount === 0 && domain.pauseCount === 0
