import { describe, expect, test } from 'vitest'
import { PIT_HZ } from '#abi/pc/i8254.ts'
import { nsOfTick } from '../../ticks.ts'
import { lab } from '../lab.ts'
import { i8254 } from './i8254.ts'

function build() {
  const bench = lab()
  const irq = bench.line()
  const levels: boolean[] = []
  const chip = i8254({ clock: bench.clock, irq, level: (high) => levels.push(high) })
  const program = (channel: number, mode: number, count: number): void => {
    chip.write(3, (channel << 6) | 0x30 | (mode << 1))
    chip.write(channel, count & 0xff)
    chip.write(channel, (count >> 8) & 0xff)
  }
  const count = (channel: number): number => chip.read(channel) | (chip.read(channel) << 8)
  const ticks = (n: number): void => bench.run(nsOfTick(n, PIT_HZ))
  return { ...bench, chip, irq, levels, program, count, ticks }
}

describe('counting', () => {
  test.each([
    ['mode 0 counts down', 0, 1000, 100, 900],
    ['mode 0 goes on below zero', 0, 1000, 1001, 0xffff],
    ['mode 2 reloads', 2, 1000, 1100, 900],
    ['mode 3 counts by two', 3, 1000, 100, 800],
    ['mode 3 second half', 3, 1000, 600, 800],
    ['count 0 is 65536', 2, 0, 1, 0xffff],
  ])('%s', (_name, mode, initial, after, value) => {
    const { program, count, ticks } = build()
    program(2, mode, initial)
    // Channel 2 counts while its gate is high.
    expect(count(2)).toBe(initial)
    const other = build()
    other.chip.writePortB(1)
    other.program(2, mode, initial)
    other.ticks(after)
    expect(other.count(2)).toBe(value)
    ticks(after)
    expect(count(2)).toBe(initial)
  })

  test('a latched count stays until it is read', () => {
    const { chip, program, count, ticks } = build()
    program(0, 2, 1000)
    ticks(10)
    chip.write(3, 0x00)
    ticks(500)
    expect(count(0)).toBe(990)
    expect(count(0)).toBeLessThan(500)
  })

  test('read-back gives status, then count', () => {
    const { chip, program, ticks } = build()
    program(0, 2, 1000)
    ticks(10)
    chip.write(3, 0xc2)
    expect(chip.read(0)).toBe(0x80 | 0x30 | (2 << 1))
    expect(chip.read(0) | (chip.read(0) << 8)).toBe(990)
  })

  test.each([
    [1, [0x12], 0x12],
    [2, [0x34], 0x3400],
  ])('access mode %i', (access, bytes, value) => {
    const { chip } = build()
    chip.write(3, (access << 4) | 4)
    for (const byte of bytes) chip.write(0, byte)
    expect(chip.state.channels[0]!.count).toBe(value)
    expect(chip.read(0)).toBe(bytes[0])
  })

  test('BCD', () => {
    const { chip, ticks } = build()
    chip.write(3, 0x35)
    chip.write(0, 0x00)
    chip.write(0, 0x10)
    ticks(1)
    expect(chip.read(0) | (chip.read(0) << 8)).toBe(0x0999)
  })
})

describe('port B', () => {
  test('channel 2 in mode 0 raises its output at the end: how systems measure 50 ms', () => {
    const { chip, program, run, poll } = build()
    const latch = Math.floor((PIT_HZ + 10) / 20)
    chip.writePortB(1)
    program(2, 0, latch)
    expect(chip.readPortB() & 0x20).toBe(0)
    expect(poll(nsOfTick(latch, PIT_HZ) - 1, () => chip.readPortB() & 0x20)).toBe(0)
    expect(poll(nsOfTick(latch, PIT_HZ), () => chip.readPortB() & 0x20)).toBe(0x20)
    expect(nsOfTick(latch, PIT_HZ)).toBeGreaterThan(49_990_000)
    run(1)
  })

  test('the gate stops mode 0 and resumes it', () => {
    const { chip, program, count, ticks } = build()
    chip.writePortB(1)
    program(2, 0, 1000)
    ticks(100)
    chip.writePortB(0)
    ticks(500)
    expect(count(2)).toBe(900)
    chip.writePortB(1)
    ticks(100)
    expect(count(2)).toBeGreaterThanOrEqual(799)
    expect(count(2)).toBeLessThanOrEqual(800)
  })
})

describe('interrupts of channel 0', () => {
  test.each([
    [2, 10],
    [3, 10],
    [0, 1],
  ])('mode %i rises %i times in ten periods', (mode, edges) => {
    const { chip, program, irq, ticks } = build()
    program(0, mode, 1000)
    chip.listen(true)
    ticks(10_000)
    expect(irq.edges()).toBe(edges)
  })

  test('nobody listens: no events; who listens again hears of an edge in between', () => {
    const { chip, program, clock, ticks, levels } = build()
    program(0, 2, 1000)
    expect(clock.pending).toBe(0)
    chip.listen(true)
    expect(clock.pending).toBe(1)
    chip.listen(false)
    expect(clock.pending).toBe(0)
    levels.length = 0
    ticks(10)
    chip.listen(true)
    expect(levels).toEqual([true])
    chip.listen(false)
    ticks(2000)
    levels.length = 0
    chip.listen(true)
    expect(levels).toEqual([false, true])
  })
})
