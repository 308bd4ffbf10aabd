/** Dates as people write them: gnulib's getdate.y for `date -d` and `touch -d`, and POSIX's MMDDhhmm forms. UTC. */
import { DAYS, gmtime, MONTHS, timegm } from './time.ts'

const UNITS: Readonly<Record<string, readonly [field: 'month' | 'day' | 'second', factor: number]>> = {
  year: ['month', 12],
  month: ['month', 1],
  fortnight: ['day', 14],
  week: ['day', 7],
  day: ['day', 1],
  hour: ['second', 3600],
  min: ['second', 60],
  minute: ['second', 60],
  sec: ['second', 1],
  second: ['second', 1],
}

/** Words that shift the day by themselves. */
const SHIFTS: Readonly<Record<string, number>> = { tomorrow: 1, yesterday: -1, today: 0, now: 0 }
const COUNTS: Readonly<Record<string, number>> = { last: -1, this: 0, next: 1, first: 1, third: 3, fourth: 4, fifth: 5 }

const ZONES: Readonly<Record<string, number>> = {
  z: 0,
  utc: 0,
  gmt: 0,
  ut: 0,
  est: -5,
  edt: -4,
  cst: -6,
  cdt: -5,
  mst: -7,
  mdt: -6,
  pst: -8,
  pdt: -7,
  cet: 1,
  cest: 2,
}

const nameIndex = (names: readonly string[], word: string): number =>
  word.length < 3
    ? -1
    : names.findIndex((name) => name.toLowerCase() === word || name.slice(0, 3).toLowerCase() === word)

const TOKEN =
  /\s*(?:(@-?\d+(?:\.\d+)?)|(\d{4,})-(\d{1,2})-(\d{1,2})(?:t(?=\d))?|(\d{1,2})\/(\d{1,2})(?:\/(\d{2,4}))?|(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d*)?)?(?:\s*([ap])\.?m\.?)?|(\d{1,2})\s*([ap])\.?m\.?|utc([-+])(\d{2}):?(\d{2})?(?!\d)|([-+]?\s*\d+)|([a-z]+)\.?|,|\([^)]*\)|-)/y

