/**
 * A world: one machine, the code that runs on it, and everything that ever entered it. World = {build, base disk, seed, memory,
 * input log}: the same world gives the same bytes everywhere (design D8).
 *
 * Time goes forward in *steps*, each with a start time: a device event, or one run of the processor whose local time is lowest. A step is the
 * same whatever call of `runUntil` it happens in, and an input takes effect before every step that starts at its time or later. So a
 * run may be cut into calls anywhere, and a log replays exactly.
 */
import type { LinkOutput } from '#abi/pc/hostlink.ts'
import type { Probe } from '#abi/probe.ts'
import { digest } from '#lib/digest.ts'
import type { BlockStore } from '#lib/ondisk/block-store.ts'
import { byteString } from '#lib/utf8.ts'
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
import { startNs } from './pcpu.ts'
import type { TraceListener } from './probes.ts'
import { Processors } from './processors.ts'
import { ImageLoader } from './realm/loader.ts'
import type { CreateRing3s } from './ring3.ts'
import { SLICE_STEPS, SLICE_WORK } from './time.ts'

export interface WorldOptions {
  /** The disk in the drive bay. The world writes to it. */
  readonly disk: BlockStore
  /** Hash of the base disk as it was before any input. */
  readonly diskHash: string
  /** A second one, if any, and its hash before any input. The world writes to it, too. */
  readonly secondDisk?: BlockStore | undefined
  readonly secondDiskHash?: string | undefined
  readonly memoryMiB: number
  readonly seed: number
  /** Which build of the playground this is; a record of another build is refused. */
  readonly build: string
  /** The drive has done a FLUSH CACHE: what was written until now is durable (design D11). */
  readonly flushed?: () => void
  /** Shared between worlds of one realm, so that images are verified and compiled once. */
  readonly loader?: ImageLoader
  /**
   * What executes machine code (ring3.ts), if it has come already: it is large, and nothing up to dom0's login needs it. A world that wants it
   * too early stands still for good, like one that wants a part of its disk (`waitsForDisk`).
   */
  readonly createRing3s: () => CreateRing3s | undefined
}

/** The wall clock at first power-on, seconds since 1970: 2009-05-12T06:32:52Z (design D13). */
export const EPOCH_SECONDS = 1242109972

/** What is kept of a line that never ends. */
const TRACE_LINE_MAX = 65_536

type Listener<T> = (value: T) => void

export class World implements SyncMachine {
  readonly options: WorldOptions
  readonly #machine: Machine
  readonly #processors: Processors
  readonly #log: LoggedInput[] = []
  /** Inputs that have not taken effect yet, oldest first. */
  readonly #pendingInputs: LoggedInput[] = []
  readonly #onSerial = new Set<(line: SerialLine, byte: number) => void>()
  readonly #onState = new Set<Listener<MachineState>>()
  readonly #onCrash = new Set<Listener<CrashReport>>()
  readonly #onProbe = new Set<Listener<Probe>>()
  #onTrace: TraceListener | undefined
  /** Bits of the events that it wants. */
  #traceEvents = 0
  readonly #onInput = new Set<Listener<LoggedInput>>()
  readonly #onLink = new Set<(link: number, output: LinkOutput) => void>()
  /** What of the access trace has no line end yet: observers' alone. */
  #traced = ''
  #state: MachineState = 'off'
  #frontierNs = 0
  /** When the last step began, or the last input took effect: an input that comes now is later than everything of that instant. */
  #lastStepNs = -1
  #resetWanted = false
  #offWanted = false
  #outputSeen = false
  #screenSeen = 0

