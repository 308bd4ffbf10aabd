/** What is found again, and what is not. */
import { describe, expect, test } from 'vitest'
import { FlatCpu } from '../flat-cpu.ts'
import { setRip } from '../state-access.ts'
import { InsnCache } from './insn-cache.ts'

const CODE = 0x10000
const PAGES = 16

function machine(): { cpu: FlatCpu; cache: InsnCache; code: Uint8Array } {
  const cpu = new FlatCpu([{ address: BigInt(CODE), bytes: PAGES * 4096 }])
  return { cpu, cache: new InsnCache(cpu), code: cpu.bytesAt(BigInt(CODE), PAGES * 4096) }
}

const mnemonicAt = ({ cpu, cache }: ReturnType<typeof machine>, offset: number): string | undefined => {
  setRip(cpu, BigInt(CODE + offset))
  return cache.next()?.row.mnemonic
}

test('an instruction is decoded once while its bytes stay the same', () => {
  const it = machine()
  // movabs $0x807060504030201,%rax: every byte counts, as far as the last one.
  it.code.set([0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0x90])
  setRip(it.cpu, BigInt(CODE))
  const first = it.cache.next()
  it.code[10] = 0xcc
  expect(it.cache.next()).toBe(first)
  for (const n of [2, 5, 9]) {
    it.code[n]! ^= 0xff
    expect(it.cache.next()).not.toBe(first)
    it.code[n]! ^= 0xff
  }
  expect(it.cache.next()).toEqual(first)
})

test('what follows is known once it has come after the same before, and only where it lies behind it', () => {
  const it = machine()
  it.code.set([0x90, 0x50, 0x90]) // nop; push %rax; nop
  expect([mnemonicAt(it, 0), it.cache.following()]).toEqual(['nop', undefined])
  mnemonicAt(it, 1)
  expect([mnemonicAt(it, 0), it.cache.following()?.row.mnemonic, it.cache.low]).toEqual(['nop', 'push', CODE + 1])
  mnemonicAt(it, 0)
  it.code[1] = 0x90
  expect(it.cache.following()).toBeUndefined()
})

describe('who asks for what has been interpreted', () => {
  const known = ({ cpu, cache }: ReturnType<typeof machine>, offset: number, low = CODE + offset): boolean =>
    cache.known(cpu.fetch(CODE + offset, 0), low, 0, 64) !== undefined

  test('is told of this address, mode and bytes alone', () => {
    const it = machine()
    it.code.fill(0x90)
    mnemonicAt(it, 8)
    expect([known(it, 8), known(it, 9), known(it, 8, CODE + 9)]).toEqual([true, false, false])
    it.code[8] = 0xcc
    expect(known(it, 8)).toBe(false)
  })

  test('is told of all of a large program, and of the second one at a place', () => {
    const it = machine()
    it.code.fill(0x90)
    for (let at = 0; at < it.code.length; at++) mnemonicAt(it, at)
    it.code.fill(0x50, 0, 4096)
    for (let at = 0; at < 4096; at++) mnemonicAt(it, at)
    // The last ones of all memory have not as many bytes behind them as are compared.
    for (let at = 0; at < it.code.length - 16; at++) if (!known(it, at)) throw new Error(`${at} is not known`)
  })
})
