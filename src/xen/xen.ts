/** The hypervisor's state: everything that the real one keeps in static variables hangs off one object. */
import type { Mem } from '#abi/mem.ts'
import type { E820Entry } from '#abi/pc/bios.ts'
import type { Metal } from '#abi/pc/metal.ts'
import { VIRQ_CON_RING, VIRQ_CONSOLE } from '#abi/xen/xen.ts'
import type { IoApic } from './arch-x86/io-apic.ts'
import { type Irqs, makeIrqs } from './arch-x86/irq.ts'
import { type Mtrr, makeMtrrs } from './arch-x86/mtrr.ts'
import type { Pcpu } from './arch-x86/pcpu.ts'
import { PlatformTime } from './arch-x86/time.ts'
import type { BootFacts } from './arch-x86/trampoline.ts'
import type { Domain } from './common/domain.ts'
import { sendGlobalVirq } from './common/event-channel.ts'
import { type Keyhandler, keypress, tableOf } from './common/keyhandler.ts'
import { FrameTable, Heap } from './common/page-alloc.ts'
import { type Credit, makeCredit } from './common/sched-credit.ts'
import { makeTrace, type Trace } from './common/trace.ts'
import type { Build } from './config.ts'
import type { AcpiTable } from './drivers/acpi.ts'
import { Console } from './drivers/console.ts'
import { Serial } from './drivers/serial.ts'
import { Vga } from './drivers/vga.ts'
import { defaultOptions, type Options } from './options.ts'

export interface Irq {
  readonly vector: number
  /** Tell the controller that it is being served. */
  readonly acknowledge: () => void
  readonly handler: () => void
}

export interface PciDevice {
  readonly bus: number
  readonly devfn: number
  /** Whose it is. */
  readonly domain: number
}

export interface Xen {
  /** The boot processor's. Memory, ports and probes are the same for all. */
  readonly metal: Metal
  readonly mem: Mem
  readonly build: Build
  readonly options: Options
  readonly serial: Serial
  readonly vga: Vga
  readonly console: Console
  readonly time: PlatformTime
  readonly keyTable: ReadonlyMap<number, Keyhandler>
  /** By logical number; [0] is the boot processor. */
  readonly pcpus: Pcpu[]
  readonly ioApics: IoApic[]
  /** By ISA number. */
  readonly irqs: Map<number, Irq>
  /** Those that guests have set up and bound. */
  readonly guestIrqs: Irqs
  readonly credit: Credit
  readonly trace: Trace
  /** Domains by id, dom0 first. */
  readonly domains: Map<number, Domain>
  /** Those of which observers have not heard how they are now (domain-probe.ts). */
  readonly changedDomains: Domain[]
  /** The last id that was chosen for a new domain. */
  domidRover: number
  /** What dom0 has told of by PHYSDEVOP_manage_pci_add. */
  readonly pciDevices: PciDevice[]
  /** Empty until init_frametable. */
  heap: Heap
  e820: E820Entry[]
  maxPage: number
  /** First frames of the 2 MiB blocks of the machine-to-physical table. */
  readonly m2pFrames: number[]
  /** Frames of RAM in the e820 map. */
  totalPages: number
  /** Its own part of each GDT (descriptors.ts), once a guest of machine code has been entered. */
  gdtFrame: number | undefined
  acpi: readonly AcpiTable[]
  /** What the BIOS said of the disks. */
  discs: Pick<BootFacts, 'mbrSignatures' | 'eddInfos'>
  readonly mtrrs: Mtrr[]
  /** Who profiles, and who takes part (xenoprof_op.ts). */
  readonly xenoprof: { primary: Domain | undefined; readonly active: Domain[] }
  /** Machine addresses of what a crash would be noted in (kexec_op.ts). */
  readonly crashNotes: Map<number, number>
  tainted: number
  /** Toggled by key O of a debug build. */
  shadowAudits: boolean
  /** The processor whose code runs now. */
  current: Pcpu
  /** Key of the last key press that waits for the tasklet. */
  pendingKey: number
  /** Key t's sums so far. */
  readonly clockSkew: { samples: number; sumStime: number; maxStime: number; sumCycles: number; maxCycles: number }
}

export function makeXen(metal: Metal, keyhandlers: readonly Keyhandler[], build: Build): Xen {
  const serial = new Serial()
  const vga = new Vga()
  const time = new PlatformTime(metal)
  const xen: Xen & { console: Console } = {
    metal,
    mem: metal.mem,
    build,
    options: defaultOptions(build),
    serial,
    vga,
    time,
    keyTable: tableOf(keyhandlers),
    pcpus: [],
    ioApics: [],
    irqs: new Map(),
    guestIrqs: makeIrqs(),
    credit: makeCredit(),
    trace: makeTrace(),
    domains: new Map(),
    changedDomains: [],
    domidRover: 0,
    pciDevices: [],
    heap: new Heap(new FrameTable(0)),
    e820: [],
    maxPage: 0,
    m2pFrames: [],
    totalPages: 0,
    gdtFrame: undefined,
    acpi: [],
    discs: { mbrSignatures: [], eddInfos: [] },
    mtrrs: makeMtrrs(),
    xenoprof: { primary: undefined, active: [] },
    crashNotes: new Map(),
    tainted: 0,
    shadowAudits: false,
    current: undefined as unknown as Pcpu,
    pendingKey: 0,
    clockSkew: { samples: 0, sumStime: 0, maxStime: 0, sumCycles: 0, maxCycles: 0 },
    console: undefined as unknown as Console,
  }
  xen.console = new Console({
    mem: metal.mem,
    serial,
    vga,
    now: () => now(xen),
    wallclock: () => time.wallclockText(now(xen)),
    probe: (event) => metal.probe(event),
    keypress: (byte) => keypress(xen, byte),
    inputForDom0: () => sendGlobalVirq(xen, xen.domains.get(0), VIRQ_CONSOLE),
    ringForDom0: () => sendGlobalVirq(xen, xen.domains.get(0), VIRQ_CON_RING),
  })
  return xen
}

/** NOW(): system time in ns, from the running processor's TSC. */
export const now = (xen: Xen): number => (xen.current ? xen.current.now() : 0)

export const printk = (xen: Xen, text: string): void => xen.console.printk(text)
