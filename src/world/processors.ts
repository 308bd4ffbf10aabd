/**
 * The processors, and the code on them: whose turn it is, what a run costs, jumps from image to image, interrupts, IPIs, crashes. The
 * world decides when; this decides what a turn is.
 */
import { ImageKind } from '#abi/image.ts'
import { CPU_HZ } from '#abi/pc/cpu.ts'
import { BOOT_SECTOR_ADDRESS } from '#abi/pc/grub.ts'
import type { Metal, MetalEntry, PcpuCode, Regs } from '#abi/pc/metal.ts'
import type { Probe } from '#abi/probe.ts'
import type { Digest } from '#lib/digest.ts'
import type { Machine } from '#machine/machine.ts'
import type { CrashReport, MachineState } from '#protocol/machine.ts'
import { loadGuestCode } from './guest-code.ts'
import { natives } from './natives.ts'
import { type Pcpu, park, resetPcpu, startNs, wake } from './pcpu.ts'
import { plainProbe, type TraceListener } from './probes.ts'
import { harden } from './realm/harden.ts'
import { crashReport, ImageFault, type ImageLoader } from './realm/loader.ts'
import type { CreateRing3s, Ring3s } from './ring3.ts'
import {
  FUEL_NS,
  LOAD_NS_PER_BYTE,
  LOAD_WORK_PER_BYTE,
  PAUSE_MIN_NS,
  PCPU_SLICE_NS,
  RUN_FUEL_MAX,
  SLICE_WORK,
} from './time.ts'

/** Taken now: an image cannot put another in its place. */
const { isInteger } = Number

export interface ProcessorPins {
  readonly machine: Machine
  readonly loader: ImageLoader
  /** From which image runs, never from text (design D12). */
  state(state: MachineState): void
  crash(report: CrashReport): void
  probe(event: Probe): void
  /** Who listens to such an event of the tracer. */
  tracer(event: number): TraceListener | undefined
  /** What executes machine code: src/cpu, by way of ring3.ts. Undefined: it is on its way. */
  createRing3s(): CreateRing3s | undefined
}

export class Processors {
  readonly #machine: Machine
  readonly #loader: ImageLoader
  readonly #pins: ProcessorPins
  readonly cpus: readonly Pcpu[]
  /** Made when it is first wanted. */
  #ring3s: Ring3s | undefined
  /** What executes machine code was wanted, and had not come yet: nothing that follows is true. */
  waitsForRing3 = false
  readonly #trampolines = new Map<number, (metal: Metal) => PcpuCode>()
  #running: Pcpu | undefined
  /** The running code has pulled the rug from under itself (reset, power off): nothing it still does matters. */
  #unwinding = false
  /** Real work done so far, in fuel and its like: what a slice is measured by. */
  work = 0

