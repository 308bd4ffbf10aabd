import { describe, expect, test } from 'vitest'
import * as abi from '#abi/pc/rtc.ts'
import { lab } from '../lab.ts'
import { rtc } from './rtc.ts'

const SECOND = 1_000_000_000
/** 2009-05-12 06:32:52 UTC, a Tuesday. */
const EPOCH = 1242109972

function build(epochSeconds = EPOCH) {
  const bench = lab()
  const irq = bench.line()
  const chip = rtc({ clock: bench.clock, irq, epochSeconds })
  const read = (index: number): number => {
    chip.write(0, index)
    return chip.read(1)
  }
  const write = (index: number, value: number): void => {
    chip.write(0, index)
    chip.write(1, value)
  }
  const time = (): string => [0x32, 9, 8, 7, 4, 2, 0].map((n) => read(n).toString(16).padStart(2, '0')).join(' ')
  return { ...bench, irq, chip, read, write, time }
}

describe('time', () => {
  test('is the epoch plus virtual time, in BCD', () => {
    const { time, read, run } = build()
    expect(time()).toBe('20 09 05 12 06 32 52')
    expect(read(abi.RTC_DAY_OF_WEEK)).toBe(3)
    run(8 * SECOND)
    expect(time()).toBe('20 09 05 12 06 33 00')
    run(86400 * 20 * SECOND)
    expect(time()).toBe('20 09 06 01 06 33 00')
  })

  test.each([
    [abi.RTC_24H, 0x18],
    [0, 0x86],
    [abi.RTC_24H | abi.RTC_DM_BINARY, 18],
    [abi.RTC_DM_BINARY, 0x80 | 6],
  ])('18 hours with register B %i', (b, hours) => {
    const { read, write } = build(EPOCH + 12 * 3600)
    write(abi.RTC_REG_B, b)
    expect(read(abi.RTC_HOURS)).toBe(hours)
  })

  test('is set behind SET, and goes on from there', () => {
    const { time, write, run } = build()
    write(abi.RTC_REG_B, abi.RTC_24H | abi.RTC_SET)
    write(abi.RTC_YEAR, 0x12)
    write(abi.RTC_MONTH, 0x02)
    write(abi.RTC_DAY_OF_MONTH, 0x28)
    write(abi.RTC_HOURS, 0x23)
    write(abi.RTC_MINUTES, 0x59)
    write(abi.RTC_SECONDS, 0x59)
    run(5 * SECOND)
    expect(time()).toBe('20 12 02 28 23 59 59')
    write(abi.RTC_REG_B, abi.RTC_24H)
    run(SECOND)
    expect(time()).toBe('20 12 02 29 00 00 00')
  })

  test('UIP rises before the second changes and falls with it', () => {
    const { read, run } = build()
    const uip = (): boolean => (read(abi.RTC_REG_A) & abi.RTC_UIP) !== 0
    run(SECOND - 2_228_001)
    expect(uip()).toBe(false)
    run(1)
    expect([uip(), read(abi.RTC_SECONDS)]).toEqual([true, 0x52])
    run(2_228_000)
    expect([uip(), read(abi.RTC_SECONDS)]).toEqual([false, 0x53])
  })
})

describe('interrupts', () => {
  test.each([
    ['update', abi.RTC_UPDATE_FLAG, 3],
    ['periodic, 2 Hz', abi.RTC_PERIODIC_FLAG, 6],
  ])('%s', (_name, flag, times) => {
    const { read, write, run, irq } = build()
    write(abi.RTC_REG_A, 0x2f)
    write(abi.RTC_REG_B, abi.RTC_24H | flag)
    let seen = 0
    for (let i = 0; i < 30; i++) {
      run(SECOND / 10)
      if (!irq.high()) continue
      seen++
      expect(read(abi.RTC_REG_C) & (flag | abi.RTC_IRQ_FLAG)).toBe(flag | abi.RTC_IRQ_FLAG)
    }
    expect(seen).toBe(times)
  })

  test('alarm at a time, with "any" in the hours', () => {
    const { write, read, run, irq } = build()
    write(abi.RTC_SECONDS_ALARM, 0x05)
    write(abi.RTC_MINUTES_ALARM, 0x33)
    write(abi.RTC_HOURS_ALARM, 0xc0)
    write(abi.RTC_REG_B, abi.RTC_24H | abi.RTC_ALARM_FLAG)
    run(12 * SECOND)
    expect(irq.high()).toBe(false)
    run(SECOND)
    expect(irq.high()).toBe(true)
    read(abi.RTC_REG_C)
    run(3599 * SECOND)
    expect(irq.high()).toBe(false)
    run(SECOND)
    expect(irq.high()).toBe(true)
  })

  test('nothing enabled: flags without events', () => {
    const { read, run, clock, irq } = build()
    run(5 * SECOND)
    expect([clock.pending, irq.high()]).toEqual([0, false])
    expect(read(abi.RTC_REG_C)).toBe(abi.RTC_PERIODIC_FLAG | abi.RTC_UPDATE_FLAG)
    expect(read(abi.RTC_REG_C)).toBe(0)
  })
})

test('RAM keeps bytes over a reset; registers C and D cannot be written', () => {
  const { chip, read, write } = build()
  write(0x40, 0xa5)
  write(abi.RTC_REG_D, 0)
  chip.reset()
  expect([read(0x40), read(abi.RTC_REG_D)]).toEqual([0xa5, abi.RTC_VALID])
})
