/** The hypervisor's state: everything that the real one keeps in static variables hangs off one object. */
import type { Mem } from '#abi/mem.ts'
import type { E820Entry } from '#abi/pc/bios.ts'
import type { Metal } from '#abi/pc/metal.ts'
import type { IoApic } from './arch-x86/io-apic.ts'
import type { Pcpu } from './arch-x86/pcpu.ts'
import { PlatformTime } from './arch-x86/time.ts'
import type { Domain } from './common/domain.ts'
import { type Keyhandler, keypress, tableOf } from './common/keyhandler.ts'
import { FrameTable, Heap } from './common/page-alloc.ts'
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

export interface Xen {
  /** The boot processor's. Memory, ports and probes are the same for all. */
  readonly metal: Metal
  readonly mem: Mem
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
  /** Domains by id, dom0 first. */
  readonly domains: Map<number, Domain>
  /** Empty until init_frametable. */
  heap: Heap
  e820: E820Entry[]
  maxPage: number
  /** Frames of RAM in the e820 map. */
  totalPages: number
  acpi: readonly AcpiTable[]
  tainted: number
  /** The processor whose code runs now. */
  current: Pcpu
  /** Key of the last key press that waits for the tasklet. */
  pendingKey: number
  /** Key t's sums so far. */
  readonly clockSkew: { samples: number; sumStime: number; maxStime: number; sumCycles: number; maxCycles: number }
}

export function makeXen(metal: Metal, keyhandlers: readonly Keyhandler[]): Xen {
  const serial = new Serial()
  const vga = new Vga()
  const time = new PlatformTime(metal)
  const xen: Xen & { console: Console } = {
    metal,
    mem: metal.mem,
    options: defaultOptions(),
    serial,
    vga,
    time,
    keyTable: tableOf(keyhandlers),
    pcpus: [],
    ioApics: [],
    irqs: new Map(),
    domains: new Map(),
    heap: new Heap(new FrameTable(0)),
    e820: [],
    maxPage: 0,
    totalPages: 0,
    acpi: [],
    tainted: 0,
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
    // VIRQ_CONSOLE goes to whoever has bound it; nobody can yet, there are no event channels.
    inputForDom0: () => {},
  })
  return xen
}

/** NOW(): system time in ns, from the running processor's TSC. */
export const now = (xen: Xen): number => (xen.current ? xen.current.now() : 0)

export const printk = (xen: Xen, text: string): void => xen.console.printk(text)
