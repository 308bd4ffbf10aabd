/**
 * A world: one machine, the code that runs on it, and everything that ever entered it. World = {build, base disk, seed, memory,
 * input log}: the same world gives the same bytes everywhere (design D8).
 *
 * Time goes forward in *steps*, each with a start time: a device event, or one run of the processor whose local time is lowest. A step is the
 * same whatever call of `runUntil` it happens in, and an input takes effect before every step that starts at its time or later. So a
 * run may be cut into calls anywhere, and a log replays exactly.
 */

import { ImageKind } from '#abi/image.ts'
import { CPU_HZ } from '#abi/pc/cpu.ts'
import { BOOT_SECTOR_ADDRESS } from '#abi/pc/grub.ts'
import type { Metal, MetalEntry, PcpuCode, Regs } from '#abi/pc/metal.ts'
import type { Probe } from '#abi/probe.ts'
import { digest } from '#lib/digest.ts'
import type { BlockStore } from '#lib/ondisk/block-store.ts'
import { createMachine } from '#machine/board.ts'
import type { Machine } from '#machine/machine.ts'
import type {
  CrashReport,
  Input,
  LoggedInput,
  MachineState,
  SerialLine,
  TextScreen,
  WorldRecord,
} from '#protocol/machine.ts'
import type { StopReason, SyncMachine } from '#protocol/sync-machine.ts'
import { loadGuestCode } from './guest-code.ts'
import { natives } from './natives.ts'
import { type Pcpu, park, resetPcpu, startNs, wake } from './pcpu.ts'
import { harden } from './realm/harden.ts'
import { crashReport, ImageFault, ImageLoader, type LoadedImage } from './realm/loader.ts'
import {
  FUEL_NS,
  LOAD_NS_PER_BYTE,
  LOAD_WORK_PER_BYTE,
  PAUSE_MIN_NS,
  PCPU_SLICE_NS,
  RUN_FUEL_MAX,
  SLICE_STEPS,
  SLICE_WORK,
} from './time.ts'

export interface WorldOptions {
  /** The disk in the drive bay. The world writes to it. */
  readonly disk: BlockStore
  /** Hash of the base disk as it was before any input. */
  readonly diskHash: string
  readonly memoryMiB: number
  readonly seed: number
  /** Which build of the playground this is; a record of another build is refused. */
  readonly build: string
  /** Shared between worlds of one realm, so that images are verified and compiled once. */
  readonly loader?: ImageLoader
}

/** The wall clock at first power-on, seconds since 1970: 2009-05-12T06:32:52Z (design D13). */
export const EPOCH_SECONDS = 1242109972

type Listener<T> = (value: T) => void

export class World implements SyncMachine {
  readonly options: WorldOptions
  readonly #machine: Machine
  readonly #loader: ImageLoader
  readonly #cpus: readonly Pcpu[]
  readonly #log: LoggedInput[] = []
  /** Inputs that have not taken effect yet, oldest first. */
  readonly #pendingInputs: LoggedInput[] = []
  readonly #trampolines = new Map<number, (metal: Metal) => PcpuCode>()
  readonly #onSerial = new Set<(line: SerialLine, byte: number) => void>()
  readonly #onState = new Set<Listener<MachineState>>()
  readonly #onCrash = new Set<Listener<CrashReport>>()
  readonly #onProbe = new Set<Listener<Probe>>()
  readonly #onInput = new Set<Listener<LoggedInput>>()
  #state: MachineState = 'off'
  #running: Pcpu | undefined
  #frontierNs = 0
  #resetWanted = false
  #offWanted = false
  #outputSeen = false
  #screenSeen = 0
  /** Real work done so far, in fuel and its like: what a slice is measured by. */
  #work = 0

