import { expect, test } from 'vitest'
import { calendarOf, secondsOf } from './calendar.ts'

test.each([
  [0, '1970-01-01 00:00:00 5'],
  [951782399, '2000-02-28 23:59:59 2'],
  [951782400, '2000-02-29 00:00:00 3'],
  [1242109972, '2009-05-12 06:32:52 3'],
  [4107542400, '2100-03-01 00:00:00 2'],
  [1230767999, '2008-12-31 23:59:59 4'],
])('%i is %s', (seconds, text) => {
  const t = calendarOf(seconds)
  const two = (n: number): string => String(n).padStart(2, '0')
  expect(`${t.year}-${two(t.month)}-${two(t.day)} ${two(t.hour)}:${two(t.minute)}:${two(t.second)} ${t.weekday}`).toBe(
    text,
  )
  expect(secondsOf(t)).toBe(seconds)
})

test('agrees with the host calendar over a century', () => {
  for (let day = 0; day < 36525; day += 13) {
    const date = new Date(day * 86400_000)
    const mine = calendarOf(day * 86400)
    expect([mine.year, mine.month, mine.day, mine.weekday]).toEqual([
      date.getUTCFullYear(),
      date.getUTCMonth() + 1,
      date.getUTCDate(),
      date.getUTCDay() + 1,
    ])
  }
})
