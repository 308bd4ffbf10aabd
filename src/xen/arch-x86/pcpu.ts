/**
 * A physical processor as Xen uses it: what it is doing (a stack of Steps, the idle loop at the bottom), its interrupts, softirqs and
 * timers. This is what the machine runs.
 */
import { APIC_LVT_MASKED, LAPIC_LVT0 } from '#abi/pc/apic.ts'
import type { Exit, Metal, PcpuCode } from '#abi/pc/metal.ts'
import { XenBug } from '../common/bug.ts'
import type { Vcpu } from '../common/domain.ts'
import { keypressAction } from '../common/keyhandler.ts'
import { hex } from '../common/lib.ts'
import { runCurrentVcpu } from '../common/run-vcpu.ts'
import { makeCreditPcpu } from '../common/sched-credit.ts'
import { creditTick } from '../common/sched-credit-acct.ts'
import { schedule, tickle } from '../common/schedule.ts'
import { SCHEDULE_SOFTIRQ, TASKLET_SOFTIRQ, TBUF_SOFTIRQ, TIMER_SOFTIRQ } from '../common/softirq.ts'
import { TimerQueue, type XenTimer } from '../common/timer.ts'
import { notifyTbuf } from '../common/trace.ts'
import { DEAD, IDLE, NeverReturns, pauseUntil, RUN_AGAIN, type Steps } from '../steps.ts'
import { printk, type Xen } from '../xen.ts'
import {
  CALL_FUNCTION_VECTOR,
  EVENT_CHECK_VECTOR,
  LOCAL_TIMER_VECTOR,
  LocalApic,
  SPURIOUS_APIC_VECTOR,
} from './apic.ts'
import { doGuestIrq } from './irq.ts'
import { bugPanic } from './shutdown.ts'
import { doNmi } from './traps.ts'

/** Vectors below are the processor's own: an 8259 that nobody has initialised delivers there. */
const FIRST_EXTERNAL_VECTOR = 0x20
const DEFERRED_MAX = 256
const APIC_TICKS_MAX = 0xffffffff

export class Pcpu implements PcpuCode {
  /** Logical number. */
  readonly id: number
  readonly metal: Metal
  readonly apic: LocalApic
  readonly xen: Xen
  readonly timers = new TimerQueue()
  /** Functions that other processors asked this one to run (smp_call_function). */
  readonly calls: ((pcpu: Pcpu) => undefined | Steps)[] = []
  /** Until when the run under way may go on, this processor's ns. */
  deadlineNs = 0
  online = false
  /** The vCPU that runs here; undefined: the idle one. */
  curr: Vcpu | undefined
  /** The last vCPU that ran here: its state is still in the processor. */
  loaded: Vcpu | undefined
  readonly sched = makeCreditPcpu(() => creditTick(this.xen, this))
  /** Ends a time slice. */
  readonly sliceTimer: XenTimer = {
    name: 'time slice',
    expiresNs: 0,
    run: () => this.raise(SCHEDULE_SOFTIRQ),
  }
  /** Time without a vCPU, up to when the last such time began. */
  idleNs = 0
  idleSinceNs = 0
  /** NMIs taken. */
  nmis = 0
  /** The NMI watchdog's (nmi.ts). */
  readonly watchdog = { enabled: false, beats: 0, lastBeats: 0, alerts: 0 }
  /** NOW() is `stimeStamp` when the TSC is `tscStamp`. */
  tscStamp = 0
  stimeStamp = 0
  #interruptsOn = false
  #softirqs = 0
  /** The timer chip is to be set anew, and for when it is set. */
  #timerMoved = false
  #timerFor: number | undefined
  #activities: Steps[] = []
  readonly #deferred: number[] = []

  constructor(xen: Xen, id: number, metal: Metal) {
    this.xen = xen
    this.id = id
    this.metal = metal
    this.apic = new LocalApic(metal.mem)
    xen.credit.idlers.add(this)
  }

  // --- What the machine calls ---

  run(deadlineNs: number): Exit {
    const { xen } = this
    xen.current = this
    this.deadlineNs = deadlineNs
    for (;;) {
      const spin = xen.serial.spinNs()
      if (spin !== undefined) return pauseUntil(this.metal.now() + spin)
      try {
        const activity = this.#activities.at(-1)
        if (!activity) return DEAD
        const { done, value } = activity.next()
        if (done) this.#drop(activity)
        // Whoever sleeps has first seen to it that the line has all that was said.
        else if (value.kind === 'hlt' && xen.serial.spinNs() !== undefined) return RUN_AGAIN
        else return this.#leave(value)
      } catch (thrown) {
        this.#takeOver(thrown)
      }
    }
  }

  /** Before the machine takes over: the timer is set, and nobody falls asleep on work. */
  #leave(exit: Exit): Exit {
    if (this.#timerMoved) this.#programTimer()
    return exit === IDLE && this.#softirqs !== 0 ? RUN_AGAIN : exit
  }

  interrupt(vector: number): void {
    if (!this.#interruptsOn) {
      if (this.#deferred.length < DEFERRED_MAX) this.#deferred.push(vector)
      return
    }
    this.xen.current = this
    try {
      this.#dispatch(vector)
    } catch (thrown) {
      this.#takeOver(thrown)
    }
  }

  nmi(): void {
    this.xen.current = this
    this.nmis++
    try {
      doNmi(this.xen, this)
    } catch (thrown) {
      this.#takeOver(thrown)
    }
  }

  // --- What it is doing ---

  /** Do `steps` before going on with anything else. */
  push(steps: Steps): void {
    this.#activities.push(steps)
  }

  #drop(activity: Steps): void {
    const at = this.#activities.indexOf(activity)
    if (at >= 0) this.#activities.splice(at, 1)
  }

