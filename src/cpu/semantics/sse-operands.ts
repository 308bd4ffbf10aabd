/** Operands of SSE and MMX: 128-bit values, whose upper part is zero where the operand is shorter. */
import type { Insn, MemOperand, Size } from '../isa/insn.ts'
import { SS } from '../isa/insn.ts'
import type { Emitter } from './emitter.ts'
import { address } from './operands.ts'

const XMM_BYTES = 16

/** The lowest `size` bytes of memory, in an XMM register's place. */
export function extended<V>(e: Emitter<V>, size: Size, value: V): V {
  return e.withLane(size, e.zero128(), 0, value)
}

/** Memory of 16 bytes is aligned, or #GP: only some moves say otherwise. */
function loadVector<V>(e: Emitter<V>, insn: Insn, mem: MemOperand, aligned = true): V {
  if (mem.size === XMM_BYTES) return e.load128(address(e, insn, mem), aligned, mem.segment === SS)
  if (mem.size !== 4 && mem.size !== 8)
    return extended(e, mem.size as Size, e.load(mem.size as Size, address(e, insn, mem), mem.segment === SS))
  return e.loadScalar(mem.size, address(e, insn, mem), mem.segment === SS)
}

/** An XMM register or memory. */
export function readVector<V>(e: Emitter<V>, insn: Insn, n: number, aligned = true): V {
  const operand = insn.operands[n]!
  if (operand.kind === 'xmm') return e.xmm(operand.n)
  if (operand.kind === 'mem') return loadVector(e, insn, operand, aligned)
  throw new Error(`operand ${n} is no vector: ${insn.row.text}`)
}

/** The number of an operand that is a register. */
export function register(insn: Insn, n: number): number {
  const operand = insn.operands[n]!
  if (operand.kind === 'mem' || operand.kind === 'imm' || operand.kind === 'rel') {
    throw new Error(`operand ${n} is no register: ${insn.row.text}`)
  }
  return operand.n
}
