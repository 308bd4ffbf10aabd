/** Writes nodes as code: each where it is first needed, into a local if it is needed again. */
import { Bytes } from '../wasm/bytes.ts'
import { I32, I64, Op, type ValueType } from '../wasm/opcodes.ts'
import { isConstant, Kind, type Node, type Slot, VECTOR } from './node.ts'
import { isStored } from './uses.ts'

const SIMD_CONST = 12
const SIMD_SHUFFLE = 13

/** Locals that code uses for a moment. */
export interface Scratch {
  readonly word: number
  readonly long: number
  readonly otherLong: number
}

export class ValueWriter {
  readonly code: Bytes
  /** Types of the locals from `firstTemp` on. */
  readonly temps: ValueType[] = []
  readonly #firstTemp: number
  readonly #scratch: Scratch
  /** The index of the function that works six flags out of CC_OP, CC_DST and CC_SRC. */
  readonly #flagsFunction: number
  #free = new Map<ValueType, number[]>()
  /** What slots hold, as nodes. */
  #held: (Node | undefined)[] = []

  /** `code`: where it is written to, behind what is there. */
  constructor(firstTemp: number, scratch: Scratch, flagsFunction: number, code = new Bytes()) {
    this.code = code
    this.#firstTemp = firstTemp
    this.#scratch = scratch
    this.#flagsFunction = flagsFunction
  }

  /** Blocks share temporary locals: none outlives its block. Runs `write` for a block, which others may be written within. */
  inBlock(write: () => void): void {
    const held = this.#held
    const free = this.#free
    this.#held = []
    this.#free = new Map()
    this.temps.forEach((type, n) => {
      this.#release(type, this.#firstTemp + n)
    })
    write()
    this.#held = held
    this.#free = free
  }

  op(code: number): void {
    this.code.byte(code)
  }
  get(local: number): void {
    this.code.byte(Op.local_get)
    this.code.unsigned(local)
  }
  setLocal(local: number): void {
    this.code.byte(Op.local_set)
    this.code.unsigned(local)
  }
  tee(local: number): void {
    this.code.byte(Op.local_tee)
    this.code.unsigned(local)
  }
  const32(value: number): void {
    this.code.byte(Op.i32_const)
    this.code.signed(value)
  }
  const64(value: bigint): void {
    this.code.byte(Op.i64_const)
    this.code.signed64(value)
  }
  /** 64 bits of a number that 32 hold. */
  small64(value: number): void {
    this.code.byte(Op.i64_const)
    this.code.signed(value)
  }
  /** A load or store, by its code, at an offset from the address on the stack. Nothing is promised about alignment. */
  memory(code: number, offset: number): void {
    this.code.byte(code)
    this.code.byte(0)
    this.code.unsigned(offset)
  }
  simdMemory(code: number, offset: number): void {
    this.code.byte(Op.vector)
    this.code.unsigned(code)
    this.code.byte(0)
    this.code.unsigned(offset)
  }

  /** A use of the node: its value onto the stack. */
  push(node: Node): void {
    if (isConstant(node)) this.#constant(node)
    else if (node.local >= 0) this.#getUsed(node)
    else {
      this.#compute(node, this.#pushOperand)
      node.uses--
      if (node.uses > 0) {
        node.local = this.#allocate(node.type)
        this.tee(node.local)
      }
    }
  }

  /** A use in an arm that does not come back: it leaves no trace in locals. */
  pushCold(node: Node): void {
    if (isConstant(node)) this.#constant(node)
    else if (node.local >= 0) this.#getUsed(node)
    else {
      node.uses--
      this.#compute(node, node.hot ? this.#peekOperand : this.#coldOperand)
    }
  }

  /** A value that a statement has put onto the stack. */
  define(node: Node): void {
    if (node.uses === 0) this.op(Op.drop)
    else {
      node.local = this.#allocate(node.type)
      this.setLocal(node.local)
    }
  }

  /** The same, which stays there. */
  defineAndPush(node: Node): void {
    node.local = this.#allocate(node.type)
    this.tee(node.local)
  }
  /** A use that needed no code. */
  used(node: Node): void {
    node.uses--
    if (node.uses === 0 && node.local >= this.#firstTemp) this.#release(node.type, node.local)
  }

  /** The slots hold these nodes from here on. */
  hold(nodes: readonly Node[]): void {
    for (const node of nodes) {
      node.local = node.slot!.local
      this.#held[node.slot!.number] = node
    }
  }

  set(slot: Slot, node: Node): void {
    const fresh = !isConstant(node) && node.local < 0
    if (fresh) {
      this.#compute(node, this.#pushOperand)
      node.uses--
    } else this.push(node)
    this.keep(slot)
    this.setLocal(slot.local)
    this.#held[slot.number] = undefined
    if (isConstant(node)) return
    if (fresh && node.uses > 0) node.local = slot.local
    if (node.uses > 0) this.#held[slot.number] = node
  }

  /** Before a slot changes: what it holds is put elsewhere if it is still needed. */
  keep(slot: Slot): void {
    const node = this.#held[slot.number]
    if (!node || node.local !== slot.local || node.uses === 0) return
    const other = this.#held.findIndex((held, n) => held === node && n !== slot.number)
    const local = other >= 0 ? this.#slotLocal(other, slot) : this.#allocate(node.type)
    if (other < 0) {
      this.get(slot.local)
      this.setLocal(local)
    }
    node.local = local
    this.#held[slot.number] = undefined
  }

  /** Slots' locals are in the order of their numbers. */
  #slotLocal(number: number, like: Slot): number {
    return like.local - like.number + number
  }

