/**
 * The emitter that does everything at once: values are numbers (up to four bytes), pairs of words (eight bytes: long.ts) and BigInts (vectors), conditions are
 * decided when they are asked for. A debugger can follow an instruction's semantics through it.
 */
import type { Cpu } from '../cpu.ts'
import { Fault, GP, NM, SS_FAULT } from '../fault.ts'
import { holds, statusFlags } from '../flags.ts'
import type { Size } from '../isa/insn.ts'
import type { Emitter, Helper, Modified } from '../semantics/emitter.ts'
import type { VectorOp, VectorShift } from '../semantics/vector-ops.ts'
import {
  type CcOp,
  CF,
  S_CC_DST,
  S_CC_OP,
  S_CC_SRC,
  S_END,
  S_FLAGS,
  S_GPR,
  S_SEGMENT_BASES,
  S_TS,
  S_XMM,
} from '../state.ts'
import { reg, setReg } from '../state-access.ts'
import { bitmask, lane, shuffle, vectorOp, vectorShift, withLane } from './lanes.ts'
import { bigOf, isCanonical, Long, lowOf, toBig } from './long.ts'
import { type Value, Values } from './values.ts'

/** No exit: the instruction ends as instructions do. */
const NONE = -1

/** Of the state, in words. */
const GPR = S_GPR / 4

const LOG2 = [0, 0, 1, 0, 2, 0, 0, 0, 3] as const

export class InterpretingEmitter extends Values implements Emitter<Value> {
  readonly cpu: Cpu
  readonly #state: Int32Array
  /** Where the instruction lies, and the next one. */
  low = 0
  high = 0
  nextLow = 0
  nextHigh = 0
  /** It has neither jumped nor exited, and nobody but the emitter has had a hand in it. */
  isPlain = true
  /** It does not go on at the next instruction, but here. */
  jumps = false
  targetLow = 0
  targetHigh = 0
  /** Exit, or -1; and the interrupt's number. */
  exitReason = NONE
  exitNumber = 0

  constructor(cpu: Cpu) {
    super()
    this.cpu = cpu
    this.#state = new Int32Array(cpu.view.buffer, cpu.base, S_END / 4)
  }

  /** Before every instruction: `beginAt`, for whoever has its address and that of the next one as BigInts. */
  begin(rip: bigint, nextRip: bigint): void {
    this.beginAt(lowOf(rip), lowOf(rip >> 32n), Number(nextRip - rip), true)
  }
  /** Before every instruction of so many bytes. */
  beginAt(low: number, high: number, length: number, isLong: boolean): void {
    this.longs.reset()
    const next = (low + length) | 0
    this.low = low
    this.high = high
    this.nextLow = next
    this.nextHigh = isLong ? (next >>> 0 < low >>> 0 ? (high + 1) | 0 : high) : 0
    this.isPlain = true
    this.jumps = false
    this.exitReason = NONE
  }
  get rip(): bigint {
    return bigOf(this.low, this.high)
  }
  get nextRip(): bigint {
    return bigOf(this.nextLow, this.nextHigh)
  }

