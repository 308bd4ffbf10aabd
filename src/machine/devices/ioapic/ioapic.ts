/** The I/O APIC (Intel 82093AA data sheet; version 0x20 as in the ICH8, with an EOI register): 24 pins, a redirection entry each. */
import {
  APIC_DM_LOWEST,
  APIC_DM_MASK,
  IOAPIC_EOI,
  IOAPIC_IOREGSEL,
  IOAPIC_IOWIN,
  IOAPIC_PINS,
  IOAPIC_REG_ID,
  IOAPIC_REG_REDTBL,
  IOAPIC_REG_VERSION,
  IOAPIC_RTE_LEVEL,
  IOAPIC_RTE_LOGICAL,
  IOAPIC_RTE_MASKED,
  IOAPIC_RTE_REMOTE_IRR,
  IOAPIC_VERSION_ICH,
} from '#abi/pc/apic.ts'
import type { Chip } from '../../device.ts'
import type { Mmio } from '../../memory.ts'
import type { ApicMessage } from '../lapic/lapic.ts'

export interface IoapicPins {
  readonly send: (message: ApicMessage) => void
  /** A mask changed: what `unmasked` says may be different. */
  readonly masksChanged: () => void
}

export interface IoapicState {
  id: number
  select: number
  /** Low and high words of the redirection entries. */
  low: number[]
  high: number[]
  lines: boolean[]
}

export interface Ioapic extends Chip<IoapicState>, Mmio {
  /** Pin `n` is active (whatever its polarity) or not. */
  setPin(n: number, active: boolean): void
  /** Pin `n` has been like this for a while: no edge now. */
  preset(n: number, active: boolean): void
  unmasked(n: number): boolean
  /** A local APIC broadcasts the end of `vector`. */
  endOfInterrupt(vector: number): void
}

/** Arbitration id: unused on a system bus, reads as the id. */
const IOAPIC_REG_ARBITRATION = 0x02
/** Vector, mode, destination mode, polarity, trigger and mask; delivery status and remote IRR are read-only. */
const LOW_WRITABLE = 0x1afff

const initialState = (): IoapicState => ({
  id: 0,
  select: 0,
  low: new Array<number>(IOAPIC_PINS).fill(IOAPIC_RTE_MASKED),
  high: new Array<number>(IOAPIC_PINS).fill(0),
  lines: new Array<boolean>(IOAPIC_PINS).fill(false),
})

export function ioapic({ send, masksChanged }: IoapicPins): Ioapic {
  const state = initialState()

  function fire(pin: number): void {
    const low = state.low[pin]!
    const level = (low & IOAPIC_RTE_LEVEL) !== 0
    if (level) state.low[pin] = low | IOAPIC_RTE_REMOTE_IRR
    send({
      destination: state.high[pin]! >>> 24,
      logical: (low & IOAPIC_RTE_LOGICAL) !== 0,
      mode: low & APIC_DM_MASK,
      vector: low & 0xff,
      // Only fixed and lowest-priority interrupts can be level-triggered.
      level: level && (low & APIC_DM_MASK) <= APIC_DM_LOWEST,
    })
  }

  /** A level-triggered pin that is active asks again whenever it may. */
  function settle(pin: number): void {
    const low = state.low[pin]!
    if (state.lines[pin] && low & IOAPIC_RTE_LEVEL && !(low & (IOAPIC_RTE_MASKED | IOAPIC_RTE_REMOTE_IRR))) fire(pin)
  }

  function writeEntry(register: number, value: number): void {
    const pin = (register - IOAPIC_REG_REDTBL) >> 1
    if (register & 1) {
      state.high[pin] = (value & 0xff000000) >>> 0
      return
    }
    let low = (value & LOW_WRITABLE) | (state.low[pin]! & IOAPIC_RTE_REMOTE_IRR)
    // An edge-triggered entry has no remote IRR.
    if (!(low & IOAPIC_RTE_LEVEL)) low &= ~IOAPIC_RTE_REMOTE_IRR
    state.low[pin] = low
    settle(pin)
    masksChanged()
  }

  function readRegister(register: number): number {
    if (register === IOAPIC_REG_ID || register === IOAPIC_REG_ARBITRATION) return state.id << 24
    if (register === IOAPIC_REG_VERSION) return ((IOAPIC_PINS - 1) << 16) | IOAPIC_VERSION_ICH
    const pin = (register - IOAPIC_REG_REDTBL) >> 1
    if (pin < 0 || pin >= IOAPIC_PINS) return 0xffffffff
    return register & 1 ? state.high[pin]! : state.low[pin]!
  }

  function endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      const low = state.low[pin]!
      if ((low & 0xff) !== vector || !(low & IOAPIC_RTE_REMOTE_IRR)) continue
      state.low[pin] = low & ~IOAPIC_RTE_REMOTE_IRR
      settle(pin)
    }
  }

  return {
    state,
    read(offset, bytes) {
      const value =
        (offset & ~3) === IOAPIC_IOREGSEL
          ? state.select
          : (offset & ~3) === IOAPIC_IOWIN
            ? readRegister(state.select)
            : 0
      return bytes === 4 ? value >>> 0 : (value >>> (8 * (offset & 3))) & (bytes === 2 ? 0xffff : 0xff)
    },
    write(offset, _bytes, value) {
      if (offset === IOAPIC_IOREGSEL) state.select = value & 0xff
      else if (offset === IOAPIC_EOI) endOfInterrupt(value & 0xff)
      else if (offset === IOAPIC_IOWIN) {
        if (state.select === IOAPIC_REG_ID) state.id = (value >>> 24) & 0xf
        else if (state.select >= IOAPIC_REG_REDTBL && state.select < IOAPIC_REG_REDTBL + 2 * IOAPIC_PINS)
          writeEntry(state.select, value)
      }
    },
    setPin(pin, active) {
      const was = state.lines[pin]!
      state.lines[pin] = active
      const low = state.low[pin]!
      if (low & IOAPIC_RTE_LEVEL) settle(pin)
      else if (active && !was && !(low & IOAPIC_RTE_MASKED)) fire(pin)
    },
    preset(pin, active) {
      state.lines[pin] = active
      settle(pin)
    },
    unmasked: (pin) => (state.low[pin]! & IOAPIC_RTE_MASKED) === 0,
    endOfInterrupt,
    reset() {
      Object.assign(state, initialState())
      masksChanged()
    },
  }
}
