/**
 * xen/arch/x86/time.c: the TSC's rate, the platform timer, NOW() and the wall clock.
 *
 * The real one re-reads the platform timer every second to follow drifting TSCs. Here TSC and platform timer are driven by one clock and
 * cannot drift, so system time runs from the TSC alone and an idle host sleeps.
 */
import { HPET_CFG, HPET_CFG_ENABLE, HPET_COUNTER, HPET_ID, HPET_PERIOD_FS, PM_TIMER_HZ } from '#abi/pc/acpi.ts'
import { PIT_CH0, PIT_CH2, PIT_HZ, PIT_MODE, PORT_B } from '#abi/pc/i8254.ts'
import type { Metal } from '#abi/pc/metal.ts'
import {
  RTC_24H,
  RTC_DATA,
  RTC_DAY_OF_MONTH,
  RTC_DM_BINARY,
  RTC_HOURS,
  RTC_INDEX,
  RTC_MINUTES,
  RTC_MONTH,
  RTC_REG_A,
  RTC_REG_B,
  RTC_SECONDS,
  RTC_UIP,
  RTC_YEAR,
} from '#abi/pc/rtc.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { shared_info } from '#abi/xen/xen.ts'
import type { Domain } from '../common/domain.ts'
import { dec } from '../common/lib.ts'
import { pauseUntil, type Steps } from '../steps.ts'
import type { Xen } from '../xen.ts'

/** The TSC is measured over 1/20 s. */
const CALIBRATE_FRAC = 20
const CALIBRATE_LATCH = Math.floor((PIT_HZ + CALIBRATE_FRAC / 2) / CALIBRATE_FRAC)
/** Channel 0 ticks at this rate until the local APIC has taken over. */
const HZ = 100
const PORT_B_GATE2 = 0x01
const PORT_B_SPEAKER = 0x02
const PORT_B_OUT2 = 0x20
/** Between two looks at a port that is being waited for. */
const POLL_NS = 1000
const POLLS_MAX = 1_000_000

export interface PlatformSource {
  readonly name: string
  readonly hz: number
  /** Counter, so many bits wide. */
  readonly bits: number
  readonly read: () => number
}

/** `14.318MHz` */
export const frequencyText = (hz: number): string =>
  `${Math.floor(hz / 1e6)}.${dec(Math.floor((hz % 1e6) / 1000), 3)}MHz`

export class PlatformTime {
  readonly #metal: Metal
  tscHz = 0
  /** ns = (cycles << tscShift) * tscMul >> 32: what guests are told too, so that all clocks agree to the ns. */
  tscMul = 0
  tscShift = 0
  /** The local APIC timer's rate. */
  busHz = 0
  hpetAddress = 0
  pmTimerPort = 0
  #source: PlatformSource | undefined
  #sourceStart = 0
  /** Seconds since 1970 at system time 0; 0: not known yet. */
  wallclockSeconds = 0
  /** And ns. */
  wallclockNs = 0

  constructor(metal: Metal) {
    this.#metal = metal
  }