  /**
   * Writes the arms of an `if`, in which these slots change: what they hold is put elsewhere before, and whatever an arm keeps in locals is forgotten behind it. `before`:
   * nodes that the arms need.
   */
  arms(changing: ReadonlySet<Slot>, before: readonly Node[], write: (nextArm: () => void) => void): void {
    for (const node of before) this.#ensure(node)
    this.#saveAll(changing)
    const held = this.#held
    const restore = (): void => {
      this.#held = [...held]
    }
    restore()
    write(restore)
    restore()
    for (const slot of changing) this.#held[slot.number] = undefined
  }

  /** Before all slots change. */
  keepAll(slots: Iterable<Slot>): void {
    this.#saveAll(slots)
    this.#held = []
  }
  #saveAll(slots: Iterable<Slot>): void {
    for (const slot of slots) if (this.#held[slot.number]?.local !== slot.local) this.#held[slot.number] = undefined
    for (const slot of slots) this.keep(slot)
  }

  #ensure(node: Node): void {
    if (isConstant(node) || node.local >= 0 || node.uses === 0) return
    this.#compute(node, this.#pushOperand)
    node.local = this.#allocate(node.type)
    this.setLocal(node.local)
  }

  readonly #pushOperand = (node: Node): void => this.push(node)
  readonly #coldOperand = (node: Node): void => this.pushCold(node)
  readonly #peekOperand = (node: Node): void => {
    if (isConstant(node)) this.#constant(node)
    else if (node.local >= 0) this.get(node.local)
    else this.#compute(node, this.#peekOperand)
  }

  #getUsed(node: Node): void {
    this.get(node.local)
    this.used(node)
  }
  #constant(node: Node): void {
    if (node.type === I64) this.const64(node.value as bigint)
    else this.const32(node.value as number)
  }

  #compute(node: Node, operand: (node: Node) => void): void {
    if (isStored(node)) throw new Error('a value is used before it is there')
    const { a, b, c } = node
    if (a) operand(a)
    if (node.kind === Kind.carry) {
      this.#carry(b!, c!, operand)
      return
    }
    if (b) operand(b)
    if (c) operand(c)
    if (node.kind === Kind.vector) this.#vector(node)
    else if (node.kind === Kind.flags) this.#callFlags()
    else this.op(node.op)
  }
  #callFlags(): void {
    this.op(Op.call)
    this.code.unsigned(this.#flagsFunction)
  }
  /** INC and DEC keep the carry in CC_SRC: loops that count by them need no call. */
  #carry(dst: Node, src: Node, operand: (node: Node) => void): void {
    const { word, long, otherLong } = this.#scratch
    this.setLocal(word)
    operand(dst)
    this.setLocal(long)
    operand(src)
    this.setLocal(otherLong)
    this.get(word)
    this.const32(3)
    this.op(Op.i32_shr_u)
    this.const32(3)
    this.op(Op.i32_eq)
    this.op(Op.if)
    this.op(I32)
    this.get(otherLong)
    this.op(Op.i32_wrap_i64)
    this.op(Op.else)
    this.get(word)
    this.get(long)
    this.get(otherLong)
    this.#callFlags()
    this.op(Op.end)
    this.const32(1)
    this.op(Op.i32_and)
  }
  #vector({ op, bytes }: Node): void {
    const code = op - VECTOR
    this.op(Op.vector)
    this.code.unsigned(code)
    if (bytes) for (const byte of bytes) this.op(byte)
    else if (code === SIMD_CONST || code === SIMD_SHUFFLE) throw new Error('bytes are missing')
  }

  #allocate(type: ValueType): number {
    const free = this.#free.get(type)?.pop()
    if (free !== undefined) return free
    return this.#firstTemp + this.temps.push(type) - 1
  }
  #release(type: ValueType, local: number): void {
    const list = this.#free.get(type)
    if (list) list.push(local)
    else this.#free.set(type, [local])
  }
}
