/**
 * The emitter's registers, flags, variables and `if`: slots are read and written as nodes, statements are collected. What a slot holds is known by nodes as long as nobody
 * may have changed it.
 */
import { AH, type Size } from '../isa/insn.ts'
import { type CcOp, S_MXCSR } from '../state.ts'
import { I32, I64, Op, type ValueType } from '../wasm/opcodes.ts'
import { Conditions, type FlagSource } from './conditions.ts'
import { isConstant, Kind, type Node, type Slot } from './node.ts'
import type { Slots } from './slots.ts'
import type { Pending, Statement } from './statement.ts'
import { VectorBuilder } from './vector-builder.ts'

export const LOG2 = [0, 0, 1, 0, 2, 0, 0, 0, 3] as const
export const typeOf = (size: Size): ValueType => (size === 8 ? I64 : I32)

interface PendingFlags extends Pending {
  readonly source: FlagSource
  /** Accesses that may leave with them. */
  accesses: number
}
/** From so many on, they are rather stored once. */
const ACCESSES_STORED = 2

const NO_TESTS: ReadonlyMap<number, Node> = new Map()

/** Nodes that slots hold since some moment. */
interface Hold {
  readonly nodes: Node[]
  readonly bySlot: (Node | undefined)[]
}

export abstract class SlotBuilder extends VectorBuilder {
  /** No more instructions may follow. */
  ended = false
  readonly statements: Statement[] = []
  protected readonly slots: Slots
  readonly #conditions = new Conditions(this.nodes)
  protected list = this.statements
  protected hold: Hold
  /** By slots' numbers. */
  #current: (Node | undefined)[] = []
  protected pending: PendingFlags | undefined
  /** The x87, MMX and SSE instructions before have asked for CR0.TS. */
  protected fpuUsable = false
  /** What has been found out about MXCSR. */
  #mxcsrTests: ReadonlyMap<number, Node> = NO_TESTS
  /** Control has been given away in an arm of an `if`: nothing may follow in this instruction. */
  protected mayHaveEnded = false

  constructor(slots: Slots) {
    super()
    this.slots = slots
    slots.beginBlock()
    this.hold = this.#newHold()
  }

