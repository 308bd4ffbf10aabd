/** Operands in AT&T's syntax, as GNU objdump writes them. */
import type { Insn, MemOperand, Operand } from '../isa/insn.ts'
import { memoryOf, type Prefixes, SEGMENTS } from './prefixes.ts'

const QUADS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi']
const WORDS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']
const BYTES = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil']
const HIGH_BYTES = ['ah', 'ch', 'dh', 'bh']

export function registerName(size: number, n: number): string {
  if (n >= 16) return `%${HIGH_BYTES[n - 16]}`
  if (n >= 8) return `%r${n}${size === 8 ? '' : size === 4 ? 'd' : size === 2 ? 'w' : 'b'}`
  return `%${size === 8 ? QUADS[n] : size === 4 ? `e${WORDS[n]}` : size === 2 ? WORDS[n] : BYTES[n]}`
}

const hex = (value: bigint): string => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`)

const FILES = { xmm: 'xmm', mmx: 'mm', creg: 'cr', dreg: 'db' } as const

/** `next`: the address of the next instruction. */
export function operandText(
  insn: Insn,
  operand: Operand,
  prefixes: Prefixes,
  bytes: ArrayLike<number>,
  next: bigint,
): string {
  switch (operand.kind) {
    case 'reg':
      return registerName(operand.size, operand.n)
    case 'mem':
      return memoryText(insn, operand, prefixes, bytes)
    case 'imm':
      return `$${hex(operand.value)}`
    case 'rel':
      return BigInt.asUintN(targetBits(insn), next + operand.value).toString(16)
    case 'st':
      return insn.row.operands[insn.operands.indexOf(operand)] === 'ST' ? '%st' : `%st(${operand.n})`
    case 'sreg':
      return `%${SEGMENTS[operand.n]}`
    default:
      return `%${FILES[operand.kind]}${operand.n}`
  }
}

/** objdump does not cut what AMD's processors do: the target of a branch by a byte with 66. */
const targetBits = ({ mode, size, row }: Insn): number => (size === 2 && row.operands[0] !== 'Jb' ? 16 : mode)

/** Strings name their segments, other memory only what a prefix says. */
function memoryText(insn: Insn, memory: MemOperand, prefixes: Prefixes, bytes: ArrayLike<number>): string {
  const { mode, addressSize, row } = insn
  const implied = row.operands.some((notation) => /^\(?(?:[XYO][bvz]|BX)\)?$/.test(notation))
  const string = implied && memory.base >= 0
  const named =
    string || prefixes.legacy.some((byte) => (byte >= 0x64 ? byte < 0x66 : mode === 32 && (byte & 0xe7) === 0x26))
  const segment = named ? `%${SEGMENTS[memory.segment]}:` : ''
  if (implied)
    return segment + (string ? `(${registerName(addressSize, memory.base)})` : hex(BigInt.asUintN(64, memory.disp)))
  const modrm = bytes[prefixes.modrmAt]!
  const hasDisp = modrm >= 0x40 || memory.base < 0
  if (memory.ripRelative) return `${segment}${hex(memory.disp)}(%${addressSize === 8 ? 'r' : 'e'}ip)`
  const hasSib = addressSize !== 2 && (modrm & 7) === 4
  const base = memory.base < 0 ? '' : registerName(addressSize, memory.base)
  const index = indexText(memory, addressSize, hasSib, hasSib ? bytes[prefixes.modrmAt + 1]! : 0)
  if (base === '' && index === '') return segment + hex(BigInt.asUintN(addressSize * 8, memory.disp))
  return `${segment}${hasDisp ? hex(memory.disp) : ''}(${base}${index})`
}

function indexText(memory: MemOperand, addressSize: number, hasSib: boolean, sib: number): string {
  if (memory.index >= 0) {
    const scale = addressSize === 2 ? '' : `,${memory.scale}`
    return `,${registerName(addressSize, memory.index)}${scale}`
  }
  const shown = hasSib && (sib >> 6 !== 0 || (memory.base >= 0 && (sib & 7) !== 4))
  return shown ? `,%${addressSize === 8 ? 'r' : 'e'}iz,${memory.scale}` : ''
}

/** What a RIP-relative operand's address is. */
export function comment(insn: Insn, next: bigint): string {
  const memory = memoryOf(insn)
  return memory?.ripRelative ? `        # ${BigInt.asUintN(64, next + memory.disp).toString(16)}` : ''
}
