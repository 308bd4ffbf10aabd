/** Writes accesses to the guest's memory: the TLB is looked at in line (tlb.ts), and what it does not have is asked for. */

import { TLB_ADDEND, TLB_INDEX_MASK, TLB_INDEX_SHIFT, TLB_READ, TLB_WRITE } from '../tlb.ts'
import type { Bytes } from '../wasm/bytes.ts'
import { I32, I64, MEMORY_COPY, MEMORY_FILL, Op, V128, type ValueType, VectorCode } from '../wasm/opcodes.ts'
import { missOf } from './miss.ts'
import type { Node } from './node.ts'
import type { Place, Span } from './span.ts'
import type { Access, AccessBytes, Site, Statement } from './statement.ts'
import { type Scratch, ValueWriter } from './value-writer.ts'

export { ACCESS_STACK, ACCESS_WRITE } from './miss.ts'

export interface Locals extends Scratch {
  readonly base: number
  readonly tlb: number
}
/** Leaves if what is on the stack is not 0. `depth`: of labels that the region's writer has not seen. */
export type LeaveIf = (site: Site, debt: number, depth: number) => void

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
const LOADS_LOWEST: Readonly<Record<4 | 8, number>> = {
  4: VectorCode['v128.load32_zero']!,
  8: VectorCode['v128.load64_zero']!,
}
const STORES_LANE: Readonly<Record<4 | 8, number>> = {
  4: VectorCode['v128.store32_lane']!,
  8: VectorCode['v128.store64_lane']!,
}
const V128_LOAD = VectorCode['v128.load']!
const V128_STORE = VectorCode['v128.store']!

export class AccessWriter extends ValueWriter {
  readonly #locals: Locals
  readonly #missFunction: number
  readonly #leaveIf: LeaveIf
  /** The block's that have been begun. */
  #spans: Span[] = []

  constructor(
    firstTemp: number,
    locals: Locals,
    imports: { miss: number; flags: number },
    leaveIf: LeaveIf,
    code: Bytes,
  ) {
    super(firstTemp, locals, imports.flags, code)
    this.#locals = locals
    this.#missFunction = imports.miss
    this.#leaveIf = leaveIf
  }

  override inBlock(write: () => void): void {
    const spans = this.#spans
    this.#spans = []
    super.inBlock(write)
    this.#spans = spans
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

  /** A `load` or `host` statement of a block with this debt. */
  access(statement: Access, debt: number): void {
    const { place } = statement
    let offset = 0
    if (place?.span.isShared) offset = this.#placed(statement, place, debt)
    else this.#single(statement, debt)
    if (statement.kind === 'load') this.loadHost(statement.node, statement.bytes, offset)
    else {
      statement.node.offset = offset
      this.define(statement.node)
    }
  }

  #single(statement: Access, debt: number): void {
    const { long } = this.#locals
    this.push(statement.address)
    this.tee(long)
    this.#tag(statement.kind === 'host')
    this.#compare(long, statement.bytes)
    this.op(Op.if)
    this.op(I32)
    this.#found(long)
    this.op(Op.else)
    this.#miss(statement, debt, undefined, () => this.get(long))
    this.op(Op.end)
  }

  /** Where the span lies onto the stack; what is returned has to be added to it. */
  #placed(statement: Access, place: Place, debt: number): number {
    const { span, distance, opens } = place
    if (opens) this.#open(span)
    const offset = distance - span.low
    const { host, start } = span
    this.get(host.local)
    this.op(Op.if)
    this.op(I32)
    this.get(host.local)
    this.op(Op.else)
    this.used(host)
    this.#miss(statement, debt, span, () => {
      this.push(start)
      this.#plus64(offset)
    })
    if (offset > 0) {
      this.const32(offset)
      this.op(Op.i32_sub)
    }
    this.op(Op.end)
    return offset
  }

  #open(span: Span): void {
    const { start, host, base, low, high } = span
    this.push(base)
    this.#plus64(low)
    this.defineAndPush(start)
    this.#tag(span.write)
    this.#compare(start.local, high - low)
    this.op(Op.if)
    this.op(I32)
    this.#found(start.local)
    this.op(Op.else)
    this.const32(0)
    this.op(Op.end)
    this.define(host)
    this.#spans.push(span)
  }
  #plus64(value: number): void {
    if (value === 0) return
    this.small64(value)
    this.op(Op.i64_add)
  }

  /** The entry in the TLB of the address on the stack into `word`, that one's tag onto the stack. */
  #tag(write: boolean): void {
    const { word, tlb } = this.#locals
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
  /** Whether the tag on the stack is that of the last of so many bytes: an access across the page's end has another page's number there. */
  #compare(address: number, bytes: number): void {
    this.get(address)
    this.#plus64(bytes - 1)
    this.small64(-4096)
    this.op(Op.i64_and)
    this.op(Op.i64_eq)
  }
  /** The offset in memory of an address whose entry is in `word`. */
  #found(address: number): void {
    this.get(address)
    this.op(Op.i32_wrap_i64)
    this.get(this.#locals.word)
    this.memory(Op.i32_load, TLB_ADDEND)
    this.op(Op.i32_add)
  }

  /** Asks for one access, whose offset is on the stack then. Behind it the TLB may have lost what spans have found there. */
  #miss({ kind, bytes, stack, site }: Access, debt: number, own: Span | undefined, address: () => void): void {
    const { word, tlb } = this.#locals
    this.get(tlb)
    address()
    this.const32(missOf(bytes, kind === 'host', stack))
    this.op(Op.call)
    this.code.unsigned(this.#missFunction)
    this.tee(word)
    this.op(Op.i32_eqz)
    this.#leaveIf(site, debt, 1)
    for (const span of this.#spans)
      if (span !== own && span.host.uses > 0) {
        this.const32(0)
        this.setLocal(span.host.local)
      }
    this.get(word)
  }

  probe({ address, write, node }: Extract<Statement, { kind: 'probe' }>): void {
    const { long } = this.#locals
    this.push(address)
    this.tee(long)
    this.#tag(write)
    this.#compare(long, 1)
    this.op(Op.if)
    this.op(I32)
    this.#found(long)
    this.op(Op.else)
    this.const32(0)
    this.op(Op.end)
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

  /** From so far behind the offset on the stack. */
  loadHost(node: Node, bytes: AccessBytes, offset: number): void {
    if (bytes === 16) this.simdMemory(V128_LOAD, offset)
    else if (node.type === V128) this.simdMemory(LOADS_LOWEST[bytes as 4 | 8], offset)
    else this.memory(LOADS[bytes], offset)
    this.define(node)
  }
  /** The value on the stack, or a lane of it, to so far behind the offset below it. */
  storeHost(bytes: AccessBytes, offset: number, lane?: number): void {
    if (lane !== undefined) {
      this.simdMemory(STORES_LANE[bytes as 4 | 8], offset)
      this.op(lane)
    } else if (bytes === 16) this.simdMemory(V128_STORE, offset)
    else this.memory(STORES[bytes], offset)
  }
}
