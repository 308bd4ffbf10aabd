/** Regions of instructions that no processor has: what is kept where when arms of an `if` change registers, flags and variables, and what helpers see. */
import { describe, expect, test } from 'vitest'
import type { Cpu } from '../cpu.ts'
import { GP } from '../fault.ts'
import { RAX, RBX, RCX, RDX } from '../isa/insn.ts'
import type { Emitter, HelperBody } from '../semantics/emitter.ts'
import { helper } from '../semantics/helper.ts'
import {
  CcOp,
  CF,
  Exit,
  S_BYTES,
  S_CC_OP,
  S_EXIT,
  S_EXIT_VECTOR,
  S_GPR,
  S_LEAVE,
  S_RIP,
  S_TLB,
  S_TLB_AT,
  ZF,
} from '../state.ts'
import { TLB_BYTES } from '../tlb.ts'
import { Bytes } from '../wasm/bytes.ts'
import { instantiate } from '../wasm/engine.ts'
import { ModuleBuilder } from '../wasm/module.ts'
import { I32, I64 } from '../wasm/opcodes.ts'
import { MISS_SIGNATURE } from './miss.ts'
import type { Node } from './node.ts'
import { buildRegion } from './region.ts'
import { writeRegion } from './region-writer.ts'
import { createRuntime } from './runtime.ts'
import { FIRST_SLOT, REGION_SIGNATURE } from './state-writer.ts'
import { LEAVE_EXIT } from './statement.ts'

const memory = new WebAssembly.Memory({ initial: Math.ceil(S_BYTES / 65536), maximum: 8 })
const runtime = createRuntime(memory)
const view = new DataView(memory.buffer)
const START = 0x1000n
type Instruction = (e: Emitter<Node>) => void

interface Result {
  readonly left: number
  readonly rip: bigint
  readonly gpr: readonly bigint[]
  readonly flags: number
}

/** One byte each, from START on; the run ends behind the last. RAX to RBX begin as 10, 20, 30, 40. */
function run(instructions: readonly Instruction[], budget = 1000, body: HelperBody = () => undefined): Result {
  const fetch = (rip: bigint) => {
    const instruction = instructions[Number(rip - START)]
    return (
      instruction && {
        length: 1,
        run: instruction,
        target: undefined,
        ends: false,
        calls: false,
        returns: false,
        indirect: false,
      }
    )
  }
  const region = buildRegion(START, fetch, FIRST_SLOT)!
  const module = new ModuleBuilder()
  const miss = module.importFunction('miss', MISS_SIGNATURE)
  const flags = module.importFunction('flags', [[I32, I64, I64], [I32]])
  const called = module.importFunction('helper', [[I64], [I64]])
  const written = writeRegion(region, { miss, flags, helper: () => called }, new Bytes())
  module.exportFunction('r', module.add(REGION_SIGNATURE, written.locals, written.code))
  const functions = {
    miss: () => 0,
    flags: runtime.flags,
    helper: (value: bigint) => body({} as Cpu, value) ?? 0n,
  }
  const { exports } = instantiate(module.finish(), memory, functions)
  new Uint8Array(memory.buffer).fill(0, 0, S_BYTES)
  new Uint8Array(memory.buffer).fill(0xff, S_TLB, S_TLB + TLB_BYTES)
  view.setUint32(S_TLB_AT, S_TLB, true)
  view.setUint32(S_CC_OP, 2, true)
  view.setBigUint64(S_RIP, START, true)
  for (let n = 0; n < 4; n++) view.setBigUint64(S_GPR + 8 * n, BigInt(10 * (n + 1)), true)
  const left = (exports['r'] as (base: number, budget: number) => number)(0, budget)
  const [op, dst, src] = [view.getUint32(S_CC_OP, true), view.getBigUint64(144, true), view.getBigUint64(152, true)]
  return {
    left,
    rip: view.getBigUint64(S_RIP, true),
    gpr: [0, 1, 2, 3].map((n) => view.getBigUint64(S_GPR + 8 * n, true)),
    flags: (runtime.flags as (op: number, dst: bigint, src: bigint) => number)(op, dst, src),
  }
}