  /** Something gave up whatever this processor was doing; what is no affair of Xen's goes on to the machine. */
  #takeOver(thrown: unknown): void {
    if (thrown instanceof NeverReturns) this.#activities = [thrown.steps]
    else if (thrown instanceof XenBug) this.#activities = [bugPanic(this.xen, thrown.where)]
    else throw thrown
  }

  /** startup_cpu_idle_loop: softirqs, then whichever vCPU wants to run, then sleep. */
  *idleLoop(): Steps {
    for (;;) {
      yield* this.doSoftirqs()
      yield runCurrentVcpu(this.xen, this) ?? IDLE
    }
  }

  // --- Interrupts ---

  get interruptsOn(): boolean {
    return this.#interruptsOn
  }

  /** CLI. */
  disableInterrupts(): void {
    this.#interruptsOn = false
  }

  /** STI: what came meanwhile is taken now. Nothing is left of what an 8259 would have delivered before it was masked. */
  enableInterrupts(): void {
    this.#interruptsOn = true
    for (const vector of this.#deferred.splice(0)) {
      if (vector >= FIRST_EXTERNAL_VECTOR) this.#dispatch(vector)
    }
  }

  #dispatch(vector: number): void {
    switch (vector) {
      case LOCAL_TIMER_VECTOR:
        this.apic.eoi()
        this.raise(TIMER_SOFTIRQ)
        return
      case CALL_FUNCTION_VECTOR:
        this.apic.eoi()
        for (const call of this.calls.splice(0)) {
          const steps = call(this)
          if (steps) this.push(steps)
        }
        return
      case EVENT_CHECK_VECTOR:
        this.apic.eoi()
        return
      case SPURIOUS_APIC_VECTOR:
        return
    }
    for (const irq of this.xen.irqs.values()) {
      if (irq.vector !== vector) continue
      irq.acknowledge()
      irq.handler()
      return
    }
    if (doGuestIrq(this.xen, this, vector)) return
    printk(this.xen, `unexpected IRQ trap at vector ${hex(vector, 2)}\n`)
    this.apic.eoi()
  }

  /** Interrupts of an 8259 through LINT0 no more. */
  maskExtInt(): void {
    this.apic.write(LAPIC_LVT0, this.apic.read(LAPIC_LVT0) | APIC_LVT_MASKED)
  }

  // --- Softirqs and timers ---

  raise(softirq: number): void {
    this.#softirqs |= softirq
  }

  get hasSoftirqs(): boolean {
    return this.#softirqs !== 0
  }

  *doSoftirqs(): Steps {
    while (this.#softirqs !== 0) {
      const softirqs = this.#softirqs
      this.#softirqs = 0
      if (softirqs & TIMER_SOFTIRQ) {
        this.#timerFor = undefined
        this.#timerMoved = true
        this.timers.runDue(this.now())
      }
      if (softirqs & SCHEDULE_SOFTIRQ) schedule(this.xen, this)
      if (softirqs & TBUF_SOFTIRQ) notifyTbuf(this.xen)
      if (softirqs & TASKLET_SOFTIRQ) yield* keypressAction(this.xen)
    }
  }

  setTimer(timer: XenTimer, expiresNs: number): void {
    this.timers.set(timer, expiresNs)
    this.#timerMoved = true
    // Only a processor itself can reach its timer.
    if (this.xen.current !== this && this.timers.nextNs() === expiresNs) tickle(this.xen, this)
  }

  stopTimer(timer: XenTimer): void {
    this.timers.stop(timer)
    this.#timerMoved = true
  }

  #programTimer(): void {
    const next = this.timers.nextNs()
    this.#timerMoved = false
    if (next === this.#timerFor) return
    this.#timerFor = next
    if (next === undefined) {
      this.apic.setTimer(0)
      return
    }
    const ticks = Math.ceil(((next - this.now()) * this.xen.time.busHz) / 1e9)
    if (ticks <= 0) this.raise(TIMER_SOFTIRQ)
    else this.apic.setTimer(Math.min(ticks, APIC_TICKS_MAX))
  }

  // --- Time ---

  /** NOW(): system time in ns. */
  now(): number {
    const { time } = this.xen
    if (time.tscHz === 0) return 0
    return this.stimeStamp + time.scaleTsc(this.metal.cpu.rdtsc() - this.tscStamp)
  }

  /** From now on system time is `stimeNs` here. */
  setStime(stimeNs: number): void {
    this.tscStamp = this.metal.cpu.rdtsc()
    this.stimeStamp = stimeNs
  }

  /** Until the line has all that was said: `run` lets nothing go on before. What measures time begins with this. */
  *drain(): Steps {
    while (this.xen.serial.spinNs() !== undefined) yield RUN_AGAIN
  }

  /** mdelay: `ms` during which interrupts, if they are on, are served. */
  *delay(ms: number): Steps {
    yield* this.drain()
    const end = this.metal.now() + ms * 1e6
    while (this.metal.now() < end) yield pauseUntil(end)
  }
}