  constructor(pins: ProcessorPins) {
    this.#pins = pins
    this.#machine = pins.machine
    this.#loader = pins.loader
    this.cpus = Array.from({ length: pins.machine.cpuCount }, (_, index) => this.#makeCpu(index))
  }

  /** Power-on state. The boot processor is left without code. */
  reset(): void {
    for (const cpu of this.cpus) resetPcpu(cpu, this.#machine.events.now())
    this.#trampolines.clear()
    this.#ring3s?.reset()
  }

  /** The boot processor fetches its first instruction: firmware, the machine's own ROM and no image. */
  startFirmware(): void {
    const post = this.#machine.post()
    const boot = this.cpus[0]!
    boot.image = 'firmware'
    boot.status = 'runnable'
    boot.code = {
      run: () => {
        const { done, value } = post.next()
        if (!done) return { kind: 'pause', untilNs: this.#machine.events.now() + value, forInput: false }
        if (value) return { kind: 'jump', to: BOOT_SECTOR_ADDRESS, regs: { edx: 0x80 } }
        return { kind: 'hlt', interrupts: false }
      },
      interrupt() {},
      nmi() {},
    }
  }

  /** Let the running code, if any, come back at once. */
  unwind(): void {
    if (!this.#running) return
    this.#unwinding = true
    this.#loader.fuel.drain()
  }

  /** The running processor waited for the hardware. */
  charge(ns: number): void {
    if (this.#running) this.#running.chargedNs += ns
  }

  /** The registers of machine code. */
  digestInto(digest: Digest): void {
    this.#ring3s?.digestInto(digest)
  }

  #makeCpu(index: number): Pcpu {
    const machine = this.#machine
    const now = (): number => this.#cpuNow(this.cpus[index]!)
    const charge = (ns: number): void => {
      if (ns > 0) this.cpus[index]!.chargedNs += Math.floor(ns)
    }
    const paid = (bytes: number): void => this.#pay(this.cpus[index]!, bytes)
    // An image that could replace `mem.copyIn` would run inside the world.
    const metal: Metal = harden({
      mem: machine.mem,
      io: machine.io,
      bios: machine.bios,
      cpu: {
        apicId: index,
        rdtsc: () => Math.floor((now() / 1e9) * CPU_HZ),
        cpuid: (leaf, subleaf) => machine.cpuid(index, leaf, subleaf),
        charge,
      },
      natives: natives(charge),
      now,
      plant: (paddr, start) => {
        this.#trampolines.set(Math.floor(paddr / 4096), start)
      },
      load: (mem, at) => loadGuestCode({ loader: this.#loader, paid, unwinding: () => this.#unwinding }, mem, at),
      ring3: () => {
        const made = this.#executing().create()
        return made && harden(made)
      },
      probe: (event) => {
        const plain = plainProbe(event)
        if (plain) this.#pins.probe(plain)
      },
      trace: (event, a, b, c, d, e) => {
        const tell = isInteger(event) ? this.#pins.tracer(event) : undefined
        // An image's own objects would be asked for their numbers, in its own code: nothing but numbers passes.
        if (tell && isInteger(a) && isInteger(b) && isInteger(c) && isInteger(d) && isInteger(e))
          tell(Math.floor(now()), event, index, a, b, c, d, e)
      },
    })
    const cpu: Pcpu = {
      index,
      status: 'stopped',
      timeNs: 0,
      code: undefined,
      image: '',
      realMode: true,
      untilNs: 0,
      forInput: false,
      chargedNs: 0,
      metal,
    }
    return cpu
  }

  /** What executes machine code. Throws what no image can catch if it is not there. */
  #executing(): Ring3s {
    if (this.#ring3s) return this.#ring3s
    const create = this.#pins.createRing3s()
    if (!create) {
      this.waitsForRing3 = true
      this.unwind()
      this.#loader.fuel.check()
    }
    this.#ring3s = create!(this.#machine, {
      index: () => this.#running?.index ?? 0,
      now: () => (this.#running ? this.#cpuNow(this.#running) : this.#machine.events.now()),
      charge: (ns) => this.charge(ns),
      worked: (fuel) => {
        this.work += fuel
      },
    })
    return this.#ring3s
  }

  #cpuNow(cpu: Pcpu): number {
    if (cpu !== this.#running) return cpu.timeNs
    return cpu.timeNs + cpu.chargedNs + this.#loader.fuel.used() * FUEL_NS
  }

  /** Whose turn it is next; undefined when none has anything to do. */
  next(): Pcpu | undefined {
    let next: Pcpu | undefined
    let nextNs = Number.POSITIVE_INFINITY
    for (const cpu of this.cpus) {
      const ns = startNs(cpu)
      if (ns < nextNs) {
        next = cpu
        nextNs = ns
      }
    }
    return next
  }

  /** One step of a processor: take interrupts, run, note why it came back. */
  run(cpu: Pcpu): void {
    const { events } = this.#machine
    const { fuel } = this.#loader
    // A polling loop wakes when its time limit comes.
    cpu.timeNs = startNs(cpu)
    const code = cpu.code
    if (!code) {
      cpu.status = 'stopped'
      return
    }
    this.#running = cpu
    cpu.chargedNs = 0
    fuel.refill(RUN_FUEL_MAX)
    events.followCpu(() => this.#cpuNow(cpu))
    this.#machine.selectCpu(cpu.index)
    try {
      this.#deliver(cpu, code)
      const exit = code.run(Math.min(events.nextNs(), cpu.timeNs + PCPU_SLICE_NS))
      fuel.check()
      park(cpu, exit)
      // Who asks to be run again has come up for air: time for the caller to look at his clock.
      if (exit.kind === 'run') this.work += SLICE_WORK
      if (exit.kind === 'jump') this.#jump(cpu, exit.to, exit.regs)
      // Whoever halts with an interrupt at the door is not let sleep.
      if (cpu.status === 'halted' && this.#machine.interruptPending(cpu.index)) cpu.status = 'runnable'
    } catch (error) {
      if (!this.#unwinding) this.#crash(cpu, error)
    } finally {
      const used = fuel.used()
      const spent = used * FUEL_NS + cpu.chargedNs
      this.work += used
      this.#running = undefined
      this.#unwinding = false
      events.followCpu(undefined)
      // Time passes even for code that does nothing.
      cpu.timeNs += Math.max(spent, PAUSE_MIN_NS)
    }
  }

  #deliver(cpu: Pcpu, code: PcpuCode): void {
    if (this.#machine.takeNmi(cpu.index)) code.nmi()
    if (cpu.realMode) return
    for (;;) {
      const vector = this.#machine.acceptInterrupt(cpu.index)
      if (vector === undefined) return
      code.interrupt(vector)
    }
  }

  /** Processor `index` may have an interrupt or an NMI to take. */
  interrupt(index: number): void {
    const cpu = this.cpus[index]!
    if (!cpu.code || cpu === this.#running) return
    if (cpu.status === 'halted' || cpu.status === 'paused' || cpu.status === 'dead-halted') {
      // CLI; HLT is ended by an NMI alone, which `deliver` hands over; it halts again by itself.
      if (cpu.status === 'dead-halted' && !this.#machine.nmiPending(cpu.index)) return
      wake(cpu, this.#machine.events.now())
    }
  }

  /** A device did something: whoever polls looks again. */
  wakePolling(atNs: number): void {
    for (const cpu of this.cpus) if (cpu.status === 'paused') wake(cpu, atNs)
  }

  /** A STARTUP IPI. Like the real one it finds only a processor that waits for it. */
  startup(index: number, vector: number): void {
    const cpu = this.cpus[index]
    const start = this.#trampolines.get(vector)
    if (!cpu || cpu.code || !start) return
    cpu.image = this.cpus[0]!.image
    cpu.realMode = false
    cpu.code = { run: () => this.#begin(cpu, () => start(cpu.metal)), interrupt() {}, nmi() {} }
    wake(cpu, this.#machine.events.now())
  }

  /** The code at physical address `to` takes over the processor. */
  #jump(cpu: Pcpu, to: number, regs: Regs): void {
    const steps = this.#enterImage(cpu, to, regs)
    cpu.realMode = true
    cpu.image = `0x${to.toString(16)}`
    cpu.code = {
      run: () => {
        steps.next()
        return { kind: 'run' }
      },
      interrupt() {},
      nmi() {},
    }
  }

  /** Load, evaluate, start: in steps, since a kernel's worth of new code takes an engine tens of ms. */
  *#enterImage(cpu: Pcpu, at: number, regs: Regs): Generator<void, void> {
    const image = yield* this.#paid(cpu, this.#loader.load(this.#machine.mem, at))
    const { kind, name } = image
    if (kind !== ImageKind.bootSector && kind !== ImageKind.stage2 && kind !== ImageKind.hypervisor)
      throw new ImageFault(`${name}: this kind of image does not run on the bare machine`)
    cpu.image = name
    cpu.realMode = kind !== ImageKind.hypervisor
    this.#pins.state(cpu.realMode ? 'bootloader' : 'xen')
    const { start } = (yield* this.#paid(cpu, image.instantiating())) as { start?: MetalEntry }
    if (typeof start !== 'function') throw new ImageFault(`${name}: no entry point`)
    this.#begin(cpu, () => start(cpu.metal, regs))
  }

  /** Steps that yield what they have dealt with in bytes, charged for. */
  *#paid<T>(cpu: Pcpu, steps: Generator<number, T, void>): Generator<void, T> {
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
      this.#pay(cpu, value)
      yield
    }
  }

  /** Bytes of an image loaded. */
  #pay(cpu: Pcpu, bytes: number): void {
    cpu.chargedNs += bytes * LOAD_NS_PER_BYTE
    this.work += bytes * LOAD_WORK_PER_BYTE
  }

  #begin(cpu: Pcpu, start: () => PcpuCode): ReturnType<PcpuCode['run']> {
    const code = start()
    if (typeof code?.run !== 'function') throw new ImageFault(`${cpu.image}: the entry point returned no code`)
    cpu.code = code
    return { kind: 'run' }
  }

  /** An INIT IPI. */
  init(index: number): void {
    resetPcpu(this.cpus[index]!, this.#machine.events.now())
  }

  /** What ran here threw, never ended or was refused: that processor is dead until the next reset, and says why. */
  #crash(cpu: Pcpu, error: unknown): void {
    cpu.code = undefined
    cpu.status = 'stopped'
    const report = crashReport(error, cpu.image, this.#cpuNow(cpu), this.#loader.fuel)
    this.#pins.state('halted')
    this.#pins.crash(report)
  }
}
