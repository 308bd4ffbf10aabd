/**
 * A local APIC of the Pentium 4 / Core kind (Intel 64 SDM vol. 3A, chapter 10): priorities, timer, LINT pins, and the messages that
 * it exchanges with the other APICs. The timer is worked out from the time; an event exists only for an interrupt to come.
 */
import {
  APIC_DM_EXTINT,
  APIC_DM_FIXED,
  APIC_DM_LOWEST,
  APIC_DM_MASK,
  APIC_DM_NMI,
  APIC_INT_ASSERT,
  APIC_LVT_MASKED,
  APIC_LVT_TIMER_PERIODIC,
  LAPIC_APR,
  LAPIC_BUS_HZ,
  LAPIC_DFR,
  LAPIC_EOI,
  LAPIC_ESR,
  LAPIC_ICR,
  LAPIC_ICR2,
  LAPIC_ID,
  LAPIC_IRR,
  LAPIC_ISR,
  LAPIC_LDR,
  LAPIC_PPR,
  LAPIC_SPIV,
  LAPIC_SPIV_ENABLED,
  LAPIC_TDCR,
  LAPIC_TMCCT,
  LAPIC_TMICT,
  LAPIC_TMR,
  LAPIC_TPR,
  LAPIC_VERSION,
  LAPIC_VERSION_INTEGRATED,
} from '#abi/pc/apic.ts'
import type { Chip } from '../../device.ts'
import type { Clock, Timer } from '../../events.ts'
import type { AccessBytes, Mmio } from '../../memory.ts'
import {
  clearBit,
  highest,
  initialState,
  type LapicState,
  LVT_AT,
  LVT_WRITABLE,
  type LvtName,
  setBit,
  testBit,
} from './state.ts'

/** What travels between APICs. */
export interface ApicMessage {
  /** Physical: an APIC id, 0xff is everybody. Logical: compared with LDR by DFR. */
  readonly destination: number
  readonly logical: boolean
  /** APIC_DM_*. */
  readonly mode: number
  readonly vector: number
  readonly level: boolean
}

export interface LapicPins {
  readonly clock: Clock
  readonly id: number
  /** There may be something to take: an interrupt or an NMI. */
  readonly wake: () => void
  /** An ICR write. `shorthand`: 0 none, 1 self, 2 all, 3 all but self. */
  readonly send: (message: ApicMessage, shorthand: number) => void
  /** The end of a level-triggered interrupt, for the I/O APICs. */
  readonly broadcastEoi: (vector: number) => void
  /** The LINT pins' masks changed. */
  readonly lintChanged: () => void
}

export interface Lapic extends Chip<LapicState>, Mmio {
  /** A message has come for this APIC. */
  deliver(mode: number, vector: number, level: boolean): void
  matches(message: ApicMessage): boolean
  /** The priority class and vector below which nothing gets through: for lowest-priority arbitration. */
  priority(): number
  pending(): boolean
  /** INTA: the highest request goes into service. Undefined when there is none. */
  accept(): number | undefined
  /** Whether LINT0 passes the 8259's INTR on. */
  acceptsExtInt(): boolean
  /** An edge on LINT1: the NMI line. */
  lint1(): void
  /** True once per NMI. */
  takeNmi(): boolean
  nmiPending(): boolean
  /** INIT: all but the id goes back to its reset value. */
  init(): void
}

/** ESR: illegal vectors (below 16) sent and received, and illegal registers. */
const ERROR_SEND_VECTOR = 1 << 5
const ERROR_RECEIVE_VECTOR = 1 << 6
const ERROR_REGISTER = 1 << 7
/** Max LVT entry in bits 16-23: six entries. */
const VERSION = (5 << 16) | LAPIC_VERSION_INTEGRATED

