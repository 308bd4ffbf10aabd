/**
 * The MC146818A real-time clock with 128 bytes of battery-backed RAM. The time is the machine's epoch plus virtual time plus what
 * was set; flags of register C are worked out when somebody looks, and become events only while their interrupt is enabled.
 */
import {
  RTC_24H,
  RTC_ALARM_FLAG,
  RTC_CENTURY,
  RTC_DAY_OF_MONTH,
  RTC_DAY_OF_WEEK,
  RTC_DM_BINARY,
  RTC_HOURS,
  RTC_HOURS_ALARM,
  RTC_IRQ_FLAG,
  RTC_MINUTES,
  RTC_MINUTES_ALARM,
  RTC_MONTH,
  RTC_PERIODIC_FLAG,
  RTC_PM,
  RTC_REG_A,
  RTC_REG_B,
  RTC_REG_C,
  RTC_REG_D,
  RTC_SECONDS,
  RTC_SECONDS_ALARM,
  RTC_SET,
  RTC_UIP,
  RTC_UPDATE_FLAG,
  RTC_VALID,
  RTC_YEAR,
} from '#abi/pc/rtc.ts'
import { type Calendar, calendarOf, secondsOf } from '../../calendar.ts'
import type { Chip, Line } from '../../device.ts'
import type { Clock, Timer } from '../../events.ts'

export interface RtcPins {
  readonly clock: Clock
  readonly irq: Line
  /** The wall clock at power-on, seconds since 1970. */
  readonly epochSeconds: number
}

export interface RtcState {
  index: number
  a: number
  b: number
  /** Flags of register C that have been raised, up to `flagsToNs`. */
  flags: number
  flagsToNs: number
  /** What setting the clock added to epoch + virtual time, seconds. */
  offsetSeconds: number
  /** The fields while SET stops the update. */
  held: Calendar | null
  /** Alarm registers and RAM, as written. */
  ram: number[]
}

export interface Rtc extends Chip<RtcState> {
  /** Offset 0 is the index port, 1 the data port. */
  read(offset: number): number
  write(offset: number, value: number): void
  /** RAM as firmware fills it, without disturbing the index. */
  poke(index: number, value: number): void
}

const SECOND_NS = 1e9
/** UIP rises 244 us before an update and falls with its end, 1984 us later (32 kHz time base). */
const UIP_LEAD_NS = 244_000
const UPDATE_NS = 1_984_000
const CMOS_BYTES = 128
/** Divider for a 32.768 kHz crystal, periodic rate 1024 Hz: what firmware sets. */
const REGISTER_A_DEFAULT = 0x26
/** Alarm bytes from here on mean "any". */
const ALARM_ANY = 0xc0

