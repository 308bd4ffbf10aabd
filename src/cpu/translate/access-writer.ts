/** Writes accesses to the guest's memory: the TLB is looked at in line (tlb.ts), and what it does not have is asked for. */

import { TLB_ADDEND, TLB_INDEX_MASK, TLB_INDEX_SHIFT, TLB_READ, TLB_WRITE } from '../tlb.ts'
import type { Bytes } from '../wasm/bytes.ts'
import { I32, I64, MEMORY_COPY, MEMORY_FILL, Op, V128, type ValueType, VectorCode, VOID } from '../wasm/opcodes.ts'
import type { Node } from './node.ts'
import type { AccessBytes, Site, Statement } from './statement.ts'
import { type Scratch, ValueWriter } from './value-writer.ts'

/** The third argument of the imported `address`: bytes, and these. */
export const ACCESS_WRITE = 1 << 16
export const ACCESS_STACK = 1 << 17

export interface Locals extends Scratch {
  readonly base: number
  readonly tlb: number
}
/** `depth`: of labels that the region's writer has not seen. */
export type Leave = (site: Site, count: number, depth: number) => void

const LOADS: Readonly<Record<1 | 2 | 4 | 8, number>> = {
  1: Op.i32_load8_u,
  2: Op.i32_load16_u,
  4: Op.i32_load,
  8: Op.i64_load,
}
const STORES: Readonly<Record<1 | 2 | 4 | 8, number>> = {
  1: Op.i32_store8,
  2: Op.i32_store16,
  4: Op.i32_store,
  8: Op.i64_store,
}
const V128_LOAD = VectorCode['v128.load']!
const V128_STORE = VectorCode['v128.store']!

export class AccessWriter extends ValueWriter {
  readonly #locals: Locals
  readonly #addressFunction: number
  readonly #leave: Leave

  constructor(
    firstTemp: number,
    locals: Locals,
    imports: { address: number; flags: number },
    leave: Leave,
    code: Bytes,
  ) {
    super(firstTemp, locals, imports.flags, code)
    this.#locals = locals
    this.#addressFunction = imports.address
    this.#leave = leave
  }

  loadFrom(type: ValueType, offset: number): void {
    if (type === V128) this.simdMemory(V128_LOAD, offset)
    else this.memory(type === I64 ? Op.i64_load : Op.i32_load, offset)
  }
  storeTo(type: ValueType, offset: number): void {
    if (type === V128) this.simdMemory(V128_STORE, offset)
    else this.memory(type === I64 ? Op.i64_store : Op.i32_store, offset)
  }
  /** A word of the state. */
  storeConstant(offset: number, value: number): void {
    this.get(this.#locals.base)
    this.const32(value)
    this.memory(Op.i32_store, offset)
  }

  /** A `load` or `host` statement of a block of `count` instructions. */
  access(statement: Extract<Statement, { kind: 'load' | 'host' }>, count: number): void {
    const { address, bytes, stack, site, node } = statement
    const write = statement.kind === 'host'
    this.#tag(address, write)
    this.#ifFound(bytes, () => this.#ask(bytes | (write ? ACCESS_WRITE : 0) | (stack ? ACCESS_STACK : 0), site, count))
    if (write) this.define(node)
    else this.loadHost(node, bytes as AccessBytes)
  }

  /** An address into `long`, its entry in the TLB into `word`, that one's tag onto the stack. */
  #tag(address: Node, write: boolean): void {
    const { word, long, tlb } = this.#locals
    this.push(address)
    this.tee(long)
    this.op(Op.i32_wrap_i64)
    this.const32(TLB_INDEX_SHIFT)
    this.op(Op.i32_shr_u)
    this.const32(TLB_INDEX_MASK)
    this.op(Op.i32_and)
    this.get(tlb)
    this.op(Op.i32_add)
    this.tee(word)
    this.memory(Op.i64_load, write ? TLB_WRITE : TLB_READ)
  }

  /** The offset in memory, if the tag on the stack is that of the last of so many bytes, too; or what `otherwise` leaves. */
  #ifFound(bytes: number, otherwise: () => void): void {
    const { word, long } = this.#locals
    // An access across the page's end has another page's number for its last byte.
    this.get(long)
    if (bytes > 1) {
      this.small64(bytes - 1)
      this.op(Op.i64_add)
    }
    this.small64(-4096)
    this.op(Op.i64_and)
    this.op(Op.i64_eq)
    this.op(Op.if)
    this.op(I32)
    this.get(long)
    this.op(Op.i32_wrap_i64)
    this.get(word)
    this.memory(Op.i32_load, TLB_ADDEND)
    this.op(Op.i32_add)
    this.op(Op.else)
    otherwise()
    this.op(Op.end)
  }

  probe({ address, write, node }: Extract<Statement, { kind: 'probe' }>): void {
    this.#tag(address, write)
    this.#ifFound(1, () => this.const32(0))
    this.define(node)
  }

  bulk(statement: Extract<Statement, { kind: 'copy' | 'fill' }>): void {
    this.push(statement.to)
    this.push(statement.kind === 'copy' ? statement.from : statement.value)
    this.push(statement.bytes)
    this.op(Op.bulk)
    this.code.unsigned(statement.kind === 'copy' ? MEMORY_COPY : MEMORY_FILL)
    for (let n = statement.kind === 'copy' ? 2 : 1; n > 0; n--) this.op(0)
  }

  #ask(what: number, site: Site, count: number): void {
    const { word, long } = this.#locals
    this.get(long)
    this.op(Op.i32_wrap_i64)
    this.get(long)
    this.small64(32)
    this.op(Op.i64_shr_u)
    this.op(Op.i32_wrap_i64)
    this.const32(what)
    this.op(Op.call)
    this.code.unsigned(this.#addressFunction)
    this.tee(word)
    this.const32(-1)
    this.op(Op.i32_eq)
    this.op(Op.if)
    this.op(VOID)
    this.#leave(site, count, 2)
    this.op(Op.end)
    this.get(word)
  }

  /** From the host address on the stack. */
  loadHost(node: Node, bytes: AccessBytes): void {
    if (bytes === 16) this.simdMemory(V128_LOAD, 0)
    else this.memory(LOADS[bytes], 0)
    this.define(node)
  }
  /** The value on the stack, to the host address below it. */
  storeHost(bytes: AccessBytes): void {
    if (bytes === 16) this.simdMemory(V128_STORE, 0)
    else this.memory(STORES[bytes], 0)
  }
}
