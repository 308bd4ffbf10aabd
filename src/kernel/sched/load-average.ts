/** Load averages (Linux: kernel/timer.c, calc_load): every 5 seconds in fixed point, worked out for the time that nobody looked. */
const FSHIFT = 11
const FIXED_1 = 1 << FSHIFT
const EXPONENTS = [1884, 2014, 2037] as const
const LOAD_FREQ_NS = 5_000_000_000
/** After so many periods of one load the averages stand still. */
const PERIODS_MAX = 10_000
/** sysinfo's scale is 2^16. */
const SI_LOAD_SHIFT = 16

export class LoadAverage {
  readonly #averages: [number, number, number] = [0, 0, 0]
  #nextNs: number

  constructor(nowNs: number) {
    this.#nextNs = nowNs + LOAD_FREQ_NS
  }

  /** `active` tasks were runnable or in uninterruptible sleep since the last call. */
  catchUp(nowNs: number, active: number): void {
    if (nowNs < this.#nextNs) return
    const periods = Math.floor((nowNs - this.#nextNs) / LOAD_FREQ_NS) + 1
    this.#nextNs += periods * LOAD_FREQ_NS
    const load = active * FIXED_1
    for (let i = 0; i < 3; i++) {
      const exponent = EXPONENTS[i]!
      let average = this.#averages[i]!
      for (let n = Math.min(periods, PERIODS_MAX); n > 0; n--)
        average = Math.floor((average * exponent + load * (FIXED_1 - exponent)) / FIXED_1)
      this.#averages[i] = average
    }
  }

  get loads(): readonly [number, number, number] {
    const scale = 2 ** (SI_LOAD_SHIFT - FSHIFT)
    return [this.#averages[0] * scale, this.#averages[1] * scale, this.#averages[2] * scale]
  }
}
