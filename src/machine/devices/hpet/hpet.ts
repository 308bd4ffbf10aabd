/**
 * The high precision event timer (IA-PC HPET specification 1.0a): its main counter. The one comparator that the specification demands
 * has no interrupt routes, and says so; legacy replacement is not offered.
 */
import {
  HPET_CAPABILITIES,
  HPET_CFG,
  HPET_CFG_ENABLE,
  HPET_COUNTER,
  HPET_ID,
  HPET_PERIOD,
  HPET_PERIOD_FS,
} from '#abi/pc/acpi.ts'
import type { Chip } from '../../device.ts'
import type { Clock } from '../../events.ts'
import type { Mmio } from '../../memory.ts'

export interface HpetState {
  config: number
  /** The counter is `baseTicks` plus what has passed since `fromNs` while enabled. */
  baseTicks: number
  fromNs: number
}

const FS_PER_NS = 1e6
const WORD = 2 ** 32

export function hpet({ clock }: { readonly clock: Clock }): Chip<HpetState> & Mmio {
  const initialState = (): HpetState => ({ config: 0, baseTicks: 0, fromNs: 0 })
  const state = initialState()

  const counter = (): number =>
    state.config & HPET_CFG_ENABLE
      ? state.baseTicks + Math.floor(((clock.now() - state.fromNs) * FS_PER_NS) / HPET_PERIOD)
      : state.baseTicks

  /** A 32-bit register; the 64-bit ones are two. */
  function readWord(offset: number): number {
    switch (offset) {
      case HPET_ID:
        return HPET_CAPABILITIES
      case HPET_PERIOD_FS:
        return HPET_PERIOD
      case HPET_CFG:
        return state.config
      case HPET_COUNTER:
        return counter() % WORD
      case HPET_COUNTER + 4:
        return Math.floor(counter() / WORD)
      default:
        return 0
    }
  }

  return {
    state,
    read(offset, bytes) {
      const word = readWord(offset & ~3)
      return bytes === 4 ? word : (word >>> (8 * (offset & 3))) & (bytes === 2 ? 0xffff : 0xff)
    },
    write(offset, bytes, value) {
      if (bytes !== 4) return
      if (offset === HPET_CFG) {
        state.baseTicks = counter()
        state.fromNs = clock.now()
        state.config = value & HPET_CFG_ENABLE
      } else if (!(state.config & HPET_CFG_ENABLE)) {
        // Only a halted counter may be written. 53 bits of it are kept, which is 19 years.
        if (offset === HPET_COUNTER) state.baseTicks = Math.floor(state.baseTicks / WORD) * WORD + value
        else if (offset === HPET_COUNTER + 4) state.baseTicks = (value % 2 ** 21) * WORD + (state.baseTicks % WORD)
      }
    },
    reset() {
      Object.assign(state, initialState())
    },
  }
}
