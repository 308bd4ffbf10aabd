import { describe, expect, test } from 'vitest'
import { lab } from '../lab.ts'
import { i8259pair } from './i8259.ts'

function build({ masks = [0, 0], icw4 = 1 } = {}) {
  const int = lab().line()
  let changes = 0
  const chip = i8259pair({ int, masksChanged: () => changes++ })
  for (const pic of [0, 1] as const) {
    chip.write(pic, 0, 0x11)
    chip.write(pic, 1, pic === 0 ? 0x20 : 0x28)
    chip.write(pic, 1, pic === 0 ? 4 : 2)
    chip.write(pic, 1, icw4)
    chip.write(pic, 1, masks[pic]!)
  }
  const pulse = (irq: number): void => {
    chip.setIrq(irq, true)
    chip.setIrq(irq, false)
  }
  return { chip, int, pulse, changes: () => changes }
}

describe('priorities', () => {
  test('the lower number first, and nothing below what is in service', () => {
    const { chip, int } = build()
    for (const irq of [4, 3, 6]) chip.setIrq(irq, true)
    expect(chip.acknowledge()).toBe(0x23)
    expect(int.high()).toBe(false)
    chip.setIrq(1, true)
    expect(chip.acknowledge()).toBe(0x21)
    chip.write(0, 0, 0x20)
    expect(int.high()).toBe(false)
    chip.write(0, 0, 0x20)
    expect(chip.acknowledge()).toBe(0x24)
  })

  test('the second controller comes in at the cascade: above 3, below 1', () => {
    const { chip } = build()
    for (const irq of [3, 14, 8]) chip.setIrq(irq, true)
    expect(chip.acknowledge()).toBe(0x28)
    chip.write(1, 0, 0x20)
    chip.write(0, 0, 0x20)
    expect(chip.acknowledge()).toBe(0x2e)
    chip.write(1, 0, 0x20)
    chip.write(0, 0, 0x20)
    expect(chip.acknowledge()).toBe(0x23)
  })

  test('rotation on end of interrupt', () => {
    const { chip } = build()
    chip.setIrq(3, true)
    chip.acknowledge()
    chip.write(0, 0, 0xa0)
    for (const irq of [3, 4]) {
      chip.setIrq(irq, false)
      chip.setIrq(irq, true)
    }
    expect(chip.acknowledge()).toBe(0x24)
  })

  test('specific end of interrupt and special mask', () => {
    const { chip, int } = build()
    chip.setIrq(1, true)
    chip.acknowledge()
    chip.setIrq(5, true)
    expect(int.high()).toBe(false)
    chip.write(0, 1, 0x02)
    chip.write(0, 0, 0x68)
    expect(chip.acknowledge()).toBe(0x25)
    chip.write(0, 0, 0x65)
    chip.write(0, 0, 0x61)
    chip.write(0, 0, 0x0b)
    expect(chip.read(0, 0)).toBe(0)
  })
})

describe('triggers', () => {
  test('an edge is one interrupt, however long the line stays up', () => {
    const { chip, int } = build()
    chip.setIrq(4, true)
    chip.acknowledge()
    chip.write(0, 0, 0x20)
    expect(int.high()).toBe(false)
  })

  test('a level is one as long as it stays', () => {
    const { chip, int } = build()
    chip.writeElcr(1, 0xff)
    expect(chip.readElcr(1)).toBe(0xde)
    chip.setIrq(9, true)
    expect(chip.acknowledge()).toBe(0x29)
    chip.write(1, 0, 0x20)
    chip.write(0, 0, 0x20)
    expect(int.high()).toBe(true)
    chip.setIrq(9, false)
    expect(int.high()).toBe(false)
  })

  test.each([
    ['the first controller', 4, 0x27],
    ['the second controller', 12, 0x27],
  ])('a request of %s that goes away becomes spurious', (_name, irq, vector) => {
    const { chip, pulse } = build()
    pulse(irq)
    expect(chip.acknowledge()).toBe(vector)
    chip.write(0, 0, 0x0b)
    expect(chip.read(0, 0)).toBe(0)
  })

  test('masked: remembered in the IRR, delivered when unmasked', () => {
    const { chip, int } = build({ masks: [0xff, 0xff] })
    chip.setIrq(4, true)
    expect(int.high()).toBe(false)
    expect(chip.read(0, 0)).toBe(0x10)
    chip.write(0, 1, 0xef)
    expect(int.high()).toBe(true)
    expect([chip.unmasked(4), chip.unmasked(3), chip.unmasked(12)]).toEqual([true, false, false])
  })
})

test('automatic end of interrupt', () => {
  const { chip, int } = build({ icw4: 3 })
  chip.setIrq(3, true)
  chip.acknowledge()
  chip.setIrq(6, true)
  expect(int.high()).toBe(true)
  chip.write(0, 0, 0x0b)
  expect(chip.read(0, 0)).toBe(0)
})

test('poll mode acknowledges by reading', () => {
  const { chip, int } = build()
  chip.setIrq(5, true)
  chip.write(0, 0, 0x0c)
  expect(chip.read(0, 0)).toBe(0x85)
  expect(int.high()).toBe(false)
  chip.write(0, 0, 0x0c)
  expect(chip.read(0, 0)).toBe(0)
})

test('a controller that has not been initialized passes nothing on', () => {
  const int = lab().line()
  const chip = i8259pair({ int, masksChanged: () => {} })
  chip.setIrq(1, true)
  expect(int.high()).toBe(false)
  expect(chip.unmasked(1)).toBe(false)
})
