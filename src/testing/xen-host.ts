/**
 * For tests: Xen's source on the real board, without images, boot loader or fuel. Modules are put where a multiboot loader puts them, and the
 * processors are run in order of their time. A run of code costs a fixed time instead of fuel.
 */
import type { Mem } from '#abi/mem.ts'
import { CPU_HZ } from '#abi/pc/cpu.ts'
import type { Exit, LoadedCode, LoadRefusal, Metal, PcpuCode } from '#abi/pc/metal.ts'
import { MBI_CMDLINE, MBI_MODULES, MULTIBOOT_LOADER_MAGIC, module_t, multiboot_info } from '#abi/pc/multiboot.ts'
import type { Probe } from '#abi/probe.ts'
import type { Tracer } from '#abi/tracer.ts'
import { createMachine } from '#machine/board.ts'
import type { Machine } from '#machine/machine.ts'
import { XrayFold } from '#protocol/xray-fold.ts'
import { createRing3s, type Ring3Options, type Ring3s } from '#world/ring3.ts'
import { Pcpu } from '#xen/arch-x86/pcpu.ts'
import { BUILD, type Build } from '#xen/config.ts'
import { startBuild } from '#xen/setup.ts'
import type { Xen } from '#xen/xen.ts'

const MBI_AT = 0x20000
const MODULES_AT = 0x21000
const STRINGS_AT = 0x22000
/** Behind Xen's image, as GRUB loads modules. */
const FIRST_MODULE_AT = 0x800000
const RUN_NS = 1000
const SLICE_NS = 100_000

export interface TestModule {
  readonly bytes: Uint8Array
  readonly string?: string
}

export interface TestHostOptions {
  readonly memoryMiB?: number
  readonly cmdline?: string
  readonly modules?: readonly TestModule[]
  readonly eax?: number
  /** Another hypervisor than the tree's own. */
  readonly build?: Build
  /** Stands in for the image loader. */
  readonly load?: (mem: Mem, at: number) => LoadedCode | LoadRefusal
  /** What a run of code costs, in ns. */
  readonly runNs?: number
  /** How machine code is executed: `{ threshold: Infinity }` only interprets it. */
  readonly ring3?: Ring3Options
}

interface TestCpu {
  timeNs: number
  chargedNs: number
  code: PcpuCode | undefined
  /** Undefined: asleep until an interrupt; -1: until an NMI. */
  wakeNs: number | undefined
  dead: boolean
  metal: Metal
}

/** A host that has POSTed; `boot()` jumps to Xen. */
export class TestHost {
  readonly machine: Machine
  readonly com1: number[] = []
  readonly com2: number[] = []
  readonly probes: Probe[] = []
  /** What the tracer has told so far, folded. */
  readonly xray = new XrayFold()
  /** What the tracer tells: the processor, the event and its operands. */
  onTrace: ((cpu: number, ...record: Parameters<Tracer>) => void) | undefined
  resets = 0
  powerOffs = 0
  #cpus: TestCpu[] = []
  #running: TestCpu | undefined
  #xen: Xen | undefined
  #serial = ''
  #plants = new Map<number, (metal: Metal) => PcpuCode>()
  readonly #options: TestHostOptions
  readonly #ring3s: Ring3s