  #armChannel2(): void {
    const { io } = this.#metal
    io.out8(PORT_B, (io.in8(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE2)
    io.out8(PIT_MODE, 0xb0)
    io.out8(PIT_CH2, CALIBRATE_LATCH & 0xff)
    io.out8(PIT_CH2, CALIBRATE_LATCH >> 8)
  }

  /** Until channel 2 has counted down: asleep nearly to the end, then looking. */
  *#untilChannel2(): Steps {
    const end = this.#metal.now() + Math.floor((CALIBRATE_LATCH / PIT_HZ) * 1e9)
    // A device event may wake the processor before its time.
    while (this.#metal.now() < end - 20 * POLL_NS) yield pauseUntil(end - 20 * POLL_NS)
    for (let polls = 0; polls < POLLS_MAX; polls++) {
      if (this.#metal.io.in8(PORT_B) & PORT_B_OUT2) return
      yield pauseUntil(this.#metal.now() + POLL_NS)
    }
  }

  /** early_time_init: `tscHz`, measured against the PIT. */
  *calibrateTsc(): Steps {
    const { io, cpu } = this.#metal
    const latch = Math.floor((PIT_HZ + HZ / 2) / HZ)
    io.out8(PIT_MODE, 0x34)
    io.out8(PIT_CH0, latch & 0xff)
    io.out8(PIT_CH0, latch >> 8)
    this.#armChannel2()
    const start = cpu.rdtsc()
    yield* this.#untilChannel2()
    this.tscHz = (cpu.rdtsc() - start) * CALIBRATE_FRAC
    this.#setTimeScale()
  }

  /** set_time_scale */
  #setTimeScale(): void {
    let hz = this.tscHz
    this.tscShift = 0
    while (hz > 2e9) {
      hz = Math.floor(hz / 2)
      this.tscShift--
    }
    while (hz <= 1e9) {
      hz *= 2
      this.tscShift++
    }
    this.tscMul = Math.floor((1e9 * 2 ** 32) / hz)
  }

  /** scale_delta: TSC cycles as ns, exact as the 96-bit product of the real one. */
  scaleTsc(cycles: number): number {
    const { tscMul } = this
    const shifted = this.tscShift < 0 ? Math.floor(cycles / 2 ** -this.tscShift) : cycles * 2 ** this.tscShift
    const high = Math.floor(shifted / 2 ** 32)
    const low = shifted - high * 2 ** 32
    const lowHigh = Math.floor(low / 65536)
    const lowLow = low - lowHigh * 65536
    return high * tscMul + Math.floor((lowHigh * tscMul + Math.floor((lowLow * tscMul) / 65536)) / 65536)
  }

  /**
   * calibrate_APIC_clock: `busHz`. The real one counts ten wraps of channel 0; channel 2 runs from the same crystal and is told apart
   * from nothing else.
   */
  *calibrateApic(setTimer: (ticks: number) => void, timerCount: () => number): Steps {
    const { cpu } = this.#metal
    this.#armChannel2()
    const tsc = cpu.rdtsc()
    setTimer(1_000_000_000)
    const before = timerCount()
    yield* this.#untilChannel2()
    const after = timerCount()
    const seconds = (cpu.rdtsc() - tsc) / this.tscHz
    this.busHz = Math.round((before - after) / seconds)
    setTimer(0)
  }

  /** init_platform_timer. Returns what to print. */
  initPlatformTimer(clocksource: string): string {
    let warning = ''
    let source: PlatformSource | undefined
    if (clocksource !== '') {
      const known: Readonly<Record<string, () => PlatformSource | undefined>> = {
        pit: () => this.#pit(),
        hpet: () => this.#hpet(),
        cyclone: () => undefined,
        acpi: () => this.#pmTimer(),
      }
      const init = known[clocksource]
      source = init?.()
      if (!source)
        warning = `WARNING: ${init ? 'Could not initialise' : 'Unrecognised'} clocksource '${clocksource}'.\n`
    }
    source ??= this.#hpet() ?? this.#pmTimer() ?? this.#pit()
    this.#source = source
    this.#sourceStart = source.read()
    return `${warning}Platform timer is ${frequencyText(source.hz)} ${source.name}\n`
  }

  #pit(): PlatformSource {
    const { io } = this.#metal
    const read = (): number => {
      io.out8(PIT_MODE, 0x80)
      const low = io.in8(PIT_CH2)
      // Channel 2 counts down.
      return 0xffff - (low | (io.in8(PIT_CH2) << 8))
    }
    return { name: 'PIT', hz: PIT_HZ, bits: 16, read }
  }

  #hpet(): PlatformSource | undefined {
    const { mem } = this.#metal
    const base = this.hpetAddress
    if (base === 0 || mem.read32(base + HPET_ID) === 0) return undefined
    const period = mem.read32(base + HPET_PERIOD_FS)
    // Sane is from 100 ps to 100 ns.
    if (period > 100_000_000 || period < 100_000) return undefined
    mem.write32(base + HPET_CFG, mem.read32(base + HPET_CFG) | HPET_CFG_ENABLE)
    return { name: 'HPET', hz: Math.floor(1e15 / period), bits: 32, read: () => mem.read32(base + HPET_COUNTER) }
  }

