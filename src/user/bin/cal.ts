/** cal(1) of util-linux: Gregorian since 3 September 1752, Julian before. */
import { gmtime, MONTHS, time } from '../libc/time.ts'
import { Exit, UsageError, utility } from '../libc/utility.ts'

const WIDTH = 20
/** September 1752: the 2nd was followed by the 14th. */
const SEPTEMBER_1752 = [1, 2, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]

export const cal = utility({
  name: 'cal',
  usage: 'cal [-13my] [[MONTH] YEAR]',
  help: `Show a calendar of this month, of MONTH in YEAR, or of YEAR.

  -1   one month
  -3   the month before and the one after too
  -m   Monday is the first day of the week
  -y   this year
`,
  version: '(util-linux 2.13-pre7)',
  short: '13msy',
  *main(run) {
    const now = gmtime(yield* time())
    const [first, second, extra] = run.operands
    if (extra !== undefined) throw new UsageError('too many arguments')
    const yearText = second ?? first
    const year = yearText === undefined ? now.year : Number(yearText)
    if (!(Number.isInteger(year) && year >= 1 && year <= 9999)) throw new Exit(1, 'illegal year value: use 1-9999')
    const month = second === undefined ? now.month + 1 : Number(first)
    if (!(Number.isInteger(month) && month >= 1 && month <= 12)) throw new Exit(1, 'illegal month value: use 1-12')
    const monday = run.has('m')
    if (run.has('y') || (first !== undefined && second === undefined)) {
      yield* run.out.print(`${centred(String(year), 3 * WIDTH + 6)}\n\n`)
      for (let row = 0; row < 12; row += 3) yield* run.out.print(beside(row, year, false, monday))
      yield* run.out.print('\n')
    } else if (run.has('3')) yield* run.out.print(beside(month - 2, year, true, monday))
    else
      yield* run.out.print(
        `${lines(year, month - 1, true, monday)
          .map((line) => line.trimEnd())
          .join('\n')}\n`,
      )
    return 0
  },
})

const centred = (text: string, width: number): string =>
  text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width)

/** Three months; `from` may lie outside the year. */
function beside(from: number, year: number, withYear: boolean, monday: boolean): string {
  const months = [0, 1, 2].map((i) => {
    const at = from + i
    return lines(year + Math.floor(at / 12), ((at % 12) + 12) % 12, withYear, monday)
  })
  return months[0]!
    .map(
      (_, i) =>
        `${months
          .map((month) => month[i]!)
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** Title, weekdays, six weeks; each 20 characters. */
function lines(year: number, month: number, withYear: boolean, monday: boolean): string[] {
  const made = [
    centred(withYear ? `${MONTHS[month]} ${year}` : MONTHS[month]!, WIDTH),
    monday ? 'Mo Tu We Th Fr Sa Su' : 'Su Mo Tu We Th Fr Sa',
  ]
  const days =
    year === 1752 && month === 8 ? SEPTEMBER_1752 : Array.from({ length: monthDays(year, month) }, (_, i) => i + 1)
  const cells = Array.from({ length: (weekday(year, month) + (monday ? 6 : 0)) % 7 }, () => '  ')
  for (const day of days) cells.push(String(day).padStart(2))
  for (let week = 0; week < 6; week++)
    made.push(
      cells
        .slice(7 * week, 7 * week + 7)
        .join(' ')
        .padEnd(WIDTH),
    )
  return made
}

const isJulian = (year: number, month: number): boolean => year < 1752 || (year === 1752 && month <= 8)

function monthDays(year: number, month: number): number {
  const leap = year <= 1752 ? year % 4 === 0 : year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month]!
}

/** Of the first of the month; 0 is Sunday. Zeller's congruence. */
function weekday(year: number, month: number): number {
  const y = month < 2 ? year - 1 : year
  const m = month < 2 ? month + 13 : month + 1
  const century = isJulian(year, month) ? 5 : Math.floor(y / 400) - Math.floor(y / 100)
  const base = 1 + Math.floor((13 * (m + 1)) / 5) + y + Math.floor(y / 4) + century
  // Zeller counts from Saturday.
  return (((base + 6) % 7) + 7) % 7
}