  constructor(options: TestHostOptions = {}) {
    this.#options = options
    this.machine = createMachine(
      { memoryMiB: options.memoryMiB ?? 512, disk: undefined, seed: 1, epochSeconds: 1242109972 },
      {
        serialOut: (line, byte) => {
          const bytes = line === 'com1' ? this.com1 : this.com2
          bytes.push(byte)
          if (line === 'com1') this.#serial += String.fromCharCode(byte)
        },
        reset: () => {
          this.resets++
        },
        powerOff: () => {
          this.powerOffs++
        },
        startup: (cpu, vector) => this.#startup(cpu, vector),
        init: (cpu) => {
          this.#cpus[cpu]!.code = undefined
        },
        interrupt: (cpu) => this.#interrupt(this.#cpus[cpu]!),
        charge: (ns) => {
          if (this.#running) this.#running.chargedNs += ns
        },
      },
    )
    const { machine } = this
    this.#ring3s = createRing3s(
      machine,
      {
        index: () => (this.#running ? this.#cpus.indexOf(this.#running) : 0),
        now: () => (this.#running ? this.#now(this.#running) : this.nowNs),
        charge: (ns) => {
          if (this.#running) this.#running.chargedNs += ns
        },
        worked: () => {},
      },
      options.ring3,
    )
    for (let id = 0; id < machine.cpuCount; id++) this.#cpus.push(this.#makeCpu(id))
    machine.reset(true)
    const post = machine.post()
    for (let step = post.next(); !step.done; step = post.next()) this.#eventsUntil(machine.events.now() + step.value)
  }

  #eventsUntil(ns: number): void {
    const { events } = this.machine
    while (events.nextNs() <= ns) events.runNext()
    events.advance(ns)
  }

  #makeCpu(id: number): TestCpu {
    const { machine } = this
    const now = (): number => this.#now(cpu)
    const metal: Metal = {
      mem: machine.mem,
      io: machine.io,
      bios: machine.bios,
      cpu: {
        apicId: id,
        rdtsc: () => Math.floor((now() / 1e9) * CPU_HZ),
        cpuid: (leaf, subleaf) => machine.cpuid(id, leaf, subleaf),
        charge: (ns) => {
          cpu.chargedNs += ns
        },
      },
      natives: { inflate: () => undefined },
      now,
      plant: (paddr, begin) => {
        this.#plants.set(Math.floor(paddr / 4096), begin)
      },
      load: this.#options.load ?? (() => ({ ok: false, isImage: false, why: 'no image there' })),
      ring3: () => this.#ring3s.create(),
      probe: (event) => {
        this.probes.push(event)
      },
      trace: (event, a, b, c, d, e) => {
        this.xray.apply(now(), event, id, a, b, c, d, e)
        this.onTrace?.(id, event, a, b, c, d, e)
      },
    }
    const cpu: TestCpu = { timeNs: 0, chargedNs: 0, code: undefined, wakeNs: undefined, dead: false, metal }
    return cpu
  }

  #now(cpu: TestCpu): number {
    return cpu === this.#running ? cpu.timeNs + cpu.chargedNs : cpu.timeNs
  }