  constructor(options: WorldOptions) {
    this.options = options
    this.#loader = options.loader ?? new ImageLoader()
    this.#machine = createMachine(
      { memoryMiB: options.memoryMiB, disk: options.disk, seed: options.seed, epochSeconds: EPOCH_SECONDS },
      {
        serialOut: (line, byte) => {
          this.#outputSeen = true
          for (const listener of this.#onSerial) listener(line, byte)
        },
        reset: () => {
          this.#resetWanted = true
          this.#unwind()
        },
        powerOff: () => {
          this.#offWanted = true
          this.#unwind()
        },
        startup: (cpu, vector) => this.#startup(cpu, vector),
        init: (cpu) => resetPcpu(this.#cpus[cpu]!, this.#machine.events.now()),
        interrupt: (cpu) => this.#interruptible(this.#cpus[cpu]!),
        charge: (ns) => {
          if (this.#running) this.#running.chargedNs += ns
        },
      },
    )
    this.#cpus = Array.from({ length: this.#machine.cpuCount }, (_, index) => this.#makeCpu(index))
  }

  // --- What comes out ---

  nowNs(): number {
    return this.#frontierNs
  }

  state(): MachineState {
    return this.#state
  }

  screen(): TextScreen {
    return this.#machine.screen()
  }

  /** Changes with every visible change of the monitor. */
  screenVersion(): number {
    return this.#machine.screenVersion()
  }

  /** Everything that can differ between two runs, folded: RAM, chips, processors, disk writes pending, time, inputs. */
  digest(): string {
    const { seed, memoryMiB } = this.options
    const hash = digest().number(seed).number(memoryMiB).text(this.#machine.digest())
    hash.text(this.#state).number(this.#frontierNs)
    for (const cpu of this.#cpus) hash.text(`${cpu.status} ${cpu.image}`).number(cpu.timeNs).number(cpu.untilNs)
    for (const { atNs, input } of this.#log) hash.number(atNs).text(JSON.stringify(input))
    return hash.hex()
  }

  record(): WorldRecord {
    const { build, diskHash, seed, memoryMiB } = this.options
    return { version: 1, build, diskHash, seed, memoryMiB, inputs: [...this.#log], endNs: this.#frontierNs }
  }

  onSerial(listener: (line: SerialLine, byte: number) => void): () => void {
    return subscribe(this.#onSerial, listener)
  }

  onState(listener: Listener<MachineState>): () => void {
    return subscribe(this.#onState, listener)
  }

  onCrash(listener: Listener<CrashReport>): () => void {
    return subscribe(this.#onCrash, listener)
  }

  onProbe(listener: Listener<Probe>): () => void {
    return subscribe(this.#onProbe, listener)
  }

  onInput(listener: Listener<LoggedInput>): () => void {
    return subscribe(this.#onInput, listener)
  }

  // --- What goes in ---

  input(input: Input): void {
    this.#enter({ atNs: this.#frontierNs, input })
  }

  powerOn(): void {
    this.input({ kind: 'button', button: 'power' })
  }

  /** Run a record's inputs again, on a world made from the same options. Yields between slices. */
  *replay(record: WorldRecord): Generator<void, void> {
    for (const entry of record.inputs) {
      while (this.runUntil(entry.atNs, never) === 'slice') yield
      this.#enter(entry)
    }
    while (this.runUntil(record.endNs, never) === 'slice') yield
  }

  // --- Time ---

  /** When anything happens next without input; Infinity when nothing does. */
  nextNs(): number {
    let next = this.#pendingInputs[0]?.atNs ?? this.#machine.events.nextNs()
    for (const cpu of this.#cpus) next = Math.min(next, startNs(cpu))
    return next
  }

  /** Nothing is runnable, and nothing is due but what serves a person who may type (design D5). */
  settled(): boolean {
    if (this.#pendingInputs.length > 0) return false
    for (const cpu of this.#cpus) {
      if (cpu.status === 'runnable') return false
      if (cpu.status === 'paused' && !cpu.forInput && cpu.untilNs !== Number.POSITIVE_INFINITY) return false
    }
    return !this.#machine.events.busy()
  }

  runUntil(deadlineNs: number, stop: () => boolean, untilSettled = false): StopReason {
    const { events } = this.#machine
    const workEnd = this.#work + SLICE_WORK
    let endNs = deadlineNs
    let stopped = false
    for (let steps = 0; ; steps++) {
      if (!stopped) {
        if (untilSettled && this.settled()) return 'settled'
        if (steps >= SLICE_STEPS || this.#work >= workEnd) return 'slice'
      }
      const cpu = this.#nextCpu()
      const cpuNs = cpu ? startNs(cpu) : Number.POSITIVE_INFINITY
      const eventNs = events.nextNs()
      const next = Math.min(cpuNs, eventNs)
      const input = this.#pendingInputs[0]
      if (input && input.atNs <= next && input.atNs < endNs) {
        this.#pendingInputs.shift()
        this.#advance(input.atNs)
        this.#apply(input.input)
      } else if (next >= endNs) {
        if (endNs !== Number.POSITIVE_INFINITY) this.#advance(endNs)
        if (stopped) return 'stopped'
        return next === Number.POSITIVE_INFINITY ? 'idle' : 'deadline'
      } else if (eventNs <= cpuNs) {
        this.#advance(eventNs)
        events.runNext()
        this.#wakePolling(eventNs)
      } else {
        this.#advance(cpuNs)
        this.#runCpu(cpu!)
      }
      this.#settleResets()
      if (!stopped && this.#outputs() && stop()) {
        // The instant is finished first: a cut between two instants is one that a replay can make too.
        stopped = true
        endNs = this.#frontierNs + 1
      }
    }
  }

  #advance(atNs: number): void {
    if (atNs > this.#frontierNs) this.#frontierNs = atNs
    this.#machine.events.advance(atNs)
  }

  #outputs(): boolean {
    const version = this.#machine.screenVersion()
    const seen = this.#outputSeen || version !== this.#screenSeen
    this.#outputSeen = false
    this.#screenSeen = version
    return seen
  }

  // --- Inputs ---

  #enter(entry: LoggedInput): void {
    this.#log.push(entry)
    this.#pendingInputs.push(entry)
    for (const listener of this.#onInput) listener(entry)
  }

  #apply(input: Input): void {
    const off = this.#state === 'off'
    switch (input.kind) {
      case 'serial':
        if (!off) this.#machine.serialIn(input.line, input.bytes)
        break
      case 'keyboard':
        if (!off) this.#machine.keyboardIn(input.scancodes)
        break
      case 'button':
        if (input.button === 'power') {
          if (off) this.#start(true)
          else this.#powerOff()
        } else if (!off && input.button === 'reset') this.#start(false)
        else if (!off && input.button === 'nmi') this.#machine.nmiButton()
    }
    this.#wakePolling(this.#frontierNs)
  }

  // --- Power and reset ---

  #start(cold: boolean): void {
    const { events } = this.#machine
    for (const cpu of this.#cpus) resetPcpu(cpu, events.now())
    this.#trampolines.clear()
    this.#resetWanted = false
    this.#offWanted = false
    this.#machine.reset(cold)
    const boot = this.#cpus[0]!
    this.#setState('firmware')
    boot.image = 'firmware'
    boot.code = this.#postCode()
    boot.status = 'runnable'
  }

  #powerOff(): void {
    for (const cpu of this.#cpus) resetPcpu(cpu, this.#machine.events.now())
    this.#trampolines.clear()
    this.#offWanted = false
    this.#machine.powerDown()
    this.#setState('off')
  }

  /** A reset or power-off that the code itself asked for takes effect at the end of its step. */
  #settleResets(): void {
    if (this.#offWanted) this.#powerOff()
    else if (this.#resetWanted) this.#start(false)
  }

  /** Let the running code come back at once: it has just pulled the rug from under itself. */
  #unwind(): void {
    if (this.#running) this.#loader.fuel.drain()
  }

  #setState(state: MachineState): void {
    if (state === this.#state) return
    this.#state = state
    for (const listener of this.#onState) listener(state)
  }

  /** Firmware is not an image: it is the machine's own ROM. */
  #postCode(): PcpuCode {
    const post = this.#machine.post()
    return {
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

  // --- Processors ---

  #makeCpu(index: number): Pcpu {
    const machine = this.#machine
    const now = (): number => this.#cpuNow(this.#cpus[index]!)
    const charge = (ns: number): void => {
      if (ns > 0) this.#cpus[index]!.chargedNs += Math.floor(ns)
    }
    // An image that could replace `mem.copyIn` would run inside the world.
    const metal: Metal = harden({
      mem: machine.mem,
      io: machine.io,
      bios: machine.bios,
      cpu: {
        apicId: index,
        rdtsc: () => Math.floor((now() / 1e9) * CPU_HZ),
        cpuid: (leaf) => machine.cpuid(index, leaf),
        charge,
      },
      natives: natives(charge),
      now,
      plant: (paddr, start) => {
        this.#trampolines.set(Math.floor(paddr / 4096), start)
      },
      load: (mem, at) =>
        loadGuestCode({ loader: this.#loader, charge, unwinding: () => this.#resetWanted || this.#offWanted }, mem, at),
      probe: (event) => this.#probe(event),
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

  #cpuNow(cpu: Pcpu): number {
    if (cpu !== this.#running) return cpu.timeNs
    return cpu.timeNs + cpu.chargedNs + this.#loader.fuel.used() * FUEL_NS
  }

  #nextCpu(): Pcpu | undefined {
    let next: Pcpu | undefined
    let nextNs = Number.POSITIVE_INFINITY
    for (const cpu of this.#cpus) {
      const ns = startNs(cpu)
      if (ns < nextNs) {
        next = cpu
        nextNs = ns
      }
    }
    return next
  }

  /** One step of a processor: take interrupts, run, note why it came back. */
  #runCpu(cpu: Pcpu): void {
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
      if (exit.kind === 'jump') this.#jump(cpu, exit.to, exit.regs)
      // Whoever halts with an interrupt at the door is not let sleep.
      if (cpu.status === 'halted' && this.#machine.interruptPending(cpu.index)) cpu.status = 'runnable'
    } catch (error) {
      if (!this.#resetWanted && !this.#offWanted) this.#crash(cpu, error)
    } finally {
      const used = fuel.used()
      const spent = used * FUEL_NS + cpu.chargedNs
      this.#work += used
      this.#running = undefined
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

  #interruptible(cpu: Pcpu): void {
    if (!cpu.code || cpu === this.#running) return
    if (cpu.status === 'halted' || cpu.status === 'paused' || cpu.status === 'dead-halted') {
      // CLI; HLT is ended by an NMI alone, which `deliver` hands over; it halts again by itself.
      if (cpu.status === 'dead-halted' && !this.#machine.nmiPending(cpu.index)) return
      wake(cpu, this.#machine.events.now())
    }
  }

  /** A device did something: whoever polls looks again. */
  #wakePolling(atNs: number): void {
    for (const cpu of this.#cpus) if (cpu.status === 'paused') wake(cpu, atNs)
  }

  #startup(index: number, vector: number): void {
    const cpu = this.#cpus[index]
    const start = this.#trampolines.get(vector)
    if (!cpu || cpu.code || !start) return
    cpu.image = this.#cpus[0]!.image
    cpu.realMode = false
    cpu.code = { run: () => this.#begin(cpu, () => start(cpu.metal)), interrupt() {}, nmi() {} }
    wake(cpu, this.#machine.events.now())
  }

  // --- Images ---

  /** The code at physical address `to` takes over the processor. */
  #jump(cpu: Pcpu, to: number, regs: Regs): void {
    const load = this.#loader.load(this.#machine.mem, to)
    cpu.realMode = true
    cpu.image = `0x${to.toString(16)}`
    cpu.code = {
      run: () => {
        const { done, value } = load.next()
        if (!done) {
          cpu.metal.cpu.charge(value * LOAD_NS_PER_BYTE)
          this.#work += value * LOAD_WORK_PER_BYTE
          return { kind: 'run' }
        }
        return this.#enterImage(cpu, value, regs)
      },
      interrupt() {},
      nmi() {},
    }
  }

  #enterImage(cpu: Pcpu, image: LoadedImage, regs: Regs): ReturnType<PcpuCode['run']> {
    if (image.kind !== ImageKind.bootSector && image.kind !== ImageKind.stage2 && image.kind !== ImageKind.hypervisor)
      throw new ImageFault(`${image.name}: this kind of image does not run on the bare machine`)
    cpu.image = image.name
    cpu.realMode = image.kind !== ImageKind.hypervisor
    this.#setState(cpu.realMode ? 'bootloader' : 'xen')
    const { start } = image.instantiate() as { start?: MetalEntry }
    if (typeof start !== 'function') throw new ImageFault(`${image.name}: no entry point`)
    return this.#begin(cpu, () => start(cpu.metal, regs))
  }

  #begin(cpu: Pcpu, start: () => PcpuCode): ReturnType<PcpuCode['run']> {
    const code = start()
    if (typeof code?.run !== 'function') throw new ImageFault(`${cpu.image}: the entry point returned no code`)
    cpu.code = code
    return { kind: 'run' }
  }

  /** What ran here threw, never ended or was refused: that processor is dead until the next reset, and says why. */
  #crash(cpu: Pcpu, error: unknown): void {
    cpu.code = undefined
    cpu.status = 'stopped'
    const report = crashReport(error, cpu.image, this.#cpuNow(cpu), this.#loader.fuel)
    this.#setState('halted')
    for (const listener of this.#onCrash) listener(report)
  }

  #probe(event: Probe): void {
    if (event.kind === 'panic') this.#setState('panicked')
    if (event.kind === 'halted' && this.#state !== 'panicked') this.#setState('halted')
    for (const listener of this.#onProbe) listener(event)
  }
}

const never = (): boolean => false

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

export function createWorld(options: WorldOptions): World {
  return new World(options)
}
