/**
 * The language in which instructions say what they mean. An implementation either does it at once (interpret/) or makes WebAssembly of it (translate/): semantics
 * may look at the decoded instruction as they like, but never at a value.
 *
 * Values of 1, 2 and 4 bytes are 32-bit numbers whose bits above their size are zero; of 8 bytes, 64-bit numbers; vectors, 128 bits. Every operation wraps its result to
 * its size. Comparisons give 1 or 0 as a value of 4 bytes. Counts of shifts are values of 4 bytes below the width, which semantics see to.
 *
 * Order (ADR 0011): what may fault comes before what changes the state.
 */
import type { Cpu } from '../cpu.ts'
import type { Insn, Size } from '../isa/insn.ts'
import type { CcOp } from '../state.ts'
import type { FloatOp, VectorOp, VectorShift } from './vector-ops.ts'

/** Jcc's four bits: o no b ae e ne be a s ns p np l ge le g. */
export type Condition = number

/** What a helper does: plain TypeScript over the vCPU. `args` are numbers (sizes 1 to 4) and BigInts (size 8); what it returns is of the size that was asked for. Throws Fault. */
export type HelperBody = (cpu: Cpu, ...args: (number | bigint)[]) => number | bigint | undefined

declare const named: unique symbol
export type HelperName = string & { readonly [named]: true }

/** Only `helper` (helper.ts) makes one: it has a name, by which code that was translated elsewhere finds it. */
export type Helper = HelperBody & { readonly helperName: HelperName }

/** The part of the language in which conditions and results of native operations are said, wherever they are worked out. */
export type Calculator<V> = Pick<Emitter<V>, 'imm' | 'and' | 'eq' | 'vector' | 'bitmask' | 'shuffle' | 'zero128'>

/** A result that is right where the condition holds. */
export interface Calculated<V> {
  readonly condition: V
  readonly result: V
}

/**
 * A helper that makes one vector of two, and a number: its body gets where they lie in `view`, one behind the other, and puts the result where the first one was. Of
 * registers it may change MXCSR alone. `natively`: what is tried before it is asked, in this order.
 */
export interface Calculation extends Helper {
  readonly natively: readonly (<V>(e: Calculator<V>, native: FloatNative<V>, a: V, b: V) => Calculated<V>)[]
}

/** What the engine has for floats. */
export interface FloatNative<V> {
  /** Vectors of floats, by WebAssembly's name. */
  op(name: FloatOp, a: V, b?: V): V
  /** Eight bytes, twice. */
  constant(bits: bigint): V
  /** 1 if these bits of MXCSR are so. */
  mxcsrIs(mask: number, bits: number): V
}

/** What the engine's machine instructions do that do not do quite what the processor's do, where they are at hand. */
export interface Native<V> extends FloatNative<V> {
  /** Of 8 bytes; the divisor is not 0, and the quotient fits. */
  quotient(isSigned: boolean, a: V, b: V): V
  remainder(isSigned: boolean, a: V, b: V): V
  /** A calculation out of line. It may fault. */
  calculate(calculation: Calculation, a: V, b: V, number: number): V
}

/** What is done if the condition holds, and if not; undefined: what there is for all others. */
export interface Quickly<V> {
  readonly condition: V
  act(): void
  readonly otherwise?: () => void
}

/** What was in memory, and how to put something else there. */
export interface Modified<V> {
  readonly value: V
  store(value: V): void
}

export interface Emitter<V> {
  imm(size: Size, value: number | bigint): V

  /** A general register, or a part of it; 16 to 19 are AH to BH. */
  reg(size: Size, n: number): V
  /** Four bytes clear the upper half, one and two leave the rest as it is. */
  setReg(size: Size, n: number, value: V): void

  add(size: Size, a: V, b: V): V
  sub(size: Size, a: V, b: V): V
  mul(size: Size, a: V, b: V): V
  /** The upper half of the product, of 4 and 8 bytes. */
  mulhu(size: 4 | 8, a: V, b: V): V
  mulhs(size: 4 | 8, a: V, b: V): V
  and(size: Size, a: V, b: V): V
  or(size: Size, a: V, b: V): V
  xor(size: Size, a: V, b: V): V
  not(size: Size, a: V): V
  neg(size: Size, a: V): V
  shl(size: Size, a: V, count: V): V
  shr(size: Size, a: V, count: V): V
  sar(size: Size, a: V, count: V): V
  rol(size: Size, a: V, count: V): V
  ror(size: Size, a: V, count: V): V
  /** Of 4 and 8 bytes; the width for 0. The result is of 4 bytes. */
  clz(size: 4 | 8, a: V): V
  ctz(size: 4 | 8, a: V): V
  popcnt(size: 4 | 8, a: V): V