export function rtc({ clock, irq, epochSeconds }: RtcPins): Rtc {
  const state: RtcState = {
    index: 0,
    a: REGISTER_A_DEFAULT,
    b: RTC_24H,
    flags: 0,
    flagsToNs: 0,
    offsetSeconds: 0,
    held: null,
    ram: new Array<number>(CMOS_BYTES).fill(0),
  }
  let timer: Timer | undefined

  const secondsAt = (ns: number): number => epochSeconds + state.offsetSeconds + Math.floor(ns / SECOND_NS)

  /** The update takes the last part of each second, so that the new time stands when UIP falls. */
  const updating = (now: number): boolean =>
    (state.b & RTC_SET) === 0 && now % SECOND_NS >= SECOND_NS - UIP_LEAD_NS - UPDATE_NS

  const encode = (value: number): number =>
    state.b & RTC_DM_BINARY ? value : (value % 10) | (Math.floor(value / 10) << 4)
  const decode = (byte: number): number => (state.b & RTC_DM_BINARY ? byte : (byte >> 4) * 10 + (byte & 15))

  const encodeHour = (hour: number): number =>
    state.b & RTC_24H ? encode(hour) : encode(hour % 12 || 12) | (hour >= 12 ? RTC_PM : 0)
  const decodeHour = (byte: number): number =>
    state.b & RTC_24H ? decode(byte) : (decode(byte & ~RTC_PM) % 12) + (byte & RTC_PM ? 12 : 0)

  function readTime(index: number): number {
    const time = state.held ?? calendarOf(secondsAt(clock.now()))
    switch (index) {
      case RTC_SECONDS:
        return encode(time.second)
      case RTC_MINUTES:
        return encode(time.minute)
      case RTC_HOURS:
        return encodeHour(time.hour)
      case RTC_DAY_OF_WEEK:
        return encode(time.weekday)
      case RTC_DAY_OF_MONTH:
        return encode(time.day)
      case RTC_MONTH:
        return encode(time.month)
      case RTC_YEAR:
        return encode(time.year % 100)
      default:
        return encode(Math.floor(time.year / 100))
    }
  }

  function writeTime(index: number, byte: number): void {
    const time = state.held ?? calendarOf(secondsAt(clock.now()))
    if (index === RTC_SECONDS) time.second = decode(byte) % 60
    else if (index === RTC_MINUTES) time.minute = decode(byte) % 60
    else if (index === RTC_HOURS) time.hour = decodeHour(byte) % 24
    else if (index === RTC_DAY_OF_WEEK) time.weekday = decode(byte)
    else if (index === RTC_DAY_OF_MONTH) time.day = decode(byte)
    else if (index === RTC_MONTH) time.month = decode(byte)
    else if (index === RTC_YEAR) time.year = Math.floor(time.year / 100) * 100 + (decode(byte) % 100)
    else time.year = decode(byte) * 100 + (time.year % 100)
    if (!state.held) setTime(time)
  }

  function setTime(time: Calendar): void {
    state.offsetSeconds += secondsOf(time) - secondsAt(clock.now())
  }

  /** ns between periodic interrupts by the rate in register A, or 0 for none. */
  function periodNs(): number {
    const rate = state.a & 15
    if (rate === 0) return 0
    // Rates 1 and 2 repeat 8 and 9 with a 32 kHz crystal.
    const ticks = 2 ** ((rate <= 2 ? rate + 7 : rate) - 1)
    return (ticks * 1e9) / 32768
  }

  function alarmMatches(time: Calendar): boolean {
    const any = (byte: number): boolean => byte >= ALARM_ANY
    const [s, m, h] = [state.ram[RTC_SECONDS_ALARM]!, state.ram[RTC_MINUTES_ALARM]!, state.ram[RTC_HOURS_ALARM]!]
    return (
      (any(s) || decode(s) === time.second) &&
      (any(m) || decode(m) === time.minute) &&
      (any(h) || decodeHour(h) === time.hour)
    )
  }

  /** Raise the flags of what has happened since the last look. */
  function catchUp(now: number): void {
    const from = state.flagsToNs
    if (now <= from) return
    state.flagsToNs = now
    const period = periodNs()
    if (period > 0 && Math.floor(now / period) > Math.floor(from / period)) state.flags |= RTC_PERIODIC_FLAG
    const first = Math.floor(from / SECOND_NS) + 1
    const last = Math.floor(now / SECOND_NS)
    if (last < first || state.b & RTC_SET) return
    state.flags |= RTC_UPDATE_FLAG
    // A day holds every time there is: looking at more seconds finds nothing new.
    for (let second = Math.max(first, last - 86399); second <= last; second++) {
      if (state.flags & RTC_ALARM_FLAG) break
      if (alarmMatches(calendarOf(secondsAt(second * SECOND_NS)))) state.flags |= RTC_ALARM_FLAG
    }
  }

  /** Only enabled interrupts whose flag is down need an event. */
  function settle(now: number): void {
    irq((state.flags & state.b & (RTC_PERIODIC_FLAG | RTC_ALARM_FLAG | RTC_UPDATE_FLAG)) !== 0)
    if (timer) clock.cancel(timer)
    timer = undefined
    const missing = state.b & ~state.flags
    let next = Number.POSITIVE_INFINITY
    const period = periodNs()
    if (missing & RTC_PERIODIC_FLAG && period > 0) next = Math.ceil((Math.floor(now / period) + 1) * period)
    if (missing & (RTC_ALARM_FLAG | RTC_UPDATE_FLAG) && !(state.b & RTC_SET))
      next = Math.min(next, (Math.floor(now / SECOND_NS) + 1) * SECOND_NS)
    if (next === Number.POSITIVE_INFINITY) return
    timer = clock.at(next, () => {
      timer = undefined
      const at = clock.now()
      catchUp(at)
      settle(at)
    })
  }

  const isTime = (index: number): boolean =>
    index === RTC_CENTURY ||
    (index <= RTC_YEAR && ![RTC_SECONDS_ALARM, RTC_MINUTES_ALARM, RTC_HOURS_ALARM].includes(index))

  function readData(): number {
    const { index } = state
    const now = clock.now()
    if (isTime(index)) return readTime(index)
    if (index === RTC_REG_A) return state.a | (updating(now) ? RTC_UIP : 0)
    if (index === RTC_REG_B) return state.b
    if (index === RTC_REG_C) {
      catchUp(now)
      const { flags } = state
      state.flags = 0
      settle(now)
      return flags | (flags & state.b ? RTC_IRQ_FLAG : 0)
    }
    return index === RTC_REG_D ? RTC_VALID : state.ram[index]!
  }

  function writeData(value: number): void {
    const { index } = state
    const now = clock.now()
    catchUp(now)
    if (isTime(index)) writeTime(index, value)
    else if (index === RTC_REG_A) state.a = value & 0x7f
    else if (index === RTC_REG_B) writeB(value, now)
    else if (index !== RTC_REG_C && index !== RTC_REG_D) state.ram[index] = value
    settle(now)
  }

  function writeB(value: number, now: number): void {
    const { held } = state
    if (value & RTC_SET) {
      // Setting SET also clears the update interrupt enable.
      state.b = value & ~RTC_UPDATE_FLAG
      state.held = held ?? calendarOf(secondsAt(now))
      return
    }
    state.b = value
    state.held = null
    if (held) setTime(held)
  }

  return {
    state,
    // The index port cannot be read back on a PC.
    read: (offset) => (offset === 0 ? 0xff : readData()),
    write(offset, value) {
      // Bit 7 of the index port masks NMIs in the chipset; it is no address.
      if (offset === 0) state.index = value & 0x7f
      else writeData(value)
    },
    poke(index, value) {
      state.ram[index] = value
    },
    reset() {
      // The reset pin clears interrupt enables and flags; time and RAM live on the battery.
      state.index = 0
      state.b &= ~(RTC_PERIODIC_FLAG | RTC_ALARM_FLAG | RTC_UPDATE_FLAG)
      state.flags = 0
      state.flagsToNs = clock.now()
      settle(clock.now())
    },
  }
}