  protected append(statement: Statement): void {
    this.#check()
    if (!this.ended) this.list.push(statement)
  }
  /** Semantics may go on behind a fault, to which nobody comes; not behind a jump. */
  #check(): void {
    if (this.mayHaveEnded) throw new Error('semantics go on behind a jump')
  }
  #newHold(): Hold {
    const hold: Hold = { nodes: [], bySlot: [] }
    this.list.push({ kind: 'hold', nodes: hold.nodes })
    return hold
  }
  #get(slot: Slot): Node {
    const known = this.#current[slot.number] ?? this.hold.bySlot[slot.number]
    if (known) return known
    const node = this.nodes.ofSlot(slot)
    this.hold.nodes.push(node)
    this.hold.bySlot[slot.number] = node
    return node
  }
  #set(slot: Slot, node: Node): void {
    this.append({ kind: 'set', slot, node })
    this.slots.written.add(slot)
    this.#current[slot.number] = node
  }

  reg(size: Size, n: number): Node {
    if (n >= AH) {
      const word = this.nodes.unary(Op.i32_wrap_i64, this.#get(this.slots.gpr(n - AH)))
      return this.and(4, this.nodes.binary(Op.i32_shr_u, word, this.imm(4, 8)), this.imm(4, 0xff))
    }
    return this.trunc(8, size, this.#get(this.slots.gpr(n)))
  }
  setReg(size: Size, n: number, value: Node): void {
    const slot = this.slots.gpr(n >= AH ? n - AH : n)
    if (size === 8) {
      this.#set(slot, value)
      return
    }
    const wide = this.zext(size, 8, value)
    if (size === 4) {
      this.#set(slot, wide)
      return
    }
    const [part, kept] =
      n >= AH ? [this.shl(8, wide, this.imm(4, 8)), ~0xff00n] : [wide, size === 1 ? ~0xffn : ~0xffffn]
    this.#set(slot, this.or(8, this.and(8, this.#get(slot), this.imm(8, kept)), part))
  }
  xmm(n: number): Node {
    return this.#get(this.slots.xmm(n))
  }
  setXmm(n: number, value: Node): void {
    this.#set(this.slots.xmm(n), value)
  }

  variable(size: Size, value: Node): { get(): Node; set(value: Node): void } {
    const slot = this.slots.variable(typeOf(size))
    this.#set(slot, value)
    return { get: () => this.#get(slot), set: (next) => this.#set(slot, next) }
  }

  if(condition: Node, then: () => void, otherwise?: () => void): void {
    if (this.ended) return
    if (isConstant(condition)) {
      if (condition.value !== 0) then()
      else otherwise?.()
      return
    }
    const pending = this.pending
    const first = this.nodes.count
    const statement: Statement = { kind: 'if', condition, yes: [], no: [], first }
    this.append(statement)
    const list = this.list
    const hold = this.hold
    const before = this.#current
    const { fpuUsable } = this
    const mxcsrTests = this.#mxcsrTests
    const changed = new Set<number>()
    let everything = false
    let flagsChanged = false
    let ends = 0
    let mayHaveEnded = false
    const arms: [() => void, Statement[]][] = [[then, statement.yes]]
    if (otherwise) arms.push([otherwise, statement.no])
    for (const [arm, into] of arms) {
      this.list = into
      this.hold = hold
      this.#current = before.slice()
      this.pending = pending
      this.fpuUsable = fpuUsable
      this.#mxcsrTests = mxcsrTests
      this.ended = false
      this.mayHaveEnded = false
      arm()
      mayHaveEnded ||= this.mayHaveEnded
      if (this.ended) {
        ends++
        continue
      }
      if (this.hold !== hold) everything = true
      for (const [n, node] of this.#current.entries()) if (before[n] !== node) changed.add(n)
      if (this.pending !== pending) {
        flagsChanged = true
        if (this.pending) this.pending.isStored = true
      }
    }
    this.list = list
    this.hold = hold
    this.#current = before
    this.fpuUsable = fpuUsable
    this.#mxcsrTests = mxcsrTests
    this.ended = ends === 2
    this.mayHaveEnded = mayHaveEnded
    this.pending = flagsChanged ? undefined : pending
    if (flagsChanged && pending) pending.isStored = true
    if (everything) this.forget()
    else if (changed.size > 0 || flagsChanged) this.#reread(changed, flagsChanged)
  }

  /** The slots and MXCSR may hold anything now. */
  protected forget(): void {
    this.#current = []
    this.#mxcsrTests = NO_TESTS
    this.hold = this.#newHold()
  }
  /** After an `if` in which some slots have changed. */
  #reread(changed: ReadonlySet<number>, flagsToo: boolean): void {
    const nodes: Node[] = []
    this.list.push({ kind: 'hold', nodes })
    const numbers = new Set(changed)
    const { all, ccOp, ccDst, ccSrc } = this.slots
    if (flagsToo) for (const { number } of [ccOp, ccDst, ccSrc]) numbers.add(number)
    for (const n of numbers) {
      const node = this.nodes.ofSlot(all[n]!)
      nodes.push(node)
      this.#current[n] = node
    }
  }

  setFlags(op: CcOp, size: Size, dst: Node, src: Node): void {
    this.#check()
    this.slots.touchFlags()
    const wide = (node: Node): Node => (node.type === I64 ? node : this.zext(4, 8, node))
    const source = { op, size, dst, src }
    const code = op * 4 + LOG2[size]
    this.pending = { code, dst: wide(dst), src: wide(src), source, isStored: false, accesses: 0 }
    this.append({ kind: 'flags', pending: this.pending })
  }
  flags(): Node {
    return this.pending ? this.#conditions.all(this.pending.source) : this.#lazy(Kind.flags)
  }
  condition(condition: number): Node {
    if (this.pending) return this.#conditions.condition(this.pending.source, condition)
    if (condition >> 1 === 1) {
      const carry = this.#lazy(Kind.carry)
      return condition & 1 ? this.nodes.unary(Op.i32_eqz, carry) : carry
    }
    return this.#conditions.ofFlags(this.#lazy(Kind.flags), condition)
  }
  carry(): Node {
    return this.pending ? this.#conditions.carry(this.pending.source) : this.#lazy(Kind.carry)
  }
  #lazy(kind: typeof Kind.flags | typeof Kind.carry): Node {
    const { ccOp, ccDst, ccSrc } = this.slots
    return this.nodes.lazy(kind, this.#get(ccOp), this.#get(ccDst), this.#get(ccSrc))
  }

  /** The flags have to be right behind an access that may leave. */
  protected needFlags(): void {
    if (this.pending && ++this.pending.accesses === ACCESSES_STORED) this.pending.isStored = true
  }
  /** The flags into their slots. */
  protected flush(): void {
    if (this.pending) this.pending.isStored = true
    this.pending = undefined
  }

  protected loadState(type: ValueType, offset: number): Node {
    const node = this.nodes.pinned(type)
    this.append({ kind: 'load-state', node, offset })
    return node
  }
  /** Found out once. Calculations only set flags, which makes no test fail that has succeeded before (sse-quick.ts). */
  protected mxcsrIs(mask: number, bits: number): Node {
    const key = (mask << 16) | bits
    const known = this.#mxcsrTests.get(key)
    if (known) return known
    const test = this.eq(4, this.and(4, this.loadState(I32, S_MXCSR), this.imm(4, mask)), this.imm(4, bits))
    this.#mxcsrTests = new Map(this.#mxcsrTests).set(key, test)
    return test
  }
}