describe('an if', () => {
  test.each([
    ['taken', 10n, [99n, 20n, 10n, 30n]],
    ['not taken', 11n, [10n, 20n, 10n, 30n]],
  ])('that is %s leaves values alone that were read before it', (_, expected, gpr) => {
    const result = run([
      (e) => {
        const rax = e.reg(8, RAX)
        const sum = e.add(8, rax, e.reg(8, RCX))
        e.if(e.eq(8, rax, e.imm(8, expected)), () => e.setReg(8, RAX, e.imm(8, 99)))
        e.setReg(8, RDX, rax)
        e.setReg(8, RBX, sum)
      },
    ])
    expect(result).toMatchObject({ gpr, rip: START + 1n, left: 999 })
  })

  test.each([
    [10n, [10n, 40n, 30n, 40n]],
    [11n, [10n, 40n, 30n, 41n]],
  ])('computes what both sides need (%d)', (expected, gpr) => {
    const result = run([
      (e) => {
        const twice = e.add(8, e.reg(8, RCX), e.reg(8, RCX))
        const made = e.variable(8, e.imm(8, 0))
        e.if(
          e.eq(8, e.reg(8, RAX), e.imm(8, expected)),
          () => made.set(twice),
          () => made.set(e.add(8, twice, e.imm(8, 1))),
        )
        e.setReg(8, RCX, twice)
        e.setReg(8, RBX, made.get())
      },
    ])
    expect(result.gpr).toEqual(gpr)
  })

  test.each([
    [10n, [10n, 1n, 2n, 11n]],
    [11n, [10n, 11n, 11n, 11n]],
  ])('may take a value that two registers share away from both of them (%d)', (expected, gpr) => {
    const result = run([
      (e) => {
        const rax = e.reg(8, RAX)
        const sum = e.add(8, rax, e.imm(8, 1))
        e.setReg(8, RCX, sum)
        e.setReg(8, RDX, sum)
        e.if(e.eq(8, rax, e.imm(8, expected)), () => {
          e.setReg(8, RDX, e.imm(8, 2))
          e.setReg(8, RCX, e.imm(8, 1))
        })
        e.setReg(8, RBX, sum)
      },
    ])
    expect(result.gpr).toEqual(gpr)
  })

  test.each([
    [10n, ZF],
    [11n, CF],
  ])('sets flags on one side only (%d)', (expected, flag) => {
    const compare = (e: Emitter<Node>, a: number, b: number): void =>
      e.setFlags(CcOp.sub, 8, e.sub(8, e.imm(8, a), e.imm(8, b)), e.imm(8, b))
    const { flags, gpr } = run([
      (e) => compare(e, 1, 2),
      (e) => e.if(e.eq(8, e.reg(8, RAX), e.imm(8, expected)), () => compare(e, 3, 3)),
      (e) => e.setReg(4, RBX, e.condition(4)),
    ])
    expect([flags & (ZF | CF), gpr[RBX]]).toEqual([flag, flag === ZF ? 1n : 0n])
  })

  test('ends the instruction on both sides', () => {
    const result = run([
      (e) =>
        e.if(
          e.eq(8, e.reg(8, RAX), e.imm(8, 10)),
          () => e.jump(e.reg(8, RCX)),
          () => e.jump(e.imm(8, 5)),
        ),
    ])
    expect(result).toMatchObject({ rip: 20n, left: 999 })
  })

  test('refuses what goes on behind a jump', () => {
    const wrong: Instruction = (e) => {
      e.if(e.reg(4, RAX), () => e.again())
      e.setReg(8, RAX, e.imm(8, 1))
    }
    expect(() => run([wrong])).toThrow('behind a jump')
  })
})

describe('a fault', () => {
  test('in an arm leaves everything as it was before the instruction', () => {
    const result = run([
      (e) => e.setReg(8, RAX, e.imm(8, 1)),
      (e) => {
        e.if(e.eq(8, e.reg(8, RAX), e.imm(8, 1)), () => e.fault(GP, 0))
        e.setReg(8, RAX, e.imm(8, 2))
      },
    ])
    expect(result).toMatchObject({ left: ~999, rip: START + 1n, gpr: [1n, 20n, 30n, 40n] })
    expect([S_LEAVE, S_EXIT, S_EXIT_VECTOR].map((at) => view.getUint32(at, true))).toEqual([LEAVE_EXIT, Exit.fault, GP])
  })

  test('of a load finds the flags that the hot way has not kept', () => {
    const result = run([
      (e) => e.setFlags(CcOp.sub, 8, e.sub(8, e.reg(8, RAX), e.reg(8, RAX)), e.reg(8, RAX)),
      (e) => e.setReg(8, RAX, e.load(8, e.reg(8, RBX))),
      (e) => e.setFlags(CcOp.logic, 8, e.imm(8, 1), e.imm(8, 0)),
    ])
    expect(result).toMatchObject({ left: ~999, rip: START + 1n })
    expect(result.flags & ZF).toBe(ZF)
  })
})

describe('the budget', () => {
  const count: Instruction = (e) => e.setReg(8, RAX, e.add(8, e.reg(8, RAX), e.imm(8, 1)))
  test.each([
    [2, { left: ~2, rip: START }],
    [3, { left: 0, rip: START + 3n }],
    [4, { left: 1, rip: START + 3n }],
  ])('of %d for three instructions', (budget, expected) => {
    expect(run([count, count, count], budget)).toMatchObject(expected)
  })
  test('ends a loop before the round that it does not suffice for', () => {
    const back: Instruction = (e) => e.jump(e.imm(8, START))
    expect(run([count, back], 9)).toMatchObject({ left: ~1, rip: START, gpr: [14n, 20n, 30n, 40n] })
  })
})

describe('a helper', () => {
  const named = helper('region-writer.test', () => undefined)
  const helped =
    (then: Instruction): Instruction =>
    (e) => {
      const before = e.reg(8, RCX)
      e.setReg(8, RDX, e.helper(named, 8, e.reg(8, RAX)))
      e.setReg(8, RBX, e.add(8, before, e.reg(8, RCX)))
      then(e)
    }
  const set: Instruction = (e) => e.setReg(8, RAX, e.imm(8, 5))

  test('finds registers in the state, and changes them there', () => {
    const seen: bigint[] = []
    const result = run([set, helped(() => undefined)], 1000, (_cpu, value) => {
      seen.push(value as bigint, view.getBigUint64(S_GPR, true), view.getBigUint64(S_RIP, true))
      view.setBigUint64(S_GPR + 8 * RCX, 1000n, true)
      return 7n
    })
    expect(seen).toEqual([5n, 5n, START + 1n])
    expect(result.gpr).toEqual([5n, 1000n, 7n, 1020n])
  })

  test('that faults has not been called', () => {
    const result = run([set, helped(() => undefined)], 1000, () => {
      view.setInt32(S_LEAVE, LEAVE_EXIT, true)
      return 0n
    })
    expect(result).toMatchObject({ left: ~999, rip: START + 1n, gpr: [5n, 20n, 30n, 40n] })
  })
})
