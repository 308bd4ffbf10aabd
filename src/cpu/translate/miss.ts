/**
 * What translated code calls where it has not found an address in the TLB: a function of (TLB, address, what) that looks there for this access alone (a span is wider, span.ts) and
 * then asks. It gives the offset in the memory, which is never 0, or 0: S_LEAVE tells why not.
 */
import { TLB_ADDEND, TLB_INDEX_MASK, TLB_INDEX_SHIFT, TLB_READ, TLB_WRITE } from '../tlb.ts'
import { instantiate, type WasmMemory } from '../wasm/engine.ts'
import { ModuleBuilder, type Signature } from '../wasm/module.ts'
import { I32, I64, Op, VOID } from '../wasm/opcodes.ts'
import { ValueWriter } from './value-writer.ts'

/** The third argument of `Ask`: bytes, and these. */
export const ACCESS_WRITE = 1 << 16
export const ACCESS_STACK = 1 << 17
/** -1: S_LEAVE tells why not. */
export type Ask = (low: number, high: number, what: number) => number

export const MISS_SIGNATURE: Signature = [[I32, I64, I32], [I32]]
/** The same in fewer bytes of code: what `miss` is given. */
const MISS_WRITE = 1
const MISS_STACK = 2
const MISS_BYTES_SHIFT = 2
export const missOf = (bytes: number, write: boolean, stack: boolean): number =>
  (bytes << MISS_BYTES_SHIFT) | (write ? MISS_WRITE : 0) | (stack ? MISS_STACK : 0)

/** `ask`: the vCPU whose code is running. */
export function createMiss(memory: WasmMemory, ask: Ask): unknown {
  const module = new ModuleBuilder()
  const asked = module.importFunction('ask', [[I32, I32, I32], [I32]])
  module.exportFunction('miss', module.add(MISS_SIGNATURE, [I32], missCode(asked)))
  return instantiate(module.finish(), memory, { ask }).exports['miss']
}

const TLB = 0
const ADDRESS = 1
const WHAT = 2
const FOUND = 3

function missCode(asked: number): Uint8Array {
  const out = new ValueWriter(4, { word: FOUND, long: ADDRESS, otherLong: ADDRESS }, 0)
  pushEntry(out)
  out.op(Op.if)
  out.op(VOID)
  lowHalf(out)
  out.get(FOUND)
  out.memory(Op.i32_load, TLB_ADDEND)
  out.op(Op.i32_add)
  out.op(Op.return)
  out.op(Op.end)
  lowHalf(out)
  out.get(ADDRESS)
  out.small64(32)
  out.op(Op.i64_shr_u)
  out.op(Op.i32_wrap_i64)
  out.get(WHAT)
  out.const32(MISS_BYTES_SHIFT)
  out.op(Op.i32_shr_u)
  out.get(WHAT)
  out.const32(MISS_WRITE | MISS_STACK)
  out.op(Op.i32_and)
  out.const32(31 - Math.clz32(ACCESS_WRITE))
  out.op(Op.i32_shl)
  out.op(Op.i32_or)
  out.op(Op.call)
  out.code.unsigned(asked)
  out.tee(FOUND)
  out.const32(0)
  out.get(FOUND)
  out.const32(-1)
  out.op(Op.i32_ne)
  out.op(Op.select)
  return out.code.view
}

function lowHalf(out: ValueWriter): void {
  out.get(ADDRESS)
  out.op(Op.i32_wrap_i64)
}

/** The address's entry into FOUND, and whether it is for all of the access onto the stack. */
function pushEntry(out: ValueWriter): void {
  lowHalf(out)
  out.const32(TLB_INDEX_SHIFT)
  out.op(Op.i32_shr_u)
  out.const32(TLB_INDEX_MASK)
  out.op(Op.i32_and)
  out.get(TLB)
  out.op(Op.i32_add)
  out.tee(FOUND)
  out.memory(Op.i64_load, TLB_WRITE)
  out.get(FOUND)
  out.memory(Op.i64_load, TLB_READ)
  out.get(WHAT)
  out.const32(MISS_WRITE)
  out.op(Op.i32_and)
  out.op(Op.select)
  out.get(ADDRESS)
  out.get(WHAT)
  out.const32(MISS_BYTES_SHIFT)
  out.op(Op.i32_shr_u)
  out.op(Op.i64_extend_i32_u)
  out.op(Op.i64_add)
  out.small64(-1)
  out.op(Op.i64_add)
  out.small64(-4096)
  out.op(Op.i64_and)
  out.op(Op.i64_eq)
}