export function lapic({ clock, id, wake, send, broadcastEoi, lintChanged }: LapicPins): Lapic {
  const state = initialState(id)
  let timer: Timer | undefined

  const enabled = (): boolean => (state.spiv & LAPIC_SPIV_ENABLED) !== 0

  /** Processor priority: the task's, or that of what is in service where that is higher. */
  function ppr(): number {
    const service = Math.max(highest(state.isr), 0)
    return state.tpr >> 4 >= service >> 4 ? state.tpr : service & 0xf0
  }

  function error(bit: number): void {
    state.errors |= bit
    if (!(state.lvt.error & APIC_LVT_MASKED)) request(state.lvt.error & 0xff, false)
  }

  /** A fixed interrupt has been accepted into the IRR. */
  function request(vector: number, level: boolean): void {
    if (vector < 16) {
      // The error interrupt's own vector may be the illegal one: record it without raising it again.
      state.errors |= ERROR_RECEIVE_VECTOR
      return
    }
    setBit(state.irr, vector)
    if (level) setBit(state.tmr, vector)
    else clearBit(state.tmr, vector)
    wake()
  }

  const pending = (): boolean => {
    const vector = highest(state.irr)
    return vector >= 0 && vector >> 4 > ppr() >> 4
  }

  /** ns per count: the divider's encoding is bits 3,1,0; 111 divides by 1. */
  function countNs(): number {
    const code = (state.tdcr & 3) | ((state.tdcr >> 1) & 4)
    return ((code === 7 ? 1 : 2 << code) * 1e9) / LAPIC_BUS_HZ
  }

  function currentCount(now: number): number {
    if (state.initialCount === 0) return 0
    const gone = Math.floor((now - state.countFromNs) / countNs())
    if (state.lvt.timer & APIC_LVT_TIMER_PERIODIC) return state.initialCount - (gone % state.initialCount)
    return Math.max(0, state.initialCount - gone)
  }

  function scheduleTimer(): void {
    if (timer) clock.cancel(timer)
    timer = undefined
    if (state.initialCount === 0 || state.lvt.timer & APIC_LVT_MASKED) return
    const period = state.initialCount * countNs()
    const now = clock.now()
    let atNs = state.countFromNs + period
    if (state.lvt.timer & APIC_LVT_TIMER_PERIODIC) {
      if (atNs <= now) atNs += Math.floor((now - state.countFromNs) / period) * period
    } else if (atNs <= now) return
    timer = clock.at(atNs, () => {
      timer = undefined
      request(state.lvt.timer & 0xff, false)
      if (state.lvt.timer & APIC_LVT_TIMER_PERIODIC) scheduleTimer()
    })
  }

  /** Software-disabled: every LVT entry's mask bit is set and stays so. */
  function writeSpiv(value: number): void {
    state.spiv = value & 0x3ff
    if (!enabled()) {
      for (const name of Object.values(LVT_AT)) state.lvt[name] |= APIC_LVT_MASKED
      scheduleTimer()
    }
    lintChanged()
  }

  function writeLvt(name: LvtName, value: number): void {
    state.lvt[name] = (value & LVT_WRITABLE[name]) | (enabled() ? 0 : APIC_LVT_MASKED)
    if (name === 'timer') scheduleTimer()
    if (name === 'lint0' || name === 'lint1') lintChanged()
  }

  function endOfInterrupt(): void {
    const vector = highest(state.isr)
    if (vector < 0) return
    clearBit(state.isr, vector)
    if (testBit(state.tmr, vector)) broadcastEoi(vector)
    if (pending()) wake()
  }

  function command(value: number): void {
    state.icr = value & 0xccfff
    const mode = value & APIC_DM_MASK
    const vector = value & 0xff
    const shorthand = (value >>> 18) & 3
    const levelTriggered = (value & (1 << 15)) !== 0
    if ((mode === APIC_DM_FIXED || mode === APIC_DM_LOWEST) && vector < 16) {
      error(ERROR_SEND_VECTOR)
      return
    }
    // INIT level de-assert only resynchronizes arbitration ids, which this bus does not have.
    if (levelTriggered && !(value & APIC_INT_ASSERT)) return
    send({ destination: state.icr2 >>> 24, logical: (value & 0x800) !== 0, mode, vector, level: false }, shorthand)
  }

  function readRegister(offset: number): number {
    const name = LVT_AT[offset]
    if (name) return state.lvt[name]
    switch (offset) {
      case LAPIC_ID:
        return (state.id << 24) >>> 0
      case LAPIC_VERSION:
        return VERSION
      case LAPIC_TPR:
        return state.tpr
      case LAPIC_APR:
        return 0
      case LAPIC_PPR:
        return ppr()
      case LAPIC_EOI:
        return 0
      case LAPIC_LDR:
        return state.ldr
      case LAPIC_DFR:
        return state.dfr
      case LAPIC_SPIV:
        return state.spiv
      case LAPIC_ESR:
        return state.esr
      case LAPIC_ICR:
        return state.icr
      case LAPIC_ICR2:
        return state.icr2
      case LAPIC_TMICT:
        return state.initialCount
      case LAPIC_TMCCT:
        return currentCount(clock.now())
      case LAPIC_TDCR:
        return state.tdcr
      default:
    }
    for (const [base, words] of [
      [LAPIC_ISR, state.isr],
      [LAPIC_TMR, state.tmr],
      [LAPIC_IRR, state.irr],
    ] as const) {
      if (offset >= base && offset < base + 0x80) return words[(offset - base) >> 4]!
    }
    error(ERROR_REGISTER)
    return 0
  }

  function writeRegister(offset: number, value: number): void {
    const name = LVT_AT[offset]
    if (name) {
      writeLvt(name, value)
      return
    }
    switch (offset) {
      case LAPIC_ID:
        state.id = value >>> 24
        break
      case LAPIC_TPR:
        state.tpr = value & 0xff
        if (pending()) wake()
        break
      case LAPIC_EOI:
        endOfInterrupt()
        break
      case LAPIC_LDR:
        state.ldr = (value & 0xff000000) >>> 0
        break
      case LAPIC_DFR:
        state.dfr = (value | 0x0fffffff) >>> 0
        break
      case LAPIC_SPIV:
        writeSpiv(value)
        break
      case LAPIC_ESR:
        state.esr = state.errors
        state.errors = 0
        break
      case LAPIC_ICR2:
        state.icr2 = (value & 0xff000000) >>> 0
        break
      case LAPIC_ICR:
        command(value)
        break
      case LAPIC_TMICT:
        state.initialCount = value
        state.countFromNs = clock.now()
        scheduleTimer()
        break
      case LAPIC_TDCR:
        rescaleTimer(value & 0xb)
        break
      case LAPIC_VERSION:
      case LAPIC_TMCCT:
        break
      default:
        if (offset < LAPIC_ISR || offset >= LAPIC_ESR) error(ERROR_REGISTER)
    }
  }

  /** A new divider: the count goes on from where it stands. */
  function rescaleTimer(tdcr: number): void {
    const now = clock.now()
    const gone = state.initialCount === 0 ? 0 : state.initialCount - currentCount(now)
    state.tdcr = tdcr
    state.countFromNs = now - gone * countNs()
    scheduleTimer()
  }

  function reset(): void {
    if (timer) clock.cancel(timer)
    timer = undefined
    Object.assign(state, initialState(id))
    lintChanged()
  }

  return {
    state,
    // Registers are 32 bits wide, one in every 16 bytes; what lies between is undefined and reads as zero here.
    read: (offset, bytes: AccessBytes) =>
      offset & 12
        ? 0
        : bytes === 4
          ? readRegister(offset & ~3)
          : (readRegister(offset & ~3) >>> (8 * (offset & 3))) & (bytes === 2 ? 0xffff : 0xff),
    write(offset, bytes, value) {
      if (bytes === 4 && (offset & 15) === 0) writeRegister(offset, value)
    },
    deliver(mode, vector, level) {
      if (mode === APIC_DM_NMI) {
        state.nmi = true
        wake()
      } else if ((mode === APIC_DM_FIXED || mode === APIC_DM_LOWEST) && enabled()) request(vector, level)
    },
    matches({ destination, logical }) {
      if (!logical) return destination === 0xff || destination === state.id
      const own = state.ldr >>> 24
      if (state.dfr >>> 28 === 0xf) return (own & destination) !== 0
      return own >> 4 === destination >> 4 && (own & destination & 0xf) !== 0
    },
    priority: ppr,
    pending,
    accept() {
      if (!pending()) return undefined
      const vector = highest(state.irr)
      clearBit(state.irr, vector)
      setBit(state.isr, vector)
      return vector
    },
    acceptsExtInt: () =>
      enabled() && (state.lvt.lint0 & APIC_LVT_MASKED) === 0 && (state.lvt.lint0 & APIC_DM_MASK) === APIC_DM_EXTINT,
    lint1() {
      if (state.lvt.lint1 & APIC_LVT_MASKED) return
      const mode = state.lvt.lint1 & APIC_DM_MASK
      if (mode === APIC_DM_NMI) {
        state.nmi = true
        wake()
      } else if (mode === APIC_DM_FIXED) request(state.lvt.lint1 & 0xff, false)
    },
    takeNmi() {
      const { nmi } = state
      state.nmi = false
      return nmi
    },
    nmiPending: () => state.nmi,
    init() {
      const { id: keep } = state
      reset()
      state.id = keep
    },
    reset,
  }
}
