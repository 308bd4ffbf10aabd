import { expect, test } from 'vitest'
import { PM_TIMER_HZ, PM1_SLP_EN, PM1_TMR } from '#abi/pc/acpi.ts'
import { nsOfTick } from '../../ticks.ts'
import { lab } from '../lab.ts'
import { acpiPm } from './acpi-pm.ts'

function build() {
  const bench = lab()
  const sci = bench.line()
  let off = 0
  const chip = acpiPm({ clock: bench.clock, sci, powerOff: () => off++ })
  return { ...bench, sci, chip, off: () => off }
}

test('the timer counts 24 bits at 3.58 MHz', () => {
  const { chip, run } = build()
  run(1_000_000_000)
  expect(chip.read(8, 4)).toBe(PM_TIMER_HZ)
  run(nsOfTick(2 ** 24, PM_TIMER_HZ) - 1_000_000_000 - 1)
  expect(chip.read(8, 4)).toBe(2 ** 24 - 1)
  run(1)
  expect(chip.read(8, 4)).toBe(0)
})

test('its overflow is an event only for those who enabled it', () => {
  const { chip, run, sci, clock } = build()
  run(3_000_000_000)
  expect(chip.read(0, 2)).toBe(PM1_TMR)
  expect([sci.high(), clock.pending]).toEqual([false, 0])
  chip.write(2, 2, PM1_TMR)
  expect(sci.high()).toBe(true)
  chip.write(0, 2, PM1_TMR)
  expect([sci.high(), chip.read(0, 2)]).toEqual([false, 0])
  run(2_400_000_000)
  expect(sci.high()).toBe(true)
})

test.each([
  ['S5', PM1_SLP_EN, 1],
  ['another sleep type', PM1_SLP_EN | (5 << 10), 0],
  ['the type without the enable', 0, 0],
])('control: %s', (_name, value, times) => {
  const { chip, off } = build()
  chip.write(4, 2, value)
  expect(off()).toBe(times)
  expect(chip.read(4, 2) & 1).toBe(1)
  expect(chip.read(4, 2) & PM1_SLP_EN).toBe(0)
})

test('a byte write to the upper half of control sleeps too', () => {
  const { chip, off } = build()
  chip.write(5, 1, PM1_SLP_EN >> 8)
  expect(off()).toBe(1)
})
