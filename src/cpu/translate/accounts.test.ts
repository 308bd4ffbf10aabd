/** Whatever way a region is gone through, and wherever its budget ends: what is gone of it is what has been executed. */
import { expect, test } from 'vitest'
import { RAX } from '../isa/insn.ts'
import type { Emitter } from '../semantics/emitter.ts'
import { S_BYTES, S_GPR, S_RIP } from '../state.ts'
import { Bytes } from '../wasm/bytes.ts'
import { instantiate } from '../wasm/engine.ts'
import { ModuleBuilder } from '../wasm/module.ts'
import { I32, I64 } from '../wasm/opcodes.ts'
import { MISS_SIGNATURE } from './miss.ts'
import type { Node } from './node.ts'
import { buildRegion, type Region } from './region.ts'
import { writeRegion } from './region-writer.ts'
import { FIRST_SLOT, REGION_SIGNATURE } from './state-writer.ts'
import { structureOf } from './structure.ts'

const START = 0x1000n
const memory = new WebAssembly.Memory({ initial: Math.ceil(S_BYTES / 65536), maximum: 8 })
const view = new DataView(memory.buffer)

/** Counts in RAX; then goes there if its bits under the mask are zeros. */
interface Step {
  readonly to?: number
  readonly mask?: number
}
/** Each of a byte. */
function regionOf(steps: readonly Step[]): Region {
  const run =
    ({ to, mask = 0 }: Step) =>
    (e: Emitter<Node>): void => {
      e.setReg(8, RAX, e.add(8, e.reg(8, RAX), e.imm(8, 1)))
      if (to === undefined) return
      const target = START + BigInt(to)
      if (mask === 0) e.jump(e.imm(8, target))
      else e.branch(e.eq(8, e.and(8, e.reg(8, RAX), e.imm(8, mask)), e.imm(8, 0)), target)
    }
  const fetch = (rip: bigint) => {
    const step = steps[Number(rip - START)]
    if (!step) return undefined
    const target = step.to === undefined ? undefined : START + BigInt(step.to)
    const ends = step.to !== undefined && !step.mask
    return { length: 1, run: run(step), target, ends, calls: false, returns: false, indirect: false }
  }
  return buildRegion(START, fetch, FIRST_SLOT)!
}

function functionOf(region: Region): (base: number, budget: number) => number {
  const module = new ModuleBuilder()
  const imports = {
    miss: module.importFunction('miss', MISS_SIGNATURE),
    flags: module.importFunction('flags', [[I32, I64, I64], [I32]]),
    helper: () => -1,
  }
  const { locals, code } = writeRegion(region, imports, new Bytes())
  module.exportFunction('r', module.add(REGION_SIGNATURE, locals, code))
  const { exports } = instantiate(module.finish(), memory, { miss: () => 0, flags: () => 0 })
  return exports['r'] as (base: number, budget: number) => number
}

/** Ways that part and meet, two loops, one within the other, and ways out near and far. */
const STEPS: readonly Step[] = [
  {},
  { to: 4, mask: 1 },
  {},
  { to: 5 },
  {},
  {},
  { to: 4, mask: 6 },
  { to: 9, mask: 8 },
  {},
  { to: 0, mask: 16 },
  { to: 2 ** 24, mask: 32 },
  { to: 1, mask: 64 },
  { to: -40 },
]

test('nothing is counted twice, and nothing is not', () => {
  const run = functionOf(regionOf(STEPS))
  const ends = new Set<bigint>()
  for (let first = 0; first < 128; first++)
    for (let budget = 0; budget < 90; budget++) {
      view.setBigUint64(S_GPR, BigInt(first), true)
      view.setBigUint64(S_RIP, START, true)
      const result = run(0, budget)
      const executed = Number(view.getBigUint64(S_GPR, true)) - first
      expect([first, budget, executed + (result < 0 ? ~result : result)]).toEqual([first, budget, budget])
      if (result >= 0) ends.add(view.getBigUint64(S_RIP, true) - START)
    }
  // The last one begins a loop that has two ways into it.
  expect([...ends].sort()).toEqual([-40n, 2n ** 24n, 4n])
})

test('long ways are looked at in their middle, and none is too long for the interpreter', () => {
  const long = Array.from({ length: 300 }, (_, n): Step => (n % 10 === 9 ? { to: n + 3, mask: 1 } : {}))
  const region = regionOf(long)
  const { placed } = structureOf(region)
  for (const { longest, block } of placed) {
    expect(longest).toBeGreaterThanOrEqual(block.count)
    expect(longest).toBeLessThanOrEqual(128)
  }
  const run = functionOf(region)
  for (const budget of [0, 100, 200, 299, 300, 301]) {
    view.setBigUint64(S_GPR, 0n, true)
    const result = run(0, budget)
    const left = result < 0 ? ~result : result
    expect(Number(view.getBigUint64(S_GPR, true)) + left).toBe(budget)
    expect(result < 0 ? left : 0).toBeLessThan(128)
  }
})
