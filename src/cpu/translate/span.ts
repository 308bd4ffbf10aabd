/**
 * Accesses of one block at constant distances from the same address, a register's as a rule: the TLB is looked at once for all of them, which is right as long as they lie
 * in one page and nothing has been put into the TLB since.
 */
import { I32, I64, Op } from '../wasm/opcodes.ts'
import { isConstant, type Node, type Nodes } from './node.ts'

/** Wider ones would often lie in two pages. */
const BYTES_MAX = 256

export class Span {
  readonly base: Node
  /** It has been looked for something that may be written to. */
  readonly write: boolean
  /** From `base`; while the block is built they may grow. */
  low: number
  high: number
  accesses = 0
  /** The address of the lowest byte, and where that lies in the memory (0: that is to be found out for each access). */
  readonly start: Node
  readonly host: Node

  constructor(nodes: Nodes, base: Node, write: boolean, low: number, high: number) {
    this.base = base
    this.write = write
    this.low = low
    this.high = high
    this.start = nodes.pinned(I64)
    this.host = nodes.pinned(I32)
  }

  /** One access alone is as well looked for itself. */
  get isShared(): boolean {
    return this.accesses > 1
  }
}

/** A place in a span. */
export interface Place {
  readonly span: Span
  /** From the span's base. */
  readonly distance: number
  /** Whether it is the first. */
  readonly opens: boolean
}

/** Those of a block that may still be used. */
export class Spans {
  readonly #nodes: Nodes
  readonly #open: Span[] = []

  constructor(nodes: Nodes) {
    this.#nodes = nodes
  }

  /** Where an access belongs; undefined: nowhere. `always`: whoever comes to the block's end comes here. */
  place(address: Node, bytes: number, write: boolean, always: boolean): Place | undefined {
    const base = isOffset(address) ? address.a! : address
    const distance = base === address ? 0 : Number(BigInt.asIntN(64, address.b!.value as bigint))
    if (isConstant(base) || bytes > BYTES_MAX || Math.abs(distance) > 0x7fffffff) return undefined
    for (let n = this.#open.length - 1; n >= 0; n--) {
      const span = this.#open[n]!
      if (span.base === base && (span.write || !write) && admit(span, distance, bytes))
        return use(span, distance, false)
    }
    if (!always) return undefined
    const span = new Span(this.#nodes, base, write, distance, distance + bytes)
    this.#open.push(span)
    return use(span, distance, true)
  }

  /** From here on the TLB may be another. */
  close(): void {
    this.#open.length = 0
  }
}

const isOffset = ({ op, b }: Node): boolean => op === Op.i64_add && isConstant(b!)

function admit(span: Span, distance: number, bytes: number): boolean {
  const low = Math.min(span.low, distance)
  const high = Math.max(span.high, distance + bytes)
  if (high - low > BYTES_MAX) return false
  span.low = low
  span.high = high
  return true
}

function use(span: Span, distance: number, opens: boolean): Place {
  span.accesses++
  span.start.uses++
  span.host.uses++
  return { span, distance, opens }
}
