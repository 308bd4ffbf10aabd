/** Seconds since 1970 as calendar fields and back, in the proleptic Gregorian calendar, UTC. */
export interface Calendar {
  second: number
  minute: number
  hour: number
  /** 1 to 31. */
  day: number
  /** 1 to 12. */
  month: number
  year: number
  /** 1 Sunday to 7 Saturday, as the MC146818 counts. */
  weekday: number
}

const DAY_S = 86400
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719468
const ERA_DAYS = 146097

export function calendarOf(seconds: number): Calendar {
  const days = Math.floor(seconds / DAY_S)
  const rest = seconds - days * DAY_S
  // Years begin in March here, so that the leap day is the last of its year.
  const shifted = days + EPOCH_DAYS
  const era = Math.floor(shifted / ERA_DAYS)
  const dayOfEra = shifted - era * ERA_DAYS
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * dayOfYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  return {
    second: rest % 60,
    minute: Math.floor(rest / 60) % 60,
    hour: Math.floor(rest / 3600),
    day: dayOfYear - Math.floor((153 * march + 2) / 5) + 1,
    month,
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    weekday: ((((days + 4) % 7) + 7) % 7) + 1,
  }
}

/** The weekday is not looked at. */
export function secondsOf({ second, minute, hour, day, month, year }: Calendar): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return (era * ERA_DAYS + dayOfEra - EPOCH_DAYS) * DAY_S + hour * 3600 + minute * 60 + second
}
