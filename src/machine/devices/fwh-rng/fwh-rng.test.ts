import { describe, expect, test } from 'vitest'
import { FWH_RNG_DATA, FWH_RNG_HARDWARE_STATUS, FWH_RNG_PRESENT, FWH_RNG_STATUS } from '#abi/pc/fwh-rng.ts'
import { EventQueue } from '../../events.ts'
import { fwhRng } from './fwh-rng.ts'

function generator(seed: number) {
  const clock = new EventQueue()
  const chip = fwhRng({ clock, seed })
  const draw = (count: number): number[] => {
    chip.write(FWH_RNG_HARDWARE_STATUS, 1, 1)
    return Array.from({ length: count }, () => {
      while ((chip.read(FWH_RNG_STATUS, 1) & 1) === 0) clock.advance(clock.now() + 100_000)
      return chip.read(FWH_RNG_DATA, 1)
    })
  }
  return { clock, chip, draw }
}

describe('the firmware hub random number generator', () => {
  test('is present, and off until it is turned on', () => {
    const { clock, chip } = generator(1)
    expect(chip.read(FWH_RNG_HARDWARE_STATUS, 1)).toBe(FWH_RNG_PRESENT)
    clock.advance(1e9)
    expect(chip.read(FWH_RNG_STATUS, 1)).toBe(0)
    expect(chip.read(FWH_RNG_DATA, 1)).toBe(0)
    expect(chip.state.taken).toBe(0)
  })

  test('takes its time for each byte', () => {
    const { clock, chip } = generator(1)
    chip.write(FWH_RNG_HARDWARE_STATUS, 1, 1)
    expect(chip.read(FWH_RNG_STATUS, 1)).toBe(0)
    clock.advance(400_000)
    expect(chip.read(FWH_RNG_STATUS, 1)).toBe(1)
    chip.read(FWH_RNG_DATA, 1)
    expect(chip.read(FWH_RNG_STATUS, 1)).toBe(0)
  })

  test('gives the same bytes for the same seed, and others for another', () => {
    const bytes = generator(7).draw(32)
    expect(generator(7).draw(32)).toEqual(bytes)
    expect(generator(8).draw(32)).not.toEqual(bytes)
    expect(new Set(bytes).size).toBeGreaterThan(16)
  })

  test('goes on where it was after a reset', () => {
    const { chip, draw } = generator(7)
    const first = draw(4)
    chip.reset()
    expect(chip.read(FWH_RNG_HARDWARE_STATUS, 1)).toBe(FWH_RNG_PRESENT)
    expect([...first, ...draw(4)]).toEqual(generator(7).draw(8))
  })
})
