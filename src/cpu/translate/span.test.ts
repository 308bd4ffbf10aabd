/** Which accesses of a block are looked for together, and what they find where the TLB is not as it was thought to be. */
import { beforeEach, describe, expect, test } from 'vitest'
import { RAX, RBX, RCX, RDX } from '../isa/insn.ts'
import type { Emitter } from '../semantics/emitter.ts'
import { S_BYTES, S_GPR, S_RIP, S_TLB, S_TLB_AT } from '../state.ts'
import { Tlb } from '../tlb.ts'
import { Bytes } from '../wasm/bytes.ts'
import { instantiate } from '../wasm/engine.ts'
import { ModuleBuilder } from '../wasm/module.ts'
import { I32, I64, Op } from '../wasm/opcodes.ts'
import { createMiss, MISS_SIGNATURE } from './miss.ts'
import { type Node, Nodes } from './node.ts'
import { buildRegion } from './region.ts'
import { writeRegion } from './region-writer.ts'
import { Spans } from './span.ts'
import { FIRST_SLOT, REGION_SIGNATURE } from './state-writer.ts'

describe('accesses belong together', () => {
  const nodes = new Nodes()
  const base = nodes.pinned(I64)
  const at = (distance: bigint): Node => nodes.binary(Op.i64_add, base, nodes.constant64(distance))

  test('at constant distances from the same value', () => {
    const spans = new Spans(nodes)
    const first = spans.place(base, 8, false, true)!
    expect(first.opens).toBe(true)
    expect(first.span.isShared).toBe(false)
    expect(spans.place(at(-24n), 4, false, false)).toEqual({ span: first.span, distance: -24, opens: false })
    expect([first.span.low, first.span.high, first.span.isShared]).toEqual([-24, 8, true])
    expect(spans.place(nodes.pinned(I64), 8, false, false)).toBeUndefined()
  })
  test('not too far from each other', () => {
    const spans = new Spans(nodes)
    const { span } = spans.place(base, 8, false, true)!
    expect(spans.place(at(249n), 8, false, true)!.opens).toBe(true)
    expect(spans.place(at(248n), 8, false, true)!.span).not.toBe(span)
    expect(spans.place(at(-200n), 8, false, true)!.span).toBe(span)
  })
  test('reads with writes, but not writes with reads', () => {
    const spans = new Spans(nodes)
    const { span } = spans.place(base, 8, false, true)!
    const written = spans.place(at(8n), 8, true, true)!
    expect([written.opens, written.span === span]).toEqual([true, false])
    expect(spans.place(at(16n), 8, false, true)!.span).toBe(written.span)
  })
  test('only until the TLB may have changed', () => {
    const spans = new Spans(nodes)
    spans.place(base, 8, false, true)
    spans.close()
    expect(spans.place(base, 8, false, false)).toBeUndefined()
  })
})

const START = 0x1000n
/** Two pages whose entries are neighbours, and one that takes the first one's. */
const FIRST = 0x10000n
const SECOND = 0x11000n
const OTHER = FIRST + 0x400000n
const PLACES: Readonly<Record<string, number>> = { 16: 65536 * 6, 17: 65536 * 6 + 8192, [16 + 1024]: 65536 * 6 + 4096 }

const memory = new WebAssembly.Memory({ initial: Math.ceil(S_BYTES / 65536) + 4, maximum: 12 })
const view = new DataView(memory.buffer)
let tlb = new Tlb(memory.buffer, S_TLB)
let asked: number[] = []
const miss = createMiss(memory, (low, _high, what) => {
  asked.push(low)
  const place = PLACES[low >>> 12]
  if (place === undefined || (low & 4095) + (what & 0xffff) > 4096) return -1
  tlb.fill(low, 0, place, true, false)
  return place + (low & 4095)
})

/** The registers behind these instructions, of a byte each. */
function run(
  instructions: readonly ((e: Emitter<Node>) => void)[],
  registers: readonly (readonly [number, bigint])[],
): bigint[] {
  const fetch = (rip: bigint) => {
    const run = instructions[Number(rip - START)]
    return run && { length: 1, run, target: undefined, ends: false, calls: false, returns: false, indirect: false }
  }
  const module = new ModuleBuilder()
  const imports = {
    miss: module.importFunction('miss', MISS_SIGNATURE),
    flags: module.importFunction('flags', [[I32, I64, I64], [I32]]),
    helper: () => -1,
  }
  const { locals, code } = writeRegion(buildRegion(START, fetch, FIRST_SLOT)!, imports, new Bytes())
  module.exportFunction('r', module.add(REGION_SIGNATURE, locals, code))
  const { exports } = instantiate(module.finish(), memory, { miss, flags: () => 0 })
  for (const [n, value] of registers) view.setBigUint64(S_GPR + 8 * n, value, true)
  ;(exports['r'] as (base: number, budget: number) => number)(0, 1000)
  return [RAX, RCX, RDX].map((n) => view.getBigUint64(S_GPR + 8 * n, true))
}

describe('what lies together', () => {
  beforeEach(() => {
    new Uint8Array(memory.buffer).fill(0)
    tlb = new Tlb(memory.buffer, S_TLB)
    view.setUint32(S_TLB_AT, S_TLB, true)
    asked = []
    for (const place of Object.values(PLACES))
      for (let n = 0; n < 4096; n += 8) view.setBigUint64(place + n, BigInt(place + n), true)
  })
  const place = (address: bigint): bigint => BigInt(PLACES[Number(address >> 12n)]! + Number(address & 4095n))
  const load =
    (to: number, distance: bigint, base = RBX) =>
    (e: Emitter<Node>): void =>
      e.setReg(8, to, e.load(8, e.add(8, e.reg(8, base), e.imm(8, distance))))

  test.each([[FIRST + 64n], [SECOND - 8n], [SECOND - 16n], [SECOND]])('is read, be it on two pages (%d)', (base) => {
    const loads = [load(RAX, 8n), load(RCX, 0n), load(RDX, -8n)]
    const expected = [8n, 0n, -8n].map((distance) => place(base + distance))
    expect(run(loads, [[RBX, base]])).toEqual(expected)
    asked = []
    expect(run(loads, [[RBX, base]])).toEqual(expected)
    expect(asked).toEqual([])
  })

  test('is asked for again when another page has taken its place', () => {
    tlb.fill(Number(FIRST), 0, PLACES[16]!, true, false)
    const loads = [load(RAX, 0n), load(RCX, 0n, RCX), load(RDX, 8n)]
    expect(
      run(loads, [
        [RBX, FIRST],
        [RCX, OTHER],
      ]),
    ).toEqual([place(FIRST), place(OTHER), place(FIRST + 8n)])
    expect(asked).toEqual([Number(OTHER), Number(FIRST) + 8])
  })

  test('faults where it is, with all that came before', () => {
    const store = (e: Emitter<Node>): void => e.store(8, e.add(8, e.reg(8, RBX), e.imm(8, 8)), e.imm(8, 5))
    const twice = (e: Emitter<Node>): void => e.store(8, e.reg(8, RBX), e.imm(8, 6))
    run([twice, store], [[RBX, FIRST + 0x1ff8n]])
    expect(view.getBigUint64(PLACES[17]! + 0xff8, true)).toBe(6n)
    expect(view.getBigUint64(S_RIP, true)).toBe(START + 1n)
  })
})
