/**
 * The x87 FPU's registers as its instructions see them: a stack, control and status (Intel SDM volume 1, chapter 8). An
 * instruction makes its results and what they raise first; `settle` says whether they may be used.
 */
import type { Cpu } from '../cpu.ts'
import { Fault, MF, SS_FAULT } from '../fault.ts'
import { BEFORE_RESULT, Environment, IE, PE } from '../float/environment.ts'
import { F80, F80_DOUBLE, F80_SINGLE, type Float, type Format, indefinite, unpack } from '../float/format.ts'
import { CS } from '../isa/insn.ts'
import { S_FCW, S_FDP, S_FIP, S_FOP, S_FPR, S_FSW, S_FTW } from '../state.ts'
import { segmentBase } from '../state-access.ts'

/** The status word: stack fault, summary, condition codes, busy. */
export const SF = 1 << 6
export const ES = 1 << 7
export const C0 = 1 << 8
export const C1 = 1 << 9
export const C2 = 1 << 10
export const C3 = 1 << 14
export const BUSY = 1 << 15
const TOP_SHIFT = 11
const TOP = 7 << TOP_SHIFT

/** What FNINIT loads: all masked, 64-bit precision, to nearest. */
export const FCW_INIT = 0x37f
/** Bits 6, 7 and 13 to 15 of the control word are reserved: 6 is one, the others zero. */
const FCW_BITS = 0x1f3f
const FCW_ONES = 0x40

const PRECISIONS = [F80_SINGLE, F80, F80_DOUBLE, F80] as const
const LEGACY_PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])

export class X87 {
  readonly cpu: Cpu
  /** What this instruction raises. */
  readonly env: Environment
  readonly #rip: bigint
  /** It is a stack underflow or overflow. */
  stackFault = false

  constructor(cpu: Cpu, rip: bigint) {
    this.cpu = cpu
    this.#rip = rip
    const control = this.control
    this.env = new Environment('x87', (control >> 10) & 3, control & 63)
  }

  get control(): number {
    return this.cpu.view.getUint16(this.cpu.base + S_FCW, true)
  }
  get status(): number {
    return this.cpu.view.getUint16(this.cpu.base + S_FSW, true)
  }
  set status(status: number) {
    this.cpu.view.setUint16(this.cpu.base + S_FSW, status, true)
  }
  /** A bit for each physical register that is not empty. */
  get tags(): number {
    return this.cpu.view.getUint8(this.cpu.base + S_FTW)
  }
  set tags(tags: number) {
    this.cpu.view.setUint8(this.cpu.base + S_FTW, tags)
  }
  get top(): number {
    return (this.status >> TOP_SHIFT) & 7
  }
  set top(top: number) {
    this.status = (this.status & ~TOP) | ((top & 7) << TOP_SHIFT)
  }
  /** What precision control makes of the results of addition, multiplication, division and roots. */
  get format(): Format {
    return PRECISIONS[(this.control >> 8) & 3]!
  }

  setControl(control: number): void {
    this.cpu.view.setUint16(this.cpu.base + S_FCW, (control & FCW_BITS) | FCW_ONES, true)
    this.#summarize()
  }
  /** As FLDENV and the like load it: the summary follows from flags and masks. */
  setStatus(status: number): void {
    this.status = status
    this.#summarize()
  }
  #summarize(): void {
    const { status } = this
    const pending = (status & ~this.control & 63) !== 0
    this.status = pending ? status | ES | BUSY : status & ~(ES | BUSY)
  }

  /** #MF, if an earlier instruction has left an exception that is not masked. */
  wait(): void {
    if ((this.status & ES) !== 0) throw new Fault(MF)
  }
  /** Where the last instruction is that was none of control, and its operand in memory, if it has one. */
  note(operand: bigint | undefined): void {
    const { view, base } = this.cpu
    view.setBigUint64(base + S_FIP, this.#rip, true)
    if (operand !== undefined) view.setBigUint64(base + S_FDP, operand, true)
  }

  #physical(i: number): number {
    return (this.top + i) & 7
  }
  isEmpty(i: number): boolean {
    return (this.tags & (1 << this.#physical(i))) === 0
  }
  /** The 80 bits of ST(i). */
  bits(i: number): bigint {
    return this.register(this.#physical(i))
  }
  number(i: number): Float {
    return unpack(this.env, F80, this.bits(i))
  }
  set(i: number, bits: bigint): void {
    const n = this.#physical(i)
    this.setRegister(n, bits)
    this.tags |= 1 << n
  }
  free(i: number): void {
    this.tags &= ~(1 << this.#physical(i))
  }
  pop(): void {
    this.free(0)
    this.top++
  }
  push(bits: bigint): void {
    this.top--
    this.set(0, bits)
  }
  register(n: number): bigint {
    const { view, base } = this.cpu
    const at = base + S_FPR + 16 * n
    return view.getBigUint64(at, true) | (BigInt(view.getUint16(at + 8, true)) << 64n)
  }
  setRegister(n: number, bits: bigint): void {
    const { view, base } = this.cpu
    const at = base + S_FPR + 16 * n
    view.setBigUint64(at, BigInt.asUintN(64, bits), true)
    view.setBigUint64(at + 8, bits >> 64n, true)
  }

  /** Condition codes. */
  setCodes(mask: number, codes: number): void {
    this.status = (this.status & ~mask) | codes
  }

  /** Whether all of these are there; if not, it is a stack underflow, and the result is `indefinite`. */
  present(...registers: number[]): boolean {
    if (registers.every((i) => !this.isEmpty(i))) return true
    this.env.flags |= IE
    this.stackFault = true
    this.setCodes(C1, 0)
    return false
  }
  /** Whether there is room to push; if not, it is a stack overflow. */
  room(): boolean {
    if (this.isEmpty(7)) return true
    this.env.flags |= IE
    this.stackFault = true
    this.env.roundedUp = true
    return false
  }

  /**
   * Puts what has been raised into the status word and C1. False: something is not masked that leaves no result.
   * `more`: exceptions that leave none either, since it would go to memory; `less`: that leave one.
   */
  settle(more = 0, less = 0): boolean {
    const { env } = this
    const unmasked = env.unmasked()
    const without = (unmasked & ((BEFORE_RESULT & ~less) | more)) !== 0
    // What has not been stored has not been rounded.
    if (without && more !== 0) env.flags &= ~PE
    const up = env.roundedUp && (env.flags & (PE | IE)) !== 0
    let status = (this.status & ~C1) | env.flags | (up ? C1 : 0)
    if (this.stackFault) status |= SF
    if (unmasked !== 0) status |= ES | BUSY
    this.status = status
    if (unmasked !== 0) this.#noteOpcode()
    return !without
  }

  /** FOP changes with unmasked exceptions only (SDM volume 1, 8.1.9.1): the opcode without its first five bits. */
  #noteOpcode(): void {
    const { cpu } = this
    let at = this.#rip + segmentBase(cpu, CS)
    let byte = cpu.load(1, at) as number
    while (LEGACY_PREFIXES.has(byte) || (cpu.mode === 64 && byte >> 4 === 4)) byte = cpu.load(1, ++at) as number
    cpu.view.setUint16(cpu.base + S_FOP, ((byte & 7) << 8) | (cpu.load(1, at + 1n) as number), true)
  }
}

export const INDEFINITE = indefinite(F80)

const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address

/** #SS, where helpers access what is in the stack's segment and has no canonical address. */
export function checkStack(address: bigint, bytes: number): void {
  if (!isCanonical(address) || !isCanonical(address + BigInt(bytes - 1))) throw new Fault(SS_FAULT, 0)
}
