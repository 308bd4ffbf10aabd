/**
 * The firmware hub's random number generator (Intel 82802AB/AC data sheet, "Random Number Generator"): the machine's only source of
 * entropy. Its noise comes from the seed, so a world replays. The real one needs about 0.4 ms for a byte; so does this.
 */
import {
  FWH_RNG_DATA,
  FWH_RNG_DATA_READY,
  FWH_RNG_ENABLED,
  FWH_RNG_HARDWARE_STATUS,
  FWH_RNG_PRESENT,
  FWH_RNG_STATUS,
} from '#abi/pc/fwh-rng.ts'
import { createRng } from '#lib/prng.ts'
import type { Chip } from '../../device.ts'
import type { Clock } from '../../events.ts'
import type { Mmio } from '../../memory.ts'

const BYTE_NS = 400_000

interface FwhRngState {
  enabled: boolean
  /** Bytes taken since the world began: with the seed, all there is to know of the noise. */
  taken: number
  /** When the next byte is ready. */
  readyNs: number
}

export function fwhRng({ clock, seed }: { readonly clock: Clock; readonly seed: number }): Chip<FwhRngState> & Mmio {
  const state: FwhRngState = { enabled: false, taken: 0, readyNs: 0 }
  const noise = createRng(seed).fork('fwh-rng')
  const ready = (): boolean => state.enabled && clock.now() >= state.readyNs

  return {
    state,
    reset() {
      state.enabled = false
    },
    read(offset) {
      switch (offset) {
        case FWH_RNG_HARDWARE_STATUS:
          return FWH_RNG_PRESENT | (state.enabled ? FWH_RNG_ENABLED : 0)
        case FWH_RNG_STATUS:
          return ready() ? FWH_RNG_DATA_READY : 0
        case FWH_RNG_DATA:
          // Too early a read finds nothing new: zero, and the noise waits.
          if (!ready()) return 0
          state.taken++
          state.readyNs = clock.now() + BYTE_NS
          return noise.u32() & 255
        default:
          return 0xff
      }
    },
    write(offset, _bytes, value) {
      if (offset !== FWH_RNG_HARDWARE_STATUS) return
      const enabled = (value & FWH_RNG_ENABLED) !== 0
      if (enabled && !state.enabled) state.readyNs = clock.now() + BYTE_NS
      state.enabled = enabled
    },
  }
}
