/**
 * MMX registers, which are the significands of x87's (Intel SDM volume 1, 9.2 and 9.5): instructions that use them wait
 * for x87's exceptions first, and leave TOP 0 and all registers valid.
 */
import type { Cpu } from '../cpu.ts'
import type { Insn, Size } from '../isa/insn.ts'
import { SS } from '../isa/insn.ts'
import { S_FPR } from '../state.ts'
import type { Emitter } from './emitter.ts'
import { helper } from './helper.ts'
import { address } from './operands.ts'
import { register } from './sse-operands.ts'
import { X87 } from './x87-file.ts'

const ALL_VALID = 0xff
const place = (cpu: Cpu, n: number): number => cpu.base + S_FPR + 16 * n

function enter(fpu: X87): void {
  fpu.top = 0
  fpu.tags = ALL_VALID
}

const wait = helper('mmx.wait', (cpu) => {
  new X87(cpu, 0n).wait()
  return undefined
})

const readRegister = helper('mmx.read', (cpu, n) => cpu.view.getBigUint64(place(cpu, n as number), true))

const writeRegister = helper('mmx.write', (cpu, n, value) => {
  enter(new X87(cpu, 0n))
  const at = place(cpu, n as number)
  cpu.view.setBigUint64(at, value as bigint, true)
  // Sign and exponent become ones.
  cpu.view.setUint16(at + 8, 0xffff, true)
  return undefined
})

const enterState = helper('mmx.enter', (cpu) => {
  enter(new X87(cpu, 0n))
  return undefined
})

const empty = helper('mmx.empty', (cpu) => {
  const fpu = new X87(cpu, 0n)
  fpu.wait()
  enter(fpu)
  fpu.tags = 0
  return undefined
})

/** What every MMX instruction begins with: #NM, #MF. */
export function beginMmx<V>(e: Emitter<V>): void {
  e.fpu()
  e.helper(wait, 0)
}

/** An MMX register, or memory, with zeros above what is shorter. */
export function readMmx<V>(e: Emitter<V>, insn: Insn, n: number): V {
  const operand = insn.operands[n]!
  if (operand.kind !== 'mem') return e.helper(readRegister, 8, e.imm(4, register(insn, n)))
  const size = operand.size as Size
  const value = e.load(size, address(e, insn, operand), operand.segment === SS)
  return size === 8 ? value : e.zext(size, 8, value)
}

export function writeMmx<V>(e: Emitter<V>, n: number, value: V): void {
  e.helper(writeRegister, 0, e.imm(4, n), value)
}

/** For instructions that only read an MMX register. */
export function enterMmx<V>(e: Emitter<V>): void {
  e.helper(enterState, 0)
}

export function emms<V>(e: Emitter<V>): void {
  e.fpu()
  e.helper(empty, 0)
}