  #pmTimer(): PlatformSource | undefined {
    const port = this.pmTimerPort
    if (port === 0) return undefined
    return { name: 'ACPI PM Timer', hz: PM_TIMER_HZ, bits: 24, read: () => this.#metal.io.in32(port) & 0xffffff }
  }

  /** System time by the platform timer, ns; 0 before there is one. Good for less than one turn of the counter: used while booting. */
  platformStime(): number {
    const source = this.#source
    if (!source) return 0
    const span = 2 ** source.bits
    const ticks = (source.read() - this.#sourceStart + span) % span
    return Math.floor((ticks / source.hz) * 1e9)
  }

  /** get_cmos_time: the wall clock, as of system time `stimeNs`. */
  readWallclock(stimeNs: number): void {
    const { io } = this.#metal
    const cmos = (register: number): number => {
      io.out8(RTC_INDEX, register)
      return io.in8(RTC_DATA)
    }
    // An update takes 2 ms at most, and the chip says so before it begins: a second look is enough here, the real one waits for the edge.
    for (let i = 0; i < 1000 && cmos(RTC_REG_A) & RTC_UIP; i++) this.#metal.cpu.charge(POLL_NS * 10)
    const mode = cmos(RTC_REG_B)
    const number = (value: number): number => (mode & RTC_DM_BINARY ? value : (value >> 4) * 10 + (value & 15))
    const rawHours = cmos(RTC_HOURS)
    const hours = mode & RTC_24H ? number(rawHours) : (number(rawHours & 0x7f) % 12) + (rawHours & 0x80 ? 12 : 0)
    const twoDigits = number(cmos(RTC_YEAR))
    const year = twoDigits < 70 ? 2000 + twoDigits : 1900 + twoDigits
    const seconds = mktime(
      year,
      number(cmos(RTC_MONTH)),
      number(cmos(RTC_DAY_OF_MONTH)),
      hours,
      number(cmos(RTC_MINUTES)),
      number(cmos(RTC_SECONDS)),
    )
    this.wallclockSeconds = seconds - Math.floor(stimeNs / 1e9)
  }

  /** `2009-05-12 06:32:52`; undefined before the clock is known. */
  wallclockText(stimeNs: number): string | undefined {
    if (this.wallclockSeconds === 0) return undefined
    const seconds = this.wallclockSeconds + Math.floor(stimeNs / 1e9)
    const { year, month, day } = civil(Math.floor(seconds / 86400))
    const time = seconds % 86400
    const clock = [Math.floor(time / 3600), Math.floor(time / 60) % 60, time % 60].map((part) => dec(part, 2)).join(':')
    return `${dec(year, 4)}-${dec(month, 2)}-${dec(day, 2)} ${clock}`
  }
}

/** update_domain_wallclock_time: seconds since 1970 at system time 0, for the guest to read. */
export function updateWallclock(xen: Xen, domain: Domain): void {
  const at = domain.sharedInfo * PAGE_SIZE
  const { fields } = shared_info
  const version = ((fields.wc_version.get(xen.mem, at) + 1) | 1) >>> 0
  fields.wc_version.set(xen.mem, at, version)
  fields.wc_sec.set(xen.mem, at, (xen.time.wallclockSeconds + domain.timeOffsetSeconds) >>> 0)
  fields.wc_nsec.set(xen.mem, at, xen.time.wallclockNs)
  fields.wc_version.set(xen.mem, at, (version + 1) >>> 0)
}

/** Seconds since 1970 of a date and time (UTC). */
export function mktime(
  year: number,
  month: number,
  day: number,
  hours: number,
  minutes: number,
  seconds: number,
): number {
  // Gauss: February last, so that the leap day ends the year.
  const m = month <= 2 ? month + 10 : month - 2
  const y = month <= 2 ? year - 1 : year
  const days =
    Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + Math.floor((367 * m) / 12) + day + y * 365 - 719499
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
}

/** The date of a day counted from 1970-01-01. */
function civil(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const m = Math.floor((5 * dayOfYear + 2) / 153)
  const month = m < 10 ? m + 3 : m - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * m + 2) / 5) + 1,
  }
}
