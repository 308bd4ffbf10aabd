import { describe, expect, test } from 'vitest'
import * as abi from '#abi/pc/apic.ts'
import type { ApicMessage } from '../lapic/lapic.ts'
import { ioapic } from './ioapic.ts'

function build() {
  const sent: ApicMessage[] = []
  const chip = ioapic({ send: (message) => sent.push(message), masksChanged: () => {} })
  const write = (register: number, value: number): void => {
    chip.write(abi.IOAPIC_IOREGSEL, 4, register)
    chip.write(abi.IOAPIC_IOWIN, 4, value)
  }
  const read = (register: number): number => {
    chip.write(abi.IOAPIC_IOREGSEL, 4, register)
    return chip.read(abi.IOAPIC_IOWIN, 4)
  }
  const route = (pin: number, low: number, high = 0): void => {
    write(abi.IOAPIC_REG_REDTBL + 2 * pin + 1, high)
    write(abi.IOAPIC_REG_REDTBL + 2 * pin, low)
  }
  return { chip, sent, write, read, route }
}

describe('edge', () => {
  test('one message for each rise', () => {
    const { chip, sent, route } = build()
    route(4, 0x41 | abi.IOAPIC_RTE_LOGICAL, 0x03000000)
    for (const active of [true, true, false, true]) chip.setPin(4, active)
    expect(sent).toEqual(
      [1, 2].map(() => ({ destination: 3, logical: true, mode: abi.APIC_DM_FIXED, vector: 0x41, level: false })),
    )
  })

  test('what comes while masked is lost', () => {
    const { chip, sent, route } = build()
    route(4, 0x41 | abi.IOAPIC_RTE_MASKED)
    chip.setPin(4, true)
    route(4, 0x41)
    expect(sent).toEqual([])
    expect(chip.unmasked(4)).toBe(true)
  })
})

describe('level', () => {
  test('again after the end of interrupt as long as the pin is active', () => {
    const { chip, sent, route, read } = build()
    route(9, 0x51 | abi.IOAPIC_RTE_LEVEL)
    chip.setPin(9, true)
    chip.setPin(9, true)
    expect(sent.length).toBe(1)
    expect(sent[0]).toMatchObject({ level: true })
    expect(read(abi.IOAPIC_REG_REDTBL + 18) & abi.IOAPIC_RTE_REMOTE_IRR).not.toBe(0)
    chip.endOfInterrupt(0x52)
    expect(sent.length).toBe(1)
    chip.endOfInterrupt(0x51)
    expect(sent.length).toBe(2)
    chip.setPin(9, false)
    chip.write(abi.IOAPIC_EOI, 4, 0x51)
    expect(sent.length).toBe(2)
    expect(read(abi.IOAPIC_REG_REDTBL + 18) & abi.IOAPIC_RTE_REMOTE_IRR).toBe(0)
  })

  test('an active pin asks when it is unmasked', () => {
    const { chip, sent, route } = build()
    route(9, 0x51 | abi.IOAPIC_RTE_LEVEL | abi.IOAPIC_RTE_MASKED)
    chip.setPin(9, true)
    expect(sent).toEqual([])
    route(9, 0x51 | abi.IOAPIC_RTE_LEVEL)
    expect(sent.length).toBe(1)
  })

  test('turning an entry to edge clears its remote IRR, as systems do to get rid of one', () => {
    const { chip, sent, route } = build()
    route(9, 0x51 | abi.IOAPIC_RTE_LEVEL)
    chip.setPin(9, true)
    route(9, 0x51 | abi.IOAPIC_RTE_MASKED)
    route(9, 0x51 | abi.IOAPIC_RTE_LEVEL)
    expect(sent.length).toBe(2)
  })
})

test('identity, masked after reset, registers that are not there', () => {
  const { chip, read, write, route } = build()
  expect(read(abi.IOAPIC_REG_VERSION)).toBe(0x00170020)
  write(abi.IOAPIC_REG_ID, 0x02000000)
  expect(read(abi.IOAPIC_REG_ID)).toBe(0x02000000)
  route(23, 0x30, 0xff000000)
  expect([read(0x10 + 46), read(0x10 + 47)]).toEqual([0x30, 0xff000000])
  expect(read(0x10 + 48)).toBe(0xffffffff)
  chip.reset()
  expect(read(0x10 + 46)).toBe(abi.IOAPIC_RTE_MASKED)
})
