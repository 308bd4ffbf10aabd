/** What the TLB has is found there; the rest is asked for, in full. */
import { beforeEach, expect, test } from 'vitest'
import { TLB_BYTES, Tlb } from '../tlb.ts'
import { ACCESS_STACK, ACCESS_WRITE, createMiss, missOf } from './miss.ts'

const AT = 4096
const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 })
let asked: number[][] = []
let answer = 0
const miss = createMiss(memory, (...args) => {
  asked.push(args)
  return answer
}) as (tlb: number, address: bigint, what: number) => number
const tlb = new Tlb(memory.buffer, AT)
/** A page of the kernel that may only be read, and one that may be written to. */
const PAGE = 0xffffffff81234000n
const PLACE = AT + TLB_BYTES
const OPEN = 0x7000n

beforeEach(() => {
  asked = []
  answer = 77
  tlb.flush()
  tlb.fill(Number(PAGE & 0xffffffffn) | 0, -1, PLACE, false, false)
  tlb.fill(Number(OPEN), 0, PLACE + 4096, true, false)
})

test.each([
  [PAGE + 8n, missOf(8, false, false), PLACE + 8],
  [PAGE + 0xff8n, missOf(8, false, true), PLACE + 0xff8],
  [OPEN + 0xfffn, missOf(1, true, false), PLACE + 4096 + 0xfff],
  [OPEN, missOf(16, false, false), PLACE + 4096],
])('%d is in the TLB', (address, what, found) => {
  expect(miss(AT, address, what)).toBe(found)
  expect(asked).toEqual([])
})

test.each([
  ['of another page', PAGE + 0x1000n, missOf(4, false, false), 4],
  ['to what is only read', PAGE, missOf(4, true, false), 4 | ACCESS_WRITE],
  ['across two pages', OPEN + 0xffdn, missOf(4, false, true), 4 | ACCESS_STACK],
  ['of an area', OPEN + 0xffdn, missOf(512, true, true), 512 | ACCESS_WRITE | ACCESS_STACK],
  ['of an address that is no page', -1n, missOf(1, false, false), 1],
])('an access %s is asked for', (_, address, what, bytes) => {
  expect(miss(AT, address, what)).toBe(77)
  const [low, high] = [address, address >> 32n].map((half) => Number(BigInt.asIntN(32, half)))
  expect(asked).toEqual([[low, high, bytes]])
})

test('whoever has been refused gets 0', () => {
  answer = -1
  expect(miss(AT, 0n, missOf(4, false, false))).toBe(0)
})
