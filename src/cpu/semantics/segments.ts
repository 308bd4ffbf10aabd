/**
 * Segment registers and far transfers, all at CPL 3 (Intel SDM volume 3, 5.4 to 5.8; AMD APM volume 2, 4.5 to 4.10): helpers over the descriptors that the vCPU's owner
 * provides. Limits are not checked, call gates and 16-bit code segments are #GP.
 */
import type { Cpu } from '../cpu.ts'
import { Fault, GP, NP, SS_FAULT } from '../fault.ts'
import { CS, type Mode, RSP, SS } from '../isa/insn.ts'
import { S_MODE } from '../state.ts'
import { gpr, selector, setGpr, setSegmentBase, setSelector } from '../state-access.ts'
import { helper } from './helper.ts'

const CPL = 3
const RPL = 3

/** Bits of a descriptor's upper half. */
const WRITABLE_OR_READABLE = 1 << 9
const CONFORMING = 1 << 10
const CODE = 1 << 11
const CODE_OR_DATA = 1 << 12
const PRESENT = 1 << 15
const LONG = 1 << 21
const BIG = 1 << 22
const GRANULARITY = 1 << 23

export const upperHalf = (descriptor: bigint): number => Number(descriptor >> 32n)
export const dplOf = (upper: number): number => (upper >> 13) & 3

function baseOf(descriptor: bigint): bigint {
  return ((descriptor >> 16n) & 0xffffffn) | (((descriptor >> 56n) & 0xffn) << 24n)
}

export function limitOf(descriptor: bigint): number {
  const limit = Number(descriptor & 0xffffn) | (upperHalf(descriptor) & 0xf0000)
  return (upperHalf(descriptor) & GRANULARITY) !== 0 ? ((limit << 12) | 0xfff) >>> 0 : limit
}

export const isNull = (value: number): boolean => (value & ~RPL) === 0

/** The error code has the index and the table, not the RPL. */
const refuse = (value: number, vector = GP): never => {
  throw new Fault(vector, value & ~RPL)
}

function present(descriptor: bigint | undefined, value: number, vector: number): bigint {
  if (descriptor === undefined || (upperHalf(descriptor) & PRESENT) === 0) return refuse(value, vector)
  return descriptor
}

function checkStack(upper: number, value: number): void {
  const isData = (upper & (CODE_OR_DATA | CODE | WRITABLE_OR_READABLE)) === (CODE_OR_DATA | WRITABLE_OR_READABLE)
  if (!isData || (value & RPL) !== CPL || dplOf(upper) !== CPL) refuse(value)
}

function checkData(upper: number, value: number): void {
  const isReadable = (upper & CODE) === 0 || (upper & WRITABLE_OR_READABLE) !== 0
  const isConforming = (upper & (CODE | CONFORMING)) === (CODE | CONFORMING)
  if ((upper & CODE_OR_DATA) === 0 || !isReadable || (!isConforming && dplOf(upper) < CPL)) refuse(value)
}

/** A selector into ES, SS, DS, FS or GS. The null selector makes the base zero, as Intel's processors do; SS may not have it at CPL 3. */
export function setSegment(cpu: Cpu, n: number, value: number): void {
  let base = 0n
  if (!isNull(value)) {
    const descriptor = cpu.descriptor(value) ?? refuse(value)
    const upper = upperHalf(descriptor)
    if (n === SS) checkStack(upper, value)
    else checkData(upper, value)
    base = baseOf(present(descriptor, value, n === SS ? SS_FAULT : NP))
  } else if (n === SS) refuse(0)
  setSelector(cpu, n, value)
  setSegmentBase(cpu, n, base)
}

export const loadSegment = helper('segment.load', (cpu, n, value) => {
  setSegment(cpu, n as number, (value as number) & 0xffff)
  return undefined
})

export const selectorOf = helper('segment.selector', (cpu, n) => selector(cpu, n as number))

/** What CS may become: its descriptor, checked. */
export function codeSegment(cpu: Cpu, value: number): bigint {
  if (isNull(value)) refuse(0)
  const descriptor = cpu.descriptor(value) ?? refuse(value)
  const upper = upperHalf(descriptor)
  if ((upper & (CODE_OR_DATA | CODE)) !== (CODE_OR_DATA | CODE)) refuse(value)
  const isConforming = (upper & CONFORMING) !== 0
  if (!isConforming && dplOf(upper) !== CPL) refuse(value)
  const kind = upper & (LONG | BIG)
  if (kind !== LONG && kind !== BIG) refuse(value)
  return present(descriptor, value, NP)
}

/** The mode that a code segment leads to; undefined: it is none. */
export function modeOfCode(descriptor: bigint | undefined): Mode | undefined {
  if (descriptor === undefined) return undefined
  const upper = upperHalf(descriptor)
  if ((upper & (CODE_OR_DATA | CODE)) !== (CODE_OR_DATA | CODE)) return undefined
  return (upper & LONG) !== 0 ? 64 : 32
}

/** CPL stays 3, whatever RPL a jump names. RSP has 32 bits in compatibility mode. */
export function setCode(cpu: Cpu, value: number, descriptor: bigint): void {
  const mode = modeOfCode(descriptor)!
  setSelector(cpu, CS, value | CPL)
  setSegmentBase(cpu, CS, mode === 64 ? 0n : baseOf(descriptor))
  setGpr(cpu, RSP, BigInt.asUintN(mode, gpr(cpu, RSP)))
  cpu.view.setUint32(cpu.base + S_MODE, mode, true)
}

export const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address

/** An offset in a code segment that execution may go on at. */
export function checkTarget(descriptor: bigint, offset: bigint): void {
  if (modeOfCode(descriptor) === 64 ? !isCanonical(offset) : offset >> 32n !== 0n) throw new Fault(GP, 0)
}

/** LAR, LSL, VERR, VERW: the descriptor's upper half if a program at CPL 3 with this selector may look at it, or -1. */
export function visible(cpu: Cpu, value: number): bigint | undefined {
  if (isNull(value)) return undefined
  const descriptor = cpu.descriptor(value)
  if (descriptor === undefined) return undefined
  const upper = upperHalf(descriptor)
  const isConforming = (upper & (CODE_OR_DATA | CODE | CONFORMING)) === (CODE_OR_DATA | CODE | CONFORMING)
  return isConforming || dplOf(upper) >= CPL ? descriptor : undefined
}

export const isCodeOrData = (upper: number): boolean => (upper & CODE_OR_DATA) !== 0
export const isReadable = (upper: number): boolean => (upper & CODE) === 0 || (upper & WRITABLE_OR_READABLE) !== 0
export const isWritable = (upper: number): boolean => (upper & (CODE | WRITABLE_OR_READABLE)) === WRITABLE_OR_READABLE
