import { describe, expect, test } from 'vitest'
import * as abi from '#abi/pc/apic.ts'
import { lab } from '../lab.ts'
import { type ApicMessage, lapic } from './lapic.ts'

function build({ enabled = true } = {}) {
  const bench = lab()
  const messages: [ApicMessage, number][] = []
  const ended: number[] = []
  let wakes = 0
  const chip = lapic({
    clock: bench.clock,
    id: 1,
    wake: () => wakes++,
    send: (message, shorthand) => messages.push([message, shorthand]),
    broadcastEoi: (vector) => ended.push(vector),
    lintChanged: () => {},
  })
  const write = (offset: number, value: number): void => chip.write(offset, 4, value)
  const read = (offset: number): number => chip.read(offset, 4)
  if (enabled) write(abi.LAPIC_SPIV, abi.LAPIC_SPIV_ENABLED | 0xff)
  const fixed = (vector: number, level = false): void => chip.deliver(abi.APIC_DM_FIXED, vector, level)
  return { ...bench, chip, write, read, fixed, messages, ended, wakes: () => wakes }
}

describe('priorities', () => {
  test('the highest vector first; a class at a time', () => {
    const { chip, fixed, write, wakes } = build()
    for (const vector of [0x31, 0x42, 0x45]) fixed(vector)
    expect(wakes()).toBe(3)
    expect(chip.accept()).toBe(0x45)
    expect(chip.accept()).toBe(undefined)
    fixed(0x51)
    expect(chip.accept()).toBe(0x51)
    write(abi.LAPIC_EOI, 0)
    expect(chip.pending()).toBe(false)
    write(abi.LAPIC_EOI, 0)
    expect(chip.accept()).toBe(0x42)
    write(abi.LAPIC_EOI, 0)
    expect(chip.accept()).toBe(0x31)
  })

  test.each([
    [0x20, 0x31, true],
    [0x30, 0x31, false],
    [0x3f, 0x41, true],
    [0xf0, 0xef, false],
  ])('task priority %i, vector %i', (tpr, vector, passes) => {
    const { chip, fixed, write, read } = build()
    write(abi.LAPIC_TPR, tpr)
    fixed(vector)
    expect(chip.pending()).toBe(passes)
    expect(read(abi.LAPIC_PPR)).toBe(tpr)
  })

  test('IRR, ISR and TMR can be read; the end of a level interrupt is told to the I/O APICs', () => {
    const { chip, fixed, read, write, ended } = build()
    fixed(0x61, true)
    fixed(0x41)
    expect(read(abi.LAPIC_IRR + 0x30)).toBe(2)
    expect(read(abi.LAPIC_TMR + 0x30)).toBe(2)
    chip.accept()
    expect(read(abi.LAPIC_ISR + 0x30)).toBe(2)
    write(abi.LAPIC_EOI, 0)
    chip.accept()
    write(abi.LAPIC_EOI, 0)
    expect(ended).toEqual([0x61])
  })

  test.each([
    ['software-disabled', { enabled: false }, 0x31],
    ['illegal vectors', { enabled: true }, 0x0f],
  ])('%s: nothing is accepted', (_name, options, vector) => {
    const { chip, fixed } = build(options)
    fixed(vector)
    expect(chip.pending()).toBe(false)
  })

  test('an illegal vector shows in the error register after it is written', () => {
    const { fixed, read, write } = build()
    fixed(3)
    expect(read(abi.LAPIC_ESR)).toBe(0)
    write(abi.LAPIC_ESR, 0)
    expect(read(abi.LAPIC_ESR)).toBe(0x40)
    write(abi.LAPIC_ESR, 0)
    expect(read(abi.LAPIC_ESR)).toBe(0)
  })
})

