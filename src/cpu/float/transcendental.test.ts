/** Known values of 64 bits: the expected ones were computed with 120 decimal digits elsewhere. */
import { describe, expect, test } from 'vitest'
import { ALL_EXCEPTIONS, DOWN, Environment, NEAREST, UP } from './environment.ts'
import { F80 } from './format.ts'
import { round } from './round.ts'
import {
  angle,
  arctangent,
  eighths,
  logarithm,
  logarithmOfOnePlus,
  powerMinusOne,
  type Real,
} from './transcendental.ts'

const of = (value: bigint, exponent = 0): Real => ({
  sign: value < 0n ? 1 : 0,
  significand: value < 0n ? -value : value,
  exponent,
})
const bits = ({ sign, significand, exponent }: Real, rounding = NEAREST): string => {
  const env = new Environment('x87', rounding, ALL_EXCEPTIONS)
  return round(env, F80, sign, significand, exponent, true).toString(16)
}

/** Of the argument reduced by pi as it is in the processor, of 66 bits. */
describe('angles', () => {
  test.each([
    [of(1n), '3ffed76aa47848677021', '3ffe8a51407da8345c92', '3fffc75922e5f71d2dc5'],
    [of(10n), 'bffe8b44f7af9a7a92cf', 'bffed6cd64486358f905', '3ffea5faf9a5f1bc12f0'],
    [of(-100000n), 'bffa926d54e293f41d72', 'bffeffd61c20d9ed3a05', '3ffa92854ea819894fdf'],
    [of(1n, -10), '3ff4fffffd5555577777', '3ffefffff800000aaaab', '3ff5800002aaaabbbbbc'],
  ])('%o', (argument, sine, cosine, tangent) => {
    const found = angle(argument)
    expect([bits(found.sine), bits(found.cosine), bits(found.tangent)]).toEqual([sine, cosine, tangent])
  })

  test('of the largest argument', () => expect(bits(angle(of(1n, 62)).sine)).toBe('bffeb506a9dd559cf157'))

  test('of almost nothing they are a little less, and a little more', () => {
    const { sine, tangent, cosine } = angle(of(1n, -1000))
    expect([bits(sine), bits(sine, DOWN)]).toEqual(['3c178000000000000000', '3c16ffffffffffffffff'])
    expect([bits(tangent), bits(tangent, UP)]).toEqual(['3c178000000000000000', '3c178000000000000001'])
    expect([bits(cosine), bits(cosine, DOWN)]).toEqual(['3fff8000000000000000', '3ffeffffffffffffffff'])
  })
})

test.each([
  [of(1n), of(2n), '3ffded63382b0dda7b45'],
  [of(2n), of(1n), '3fff8db70c975df22363'],
  [of(1n), of(-2n), '4000ab63739cbfad72cc'],
  [of(-3n), of(4n), 'bffea4bc7d1934f70924'],
  [of(1n, -2000), of(1n, 2000), '305f8000000000000000'],
])('the angle of y %o and x %o', (y, x, expected) => expect(bits(arctangent(y, x))).toBe(expected))

test('multiples of a quarter of pi', () => {
  expect([bits(eighths(4, 0)), bits(eighths(3, 1))]).toEqual(['4000c90fdaa22168c235', 'c00096cbe3f9990e91a8'])
})

test.each([
  [of(1n, -1), '3ffdd413cccfe7799211'],
  [of(-1n, -1), 'bffd95f619980c4336f7'],
  [of(1n, -70), '3fb8b17217f7d1cf79ac'],
  [of(1n, -16000), '17eb17217f7d1cf79ac'],
])('2 to the %o, minus one', (argument, expected) => expect(bits(powerMinusOne(argument))).toBe(expected))

describe('logarithms', () => {
  test.each([
    [of(10n), '4000d49a784bcd1b8afe'],
    [of(3n, -2), 'bffdd47fcb8c0852f0c1'],
    [of(3n, 1000), '4008fa6570068e7ef5a2'],
  ])('of %o', (argument, expected) => {
    const { value, exact } = logarithm(argument)
    expect([bits(value), exact]).toEqual([expected, false])
  })

  test.each([
    [of(1n, 7), 7n, 0],
    [of(4n, -20), 18n, 1],
    [of(8n, -3), 0n, 0],
  ])('of the power of two %o are exact', (argument, magnitude, sign) => {
    expect(logarithm(argument)).toEqual({ value: { sign, significand: magnitude, exponent: 0 }, exact: true })
  })

  test.each([
    [of(1n, -40), '3fd7b8aa3b295bbb9b9e'],
    [of(-1n, -2), 'bffdd47fcb8c0852f0c1'],
    [of(9n), '4000d49a784bcd1b8afe'],
    [of(1n, -16000), '17fb8aa3b295c17f0bc'],
  ])('of one and %o', (argument, expected) => expect(bits(logarithmOfOnePlus(argument).value)).toBe(expected))
})