/** Seconds since 1970, or undefined for what is no date. */
export function parseDate(text: string, now: number): number | undefined {
  const today = gmtime(now)
  let { year, month, day, hour, minute, second } = today
  let [dated, timed, zone] = [false, false, 0]
  let weekday = -1
  let weekdayCount = 0
  const shift = { month: 0, day: 0, second: 0 }
  let pending: number | undefined
  const last: ['month' | 'day' | 'second', number][] = []
  const lower = text.toLowerCase()
  const pattern = new RegExp(TOKEN.source, 'y')
  let seen = false
  let afterTime = false
  for (let at = 0; at < lower.length; ) {
    // Behind a time of day a sign begins a zone, elsewhere a count.
    const offset = afterTime ? /^\s*([-+])(\d{1,2})(?::?(\d{2}))?(?![\d:])(?!\s*[a-z])/.exec(lower.slice(at)) : null
    afterTime = false
    if (offset) {
      zone = (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 3600 + Number(offset[3] ?? 0) * 60)
      at += offset[0].length
      continue
    }
    pattern.lastIndex = at
    const m = pattern.exec(lower)
    if (!m) {
      if (/^\s*$/.test(lower.slice(at))) break
      return undefined
    }
    at = pattern.lastIndex
    seen = true
    if (m[1] !== undefined) {
      const seconds = Math.floor(Number(m[1].slice(1)))
      return /^\s*$/.test(lower.slice(at)) && !dated ? seconds : undefined
    }
    if (m[2] !== undefined) {
      ;[year, month, day, dated] = [Number(m[2]), Number(m[3]) - 1, Number(m[4]), true]
    } else if (m[5] !== undefined) {
      ;[month, day, dated] = [Number(m[5]) - 1, Number(m[6]), true]
      if (m[7] !== undefined) year = fullYear(m[7])
    } else if (m[8] !== undefined || m[12] !== undefined) {
      hour = Number(m[8] ?? m[12])
      minute = Number(m[9] ?? 0)
      second = Number(m[10] ?? 0)
      const half = m[11] ?? m[13]
      if (half !== undefined) {
        if (hour < 1 || hour > 12) return undefined
        hour = (hour % 12) + (half === 'p' ? 12 : 0)
      }
      if (hour > 23 || minute > 59 || second > 60) return undefined
      timed = true
      afterTime = true
    } else if (m[14] !== undefined) {
      zone = (m[14] === '-' ? -1 : 1) * (Number(m[15]) * 3600 + Number(m[16] ?? 0) * 60)
    } else if (m[17] !== undefined) {
      if (pending !== undefined) return undefined
      const digits = m[17].replace(/\s/g, '')
      // 20090512 is a date, 2009 behind a month a year.
      if (/^\d{8}$/.test(digits)) {
        ;[year, month, day, dated] = [
          Number(digits.slice(0, 4)),
          Number(digits.slice(4, 6)) - 1,
          Number(digits.slice(6)),
          true,
        ]
      } else if (dated && /^\d{4}$/.test(digits) && !/^\s*[a-z]/.test(lower.slice(at))) {
        year = Number(digits)
      } else pending = Number(digits)
    } else if (m[18] !== undefined) {
      const word = m[18]
      const monthIndex = nameIndex(MONTHS, word)
      const dayIndex = nameIndex(DAYS, word)
      const unit = UNITS[word] ?? UNITS[word.replace(/s$/, '')]
      if (unit) {
        const amount = (pending ?? 1) * unit[1]
        shift[unit[0]] += amount
        last.push([unit[0], amount])
        pending = undefined
      } else if (word === 'ago') {
        for (const [field, amount] of last.splice(0)) shift[field] -= 2 * amount
      } else if (word in SHIFTS) {
        shift.day += SHIFTS[word]!
      } else if (word in COUNTS) {
        pending = COUNTS[word]!
      } else if (word === 'noon' || word === 'midnight') {
        ;[hour, minute, second, timed] = [word === 'noon' ? 12 : 0, 0, 0, true]
      } else if (monthIndex >= 0) {
        month = monthIndex
        dated = true
        day = pending ?? 1
        const after = pending === undefined ? /^\s*(\d{1,2})(?!\d|:)/.exec(lower.slice(at)) : undefined
        if (after) {
          day = Number(after[1])
          at += after[0].length
        }
        pending = undefined
        const named = /^[\s,-]*(\d{4})(?!\d|:)/.exec(lower.slice(at))
        if (named) {
          year = Number(named[1])
          at += named[0].length
        }
      } else if (dayIndex >= 0) {
        weekday = dayIndex
        weekdayCount = pending ?? 0
        pending = undefined
      } else if (word in ZONES) zone = ZONES[word]! * 3600
      else if (word !== 'at' && word !== 'on' && word !== 'and' && word !== 't') return undefined
    }
  }
  if (pending !== undefined) return undefined
  if (month < 0 || month > 11 || day < 1 || day > 31) return undefined
  if (seen ? dated || weekday >= 0 : true) {
    if (!timed) [hour, minute, second] = [0, 0, 0]
  }
  if (dated && gmtime(timegm({ year, month, day, hour: 0, minute: 0, second: 0 })).day !== day) return undefined
  if (weekday >= 0 && !dated) {
    day += (weekday - today.wday + 7) % 7
    day += 7 * (weekdayCount - (weekdayCount > 0 && weekday !== today.wday ? 1 : 0))
  }
  return (
    timegm({ year, month: month + shift.month, day: day + shift.day, hour, minute, second: second + shift.second }) -
    zone
  )
}

function fullYear(text: string): number {
  const year = Number(text)
  if (text.length > 2) return year
  return year < 69 ? 2000 + year : 1900 + year
}

/** touch -t's [[CC]YY]MMDDhhmm[.ss]. */
export function parsePosixTime(text: string, now: number): number | undefined {
  const match = /^(\d{2}|\d{4})?(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{2}))?$/.exec(text)
  if (!match) return undefined
  const year = match[1] === undefined ? gmtime(now).year : fullYear(match[1])
  return checked(year, match[2]!, match[3]!, match[4]!, match[5]!, match[6])
}

/** date's MMDDhhmm[[CC]YY][.ss]. */
export function parseDateOperand(text: string, now: number): number | undefined {
  const match = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2}|\d{4})?(?:\.(\d{2}))?$/.exec(text)
  if (!match) return undefined
  const year = match[5] === undefined ? gmtime(now).year : fullYear(match[5])
  return checked(year, match[1]!, match[2]!, match[3]!, match[4]!, match[6])
}

function checked(year: number, mm: string, dd: string, hh: string, min: string, ss = '0'): number | undefined {
  const [month, day, hour, minute, second] = [Number(mm) - 1, Number(dd), Number(hh), Number(min), Number(ss)]
  if (month < 0 || month > 11 || day < 1 || hour > 23 || minute > 59 || second > 60) return undefined
  const seconds = timegm({ year, month, day, hour, minute, second })
  return gmtime(seconds).month === month ? seconds : undefined
}
