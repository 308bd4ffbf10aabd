/**
 * What translated code calls where its first, cheap test of floats has failed (sse-quick.ts): a function of (base, vector, vector, number) that tries again, with all that
 * native operations can do, and only then asks the helper. All registers stay in the locals of whoever calls.
 */
import type { Calculation, Calculator, FloatNative } from '../semantics/emitter.ts'
import { S_MXCSR, S_OPERANDS } from '../state.ts'
import { instantiate, type WasmMemory } from '../wasm/engine.ts'
import { ModuleBuilder, type Signature } from '../wasm/module.ts'
import { I32, Op, V128, VectorCode, VOID } from '../wasm/opcodes.ts'
import type { Node } from './node.ts'
import { countUse } from './uses.ts'
import { ValueWriter } from './value-writer.ts'
import { VectorBuilder } from './vector-builder.ts'

export const CALCULATION_SIGNATURE: Signature = [[I32, V128, V128, I32], [V128]]
/** Of the helper: where the vectors are, and the number. */
export const ASKED_SIGNATURE: Signature = [[I32, I32], []]

const BASE = 0
const FIRST = 1
const SECOND = 2
const NUMBER = 3
const MXCSR = 4
const LOAD = VectorCode['v128.load']!
const STORE = VectorCode['v128.store']!
/** More uses than there are: it stays where it is. */
const ALWAYS = 2 ** 30

/** `ask`: the helper, of ASKED_SIGNATURE. */
export function createCalculation(memory: WasmMemory, calculation: Calculation, ask: unknown): unknown {
  const module = new ModuleBuilder()
  const asked = module.importFunction('ask', ASKED_SIGNATURE)
  const out = new ValueWriter(MXCSR + 1, { word: MXCSR, long: MXCSR, otherLong: MXCSR }, 0)
  if (calculation.natively.length > 0) {
    out.get(BASE)
    out.memory(Op.i32_load, S_MXCSR)
    out.setLocal(MXCSR)
  }
  for (const native of calculation.natively) tryNatively(out, native)
  for (const [n, operand] of [FIRST, SECOND].entries()) {
    out.get(BASE)
    out.get(operand)
    out.simdMemory(STORE, S_OPERANDS + 16 * n)
  }
  out.get(BASE)
  out.const32(S_OPERANDS)
  out.op(Op.i32_add)
  out.get(NUMBER)
  out.op(Op.call)
  out.code.unsigned(asked)
  out.get(BASE)
  out.simdMemory(LOAD, S_OPERANDS)
  module.exportFunction('calculate', module.add(CALCULATION_SIGNATURE, [I32, ...out.temps], out.code.view))
  return instantiate(module.finish(), memory, { ask }).exports['calculate']
}

/** Returns the result if the condition holds. */
function tryNatively(out: ValueWriter, natively: Calculation['natively'][number]): void {
  const builder = new VectorBuilder()
  const held = (type: typeof I32 | typeof V128, local: number): Node => {
    const node = builder.nodes.pinned(type)
    node.local = local
    node.uses = ALWAYS
    return node
  }
  const mxcsr = held(I32, MXCSR)
  const native: FloatNative<Node> = {
    op: (name, a, b) => builder.float(name, a, b),
    constant: (bits) => builder.constant128(bits),
    mxcsrIs: (mask, bits) => builder.eq(4, builder.and(4, mxcsr, builder.imm(4, mask)), builder.imm(4, bits)),
  }
  const e: Calculator<Node> = builder
  const { condition, result } = natively(e, native, held(V128, FIRST), held(V128, SECOND))
  countUse(condition)
  countUse(result)
  out.inBlock(() => {
    out.push(condition)
    out.op(Op.if)
    out.op(VOID)
    out.push(result)
    out.op(Op.return)
    out.op(Op.end)
  })
}
