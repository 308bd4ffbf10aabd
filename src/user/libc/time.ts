/** time.h: seconds since 1970 to calendar and back, strftime(3) with GNU's flags. The zone is UTC: there is no /etc/localtime. */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { clock_gettime } from './syscall.ts'

/** struct tm; `year` is the year itself, `month` 0 to 11. */
export interface Tm {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0: Sunday. */
  readonly wday: number
  /** 0 to 365. */
  readonly yday: number
}

export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

/** time(2). */
export function* time(): Sys<number> {
  return (yield* clock_gettime(CLOCK_REALTIME))[0]
}

/** Days since 1970-01-01; `month` may lie outside 0 to 11, `day` anywhere. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y0 = year + Math.floor(month / 12)
  const m = ((month % 12) + 12) % 12
  // Years begin in March, so that the leap day is the last.
  const y = m < 2 ? y0 - 1 : y0
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * ((m + 10) % 12) + 2) / 5)
  return (
    era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear + day - 719469
  )
}

/** gmtime(3). */
export function gmtime(seconds: number): Tm {
  const days = Math.floor(seconds / 86400)
  const rest = seconds - days * 86400
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const doe = z - era * 146097
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365)
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100))
  const mp = Math.floor((5 * doy + 2) / 153)
  const month = mp < 10 ? mp + 2 : mp - 10
  const year = yoe + era * 400 + (month < 2 ? 1 : 0)
  return {
    year,
    month,
    day: doy - Math.floor((153 * mp + 2) / 5) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    wday: (((days + 4) % 7) + 7) % 7,
    yday: days - daysFromCivil(year, 0, 1),
  }
}

/** timegm(3): fields may overflow. */
export const timegm = (tm: Pick<Tm, 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second'>): number =>
  daysFromCivil(tm.year, tm.month, tm.day) * 86400 + tm.hour * 3600 + tm.minute * 60 + tm.second

const leap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** ISO 8601's year and week. */
function isoWeek(tm: Tm): { year: number; week: number } {
  const monday = (tm.wday + 6) % 7
  const week = Math.floor((tm.yday - monday + 10) / 7)
  if (week < 1) {
    const last = tm.year - 1
    return { year: last, week: Math.floor((tm.yday + (leap(last) ? 366 : 365) - monday + 10) / 7) }
  }
  const days = leap(tm.year) ? 366 : 365
  return week === 53 && days - tm.yday <= 3 - monday ? { year: tm.year + 1, week: 1 } : { year: tm.year, week }
}

type Shown = readonly [value: number | string, width: number, pad: string]

/** Conversions that are one value: what, its width, what it is padded with. */
const FIELDS: Readonly<Record<string, (tm: Tm, seconds: number, ns: number) => Shown>> = {
  a: (tm) => [DAYS[tm.wday]!.slice(0, 3), 0, ' '],
  A: (tm) => [DAYS[tm.wday]!, 0, ' '],
  b: (tm) => [MONTHS[tm.month]!.slice(0, 3), 0, ' '],
  h: (tm) => [MONTHS[tm.month]!.slice(0, 3), 0, ' '],
  B: (tm) => [MONTHS[tm.month]!, 0, ' '],
  C: (tm) => [Math.floor(tm.year / 100), 2, '0'],
  d: (tm) => [tm.day, 2, '0'],
  e: (tm) => [tm.day, 2, ' '],
  g: (tm) => [isoWeek(tm).year % 100, 2, '0'],
  G: (tm) => [isoWeek(tm).year, 1, '0'],
  H: (tm) => [tm.hour, 2, '0'],
  I: (tm) => [tm.hour % 12 || 12, 2, '0'],
  j: (tm) => [tm.yday + 1, 3, '0'],
  k: (tm) => [tm.hour, 2, ' '],
  l: (tm) => [tm.hour % 12 || 12, 2, ' '],
  m: (tm) => [tm.month + 1, 2, '0'],
  M: (tm) => [tm.minute, 2, '0'],
  N: (_tm, _s, ns) => [ns, 9, '0'],
  p: (tm) => [tm.hour < 12 ? 'AM' : 'PM', 0, ' '],
  P: (tm) => [tm.hour < 12 ? 'am' : 'pm', 0, ' '],
  s: (_tm, seconds) => [seconds, 1, '0'],
  S: (tm) => [tm.second, 2, '0'],
  u: (tm) => [tm.wday || 7, 1, '0'],
  U: (tm) => [Math.floor((tm.yday + 7 - tm.wday) / 7), 2, '0'],
  V: (tm) => [isoWeek(tm).week, 2, '0'],
  w: (tm) => [tm.wday, 1, '0'],
  W: (tm) => [Math.floor((tm.yday + 7 - ((tm.wday + 6) % 7)) / 7), 2, '0'],
  y: (tm) => [((tm.year % 100) + 100) % 100, 2, '0'],
  Y: (tm) => [tm.year, 1, '0'],
  z: () => ['+0000', 0, '0'],
  Z: () => ['UTC', 0, ' '],
}

/** Conversions that stand for others: the C locale's. */
const COMPOUND: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
}

/** strftime(3) with flags `-` (no padding), `_` (spaces), `0`, `^` (capitals), `#` (other case), a width, and E and O that change nothing. */
export function strftime(format: string, seconds: number, ns = 0): string {
  const tm = gmtime(seconds)
  return format.replace(/%([-_0^#]*)(\d*)[EO]?([a-zA-Z%])/g, (whole, flags: string, digits: string, letter: string) => {
    const shown: Shown | undefined =
      letter === '%'
        ? ['%', 0, ' ']
        : letter === 'n'
          ? ['\n', 0, ' ']
          : letter === 't'
            ? ['\t', 0, ' ']
            : letter in COMPOUND
              ? [strftime(COMPOUND[letter]!, seconds, ns), 0, ' ']
              : FIELDS[letter]?.(tm, seconds, ns)
    if (!shown) return whole
    let [value, width, pad] = shown
    for (const flag of flags) {
      if (flag === '-') width = 0
      else if (flag === '_') pad = ' '
      else if (flag === '0') pad = '0'
    }
    let text = typeof value === 'number' ? padded(value, Math.max(width, Number(digits)), pad) : value
    if (typeof value !== 'number') text = text.padStart(Number(digits), flags.includes('0') ? '0' : pad)
    if (flags.includes('^')) return text.toUpperCase()
    if (flags.includes('#')) return letter === 'p' || letter === 'Z' ? text.toLowerCase() : text.toUpperCase()
    return text
  })
}

function padded(value: number, width: number, pad: string): string {
  const digits = String(Math.abs(value))
  if (value >= 0) return digits.padStart(width, pad)
  return pad === '0' ? '-' + digits.padStart(width - 1, '0') : ('-' + digits).padStart(width, ' ')
}