  eq(size: Size, a: V, b: V): V
  ne(size: Size, a: V, b: V): V
  ltu(size: Size, a: V, b: V): V
  lts(size: Size, a: V, b: V): V
  select(size: Size, condition: V, yes: V, no: V): V

  zext(from: Size, to: Size, a: V): V
  sext(from: Size, to: Size, a: V): V
  /** The low bytes. */
  trunc(from: Size, to: Size, a: V): V

  /** A variable that `if` may set on either side. */
  variable(size: Size, value: V): { get(): V; set(value: V): void }
  if(condition: V, then: () => void, otherwise?: () => void): void

  /** `address`: linear, 8 bytes. #PF, #GP (not canonical; the segment was SS: #SS is the semantics' to ask for by `stack`). */
  load(size: Size, address: V, stack?: boolean): V
  store(size: Size, address: V, value: V, stack?: boolean): void
  /** The load of a read-modify-write: it faults as a store there would, and the store that follows never does. */
  modify(size: Size, address: V, stack?: boolean): Modified<V>
  /** Faults as a store there would, and changes nothing. */
  writable(bytes: number, address: V, stack?: boolean): void

  /**
   * Iterations of a repeated STOS, or of a MOVS that reads at `from`, which are done at once since none of them can fault: how many, 8 bytes, each of them a count. At least one of `count` is
   * left. Undefined: they are done one by one here.
   */
  bulk(size: Size, count: V, to: V, source: { readonly value: V } | { readonly from: V }): V | undefined

  /** XMM registers. */
  xmm(n: number): V
  setXmm(n: number, value: V): void
  load128(address: V, aligned: boolean, stack?: boolean): V
  /** The lowest lane from memory, and zeros above it. */
  loadScalar(size: 4 | 8, address: V, stack?: boolean): V
  store128(address: V, value: V, aligned: boolean, stack?: boolean): void
  vector(op: VectorOp, a: V, b: V): V
  /** All lanes by the same count: a value of 4 bytes below the lanes' width. */
  vectorShift(op: VectorShift, a: V, count: V): V
  /** The top bits of lanes of `size` bytes, lane 0's lowest: a value of 4 bytes. */
  bitmask(size: 1 | 4 | 8, vector: V): V
  /** A lane as a value of `size` bytes, and a vector with one lane replaced, zero, or the same in all lanes. */
  lane(size: Size, vector: V, n: number): V
  withLane(size: Size, vector: V, n: number, value: V): V
  zero128(): V
  /** Bytes of `a` (0-15) and `b` (16-31) by constant numbers. */
  shuffle(a: V, b: V, bytes: readonly number[]): V

  /**
   * What the engine's own instructions can do if a condition holds, and otherwise a helper (ADR 0011, "Floating point"). Where there are none at hand it is always `otherwise`.
   */
  quickly(fast: (native: Native<V>) => Quickly<V>, otherwise: () => void): void

  /** What `op` has to know of the operands is in state.ts. `size` is the operation's, and that of `dst` and `src`. */
  setFlags(op: CcOp, size: Size, dst: V, src: V): void
  /** The six flags as in RFLAGS, 4 bytes. */
  flags(): V
  /** 0 or 1. */
  condition(condition: Condition): V
  carry(): V
  /** The other bits of RFLAGS (S_FLAGS), 4 bytes. */
  otherFlags(): V
  setOtherFlags(value: V): void
  segmentBase(n: number): V

  /** The address of this instruction, and of the next one: constants. */
  readonly rip: bigint
  readonly nextRip: bigint
  /** The instruction ends here and goes on at `target`: 8 bytes. */
  jump(target: V): void
  /** To a constant address if the condition holds, else to the next instruction. */
  branch(condition: V, target: bigint): void
  /** This instruction once more (one iteration of a repeated one has been done). */
  again(): void

  /** #NM while CR0.TS is set (S_TS): every instruction of x87, MMX and SSE begins with it. Nothing within a region changes TS. */
  fpu(): void
  /** The instruction does not happen. */
  fault(vector: number, code?: number): void
  /**
   * The run ends (Exit), the instruction has happened and RIP is the next one's. `number`: of the interrupt. Only Exit.privileged is like a fault: nothing has
   * happened, and RIP is this instruction's.
   */
  exit(exit: number, number?: number): void

  /** All registers are in memory while it runs; it may change any of them but RIP. `size` 0: it gives nothing. */
  helper(helper: Helper, size: Size | 0, ...args: V[]): V
}

/** An instruction's meaning. */
export type Semantics = <V>(e: Emitter<V>, insn: Insn) => void
