/**
 * The one module that all translated code has in common: the dispatcher, which owns the table of regions (regions do not import it: V8 up to node 20 pays for every importer
 * of a large table), and the function that works six flags out of lazy ones.
 *
 * The dispatcher takes S_RIP, looks for it among the vCPU's chains (16 bytes each: address, generation, number in the table), calls the region, and so on until an address is
 * not there or a region gives the complement of the budget (region-writer.ts).
 */
import type { Size } from '../isa/insn.ts'
import { CcOp, S_CHAINS, S_GENERATION, S_LEAVE, S_RIP } from '../state.ts'
import { instantiate, type WasmInstance, type WasmMemory, type WasmTable } from '../wasm/engine.ts'
import { ModuleBuilder } from '../wasm/module.ts'
import { I32, I64, Op, VOID } from '../wasm/opcodes.ts'
import { Conditions } from './conditions.ts'
import { Nodes } from './node.ts'
import { REGION_SIGNATURE } from './state-writer.ts'
import { countUse } from './uses.ts'
import { ValueWriter } from './value-writer.ts'

const CHAINS_LOG2 = 14
export const CHAIN_BYTES = 16
export const CHAIN_GENERATION = 8
export const CHAIN_REGION = 12
/** 2^32 divided by the golden ratio: spreads addresses, which lie close together, over all places. */
const SPREAD = 0x9e3779b1
const { imul } = Math
/** An address's place among the chains. */
export const chainOf = (low: number): number => imul(low, SPREAD) >>> (32 - CHAINS_LOG2)

const TABLE_FIRST = 1024

export interface Runtime {
  readonly dispatch: (base: number, budget: number) => number
  readonly flags: unknown
  readonly table: WasmTable
}

export function createRuntime(memory: WasmMemory): Runtime {
  const module = new ModuleBuilder()
  module.exportFunction('flags', addFlags(module))
  module.exportFunction(
    'dispatch',
    module.add(REGION_SIGNATURE, [I32, I64], dispatchCode(module.type(REGION_SIGNATURE))),
  )
  module.exportTable(TABLE_FIRST)
  const { exports }: WasmInstance = instantiate(module.finish(), memory, {})
  return {
    dispatch: exports['dispatch'] as Runtime['dispatch'],
    flags: exports['flags'],
    table: exports['table'] as WasmTable,
  }
}

const NO_SCRATCH = { word: 0, long: 0, otherLong: 0 }

function dispatchCode(type: number): Uint8Array {
  const base = 0
  const budget = 1
  const chain = 2
  const rip = 3
  const out = new ValueWriter(4, NO_SCRATCH, 0)
  out.op(Op.loop)
  out.op(VOID)
  out.op(Op.block)
  out.op(VOID)
  out.get(base)
  out.memory(Op.i64_load, S_RIP)
  out.tee(rip)
  out.op(Op.i32_wrap_i64)
  out.const32(SPREAD | 0)
  out.op(Op.i32_mul)
  out.const32(32 - CHAINS_LOG2)
  out.op(Op.i32_shr_u)
  out.const32(4)
  out.op(Op.i32_shl)
  out.get(base)
  out.op(Op.i32_add)
  out.tee(chain)
  out.memory(Op.i64_load, S_CHAINS)
  out.get(rip)
  out.op(Op.i64_ne)
  branchIf(out, 0)
  out.get(chain)
  out.memory(Op.i32_load, S_CHAINS + CHAIN_GENERATION)
  out.get(base)
  out.memory(Op.i32_load, S_GENERATION)
  out.op(Op.i32_ne)
  branchIf(out, 0)
  out.get(base)
  out.get(budget)
  out.get(chain)
  out.memory(Op.i32_load, S_CHAINS + CHAIN_REGION)
  out.op(Op.call_indirect)
  out.code.unsigned(type)
  out.code.unsigned(0)
  out.tee(budget)
  out.const32(0)
  out.op(Op.i32_lt_s)
  branchIf(out, 0)
  out.get(base)
  out.memory(Op.i32_load, S_LEAVE)
  out.op(Op.i32_eqz)
  branchIf(out, 1)
  out.get(budget)
  out.const32(-1)
  out.op(Op.i32_xor)
  out.op(Op.return)
  out.op(Op.end)
  out.op(Op.end)
  out.get(budget)
  return out.code.view
}

function branchIf(out: ValueWriter, depth: number): void {
  out.op(Op.br_if)
  out.code.unsigned(depth)
}

const SIZES: readonly Size[] = [1, 2, 4, 8]
/** (CC_OP, CC_DST, CC_SRC): one case for each operation and size. */
function addFlags(module: ModuleBuilder): number {
  const out = new ValueWriter(3, NO_SCRATCH, 0)
  const ops = Object.values(CcOp)
  const cases = ops.length * 4
  for (let n = 0; n < cases; n++) {
    out.op(Op.block)
    out.op(VOID)
  }
  out.get(0)
  out.op(Op.br_table)
  out.code.unsigned(cases - 1)
  for (let n = 0; n < cases; n++) out.code.unsigned(n)
  for (const op of ops)
    for (const size of SIZES) {
      out.op(Op.end)
      const nodes = new Nodes()
      const [dst, src] = [1, 2].map((local) => {
        const whole = nodes.pinned(I64)
        whole.local = local
        whole.uses = 2 ** 30
        return size === 8 && op !== CcOp.flags ? whole : nodes.unary(Op.i32_wrap_i64, whole)
      })
      const all = new Conditions(nodes).all({ op, size, dst: dst!, src: src! })
      countUse(all)
      out.inBlock(() => out.push(all))
      out.op(Op.return)
    }
  out.op(Op.unreachable)
  return module.add([[I32, I64, I64], [I32]], out.temps, out.code.view)
}