describe('timer', () => {
  test.each([
    [0xb, 5],
    [0x0, 10],
    [0x3, 80],
    [0xa, 640],
  ])('divider code %i counts every %i ns', (code, ns) => {
    const { read, write, run } = build()
    write(abi.LAPIC_TDCR, code)
    write(abi.LAPIC_TMICT, 1000)
    run(10 * ns)
    expect(read(abi.LAPIC_TMCCT)).toBe(990)
    run(2000 * ns)
    expect(read(abi.LAPIC_TMCCT)).toBe(0)
  })

  test('one-shot: one interrupt, at the end', () => {
    const { chip, write, run, clock } = build()
    write(abi.LAPIC_TDCR, 0xb)
    write(abi.LAPIC_LVTT, 0xef)
    write(abi.LAPIC_TMICT, 200)
    run(999)
    expect(chip.pending()).toBe(false)
    run(1)
    expect(chip.accept()).toBe(0xef)
    run(10_000)
    expect(chip.pending()).toBe(false)
    expect(clock.pending).toBe(0)
  })

  test('periodic, until it is masked or stopped', () => {
    const { chip, write, run, clock } = build()
    write(abi.LAPIC_TDCR, 0xb)
    write(abi.LAPIC_LVTT, abi.APIC_LVT_TIMER_PERIODIC | 0x40)
    write(abi.LAPIC_TMICT, 200)
    let ticks = 0
    for (let i = 0; i < 10; i++) {
      run(1000)
      if (chip.accept() === 0x40) ticks++
      write(abi.LAPIC_EOI, 0)
    }
    expect(ticks).toBe(10)
    write(abi.LAPIC_LVTT, abi.APIC_LVT_MASKED | abi.APIC_LVT_TIMER_PERIODIC | 0x40)
    expect(clock.pending).toBe(0)
    write(abi.LAPIC_LVTT, abi.APIC_LVT_TIMER_PERIODIC | 0x40)
    expect(clock.pending).toBe(1)
    write(abi.LAPIC_TMICT, 0)
    expect(clock.pending).toBe(0)
  })

  test('a new count replaces the one under way', () => {
    const { chip, write, run } = build()
    write(abi.LAPIC_TDCR, 0xb)
    write(abi.LAPIC_LVTT, 0x40)
    write(abi.LAPIC_TMICT, 200)
    run(500)
    write(abi.LAPIC_TMICT, 200)
    run(600)
    expect(chip.pending()).toBe(false)
    run(400)
    expect(chip.pending()).toBe(true)
  })
})

describe('interrupt command', () => {
  test.each([
    ['to one', 2, 0x0fd, { destination: 2, mode: abi.APIC_DM_FIXED, vector: 0xfd, logical: false }, 0],
    ['logical', 3, 0x8fd, { destination: 3, vector: 0xfd, logical: true }, 0],
    ['to itself', 0, 0x400fd, { vector: 0xfd }, 1],
    ['to all', 0, 0x80400, { mode: abi.APIC_DM_NMI }, 2],
    ['to all others', 0, 0xc4500, { mode: abi.APIC_DM_INIT }, 3],
    ['STARTUP', 1, 0x608, { mode: abi.APIC_DM_STARTUP, vector: 8 }, 0],
  ])('%s', (_name, destination, command, message, shorthand) => {
    const { write, messages } = build()
    write(abi.LAPIC_ICR2, destination << 24)
    write(abi.LAPIC_ICR, command)
    expect(messages).toEqual([[expect.objectContaining(message), shorthand]])
  })

  test.each([
    ['an INIT de-assert', 0x8500],
    ['an illegal vector', 0x005],
  ])('%s sends nothing', (_name, command) => {
    const { write, messages } = build()
    write(abi.LAPIC_ICR, command)
    expect(messages).toEqual([])
  })
})

test.each([
  ['physical id', { destination: 1, logical: false }, true],
  ['another id', { destination: 0, logical: false }, false],
  ['broadcast', { destination: 0xff, logical: false }, true],
  ['flat, bit set', { destination: 0x03, logical: true }, true],
  ['flat, bit clear', { destination: 0x01, logical: true }, false],
])('destination: %s', (_name, destination, matches) => {
  const { chip, write } = build()
  write(abi.LAPIC_LDR, 0x02000000)
  expect(chip.matches({ ...destination, mode: 0, vector: 0x40, level: false })).toBe(matches)
})

test('cluster model compares cluster and member', () => {
  const { chip, write } = build()
  write(abi.LAPIC_DFR, 0)
  write(abi.LAPIC_LDR, 0x21000000)
  const to = (destination: number): boolean =>
    chip.matches({ destination, logical: true, mode: 0, vector: 0x40, level: false })
  expect([to(0x21), to(0x23), to(0x22), to(0x11)]).toEqual([true, true, false, false])
})

test('LINT pins: ExtINT and NMI as their entries say, nothing while disabled', () => {
  const { chip, write } = build({ enabled: false })
  write(abi.LAPIC_LVT0, abi.APIC_DM_EXTINT)
  expect(chip.acceptsExtInt()).toBe(false)
  write(abi.LAPIC_SPIV, abi.LAPIC_SPIV_ENABLED | 0xff)
  expect(chip.acceptsExtInt()).toBe(false)
  write(abi.LAPIC_LVT0, abi.APIC_DM_EXTINT)
  expect(chip.acceptsExtInt()).toBe(true)
  chip.lint1()
  expect(chip.takeNmi()).toBe(false)
  write(abi.LAPIC_LVT1, abi.APIC_DM_NMI)
  chip.lint1()
  expect([chip.nmiPending(), chip.takeNmi(), chip.takeNmi()]).toEqual([true, true, false])
})

test('version, id, reset', () => {
  const { chip, read, write } = build()
  expect(read(abi.LAPIC_VERSION)).toBe(0x50014)
  expect(read(abi.LAPIC_ID)).toBe(0x01000000)
  write(abi.LAPIC_TPR, 0x20)
  chip.init()
  expect([read(abi.LAPIC_TPR), read(abi.LAPIC_SPIV), read(abi.LAPIC_LVT0)]).toEqual([0, 0xff, abi.APIC_LVT_MASKED])
})