  #startup(id: number, vector: number): void {
    const begin = this.#plants.get(vector)
    const cpu = this.#cpus[id]!
    if (!begin || cpu.code) return
    cpu.timeNs = this.machine.events.now()
    cpu.code = begin(cpu.metal)
    cpu.wakeNs = cpu.timeNs
    cpu.dead = false
  }

  #interrupt(cpu: TestCpu): void {
    if (!cpu.code || cpu === this.#running) return
    const now = this.machine.events.now()
    if (cpu.dead && !this.machine.nmiPending(this.#cpus.indexOf(cpu))) return
    cpu.timeNs = Math.max(cpu.timeNs, now)
    cpu.wakeNs = cpu.timeNs
  }

  /** Jump to Xen with the modules and command line of the options. */
  boot(): void {
    const { mem } = this.machine
    const { modules = [], cmdline, eax = MULTIBOOT_LOADER_MAGIC } = this.#options
    let strings = STRINGS_AT
    const string = (text: string): number => {
      const at = strings
      mem.copyIn(
        at,
        Uint8Array.from(`${text}\0`, (letter) => letter.charCodeAt(0)),
      )
      strings += text.length + 1
      return at
    }
    let at = FIRST_MODULE_AT
    for (const [i, module] of modules.entries()) {
      mem.copyIn(at, module.bytes)
      module_t.write(mem, MODULES_AT + i * module_t.size, {
        mod_start: at,
        mod_end: at + module.bytes.length,
        string: module.string === undefined ? 0 : string(module.string),
        reserved: 0,
      })
      at = Math.ceil((at + module.bytes.length) / 4096) * 4096
    }
    multiboot_info.write(mem, MBI_AT, {
      flags: MBI_MODULES | (cmdline === undefined ? 0 : MBI_CMDLINE),
      cmdline: cmdline === undefined ? 0 : string(cmdline),
      mods_count: modules.length,
      mods_addr: MODULES_AT,
    })
    const cpu = this.#cpus[0]!
    cpu.timeNs = this.machine.events.now()
    this.#as(cpu, () => {
      cpu.code = startBuild(this.#options.build ?? BUILD)(cpu.metal, { eax, ebx: MBI_AT })
      if (cpu.code instanceof Pcpu) this.#xen = cpu.code.xen
    })
    cpu.wakeNs = cpu.timeNs
  }

  #as(cpu: TestCpu, body: () => void): void {
    const { machine } = this
    this.#running = cpu
    cpu.chargedNs = 0
    machine.events.followCpu(() => this.#now(cpu))
    machine.selectCpu(this.#cpus.indexOf(cpu))
    try {
      body()
    } finally {
      machine.events.followCpu(undefined)
      this.#running = undefined
      cpu.timeNs += cpu.chargedNs + (this.#options.runNs ?? RUN_NS)
    }
  }

  /** Do something as Xen's own code on the boot processor. */
  inXen(body: (xen: Xen) => void): void {
    const cpu = this.#cpus[0]!
    cpu.timeNs = Math.max(cpu.timeNs, this.nowNs)
    this.#as(cpu, () => {
      this.xen.current = this.xen.pcpus[0]!
      body(this.xen)
    })
    cpu.wakeNs = cpu.timeNs
  }

  /** The hypervisor's state, for looking into. */
  get xen(): Xen {
    if (!this.#xen) throw new Error('Xen has not been entered')
    return this.#xen
  }

  get nowNs(): number {
    return this.machine.events.now()
  }

  /** Go on for `ns` of virtual time, or until nothing is left to happen. */
  runFor(ns: number): void {
    this.runUntil(() => false, ns)
  }

  /** Until `stop`, at most `ns`. False: the time was up, or nothing is left to happen. */
  runUntil(stop: () => boolean, ns: number): boolean {
    const { machine } = this
    const end = this.nowNs + ns
    for (;;) {
      if (stop()) return true
      let next: TestCpu | undefined
      for (const cpu of this.#cpus) {
        if (!cpu.code || cpu.wakeNs === undefined) continue
        if (!next || this.#startOf(cpu) < this.#startOf(next)) next = cpu
      }
      const cpuNs = next ? this.#startOf(next) : Number.POSITIVE_INFINITY
      const eventNs = machine.events.nextNs()
      if (Math.min(cpuNs, eventNs) > end) {
        machine.events.advance(end)
        return false
      }
      if (eventNs <= cpuNs) {
        machine.events.runNext()
        for (const cpu of this.#cpus) {
          // A device event wakes whoever polls.
          if (cpu.code && cpu.wakeNs !== undefined && cpu.wakeNs > eventNs) {
            cpu.wakeNs = eventNs
            cpu.timeNs = Math.max(cpu.timeNs, eventNs)
          }
        }
      } else this.#step(next!)
    }
  }

  #startOf(cpu: TestCpu): number {
    return Math.max(cpu.timeNs, cpu.wakeNs ?? Number.POSITIVE_INFINITY)
  }

  #step(cpu: TestCpu): void {
    const { machine } = this
    const id = this.#cpus.indexOf(cpu)
    cpu.timeNs = this.#startOf(cpu)
    machine.events.advance(cpu.timeNs)
    let exit: Exit | undefined
    this.#as(cpu, () => {
      const code = cpu.code!
      if (machine.takeNmi(id)) code.nmi()
      for (let vector = machine.acceptInterrupt(id); vector !== undefined; vector = machine.acceptInterrupt(id))
        code.interrupt(vector)
      exit = code.run(Math.min(machine.events.nextNs(), cpu.timeNs + SLICE_NS))
    })
    cpu.dead = exit!.kind === 'hlt' && !exit!.interrupts
    if (exit!.kind === 'run') cpu.wakeNs = cpu.timeNs
    else if (exit!.kind === 'pause') cpu.wakeNs = Math.max(exit!.untilNs, cpu.timeNs)
    else if (!cpu.dead && machine.interruptPending(id)) cpu.wakeNs = cpu.timeNs
    else cpu.wakeNs = undefined
  }

  /** What came out of COM1, as text. */
  get serial(): string {
    return this.#serial
  }

  /** Type on the serial line. */
  type(text: string): void {
    this.machine.serialIn(
      'com1',
      Array.from(text, (letter) => letter.charCodeAt(0)),
    )
  }

  /** The monitor's rows, trailing blanks cut. */
  get screen(): string[] {
    const { columns, rows, cells } = this.machine.screen()
    return Array.from({ length: rows }, (_, row) =>
      String.fromCharCode(
        ...Array.from({ length: columns }, (_, i) => cells[(row * columns + i) * 2]! || 32),
      ).trimEnd(),
    )
  }

  /** Until COM1 has said `text`; throws with what it said instead. */
  expect(text: string, ns = 60e9): void {
    let seen = -1
    const said = (): boolean => {
      if (this.com1.length === seen) return false
      // What came since the last look, and as much before as could belong to it.
      const from = Math.max(0, seen - text.length)
      seen = this.com1.length
      return this.serial.includes(text, from)
    }
    if (!this.runUntil(said, ns)) throw new Error(`no "${text}" in:\n${this.serial}`)
  }
}
