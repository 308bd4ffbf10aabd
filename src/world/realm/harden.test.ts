import { expect, test } from 'vitest'
import { harden } from './harden.ts'

test('a capability is frozen to its functions and what they hold', () => {
  const given = harden({
    mem: { read: () => 1, list: [{ a: 1 }] },
    get port() {
      return 2
    },
  })
  for (const part of [given, given.mem, given.mem.read, given.mem.list, given.mem.list[0]!])
    expect(Object.isFrozen(part)).toBe(true)
  expect(() => {
    Object.assign(given.mem, { read: () => 2 })
  }).toThrow(TypeError)
})

test.each([[new Map()], [new Uint8Array(1)], [new (class A {})()]])('what has inner state is refused', (part) => {
  expect(() => harden({ part })).toThrow('only plain objects')
})