  constructor(options: WorldOptions) {
    this.options = options
    this.#machine = createMachine(
      {
        memoryMiB: options.memoryMiB,
        disk: options.disk,
        secondDisk: options.secondDisk,
        seed: options.seed,
        epochSeconds: EPOCH_SECONDS,
      },
      {
        serialOut: (line, byte) => {
          this.#outputSeen = true
          for (const listener of this.#onSerial) listener(line, byte)
        },
        reset: () => {
          this.#resetWanted = true
          this.#processors.unwind()
        },
        powerOff: () => {
          this.#offWanted = true
          this.#processors.unwind()
        },
        startup: (cpu, vector) => this.#processors.startup(cpu, vector),
        init: (cpu) => this.#processors.init(cpu),
        interrupt: (cpu) => this.#processors.interrupt(cpu),
        charge: (ns) => this.#processors.charge(ns),
        linkOut: (link, output) => this.#link(link, output),
        trace: (bytes) => this.#trace(bytes),
        diskFlushed: () => options.flushed?.(),
      },
    )
    this.#processors = new Processors({
      machine: this.#machine,
      loader: options.loader ?? new ImageLoader(),
      createRing3s: options.createRing3s,
      state: (state) => this.#setState(state),
      crash: (report) => {
        for (const listener of this.#onCrash) listener(report)
      },
      probe: (event) => this.#probe(event),
      tracer: (event) => (this.#traceEvents & (1 << event) ? this.#onTrace : undefined),
    })
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
    this.#processors.digestInto(hash)
    for (const cpu of this.#processors.cpus)
      hash.text(`${cpu.status} ${cpu.image}`).number(cpu.timeNs).number(cpu.untilNs)
    for (const { atNs, input } of this.#log.map(plain)) hash.number(atNs).text(JSON.stringify(input))
    return hash.hex()
  }

  record(): WorldRecord {
    const { build, diskHash, secondDiskHash, seed, memoryMiB } = this.options
    const second = secondDiskHash === undefined ? {} : { secondDiskHash }
    const inputs = this.#log.map(plain)
    return { version: 1, build, diskHash, ...second, seed, memoryMiB, inputs, endNs: this.#frontierNs }
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

  /** One listener: it is called too often for more. `events`: bits of the events that it wants, TRACE_* of abi/tracer.ts. */
  onTrace(listener: TraceListener | undefined, events = -1): void {
    this.#onTrace = listener
    this.#traceEvents = listener ? events : 0
  }

  onProbe(listener: Listener<Probe>): () => void {
    return subscribe(this.#onProbe, listener)
  }

  /** What comes out of host links. */
  onLink(listener: (link: number, output: LinkOutput) => void): () => void {
    return subscribe(this.#onLink, listener)
  }

  onInput(listener: Listener<LoggedInput>): () => void {
    return subscribe(this.#onInput, listener)
  }

  // --- What goes in ---

  input(input: Input): void {
    // Part of this instant may be over (a slice ended, the machine has settled): a replay could not cut there.
    const atNs = this.#lastStepNs < this.#frontierNs ? this.#frontierNs : this.#frontierNs + 1
    this.#enter({ atNs, input })
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

  /** Part of the disk is on its way, or what executes machine code, and something needs it. */
  waitsForDisk(): boolean {
    return this.waitsForRing3() || (this.options.disk.wanted ?? 'no') !== 'no'
  }

  /** What executes machine code was wanted before it had come: only the same world once more can go on. */
  waitsForRing3(): boolean {
    return this.#processors.waitsForRing3
  }

  /** When anything happens next without input; Infinity when nothing does. */
  nextNs(): number {
    let next = Math.min(this.#pendingInputs[0]?.atNs ?? Number.POSITIVE_INFINITY, this.#machine.events.nextNs())
    for (const cpu of this.#processors.cpus) next = Math.min(next, startNs(cpu))
    return next
  }

  /** Nothing is runnable, and nothing is due but what serves a person who may type (design D5). */
  settled(): boolean {
    if (this.#pendingInputs.length > 0) return false
    for (const cpu of this.#processors.cpus) {
      if (cpu.status === 'runnable') return false
      if (cpu.status === 'paused' && !cpu.forInput && cpu.untilNs !== Number.POSITIVE_INFINITY) return false
    }
    return !this.#machine.events.busy()
  }

  runUntil(deadlineNs: number, stop: () => boolean, untilSettled = false): StopReason {
    const { events } = this.#machine
    const workEnd = this.#processors.work + SLICE_WORK
    let endNs = deadlineNs
    let stopped = false
    for (let steps = 0; ; steps++) {
      if (this.waitsForDisk()) return 'disk'
      if (!stopped) {
        if (untilSettled && this.settled()) return 'settled'
        if (steps >= SLICE_STEPS || this.#processors.work >= workEnd) return 'slice'
      }
      const cpu = this.#processors.next()
      const cpuNs = cpu ? startNs(cpu) : Number.POSITIVE_INFINITY
      const eventNs = events.nextNs()
      const next = Math.min(cpuNs, eventNs)
      const input = this.#pendingInputs[0]
      if (input && input.atNs <= next && input.atNs < endNs) {
        this.#pendingInputs.shift()
        this.#advance(input.atNs)
        this.#lastStepNs = input.atNs
        this.#apply(input.input)
      } else if (next >= endNs) {
        if (endNs !== Number.POSITIVE_INFINITY) this.#advance(endNs)
        if (stopped) return 'stopped'
        return next === Number.POSITIVE_INFINITY ? 'idle' : 'deadline'
      } else if (eventNs <= cpuNs) {
        this.#advance(eventNs)
        this.#lastStepNs = eventNs
        events.runNext()
        this.#processors.wakePolling(eventNs)
      } else {
        this.#advance(cpuNs)
        this.#lastStepNs = cpuNs
        this.#processors.run(cpu!)
      }
      this.#settleResets()
      if (!stopped && this.#outputs() && stop()) {
        // The instant is finished first: a cut between two instants is one that a replay can make too.
        stopped = true
        endNs = this.#frontierNs + 1
      }
    }
  }

  /** To the end of the present instant, if part of it is over: no replay could end within it. */
  finishInstant(): void {
    if (this.#lastStepNs < this.#frontierNs) return
    const endNs = this.#frontierNs + 1
    while (this.runUntil(endNs, never) === 'slice');
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
      case 'link':
        if (!off) this.#machine.linkIn(input.link, input.event)
        else if (input.event.kind === 'open') this.#link(input.link, { kind: 'close', reason: 'the machine is off' })
        break
      case 'button':
        if (input.button === 'power') {
          if (off) this.#start(true)
          else this.#powerOff()
        } else if (!off && input.button === 'reset') this.#start(false)
        else if (!off && input.button === 'nmi') this.#machine.nmiButton()
    }
    this.#processors.wakePolling(this.#frontierNs)
  }

  // --- Power and reset ---

  #start(cold: boolean): void {
    this.#processors.reset()
    this.#resetWanted = false
    this.#offWanted = false
    this.#machine.reset(cold)
    this.#setState('firmware')
    this.#processors.startFirmware()
  }

  #powerOff(): void {
    this.#processors.reset()
    this.#offWanted = false
    this.#machine.powerDown()
    this.#setState('off')
  }

  /** A reset or power-off that the code itself asked for takes effect at the end of its step. */
  #settleResets(): void {
    if (this.#offWanted) this.#powerOff()
    else if (this.#resetWanted) this.#start(false)
  }

  #setState(state: MachineState): void {
    if (state === this.#state) return
    this.#state = state
    for (const listener of this.#onState) listener(state)
  }

  #link(link: number, output: LinkOutput): void {
    this.#outputSeen = true
    for (const listener of this.#onLink) listener(link, output)
  }

  /** The access trace, line by line. */
  #trace(bytes: Uint8Array): void {
    this.#outputSeen = true
    const lines = (this.#traced + byteString(bytes)).split('\n')
    this.#traced = lines.pop()!.slice(0, TRACE_LINE_MAX)
    const atNs = this.nowNs()
    for (const line of lines) this.#probe({ kind: 'xenstore', line, atNs })
  }

  #probe(event: Probe): void {
    if (event.kind === 'panic') this.#setState('panicked')
    if (event.kind === 'halted' && this.#state !== 'panicked') this.#setState('halted')
    for (const listener of this.#onProbe) listener(event)
  }
}

const never = (): boolean => false

/** As a record has it: JSON knows lists, and no bytes. */
function plain(entry: LoggedInput): LoggedInput {
  const { atNs, input } = entry
  if (input.kind !== 'link' || input.event.kind !== 'data' || !(input.event.bytes instanceof Uint8Array)) return entry
  return { atNs, input: { ...input, event: { kind: 'data', bytes: Array.from(input.event.bytes) } } }
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

export function createWorld(options: WorldOptions): World {
  return new World(options)
}