  reg(size: Size, n: number): Value {
    if (size === 8) return this.#long(GPR + 2 * n)
    if (size === 4) return this.#state[GPR + 2 * n]! >>> 0
    return reg(this.cpu, size, n) as number
  }
  setReg(size: Size, n: number, value: Value): void {
    if (size === 8) this.#setLong(GPR + 2 * n, value as Long)
    else if (size === 4) {
      this.#state[GPR + 2 * n] = value as number
      this.#state[GPR + 2 * n + 1] = 0
    } else setReg(this.cpu, size, n, value as number)
  }
  /** By its first word. */
  #long(word: number): Long {
    return this.longs.make(this.#state[word]!, this.#state[word + 1]!)
  }
  #setLong(word: number, { low, high }: Long): void {
    this.#state[word] = low
    this.#state[word + 1] = high
  }

  load(size: Size, address: Value, stack = false): Value {
    if (stack) this.#checkStack(size, address as Long)
    const at = this.cpu.locate((address as Long).low, (address as Long).high, size, false)
    return at < 0 ? this.#fromCpu(size, this.cpu.load(size, toBig(address as Long))) : this.#get(size, at)
  }
  store(size: Size, address: Value, value: Value, stack = false): void {
    if (stack) this.#checkStack(size, address as Long)
    const at = this.cpu.locate((address as Long).low, (address as Long).high, size, true)
    if (at < 0) this.#toCpu(size, toBig(address as Long), value)
    else this.#put(size, at, value)
  }
  modify(size: Size, address: Value, stack = false): Modified<Value> {
    if (stack) this.#checkStack(size, address as Long)
    const at = this.cpu.locate((address as Long).low, (address as Long).high, size, true)
    if (at >= 0) return { value: this.#get(size, at), store: (value) => this.#put(size, at, value) }
    const linear = toBig(address as Long)
    this.cpu.writable(size, linear)
    const value = this.#fromCpu(size, this.cpu.load(size, linear))
    return { value, store: (next) => this.#toCpu(size, linear, next) }
  }
  #get(size: Size, at: number): Value {
    const { view } = this.cpu
    switch (size) {
      case 1:
        return view.getUint8(at)
      case 2:
        return view.getUint16(at, true)
      case 4:
        return view.getUint32(at, true)
      case 8:
        return this.longs.make(view.getInt32(at, true), view.getInt32(at + 4, true))
    }
  }
  #put(size: Size, at: number, value: Value): void {
    const { view } = this.cpu
    switch (size) {
      case 1:
        view.setUint8(at, value as number)
        break
      case 2:
        view.setUint16(at, value as number, true)
        break
      case 4:
        view.setUint32(at, value as number, true)
        break
      case 8:
        view.setInt32(at, (value as Long).low, true)
        view.setInt32(at + 4, (value as Long).high, true)
    }
  }
  #fromCpu(size: Size, value: number | bigint): Value {
    return size === 8 ? this.longs.fromBig(value as bigint) : value
  }
  #toCpu(size: Size, address: bigint, value: Value): void {
    this.cpu.store(size, address, size === 8 ? toBig(value as Long) : (value as number))
  }
  writable(bytes: number, address: Value, stack = false): void {
    if (stack) this.#checkStack(bytes, address as Long)
    this.cpu.writable(bytes, toBig(address as Long))
  }
  /** What is not canonical is #GP(0) to the rest of the vCPU, and #SS(0) where the segment is SS. */
  #checkStack(bytes: number, address: Long): void {
    const last = this.longs.add(address, this.longs.make(bytes - 1, 0))
    if (!isCanonical(address) || !isCanonical(last)) throw new Fault(SS_FAULT, 0)
  }
  bulk(): undefined {
    return undefined
  }
  xmm(n: number): Value {
    const { view, base } = this.cpu
    const at = base + S_XMM + 16 * n
    return view.getBigUint64(at, true) | (view.getBigUint64(at + 8, true) << 64n)
  }
  setXmm(n: number, value: Value): void {
    const { view, base } = this.cpu
    const at = base + S_XMM + 16 * n
    view.setBigUint64(at, value as bigint, true)
    view.setBigUint64(at + 8, (value as bigint) >> 64n, true)
  }
  load128(address: Value, aligned: boolean, stack = false): Value {
    const low = this.#check128(address as Long, aligned, stack)
    const high = BigInt.asUintN(64, low + 8n)
    return (this.cpu.load(8, low) as bigint) | ((this.cpu.load(8, high) as bigint) << 64n)
  }
  store128(address: Value, value: Value, aligned: boolean, stack = false): void {
    const low = this.#check128(address as Long, aligned, stack)
    this.cpu.writable(16, low)
    this.cpu.store(8, low, BigInt.asUintN(64, value as bigint))
    this.cpu.store(8, BigInt.asUintN(64, low + 8n), (value as bigint) >> 64n)
  }
  #check128(address: Long, aligned: boolean, stack: boolean): bigint {
    // Not aligned counts before not canonical.
    if (aligned && (address.low & 15) !== 0) throw new Fault(GP, 0)
    if (stack) this.#checkStack(16, address)
    return toBig(address)
  }
  vector(op: VectorOp, a: Value, b: Value): Value {
    return vectorOp(op, a as bigint, b as bigint)
  }
  vectorShift(op: VectorShift, a: Value, count: Value): Value {
    return vectorShift(op, a as bigint, count as number)
  }
  bitmask(size: 1 | 4 | 8, vector: Value): Value {
    return bitmask(size, vector as bigint)
  }
  lane(size: Size, vector: Value, n: number): Value {
    return this.#fromCpu(size, lane(size, vector as bigint, n))
  }
  withLane(size: Size, vector: Value, n: number, value: Value): Value {
    return withLane(size, vector as bigint, n, size === 8 ? toBig(value as Long) : (value as number))
  }
  zero128(): Value {
    return 0n
  }
  shuffle(a: Value, b: Value, bytes: readonly number[]): Value {
    return shuffle(a as bigint, b as bigint, bytes)
  }

  loadScalar(size: 4 | 8, address: Value, stack = false): Value {
    return this.withLane(size, this.zero128(), 0, this.load(size, address, stack))
  }
  quickly(_fast: unknown, otherwise: () => void): void {
    otherwise()
  }

  setFlags(op: CcOp, size: Size, dst: Value, src: Value): void {
    const state = this.#state
    state[S_CC_OP / 4] = op * 4 + LOG2[size]
    if (size === 8) {
      this.#setLong(S_CC_DST / 4, dst as Long)
      this.#setLong(S_CC_SRC / 4, src as Long)
    } else {
      state[S_CC_DST / 4] = dst as number
      state[S_CC_DST / 4 + 1] = 0
      state[S_CC_SRC / 4] = src as number
      state[S_CC_SRC / 4 + 1] = 0
    }
  }
  flags(): Value {
    return statusFlags(this.cpu)
  }
  condition(condition: number): Value {
    return holds(condition, statusFlags(this.cpu)) ? 1 : 0
  }
  carry(): Value {
    return statusFlags(this.cpu) & CF
  }
  otherFlags(): Value {
    return this.#state[S_FLAGS / 4]! >>> 0
  }
  setOtherFlags(value: Value): void {
    this.isPlain = false
    this.#state[S_FLAGS / 4] = value as number
  }
  segmentBase(n: number): Value {
    return this.#long(S_SEGMENT_BASES / 4 + 2 * n)
  }

  jump(target: Value): void {
    this.isPlain = false
    this.jumps = true
    this.targetLow = (target as Long).low
    this.targetHigh = (target as Long).high
  }
  branch(condition: Value, target: bigint): void {
    if (condition !== 0) this.jump(this.longs.fromBig(target))
  }
  again(): void {
    this.jump(this.longs.fromBig(this.rip))
  }

  fpu(): void {
    if (this.#state[S_TS / 4] !== 0) throw new Fault(NM)
  }
  fault(vector: number, code?: number): void {
    throw new Fault(vector, code)
  }
  exit(exit: number, number = 0): void {
    this.isPlain = false
    this.exitReason = exit
    this.exitNumber = number
  }

  helper(helper: Helper, size: Size | 0, ...args: Value[]): Value {
    this.isPlain = false
    const values: (number | bigint)[] = []
    for (const arg of args) values.push(arg instanceof Long ? toBig(arg) : arg)
    const result = helper(this.cpu, ...values)
    return size === 0 ? 0 : this.#fromCpu(size, result!)
  }
}
