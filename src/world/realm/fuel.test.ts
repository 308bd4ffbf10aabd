import { describe, expect, test } from 'vitest'
import { createFuel, FuelExhausted } from './fuel.ts'

const burn = (fuel: ReturnType<typeof createFuel>, units: number): void => {
  for (let i = 0; i < units; i++) if (--fuel.cell[0]! < 0) fuel.trap()
}

describe('within', () => {
  test('what is used inside counts as used, also while it runs and while it nests', () => {
    const fuel = createFuel()
    fuel.refill(1000)
    burn(fuel, 10)
    const seen: number[] = []
    fuel.within(300, 100, () => {
      seen.push(fuel.used())
      burn(fuel, 20)
      fuel.within(50, 10, () => {
        burn(fuel, 5)
        seen.push(fuel.used())
      })
      seen.push(fuel.used())
    })
    seen.push(fuel.used())
    expect(seen).toEqual([10, 35, 35, 35])
    expect(fuel.cell[0]).toBe(965)
  })

  test('the caller keeps what it needs, however much is asked for', () => {
    const fuel = createFuel()
    fuel.refill(100)
    expect(fuel.within(1000, 60, () => fuel.cell[0])).toBe(40)
    expect(fuel.within(1000, 160, () => fuel.cell[0])).toBe(0)
  })

  test('who runs dry ends alone, and pays for it', () => {
    const fuel = createFuel()
    fuel.refill(1000)
    expect(() => fuel.within(100, 0, () => burn(fuel, 101))).toThrow(FuelExhausted)
    fuel.forgive()
    expect(fuel.exhausted()).toBe(false)
    expect(fuel.used()).toBe(100)
    expect(fuel.within(100, 0, () => burn(fuel, 100))).toBeUndefined()
    expect(fuel.used()).toBe(200)
  })

  test.each([
    ['no slice', 0, [0, 0]],
    ['a slice', 30, [70, 0]],
    ['a slice longer than what is granted', 300, [0, 0]],
  ])('%s: the mark that generators compare with, inside and afterwards', (_name, slice, marks) => {
    const fuel = createFuel()
    fuel.refill(1000)
    const inside = fuel.within(100, 0, () => fuel.cell[1], slice)
    expect([inside, fuel.cell[1]]).toEqual(marks)
  })

  test('a drain inside leaves nothing to anybody', () => {
    const fuel = createFuel()
    fuel.refill(1000)
    expect(() =>
      fuel.within(500, 0, () => {
        burn(fuel, 7)
        fuel.drain()
      }),
    ).toThrow(FuelExhausted)
    expect(fuel.exhausted()).toBe(true)
    expect(fuel.used()).toBe(7)
  })
})

describe('outside', () => {
  test('whoever serves a caller with nothing left still ends what he began; the caller pays', () => {
    const fuel = createFuel()
    fuel.refill(1000)
    const seen: number[] = []
    expect(() =>
      fuel.within(100, 0, () => {
        burn(fuel, 95)
        fuel.outside(500, () => {
          burn(fuel, 40)
          seen.push(fuel.used())
        })
        seen.push(fuel.cell[0]!)
        burn(fuel, 1)
      }),
    ).toThrow(FuelExhausted)
    expect(seen).toEqual([135, -1])
    fuel.forgive()
    expect(fuel.exhausted()).toBe(false)
  })

  test('what it uses is taken from the caller', () => {
    const fuel = createFuel()
    fuel.refill(1000)
    fuel.within(500, 0, () => fuel.outside(100, () => burn(fuel, 30)))
    expect(fuel.used()).toBe(30)
  })

  test('it is not for who has run dry already', () => {
    const fuel = createFuel()
    fuel.refill(10)
    expect(() => burn(fuel, 11)).toThrow(FuelExhausted)
    expect(() => fuel.outside(100, () => 1)).toThrow(FuelExhausted)
  })
})
